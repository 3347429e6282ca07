"""Pushes that their vendor does not sign: a secret in our address guards them, their own clock tells the stale ones.

Pure; never acts. What a push says is its vendor's business.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from alerting.channels.base import CallbackRequest

stale_after = timedelta(days=1)
reference_chars_max = 128
reply_chars_max = 500
KEYS = frozenset("0123456789*#")

_china = timezone(timedelta(hours=8))
_attempt_id_form = re.compile(r"[a-z2-7]{13}")
_usual_moment = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


def believed(request: CallbackRequest, key: str, now: datetime, moments: Callable[[bytes], Iterable[datetime]]) -> bool:
    """The secret fits, and the newest of the `moments` that the body tells of is not older than a day."""
    if request.method != "POST" or not hmac.compare_digest(request.query.get("key", "").encode(), key.encode()):
        return False
    try:
        told = list(moments(request.body))
    except ValueError:
        return True  # `read` refuses it
    return not told or max(told) > now - stale_after


def objects(rows: list[Any], most: int) -> list[Mapping[str, Any]]:
    """Those rows that are objects; ValueError for more than `most`."""
    if len(rows) > most:
        raise ValueError("too many reports")
    return [row for row in rows if isinstance(row, dict)]


def moments_in(
    rows: Iterable[Mapping[str, Any]], names: Iterable[str], moment: Callable[[str], datetime | None]
) -> Iterator[datetime]:
    """Every moment that these rows tell of under one of `names`."""
    return (told for row in rows for name in names if (told := moment(text_of(row, name))) is not None)


def china_moment(written: str) -> datetime | None:
    """China's wall clock; None for anything else."""
    if not written:
        return None
    try:
        if _usual_moment.fullmatch(written):  # ten times as fast
            return datetime.fromisoformat(f"{written}+08:00").astimezone(UTC)
        return datetime.strptime(written, "%Y-%m-%d %H:%M:%S").replace(tzinfo=_china).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def attempt_id_in(carried: str) -> str | None:
    """Ours, or None: then the inbox looks for the reference."""
    return carried if _attempt_id_form.fullmatch(carried) else None


def fits(reference: str) -> bool:
    return 0 < len(reference) <= reference_chars_max


def hashed(*said: str) -> str:
    """For `Stored.dedupe`: what was said may hold a number, and, cut by a carrier, half a character."""
    return hashlib.sha256("\x00".join(said).encode("utf-8", "surrogatepass")).hexdigest()


def text_of(form: Mapping[str, Any], name: str) -> str:
    """Numbers are taken too: some fields are written either way."""
    value = form.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else ""
