"""Places as other sheets name them: by code, by id, or by their names from the top joined with "/". Never writes."""

from sqlalchemy import or_, select

from devices.bulk.heads import Table
from devices.store.bulk_tree import UNNUMBERED, Node
from devices.store.bulk_work import Work
from devices.store.tables import places

PATH_SEPARATOR = "/"
_BY_CODE = "SELECT id, path FROM node WHERE code = ? LIMIT 1"


class Places:
    """Finds places of the registry and of the files of this import, within the scope."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._found: dict[str, str | None] = {}
        work.stage.run("CREATE INDEX IF NOT EXISTS node_code ON node (code) WHERE code IS NOT NULL")

    def find(self, table: Table, row: int, column: str, text: str) -> str | None:
        """The place's id; None: a fault was told."""
        if text not in self._found:
            self._found[text] = self._look(text)
        found = self._found[text]
        if found is None:
            self._work.fault(table, row, column, "unknown_place", self._work.near(text, self._known), value=text)
        return found

    def _look(self, text: str) -> str | None:
        for id_, path in self._work.stage.query(_BY_CODE, (text,)):
            return str(id_) if self._work.scope.covers(path) else None
        query = select(places.c.id, places.c.path).where(or_(places.c.code == text, places.c.id == text))
        for id_, path in self._work.conn.execute(query):
            return str(id_) if self._work.scope.covers(path) else None
        return self._by_names(text)

    def _by_names(self, text: str) -> str | None:
        """A path of names; a name that holds the separator itself is tried whole."""
        found = self._walk(self._work.tree.root, text.split(PATH_SEPARATOR))
        return found.id if found is not None and self._work.scope.covers(found.path) else None

    def _walk(self, here: Node, names: list[str]) -> Node | None:
        for taken in range(1, len(names) + 1):
            name = PATH_SEPARATOR.join(names[:taken]).strip()
            for child in self._children(here, name):
                found = child if taken == len(names) else self._walk(child, names[taken:])
                if found is not None:
                    return found
        return None

    def _children(self, here: Node, name: str) -> list[Node]:
        self._work.tree.find(here, 0, "")  # loads them
        found = [node for (_, named), node in (here.kids or {}).items() if named == name]
        for node in found:
            if node.n == UNNUMBERED:
                self._work.tree.number(node, here, 0, 0)
        return found

    def _known(self) -> list[str]:
        """Codes that somebody may have meant."""
        known = [code for (code,) in self._work.stage.query("SELECT code FROM node WHERE code IS NOT NULL LIMIT 2000")]
        query = select(places.c.code).where(places.c.code.is_not(None), self._work.scope.on_path(places.c.path))
        return list(dict.fromkeys([*known, *self._work.conn.scalars(query.limit(2000))]))
