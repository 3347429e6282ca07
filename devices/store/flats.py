"""Queries on flats 住户: how an installer left each, and the walk from door to door. Decides nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, exists, func, insert, select, update

from devices.model import DeviceState, FlatStatus, PlaceKind
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, SEPARATOR, Scope, path_of_place
from devices.store.tables import devices, places
from devices.store.tables_places import flats

NOT_VISITED = "not_visited"
"""In counts and filters: a flat without a row."""


@dataclass(frozen=True, slots=True)
class FlatRow:
    """One flat's last visit."""

    place_id: str
    status: FlatStatus
    visited_at: datetime
    visited_by: str
    note: str | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class Door:
    """A room on the walk, visited or not."""

    place_id: str
    name: str
    name_en: str
    flat: FlatRow | None


_T = flats.c
_FLAT = (_T.place_id, _T.status, _T.visited_at, _T.visited_by, _T.note, _T.version)
_DOORS = (
    select(places.c.id, places.c.name, places.c.name_en, *_FLAT)
    .select_from(places.outerjoin(flats, _T.place_id == places.c.id))
    .where(places.c.kind == PlaceKind.ROOM.value)
)


def get(conn: Connection, place_id: str) -> FlatRow | None:
    row = conn.execute(select(*_FLAT).where(_T.place_id == place_id)).first()
    return None if row is None else _row(row)


def add(conn: Connection, row: FlatRow) -> None:
    """IntegrityError where the flat has a row."""
    conn.execute(insert(flats).values(place_id=row.place_id, version=row.version, **_values(row)))


def update_one(conn: Connection, row: FlatRow) -> bool:
    """Write the row over its `version`, which goes up by one; False when somebody else was faster."""
    query = update(flats).where(_T.place_id == row.place_id, _T.version == row.version)
    return conn.execute(query.values(version=row.version + 1, **_values(row))).rowcount == 1


def doors(
    conn: Connection,
    under: Scope,
    after: str | None,
    limit: int,
    *,
    status: str | None = None,
    within: Scope = EVERYTHING,
) -> list[Door]:
    """The flats below a place in order of ids, at most 500; `status` may be NOT_VISITED."""
    query = _DOORS.where(under.on_path(places.c.path), within.on_path(places.c.path))
    query = after_id(_with_status(query, status), places.c.id, after, limit)
    return [Door(row[0], row[1], row[2], _row(row[3:]) if row[3] else None) for row in conn.execute(query)]


def counts(conn: Connection, under: Scope, *, within: Scope = EVERYTHING) -> dict[str, int]:
    """How many flats below a place stand at each status, NOT_VISITED included."""
    query = (
        select(_T.status, func.count())
        .select_from(places.outerjoin(flats, _T.place_id == places.c.id))
        .where(places.c.kind == PlaceKind.ROOM.value, under.on_path(places.c.path), within.on_path(places.c.path))
        .group_by(_T.status)
    )
    found = {status or NOT_VISITED: count for status, count in conn.execute(query)}
    return {status: found.get(status, 0) for status in (*FlatStatus, NOT_VISITED)}


def flat_of(conn: Connection, place_id: str | None) -> str | None:
    """The flat that a place is, or lies in; None for a place outside any flat."""
    path = path_of_place(conn, place_id)
    if path is None:
        return None
    rooms = select(places.c.id).where(places.c.id.in_(path.split(SEPARATOR)), places.c.kind == PlaceKind.ROOM.value)
    return conn.scalar(rooms.order_by(places.c.path.desc()).limit(1))


def enrolled(conn: Connection, place_id: str | None, now: datetime, by: str) -> str | None:
    """A device was put up in a flat: it is to be tested. The flat's id, None outside any flat."""
    flat_id = flat_of(conn, place_id)
    if flat_id is None:
        return None
    known = get(conn, flat_id)
    row = FlatRow(
        flat_id, FlatStatus.TO_BE_TESTED, now, by, known.note if known else None, known.version if known else 1
    )
    if known is None:
        add(conn, row)
    else:
        update_one(conn, row)
    return flat_id


def tested(conn: Connection, place_id: str | None) -> bool:
    """A device in a flat was commissioned: when that was the last one there, the flat is done. True when it is."""
    flat_id = flat_of(conn, place_id)
    known = get(conn, flat_id) if flat_id else None
    if flat_id is None or known is None or known.status is not FlatStatus.TO_BE_TESTED:
        return False
    settled = (DeviceState.COMMISSIONED.value, DeviceState.REMOVED.value)
    inside = select(places.c.id).where(Scope((path_of_place(conn, flat_id) or "",)).on_path(places.c.path))
    if conn.scalar(select(exists().where(devices.c.place_id.in_(inside), devices.c.state.not_in(settled)))):
        return False
    done = FlatRow(flat_id, FlatStatus.INSTALLED, known.visited_at, known.visited_by, known.note, known.version)
    return update_one(conn, done)


def _with_status(query: Select[Any], status: str | None) -> Select[Any]:
    if status is None:
        return query
    return query.where(_T.status.is_(None) if status == NOT_VISITED else _T.status == status)


def _values(row: FlatRow) -> dict[str, Any]:
    return {
        "status": row.status.value,
        "visited_at": row.visited_at,
        "visited_by": row.visited_by[:64],
        "note": row.note,
    }


def _row(columns: Any) -> FlatRow:
    place_id, status, visited_at, visited_by, note, version = columns
    return FlatRow(place_id, FlatStatus(status), visited_at, visited_by, note, version)
