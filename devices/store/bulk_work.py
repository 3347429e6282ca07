"""What all parts of an import share while it is checked. Holds no query of its own."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from devices.bulk.faults import Faults, nearest
from devices.bulk.heads import Table
from devices.bulk.values import Bad, ShortIds
from devices.store.bulk_stage import Stage
from devices.store.bulk_tree import Tree
from devices.store.scope import Scope

CHUNK_ROWS = 4_096
NEAR_FAULTS_MAX = 1_000
CREATE, CHANGE, SAME_AS_IS = "create", "change", "same"


@dataclass(slots=True)
class Counts:
    """noun -> how many are created, changed, left as they are."""

    of: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, noun: str, what: str, number: int = 1) -> None:
        mine = self.of.setdefault(noun, {CREATE: 0, CHANGE: 0, SAME_AS_IS: 0})
        mine[what] += number

    @property
    def changes(self) -> int:
        return sum(each[CREATE] + each[CHANGE] for each in self.of.values())


@dataclass(slots=True)
class Work:
    """One check of some files against the registry as `conn` sees it."""

    conn: Connection
    stage: Stage
    scope: Scope
    now: datetime
    zone: ZoneInfo
    ids: ShortIds
    tree: Tree
    faults: Faults = field(default_factory=Faults)
    counts: Counts = field(default_factory=Counts)
    tables: list[Table] = field(default_factory=list)
    """By the number under which the staging file remembers where a row came from."""
    progress: Callable[[int], None] = lambda rows: None
    rows: int = 0
    reserved: frozenset[str] = frozenset()
    """Broker accounts that are no device's."""
    mask: Callable[[str], str] = str
    """How an export for other eyes shows a telephone number."""

    def fault(
        self, table: Table, row: int, column: str | None, code: str, near: str | None = None, /, **names: Any
    ) -> None:
        """Tell what is wrong with a cell."""
        self.faults.add(table.fault(row, column, code, near, **names))

    def bad(self, table: Table, row: int, column: str, bad: Bad, near: str | None = None) -> None:
        self.fault(table, row, column, bad.code, near, **bad.names)

    def near(self, value: str, known: Callable[[], Iterable[str]]) -> str | None:
        """The known value that was probably meant; nobody searches for the thousandth fault's."""
        return nearest(value, known()) if self.faults.total < NEAR_FAULTS_MAX else None

    def chunks(self, table: Table) -> Iterator[list[tuple[int, Any]]]:
        """The rows of a table, some thousands at a time; tells how far it is."""
        reading = table.rows(self.faults)
        while chunk := list(islice(reading, CHUNK_ROWS)):
            yield chunk
            self.rows += len(chunk)
            self.progress(self.rows)
