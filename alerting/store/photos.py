"""Queries on photographs of incidents. Never reads what a picture shows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from alerting.store.tables_photos import incident_photos


@dataclass(frozen=True, slots=True)
class Photo:
    """Without its bytes."""

    id: str
    incident_id: str
    media_type: str
    width: int
    height: int
    sha256: str
    by: str
    taken_at: datetime
    """When it was handed in."""


_T = incident_photos.c
_SELECT = select(
    _T.id, _T.incident_id, _T.media_type, _T.width, _T.height, _T.sha256, _T.by, _T.taken_at
)  # everything but `content`


def add(conn: Connection, photo: Photo, content: bytes) -> None:
    """IntegrityError when this incident has the same picture already."""
    values = {name: getattr(photo, name) for name in photo.__slots__}
    conn.execute(insert(incident_photos).values(**values, content=content))


def of_incident(conn: Connection, incident_id: str) -> list[Photo]:
    """In the order in which they came."""
    return [Photo(*row) for row in conn.execute(_SELECT.where(_T.incident_id == incident_id).order_by(_T.id))]


def count(conn: Connection, incident_id: str) -> int:
    return int(conn.scalar(select(func.count()).where(_T.incident_id == incident_id)) or 0)


def same(conn: Connection, incident_id: str, sha256: str) -> Photo | None:
    """The picture with these bytes, where it is there already."""
    row = conn.execute(_SELECT.where(_T.incident_id == incident_id, _T.sha256 == sha256)).first()
    return None if row is None else Photo(*row)


def content(conn: Connection, incident_id: str, photo_id: str) -> tuple[Photo, bytes] | None:
    found = conn.execute(
        _SELECT.add_columns(_T.content).where(_T.id == photo_id, _T.incident_id == incident_id)
    ).first()
    return None if found is None else (Photo(*found[:-1]), found[-1])
