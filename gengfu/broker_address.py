"""The broker's URL taken apart: where it is and who we are there. Never connects."""

import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from urllib.parse import unquote, urlsplit

port_plain = 1883
port_tls = 8883
_NO_ADDRESS = (
    "is no address of a broker; it looks like mqtt://user:password@host:1883, mqtts://user:password@host:8883 "
    "or, for the demo, embedded: (special characters of user and password as %XX)"
)


class Scheme(StrEnum):
    MQTT = "mqtt"
    MQTTS = "mqtts"
    EMBEDDED = "embedded"
    """A broker inside this process, for demonstration only: it loses messages."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where the broker listens and the account to use there. Everything but the scheme is empty for `embedded:`."""

    scheme: Scheme
    host: str = ""
    port: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def embedded(self) -> bool:
        return self.scheme is Scheme.EMBEDDED

    def shown(self) -> str:
        """For people: without the password."""
        if self.embedded:
            return "embedded:"
        who = f"{self.username}@" if self.username else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{who}{host}:{self.port}"

    def tls(self, authority: Path | None = None) -> ssl.SSLContext | None:
        """What a connection needs for TLS; None without. `authority`: trust this certificate file alone.

        OSError (ssl.SSLError among them) when the file cannot be read.
        """
        if self.scheme is not Scheme.MQTTS:
            return None
        return ssl.create_default_context(cafile=str(authority) if authority else None)


def parse_broker_url(url: str) -> BrokerAddress:
    """Take a URL apart; user and password may be percent-encoded. ValueError says what is wrong, never the password."""
    if url == "embedded:":
        return BrokerAddress(Scheme.EMBEDDED)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(_NO_ADDRESS) from None
    if parts.scheme not in (Scheme.MQTT, Scheme.MQTTS) or not parts.hostname or port == 0:
        raise ValueError(_NO_ADDRESS)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("has more than host and port: write special characters of user and password as %XX")
    scheme = Scheme(parts.scheme)
    return BrokerAddress(
        scheme,
        parts.hostname,
        port or (port_tls if scheme is Scheme.MQTTS else port_plain),
        None if parts.username is None else unquote(parts.username),
        None if parts.password is None else unquote(parts.password),
    )
