"""`[watchdog]`: who watches the watcher and who is told. Values only; never reads a file."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from devices.phones import normalise
from gengfu.settings_kinds import STRICT, comma_list, web_address

_NUMBER = re.compile(r"\+[1-9][0-9]{3,14}")


class WatchdogAccount(BaseModel):
    """`[watchdog.twilio]`: an account of its own, so that one that is blocked or empty does not silence both."""

    model_config = STRICT

    account_sid: str = Field(min_length=1, max_length=64)
    auth_token: SecretStr = Field(min_length=1)
    from_number: str
    base_url: str | None = None

    @field_validator("from_number")
    @classmethod
    def _sender(cls, value: str) -> str:
        if not _NUMBER.fullmatch(value):
            raise ValueError("is no number in international form (+8610...): the watchdog also calls")
        return value

    @field_validator("base_url")
    @classmethod
    def _base(cls, value: str | None) -> str | None:
        return None if value is None else web_address(value)


class WatchdogOptions(BaseModel):
    """`[watchdog]`: who watches the watcher, in a process of its own, and who is told."""

    model_config = STRICT

    phones: Annotated[tuple[str, ...], NoDecode, BeforeValidator(comma_list)]
    """Of the administrators on call, in the order in which they are asked."""
    twilio: WatchdogAccount
    url: str | None = None
    """Where the service answers `/readyz`; by default its own address on this machine."""
    every_s: float = Field(default=5.0, ge=0.1, le=60)
    silent_s: float = Field(default=30.0, ge=0.5, le=3_600)
    """Not ready, or not to be reached, for so long: the administrator is paged."""
    repeat_s: float = Field(default=180.0, ge=1, le=3_600)
    ping_url: str | None = None
    """An outside dead man's switch that is called while all is well."""
    ping_every_s: float = Field(default=60.0, ge=1, le=3_600)

    @field_validator("phones")
    @classmethod
    def _numbers(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        wrong = next((index for index, number in enumerate(value) if normalise(number) is None), None)
        if not value:
            raise ValueError("is empty: name the number of the administrator on call")
        if wrong is not None:
            raise ValueError(f"has no telephone number at place {wrong + 1}: write it as +8613812345678")
        return tuple(dict.fromkeys(normalise(number) or "" for number in value))

    @field_validator("url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        return None if value is None else web_address(value)

    @field_validator("ping_url")
    @classmethod
    def _ping(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("https://", "http://")):
            raise ValueError("is no web address such as https://ping.example.org/secret")
        return value
