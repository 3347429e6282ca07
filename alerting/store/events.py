"""Events as devices sent them: the first table a message meets, and the one that knows a repeat. Never decides."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete
from sqlalchemy.dialects import postgresql, sqlite

from alerting.store.tables import events

EventKey = tuple[str, str, str]
"""Device, event id, hash of the meaning."""


@dataclass(frozen=True, slots=True)
class EventRow:
    device_id: str
    event_id: str
    content_hash: str
    code: str | None
    signal: str
    values: dict[str, Any]
    observed_at: datetime | None
    received_at: datetime
    test: bool

    @property
    def key(self) -> EventKey:
        return self.device_id, self.event_id, self.content_hash


_KEY = (events.c.device_id, events.c.event_id, events.c.content_hash)
_INSERT = {
    "sqlite": sqlite.insert(events).on_conflict_do_nothing(index_elements=_KEY).returning(*_KEY),
    "postgresql": postgresql.insert(events).on_conflict_do_nothing(index_elements=_KEY).returning(*_KEY),
}
_FORGET = delete(events).where(*(column == bindparam(f"key_{column.name}") for column in _KEY))


def insert_new(conn: Connection, rows: Sequence[EventRow]) -> set[EventKey]:
    """Insert what was never seen; returns the keys that are new. Never looks first: the primary key decides."""
    if not rows:
        return set()
    unique = {row.key: row for row in rows}
    values = [
        {
            "device_id": row.device_id,
            "event_id": row.event_id,
            "content_hash": row.content_hash,
            "code": row.code,
            "signal": row.signal,
            "values": row.values or None,
            "observed_at": row.observed_at,
            "received_at": row.received_at,
            "test": row.test,
        }
        for row in unique.values()
    ]
    found = conn.execute(_INSERT[conn.dialect.name], values)
    return {(row[0], row[1], row[2]) for row in found}


def forget(conn: Connection, keys: Collection[EventKey]) -> None:
    """Take back what `insert_new` wrote in this transaction: it was refused, and is no repeat when it comes again."""
    if keys:
        names = [f"key_{column.name}" for column in _KEY]
        conn.execute(_FORGET, [dict(zip(names, key, strict=True)) for key in sorted(keys)])
