"""Queries on patterns 排班规律 and their slots. Which slot covers an instant is `devices.duty.rota`'s to say."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from devices.duty.plan import Pattern, Slot
from devices.model import Role
from devices.store.lists import one_of
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables_duty import pattern_slots, patterns


@dataclass(frozen=True, slots=True)
class PatternRow:
    pattern: Pattern
    name: str
    version: int = 1


_SELECT = select(
    patterns.c.id,
    patterns.c.grid_id,
    patterns.c.place_id,
    patterns.c.timezone,
    patterns.c.first_day,
    patterns.c.last_day,
    patterns.c.cycle_days,
    patterns.c.name,
    patterns.c.version,
)
_SLOTS = (
    select(
        pattern_slots.c.pattern_id,
        pattern_slots.c.day,
        pattern_slots.c.from_minute,
        pattern_slots.c.to_minute,
        pattern_slots.c.role,
        pattern_slots.c.person_id,
        pattern_slots.c.rank,
    )
    .where(one_of(pattern_slots.c.pattern_id, "pattern_ids"))
    .order_by(pattern_slots.c.pattern_id, pattern_slots.c.number)
)


def insert_many(conn: Connection, rows: Iterable[PatternRow]) -> None:
    """IntegrityError for an id that exists, or a person, grid or place that does not."""
    rows = list(rows)
    if rows:
        conn.execute(insert(patterns), [_values(row) | {"id": row.pattern.id, "version": row.version} for row in rows])
        _put_slots(conn, rows)


def get(conn: Connection, pattern_id: str) -> PatternRow | None:
    rows = _rows(conn, conn.execute(_SELECT.where(patterns.c.id == pattern_id)).fetchall())
    return rows[0] if rows else None


def page(
    conn: Connection,
    after: str | None,
    limit: int,
    *,
    grid_id: str | None = None,
    place_id: str | None = None,
    within: Scope = EVERYTHING,
) -> list[PatternRow]:
    """In order of ids, at most 500."""
    seen = within.at_grid(patterns.c.grid_id) | within.at_place(patterns.c.place_id)
    query = after_id(_SELECT.where(seen), patterns.c.id, after, limit)
    for column, wanted in ((patterns.c.grid_id, grid_id), (patterns.c.place_id, place_id)):
        if wanted is not None:
            query = query.where(column == wanted)
    return _rows(conn, conn.execute(query).fetchall())


def of_scope(conn: Connection, grid_id: str | None, place_id: str | None) -> list[PatternRow]:
    """All patterns of this grid, this place or, with neither, for everything."""
    mine = (patterns.c.grid_id.is_not_distinct_from(grid_id), patterns.c.place_id.is_not_distinct_from(place_id))
    return _rows(conn, conn.execute(_SELECT.where(*mine).order_by(patterns.c.id)).fetchall())


def update_one(conn: Connection, row: PatternRow) -> bool:
    """Write the row and its slots over its `version`, which goes up by one; False when somebody else was faster."""
    changed = conn.execute(
        update(patterns)
        .where(patterns.c.id == row.pattern.id, patterns.c.version == row.version)
        .values(**_values(row), version=row.version + 1)
    )
    if changed.rowcount != 1:
        return False
    conn.execute(delete(pattern_slots).where(pattern_slots.c.pattern_id == row.pattern.id))
    _put_slots(conn, [row])
    return True


def remove(conn: Connection, row: PatternRow) -> bool:
    """False when it is gone, or somebody else changed it; then nothing of it is touched."""
    mine = (patterns.c.id == row.pattern.id, patterns.c.version == row.version)
    if conn.scalar(select(patterns.c.id).where(*mine)) is None:
        return False
    conn.execute(delete(pattern_slots).where(pattern_slots.c.pattern_id == row.pattern.id))
    return conn.execute(delete(patterns).where(*mine)).rowcount == 1


def _put_slots(conn: Connection, rows: Iterable[PatternRow]) -> None:
    values = [
        {
            "pattern_id": row.pattern.id,
            "number": number,
            "day": slot.day,
            "from_minute": slot.from_minute,
            "to_minute": slot.to_minute,
            "role": slot.role.value,
            "person_id": slot.person_id,
            "rank": slot.rank,
        }
        for row in rows
        for number, slot in enumerate(row.pattern.slots)
    ]
    if values:
        conn.execute(insert(pattern_slots), values)


def _values(row: PatternRow) -> dict[str, Any]:
    pattern = row.pattern
    return {
        "name": row.name,
        "grid_id": pattern.grid_id,
        "place_id": pattern.place_id,
        "timezone": pattern.timezone,
        "first_day": pattern.first_day.isoformat(),
        "last_day": None if pattern.last_day is None else pattern.last_day.isoformat(),
        "cycle_days": pattern.cycle_days,
    }


def _rows(conn: Connection, found: Sequence[Row[*tuple[Any, ...]]]) -> list[PatternRow]:
    if not found:
        return []
    slots: dict[str, list[Slot]] = {}
    for pattern_id, day, begins, ends, role, person_id, rank in conn.execute(
        _SLOTS, {"pattern_ids": [row[0] for row in found]}
    ):
        slots.setdefault(pattern_id, []).append(Slot(day, begins, ends, Role(role), person_id, rank))
    return [_row(row, slots.get(row[0], ())) for row in found]


def _row(row: Row[*tuple[Any, ...]], slots: Sequence[Slot]) -> PatternRow:
    id_, grid_id, place_id, zone_name, first_day, last_day, cycle_days, name, version = row
    last = None if last_day is None else date.fromisoformat(last_day)
    pattern = Pattern(id_, grid_id, place_id, zone_name, date.fromisoformat(first_day), last, cycle_days, tuple(slots))
    return PatternRow(pattern, name, version)
