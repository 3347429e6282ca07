"""`[[also_tell]]`: who is told beside those on duty, through Apprise. Never part of the way of an alarm."""

import logging
from importlib.util import find_spec
from typing import Any, Literal

from pydantic import BaseModel, Field, SecretStr, field_validator

from gengfu.settings_kinds import STRICT

Event = Literal["opened", "taken", "closed"]
EVENTS: tuple[Event, ...] = ("opened", "taken", "closed")
lists_max = 16


class AlsoTellOptions(BaseModel):
    """One list: an Apprise address, and what is told to it of severity-1 incidents."""

    model_config = STRICT

    name: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")
    url: SecretStr = Field(min_length=1, max_length=2_048)
    events: tuple[Event, ...] = Field(default=EVENTS, min_length=1)

    @field_validator("url")
    @classmethod
    def _known(cls, value: SecretStr) -> SecretStr:
        if find_spec("apprise") is None:
            raise ValueError("needs the optional extra: pip install 'gengfu[apprise]', or remove [[also_tell]]")
        if plugin_of(value.get_secret_value()) is None:
            raise ValueError("is no address that Apprise knows, such as mailto://user:password@example.org")
        return value


def plugin_of(url: str) -> Any:
    """What Apprise makes of the address; None when it knows no such. Nothing is sent."""
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # its lines may quote an address with its secrets
    return apprise.Apprise.instantiate(url)
