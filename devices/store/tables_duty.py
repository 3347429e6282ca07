"""Tables of the duty plan: who belongs to a grid, patterns, overrides, leave. Never holds a query."""

from sqlalchemy import Column, ForeignKey, Integer, PrimaryKeyConstraint, String, Table

from devices.store.types import Id, Instant, Word, metadata

grid_members = Table(
    "grid_members",
    metadata,
    Column("grid_id", Id, ForeignKey("grids.id"), nullable=False),
    Column("person_id", Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("rank", Integer, nullable=False),  # 0 is the primary of the standing duty
    PrimaryKeyConstraint("grid_id", "person_id"),
)

grid_neighbours = Table(
    "grid_neighbours",
    metadata,
    Column("grid_id", Id, ForeignKey("grids.id"), nullable=False),
    Column("neighbour_id", Id, ForeignKey("grids.id"), nullable=False),
    Column("rank", Integer, nullable=False),
    PrimaryKeyConstraint("grid_id", "neighbour_id"),
)

patterns = Table(
    "patterns",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", String(64), nullable=False),
    Column("grid_id", Id, ForeignKey("grids.id"), index=True),
    Column("place_id", Id, ForeignKey("places.id"), index=True),
    Column("timezone", String(64), nullable=False),
    Column("first_day", String(10), nullable=False),  # ISO local date of day 0 of the first cycle
    Column("last_day", String(10)),
    Column("cycle_days", Integer, nullable=False),  # 7 is a weekly rotation
    Column("version", Integer, nullable=False, default=1),
)

pattern_slots = Table(
    "pattern_slots",
    metadata,
    Column("pattern_id", Id, ForeignKey("patterns.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("day", Integer, nullable=False),  # 0 .. cycle_days - 1
    Column("from_minute", Integer, nullable=False),  # local wall clock
    Column("to_minute", Integer, nullable=False),  # not after from_minute: ends on the next day
    Column("role", Word, nullable=False),
    Column("person_id", Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("rank", Integer, nullable=False, default=0),
    PrimaryKeyConstraint("pattern_id", "number"),
)

overrides = Table(
    "overrides",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Word, nullable=False),  # override | cover
    Column("role", Word, nullable=False),
    Column("grid_id", Id, ForeignKey("grids.id"), index=True),
    Column("place_id", Id, ForeignKey("places.id"), index=True),
    Column("person_id", Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("replaces_id", Id),  # None: everybody who would stand on this step
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
    Column("note", String(200)),
    Column("version", Integer, nullable=False, default=1),
)

leaves = Table(
    "leaves",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person_id", Id, ForeignKey("people.id"), nullable=False, index=True),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False, index=True),
    Column("note", String(200)),
    Column("version", Integer, nullable=False, default=1),
)
