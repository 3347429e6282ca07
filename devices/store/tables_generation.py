"""The generation of the registry on SQLite: a number that every write to what duty rests on raises, in its transaction.

Kept by the database itself, so that no writer can forget it. PostgreSQL keeps none: one row would queue all writers.
"""

from sqlalchemy import DDL, Column, Integer, Table, event

from devices.store.tables import contact_points, grid_places, grids, people, places, shifts
from devices.store.tables_duty import grid_members, grid_neighbours, leaves, overrides, pattern_slots, patterns
from devices.store.types import metadata

registry_generation = Table(
    "registry_generation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("n", Integer, nullable=False),
)
COUNTED: tuple[Table, ...] = (
    places,
    grids,
    grid_places,
    people,
    contact_points,
    shifts,
    grid_members,
    grid_neighbours,
    patterns,
    pattern_slots,
    overrides,
    leaves,
)
"""All that `devices.store.memory` remembers."""


def _trigger(table: Table, act: str) -> str:
    counts = "UPDATE registry_generation SET n = n + 1 WHERE id = 1"
    return f"CREATE TRIGGER counted_{table.name}_{act.lower()} AFTER {act} ON {table.name} BEGIN {counts}; END"


FIRST = "INSERT INTO registry_generation (id, n) VALUES (1, 0)"
TRIGGERS = tuple(_trigger(table, act) for table in COUNTED for act in ("INSERT", "UPDATE", "DELETE"))
COUNTING: dict[str, tuple[str, ...]] = {"sqlite": (FIRST, *TRIGGERS), "postgresql": ()}

for statement in COUNTING["sqlite"]:
    ddl = DDL(statement)  # type: ignore[no-untyped-call]
    event.listen(metadata, "after_create", ddl.execute_if(dialect="sqlite"))
