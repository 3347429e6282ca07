"""What an unreadable message still tells: does it claim fire, which event is it. Never raises, reads 64 KiB."""

import re

from devices.limits import event_id_chars_max, payload_bytes_max

_FIRE_BYTES = (b"fire.", b"smoke", b"gas.", "烟".encode(), "火".encode(), b"\\u70df", b"\\u706b")
_FIRE_WORDS = ("smoke", "fire", "烟", "火")
_EVENT_ID = re.compile(rb'"event_id"\s{0,16}:\s{0,16}"([^"\\\x00-\x1f]{1,256})"')


def bytes_claim_fire(payload: bytes) -> bool:
    """Best effort on the first 64 KiB of anything: a page too many is better than a fire unheard."""
    head = payload[:payload_bytes_max].lower()
    return any(word in head for word in _FIRE_BYTES)


def code_claims_fire(code: str) -> bool:
    """Whether a code, known to us or not, speaks of fire or gas."""
    word = code.casefold()
    return word.startswith(("fire.", "gas.")) or any(part in word for part in _FIRE_WORDS)


def valid_event_id(value: object) -> str | None:
    """`value` if it can be an event id (1 to 64 printable characters), else None."""
    if isinstance(value, str) and 0 < len(value) <= event_id_chars_max and value.isprintable():
        return value
    return None


def find_event_id(payload: bytes) -> str | None:
    """The event id in bytes that are not JSON, so that the device can be told to stop sending them."""
    found = _EVENT_ID.search(payload[:payload_bytes_max])
    return valid_event_id(found[1].decode("utf-8", "replace")) if found else None
