"""Queries on duty shifts. Who is on duty at an instant is `devices.resolve`'s to say, from a snapshot."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from devices.model import Role, Shift
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import shifts


@dataclass(frozen=True, slots=True)
class ShiftRow:
    shift: Shift
    version: int = 1


_SELECT = select(
    shifts.c.id,
    shifts.c.role,
    shifts.c.person_id,
    shifts.c.grid_id,
    shifts.c.place_id,
    shifts.c.starts_at,
    shifts.c.ends_at,
    shifts.c.rank,
    shifts.c.version,
)


def insert_many(conn: Connection, rows: Iterable[ShiftRow]) -> None:
    """IntegrityError for an id that exists, or a person, grid or place that does not."""
    values = [_values(row.shift) | {"id": row.shift.id, "version": row.version} for row in rows]
    if values:
        conn.execute(insert(shifts), values)


def get(conn: Connection, shift_id: str) -> ShiftRow | None:
    row = conn.execute(_SELECT.where(shifts.c.id == shift_id)).first()
    return None if row is None else _row(row)


def page(
    conn: Connection,
    after: str | None,
    limit: int,
    *,
    grid_id: str | None = None,
    place_id: str | None = None,
    person_id: str | None = None,
    within: Scope = EVERYTHING,
) -> list[ShiftRow]:
    """In order of ids, at most 500."""
    seen = within.at_grid(shifts.c.grid_id) | within.at_place(shifts.c.place_id)
    query = after_id(_SELECT.where(seen), shifts.c.id, after, limit)
    for column, wanted in ((shifts.c.grid_id, grid_id), (shifts.c.place_id, place_id), (shifts.c.person_id, person_id)):
        if wanted is not None:
            query = query.where(column == wanted)
    return [_row(row) for row in conn.execute(query)]


def update_one(conn: Connection, row: ShiftRow) -> bool:
    """Write the row over its `version`, which goes up by one; False when somebody else was faster."""
    changed = conn.execute(
        update(shifts)
        .where(shifts.c.id == row.shift.id, shifts.c.version == row.version)
        .values(**_values(row.shift), version=row.version + 1)
    )
    return changed.rowcount == 1


def remove(conn: Connection, shift_id: str, version: int) -> bool:
    """False when it is gone, or somebody else changed it."""
    return conn.execute(delete(shifts).where(shifts.c.id == shift_id, shifts.c.version == version)).rowcount == 1


def _values(shift: Shift) -> dict[str, Any]:
    return {
        "role": shift.role.value,
        "person_id": shift.person_id,
        "grid_id": shift.grid_id,
        "place_id": shift.place_id,
        "starts_at": shift.starts_at,
        "ends_at": shift.ends_at,
        "rank": shift.rank,
    }


def _row(row: Row[*tuple[Any, ...]]) -> ShiftRow:
    id_, role, person_id, grid_id, place_id, starts_at, ends_at, rank, version = row
    return ShiftRow(Shift(id_, Role(role), person_id, grid_id, place_id, starts_at, ends_at, rank), version)
