"""Queries on overrides 顶班: who stands in for whom, when. Who stands is `devices.duty`'s to say."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from devices.duty.plan import Override
from devices.model import Role
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables_duty import overrides


@dataclass(frozen=True, slots=True)
class OverrideRow:
    override: Override
    note: str | None = None
    version: int = 1


_SELECT = select(
    overrides.c.id,
    overrides.c.kind,
    overrides.c.role,
    overrides.c.person_id,
    overrides.c.replaces_id,
    overrides.c.grid_id,
    overrides.c.place_id,
    overrides.c.starts_at,
    overrides.c.ends_at,
    overrides.c.note,
    overrides.c.version,
)


def insert_many(conn: Connection, rows: Iterable[OverrideRow]) -> None:
    """IntegrityError for an id that exists, or a person, grid or place that does not."""
    values = [_values(row) | {"id": row.override.id, "version": row.version} for row in rows]
    if values:
        conn.execute(insert(overrides), values)


def get(conn: Connection, override_id: str) -> OverrideRow | None:
    row = conn.execute(_SELECT.where(overrides.c.id == override_id)).first()
    return None if row is None else _row(row)


def page(
    conn: Connection,
    after: str | None,
    limit: int,
    *,
    grid_id: str | None = None,
    place_id: str | None = None,
    person_id: str | None = None,
    ends_after: datetime | None = None,
    within: Scope = EVERYTHING,
) -> list[OverrideRow]:
    """In order of ids, at most 500."""
    seen = within.at_grid(overrides.c.grid_id) | within.at_place(overrides.c.place_id)
    query = after_id(_SELECT.where(seen), overrides.c.id, after, limit)
    wanted = ((overrides.c.grid_id, grid_id), (overrides.c.place_id, place_id), (overrides.c.person_id, person_id))
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    if ends_after is not None:
        query = query.where(overrides.c.ends_at > ends_after)
    return [_row(row) for row in conn.execute(query)]


def update_one(conn: Connection, row: OverrideRow) -> bool:
    """Write the row over its `version`, which goes up by one; False when somebody else was faster."""
    changed = conn.execute(
        update(overrides)
        .where(overrides.c.id == row.override.id, overrides.c.version == row.version)
        .values(**_values(row), version=row.version + 1)
    )
    return changed.rowcount == 1


def remove(conn: Connection, row: OverrideRow) -> bool:
    """False when it is gone, or somebody else changed it."""
    mine = (overrides.c.id == row.override.id, overrides.c.version == row.version)
    return conn.execute(delete(overrides).where(*mine)).rowcount == 1


def _values(row: OverrideRow) -> dict[str, Any]:
    override = row.override
    return {
        "kind": override.kind,
        "role": override.role.value,
        "grid_id": override.grid_id,
        "place_id": override.place_id,
        "person_id": override.person_id,
        "replaces_id": override.replaces_id,
        "starts_at": override.starts_at,
        "ends_at": override.ends_at,
        "note": row.note,
    }


def _row(row: Row[*tuple[Any, ...]]) -> OverrideRow:
    id_, kind, role, *between, note, version = row
    return OverrideRow(Override(id_, kind, Role(role), *between), note, version)
