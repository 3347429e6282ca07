"""A virtual browser on a phone: subscribes, decrypts and shows what comes; the same tag replaces. Never sends."""

import base64
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import http_ece
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

auth_bytes = 16


def encoded(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@dataclass(frozen=True, slots=True)
class Shown:
    """One message as it came. `urgency`, `ttl`, `topic`: what the push service was told."""

    message: Mapping[str, Any]
    urgency: str
    ttl: int
    topic: str | None


@dataclass(eq=False)
class Browser:
    """One subscription. `online` False: the push service keeps what comes until it expires or is replaced.

    `application_key`: the only sender that it believes. `screen`: what stands on the lock screen now, by tag;
    `received`: all that ever came.
    """

    name: str
    endpoint: str
    application_key: str
    online: bool = True
    expired: bool = False
    received: list[Shown] = field(default_factory=list)
    screen: dict[str, Shown] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        self._auth = os.urandom(auth_bytes)

    def subscription(self) -> dict[str, Any]:
        """What `PushSubscription.toJSON()` says."""
        point = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        keys = {"p256dh": encoded(point), "auth": encoded(self._auth)}
        return {"endpoint": self.endpoint, "expirationTime": None, "keys": keys}

    def decrypt(self, body: bytes) -> dict[str, Any]:
        """ValueError for what was not encrypted for this browser, or is no JSON object."""
        try:
            plain = http_ece.decrypt(body, private_key=self._private, auth_secret=self._auth, version="aes128gcm")
        except Exception as error:  # noqa: BLE001 - the library raises what its own parts raise
            raise ValueError(f"cannot be decrypted: {type(error).__name__}") from None
        return msgspec.json.decode(plain, type=dict[str, Any])

    def show(self, shown: Shown) -> None:
        """It arrives; a message with a tag replaces the one with the same."""
        self.received.append(shown)
        tag = str(shown.message.get("tag") or shown.message.get("notification_id") or len(self.received))
        self.screen.pop(tag, None)
        self.screen[tag] = shown
