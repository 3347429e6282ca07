"""The timeline: append-only, and the live stream's order. Sequence numbers follow commit order. Never decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, text

from alerting.store.tables import timeline

_ORDER_LOCK = text("SELECT pg_advisory_xact_lock(1196314182)")
"""On PostgreSQL whoever appends holds this until the commit, so that a reader who has seen 2 never later misses 1."""
_APPEND = insert(timeline).returning(timeline.c.seq, sort_by_parameter_order=True)


@dataclass(frozen=True, slots=True)
class Entry:
    incident_id: str
    at: datetime
    kind: str
    reason: str
    actor: str
    data: dict[str, Any]


def append(conn: Connection, entries: Sequence[Entry]) -> list[int]:
    """Append in order; returns the sequence numbers. Call it last in a transaction."""
    if not entries:
        return []
    if conn.dialect.name == "postgresql":
        conn.execute(_ORDER_LOCK)
    rows = [
        {"incident_id": e.incident_id, "at": e.at, "kind": e.kind, "reason": e.reason, "actor": e.actor, "data": e.data}
        for e in entries
    ]
    return [row[0] for row in conn.execute(_APPEND, rows)]
