"""Places: the tree from the city down to the room. Never generates a name."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute
from api.deps import Use
from api.errors import conflict
from api.pages import Cursor, Limit, Page, limit_default
from api.permissions import PREFIX
from api.references import place_id_of, place_of
from api.registry import Noun, create, list_page, patch_one, put_one, read_one
from api.schemas.common import Patch
from api.schemas.registry import PlaceIn, PlaceOut
from devices.model import PlaceKind
from devices.store import places as store
from devices.store.places import PlaceRow
from devices.store.scope import SEPARATOR, Scope

router = APIRouter(prefix=f"{PREFIX}/places", tags=["places"], route_class=GuardedRoute)


def _changed(conn: Connection, scope: Scope, body: PlaceIn, before: PlaceRow) -> PlaceRow:
    if body.code is not None:
        holder = store.find(conn, body.code)
        if holder is not None and holder.id != before.id:
            raise conflict("#/code", "taken", value=body.code)
    path: tuple[str, ...] = (before.id,)
    if body.parent_id is not None:
        parent = place_of(conn, scope, body.parent_id, "#/parent_id")
        if before.id in parent.path:
            raise conflict("#/parent_id", "own_descendant")
        path = (*parent.path, before.id)
    return replace(
        before,
        kind=body.kind,
        name=body.name,
        name_en=body.name_en,
        code=body.code,
        path=path,
        lat=body.lat,
        lon=body.lon,
    )


def _shown(row: PlaceRow) -> PlaceOut:
    return PlaceOut(
        id=row.id,
        kind=row.kind,
        code=row.code,
        name=row.name,
        name_en=row.name_en,
        parent_id=row.parent_id,
        path=list(row.path),
        lat=row.lat,
        lon=row.lon,
        version=row.version,
    )


_PLACES = Noun(
    name="places",
    model=PlaceIn,
    get=store.get,
    insert_many=store.insert_many,
    update_one=store.update_one,
    changed=_changed,
    shown=_shown,
    version=lambda row: row.version,
    path=lambda conn, row: SEPARATOR.join(row.path),
    scope_field="parent_id",
)


@router.get("", response_model=Page[PlaceOut])
async def list_places(
    request: Request,
    use: Use,
    kind: PlaceKind | None = None,
    parent_id: Annotated[str | None, Query(max_length=64, description="id or code")] = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """In order of ids; the children of one place with `parent_id`."""

    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[PlaceRow]:
        parent = place_id_of(conn, scope, parent_id, "?parent_id")
        return store.page(conn, after, count, kind=kind, parent_id=parent, within=scope)

    return await list_page(request, use, _PLACES, cursor, limit, rows)


@router.post("", status_code=201, response_model=PlaceOut)
async def create_place(body: PlaceIn, request: Request, use: Use) -> Response:
    place_id = use.ids.uuid7()
    fresh = PlaceRow(place_id, body.kind, body.name, body.name_en, (place_id,))
    return await create(request, use, _PLACES, body, lambda conn: fresh)


@router.get("/{id}", response_model=PlaceOut)
async def read_place(id: str, request: Request, use: Use) -> Response:
    return await read_one(request, use, _PLACES, id)


@router.put("/{id}", response_model=PlaceOut)
async def put_place(id: str, body: PlaceIn, request: Request, use: Use) -> Response:
    """A new parent takes everything below along."""
    return await put_one(request, use, _PLACES, id, body)


@router.patch("/{id}", response_model=PlaceOut)
async def patch_place(id: str, body: Patch, request: Request, use: Use) -> Response:
    return await patch_one(request, use, _PLACES, id, body)
