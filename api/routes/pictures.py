"""Pictures of a place: its plan 平面图, the door 入户门. Never takes a file for what it is called."""

import hashlib

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.ports import Conflict, Priority
from api import audit
from api.auth import GuardedRoute, caller_of
from api.deps import Use
from api.errors import Problem, not_found
from api.idempotency import attempt
from api.pages import answer
from api.permissions import PREFIX
from api.received_pictures import ANSWERS, RAW, SUFFIXES, checked, tags
from api.schemas.places import PictureOut
from devices.model import PictureKind
from devices.store import pictures as store
from devices.store.pictures import Picture
from devices.store.scope import path_of_place

router = APIRouter(prefix=f"{PREFIX}/places", tags=["places"], route_class=GuardedRoute)


@router.get("/{id}/pictures/{kind}", response_class=Response, responses=ANSWERS)
async def read_picture(id: str, kind: PictureKind, request: Request, use: Use) -> Response:
    """The picture as it was handed in. Its ETag is its SHA-256."""

    def work(conn: Connection) -> Picture | None:
        _path(conn, request, id)
        return store.get(conn, id, kind)

    picture = await use.database.read(work)
    if picture is None:
        raise not_found()
    headers = {
        "etag": _etag(picture.sha256),
        "cache-control": "private, no-cache",
        "content-disposition": f'inline; filename="{kind}.{SUFFIXES[picture.media_type]}"',
    }
    if picture.sha256 in tags(request, "if-none-match"):
        return Response(status_code=304, headers=headers)
    return Response(picture.content, 200, headers, picture.media_type)


@router.put("/{id}/pictures/{kind}", response_model=PictureOut, openapi_extra=RAW)
async def put_picture(id: str, kind: PictureKind, request: Request, use: Use) -> Response:
    """The raw bytes of a PNG, JPEG or WebP, at most 1 MiB. The first is made (201); over another one with If-Match."""
    content = await request.body()
    image = checked(content, request)
    picture = Picture(id, kind, image.media_type, hashlib.sha256(content).hexdigest(), content, use.clock.now())
    document = PictureOut(
        place_id=id,
        kind=kind,
        media_type=image.media_type,
        width=image.width,
        height=image.height,
        sha256=picture.sha256,
    ).model_dump(mode="json")

    def work(conn: Connection) -> int:
        path = _path(conn, request, id)
        before = store.hash_of(conn, id, kind)
        if before is None:
            store.add(conn, picture)
        else:
            _check(request, before)
            if not store.replace(conn, picture, before):
                raise Conflict(f"picture {kind} of {id}")
        audit.note(
            conn, request, use, "change" if before else "create", "pictures", f"{id}/{kind}", path=path, detail=document
        )
        return 200 if before else 201

    status = await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    return answer(document, status, {"etag": _etag(picture.sha256)})


@router.delete("/{id}/pictures/{kind}", status_code=204)
async def remove_picture(id: str, kind: PictureKind, request: Request, use: Use) -> Response:
    """Over the ETag in If-Match."""

    def work(conn: Connection) -> None:
        path = _path(conn, request, id)
        before = store.hash_of(conn, id, kind)
        if before is None:
            raise not_found()
        _check(request, before)
        if not store.remove(conn, id, kind, before):
            raise Conflict(f"picture {kind} of {id}")
        audit.note(conn, request, use, "remove", "pictures", f"{id}/{kind}", path=path, detail={"sha256": before})

    await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    return Response(status_code=204)


def _path(conn: Connection, request: Request, place_id: str) -> str:
    """The path of the place, when the caller may see it; Problem 404."""
    path = path_of_place(conn, place_id)
    if path is None or not caller_of(request).scope(conn).covers(path):
        raise not_found()
    return path


def _check(request: Request, current: str) -> None:
    """Problem 428 without If-Match, 412 when it names another picture."""
    named = tags(request, "if-match")
    if not named:
        raise Problem(428, "version_required")
    if "*" not in named and current not in named:
        raise Problem(412, "version_mismatch", headers={"etag": _etag(current)})


def _etag(sha256: str) -> str:
    return f'"{sha256}"'
