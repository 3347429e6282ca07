"""What several tables of settings share: their strictness, lists, web addresses. Knows no setting."""

from typing import Any
from urllib.parse import urlsplit

from pydantic import ConfigDict

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
