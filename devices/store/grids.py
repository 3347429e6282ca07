"""Queries on grids and the places they cover. Decides nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, or_, select, update

from devices.store.lists import one_of
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import grid_places, grids


@dataclass(frozen=True, slots=True)
class GridRow:
    """A grid 网格 and the places it covers with all below them. A place is covered by one grid at most."""

    id: str
    code: str
    name: str
    name_en: str
    community_id: str | None = None
    place_ids: tuple[str, ...] = ()
    version: int = 1


_SELECT = select(grids.c.id, grids.c.code, grids.c.name, grids.c.name_en, grids.c.community_id, grids.c.version)
_COVERED = (
    select(grid_places.c.grid_id, grid_places.c.place_id)
    .where(one_of(grid_places.c.grid_id, "grid_ids"))
    .order_by(grid_places.c.place_id)
)


def insert_many(conn: Connection, rows: Iterable[GridRow]) -> None:
    """IntegrityError for a code or id that exists, a place that does not, or one that another grid covers."""
    rows = list(rows)
    if rows:
        conn.execute(insert(grids), [_values(row) | {"id": row.id, "version": row.version} for row in rows])
        _cover(conn, rows)


def get(conn: Connection, grid_id: str) -> GridRow | None:
    return _first(conn, conn.execute(_SELECT.where(grids.c.id == grid_id)).fetchall(), grid_id)


def find(conn: Connection, reference: str) -> GridRow | None:
    """By id or by code; an id wins."""
    query = _SELECT.where(or_(grids.c.id == reference, grids.c.code == reference))
    return _first(conn, conn.execute(query).fetchall(), reference)


def page(conn: Connection, after: str | None, limit: int, *, within: Scope = EVERYTHING) -> list[GridRow]:
    """In order of ids, at most 500."""
    query = _SELECT.where(within.at_grid(grids.c.id))
    return _rows(conn, conn.execute(after_id(query, grids.c.id, after, limit)).fetchall())


def update_one(conn: Connection, row: GridRow) -> bool:
    """Write the row and its places over its `version`, which goes up by one; False when somebody else was faster."""
    changed = conn.execute(
        update(grids)
        .where(grids.c.id == row.id, grids.c.version == row.version)
        .values(**_values(row), version=row.version + 1)
    )
    if changed.rowcount != 1:
        return False
    conn.execute(delete(grid_places).where(grid_places.c.grid_id == row.id))
    _cover(conn, [row])
    return True


def _cover(conn: Connection, rows: Iterable[GridRow]) -> None:
    covered = [{"grid_id": row.id, "place_id": place_id} for row in rows for place_id in dict.fromkeys(row.place_ids)]
    if covered:
        conn.execute(insert(grid_places), covered)


def _values(row: GridRow) -> dict[str, Any]:
    return {"code": row.code, "name": row.name, "name_en": row.name_en, "community_id": row.community_id}


def _first(conn: Connection, found: Sequence[Row[*tuple[Any, ...]]], reference: str) -> GridRow | None:
    rows = sorted(_rows(conn, found), key=lambda row: row.id != reference)
    return rows[0] if rows else None


def _rows(conn: Connection, found: Sequence[Row[*tuple[Any, ...]]]) -> list[GridRow]:
    if not found:
        return []
    covered: dict[str, list[str]] = {}
    for grid_id, place_id in conn.execute(_COVERED, {"grid_ids": [row[0] for row in found]}):
        covered.setdefault(grid_id, []).append(place_id)
    return [
        GridRow(id_, code, name, name_en, community_id, tuple(covered.get(id_, ())), version)
        for id_, code, name, name_en, community_id, version in found
    ]
