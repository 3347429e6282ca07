"""Flats 住户: how an installer left each, from door to door. Never says who lives there."""

from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from alerting.ports import Conflict, Priority
from api import audit
from api.auth import GuardedRoute, Who, caller_of
from api.deps import Use
from api.errors import invalid, not_found
from api.idempotency import attempt
from api.pages import Cursor, Limit, answer, cursor_at, limit_default, position
from api.permissions import PREFIX
from api.references import place_of
from api.schemas.devices import FlatIn, FlatOut, FlatsOut
from api.versions import check_version, etag, expected_version
from devices.model import FlatStatus, PlaceKind
from devices.store import flats as store
from devices.store import placements, places
from devices.store.flats import NOT_VISITED, Door, FlatRow
from devices.store.places import PlaceRow
from devices.store.scope import SEPARATOR, Scope

router = APIRouter(prefix=f"{PREFIX}/flats", tags=["flats"], route_class=GuardedRoute)


class Status(StrEnum):
    """What a list can be narrowed to."""

    INSTALLED = FlatStatus.INSTALLED
    NOBODY_HOME = FlatStatus.NOBODY_HOME
    REFUSED = FlatStatus.REFUSED
    TO_BE_TESTED = FlatStatus.TO_BE_TESTED
    NOT_VISITED = NOT_VISITED


def _shown(door: Door, where: str) -> dict[str, Any]:
    flat = door.flat
    return FlatOut(
        place_id=door.place_id,
        name=door.name,
        name_en=door.name_en,
        place=where,
        status=flat.status if flat else None,
        note=flat.note if flat else None,
        visited_at=flat.visited_at if flat else None,
        visited_by=flat.visited_by if flat else None,
        version=flat.version if flat else None,
    ).model_dump(mode="json")


@router.get("", response_model=FlatsOut)
async def list_flats(
    request: Request,
    use: Use,
    under: Annotated[str, Query(min_length=1, max_length=64, description="id or code of a building, say")],
    status: Status | None = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Every flat below a place, visited or not, with the counts of all of them."""
    after = position(cursor)

    def work(conn: Connection) -> dict[str, Any]:
        scope = caller_of(request).scope(conn)
        top = Scope((SEPARATOR.join(place_of(conn, scope, under, "?under").path),))
        found = store.doors(conn, top, after, limit + 1, status=status, within=scope)
        doors = found[:limit]
        where = placements.words(conn, [door.place_id for door in doors])
        return {
            "items": [_shown(door, where.get(door.place_id, door.name)) for door in doors],
            "next": cursor_at(doors[-1].place_id) if len(found) > limit else None,
            "counts": store.counts(conn, top, within=scope),
        }

    return answer(await use.database.read(work))


@router.get("/{id}", response_model=FlatOut)
async def read_flat(id: str, request: Request, use: Use) -> Response:
    """`id`: of the room, or its code. A flat that nobody visited has no ETag."""

    def work(conn: Connection) -> tuple[dict[str, Any], int | None]:
        room = _room(conn, request, id)
        return _document(conn, room), _version(conn, room)

    document, version = await use.database.read(work)
    return answer(document, headers={"etag": etag(version)} if version else {})


@router.put("/{id}", response_model=FlatOut)
async def put_flat(id: str, body: FlatIn, request: Request, use: Use, who: Who) -> Response:
    """How it stands now. The first visit makes it (201); a later one needs If-Match."""

    def work(conn: Connection) -> tuple[dict[str, Any], int]:
        room = _room(conn, request, id)
        before = store.get(conn, room.id)
        row = FlatRow(room.id, body.status, use.clock.now(), who.name[:64], body.note)
        if before is None:
            store.add(conn, row)
        else:
            check_version(expected_version(request), before.version)
            if not store.update_one(conn, replace(row, version=before.version)):
                raise Conflict(f"flat {room.id}")
        detail = {"status": [before and before.status, body.status], "note": [before and before.note, body.note]}
        audit.note(conn, request, use, "visit", "flats", room.id, path=SEPARATOR.join(room.path), detail=detail)
        return _document(conn, room), _version(conn, room) or 1

    document, version = await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    return answer(document, 201 if version == 1 else 200, {"etag": etag(version)})


def _room(conn: Connection, request: Request, key: str) -> PlaceRow:
    place = places.find(conn, key)
    if place is None or not caller_of(request).scope(conn).covers(place.path):
        raise not_found()
    if place.kind is not PlaceKind.ROOM:
        raise invalid("id", "not_a_flat")
    return place


def _document(conn: Connection, room: PlaceRow) -> dict[str, Any]:
    where = placements.words(conn, [room.id])[room.id]
    return _shown(Door(room.id, room.name, room.name_en, store.get(conn, room.id)), where)


def _version(conn: Connection, room: PlaceRow) -> int | None:
    flat = store.get(conn, room.id)
    return flat.version if flat else None
