"""Which device has been silent for too long. Pure: what is known of one in, what it is and when to look again out.

Law: time in which nobody listened, and a first grace, never count against a device; silence behind a silent gateway is
the gateway's; nothing is judged silent that has not had its whole window.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

will_grace_s = 60
"""A device that said goodbye may come back within this time: a router that starts again is no trouble."""
again_s = 300
"""How often an offline device is looked at, beside the moment at which it speaks."""
gateway_word_s = 5
window_s_default = 90_000
"""Battery detectors speak once a day; an hour more than that."""
WINDOW_S: Mapping[str, int] = MappingProxyType(
    {
        "gateway": 600,
        "radio_gateway": 600,
        "camera": 900,
        "charging_station": 900,
        "fire_panel": 900,
        "gas_detector": 90_000,
        "smoke_detector": 90_000,
    }
)
"""By kind, where neither the device nor its model says how long it may be quiet."""
GATEWAYS = frozenset({"gateway", "radio_gateway"})


class Word(StrEnum):
    """What a look found."""

    ALIVE = "alive"
    WAITS = "waits"
    """It is quiet, and so is its gateway, which has its own time."""
    OFFLINE = "offline"
    BEHIND = "behind"
    """It is quiet because its gateway is."""
    STILL = "still"
    BACK = "back"
    RENEWED = "renewed"
    """Its gateway is back: it has a whole window to speak."""
    FOLDED = "folded"
    """It was offline by itself before its gateway was."""
    UNWATCHED = "unwatched"
    """Removed, out of service, never put up."""


@dataclass(frozen=True, slots=True)
class Gateway:
    device_id: str
    offline: bool
    last_seen_at: datetime | None
    quiet_at: datetime
    """When its own silence is too long."""


@dataclass(frozen=True, slots=True)
class Watched:
    """One device as the database knows it."""

    device_id: str
    window_s: int
    since: datetime
    """Silence before it does not count."""
    watched: bool
    last_seen_at: datetime | None = None
    online: bool = True
    """False: its last will says that it is gone."""
    offline_since: datetime | None = None
    behind: str | None = None
    gateway: Gateway | None = None


@dataclass(frozen=True, slots=True)
class Look:
    word: Word
    look_at: datetime
    offline_since: datetime | None = None
    behind: str | None = None
    since: datetime | None = None
    """None: as it was."""


def window_of(own_s: int | None, model_s: int | None, kind: str) -> int:
    """The device's own window, else its model's, else its kind's."""
    return own_s or model_s or WINDOW_S.get(kind, window_s_default)


def quiet_at(
    window_s: int, since: datetime, last_seen_at: datetime | None, online: bool, listening: datetime, grace_s: float
) -> datetime:
    """From when on its silence is too long. `listening`: since when we hear everybody without a break."""
    begins = max(since, listening)
    heard = max(begins, last_seen_at) if last_seen_at is not None else begins
    limit = heard + timedelta(seconds=window_s)
    if not online and last_seen_at is not None:
        limit = min(limit, last_seen_at + timedelta(seconds=will_grace_s))
    return max(limit, begins + timedelta(seconds=grace_s))


def look(device: Watched, now: datetime, listening: datetime, grace_s: float) -> Look:
    """Judge one device."""
    if not device.watched:
        return Look(Word.UNWATCHED, now + timedelta(seconds=again_s), since=now)
    seen = min(device.last_seen_at, now) if device.last_seen_at is not None else None  # our clock was ahead then
    limit = quiet_at(device.window_s, device.since, seen, device.online, listening, grace_s)
    if device.offline_since is not None:
        return _offline(device, device.offline_since, now, limit)
    if now < limit:
        return Look(Word.ALIVE, limit)
    gateway = device.gateway
    since = device.last_seen_at or limit
    if gateway is not None and gateway.offline:
        return Look(Word.BEHIND, now + timedelta(seconds=again_s), since, gateway.device_id)
    if gateway is not None and not _spoke(gateway, limit) and now < gateway.quiet_at:
        return Look(Word.WAITS, min(gateway.quiet_at, now + timedelta(seconds=again_s)) + _moment)
    return Look(Word.OFFLINE, now + timedelta(seconds=again_s), since)


_moment = timedelta(seconds=gateway_word_s)


def _offline(device: Watched, since: datetime, now: datetime, limit: datetime) -> Look:
    later = now + timedelta(seconds=again_s)
    spoke = device.online and device.last_seen_at is not None and device.last_seen_at > since
    if spoke:
        return Look(Word.BACK, max(limit, now + _moment))
    gateway = device.gateway
    if device.behind is not None and (gateway is None or not gateway.offline):
        return Look(Word.RENEWED, now + timedelta(seconds=device.window_s), since=now)
    if device.behind is None and gateway is not None and gateway.offline:
        return Look(Word.FOLDED, later, since, gateway.device_id)
    return Look(Word.STILL, later, since, device.behind)


def _spoke(gateway: Gateway, limit: datetime) -> bool:
    """Since its child should have: then the silence is the child's own."""
    return gateway.last_seen_at is not None and gateway.last_seen_at >= limit
