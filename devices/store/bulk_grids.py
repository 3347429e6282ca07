"""Grids of an import: those the grids sheet tells of and those that places rows name. Writes only the staging file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from devices.bulk.cells import clean
from devices.bulk.heads import Table
from devices.bulk.values import CODE, Bad, latin_fault, name_fault, night, place_name_en_chars_max, split
from devices.store.bulk_coverage import cover
from devices.store.bulk_people import People
from devices.store.bulk_references import Places
from devices.store.bulk_work import CHANGE, CREATE, SAME_AS_IS, Work
from devices.store.scope import path_of_grid
from devices.store.tables import grids
from devices.store.tables_duty import grid_members, grid_neighbours

_GRIDS = select(
    grids.c.id,
    grids.c.code,
    grids.c.name,
    grids.c.name_en,
    grids.c.community_id,
    grids.c.night_from,
    grids.c.night_to,
)
_MEMBERS = select(grid_members.c.grid_id, grid_members.c.person_id).order_by(
    grid_members.c.grid_id, grid_members.c.rank
)
_NEIGHBOURS = select(grid_neighbours.c.grid_id, grid_neighbours.c.neighbour_id).order_by(
    grid_neighbours.c.grid_id, grid_neighbours.c.rank
)


@dataclass(slots=True)
class Grid:
    """A grid as the import sees it; `row` is the row of the grids sheet that tells of it, 0: none does."""

    number: int
    id: str
    code: str
    values: list[Any]
    """name, name_en, community_id, night_from, night_to"""
    known: bool
    row: int = 0
    changed: bool = False
    used: bool = False


class Grids:
    """Every grid of the registry and of the files, by its code."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._by_code: dict[str, Grid] = {}
        self._by_number: dict[int, Grid] = {}
        for id_, code, *values in work.conn.execute(_GRIDS):
            self._keep(Grid(work.tree.grid_number(id_), id_, code, list(values), known=True))
        self._lists: dict[str, dict[str, list[str]]] = {}
        self._known_lists: dict[str, dict[str, list[str]]] = {}

    def codes(self) -> Sequence[str]:
        return list(self._by_code)

    def code(self, number: int) -> str:
        return self._by_number[number].code

    def number(self, code: str) -> int | None:
        """The number of the grid a places row names; it is made where there is none. None: no code."""
        grid = self._by_code.get(code) or self._make(code)
        if grid is None:
            return None
        grid.used = True
        return grid.number

    def find(self, code: str) -> Grid | None:
        """A grid that is there, or will be, within the scope."""
        grid = self._by_code.get(code)
        if grid is None or (grid.known and not self._visible(grid)):
            return None
        return grid

    def read(self, table: Table, people: People, place_refs: Places) -> None:
        """A grids sheet. Its references are resolved when all its rows are known: neighbours may stand below."""
        rows = [(number, cells) for chunk in self._work.chunks(table) for number, cells in chunk]
        kept = [
            (number, cells, grid) for number, cells in rows if (grid := self._row(table, number, cells, place_refs))
        ]
        for number, cells, grid in kept:
            self._people_of(table, number, cells, grid, people)
            self._neighbours_of(table, number, cells, grid)

    def finish(self) -> None:
        """Which places the grids cover, and what becomes of each grid that was named."""
        for place_id, number in cover(self._work, self.code):
            grid = self._by_number[number]
            self._work.stage.step("grid_place_add", place_id, grid.id)
            self._work.counts.add("coverage", CREATE)
            grid.changed = True
        for grid in self._by_code.values():
            if not (grid.row or grid.used):
                continue
            if not grid.known:
                self._work.stage.step("grid_add", grid.id, grid.code, *grid.values)
                self._work.counts.add("grids", CREATE)
            elif grid.changed:
                self._work.stage.step("grid_change", grid.id, *grid.values)
                self._work.counts.add("grids", CHANGE)
            else:
                self._work.counts.add("grids", SAME_AS_IS)
        for kind, of in self._lists.items():
            for grid_id, members in of.items():
                self._work.stage.step(f"{kind}_clear", grid_id)
                for rank, member in enumerate(members):
                    self._work.stage.step(f"{kind}_add", grid_id, member, rank)

    def _keep(self, grid: Grid) -> Grid:
        self._by_code[grid.code] = self._by_number[grid.number] = grid
        return grid

    def _make(self, code: str) -> Grid | None:
        if not CODE.fullmatch(code):
            return None
        id_ = self._work.ids()
        return self._keep(Grid(self._work.tree.grid_number(id_), id_, code, [code, "", None, None, None], known=False))

    def _visible(self, grid: Grid) -> bool:
        scope = self._work.scope
        return scope.everything or scope.covers(path_of_grid(self._work.conn, grid.id))

    def _row(self, table: Table, number: int, cells: Sequence[str], place_refs: Places) -> Grid | None:
        told = {name: clean(cells[index]) for name, index in table.at.items()}
        work, code = self._work, told["code"]
        if not CODE.fullmatch(code):
            work.fault(table, number, "code", "bad_code" if code else "missing", value=code, column="code")
            return None
        grid = self._by_code.get(code) or self._make(code)
        assert grid is not None
        if grid.row:
            work.fault(table, number, "code", "code_twice", value=code, other=grid.row)
            return None
        if grid.known and not self._visible(grid):
            work.fault(table, number, "code", "code_taken", value=code)
            return None
        grid.row = number
        values = self._values(table, number, told, grid, place_refs)
        if values is not None and values != grid.values:
            grid.values, grid.changed = values, True
        return grid

    def _values(
        self, table: Table, number: int, told: dict[str, str], grid: Grid, place_refs: Places
    ) -> list[Any] | None:
        """The grid's values with what the row says; None: a fault was told."""
        name, name_en, community_id, begins, ends = grid.values
        bad = name_fault(told.get("name", "")) or latin_fault(told.get("name_en", ""), place_name_en_chars_max)
        if bad is not None:
            self._work.bad(table, number, "name" if name_fault(told.get("name", "")) else "name_en", bad)
            return None
        if told.get("night"):
            period = night(told["night"])
            if isinstance(period, Bad):
                self._work.bad(table, number, "night", period)
                return None
            begins, ends = period
        if told.get("community"):
            found = place_refs.find(table, number, "community", told["community"])
            if found is None:
                return None
            community_id = found
        elif not grid.known and not self._work.scope.everything:
            self._work.fault(table, number, None, "outside_scope")
            return None
        return [told.get("name") or name, told.get("name_en") or name_en, community_id, begins, ends]

    def _people_of(self, table: Table, number: int, cells: Sequence[str], grid: Grid, people: People) -> None:
        codes = self._codes(table, number, cells, "workers")
        wanted = []
        for code in codes:
            person_id = people.id_of(code)
            if person_id is None:
                near = self._work.near(code, people.codes)
                self._work.fault(table, number, "workers", "unknown_person", near, value=code)
            else:
                wanted.append(person_id)
        if codes and len(wanted) == len(codes):
            self._replace("member", grid, wanted)

    def _neighbours_of(self, table: Table, number: int, cells: Sequence[str], grid: Grid) -> None:
        codes = self._codes(table, number, cells, "neighbours")
        wanted = []
        for code in codes:
            other = self.find(code)
            if other is None or other is grid:
                word = "own_neighbour" if other is grid else "unknown_grid"
                near = None if other is grid else self._work.near(code, self.codes)
                self._work.fault(table, number, "neighbours", word, near, value=code)
            else:
                other.used = True
                wanted.append(other.id)
        if codes and len(wanted) == len(codes):
            self._replace("neighbour", grid, wanted)

    def _codes(self, table: Table, number: int, cells: Sequence[str], column: str) -> list[str]:
        codes = split(clean(cells[table.at[column]])) if column in table.at else []
        twice = next((code for code in codes if codes.count(code) > 1), None)
        if twice is not None:
            self._work.fault(table, number, column, "twice_in_cell", value=twice)
            return []
        return codes

    def _replace(self, kind: str, grid: Grid, wanted: list[str]) -> None:
        if grid.known and self._listed(kind).get(grid.id, []) == wanted:
            return
        self._lists.setdefault(kind, {})[grid.id] = wanted
        if grid.known:
            grid.changed = True

    def _listed(self, kind: str) -> dict[str, list[str]]:
        """The registry's members or neighbours of every grid, in their order; read once."""
        known = self._known_lists
        if kind not in known:
            known[kind] = {}
            for grid_id, other in self._work.conn.execute(_MEMBERS if kind == "member" else _NEIGHBOURS):
                known[kind].setdefault(grid_id, []).append(other)
        return known[kind]
