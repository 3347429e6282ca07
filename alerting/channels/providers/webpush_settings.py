"""What Web Push needs to be used: one VAPID key pair (RFC 8292) and an address of ours. Never shows the private key."""

import base64
import binascii
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

private_key_bytes = 32
public_key_bytes = 65
ttl_life_s_min, ttl_life_s_max = 120, 300


@dataclass(frozen=True, slots=True)
class WebPushSettings:
    """`private_key`: base64url, as `gengfu webpush key` prints it. `subject`: `mailto:` or `https:`, for a push service
    that wants to reach us."""

    private_key: str = field(repr=False)
    subject: str
    ttl_life_s: int = 180
    """How long a push service keeps a page of life safety for a phone that is off: later it would do harm."""
    ttl_s: int = 3600
    """Everything else."""
    allow_private: bool = False
    """Push services on this machine or in its network, and over plain HTTP: for emulators."""

    def __post_init__(self) -> None:
        if not ttl_life_s_min <= self.ttl_life_s <= ttl_life_s_max:
            raise ValueError(f"ttl_life_s must be {ttl_life_s_min} to {ttl_life_s_max} seconds")
        if not self.subject.startswith(("mailto:", "https://")):
            raise ValueError("subject must begin with mailto: or https://")
        public_key_of(self.private_key)

    @property
    def public_key(self) -> str:
        """What a browser subscribes with (`applicationServerKey`)."""
        return public_key_of(self.private_key)


def new_private_key() -> str:
    """A fresh one; whoever loses it loses every subscription made with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    return encoded(key.private_numbers().private_value.to_bytes(private_key_bytes, "big"))


def public_key_of(private_key: str) -> str:
    """ValueError for what is no private key."""
    raw = decoded(private_key)
    if raw is None or len(raw) != private_key_bytes:
        raise ValueError("private_key must be 32 bytes in base64url; `gengfu webpush key` makes one")
    try:
        key = ec.derive_private_key(int.from_bytes(raw, "big"), ec.SECP256R1())
    except ValueError:
        raise ValueError("private_key is no key of the curve P-256; `gengfu webpush key` makes one") from None
    return encoded(key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


def encoded(raw: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(text: str) -> bytes | None:
    """base64url, padded or not; None for anything else."""
    bare = text.rstrip("=")
    try:
        raw = base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw if encoded(raw) == bare else None
