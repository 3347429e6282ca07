"""Queries on leave 请假: who is away, when. Decides nothing."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from devices.duty.plan import Leave
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import people
from devices.store.tables_duty import leaves


@dataclass(frozen=True, slots=True)
class LeaveRow:
    id: str
    person_id: str
    leave: Leave
    note: str | None = None
    version: int = 1


_SELECT = select(leaves.c.id, leaves.c.person_id, leaves.c.starts_at, leaves.c.ends_at, leaves.c.note, leaves.c.version)


def insert_many(conn: Connection, rows: Iterable[LeaveRow]) -> None:
    """IntegrityError for an id that exists or a person who does not."""
    values = [_values(row) | {"id": row.id, "version": row.version} for row in rows]
    if values:
        conn.execute(insert(leaves), values)


def get(conn: Connection, leave_id: str) -> LeaveRow | None:
    row = conn.execute(_SELECT.where(leaves.c.id == leave_id)).first()
    return None if row is None else _row(row)


def page(
    conn: Connection,
    after: str | None,
    limit: int,
    *,
    person_id: str | None = None,
    ends_after: datetime | None = None,
    within: Scope = EVERYTHING,
) -> list[LeaveRow]:
    """In order of ids, at most 500; a leave lies where its person belongs."""
    query = after_id(_SELECT, leaves.c.id, after, limit)
    if not within.everything:
        query = query.join(people, people.c.id == leaves.c.person_id).where(within.at_place(people.c.place_id))
    if person_id is not None:
        query = query.where(leaves.c.person_id == person_id)
    if ends_after is not None:
        query = query.where(leaves.c.ends_at > ends_after)
    return [_row(row) for row in conn.execute(query)]


def update_one(conn: Connection, row: LeaveRow) -> bool:
    """Write the row over its `version`, which goes up by one; False when somebody else was faster."""
    changed = conn.execute(
        update(leaves)
        .where(leaves.c.id == row.id, leaves.c.version == row.version)
        .values(**_values(row), version=row.version + 1)
    )
    return changed.rowcount == 1


def remove(conn: Connection, row: LeaveRow) -> bool:
    """False when it is gone, or somebody else changed it."""
    return conn.execute(delete(leaves).where(leaves.c.id == row.id, leaves.c.version == row.version)).rowcount == 1


def _values(row: LeaveRow) -> dict[str, Any]:
    return {
        "person_id": row.person_id,
        "starts_at": row.leave.starts_at,
        "ends_at": row.leave.ends_at,
        "note": row.note,
    }


def _row(row: Row[*tuple[Any, ...]]) -> LeaveRow:
    id_, person_id, starts_at, ends_at, note, version = row
    return LeaveRow(id_, person_id, Leave(starts_at, ends_at), note, version)
