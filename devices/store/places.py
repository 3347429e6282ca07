"""Queries on places, the administrative tree down to the room. Decides nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from devices.model import PictureKind, Place, PlaceKind
from devices.store.lists import joined_lines
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, SEPARATOR, Scope
from devices.store.tables import places
from devices.store.tables_places import compounds, place_pictures


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
    pictures: tuple[PictureKind, ...] = ()
    """Which there are. Read only: `devices.store.pictures` writes them."""

    def __post_init__(self) -> None:
        if not self.path or self.path[-1] != self.id or len(set(self.path)) != len(self.path):
            raise ValueError(f"the path of place {self.id} does not lead to it, or goes in a circle")

    @property
    def parent_id(self) -> str | None:
        return self.path[-2] if len(self.path) > 1 else None

    @property
    def place(self) -> Place:
        return Place(self.id, self.kind, self.name, self.name_en, self.path, self.lat, self.lon)


_PICTURES = (
    select(joined_lines(place_pictures.c.kind))
    .where(place_pictures.c.place_id == places.c.id)
    .correlate(places)
    .scalar_subquery()
)
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
    _PICTURES,
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
    under: Scope = EVERYTHING,
    within: Scope = EVERYTHING,
) -> list[PlaceRow]:
    """In order of ids, at most 500. `under`: a part of the tree that is asked for; `within`: what may be seen."""
    seen = (within.on_path(places.c.path), under.on_path(places.c.path))
    query = after_id(_SELECT.where(*seen), places.c.id, after, limit)
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


def lock(conn: Connection, place_id: str) -> PlaceRow | None:
    """The place as it is, and nobody moves, names a child of, or removes it until this transaction ends.

    On SQLite there is one writer anyway.
    """
    conn.execute(select(places.c.id).where(places.c.id == place_id).with_for_update()).first()
    return get(conn, place_id)


def sibling(conn: Connection, parent_id: str | None, kind: PlaceKind, name: str, but_not: str) -> PlaceRow | None:
    """Another place of this kind and name directly below the same parent (None: at the top)."""
    below = places.c.parent_id.is_(None) if parent_id is None else places.c.parent_id == parent_id
    query = _SELECT.where(below, places.c.kind == kind.value, places.c.name == name, places.c.id != but_not)
    row = conn.execute(query.order_by(places.c.id).limit(1)).first()
    return None if row is None else _row(row)


def kinds_below(conn: Connection, place_id: str) -> set[PlaceKind]:
    """Of what kinds its children are."""
    query = select(places.c.kind).where(places.c.parent_id == place_id).distinct()
    return {PlaceKind(kind) for kind in conn.scalars(query)}


def remove(conn: Connection, place_id: str, version: int) -> bool:
    """With its pictures and what it is as a compound; False when somebody else changed it.

    IntegrityError while anything else stands on it: ask `devices.store.standing` first.
    """
    if conn.scalar(select(places.c.version).where(places.c.id == place_id).with_for_update()) != version:
        return False
    conn.execute(delete(place_pictures).where(place_pictures.c.place_id == place_id))
    conn.execute(delete(compounds).where(compounds.c.place_id == place_id))
    return conn.execute(delete(places).where(places.c.id == place_id)).rowcount == 1


def _move_below(conn: Connection, old: Sequence[str], new: Sequence[str]) -> None:
    """Twice: the second statement sees a child that was born while the first waited for its parent's lock."""
    prefix = SEPARATOR.join(old) + SEPARATOR
    below = Scope((prefix[:-1],)).on_path(places.c.path)
    moved = SEPARATOR.join(new) + SEPARATOR + func.substr(places.c.path, len(prefix) + 1)
    for _ in range(2):
        conn.execute(update(places).where(below).values(path=moved))


def _values(row: PlaceRow) -> dict[str, Any]:
    return {
        "parent_id": row.parent_id,
        "kind": row.kind.value,
        "code": row.code,
        "name": row.name,
        "name_en": row.name_en,
        "path": SEPARATOR.join(row.path),
        "lat": row.lat,
        "lon": row.lon,
    }


def _row(row: Row[*tuple[Any, ...]]) -> PlaceRow:
    id_, kind, name, name_en, path, code, lat, lon, version, pictures = row
    kept = tuple(sorted(map(PictureKind, pictures.split("\n")))) if pictures else ()
    return PlaceRow(id_, PlaceKind(kind), name, name_en, tuple(path.split(SEPARATOR)), code, lat, lon, version, kept)
