"""Event ids as a good device makes them: UUIDv7, unique for the device's life, in order of time. Reads no clock."""

import secrets
import uuid
from datetime import datetime

_random_bits = 74


def event_id_at(now: datetime) -> str:
    """A UUIDv7 (RFC 9562, section 5.7) for this instant: 48 bits of milliseconds, the rest random."""
    noise = secrets.randbits(_random_bits)
    high, low = noise >> 62, noise & ((1 << 62) - 1)
    milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
    return str(uuid.UUID(int=milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))
