"""The part of the place tree a caller may see, as a condition that every query takes: the one helper for scope."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from sqlalchemy import ColumnElement, Connection, and_, exists, false, or_, select, true

from devices.store.tables import grid_places, grids, places

SEPARATOR, AFTER_SEPARATOR = "/", "0"
"""Paths are ids joined by `/`; `0` is the character that follows it, so all below `a/b` lies in ["a/b/", "a/b0")."""


@dataclass(frozen=True, slots=True)
class Scope:
    """`paths` None: everything. Otherwise what lies at or below one of these paths; () is nothing at all.

    What belongs to no place at all is seen only by those who see everything.
    """

    paths: tuple[str, ...] | None = None

    @property
    def everything(self) -> bool:
        return self.paths is None

    def covers(self, path: str | Sequence[str] | None) -> bool:
        """Whether a thing at this path (text or ids) may be seen."""
        if self.paths is None:
            return True
        if not path:
            return False
        text = path if isinstance(path, str) else SEPARATOR.join(path)
        return any(text == own or text.startswith(own + SEPARATOR) for own in self.paths)

    def on_path(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        """The condition on a column that holds a path."""
        if self.paths is None:
            return true()
        below = (and_(column >= path + SEPARATOR, column < path + AFTER_SEPARATOR) for path in self.paths)
        return or_(false(), *(column == path for path in self.paths), *below)

    def at_place(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        """The condition on a column that holds a place's id."""
        if self.paths is None:
            return true()
        inner = places.alias()  # the outer query may be over places itself
        return exists(select(inner.c.id).where(inner.c.id == column, self.on_path(inner.c.path)))

    def at_grid(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        """The condition on a column that holds a grid's id.

        A grid lies where its community lies; without one, where all that it covers lies together.
        """
        if self.paths is None:
            return true()
        return or_(false(), *(Scope((path,))._grid_below(column) for path in self.paths))

    def _grid_below(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        own, covering = grids.alias(), grid_places.alias()
        by_community = exists(select(own.c.id).where(own.c.id == column, self.at_place(own.c.community_id)))
        homeless = exists(select(own.c.id).where(own.c.id == column, own.c.community_id.is_(None)))
        covered = select(covering.c.grid_id).where(covering.c.grid_id == column)
        inside, outside = self.at_place(covering.c.place_id), ~self.at_place(covering.c.place_id)
        return or_(by_community, and_(homeless, exists(covered.where(inside)), ~exists(covered.where(outside))))


EVERYTHING = Scope()
NOTHING = Scope(())


def of_places(conn: Connection, place_ids: Iterable[str | None]) -> Scope:
    """The scope of somebody bound to these places; None among them sees everything. A place that is gone gives none."""
    wanted = list(place_ids)
    if None in wanted:
        return EVERYTHING
    found = conn.scalars(select(places.c.path).where(places.c.id.in_([each for each in wanted if each])))
    return Scope(tuple(sorted(found)))


def path_of_place(conn: Connection, place_id: str | None) -> str | None:
    """The path of a place as text; None for none, or one that is gone."""
    return None if place_id is None else conn.scalar(select(places.c.path).where(places.c.id == place_id))


def path_of_grid(conn: Connection, grid_id: str | None) -> str | None:
    """The path of a grid's community; without one, what the paths of all places it covers have in common."""
    if grid_id is None:
        return None
    community: str | None = conn.scalar(
        select(places.c.path).join(grids, grids.c.community_id == places.c.id).where(grids.c.id == grid_id)
    )
    if community is not None:
        return community
    covered = select(places.c.path).join(grid_places, grid_places.c.place_id == places.c.id)
    return common_path(conn.scalars(covered.where(grid_places.c.grid_id == grid_id)))


def common_path(paths: Iterable[str]) -> str | None:
    """What all these paths begin with; None where there is nothing, or nothing in common."""
    shared: list[str] | None = None
    for path in paths:
        ids = path.split(SEPARATOR)
        shared = ids if shared is None else _common(shared, ids)
    return SEPARATOR.join(shared) if shared else None


def _common(one: Sequence[str], other: Sequence[str]) -> list[str]:
    return [left for left, _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))]
