"""Overrides 顶班: who stands in for whom, when. Who stands is the resolver's to say."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute, Who
from api.deps import Use
from api.errors import invalid
from api.pages import Cursor, Limit, Page, limit_default
from api.permissions import PREFIX
from api.references import grid_id_of, person_id_of, person_of, place_id_of
from api.registry import Noun, create, list_page, patch_one, put_one, read_one, remove_one
from api.schemas.common import Instant, Patch
from api.schemas.duty import OverrideIn, OverrideOut
from devices.duty.plan import Override
from devices.duty.standing import Why
from devices.store import overrides as store
from devices.store.overrides import OverrideRow
from devices.store.scope import Scope, path_of_grid, path_of_place

router = APIRouter(prefix=f"{PREFIX}/overrides", tags=["overrides"], route_class=GuardedRoute)

Reference = Annotated[str | None, Query(max_length=64, description="id or code")]


def _changed(conn: Connection, scope: Scope, body: OverrideIn, before: OverrideRow) -> OverrideRow:
    override = Override(
        id=before.override.id,
        kind=before.override.kind,
        role=body.role,
        person_id=person_of(conn, scope, body.person_id, "#/person_id").id,
        replaces_id=person_id_of(conn, scope, body.replaces_id, "#/replaces_id"),
        grid_id=grid_id_of(conn, scope, body.grid_id, "#/grid_id"),
        place_id=place_id_of(conn, scope, body.place_id, "#/place_id"),
        starts_at=body.starts_at,
        ends_at=body.ends_at,
    )
    if override.person_id == override.replaces_id:
        raise invalid("#/replaces_id", "stands_in_for_self")
    return replace(before, override=override, note=body.note)


def shown(row: OverrideRow) -> OverrideOut:
    override = row.override
    return OverrideOut(
        id=override.id,
        kind=override.kind,
        role=override.role,
        grid_id=override.grid_id,
        place_id=override.place_id,
        person_id=override.person_id,
        replaces_id=override.replaces_id,
        starts_at=override.starts_at,
        ends_at=override.ends_at,
        note=row.note,
        version=row.version,
    )


def _path(conn: Connection, row: OverrideRow) -> str | None:
    override = row.override
    return path_of_grid(conn, override.grid_id) if override.grid_id else path_of_place(conn, override.place_id)


_OVERRIDES = Noun(
    name="overrides",
    model=OverrideIn,
    get=store.get,
    insert_many=store.insert_many,
    update_one=store.update_one,
    changed=_changed,
    shown=shown,
    version=lambda row: row.version,
    path=_path,
    scope_field="grid_id",
)


@router.get("", response_model=Page[OverrideOut])
async def list_overrides(
    request: Request,
    use: Use,
    grid_id: Reference = None,
    place_id: Reference = None,
    person_id: Reference = None,
    ends_after: Instant | None = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[OverrideRow]:
        return store.page(
            conn,
            after,
            count,
            grid_id=grid_id_of(conn, scope, grid_id, "?grid_id"),
            place_id=place_id_of(conn, scope, place_id, "?place_id"),
            person_id=person_id_of(conn, scope, person_id, "?person_id"),
            ends_after=ends_after,
            within=scope,
        )

    return await list_page(request, use, _OVERRIDES, cursor, limit, rows)


@router.post("", status_code=201, response_model=OverrideOut)
async def create_override(body: OverrideIn, request: Request, use: Use) -> Response:
    planned = Override(
        use.ids.uuid7(), Why.OVERRIDE, body.role, body.person_id, None, None, None, body.starts_at, body.ends_at
    )
    return await create(request, use, _OVERRIDES, body, lambda conn: OverrideRow(planned))


@router.get("/{id}", response_model=OverrideOut)
async def read_override(id: str, request: Request, use: Use) -> Response:
    return await read_one(request, use, _OVERRIDES, id)


@router.put("/{id}", response_model=OverrideOut)
async def put_override(id: str, body: OverrideIn, request: Request, use: Use) -> Response:
    return await put_one(request, use, _OVERRIDES, id, body)


@router.patch("/{id}", response_model=OverrideOut)
async def patch_override(id: str, body: Patch, request: Request, use: Use) -> Response:
    return await patch_one(request, use, _OVERRIDES, id, body)


@router.delete("/{id}", status_code=204)
async def remove_override(id: str, request: Request, use: Use, who: Who) -> Response:
    """Also undoes a cover; a grid worker may undo his own."""

    def his(conn: Connection, scope: Scope, row: OverrideRow) -> bool:
        return row.override.kind == Why.COVER and row.override.person_id == who.person_id

    noun = replace(_OVERRIDES, inside=his) if who.own_only else _OVERRIDES
    return await remove_one(request, use, noun, id, store.remove)
