"""Duty shifts: who stands on which step, for which grid or place. Who is on duty now is the resolver's to say."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute
from api.deps import Use
from api.pages import Cursor, Limit, Page, limit_default, page, position
from api.permissions import PREFIX
from api.references import grid_id_of, person_of, place_id_of
from api.registry import Noun, create, patch_one, put_one, read_one
from api.schemas.common import Patch
from api.schemas.registry import ShiftIn, ShiftOut
from devices.model import Shift
from devices.store import shifts as store
from devices.store.shifts import ShiftRow

router = APIRouter(prefix=f"{PREFIX}/shifts", tags=["shifts"], route_class=GuardedRoute)

Reference = Annotated[str | None, Query(max_length=64, description="id or code")]


def _changed(conn: Connection, body: ShiftIn, before: ShiftRow) -> ShiftRow:
    shift = Shift(
        id=before.shift.id,
        role=body.role,
        person_id=person_of(conn, body.person_id, "#/person_id"),
        grid_id=grid_id_of(conn, body.grid_id, "#/grid_id"),
        place_id=place_id_of(conn, body.place_id, "#/place_id"),
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


_SHIFTS = Noun(
    name="shifts",
    model=ShiftIn,
    get=store.get,
    insert_many=store.insert_many,
    update_one=store.update_one,
    changed=_changed,
    shown=_shown,
    version=lambda row: row.version,
)


@router.get("", response_model=Page[ShiftOut])
async def list_shifts(
    use: Use,
    grid_id: Reference = None,
    place_id: Reference = None,
    person_id: Reference = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    after = position(cursor)

    def work(conn: Connection) -> list[ShiftRow]:
        return store.page(
            conn,
            after,
            limit + 1,
            grid_id=grid_id_of(conn, grid_id, "?grid_id"),
            place_id=place_id_of(conn, place_id, "?place_id"),
            person_id=None if person_id is None else person_of(conn, person_id, "?person_id"),
        )

    return page(await use.database.read(work), limit, _shown, lambda row: row.shift.id)


@router.post("", status_code=201, response_model=ShiftOut)
async def create_shift(body: ShiftIn, request: Request, use: Use) -> Response:
    fresh = ShiftRow(Shift(use.ids.uuid7(), body.role, body.person_id, None, None, None, None))
    return await create(request, use, _SHIFTS, lambda conn: _changed(conn, body, fresh))


@router.get("/{id}", response_model=ShiftOut)
async def read_shift(id: str, use: Use) -> Response:
    return await read_one(use, _SHIFTS, id)


@router.put("/{id}", response_model=ShiftOut)
async def put_shift(id: str, body: ShiftIn, request: Request, use: Use) -> Response:
    return await put_one(request, use, _SHIFTS, id, body)


@router.patch("/{id}", response_model=ShiftOut)
async def patch_shift(id: str, body: Patch, request: Request, use: Use) -> Response:
    return await patch_one(request, use, _SHIFTS, id, body)
