"""The place tree while an import reads its rows: nodes of the registry and of the file, found by parent, kind and name.

Only a bounded part is in memory; the rest lies in the staging file. Never writes to the registry.
"""

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, func, select

from devices.bulk.columns import LEVELS
from devices.bulk.values import ShortIds
from devices.model import PlaceKind
from devices.store.bulk_stage import CHANGED, NEW, SAME, Stage
from devices.store.lists import one_of
from devices.store.scope import AFTER_SEPARATOR, SEPARATOR, Scope
from devices.store.tables import grid_places, places

nodes_cached_max = 100_000
UNNUMBERED = -1
KIND_INDEX = {kind.value: index for index, kind in enumerate(LEVELS)}
COMMUNITY, COMPOUND = KIND_INDEX[PlaceKind.COMMUNITY], KIND_INDEX[PlaceKind.COMPOUND]

_COLUMNS = (
    places.c.id,
    places.c.kind,
    places.c.name,
    places.c.path,
    places.c.code,
    places.c.name_en,
    places.c.lat,
    places.c.lon,
)
_SELECT = select(*_COLUMNS)
_STAGED = "SELECT n, kind, name, id, path, code, name_en, lat, lon, state, given FROM node WHERE parent = ?"


@dataclass(slots=True, eq=False)
class Node:
    """A place as the import sees it. `n` is its number in the staging file; `given`: bits of what this file said."""

    n: int
    kind: int
    id: str
    path: str
    name: str
    code: str | None = None
    name_en: str = ""
    lat: float | None = None
    lon: float | None = None
    state: int = SAME
    given: int = 0
    label: int = 0
    """Characters of the names from the compound down."""
    kids: "dict[tuple[int, str], Node] | None" = None
    fresh: bool = False
    """Made by this file and in memory ever since: without `kids` it has no children."""


@dataclass(slots=True)
class Nodes:
    """What is kept of every numbered node: 20 bytes each."""

    parent: "array[int]" = field(default_factory=lambda: array("i", [0]))
    kind: bytearray = field(default_factory=lambda: bytearray(1))
    own_grid: "array[int]" = field(default_factory=lambda: array("i", [-1]))
    """-1: no row of its own, 0: rows without a grid, else the grid's number plus one."""
    grid_row: "array[int]" = field(default_factory=lambda: array("i", [0]))
    src: bytearray = field(default_factory=lambda: bytearray(1))
    covered: "array[int]" = field(default_factory=lambda: array("i", [0]))
    """The grid that covers it in the registry by now, plus one; 0: none."""


class Tree:
    """Finds and numbers places. What lies outside `scope` is found only on the way down to it."""

    def __init__(self, conn: Connection, stage: Stage, scope: Scope, ids: ShortIds) -> None:
        self._conn = conn
        self._stage = stage
        self._scope = scope
        self._ids = ids
        self._cached = 0
        self._dropped = False
        self._empty = conn.scalar(select(places.c.id).limit(1)) is None
        self._upper: dict[tuple[int, str], list[str]] | None = None
        self._grid_of: dict[str, str] = dict(conn.execute(_COVERING).all())
        self.grid_numbers: dict[str, int] = {}
        """Grid id -> number."""
        self.nodes = Nodes()
        self.root = Node(0, -1, "", "", "")
        self.roots = self._roots()

    def find(self, parent: Node, kind: int, name: str) -> Node | None:
        """The numbered or still unnumbered child of this name."""
        kids = parent.kids
        if kids is None:
            if parent.fresh:
                return None
            kids = self._load(parent)
        return kids.get((kind, name))

    def add(self, parent: Node, kind: int, name: str, values: Sequence[Any], given: int, src: int, row: int) -> Node:
        """A new place. `values`: code, name_en, lat, lon."""
        id_ = self._ids()
        path = f"{parent.path}/{id_}" if parent.path else id_
        code, name_en, lat, lon = values
        label = len(name) if kind <= COMPOUND else parent.label + len(name)
        number = len(self.nodes.kind)
        node = Node(number, kind, id_, path, name, code, name_en, lat, lon, NEW, given, label, None, True)
        self._count(number, node, parent, src)
        self._stage.add_node(
            (number, parent.n, kind, name, id_, parent.id or None, path, code, name_en, lat, lon, NEW, given, src, row)
        )
        kids = parent.kids
        if kids is None:
            kids = parent.kids = {}
        kids[(kind, name)] = node
        self._cached += 1
        return node

    def number(self, node: Node, parent: Node, src: int, row: int) -> None:
        """A place of the registry is named for the first time."""
        if node.n != UNNUMBERED:
            return
        node.n = len(self.nodes.kind)
        node.label = len(node.name) if node.kind <= COMPOUND else parent.label + len(node.name)
        self._count(node.n, node, parent, src)
        above = node.path.rpartition(SEPARATOR)[0].rpartition(SEPARATOR)[2] or None
        values = (node.code, node.name_en, node.lat, node.lon)
        self._stage.add_node(
            (node.n, parent.n, node.kind, node.name, node.id, above, node.path, *values, SAME, 0, src, row)
        )

    def change(self, node: Node, src: int, row: int) -> None:
        """Its values were changed in memory: the plan follows."""
        if node.state == SAME:
            node.state = CHANGED
        self._stage.change_node(
            (node.name, node.code, node.name_en, node.lat, node.lon, node.state, node.given, src, row, node.n)
        )

    def rename(self, parent: Node, node: Node, name: str) -> None:
        assert parent.kids is not None
        parent.kids.pop((node.kind, node.name), None)
        node.name = name
        parent.kids[(node.kind, name)] = node

    def anywhere(self, kind: int, name: str) -> list[str]:
        """Ids of the registry's places of this kind and name, compounds and larger, within the scope."""
        if self._upper is None:
            self._upper = {}
            wanted = [level.value for level in LEVELS[: COMPOUND + 1]]
            query = select(places.c.id, places.c.kind, places.c.name)
            query = query.where(places.c.kind.in_(wanted), self._scope.on_path(places.c.path))
            for id_, word, named in self._conn.execute(query):
                self._upper.setdefault((KIND_INDEX[word], named), []).append(id_)
        return self._upper.get((kind, name), [])

    def by_id(self, place_id: str, src: int, row: int) -> Node:
        """A place of the registry, numbered with everything above it."""
        path = self._conn.scalar(select(places.c.path).where(places.c.id == place_id))
        assert path is not None
        found = {
            item[0]: item
            for item in self._conn.execute(_SELECT.where(one_of(places.c.id, "ids")), {"ids": path.split(SEPARATOR)})
        }
        here = self.root
        for id_ in path.split(SEPARATOR):
            _, kind, name, *_ = found[id_]
            node = self.find(here, KIND_INDEX[kind], name)
            assert node is not None
            self.number(node, here, src, row)
            here = node
        return here

    @property
    def full(self) -> bool:
        return self._cached > nodes_cached_max

    def drop(self) -> None:
        """Forget the nodes in memory; who holds some must find them anew."""
        self.root = Node(0, -1, "", "", "")
        self._cached = 0
        self._dropped = True
        self._stage.run("CREATE INDEX IF NOT EXISTS node_parent ON node (parent)")

    def visible(self, path: str) -> bool:
        """Within the scope, or on the way down to it."""
        paths = self._scope.paths
        return paths is None or self._scope.covers(path) or any(own.startswith(path + SEPARATOR) for own in paths)

    def _roots(self) -> list[Node]:
        if self._empty:
            return []
        return [_node(row) for row in self._conn.execute(_SELECT.where(places.c.parent_id.is_(None)))]

    def _count(self, number: int, node: Node, parent: Node, src: int) -> None:
        nodes = self.nodes
        nodes.parent.append(parent.n)
        nodes.kind.append(node.kind)
        nodes.own_grid.append(-1)
        nodes.grid_row.append(0)
        nodes.src.append(src)
        own = self._grid_of.get(node.id) if node.state != NEW else None
        nodes.covered.append(nodes.covered[parent.n] if own is None else self.grid_number(own) + 1)

    def grid_number(self, grid_id: str) -> int:
        return self.grid_numbers.setdefault(grid_id, len(self.grid_numbers))

    def _load(self, parent: Node) -> dict[tuple[int, str], Node]:
        """Children of the registry, then those of the staging file over them."""
        kids: dict[tuple[int, str], Node] = {}
        parent.kids = kids
        if parent.state != NEW and not self._empty:
            self._load_known(parent, kids)
        if not self._dropped:  # nothing below it can have been staged before it was looked at
            self._cached += len(kids)
            return kids
        by_id = {node.id: key for key, node in kids.items()}
        for n, kind, name, id_, path, code, name_en, lat, lon, state, given in self._stage.query(_STAGED, (parent.n,)):
            kids.pop(by_id.get(id_, (-1, "")), None)
            label = len(name) if kind <= COMPOUND else parent.label + len(name)
            kids[(kind, name)] = Node(n, kind, id_, path, name, code, name_en, lat, lon, state, given, label)
        self._cached += len(kids)
        return kids

    def _load_known(self, parent: Node, kids: dict[tuple[int, str], Node]) -> None:
        if parent.kind >= COMPOUND and not self._dropped:
            for node in self._below(parent):
                kids[(node.kind, node.name)] = node
            return
        above = places.c.parent_id == parent.id if parent.id else places.c.parent_id.is_(None)
        for row in self._conn.execute(_SELECT.where(above)):
            node = _node(row)
            if self.visible(node.path):
                kids[(node.kind, node.name)] = node

    def _below(self, parent: Node) -> Iterator[Node]:
        """The children, each with all below it already at hand: one query for a whole compound."""
        prefix = parent.path + SEPARATOR
        inside = (places.c.path >= prefix) & (places.c.path < parent.path + AFTER_SEPARATOR)
        found: dict[str, Node] = {}
        for row in self._conn.execute(_SELECT.where(inside).order_by(func.length(places.c.path))):
            node = _node(row)
            node.kids = {}
            found[node.path] = node
            self._cached += 1
            above = found.get(node.path.rpartition(SEPARATOR)[0])
            if above is None:
                yield node
            else:
                above.kids[(node.kind, node.name)] = node  # type: ignore[index]


_COVERING = select(grid_places.c.place_id, grid_places.c.grid_id)


def _node(row: Any) -> Node:
    id_, kind, name, path, code, name_en, lat, lon = row
    return Node(UNNUMBERED, KIND_INDEX[kind], id_, path, name, code, name_en, lat, lon)
