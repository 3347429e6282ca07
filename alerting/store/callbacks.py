"""The callback inbox: what providers told us, stored before it is understood. Never decides."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.store.tables import attempts, callbacks

_INSERT = {
    "sqlite": sqlite.insert(callbacks).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(callbacks).on_conflict_do_nothing(),
}
_UNFOLDED = (
    select(callbacks.c.id, callbacks.c.provider, callbacks.c.attempt_id, callbacks.c.body)
    .where(callbacks.c.folded_at.is_(None), callbacks.c.id > bindparam("after"))
    .order_by(callbacks.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_BY_REFERENCE = select(attempts.c.provider, attempts.c.provider_ref, attempts.c.id).where(
    attempts.c.provider_ref.in_(bindparam("references", expanding=True))
)
_FOLDED = (
    update(callbacks)
    .where(callbacks.c.id.in_(bindparam("keys", expanding=True)))
    .values(folded_at=bindparam("now", type_=callbacks.c.folded_at.type))
)


@dataclass(frozen=True, slots=True)
class CallbackRow:
    provider: str
    kind: str
    attempt_id: str | None
    dedupe: str
    form: Mapping[str, Any]
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Unfolded:
    id: int
    provider: str
    kind: str
    attempt_id: str | None
    form: Mapping[str, Any]


def append(conn: Connection, rows: Sequence[CallbackRow]) -> None:
    """Store callbacks; one that came twice is stored once."""
    if rows:
        values = [
            {
                "provider": r.provider,
                "dedupe": r.dedupe,
                "attempt_id": r.attempt_id,
                "body": {"kind": r.kind, "form": dict(r.form)},
                "received_at": r.received_at,
            }
            for r in rows
        ]
        conn.execute(_INSERT[conn.dialect.name], values)


def unfolded(conn: Connection, most: int, after: int = 0) -> list[Unfolded]:
    """The oldest behind `after` that nobody has folded yet, locked."""
    found = conn.execute(_UNFOLDED, {"most": most, "after": after})
    return [Unfolded(row[0], row[1], row[3]["kind"], row[2], row[3]["form"]) for row in found]


def attempts_by_reference(conn: Connection, references: Collection[str]) -> dict[tuple[str, str], str]:
    """(provider, its reference) -> our attempt, for callbacks that name nothing else."""
    if not references:
        return {}
    return {(row[0], row[1]): row[2] for row in conn.execute(_BY_REFERENCE, {"references": list(references)})}


def mark_folded(conn: Connection, ids: Sequence[int], now: datetime) -> None:
    if ids:
        conn.execute(_FOLDED, {"keys": list(ids), "now": now})
