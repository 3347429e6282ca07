"""When a grid has nobody of its own, not even by standing duty, in the days ahead. Pure.

Who stands changes only at edges (a shift begins, a leave ends, a volunteer's hour strikes): asking once after each edge
answers for the whole time up to the next.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from devices.duty.plan import NOTHING_PLANNED, RegistrySnapshot, Scoped
from devices.duty.rota import edges
from devices.duty.standing import standing
from devices.duty.zones import instant, local_day
from devices.model import Placement, Role, Shift

_OWN = (Role.GRID_WORKER, Role.DEPUTY)


@dataclass(frozen=True, slots=True)
class Gap:
    """[starts_at, ends_at): nobody stands, neither as grid worker nor as deputy."""

    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Outlook:
    """The gaps of one grid in a period, and everybody who stands for it in that time or belongs to it."""

    gaps: tuple[Gap, ...]
    people: tuple[str, ...]


def outlook(snapshot: RegistrySnapshot, placement: Placement, since: datetime, until: datetime) -> Outlook:
    """What the period holds for the grid of this placement. The snapshot must hold the plan of the whole period."""
    asked = [since, *sorted({at for at in _edges(snapshot, placement, since, until) if since < at < until}), until]
    found: list[Gap] = []
    people = dict.fromkeys(
        person_id for person_id in snapshot.members.get(placement.grid_id or "", ()) if person_id in snapshot.people
    )
    for at, following in pairwise(asked):
        stands = [stand for role in _OWN for stand in standing(snapshot, placement, role, at)]
        people.update(dict.fromkeys(stand.person.id for stand in stands))
        if not stands:
            joined = bool(found) and found[-1].ends_at == at
            found[-1:] = [Gap(found[-1].starts_at, following)] if joined else [*found[-1:], Gap(at, following)]
    return Outlook(tuple(found), tuple(people))


def _edges(snapshot: RegistrySnapshot, placement: Placement, since: datetime, until: datetime) -> Iterator[datetime]:
    grid = placement.grid_id or ""
    concerned = set(snapshot.members.get(grid, ()))
    for shifts, planned in _sources(snapshot, placement):
        yield from _planned_edges(shifts, planned, since, until)
        concerned.update(_named(shifts, planned))
    for person_id in concerned:
        yield from _personal_edges(snapshot, person_id, since, until)
    if (rule := snapshot.night_rules.get(grid)) is not None:
        yield from _daily(snapshot.timezone, rule, since, until)


def _sources(snapshot: RegistrySnapshot, placement: Placement) -> Iterator[tuple[tuple[Shift, ...], Scoped]]:
    grid = placement.grid_id or ""
    yield snapshot.shifts_by_grid.get(grid, ()), snapshot.planned_by_grid.get(grid, NOTHING_PLANNED)
    for place in placement.chain:
        yield snapshot.shifts_by_place.get(place.id, ()), snapshot.planned_by_place.get(place.id, NOTHING_PLANNED)
    yield snapshot.shifts_global, snapshot.planned_global


def _planned_edges(shifts: Iterable[Shift], planned: Scoped, since: datetime, until: datetime) -> Iterator[datetime]:
    for shift in shifts:
        yield from (at for at in (shift.starts_at, shift.ends_at) if at is not None)
    for override in planned.overrides:
        yield from (override.starts_at, override.ends_at)
    for pattern in planned.patterns:
        yield from edges(pattern, since, until)


def _named(shifts: Iterable[Shift], planned: Scoped) -> Iterator[str]:
    yield from (shift.person_id for shift in shifts)
    yield from (override.person_id for override in planned.overrides)
    yield from (slot.person_id for pattern in planned.patterns for slot in pattern.slots)


def _personal_edges(snapshot: RegistrySnapshot, person_id: str, since: datetime, until: datetime) -> Iterator[datetime]:
    for leave in snapshot.leaves.get(person_id, ()):
        yield from (leave.starts_at, leave.ends_at)
    person = snapshot.people.get(person_id)
    if person is None:
        return
    if person.left_at is not None:
        yield person.left_at
    if person.hours is not None:
        yield from _daily(snapshot.timezone, person.hours, since, until)


def _daily(zone_name: str, minutes: Iterable[int], since: datetime, until: datetime) -> Iterator[datetime]:
    """Every instant of the period at which hours with these limits begin or end."""
    days = range(local_day(zone_name, since) - 1, local_day(zone_name, until) + 2)
    yield from (instant(zone_name, day, minute) for day in days for minute in minutes)
