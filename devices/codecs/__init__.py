"""The codec table: one row per device family. Nothing registers itself by being imported."""

from devices.codecs.base import Codec
from devices.codecs.gengfu_plain import GengfuPlain

TABLE: dict[str, Codec] = {
    "gengfu_plain": GengfuPlain(),
}
