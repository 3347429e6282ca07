"""Reads the rows of a places sheet: the tree down to each row's deepest place, its values and its grid. Writes only the
staging file.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from devices.bulk.cells import clean, code
from devices.bulk.columns import LEVELS
from devices.bulk.heads import Table
from devices.bulk.values import CODE, Bad, coordinate, latin_fault, name_chars_max, place_name_en_chars_max
from devices.store.bulk_compounds import CompoundColumns
from devices.store.bulk_devices import DeviceColumns
from devices.store.bulk_grids import Grids
from devices.store.bulk_stage import NEW
from devices.store.bulk_tree import COMMUNITY, COMPOUND, Node
from devices.store.bulk_work import Work
from devices.store.lists import one_of
from devices.store.tables import places

label_chars_max = 36
"""An SMS of one part has room for about so many characters of a place beside what happened and where to answer."""
CODE_BIT, EN_BIT, POINT_BIT = 1, 2, 4
_NOTHING = (None, "", None, None)
_OWNERS = select(places.c.code, places.c.id, places.c.parent_id, places.c.kind).where(one_of(places.c.code, "codes"))


class PlaceRows:
    """The rows of one places sheet, in their order."""

    def __init__(self, work: Work, table: Table, grids: Grids) -> None:
        self._work = work
        self._tree = work.tree
        self._table = table
        self._src = work.tables.index(table)
        self._grids = grids
        at = table.at
        self._levels = [(kind, level.value, at[level]) for kind, level in enumerate(LEVELS) if level in at]
        self._cells = [index for _, _, index in self._levels]
        self._before: list[str] | None = None
        self._stack: list[Node] = []
        self._grid = at.get("grid")
        self._own = [(name, at[name]) for name in ("code", "name_en", "lat", "lon") if name in at]
        self._code = at.get("code")
        self._code_owners: dict[str, tuple[str, str | None, str]] = {}
        self._compounds = CompoundColumns(work, table)
        self._devices = DeviceColumns(work, table)

    def read(self) -> None:
        for chunk in self._work.chunks(self._table):
            if self._tree.full:
                self._tree.drop()
                self._before = None
            self._look_up_codes([cells for _, cells in chunk])
            self._devices.look_up([cells for _, cells in chunk])
            for number, cells in chunk:
                self._row(number, cells)
        self._compounds.finish()

    def _row(self, number: int, cells: Sequence[str]) -> None:
        raw = [cells[index] for index in self._cells]
        if raw == self._before and not self._own:
            node: Node | None = self._stack[-1] if self._stack else self._tree.root
        else:
            node = self._place(number, cells, raw)
        if node is None:
            self._before = None
            return
        if not node.n:
            self._placeless(number, cells)
            return
        if self._grid is not None or self._tree.nodes.own_grid[node.n] < 0:
            self._claim(number, node, cells)
        self._compounds.row(number, cells, self._stack)
        self._devices.row(number, cells, node)

    def _placeless(self, number: int, cells: Sequence[str]) -> None:
        """A row without any level may still name a device, which stays where it is."""
        if not self._devices.row(number, cells, None):
            self._work.fault(self._table, number, None, "no_place")
        elif self._grid is not None and cells[self._grid].strip():
            self._work.fault(self._table, number, "grid", "no_place")

    def _claim(self, number: int, node: Node, cells: Sequence[str]) -> None:
        """The row's grid is noted with its deepest place; the grids themselves are laid out in the end."""
        wanted_code = code(cells[self._grid]) if self._grid is not None else ""
        nodes = self._tree.nodes
        before = nodes.own_grid[node.n]
        if not wanted_code:
            if before < 0:
                nodes.own_grid[node.n] = 0
            return
        wanted = self._grids.number(wanted_code)
        if wanted is None:
            self._work.fault(self._table, number, "grid", "bad_code", value=wanted_code)
        elif node.kind < COMMUNITY:
            self._work.fault(self._table, number, "grid", "grid_too_large")
        elif before > 0 and before != wanted + 1:
            other = self._grids.code(before - 1)
            self._work.fault(self._table, number, "grid", "two_grids", other=nodes.grid_row[node.n], grid=other)
        elif before <= 0:
            nodes.own_grid[node.n] = wanted + 1
            nodes.grid_row[node.n] = number
            nodes.src[node.n] = self._src

    def _place(self, number: int, cells: Sequence[str], raw: list[str]) -> Node | None:
        """The row's deepest place, found or made; the root for a row without levels; None: a fault was told."""
        before, stack = self._before, self._stack
        same = 0
        if before is not None:
            for old, new in zip(before, raw, strict=True):
                if old != new:
                    break
                same += 1
        if same == len(raw):
            same -= 1  # its own values are looked at again
        del stack[same:]
        deepest = len(raw) - 1
        while deepest >= 0 and not raw[deepest].strip():
            deepest -= 1
        here = stack[-1] if stack else self._tree.root
        for position in range(same, len(raw)):
            name = clean(raw[position]) if position <= deepest else ""
            if name:
                own = self._own_values(number, cells) if position == deepest and self._own else (_NOTHING, 0)
                found = None if own is None else self._step(number, here, self._levels[position], name, own)
                if found is None:
                    return None
                here = found
            stack.append(here)
        self._before = raw
        return here

    def _step(
        self, number: int, here: Node, level: tuple[int, str, int], name: str, own: tuple[Sequence[Any], int]
    ) -> Node | None:
        kind, column, _ = level
        if len(name) > name_chars_max:
            self._no(number, column, "too_long", max=name_chars_max)
            return None
        if "\0" in name:
            self._no(number, column, "characters")
            return None
        found = self._tree.find(here, kind, name)
        if found is None and not here.n:
            top = self._top(number, kind, column, name)
            if top is None:
                return None
            here, found = top
        values, given = own
        if found is None and given & CODE_BIT:
            found = self._renamed(here, kind, values[0], name)
        if found is None:
            return self._new(number, here, level, name, own)
        self._tree.number(found, here, self._src, number)
        return found if not given or self._give(number, found, values, given) else None

    def _new(
        self, number: int, here: Node, level: tuple[int, str, int], name: str, own: tuple[Any, int]
    ) -> Node | None:
        kind, column, _ = level
        values, given = own
        if not self._work.scope.covers(here.path):
            self._no(number, column, "outside_scope")
            return None
        if given & CODE_BIT and values[0] in self._code_owners:
            self._no(number, "code", "code_taken", value=values[0])
            return None
        node = self._tree.add(here, kind, name, values, given, self._src, number)
        if node.label > label_chars_max >= here.label * (kind > COMPOUND):
            self._work.faults.warn(self._table.fault(number, column, "long_label", length=node.label))
        return node

    def _top(self, number: int, kind: int, column: str, name: str) -> tuple[Node, Node | None] | None:
        """Where a row hangs whose largest levels are left out: at the one place of that name, else below the only
        root, else it is a root itself. (parent, the place or None)."""
        tree = self._tree
        known = tree.anywhere(kind, name) if tree.roots else []
        if len(known) > 1:
            self._no(number, column, "ambiguous_place", value=name, count=len(known))
            return None
        if known:
            found = tree.by_id(known[0], self._src, number)
            return tree.root, found
        if len(tree.roots) == 1 and tree.roots[0].kind < kind and tree.visible(tree.roots[0].path):
            above = tree.by_id(tree.roots[0].id, self._src, number)
            return above, tree.find(above, kind, name)
        return tree.root, None

    def _renamed(self, here: Node, kind: int, code: str, name: str) -> Node | None:
        """The child of another name that has this row's code: it is called otherwise from now on."""
        owner = self._code_owners.get(code)
        if owner is None or owner[1] != (here.id or None) or owner[2] != LEVELS[kind]:
            return None
        for node in (here.kids or {}).values():
            if node.id == owner[0] and self._work.scope.covers(node.path):
                self._tree.number(node, here, self._src, 0)
                self._tree.rename(here, node, name)
                self._tree.change(node, self._src, 0)
                return node
        return None

    def _own_values(self, number: int, cells: Sequence[str]) -> tuple[Sequence[Any], int] | None:
        """((code, name_en, lat, lon), bits of what is given) of the row; None: a fault was told."""
        if not any(cells[index] for _, index in self._own):
            return _NOTHING, 0
        found = {name: clean(cells[index]) for name, index in self._own}
        code, name_en = found.get("code", ""), found.get("name_en", "")
        lat_text, lon_text = found.get("lat", ""), found.get("lon", "")
        if code and not CODE.fullmatch(code):
            self._no(number, "code", "bad_code", value=code)
            return None
        bad: Bad | None = latin_fault(name_en, place_name_en_chars_max) if name_en else None
        if bad is not None:
            self._no(number, "name_en", bad.code, **bad.names)
            return None
        lat = lon = None
        if lat_text or lon_text:
            one, other = coordinate(lat_text, 90.0), coordinate(lon_text, 180.0)
            if isinstance(one, Bad) or isinstance(other, Bad):
                column = "lon" if isinstance(one, float) and "lon" in self._table.at else "lat"
                self._no(number, column, "coordinates")
                return None
            lat, lon = one, other
        given = (CODE_BIT if code else 0) | (EN_BIT if name_en else 0) | (POINT_BIT if lat is not None else 0)
        return (code or None, name_en, lat, lon), given

    def _give(self, number: int, node: Node, values: Sequence[Any], given: int) -> bool:
        """Values for a place that is there: new ones change it, two in one file must agree. False: a fault was told."""
        code, name_en, lat, lon = values
        changed = False
        for bit, column, old, new in (
            (CODE_BIT, "code", node.code, code),
            (EN_BIT, "name_en", node.name_en, name_en),
            (POINT_BIT, "lat", (node.lat, node.lon), (lat, lon)),
        ):
            if not given & bit:
                continue
            if old != new and node.given & bit:
                self._no(number, column, "contradiction", other=str(old))
                return False
            changed = changed or old != new
        owner = self._code_owners.get(code) if given & CODE_BIT else None
        if owner is not None and owner[0] != node.id:
            self._no(number, "code", "code_taken", value=code)
            return False
        fresh = given & ~node.given
        if changed and not self._work.scope.covers(node.path):
            self._no(number, None, "outside_scope")
            return False
        node.given |= given
        if changed:
            node.code, node.name_en = code or node.code, name_en or node.name_en
            node.lat, node.lon = (lat, lon) if lat is not None else (node.lat, node.lon)
            self._tree.change(node, self._src, number)
        elif fresh and node.state == NEW:
            self._tree.change(node, self._src, number)
        return True

    def _look_up_codes(self, chunk: list[Sequence[str]]) -> None:
        if self._code is None or not self._tree.roots:
            return
        codes = {clean(cells[self._code]) for cells in chunk} - {""}
        self._code_owners = {}
        if codes:
            for code, id_, parent_id, kind in self._work.conn.execute(_OWNERS, {"codes": sorted(codes)}):
                self._code_owners[code] = (id_, parent_id, kind)

    def _no(self, number: int, column: str | None, code: str, /, **names: Any) -> Any:
        """Tell a fault of the row; None."""
        return self._work.fault(self._table, number, column, code, **names)
