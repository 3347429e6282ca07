"""The timeline: append-only, and the live stream's order. Sequence numbers follow commit order. Never decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, text

from alerting.store.tables import timeline

_ORDER_LOCK = text("SELECT pg_advisory_xact_lock(1196314182)")
"""On PostgreSQL whoever appends holds this until the commit, so that a reader who has seen 2 never later misses 1."""
_APPEND = insert(timeline)
_APPEND_NUMBERED = _APPEND.returning(timeline.c.seq, sort_by_parameter_order=True)
_AFTER = select(timeline).where(timeline.c.seq > bindparam("seq")).order_by(timeline.c.seq).limit(bindparam("most"))
_LAST = select(func.coalesce(func.max(timeline.c.seq), 0))


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
    rows: list[dict[str, Any]] = [
        {"incident_id": e.incident_id, "at": e.at, "kind": e.kind, "reason": e.reason, "actor": e.actor, "data": e.data}
        for e in entries
    ]
    if conn.dialect.name == "postgresql":
        conn.execute(_ORDER_LOCK)
        return [row[0] for row in conn.execute(_APPEND_NUMBERED, rows)]
    # SQLite has one writer: numbering here is a quarter of the cost of asking for the numbers row by row.
    first = int(conn.execute(_LAST).scalar_one()) + 1
    for seq, row in enumerate(rows, first):
        row["seq"] = seq
    conn.execute(_APPEND, rows)
    return list(range(first, first + len(rows)))


def last(conn: Connection) -> int:
    """The newest sequence number; 0 when there is none."""
    return int(conn.execute(_LAST).scalar_one())


def after(conn: Connection, seq: int, most: int) -> list[tuple[int, Entry]]:
    """What was committed after this number, in order."""
    found = conn.execute(_AFTER, {"seq": seq, "most": most})
    return [(row.seq, Entry(row.incident_id, row.at, row.kind, row.reason, row.actor, row.data or {})) for row in found]
