"""Places: the tree from the city down to the room. Never generates a name."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute
from api.deps import Use
from api.errors import FieldError, Problem, conflict, invalid, language_of
from api.pages import Cursor, Limit, Page, limit_default, page, position
from api.permissions import PREFIX
from api.references import part_of, place_id_of, place_of, unknown
from api.registry import Noun, create, list_page, patch_one, put_one, read_one, remove_one, visible
from api.schemas.common import Patch
from api.schemas.places import GapOut, PlaceIn, PlaceOut
from api.store import references
from api.words import say
from api.words_people import PLACE_KINDS
from devices.model import Language, PlaceKind, hangs_under
from devices.store import coverage, standing
from devices.store import places as store
from devices.store.coverage import Gap
from devices.store.places import PlaceRow
from devices.store.scope import SEPARATOR, Scope

router = APIRouter(prefix=f"{PREFIX}/places", tags=["places"], route_class=GuardedRoute)

Reference = Annotated[str | None, Query(max_length=64, description="id or code")]


def places_for(language: Language) -> Noun[PlaceIn, PlaceRow]:
    """Places, speaking this language where a kind has to be named."""

    def changed(conn: Connection, scope: Scope, body: PlaceIn, before: PlaceRow) -> PlaceRow:
        _check_code(conn, body, before)
        parent = _parent(conn, scope, body, before)
        _check_kind(conn, body.kind, before, parent, language)
        _check_siblings(conn, body, before, parent.id if parent else None)
        return replace(
            before,
            kind=body.kind,
            name=body.name,
            name_en=body.name_en,
            code=body.code,
            path=(*parent.path, before.id) if parent else (before.id,),
            lat=body.lat,
            lon=body.lon,
        )

    return Noun(
        name="places",
        model=PlaceIn,
        get=store.get,
        insert_many=store.insert_many,
        update_one=store.update_one,
        changed=changed,
        shown=_shown,
        version=lambda row: row.version,
        path=lambda conn, row: SEPARATOR.join(row.path),
        scope_field="parent_id",
    )


def _check_code(conn: Connection, body: PlaceIn, before: PlaceRow) -> None:
    if body.code is not None:
        holder = store.find(conn, body.code)
        if holder is not None and holder.id != before.id:
            raise conflict("#/code", "taken", value=body.code)


def _parent(conn: Connection, scope: Scope, body: PlaceIn, before: PlaceRow) -> PlaceRow | None:
    """The parent, held still. One that stays may lie outside the scope: somebody bound to a street may rename it."""
    if body.parent_id is None:
        return None
    stays = body.parent_id == before.parent_id
    wanted = body.parent_id if stays else place_of(conn, scope, body.parent_id, "#/parent_id").id
    parent = store.lock(conn, wanted)
    if parent is None:
        unknown(body.parent_id, "#/parent_id")
    if before.id in parent.path:
        raise conflict("#/parent_id", "own_descendant")
    return parent


def _check_kind(
    conn: Connection, kind: PlaceKind, before: PlaceRow, parent: PlaceRow | None, language: Language
) -> None:
    moved = (parent.id if parent else None, kind) != (before.parent_id, before.kind)
    if moved and parent is not None and not hangs_under(kind, parent.kind):
        raise invalid("#/parent_id", "parent_kind", child=_word(kind, language), parent=_word(parent.kind, language))
    if kind is before.kind:
        return
    for child in sorted(store.kinds_below(conn, before.id)):
        if not hangs_under(child, kind):
            raise invalid("#/kind", "child_kind", child=_word(child, language), parent=_word(kind, language))


def _check_siblings(conn: Connection, body: PlaceIn, before: PlaceRow, parent_id: str | None) -> None:
    """What stands as it stood is left alone, even if an import of old made two of it."""
    if (parent_id, body.kind, body.name) == (before.parent_id, before.kind, before.name):
        return
    same = store.sibling(conn, parent_id, body.kind, body.name, before.id)
    if same is not None:
        raise conflict("#/name", "sibling", value=same.name, id=same.code or same.id)


def _word(kind: PlaceKind, language: Language) -> str:
    return say(PLACE_KINDS[kind], language)


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
        pictures=list(row.pictures),
        version=row.version,
    )


@router.get("", response_model=Page[PlaceOut])
async def list_places(
    request: Request,
    use: Use,
    kind: PlaceKind | None = None,
    parent_id: Reference = None,
    under: Reference = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """In order of ids; the children of one place with `parent_id`, it and all below it with `under`."""

    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[PlaceRow]:
        parent = place_id_of(conn, scope, parent_id, "?parent_id")
        below = part_of(conn, scope, under, "?under")
        return store.page(conn, after, count, kind=kind, parent_id=parent, under=below, within=scope)

    return await list_page(request, use, places_for(language_of(request)), cursor, limit, rows)


@router.post("", status_code=201, response_model=PlaceOut)
async def create_place(body: PlaceIn, request: Request, use: Use) -> Response:
    place_id = use.ids.uuid7()
    fresh = PlaceRow(place_id, body.kind, "", "", (place_id,))
    return await create(request, use, places_for(language_of(request)), body, lambda conn: fresh)


@router.get("/{id}", response_model=PlaceOut)
async def read_place(id: str, request: Request, use: Use) -> Response:
    return await read_one(request, use, places_for(language_of(request)), id)


@router.put("/{id}", response_model=PlaceOut)
async def put_place(id: str, body: PlaceIn, request: Request, use: Use) -> Response:
    """A new parent takes everything below along."""
    return await put_one(request, use, places_for(language_of(request)), id, body)


@router.patch("/{id}", response_model=PlaceOut)
async def patch_place(id: str, body: Patch, request: Request, use: Use) -> Response:
    return await patch_one(request, use, places_for(language_of(request)), id, body)


@router.delete("/{id}", status_code=204)
async def remove_place(id: str, request: Request, use: Use) -> Response:
    """With its pictures and its compound profile. Refused while anything stands on it, naming all of that."""

    def remove(conn: Connection, row: PlaceRow) -> bool:
        store.lock(conn, row.id)
        found = standing.on_place(conn, row.id)
        if references.incidents_at(conn, row.id):
            found["history"] = found.get("history", 0) + 1
        if bound := references.rights_at(conn, row.id):
            found["rights"] = bound
        if found:
            errors = tuple(FieldError("#", f"has_{what}", {"count": count}) for what, count in found.items())
            raise Problem(409, "conflict", "in_the_way", errors=errors)
        return store.remove(conn, row.id, row.version)

    return await remove_one(request, use, places_for(language_of(request)), id, remove)


@router.get("/{id}/gaps", response_model=Page[GapOut])
async def list_gaps(
    id: str, request: Request, use: Use, cursor: Cursor = None, limit: Limit = limit_default
) -> Response:
    """What no grid covers: the largest such places at or below this one. None: every room has exactly one grid."""
    after = position(cursor)
    noun = places_for(language_of(request))

    def work(conn: Connection) -> list[Gap]:
        return coverage.gaps(conn, visible(conn, request, noun, id).id, after, limit + 1)

    return page(await use.database.read(work), limit, _gap_shown, lambda gap: gap.place_id)


def _gap_shown(gap: Gap) -> GapOut:
    return GapOut(
        place_id=gap.place_id,
        kind=gap.kind,
        name=gap.name,
        path=list(gap.path),
        whole=gap.whole,
        rooms=gap.rooms,
        devices=gap.devices,
    )
