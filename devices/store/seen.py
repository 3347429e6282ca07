"""Queries on when a device was last heard. Written behind the alarms, many devices at a time."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from devices.signals import Scalar
from devices.store.lists import one_of
from devices.store.tables import device_seen


class SeenRow(Struct, frozen=True, gc=False):
    """Thousands wait at once, for seconds: a struct that the cycle collector need not look at.

    `values`: the newest readings; None leaves those that are kept.
    """

    device_id: str
    last_seen_at: datetime
    online: bool = True
    values: Mapping[str, Scalar] | None = None
    values_at: datetime | None = None
    """When these values were told; None: with this very word."""


def _upsert(insert: Any, columns: tuple[str, ...]) -> Any:
    """An older word than the one that is kept changes nothing."""
    query = insert(device_seen)
    return query.on_conflict_do_update(
        index_elements=[device_seen.c.device_id],
        set_={column: query.excluded[column] for column in columns},
        where=query.excluded.last_seen_at >= device_seen.c.last_seen_at,
    )


_HEARD = ("last_seen_at", "online")
_WITHOUT_VALUES = {"sqlite": _upsert(sqlite.insert, _HEARD), "postgresql": _upsert(postgresql.insert, _HEARD)}
_WITH_VALUES = {
    "sqlite": _upsert(sqlite.insert, (*_HEARD, "values", "values_at")),
    "postgresql": _upsert(postgresql.insert, (*_HEARD, "values", "values_at")),
}
_SELECT = select(
    device_seen.c.device_id,
    device_seen.c.last_seen_at,
    device_seen.c.online,
    device_seen.c["values"],
    device_seen.c.values_at,
).where(one_of(device_seen.c.device_id, "device_ids"))


def upsert(conn: Connection, rows: Iterable[SeenRow]) -> None:
    """Remember the newest word of each device; time never runs backwards. One statement, or two if some lack values."""
    in_order = sorted(rows, key=lambda row: row.device_id)  # always the same order: two writers cannot deadlock
    dialect = conn.dialect.name
    bare = [_heard(row) for row in in_order if row.values is None]
    full = [
        _heard(row) | {"values": dict(row.values), "values_at": row.values_at or row.last_seen_at}
        for row in in_order
        if row.values is not None
    ]
    if bare:
        conn.execute(_WITHOUT_VALUES[dialect], bare)
    if full:
        conn.execute(_WITH_VALUES[dialect], full)


def load(conn: Connection, device_ids: Iterable[str]) -> dict[str, SeenRow]:
    """What is known of these devices, by device id."""
    rows = conn.execute(_SELECT, {"device_ids": list(device_ids)})
    return {id_: SeenRow(id_, last_seen_at, bool(online), values, at) for id_, last_seen_at, online, values, at in rows}


def _heard(row: SeenRow) -> dict[str, Any]:
    return {"device_id": row.device_id, "last_seen_at": row.last_seen_at, "online": int(row.online)}
