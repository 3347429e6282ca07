"""Queries on what no grid covers: the largest such places below one place. Never walks rooms one by one."""

from dataclasses import dataclass

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    Connection,
    Exists,
    Select,
    exists,
    func,
    literal,
    or_,
    select,
    union_all,
)

from devices.model import PlaceKind
from devices.store.lists import one_of
from devices.store.pages import after_id
from devices.store.scope import SEPARATOR, Scope, path_of_place
from devices.store.tables import devices, grid_places, places


@dataclass(frozen=True, slots=True)
class Gap:
    """A place that belongs to no grid, though the place above it does, at least in part."""

    place_id: str
    kind: PlaceKind
    name: str
    path: tuple[str, ...]
    whole: bool
    """With everything below it; else it alone: some of what is below it has a grid."""
    rooms: int
    devices: int
    """Both count what the gap holds."""


def gaps(conn: Connection, place_id: str, after: str | None, limit: int) -> list[Gap]:
    """Below and including one place, in order of ids, at most 500. A place without any grid below it is one gap.

    Every room and every device below `place_id` resolves to a grid or lies in exactly one gap.
    """
    path = path_of_place(conn, place_id)
    if path is None or _covered(conn, path.split(SEPARATOR)):
        return []
    partly = _partly_covered(path)
    ids = _ids(place_id, partly, _open_places(place_id, partly))
    in_part = places.c.id.in_(select(partly.c.id))
    query = select(places.c.id, places.c.kind, places.c.name, places.c.path, ~in_part).where(places.c.id.in_(ids))
    found = conn.execute(after_id(query, places.c.id, after, limit)).fetchall()
    return [
        Gap(
            id_,
            PlaceKind(kind),
            name,
            tuple(path.split(SEPARATOR)),
            bool(all_of_it),
            *_inside(conn, path, bool(all_of_it)),
        )
        for id_, kind, name, path, all_of_it in found
    ]


def _covered(conn: Connection, path: list[str]) -> bool:
    """Does a grid cover this place itself or one above it?"""
    query = select(grid_places.c.place_id).where(one_of(grid_places.c.place_id, "ids")).limit(1)
    return conn.execute(query, {"ids": path}).first() is not None


def _partly_covered(path: str) -> CTE:
    """The places above those at or below `path` that a grid covers, each once: up from the grids, which are few, not
    down to the rooms."""
    here = Scope((path,)).on_path(places.c.path.concat(""))  # no index on it: SQLite would begin with every room
    query = (
        select(places.c.parent_id.label("id"))
        .where(places.c.id.in_(select(grid_places.c.place_id)), here, places.c.parent_id.is_not(None))
        .cte("partly", recursive=True)
    )
    above = places.alias("above")
    step = select(above.c.parent_id).join(query, query.c.id == above.c.id)
    return query.union(step.where(above.c.parent_id.is_not(None)))


def _open_places(place_id: str, partly: CTE) -> CTE:
    """From one place down through those that are covered in part only, as far as no grid covers them themselves."""
    first: Select[tuple[str]] = select(partly.c.id).where(partly.c.id == literal(place_id))
    query = first.cte("open_places", recursive=True)
    child = places.alias("child")
    step = select(child.c.id).join(query, query.c.id == child.c.parent_id).join(partly, partly.c.id == child.c.id)
    return query.union_all(step.where(~_has_grid(child.c.id)))


def _ids(place_id: str, partly: CTE, open_places: CTE) -> CompoundSelect[tuple[str]]:
    """The gaps: what stands whole below an open place; the first place itself; open rooms, and open places that have
    devices of their own."""
    child, alone = places.alias("below"), places.alias("alone")
    touched = select(partly.c.id)
    below = select(child.c.id).join(open_places, open_places.c.id == child.c.parent_id)
    fitted = exists(select(devices.c.id).where(devices.c.place_id == alone.c.id))
    return union_all(
        below.where(child.c.id.not_in(touched), ~_has_grid(child.c.id)),
        select(literal(place_id)).where(literal(place_id).not_in(touched)),
        select(alone.c.id)
        .join(open_places, open_places.c.id == alone.c.id)
        .where(or_(alone.c.kind == PlaceKind.ROOM.value, fitted)),
    )


def _inside(conn: Connection, path: str, whole: bool) -> tuple[int, int]:
    """How many rooms and devices there are at a place, and below it too where the gap is the whole of it."""
    here = Scope((path,)).on_path(places.c.path) if whole else places.c.path == path
    rooms = select(func.count()).select_from(places).where(here, places.c.kind == PlaceKind.ROOM.value)
    fitted = select(func.count()).select_from(devices.join(places, places.c.id == devices.c.place_id)).where(here)
    return conn.scalar(rooms) or 0, conn.scalar(fitted) or 0


def _has_grid(place_id: ColumnElement[str]) -> Exists:
    return exists(select(grid_places.c.place_id).where(grid_places.c.place_id == place_id))
