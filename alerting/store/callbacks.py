"""The callback inbox: what providers told us, stored before it is understood. Never decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.store.tables import callbacks

_INSERT = {
    "sqlite": sqlite.insert(callbacks).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(callbacks).on_conflict_do_nothing(),
}
_UNFOLDED = (
    select(callbacks.c.id, callbacks.c.provider, callbacks.c.attempt_id, callbacks.c.body)
    .where(callbacks.c.folded_at.is_(None))
    .order_by(callbacks.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_FOLDED = update(callbacks).where(callbacks.c.id == bindparam("key")).values(folded_at=bindparam("now"))


@dataclass(frozen=True, slots=True)
class CallbackRow:
    provider: str
    kind: str
    attempt_id: str | None
    dedupe: str
    form: dict[str, str]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Unfolded:
    id: int
    provider: str
    kind: str
    attempt_id: str | None
    form: dict[str, Any]


def append(conn: Connection, rows: Sequence[CallbackRow]) -> None:
    """Store callbacks; one that came twice is stored once."""
    if rows:
        values = [
            {
                "provider": r.provider,
                "dedupe": r.dedupe,
                "attempt_id": r.attempt_id,
                "body": {"kind": r.kind, "form": r.form},
                "received_at": r.received_at,
            }
            for r in rows
        ]
        conn.execute(_INSERT[conn.dialect.name], values)


def unfolded(conn: Connection, most: int) -> list[Unfolded]:
    """The oldest that nobody has folded yet, locked."""
    found = conn.execute(_UNFOLDED, {"most": most})
    return [Unfolded(row[0], row[1], row[3]["kind"], row[2], row[3]["form"]) for row in found]


def mark_folded(conn: Connection, ids: Sequence[int], now: datetime) -> None:
    if ids:
        conn.execute(_FOLDED, [{"key": key, "now": now} for key in ids])
