"""Events as devices sent them: the first table a message meets, and the one that knows a repeat. Never decides."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Connection, bindparam, delete, literal_column
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
_REUSED = literal_column(  # SQLAlchemy leaves the table's name away in RETURNING
    "EXISTS (SELECT 1 FROM events AS earlier WHERE earlier.device_id = events.device_id"
    " AND earlier.event_id = events.event_id AND earlier.content_hash <> events.content_hash)",
    Boolean,
)
_INSERT = {
    "sqlite": sqlite.insert(events).on_conflict_do_nothing(index_elements=_KEY).returning(*_KEY, _REUSED),
    "postgresql": postgresql.insert(events).on_conflict_do_nothing(index_elements=_KEY).returning(*_KEY, _REUSED),
}
_FORGET = delete(events).where(*(column == bindparam(f"key_{column.name}") for column in _KEY))


def insert_new(conn: Connection, rows: Sequence[EventRow]) -> dict[EventKey, bool]:
    """Insert what was never seen; returns the keys that are new. Never looks first: the primary key decides.

    True: its device has used the event id before, with other content. A new event all the same.
    """
    if not rows:
        return {}
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
    written = {(row[0], row[1], row[2]): bool(row[3]) for row in found}
    ids = Counter(key[:2] for key in written)
    return {key: reused or ids[key[:2]] > 1 for key, reused in written.items()}


def forget(conn: Connection, keys: Collection[EventKey]) -> None:
    """Take back what `insert_new` wrote in this transaction: it was refused, and is no repeat when it comes again."""
    if keys:
        names = [f"key_{column.name}" for column in _KEY]
        conn.execute(_FORGET, [dict(zip(names, key, strict=True)) for key in sorted(keys)])
