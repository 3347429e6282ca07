"""Local hours: whether it is night, and when the morning or the next digest comes. Pure."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo


@lru_cache(maxsize=16)
def zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def night_end(now: datetime, night: tuple[int, int], timezone: str) -> datetime | None:
    """When the night that it is now ends, in UTC; None by day. Equal hours: there is no night."""
    start, end = night
    local = now.astimezone(zone(timezone))
    within = start <= local.hour < end if start <= end else local.hour >= start or local.hour < end
    if not within or start == end:
        return None
    return next_hour(now, end, timezone)


def next_hour(now: datetime, hour: int, timezone: str) -> datetime:
    """The next moment, after now, at which a local clock shows this full hour (24 is midnight); in UTC."""
    local = now.astimezone(zone(timezone))
    at = local.replace(hour=hour % 24, minute=0, second=0, microsecond=0)
    if at <= local:
        at = (local + timedelta(days=1)).replace(hour=hour % 24, minute=0, second=0, microsecond=0)
    return at.astimezone(now.tzinfo)


def local_day(now: datetime, timezone: str) -> str:
    """The local date, ISO."""
    return now.astimezone(zone(timezone)).date().isoformat()
