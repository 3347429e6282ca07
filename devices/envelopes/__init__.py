"""The envelope table: one row per sender dialect. Nothing registers itself by being imported."""

from devices.envelopes.base import Envelope
from devices.envelopes.plain import Plain

TABLE: dict[str, Envelope] = {
    "plain": Plain(),
}
