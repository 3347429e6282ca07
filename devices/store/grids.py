"""Queries on grids: the places they cover, their own people, neighbours and night rule. Decides nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, insert, or_, select, update

from devices.store.lists import one_of
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import grid_places, grids
from devices.store.tables_duty import grid_members, grid_neighbours


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
    worker_ids: tuple[str, ...] = ()
    """Its own people: without a roster the first is the primary, the others are deputies."""
    neighbour_ids: tuple[str, ...] = ()
    """The grids that help it, in order."""
    night: tuple[int, int] | None = None
    """Local minutes of the day [from, to) in which its standing duty gives way to the community's duty list."""


_SELECT = select(
    grids.c.id,
    grids.c.code,
    grids.c.name,
    grids.c.name_en,
    grids.c.community_id,
    grids.c.version,
    grids.c.night_from,
    grids.c.night_to,
)
_COVERED = (
    select(grid_places.c.grid_id, grid_places.c.place_id)
    .where(one_of(grid_places.c.grid_id, "grid_ids"))
    .order_by(grid_places.c.place_id)
)
_MEMBERS = (
    select(grid_members.c.grid_id, grid_members.c.person_id)
    .where(one_of(grid_members.c.grid_id, "grid_ids"))
    .order_by(grid_members.c.rank, grid_members.c.person_id)
)
_NEIGHBOURS = (
    select(grid_neighbours.c.grid_id, grid_neighbours.c.neighbour_id)
    .where(one_of(grid_neighbours.c.grid_id, "grid_ids"))
    .order_by(grid_neighbours.c.rank, grid_neighbours.c.neighbour_id)
)


def insert_many(conn: Connection, rows: Iterable[GridRow]) -> None:
    """IntegrityError for a code or id that exists, a place that does not, one that another grid covers, or an unknown
    person or neighbour."""
    rows = list(rows)
    if rows:
        conn.execute(insert(grids), [_values(row) | {"id": row.id, "version": row.version} for row in rows])
        _attach(conn, rows)


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
    """Write the row and what hangs on it over its `version`, which goes up by one; False when somebody was faster."""
    changed = conn.execute(
        update(grids)
        .where(grids.c.id == row.id, grids.c.version == row.version)
        .values(**_values(row), version=row.version + 1)
    )
    if changed.rowcount != 1:
        return False
    for table in (grid_places, grid_members, grid_neighbours):
        conn.execute(delete(table).where(table.c.grid_id == row.id))
    _attach(conn, [row])
    return True


def _attach(conn: Connection, rows: Iterable[GridRow]) -> None:
    """Places, members and neighbours, the latter two in their order."""
    for row in rows:
        covered = [{"grid_id": row.id, "place_id": place_id} for place_id in dict.fromkeys(row.place_ids)]
        own = [{"grid_id": row.id, "person_id": who, "rank": rank} for rank, who in _ranked(row.worker_ids)]
        near = [{"grid_id": row.id, "neighbour_id": other, "rank": rank} for rank, other in _ranked(row.neighbour_ids)]
        for table, values in ((grid_places, covered), (grid_members, own), (grid_neighbours, near)):
            if values:
                conn.execute(insert(table), values)


def _ranked(ids: Iterable[str]) -> list[tuple[int, str]]:
    return list(enumerate(dict.fromkeys(ids)))


def _values(row: GridRow) -> dict[str, Any]:
    night_from, night_to = row.night or (None, None)
    return {
        "code": row.code,
        "name": row.name,
        "name_en": row.name_en,
        "community_id": row.community_id,
        "night_from": night_from,
        "night_to": night_to,
    }


def _first(conn: Connection, found: Sequence[Row[*tuple[Any, ...]]], reference: str) -> GridRow | None:
    rows = sorted(_rows(conn, found), key=lambda row: row.id != reference)
    return rows[0] if rows else None


def _rows(conn: Connection, found: Sequence[Row[*tuple[Any, ...]]]) -> list[GridRow]:
    if not found:
        return []
    ids = [row[0] for row in found]
    covered, own, near = (_listed(conn, query, ids) for query in (_COVERED, _MEMBERS, _NEIGHBOURS))
    return [
        GridRow(
            id_,
            code,
            name,
            name_en,
            community_id,
            covered.get(id_, ()),
            version,
            own.get(id_, ()),
            near.get(id_, ()),
            None if night_from is None else (night_from, night_to),
        )
        for id_, code, name, name_en, community_id, version, night_from, night_to in found
    ]


def _listed(conn: Connection, query: Select[Any], grid_ids: list[str]) -> dict[str, tuple[str, ...]]:
    """Grid -> the second column of its rows, in the query's order."""
    found: dict[str, list[str]] = {}
    for grid_id, other in conn.execute(query, {"grid_ids": grid_ids}):
        found.setdefault(grid_id, []).append(other)
    return {grid_id: tuple(others) for grid_id, others in found.items()}
