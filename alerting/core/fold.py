"""Signals in, decisions out, in order: each signal sees what the one before it opened. Pure.

Law: identity of an incident is its dedup key; a first signal pages at once, or in test mode after a hold (`held`); a
new floor or a new kind of sensor is never folded away; a restoral never closes; what cannot be placed never waits.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from alerting.core.decisions import (
    AddOverlay,
    AttachSignal,
    Decision,
    HoldAlarm,
    Notify,
    OpenIncident,
    ReleaseHeld,
    ReleaseKey,
    SetCondition,
    SetLadder,
    SettleHeld,
    Suppress,
)
from alerting.core.held import Held, building_of, room_of, why_no_longer
from alerting.core.ladder import climb
from alerting.core.model import (
    Ack,
    Condition,
    Extent,
    Incident,
    Overlay,
    Paged,
    Raised,
    Reason,
    Work,
)
from alerting.core.places import place_text
from alerting.core.policy import choose
from alerting.core.world import World
from devices.model import PlaceKind, Placement
from devices.resolve import place_device
from devices.signals import SignalKind
from devices.taxonomy import TAXONOMY, Hazard

extent_entries_max = 500
clock_plausible_from = datetime(2020, 1, 1, tzinfo=UTC)

ALL_WELL = "device.restore"
"""As a restoral: the device names no condition, so it ends every one of its own."""

_FOLDED_BY_BUILDING = ("fire", "gas")


@dataclass(frozen=True, slots=True)
class SignalIn:
    """One new signal with what the shell drew for it beforehand: id and reference, used if it opens an incident."""

    device_id: str
    kind: SignalKind
    code: str
    received_at: datetime
    observed_at: datetime | None
    test: bool
    fresh_id: str
    fresh_reference: str
    unread: bool = False
    """It claims fire but could not be read or placed."""
    signal_dbm: float | None = None
    """How strong the radio was when it was sent, where the device says so."""
    waited: Reason | None = None
    """It was held in test mode, and waits no longer for this reason."""
    place_id: str | None = None
    """Where, if a person says so; else the device's place."""
    raised: Raised | None = None
    """Who raised it, where no device did: `device_id` is empty then."""

    @property
    def life_safety(self) -> bool:
        return self.kind is SignalKind.ALARM and TAXONOMY[self.code].life_safety


@dataclass(slots=True)
class _Books:
    """What is open, planned and held, as the decisions made so far leave it."""

    open: dict[str, Incident]
    paged: dict[str, list[Paged]]
    held: dict[str, Held]


def fold(signals: Iterable[SignalIn], world: World) -> list[Decision]:
    """Decide a batch."""
    books = _books(world)
    decisions: list[Decision] = []
    for signal in signals:
        decisions.extend(_decide(signal, world, books))
    return decisions


def fold_held(world: World) -> list[Decision]:
    """Page what may wait no longer: its time has passed, or two rooms speak at once. The oldest first."""
    books = _books(world)
    due = [(each, why_no_longer(each, world.held, world.steps, world.now)) for each in world.held.values()]
    decisions: list[Decision] = []
    for each, reason in sorted(due, key=lambda pair: (pair[0].received_at, pair[0].id)):
        if reason is not None and each.id in books.held:
            decisions.extend(_release(each, reason, world, books))
    return decisions


def signal_of(held: Held, reason: Reason | None = None) -> SignalIn:
    """The alarm that was held, as it came in."""
    return SignalIn(
        device_id=held.device_id,
        kind=SignalKind.ALARM,
        code=held.code,
        received_at=held.received_at,
        observed_at=held.observed_at,
        test=False,
        fresh_id=held.id,
        fresh_reference=held.reference,
        waited=reason,
    )


def _books(world: World) -> _Books:
    paged = {incident_id: list(pages) for incident_id, pages in world.paged.items()}
    return _Books(dict(world.open), paged, dict(world.held))


def dedup_key(hazard: Hazard, placement: Placement | None, device_id: str) -> str:
    """`v1:<family>:<building or nearest place>` for fire and gas, `v1:<code>:<device>` for the rest."""
    if hazard.family not in _FOLDED_BY_BUILDING:
        return f"v1:{hazard.code}:{device_id}"
    if placement is None or not placement.chain:
        return f"v1:{hazard.family}:unplaced:{device_id}"
    building = placement.at(PlaceKind.BUILDING)
    return f"v1:{hazard.family}:{building.id if building else placement.chain[-1].id}"


def _decide(signal: SignalIn, world: World, books: _Books) -> list[Decision]:
    if signal.kind in (SignalKind.TEST, SignalKind.TELEMETRY, SignalKind.HEARTBEAT):
        return [Suppress(signal.device_id, signal.code, Reason.TEST_ONLY)]
    placed = place_device(world.snapshot, signal.device_id)
    placement = placed if isinstance(placed, Placement) else None
    if signal.kind is SignalKind.RESTORAL:
        return _restore(signal, _keys(signal, placement), world, books)
    in_test = in_test_mode(signal.device_id, world)
    if signal.test and in_test:
        return [Suppress(signal.device_id, signal.code, Reason.TEST_MODE)]
    if in_test and placement is not None and _may_wait(signal, placement, world, books):
        return _hold(signal, placement, world, books)
    made = _take(signal, placement, world, books)
    return [*made, *_beside(signal, placement, world, books)]


def _take(signal: SignalIn, placement: Placement | None, world: World, books: _Books) -> list[Decision]:
    """A real signal: it opens an incident or joins one."""
    hazard = TAXONOMY[signal.code]
    key = dedup_key(hazard, placement, signal.device_id)
    known = books.open.get(key)
    if known is None:
        return _open(signal, hazard, placement, key, world, books)
    if known.work is Work.VERIFIED and _speaker(signal) not in known.extent.active:
        books.open.pop(key)
        opened = _open(signal, hazard, placement, key, world, books)
        return [ReleaseKey(known.id, Reason.NEW_ALARM), *opened]
    return _attach(signal, placement, known, world, books)


def _may_wait(signal: SignalIn, placement: Placement, world: World, books: _Books) -> bool:
    """Only an alarm that was read waits, where that can be recorded, and never beside an incident it would join."""
    known = books.open.get(dedup_key(TAXONOMY[signal.code], placement, signal.device_id))
    finished = known is None or (known.work is Work.VERIFIED and _speaker(signal) not in known.extent.active)
    return signal.kind is SignalKind.ALARM and not signal.unread and finished and not world.not_recorded


def _hold(signal: SignalIn, placement: Placement, world: World, books: _Books) -> list[Decision]:
    """The alarm waits for its restoral. One that waits already keeps its time."""
    made: list[Decision] = []
    if any((each.device_id, each.code) == (signal.device_id, signal.code) for each in books.held.values()):
        made.append(Suppress(signal.device_id, signal.code, Reason.HELD))
    else:
        due = world.now + timedelta(seconds=world.settings.test_hold_s)
        held = Held(
            id=signal.fresh_id,
            reference=signal.fresh_reference,
            device_id=signal.device_id,
            code=signal.code,
            building_id=building_of(placement),
            room_id=room_of(placement),
            received_at=signal.received_at,
            observed_at=signal.observed_at,
            due_at=due,
        )
        books.held[held.id] = held
        made.append(HoldAlarm(held, Reason.HELD))
    together = dict(books.held)
    for each in together.values():
        reason = why_no_longer(each, together, world.steps, world.now)
        if reason is not None and each.id in books.held:
            made.extend(_release(each, reason, world, books))
    return made


def _release(each: Held, reason: Reason, world: World, books: _Books) -> list[Decision]:
    """It pages as a real alarm, marked."""
    books.held.pop(each.id)
    placed = place_device(world.snapshot, each.device_id)
    placement = placed if isinstance(placed, Placement) else None
    made = _take(signal_of(each, reason), placement, world, books)
    joined = books.open[dedup_key(TAXONOMY[each.code], placement, each.device_id)]
    return [*made, ReleaseHeld(each, joined.id, reason)]


def _beside(signal: SignalIn, placement: Placement | None, world: World, books: _Books) -> list[Decision]:
    """A real alarm of life safety: what a test holds in this building may be the same fire."""
    if placement is None or not signal.life_safety:
        return []
    building = building_of(placement)
    made: list[Decision] = []
    for each in list(books.held.values()):
        if each.building_id == building:
            made.extend(_release(each, Reason.BESIDE_ALARM, world, books))
    return made


def _open(
    signal: SignalIn, hazard: Hazard, placement: Placement | None, key: str, world: World, books: _Books
) -> list[Decision]:
    path = [place.id for place in placement.chain] if placement else []
    overlays = _overlays(signal, placement, world)
    incident = Incident(
        id=signal.fresh_id,
        reference=signal.fresh_reference,
        dedup_key=key,
        code=hazard.code,
        cls=hazard.cls,
        severity=hazard.severity,
        condition=Condition.ACTIVE,
        ack=Ack.NONE,
        work=Work.NEW,
        device_id=signal.device_id,
        place_id=placement.place_id if placement else None,
        grid_id=placement.grid_id if placement else None,
        place_text=place_text(placement, signal.device_id),
        opened_at=world.now,
        policy=choose(world.policies, hazard, path, world.now, world.settings.timezone),
        extent=_extended(Extent(), signal, placement),
        overlays=frozenset(overlays),
    )
    climbed = climb(incident, world, (), index=0, round_=0, reason=Reason.FIRST_SIGNAL)
    dispatched = any(isinstance(decision, Notify) for decision in climbed)
    incident = _standing(replace(incident, work=Work.DISPATCHED if dispatched else Work.NEW), climbed)
    books.open[key] = incident
    books.paged[incident.id] = []
    reason = signal.waited or (Reason.FIRST_SIGNAL if placement else Reason.UNPLACED)
    marks = [AddOverlay(incident.id, overlay, reason) for overlay in sorted(overlays)]
    return [OpenIncident(incident, reason), *marks, *climbed]


def _attach(
    signal: SignalIn, placement: Placement | None, known: Incident, world: World, books: _Books
) -> list[Decision]:
    extent = _extended(known.extent, signal, placement)
    spreads = extent.floors != known.extent.floors or extent.codes != known.extent.codes
    life_safety = TAXONOMY[signal.code].life_safety
    reason = Reason.SPREADING if spreads and life_safety else Reason.REPEAT
    grown = replace(known, extent=extent, condition=Condition.ACTIVE, signals=known.signals + 1)
    decisions: list[Decision] = [AttachSignal(known.id, signal.device_id, signal.code, extent, reason)]
    if reason is Reason.SPREADING:
        grown = replace(grown, overlays=grown.overlays | {Overlay.SPREADING}, round=grown.round + 1)
        decisions.append(AddOverlay(known.id, Overlay.SPREADING, reason, signal.code))
        told = replace(grown, code=signal.code, place_text=place_text(placement, signal.device_id))
        if placement is not None:  # the duty of the new place is asked, be it another grid's
            told = replace(told, place_id=placement.place_id, grid_id=placement.grid_id)
        pages = books.paged.get(known.id, ())
        climbed = climb(told, world, pages, index=0, round_=grown.round, reason=reason)
        climbed = _taken_stays(known, climbed)
        decisions.extend(climbed)
        grown = _standing(grown, climbed)
    books.open[known.dedup_key] = grown
    return decisions


def _taken_stays(known: Incident, climbed: list[Decision]) -> list[Decision]:
    """Who said that he goes keeps his time, though others are asked as well: it spreads."""
    if not known.answered or known.due_at is None:
        return climbed
    return [
        replace(made, due_at=known.due_at, reason=Reason.TAKEN_EXPIRED) if isinstance(made, SetLadder) else made
        for made in climbed
    ]


def _standing(incident: Incident, climbed: Sequence[Decision]) -> Incident:
    """The incident as these decisions leave it on the ladder."""
    for made in climbed:
        if isinstance(made, SetLadder):
            due, reason = made.due_at, made.reason
            incident = replace(incident, round=made.round, step=made.step, due_at=due, due_reason=reason)
    return incident


def _restore(signal: SignalIn, keys: Iterable[str], world: World, books: _Books) -> list[Decision]:
    """The device stops speaking in every incident that this ends. None of them closes. What it held was a test."""
    made = _settled(signal, world, books)
    for key in keys:
        known = books.open.get(key)
        quiet = () if known is None else tuple(entry for entry in known.extent.active if not _ends(signal, entry))
        if known is None or quiet == known.extent.active:
            continue
        extent = replace(known.extent, active=quiet)
        condition = Condition.ACTIVE if quiet else Condition.RESTORED
        books.open[key] = replace(known, extent=extent, condition=condition)
        made.append(SetCondition(known.id, condition, signal.device_id, extent, Reason.RESTORED))
    return made or [Suppress(signal.device_id, signal.code, Reason.NOTHING_OPEN)]


def _settled(signal: SignalIn, world: World, books: _Books) -> list[Decision]:
    """What this device held is settled, unless its time had passed already: then it pages first."""
    made: list[Decision] = []
    for each in list(books.held.values()):
        if each.device_id != signal.device_id or not _ends(signal, f"{each.device_id}|{each.code}"):
            continue
        if each.due_at <= world.now:
            made.extend(_release(each, Reason.NOT_RESTORED, world, books))
        else:
            books.held.pop(each.id)
            made.append(SettleHeld(each.id, each.device_id, each.code, Reason.TEST_RESTORED))
    return made


def _ends(signal: SignalIn, entry: str) -> bool:
    if signal.code == ALL_WELL:
        return entry.rpartition("|")[0] == signal.device_id
    return entry == _speaker(signal)


def _speaker(signal: SignalIn) -> str:
    return f"{signal.device_id}|{signal.code}"


def _extended(extent: Extent, signal: SignalIn, placement: Placement | None) -> Extent:
    floor = (placement.at(PlaceKind.FLOOR) if placement else None) or (placement.chain[-1] if placement else None)
    return Extent(
        active=_with(extent.active, _speaker(signal)),
        floors=_with(extent.floors, floor.id) if floor else extent.floors,
        codes=_with(extent.codes, signal.code),
    )


def _with(entries: tuple[str, ...], entry: str) -> tuple[str, ...]:
    if entry in entries or len(entries) >= extent_entries_max:
        return entries
    return (*entries, entry)


def in_test_mode(device_id: str, world: World) -> bool:
    device = world.snapshot.devices.get(device_id)
    return device is not None and device.test_mode_until is not None and device.test_mode_until > world.now


def _overlays(signal: SignalIn, placement: Placement | None, world: World) -> list[Overlay]:
    overlays = []
    if placement is None:
        overlays.append(Overlay.UNPLACED)
    if signal.test or signal.waited is not None:
        overlays.append(Overlay.TEST)
    observed = signal.observed_at
    if observed is not None and clock_plausible_from <= observed <= signal.received_at - timedelta(
        seconds=world.settings.late_after_s
    ):
        overlays.append(Overlay.LATE)
    return overlays


def keys_of(signals: Sequence[SignalIn], world: World) -> set[str]:
    """The dedup keys a batch may touch: the shell loads their open incidents."""
    keys: set[str] = set()
    for signal in signals:
        placed = place_device(world.snapshot, signal.device_id)
        keys.update(_keys(signal, placed if isinstance(placed, Placement) else None))
    return keys


def _keys(signal: SignalIn, placement: Placement | None) -> tuple[str, ...]:
    """One key, but for a restoral that names no condition: all that this device can have opened here."""
    all_well = signal.kind is SignalKind.RESTORAL and signal.code == ALL_WELL
    hazards = TAXONOMY.values() if all_well else (TAXONOMY[signal.code],)
    return tuple(dict.fromkeys(dedup_key(hazard, placement, signal.device_id) for hazard in hazards))
