"""Duty shifts: who stands on which step, for which grid or place. Who is on duty now is the resolver's to say."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute
from api.deps import Use
from api.pages import Cursor, Limit, Page, limit_default
from api.permissions import PREFIX
from api.references import grid_id_of, person_id_of, person_of, place_id_of
from api.registry import Noun, create, list_page, serve_one
from api.schemas.registry import ShiftIn, ShiftOut
from devices.model import Shift
from devices.store import shifts as store
from devices.store.scope import Scope, path_of_grid, path_of_place
from devices.store.shifts import ShiftRow

router = APIRouter(prefix=f"{PREFIX}/shifts", tags=["shifts"], route_class=GuardedRoute)

Reference = Annotated[str | None, Query(max_length=64, description="id or code")]


def _changed(conn: Connection, scope: Scope, body: ShiftIn, before: ShiftRow) -> ShiftRow:
    shift = Shift(
        id=before.shift.id,
        role=body.role,
        person_id=person_of(conn, scope, body.person_id, "#/person_id").id,
        grid_id=grid_id_of(conn, scope, body.grid_id, "#/grid_id"),
        place_id=place_id_of(conn, scope, body.place_id, "#/place_id"),
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        rank=body.rank,
    )
    return replace(before, shift=shift)


def _shown(row: ShiftRow) -> ShiftOut:
    shift = row.shift
    return ShiftOut(
        id=shift.id,
        role=shift.role,
        person_id=shift.person_id,
        grid_id=shift.grid_id,
        place_id=shift.place_id,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
        rank=shift.rank,
        version=row.version,
    )


def _path(conn: Connection, row: ShiftRow) -> str | None:
    shift = row.shift
    return path_of_grid(conn, shift.grid_id) if shift.grid_id else path_of_place(conn, shift.place_id)


_SHIFTS = Noun(
    name="shifts",
    model=ShiftIn,
    get=store.get,
    insert_many=store.insert_many,
    update_one=store.update_one,
    changed=_changed,
    shown=_shown,
    version=lambda row: row.version,
    path=_path,
    scope_field="grid_id",
)


@router.get("", response_model=Page[ShiftOut])
async def list_shifts(
    request: Request,
    use: Use,
    grid_id: Reference = None,
    place_id: Reference = None,
    person_id: Reference = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[ShiftRow]:
        return store.page(
            conn,
            after,
            count,
            grid_id=grid_id_of(conn, scope, grid_id, "?grid_id"),
            place_id=place_id_of(conn, scope, place_id, "?place_id"),
            person_id=person_id_of(conn, scope, person_id, "?person_id"),
            within=scope,
        )

    return await list_page(request, use, _SHIFTS, cursor, limit, rows)


@router.post("", status_code=201, response_model=ShiftOut)
async def create_shift(body: ShiftIn, request: Request, use: Use) -> Response:
    fresh = ShiftRow(Shift(use.ids.uuid7(), body.role, body.person_id, None, None, None, None))
    return await create(request, use, _SHIFTS, body, lambda conn: fresh)


serve_one(router, _SHIFTS, ShiftOut, lambda conn, row: store.remove(conn, row.shift.id, row.version))
