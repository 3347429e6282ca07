"""One tap: I cover 我来顶班. Makes an override of the whole first step of a grid; DELETE of that override undoes it."""

from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import audit
from api.auth import Caller, GuardedRoute, Who, caller_of
from api.deps import Deps, Use
from api.errors import conflict, invalid
from api.idempotency import Made, make_once
from api.permissions import PREFIX
from api.references import grid_of, person_of, unknown
from api.routes.overrides import shown
from api.schemas.duty import CoverIn, OverrideOut, cover_hours_max
from api.versions import etag
from devices.duty.plan import Override
from devices.duty.standing import Why
from devices.model import Role
from devices.store import grids, leaves, overrides, people
from devices.store.grids import GridRow
from devices.store.overrides import OverrideRow
from devices.store.people import PersonRow
from devices.store.scope import EVERYTHING, SEPARATOR, path_of_grid, path_of_place

router = APIRouter(prefix=f"{PREFIX}/duty", tags=["duty"], route_class=GuardedRoute)

cover_max = timedelta(hours=cover_hours_max)


@router.post("/cover", status_code=201, response_model=OverrideOut)
async def cover(body: CoverIn, request: Request, use: Use, who: Who) -> Response:
    """Stand as grid worker of this grid from now on, in place of everybody who would. A worker covers for himself, in
    a grid he may help; a planner may name somebody."""

    def work(conn: Connection) -> Made:
        now = use.clock.now()
        person = _person(conn, request, body)
        grid = grid_of(conn, EVERYTHING if who.own_only else who.scope(conn), body.grid, "#/grid")
        if who.own_only and not _may_help(conn, person, grid):
            unknown(body.grid, "#/grid")
        until = _until(body, now)
        _present(conn, person, now, until)
        override = Override(
            use.ids.uuid7(), Why.COVER.value, Role.GRID_WORKER, person.id, None, grid.id, None, now, until
        )
        row = OverrideRow(override)
        overrides.insert_many(conn, [row])
        return _made(conn, request, use, row)

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.registry_changed()
    return made.response()


def _made(conn: Connection, request: Request, use: Deps, row: OverrideRow) -> Made:
    document = shown(row).model_dump(mode="json")
    path = path_of_grid(conn, row.override.grid_id)
    audit.note(conn, request, use, "cover", "overrides", row.override.id, path=path, detail=document)
    return Made(document, headers={"location": f"{PREFIX}/overrides/{row.override.id}", "etag": etag(row.version)})


def _person(conn: Connection, request: Request, body: CoverIn) -> PersonRow:
    who: Caller = caller_of(request)
    if body.person_id is not None and not who.own_only:
        return person_of(conn, who.scope(conn), body.person_id, "#/person_id")
    person = None if who.person_id is None else people.get(conn, who.person_id)
    if person is None:
        raise invalid("#/person_id", "missing")
    if body.person_id is not None and body.person_id not in (person.id, person.code):
        raise invalid("#/person_id", "cover_self")
    return person


def _may_help(conn: Connection, person: PersonRow, grid: GridRow) -> bool:
    """A member of the grid or of one of its neighbours, or somebody who belongs to the grid's part of the city."""
    if person.id in grid.worker_ids:
        return True
    near = (grids.get(conn, neighbour) for neighbour in grid.neighbour_ids)
    if any(person.id in each.worker_ids for each in near if each is not None):
        return True
    his, its = path_of_place(conn, person.place_id), path_of_grid(conn, grid.id)
    if his is None or its is None:
        return False
    return his == its or his.startswith(its + SEPARATOR) or its.startswith(his + SEPARATOR)


def _until(body: CoverIn, now: datetime) -> datetime:
    until = body.until if body.hours is None else now + timedelta(hours=body.hours)
    assert until is not None, "the body gives one of the two"
    if not now < until <= now + cover_max:
        raise invalid("#/until", "cover_until", days=cover_max.days)
    return until


def _present(conn: Connection, person: PersonRow, now: datetime, until: datetime) -> None:
    """A cover by somebody who is away would be no cover."""
    if person.left_at is not None and person.left_at < until:
        raise conflict("#/person_id", "has_left", value=person.name)
    if any(row.leave.starts_at < until for row in leaves.page(conn, None, 500, person_id=person.id, ends_after=now)):
        raise conflict("#/person_id", "on_leave", value=person.name)
