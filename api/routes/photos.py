"""Photographs of an incident 现场照片. Never takes a file for what it is called, never changes one."""

import hashlib
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.core.acts import Verb
from alerting.store import photos as store
from alerting.store import views
from alerting.store.photos import Photo
from api.acting import act_on
from api.auth import Caller, GuardedRoute, Who
from api.deps import Use
from api.errors import Problem, not_found
from api.idempotency import attempt
from api.pages import Page, answer
from api.permissions import PREFIX
from api.received_pictures import ANSWERS, RAW, SUFFIXES, checked, tags
from api.schemas.acts import PhotoOut

router = APIRouter(prefix=f"{PREFIX}/incidents", tags=["incidents"], route_class=GuardedRoute)

photos_per_incident_max = 20


@router.post("/{id}/photos", response_model=PhotoOut, status_code=201, openapi_extra=RAW)
async def add_photo(id: str, request: Request, use: Use, who: Who) -> Response:
    """The raw bytes of a PNG, JPEG or WebP, at most 1 MiB. One that is there already is answered with 200."""
    content = await request.body()
    image, sha256 = checked(content, request), hashlib.sha256(content).hexdigest()

    def look(conn: Connection) -> tuple[Photo | None, int]:
        _visible(conn, who, id)
        return store.same(conn, id, sha256), store.count(conn, id)

    known, count = await use.database.read(look)
    if known is not None:
        return answer(_shown(known))
    if count >= photos_per_incident_max:
        raise Problem(409, "conflict", "photos_full", names={"count": photos_per_incident_max})
    photo = Photo(
        use.ids.uuid7(), id, image.media_type, image.width, image.height, sha256, who.actor.id, use.clock.now()
    )
    told = {"photo": photo.id, "media_type": photo.media_type, "sha256": sha256}
    await act_on(
        request, use, who, id, Verb.PHOTO, told, also=lambda conn: attempt(conn, lambda c: store.add(c, photo, content))
    )
    return answer(_shown(photo), 201, {"location": f"{PREFIX}/incidents/{id}/photos/{photo.id}"})


@router.get("/{id}/photos", response_model=Page[PhotoOut])
async def list_photos(id: str, use: Use, who: Who) -> Response:
    """In the order in which they came."""

    def work(conn: Connection) -> list[Photo]:
        _visible(conn, who, id)
        return store.of_incident(conn, id)

    return answer({"items": [_shown(each) for each in await use.database.read(work)], "next": None})


@router.get("/{id}/photos/{photo_id}", response_class=Response, responses=ANSWERS)
async def read_photo(id: str, photo_id: str, request: Request, use: Use, who: Who) -> Response:
    """The picture as it was handed in. Its ETag is its SHA-256."""

    def work(conn: Connection) -> tuple[Photo, bytes] | None:
        _visible(conn, who, id)
        return store.content(conn, id, photo_id)

    found = await use.database.read(work)
    if found is None:
        raise not_found()
    photo, content = found
    headers = {
        "etag": f'"{photo.sha256}"',
        "cache-control": "private, no-cache",
        "content-disposition": f'inline; filename="{photo.id}.{SUFFIXES[photo.media_type]}"',
    }
    if photo.sha256 in tags(request, "if-none-match"):
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, photo.media_type)


def _visible(conn: Connection, who: Caller, incident_id: str) -> None:
    if not views.visible(conn, [incident_id], who.sight(conn)):
        raise not_found()


def _shown(photo: Photo) -> dict[str, Any]:
    values = {name: getattr(photo, name) for name in photo.__slots__}
    return PhotoOut.model_validate(values).model_dump(mode="json")
