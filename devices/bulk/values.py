"""Reads single cells: codes, times, periods, coordinates, identities. A `Bad` says what is wrong. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from devices.identities import IMEI_DIGITS, normal
from devices.model import IdentityKind

CODE = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
DEVICE_ID = re.compile(r"[A-Za-z0-9_-]{4,64}")
KIND = re.compile(r"[a-z0-9_]{1,32}")
LATIN = re.compile(r"[ -~]*")
_HEX = frozenset("0123456789abcdefABCDEF")
_SPLIT = re.compile(r"[\s;；,，、]+")
_NIGHT = re.compile(r"([01]?\d|2[0-4])[:：]([0-5]\d)\s*[-–—~～至]\s*([01]?\d|2[0-4])[:：]([0-5]\d)")
_WALL = re.compile(
    r"(\d{4})[-/年.](\d{1,2})[-/月.](\d{1,2})日?(?:[ T]+(\d{1,2})[:：](\d{2})(?:[:：](\d{2})(?:\.0+)?)?)?"
)
_DAY_MINUTES = 1440
dev_eui_digits = 16

name_chars_max = 64
place_name_en_chars_max = 32
person_name_en_chars_max = 64


@dataclass(frozen=True, slots=True)
class Bad:
    """Why a cell cannot stand: a code of `words.FAULTS` and its names."""

    code: str
    names: Mapping[str, Any] = field(default_factory=dict)


def name_fault(text: str, most: int = name_chars_max) -> Bad | None:
    """What is wrong with a name that people gave, if anything."""
    if len(text) > most:
        return Bad("too_long", {"max": most})
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text):
        return Bad("characters")
    return None


def latin_fault(text: str, most: int) -> Bad | None:
    if len(text) > most:
        return Bad("too_long", {"max": most})
    return None if LATIN.fullmatch(text) else Bad("not_ascii")


def choice(text: str, words: Mapping[str, str]) -> str | Bad:
    """The value that a word stands for."""
    found = words.get(text.lower())
    return found if found is not None else Bad("unknown_value", {"value": text, "values": values_of(words)})


def values_of(words: Mapping[str, str]) -> str:
    return ", ".join(dict.fromkeys(words.values()))


def split(text: str) -> list[str]:
    """Codes in one cell, separated by blanks, commas, semicolons or 、."""
    return [part for part in _SPLIT.split(text) if part]


def coordinate(text: str, most: float) -> float | Bad:
    try:
        value = float(text)
    except ValueError:
        return Bad("coordinates")
    return value if -most <= value <= most else Bad("coordinates")


def whole(text: str, least: int, most: int) -> int | Bad:
    if text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most:
        return int(text)
    return Bad("bad_number", {"value": text, "min": least, "max": most})


def night(text: str) -> tuple[int, int] | Bad:
    """`22:00-07:00` as local minutes of the day."""
    found = _NIGHT.fullmatch(text.strip())
    if found is None:
        return Bad("bad_night", {"value": text})
    hour, minute, to_hour, to_minute = (int(part) for part in found.groups())
    begins, ends = hour * 60 + minute, (to_hour * 60 + to_minute) % _DAY_MINUTES
    if begins >= _DAY_MINUTES or begins == ends:
        return Bad("bad_night", {"value": text})
    return begins, ends


def night_text(begins: int | None, ends: int | None) -> str:
    if begins is None or ends is None:
        return ""
    return f"{begins // 60:02d}:{begins % 60:02d}-{ends // 60:02d}:{ends % 60:02d}"


def instant(text: str, zone: ZoneInfo) -> datetime | Bad:
    """RFC 3339, or local wall time in `zone`. A time that the clocks skip is refused; of a repeated hour the first."""
    found = _WALL.fullmatch(text)
    try:
        if found is None:
            read = datetime.fromisoformat(text)
            if read.tzinfo is None:
                return Bad("bad_time", {"value": text})
            return read.astimezone(UTC)
        numbers = [int(part or 0) for part in found.groups()]
        wall = datetime(*numbers, tzinfo=zone)  # type: ignore[arg-type, misc]
        utc = wall.astimezone(UTC)
    except (ValueError, OverflowError):
        return Bad("bad_time", {"value": text})
    if utc.astimezone(zone).replace(tzinfo=None) != wall.replace(tzinfo=None):
        return Bad("no_such_time", {"value": text})
    return utc


def instant_text(at: datetime | None) -> str:
    """RFC 3339 in UTC, to the microsecond only where there is one: reading it gives the same instant."""
    if at is None:
        return ""
    return at.astimezone(UTC).isoformat(timespec="auto").replace("+00:00", "Z")


def identity(text: str) -> tuple[IdentityKind, str] | Bad:
    """(kind, external id): 15 digits are an IMEI with its check digit, 16 hex digits a DevEUI, else a serial number."""
    bare = re.sub(r"[ .:/-]", "", text)
    kind = IdentityKind.SERIAL
    if len(bare) == IMEI_DIGITS and bare.isascii() and bare.isdigit():
        kind = IdentityKind.IMEI
    elif len(bare) == dev_eui_digits and not bare.isdigit() and all(char in _HEX for char in bare):
        kind = IdentityKind.DEV_EUI
    kept = normal(kind, text)
    if isinstance(kept, str) and kept.isascii():
        return kind, kept
    return Bad("bad_imei" if kind is IdentityKind.IMEI else "bad_identity", {"value": text})


_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


class ShortIds:
    """Ids of 13 characters that grow: the time of the import, then a counter. A path of ten of them stays short, and
    rows added in their order go to the end of every index.
    """

    def __init__(self, at: datetime) -> None:
        ticks = int((at - _EPOCH) / timedelta(milliseconds=10))
        self._prefix = "".join(_PAIRS[ticks >> shift & 1023] for shift in (30, 20, 10, 0))
        self._next = 0

    def __call__(self) -> str:
        number = self._next
        self._next = number + 1
        return f"{self._prefix}{_ALPHABET[number >> 20]}{_PAIRS[number >> 10 & 1023]}{_PAIRS[number & 1023]}"
