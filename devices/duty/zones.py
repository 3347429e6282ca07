"""Wall clocks of time zones and the instants they mean. Pure.

Law: wall time to instant never runs backwards and gives one instant for one wall time. What the clock shows twice is
the first time it shows it; what it jumps over is the moment of the jump. So the end of one turn and the begin of the
next, at the same wall time, are the same instant: nothing is covered twice, nothing is lost.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=512)
def zone(name: str) -> ZoneInfo:
    """KeyError (ZoneInfoNotFoundError) or ValueError for a name that is none."""
    return ZoneInfo(name)


def is_zone(name: str) -> bool:
    try:
        zone(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


@lru_cache(maxsize=65_536)
def instant(zone_name: str, ordinal: int, minute: int) -> datetime:
    """The UTC instant of a local day (proleptic ordinal) and minute of that day."""
    where = zone(zone_name)
    wall = datetime.combine(date.fromordinal(ordinal), time(minute // 60, minute % 60), tzinfo=where)
    first = wall.astimezone(UTC)
    second = wall.replace(fold=1).astimezone(UTC)
    return first if first <= second else _jump(where, second, first)


@lru_cache(maxsize=1024)  # a batch asks about one instant, hundreds of times
def local_day(zone_name: str, now: datetime) -> int:
    """The local date as its proleptic ordinal."""
    return now.astimezone(zone(zone_name)).toordinal()


@lru_cache(maxsize=1024)
def within(zone_name: str, hours: tuple[int, int], now: datetime) -> bool:
    """Whether `now` lies in daily hours, local minutes [from, to); they may wrap midnight; the same twice: always."""
    start, end = hours
    today = local_day(zone_name, now)
    return any(  # three days: hours wrap midnight, and so may clock changes
        instant(zone_name, day, start) <= now < instant(zone_name, day + (end <= start), end)
        for day in (today, today - 1, today + 1)
    )


def _jump(where: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """The instant between these two at which the zone's clock jumps ahead."""
    offset = before.astimezone(where).utcoffset()
    while after - before > _SECOND:
        middle = before + ((after - before) // 2) // _SECOND * _SECOND
        if middle.astimezone(where).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
