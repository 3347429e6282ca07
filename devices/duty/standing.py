"""Who stands on a step at an instant, and why each. Pure.

Law, for each step: the plan (shifts and patterns: planned before standing, then rank, then the nearer place), with
overrides put in, without those who are away; then the grid's own people; then who stands for everything. A person
stands once on a step. A grid whose plan names nobody for its first step has *standing duty*: the first of its members
who is there is the primary, the others are deputies.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from devices.duty.plan import GRID_ROLES, NOTHING_PLANNED, Override, RegistrySnapshot, Scoped
from devices.duty.rota import turns_at
from devices.duty.zones import instant, local_day, within
from devices.model import Person, PersonKind, Placement, Role, Shift

STEWARD_NIGHT = (22 * 60, 7 * 60)
"""Local minutes between which a building steward is asked only with consent to night calls."""


class Why(StrEnum):
    """For what reason a person stands on a step."""

    PLANNED_SHIFT = "planned_shift"
    PATTERN = "pattern"
    OVERRIDE = "override"
    COVER = "cover"
    STANDING_DUTY = "standing_duty"
    NIGHT_RULE = "night_rule"
    NEIGHBOUR_ON_DUTY = "neighbour_on_duty"


@dataclass(frozen=True, slots=True)
class Stand:
    """One person on one step. `source_id`: the shift, pattern, override or, for a member or neighbour, the grid."""

    person: Person
    reason: Why
    source_id: str
    until: datetime | None
    """When this turn is over by plan; None: until further notice."""
    by_standing_duty: bool = False
    """No roster puts him there: a standing shift or his grid does, for himself or for whom he stands in."""


@dataclass(frozen=True, slots=True)
class _Planned:
    """Somebody whom the plan names, before it is known who is there."""

    person_id: str
    reason: Why
    source_id: str
    until: datetime | None
    by_standing_duty: bool = False
    rank: int = 0


@dataclass(frozen=True, slots=True)
class _Source:
    """What was planned for one grid, place or everything."""

    shifts: Sequence[Shift]
    planned: Scoped


def on_duty(snapshot: RegistrySnapshot, placement: Placement | None, role: Role, now: datetime) -> tuple[Person, ...]:
    """Who stands on this step for this place at `now`, in the order in which they are asked."""
    return tuple(stand.person for stand in standing(snapshot, placement, role, now))


def standing(snapshot: RegistrySnapshot, placement: Placement | None, role: Role, now: datetime) -> tuple[Stand, ...]:
    """The same, each with the reason.

    Grid roles come from the grid, all others from places of the path; where nobody stands there, or the placement is
    unknown, from what is planned for everything. Who has left, is on leave or is a volunteer outside his hours stands
    nowhere.
    """
    local = () if placement is None else _local(snapshot, placement, role, now)
    stands = local or _filled(snapshot, [_Source(snapshot.shifts_global, snapshot.planned_global)], role, now)
    return _stewards(snapshot, placement, stands, now) if stands and role is Role.BUILDING_STEWARD else stands


def available(snapshot: RegistrySnapshot, person_id: str, now: datetime) -> Person | None:
    """The person, unless away."""
    person = snapshot.people.get(person_id)
    if person is None or (person.left_at is not None and person.left_at <= now):
        return None
    away = snapshot.leaves.get(person_id)
    if away and any(leave.covers(now) for leave in away):
        return None
    if person.kind is PersonKind.VOLUNTEER and person.hours is not None:
        return person if within(snapshot.timezone, person.hours, now) else None
    return person


def _local(snapshot: RegistrySnapshot, placement: Placement, role: Role, now: datetime) -> tuple[Stand, ...]:
    if role not in GRID_ROLES:
        return _at_places(snapshot, placement, role, now)
    if placement.grid_id is None:
        return ()
    if role is Role.NEIGHBOUR_GRID:
        return _neighbours(snapshot, placement.grid_id, now)
    first, others = _first(snapshot, placement.grid_id, now)
    night = _night_duty(snapshot, placement, first, now)
    if role is Role.GRID_WORKER:
        return night or first
    deputies = _deputies(snapshot, placement.grid_id, first, others, now)
    return _without((*first, *_without(deputies, first)), night) if night else deputies


def _at_places(snapshot: RegistrySnapshot, placement: Placement, role: Role, now: datetime) -> tuple[Stand, ...]:
    """Nearest place first."""
    nearest_first = []
    for place in reversed(placement.chain):
        shifts, planned = snapshot.shifts_by_place.get(place.id), snapshot.planned_by_place.get(place.id)
        if shifts or planned:
            nearest_first.append(_Source(shifts or (), planned or NOTHING_PLANNED))
    return _filled(snapshot, nearest_first, role, now)


def _stewards(
    snapshot: RegistrySnapshot, placement: Placement | None, stands: tuple[Stand, ...], now: datetime
) -> tuple[Stand, ...]:
    """Only where no property desk stands for this place; at night only those who agreed to be called."""
    if standing(snapshot, placement, Role.PROPERTY_DESK, now):
        return ()
    night = within(snapshot.timezone, STEWARD_NIGHT, now)
    return tuple(stand for stand in stands if not night or stand.person.night_calls)


def _neighbours(snapshot: RegistrySnapshot, grid_id: str, now: datetime) -> tuple[Stand, ...]:
    """Who was planned to help; else who stands first in the first neighbour that has somebody, night rules apart."""
    planned = _filled(snapshot, [_of_grid(snapshot, grid_id)], Role.NEIGHBOUR_GRID, now)
    if planned:
        return planned
    for neighbour in snapshot.neighbours.get(grid_id, ()):
        if first := _first(snapshot, neighbour, now)[0]:
            return tuple(replace(stand, reason=Why.NEIGHBOUR_ON_DUTY, source_id=neighbour) for stand in first)
    return ()


def _of_grid(snapshot: RegistrySnapshot, grid_id: str) -> _Source:
    return _Source(snapshot.shifts_by_grid.get(grid_id, ()), snapshot.planned_by_grid.get(grid_id, NOTHING_PLANNED))


def _first(snapshot: RegistrySnapshot, grid_id: str, now: datetime) -> tuple[tuple[Stand, ...], Sequence[str]]:
    """Who stands on the first step of a grid, night rules apart; and those members who are then left for the second."""
    source = _of_grid(snapshot, grid_id)
    if rostered := _filled(snapshot, [source], Role.GRID_WORKER, now):
        return rostered, ()
    members = snapshot.members.get(grid_id, ())
    stepping_in = _valid(snapshot, source.planned.overrides, Role.GRID_WORKER, now)
    for member in members:
        if first := _present(snapshot, [_member(grid_id, member)], stepping_in, now):
            return first, [each for each in members if each != member]
    return (), members


def _deputies(
    snapshot: RegistrySnapshot, grid_id: str, first: tuple[Stand, ...], others: Sequence[str], now: datetime
) -> tuple[Stand, ...]:
    source = _of_grid(snapshot, grid_id)
    if rostered := _filled(snapshot, [source], Role.DEPUTY, now):
        return rostered
    stepping_in = _valid(snapshot, source.planned.overrides, Role.DEPUTY, now)
    return _without(_present(snapshot, [_member(grid_id, each) for each in others], stepping_in, now), first)


def _member(grid_id: str, person_id: str) -> _Planned:
    return _Planned(person_id, Why.STANDING_DUTY, grid_id, None, True)


def _night_duty(
    snapshot: RegistrySnapshot, placement: Placement, first: tuple[Stand, ...], now: datetime
) -> tuple[Stand, ...]:
    """The night rule: where only standing duty holds the grid, the community's duty list goes first."""
    rule = snapshot.night_rules.get(placement.grid_id or "")
    rostered = any(not stand.by_standing_duty for stand in first)
    if rule is None or rostered or not within(snapshot.timezone, rule, now):
        return ()
    morning = _next(snapshot.timezone, rule[1], now)
    return tuple(
        replace(stand, reason=Why.NIGHT_RULE, until=_earlier(stand.until, morning))
        for stand in standing(snapshot, placement, Role.COMMUNITY_DUTY, now)
    )


def _filled(snapshot: RegistrySnapshot, sources: Iterable[_Source], role: Role, now: datetime) -> tuple[Stand, ...]:
    """The plan of these sources, nearest first, with overrides put in and without those who are away."""
    planned: list[_Planned] = []
    overrides: list[Override] = []
    for source in sources:
        if source.shifts:
            planned.extend(_by_shift(shift) for shift in source.shifts if shift.role is role and shift.covers(now))
        if source.planned is not NOTHING_PLANNED:
            planned.extend(_by_pattern(source.planned, role, now))
            overrides.extend(_valid(snapshot, source.planned.overrides, role, now))
    planned.sort(
        key=lambda each: (each.by_standing_duty, each.rank)
    )  # stable: among equals the nearer place stays first
    if overrides:
        planned = _with_overrides(snapshot, planned, overrides, now)
        overrides = [each for each in overrides if each.replaces_id is not None]
    return _present(snapshot, planned, overrides, now)


def _by_shift(shift: Shift) -> _Planned:
    timeless = shift.starts_at is None and shift.ends_at is None
    reason = Why.STANDING_DUTY if timeless else Why.PLANNED_SHIFT
    return _Planned(shift.person_id, reason, shift.id, shift.ends_at, timeless, shift.rank)


def _by_pattern(planned: Scoped, role: Role, now: datetime) -> list[_Planned]:
    return [
        _Planned(turn.slot.person_id, Why.PATTERN, pattern.id, turn.ends_at, False, turn.slot.rank)
        for pattern in planned.patterns
        for turn in turns_at(pattern, now, role)
    ]


def _valid(snapshot: RegistrySnapshot, overrides: Iterable[Override], role: Role, now: datetime) -> list[Override]:
    """Those that hold now, the newest first; one whose own person is away does not."""
    holding = [
        each
        for each in overrides
        if each.role is role and each.covers(now) and available(snapshot, each.person_id, now) is not None
    ]
    return sorted(holding, key=lambda each: (each.starts_at, each.id), reverse=True)


def _with_overrides(
    snapshot: RegistrySnapshot, planned: list[_Planned], overrides: Sequence[Override], now: datetime
) -> list[_Planned]:
    """Who stands in for everybody stands alone. Who stands in for somebody who has left comes first."""
    alone = [_by_override(each) for each in overrides if each.replaces_id is None]
    if alone:
        return alone
    gone = [each for each in overrides if each.replaces_id is not None and _has_left(snapshot, each.replaces_id, now)]
    return [_by_override(each) for each in gone] + planned


def _has_left(snapshot: RegistrySnapshot, person_id: str, now: datetime) -> bool:
    person = snapshot.people.get(person_id)
    return person is None or (person.left_at is not None and person.left_at <= now)


def _present(
    snapshot: RegistrySnapshot, planned: Iterable[_Planned], overrides: Sequence[Override], now: datetime
) -> tuple[Stand, ...]:
    """Each planned person, or who stands in for him; nobody who is away, nobody twice."""
    stands: dict[str, Stand] = {}
    for each in planned:
        for turn in _in_place_of(each, overrides):
            person = available(snapshot, turn.person_id, now)
            if person is not None and person.id not in stands:
                stands[person.id] = Stand(person, turn.reason, turn.source_id, turn.until, turn.by_standing_duty)
    return tuple(stands.values())


def _in_place_of(planned: _Planned, overrides: Sequence[Override]) -> list[_Planned]:
    """Overrides do not follow one another: who stands in is not replaced again."""
    if planned.reason in (Why.OVERRIDE, Why.COVER):
        return [planned]
    return [_by_override(each, planned) for each in overrides if each.replaces_id == planned.person_id] or [planned]


def _by_override(override: Override, planned: _Planned | None = None) -> _Planned:
    reason = Why.COVER if override.kind == Why.COVER.value else Why.OVERRIDE
    if planned is None:
        return _Planned(override.person_id, reason, override.id, override.ends_at)
    until = _earlier(planned.until, override.ends_at)
    return _Planned(override.person_id, reason, override.id, until, planned.by_standing_duty)


def _without(stands: Iterable[Stand], others: Iterable[Stand]) -> tuple[Stand, ...]:
    asked = {stand.person.id for stand in others}
    return tuple(stand for stand in stands if stand.person.id not in asked)


def _earlier(one: datetime | None, other: datetime) -> datetime:
    return other if one is None or other < one else one


def _next(zone_name: str, minute: int, now: datetime) -> datetime:
    """The next instant at which the local clock shows this minute."""
    today = local_day(zone_name, now)
    return next(at for at in (instant(zone_name, today + days, minute) for days in (0, 1, 2)) if at > now)
