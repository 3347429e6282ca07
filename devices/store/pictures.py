"""Queries on the pictures of places: a plan, a photograph of the door. Never reads what a picture shows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from devices.model import PictureKind
from devices.store.tables_places import place_pictures


@dataclass(frozen=True, slots=True)
class Picture:
    place_id: str
    kind: PictureKind
    media_type: str
    sha256: str
    content: bytes
    taken_at: datetime
    """When it was handed in."""


_T = place_pictures.c
_SELECT = select(_T.place_id, _T.kind, _T.media_type, _T.sha256, _T.content, _T.taken_at)


def get(conn: Connection, place_id: str, kind: PictureKind) -> Picture | None:
    row = conn.execute(_SELECT.where(_T.place_id == place_id, _T.kind == kind.value)).first()
    return None if row is None else Picture(row[0], PictureKind(row[1]), *row[2:])


def hash_of(conn: Connection, place_id: str, kind: PictureKind) -> str | None:
    """The SHA-256 of the picture that is there, without the picture."""
    return conn.scalar(select(_T.sha256).where(_T.place_id == place_id, _T.kind == kind.value))


def add(conn: Connection, picture: Picture) -> None:
    """IntegrityError when there is one, or the place is gone."""
    conn.execute(insert(place_pictures).values(place_id=picture.place_id, kind=picture.kind.value, **_values(picture)))


def replace(conn: Connection, picture: Picture, before: str) -> bool:
    """Over the picture with hash `before`; False when somebody else was faster."""
    mine = (_T.place_id == picture.place_id, _T.kind == picture.kind.value, _T.sha256 == before)
    return conn.execute(update(place_pictures).where(*mine).values(**_values(picture))).rowcount == 1


def remove(conn: Connection, place_id: str, kind: PictureKind, before: str) -> bool:
    """False when it is gone or another one."""
    mine = (_T.place_id == place_id, _T.kind == kind.value, _T.sha256 == before)
    return conn.execute(delete(place_pictures).where(*mine)).rowcount == 1


def _values(picture: Picture) -> dict[str, object]:
    return {
        "media_type": picture.media_type,
        "sha256": picture.sha256,
        "content": picture.content,
        "taken_at": picture.taken_at,
    }
