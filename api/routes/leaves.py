"""Leave 请假: who is away, when. Who stands instead is the resolver's to say."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute
from api.deps import Use
from api.pages import Cursor, Limit, Page, limit_default
from api.permissions import PREFIX
from api.references import person_id_of, person_of
from api.registry import Noun, create, list_page, serve_one
from api.schemas.common import Instant
from api.schemas.duty import LeaveIn, LeaveOut
from devices.duty.plan import Leave
from devices.store import leaves as store
from devices.store import people
from devices.store.leaves import LeaveRow
from devices.store.scope import Scope, path_of_place

router = APIRouter(prefix=f"{PREFIX}/leaves", tags=["leaves"], route_class=GuardedRoute)


def _changed(conn: Connection, scope: Scope, body: LeaveIn, before: LeaveRow) -> LeaveRow:
    person_id = person_of(conn, scope, body.person_id, "#/person_id").id
    return replace(before, person_id=person_id, leave=Leave(body.starts_at, body.ends_at), note=body.note)


def _shown(row: LeaveRow) -> LeaveOut:
    return LeaveOut(
        id=row.id,
        person_id=row.person_id,
        starts_at=row.leave.starts_at,
        ends_at=row.leave.ends_at,
        note=row.note,
        version=row.version,
    )


def _path(conn: Connection, row: LeaveRow) -> str | None:
    """Where its person belongs."""
    person = people.get(conn, row.person_id)
    return None if person is None else path_of_place(conn, person.place_id)


_LEAVES = Noun(
    name="leaves",
    model=LeaveIn,
    get=store.get,
    insert_many=store.insert_many,
    update_one=store.update_one,
    changed=_changed,
    shown=_shown,
    version=lambda row: row.version,
    path=_path,
    scope_field="person_id",
)


@router.get("", response_model=Page[LeaveOut])
async def list_leaves(
    request: Request,
    use: Use,
    person_id: Annotated[str | None, Query(max_length=64, description="id or code")] = None,
    ends_after: Instant | None = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[LeaveRow]:
        person = person_id_of(conn, scope, person_id, "?person_id")
        return store.page(conn, after, count, person_id=person, ends_after=ends_after, within=scope)

    return await list_page(request, use, _LEAVES, cursor, limit, rows)


@router.post("", status_code=201, response_model=LeaveOut)
async def create_leave(body: LeaveIn, request: Request, use: Use) -> Response:
    fresh = LeaveRow(use.ids.uuid7(), body.person_id, Leave(body.starts_at, body.ends_at))
    return await create(request, use, _LEAVES, body, lambda conn: fresh)


serve_one(router, _LEAVES, LeaveOut, store.remove)
