"""Queries on places, the administrative tree down to the room. Decides nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, or_, select, update

from devices.model import Place, PlaceKind
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import places


@dataclass(frozen=True, slots=True)
class PlaceRow:
    """A place as it is kept. `path` runs from the root down to and including its own id."""

    id: str
    kind: PlaceKind
    name: str
    name_en: str
    path: tuple[str, ...]
    code: str | None = None
    lat: float | None = None
    lon: float | None = None
    version: int = 1

    def __post_init__(self) -> None:
        if not self.path or self.path[-1] != self.id or len(set(self.path)) != len(self.path):
            raise ValueError(f"the path of place {self.id} does not lead to it, or goes in a circle")

    @property
    def parent_id(self) -> str | None:
        return self.path[-2] if len(self.path) > 1 else None

    @property
    def place(self) -> Place:
        return Place(self.id, self.kind, self.name, self.name_en, self.path, self.lat, self.lon)


_SELECT = select(
    places.c.id,
    places.c.kind,
    places.c.name,
    places.c.name_en,
    places.c.path,
    places.c.code,
    places.c.lat,
    places.c.lon,
    places.c.version,
)


def insert_many(conn: Connection, rows: Iterable[PlaceRow]) -> None:
    """Parents before children. IntegrityError for a code or id that exists, or a parent that does not."""
    values = [_values(row) | {"id": row.id, "version": row.version} for row in rows]
    if values:
        conn.execute(insert(places), values)


def get(conn: Connection, place_id: str) -> PlaceRow | None:
    row = conn.execute(_SELECT.where(places.c.id == place_id)).first()
    return None if row is None else _row(row)


def find(conn: Connection, reference: str) -> PlaceRow | None:
    """By id or by code; an id wins."""
    found = conn.execute(_SELECT.where(or_(places.c.id == reference, places.c.code == reference))).fetchall()
    rows = sorted((_row(row) for row in found), key=lambda row: row.id != reference)
    return rows[0] if rows else None


def page(
    conn: Connection,
    after: str | None,
    limit: int,
    *,
    kind: PlaceKind | None = None,
    parent_id: str | None = None,
    within: Scope = EVERYTHING,
) -> list[PlaceRow]:
    """In order of ids, at most 500."""
    query = after_id(_SELECT.where(within.on_path(places.c.path)), places.c.id, after, limit)
    if kind is not None:
        query = query.where(places.c.kind == kind.value)
    if parent_id is not None:
        query = query.where(places.c.parent_id == parent_id)
    return [_row(row) for row in conn.execute(query)]


def update_one(conn: Connection, row: PlaceRow) -> bool:
    """Write the row over its `version`, which goes up by one; False when somebody else was faster.

    A place with a new path takes everything below it along (their versions stay). ValueError when it would hang below
    itself.
    """
    before = get(conn, row.id)
    if before is None or before.version != row.version:
        return False
    changed = conn.execute(
        update(places)
        .where(places.c.id == row.id, places.c.version == row.version)
        .values(**_values(row), version=row.version + 1)
    )
    if changed.rowcount == 1 and before.path != row.path:
        _move_below(conn, before.path, row.path)
    return changed.rowcount == 1


def _move_below(conn: Connection, old: Sequence[str], new: Sequence[str]) -> None:
    prefix = "/".join(old) + "/"
    conn.execute(
        update(places)
        .where(func.substr(places.c.path, 1, len(prefix)) == prefix)
        .values(path="/".join(new) + "/" + func.substr(places.c.path, len(prefix) + 1))
    )


def _values(row: PlaceRow) -> dict[str, Any]:
    return {
        "parent_id": row.parent_id,
        "kind": row.kind.value,
        "code": row.code,
        "name": row.name,
        "name_en": row.name_en,
        "path": "/".join(row.path),
        "lat": row.lat,
        "lon": row.lon,
    }


def _row(row: Row[*tuple[Any, ...]]) -> PlaceRow:
    id_, kind, name, name_en, path, code, lat, lon, version = row
    return PlaceRow(id_, PlaceKind(kind), name, name_en, tuple(path.split("/")), code, lat, lon, version)
