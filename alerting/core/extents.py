"""How far an incident reaches: rooms, floors, kinds of sensors, who still speaks, what comes and goes. Pure.

Law: a second room or a second kind of sensor is spreading; two kinds that fail for different reasons, or a person
beside a device, confirm; more than `flaps_above` transitions of one speaker in `flaps_within` are flapping.
"""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerting.core.held import room_of
from alerting.core.model import Extent, Incident, Via
from alerting.core.signal import PERSON, SignalIn
from devices.model import PlaceKind, Placement

entries_max = 500
"""Of each list."""
moves_max = 200
flaps_above = 6
flaps_within = timedelta(minutes=10)

_SENSED = frozenset({"fire.smoke", "fire.heat"})
_CONFIRM: dict[str, frozenset[str]] = {
    "fire.smoke": frozenset({"fire.flame", "fire.manual"}),
    "fire.heat": frozenset({"fire.flame", "fire.manual"}),
    "fire.flame": _SENSED | {"fire.manual"},
    "fire.manual": _SENSED | {"fire.flame"},
}
"""What each kind is confirmed by. Not by a panel: it may repeat the very detector or button that spoke."""


@dataclass(frozen=True, slots=True)
class Grown:
    """The extent with one signal more, and what that means."""

    extent: Extent
    spreads: bool
    confirms: bool
    moved: bool
    """It did not speak before."""


def opening(signal: SignalIn, placement: Placement | None, now: datetime) -> Extent:
    return grown(Extent(), None, signal, placement, now).extent


def grown(
    extent: Extent, known: Incident | None, signal: SignalIn, placement: Placement | None, now: datetime
) -> Grown:
    """`known`: the incident it joins, as it was."""
    floor, room = _where(signal, placement)
    sensor = signal.code if signal.raised is None else None
    moved = signal.speaker not in extent.active
    if not moved and _all_known(extent, floor, room, sensor):  # the common repeat
        return Grown(extent, spreads=False, confirms=False, moved=False)
    after = Extent(
        active=_with(extent.active, signal.speaker),
        floors=_with(extent.floors, floor),
        codes=_with(extent.codes, sensor),
        rooms=_with(extent.rooms, room),
        moves=with_move(extent.moves, signal.speaker, now) if moved and signal.raised is None else extent.moves,
    )
    spreads = (
        _further(extent.floors, after.floors)
        or _further(extent.rooms, after.rooms)
        or _further(extent.codes, after.codes)
    )
    return Grown(after, spreads, known is not None and _confirms(known, extent, signal), moved)


def with_move(moves: tuple[str, ...], speaker: str, now: datetime) -> tuple[str, ...]:
    """With this transition; without what is too old to count, and no more of one speaker than tells that it flaps."""
    since = _instant(now - flaps_within)
    kept = [move for move in moves if move[move.rfind("|") + 1 :] > since]
    mine = [move for move in kept if move.rpartition("|")[0] == speaker]
    if len(mine) > flaps_above:
        kept.remove(mine[0])
    return (*kept, f"{speaker}|{_instant(now)}")[-moves_max:]


def flaps(moves: tuple[str, ...], speaker: str, now: datetime) -> int:
    """How often it moved in the last `flaps_within`, if that is flapping; else 0."""
    since = _instant(now - flaps_within)
    count = sum(move.rpartition("|")[0] == speaker and move[move.rfind("|") + 1 :] > since for move in moves)
    return count if count > flaps_above else 0


def anybody_flaps(moves: tuple[str, ...], now: datetime) -> bool:
    since = _instant(now - flaps_within)
    counted = Counter(move.rpartition("|")[0] for move in moves if move[move.rfind("|") + 1 :] > since)
    return any(count > flaps_above for count in counted.values())


def first_of_minute(moves: tuple[str, ...], speaker: str) -> bool:
    """Is its latest transition the first one in its minute of the clock? At most one entry a minute is written."""
    mine = [move for move in moves if move.rpartition("|")[0] == speaker]
    return len(mine) < 2 or _minute(mine[-1]) != _minute(mine[-2])


def quieter(extent: Extent, ended: tuple[str, ...], now: datetime) -> Extent:
    """Without those who have stopped speaking."""
    moves = extent.moves
    for entry in ended:
        moves = with_move(moves, entry, now)
    return replace(extent, active=tuple(each for each in extent.active if each not in ended), moves=moves)


def _where(signal: SignalIn, placement: Placement | None) -> tuple[str | None, str | None]:
    """Floor and room; without them a device's own place. A person who names a building has named neither."""
    if placement is None or not placement.chain:
        return None, None
    floor, own = placement.at(PlaceKind.FLOOR), placement.chain[-1]
    if signal.raised is None:
        return (floor or own).id, room_of(placement)
    exact = placement.at(PlaceKind.ROOM) is not None or own.kind is PlaceKind.PART
    return (floor or own).id if floor or exact else None, room_of(placement) if exact else None


def _all_known(extent: Extent, floor: str | None, room: str | None, sensor: str | None) -> bool:
    pairs = ((floor, extent.floors), (room, extent.rooms), (sensor, extent.codes))
    return all(each is None or each in known for each, known in pairs)


def _further(before: tuple[str, ...], after: tuple[str, ...]) -> bool:
    """One more, and not the first: an incident that was raised without it, or before it was kept, begins here."""
    return bool(before) and len(after) > len(before)


def _confirms(known: Incident, extent: Extent, signal: SignalIn) -> bool:
    if signal.hazard.family != "fire" or signal.waited is not None:
        return False
    eyes = known.raised_by is not None and known.raised_via is not Via.REOPENED
    eyes = eyes or any(entry.startswith(PERSON) for entry in extent.active)
    if signal.raised is not None:
        return bool(extent.codes) and signal.raised.via is not Via.REOPENED
    return eyes or any(_spoken_by_another(code, extent, signal) for code in _CONFIRM.get(signal.code, ()))


def _spoken_by_another(code: str, extent: Extent, signal: SignalIn) -> bool:
    """One camera that sees smoke and flame confirms nothing."""
    if code not in extent.codes:
        return False
    own = f"{signal.device_id}|{code}"
    spoken = {entry for entry in extent.active if entry.endswith(f"|{code}")}
    spoken |= {move.rpartition("|")[0] for move in extent.moves if move.rpartition("|")[0].endswith(f"|{code}")}
    return not spoken or bool(spoken - {own})


def _with(entries: tuple[str, ...], entry: str | None) -> tuple[str, ...]:
    if entry is None or entry in entries or len(entries) >= entries_max:
        return entries
    return (*entries, entry)


def _instant(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _minute(move: str) -> str:
    return move.rpartition("|")[2][:16]
