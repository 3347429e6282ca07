"""What a carrier still lets through to one number: sliding windows, a gap, nights, and a reserve for life safety. Pure.

A carrier's daily limit can swallow a fire call in silence; so every submit is counted before it is made.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerting.core.outcomes import Window
from devices.model import Channel

kept = timedelta(hours=24)
long_s = 3600.0
"""A window of this length or more, or a night, keeps the reserve: what is spent there is missed for long."""
RESERVE: Mapping[Channel, int] = {Channel.VOICE: 2, Channel.SMS: 5, Channel.APP: 0}
"""Submits to one number in each long window that only life safety may use."""
taught_least_s = 60.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What one carrier allows to one number, and what of it is kept for life safety."""

    windows: tuple[Window, ...] = ()
    min_gap_s: float = 0.0
    reserve: int = 0

    @property
    def any(self) -> bool:
        return bool(self.windows) or self.min_gap_s > 0


@dataclass(frozen=True, slots=True)
class Spent:
    """What this number was sent by this carrier, oldest first, and what the carrier itself has said of it."""

    at: tuple[datetime, ...] = ()
    full_until: datetime | None = None
    taught: int = 0

    def counted(self, now: datetime) -> "Spent":
        """One submit more."""
        return replace(self, at=(*(at for at in self.at if at > now - kept), now))

    def learned(self, limits: Limits, retry_after: float, now: datetime) -> "Spent":
        """The carrier says that its window is full: the shortest first, the next longer one if it says so again."""
        lengths = sorted(window.seconds for window in limits.windows if window.hours is None) or [taught_least_s]
        wait = max(retry_after, lengths[min(self.taught, len(lengths) - 1)])
        return replace(self, full_until=now + timedelta(seconds=wait), taught=self.taught + 1)


@dataclass(frozen=True, slots=True)
class Room:
    """How many more may go now (None: no limit), and when the next may where none may."""

    left: int | None = None
    frees_at: datetime | None = None

    @property
    def free(self) -> bool:
        return self.left is None or self.left > 0


def room(spent: Spent, limits: Limits, now: datetime, zone: ZoneInfo, *, life_safety: bool) -> Room:
    """What is left for an asker: everything for life safety, for others all but the reserve."""
    found = [_window(window, spent, now, zone, 0 if life_safety else limits.reserve) for window in limits.windows]
    if limits.min_gap_s > 0 and spent.at:
        over = spent.at[-1] + timedelta(seconds=limits.min_gap_s)
        found.append(Room(0, over) if over > now else Room())
    if spent.full_until is not None and spent.full_until > now:
        found.append(Room(0, spent.full_until))
    full = [each for each in found if not each.free]
    if full:
        return Room(0, max(each.frees_at for each in full if each.frees_at is not None))
    counted = [each.left for each in found if each.left is not None]
    return Room(min(counted) if counted else None)


def _window(window: Window, spent: Spent, now: datetime, zone: ZoneInfo, reserve: int) -> Room:
    """One window by itself."""
    if window.hours is not None:
        night = night_of(now, window.hours, zone)
        if night is None:
            return Room()
        begins, ends = night
        left = window.most - reserve - sum(begins <= at for at in spent.at)
        return Room(left) if left > 0 else Room(0, ends)
    span = timedelta(seconds=window.seconds)
    most = window.most - (reserve if window.seconds >= long_s else 0)
    inside = [at for at in spent.at if at > now - span]
    if len(inside) < most:
        return Room(most - len(inside))
    if most <= 0:  # the reserve is all there is: never for others, and an hour is soon enough to look again
        return Room(0, now + timedelta(seconds=long_s))
    return Room(0, inside[len(inside) - most] + span)


def night_of(now: datetime, hours: tuple[int, int], zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """Beginning and end of the night that `now` lies in; None by day."""
    local = now.astimezone(zone)
    begins_h, ends_h = hours
    for back in (0, 1):
        day = local - timedelta(days=back)
        begins = day.replace(hour=begins_h % 24, minute=0, second=0, microsecond=0)
        ends = begins.replace(hour=ends_h % 24) + timedelta(days=1 if ends_h <= begins_h else 0)
        if begins <= local < ends:
            return begins.astimezone(now.tzinfo), ends.astimezone(now.tzinfo)
    return None


@dataclass(frozen=True, slots=True)
class Bucket:
    """How many submits an account may start at once: filled by its rate, never beyond one second's worth."""

    tokens: float
    at: datetime

    def filled(self, per_second: float, now: datetime) -> "Bucket":
        gained = max(0.0, (now - self.at).total_seconds()) * per_second
        return Bucket(min(self.tokens + gained, max(1.0, per_second)), now)


def take(bucket: Bucket | None, per_second: float, now: datetime) -> Bucket:
    """After one submit; what life safety takes beyond the rate is owed."""
    filled = Bucket(max(1.0, per_second), now) if bucket is None else bucket.filled(per_second, now)
    return Bucket(filled.tokens - 1.0, now)


def next_at(bucket: Bucket | None, per_second: float, now: datetime) -> datetime:
    """When the account may start one more: now, or later."""
    if bucket is None:
        return now
    missing = 1.0 - bucket.filled(per_second, now).tokens
    return now if missing <= 1e-6 else now + timedelta(seconds=missing / per_second)


def merged(loaded: Sequence[datetime], known: Spent, now: datetime) -> Spent:
    """What the database knows (every process counts there) and what this process has just counted."""
    newest = loaded[-1] if loaded else now - kept
    mine = tuple(at for at in known.at if at > newest)
    return replace(known, at=(*loaded, *mine))
