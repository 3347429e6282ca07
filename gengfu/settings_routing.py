"""`[routing]`: which carrier is tried first, by channel and country. Never reads a file or an environment itself."""

import re
from collections.abc import Mapping

from pydantic import BaseModel, field_validator

from alerting.channels.providers import TABLE as VENDORS
from alerting.core.routing import EVERYWHERE, ORDERS
from devices.model import Channel
from gengfu.settings_kinds import STRICT

_COUNTRY = re.compile(r"\+[1-9][0-9]{0,3}")
_DEFAULT = "default"
_STREAM = "stream"


class RoutingOptions(BaseModel):
    """`[routing.sms]`, `[routing.voice]`: country calling code (`"+86"`, or `default`) = names of carriers, the first
    choice first. What is not named keeps its order; a carrier that an order does not name is its last resort."""

    model_config = STRICT

    sms: dict[str, tuple[str, ...]] = {}
    voice: dict[str, tuple[str, ...]] = {}
    app: tuple[str, ...] = ()
    """Our own live stream, `stream`, is always the first."""

    @field_validator("sms", "voice")
    @classmethod
    def _orders(cls, value: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for country, names in value.items():
            if country != _DEFAULT and not _COUNTRY.fullmatch(country):
                raise ValueError(f"has {country!r}, which is neither a country calling code such as +86 nor `default`")
            _known(names)
        return value

    @field_validator("app")
    @classmethod
    def _app(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        _known(value)
        return value

    def orders(self) -> Mapping[Channel, Mapping[str, tuple[str, ...]]]:
        """The built-in orders with these in their place."""
        found = {channel: dict(table) for channel, table in ORDERS.items()}
        for channel, given in ((Channel.SMS, self.sms), (Channel.VOICE, self.voice)):
            found[channel] |= {EVERYWHERE if key == _DEFAULT else key: names for key, names in given.items()}
        if self.app:
            found[Channel.APP][EVERYWHERE] = (_STREAM, *(name for name in self.app if name != _STREAM))
        return found


def _known(names: tuple[str, ...]) -> None:
    unknown = [name for name in names if name not in VENDORS and name != _STREAM]
    if unknown:
        raise ValueError(f"names {unknown[0]!r}, which is no carrier; there are: {', '.join(sorted(VENDORS))}")
