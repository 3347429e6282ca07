"""What several tables of settings share: their strictness, lists, web addresses. Knows no setting."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, SecretStr

STRICT = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def comma_list(value: Any) -> Any:
    """In the environment a list is written with commas."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def web_address(value: str) -> str:
    """An http or https address without query, its last slash taken off. ValueError otherwise."""
    try:
        parts = urlsplit(value)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or parts.username:
        raise ValueError("is no web address such as https://gengfu.example.org")
    return value.rstrip("/")


def plain(secret: SecretStr | None) -> str | None:
    """The secret itself, for what is built from it."""
    return None if secret is None else secret.get_secret_value()


def secrets_in(options: BaseModel) -> Iterator[SecretStr]:
    """Every secret of these settings and of the tables within them."""
    for name in type(options).model_fields:
        value = getattr(options, name)
        if isinstance(value, SecretStr):
            yield value
        elif isinstance(value, BaseModel):
            yield from secrets_in(value)
        elif isinstance(value, tuple):
            for each in value:
                if isinstance(each, BaseModel):
                    yield from secrets_in(each)
