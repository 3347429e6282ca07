"""Duty: the whole ladder of a grid or a place at an instant, each name with its reason. Decides nothing itself."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute, Who
from api.deps import Use
from api.errors import invalid
from api.pages import answer
from api.permissions import PREFIX
from api.references import grid_of, place_id_of
from api.schemas.common import Instant
from api.schemas.registry import DutyOut, DutyPerson, DutyStep
from devices.model import Person, Placement, Role, Shift
from devices.resolve import GRID_ROLES, RegistrySnapshot, on_duty, place_by_id
from devices.store import snapshot as store
from devices.store.scope import Scope

router = APIRouter(prefix=f"{PREFIX}/duty", tags=["duty"], route_class=GuardedRoute)

Reference = Annotated[str | None, Query(max_length=64, description="id or code")]


@router.get("", response_model=DutyOut)
async def read_duty(
    use: Use,
    who: Who,
    grid: Reference = None,
    place: Reference = None,
    at: Annotated[Instant | None, Query(description="now when absent")] = None,
) -> Response:
    """Who would be asked, in order. With a grid alone, places are those of its community; give `place` to be exact."""
    if grid is None and place is None:
        raise invalid("?grid", "missing")
    instant = at or use.clock.now()

    def work(conn: Connection) -> DutyOut:
        snapshot, placement = _placed(conn, who.scope(conn), grid, place, instant)
        steps = [_step(snapshot, placement, role, instant) for role in Role]
        return DutyOut(grid_id=placement.grid_id, place_id=placement.place_id, at=instant, steps=steps)

    return answer((await use.database.read(work)).model_dump(mode="json"))


def _placed(
    conn: Connection, scope: Scope, grid: str | None, place: str | None, instant: datetime
) -> tuple[RegistrySnapshot, Placement]:
    row = None if grid is None else grid_of(conn, scope, grid, "?grid")
    place_id = place_id_of(conn, scope, place, "?place")
    if place_id is None and row is not None:
        place_id = row.community_id or next(iter(row.place_ids), None)
    grid_ids = () if row is None else (row.id,)
    snapshot = store.load(conn, (), instant, place_ids=() if place_id is None else (place_id,), grid_ids=grid_ids)
    placement = place_by_id(snapshot, place_id or "", grid_id=None if row is None else row.id)
    return snapshot, placement or Placement("", "", (), None)


def _step(snapshot: RegistrySnapshot, placement: Placement, role: Role, instant: datetime) -> DutyStep:
    people = on_duty(snapshot, placement, role, instant)
    shown = [_person(snapshot, placement, role, person, instant) for person in people]
    if not shown:
        return DutyStep(role=role, reason="nobody_on_duty", people=[])
    reachable = any(person.channels for person in shown)
    return DutyStep(role=role, reason="on_duty" if reachable else "nobody_reachable", people=shown)


def _person(
    snapshot: RegistrySnapshot, placement: Placement, role: Role, person: Person, instant: datetime
) -> DutyPerson:
    shift = _shift(snapshot, placement, role, person.id, instant)
    planned = shift.starts_at is not None or shift.ends_at is not None
    return DutyPerson(
        id=person.id,
        name=person.name,
        reason="planned_shift" if planned else "standing_duty",
        shift_id=shift.id,
        until=shift.ends_at,
        channels=sorted({point.channel for point in person.contacts}),
    )


def _shift(snapshot: RegistrySnapshot, placement: Placement, role: Role, person_id: str, instant: datetime) -> Shift:
    """The shift for which the resolver named this person: planned before standing, local before global."""
    local: list[Shift] = []
    if role in GRID_ROLES:
        local += snapshot.shifts_by_grid.get(placement.grid_id or "", ())
    else:
        for place in reversed(placement.chain):
            local += snapshot.shifts_by_place.get(place.id, ())
    for shifts in (local, snapshot.shifts_global):
        his = [each for each in shifts if each.role is role and each.person_id == person_id and each.covers(instant)]
        if his:
            return min(his, key=lambda each: (each.starts_at is None and each.ends_at is None, each.rank))
    raise AssertionError("the resolver names nobody without a shift")
