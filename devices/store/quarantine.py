"""Queries on messages that could not be used: one row per sender, reason and content, however often it comes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, delete, exists, select, true
from sqlalchemy.dialects import postgresql, sqlite

from devices.store.pages import PAGE_ROWS_MAX
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import devices, quarantine

OWN_TOPICS = "gengfu/v1/"


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """A message as it is put aside. `payload` is its beginning."""

    topic: str
    device_key: str
    reason: str
    detail: str
    content_hash: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A message as it is kept, and how often it came."""

    id: int
    message: QuarantineRow
    count: int
    first_at: datetime
    last_at: datetime


def _count_up(insert: Any) -> Any:
    query = insert(quarantine)
    return query.on_conflict_do_update(
        index_elements=[quarantine.c.device_key, quarantine.c.reason, quarantine.c.content_hash],
        set_={"count": quarantine.c.count + query.excluded.count, "last_at": query.excluded.last_at},
    )


_ADD = {"sqlite": _count_up(sqlite.insert), "postgresql": _count_up(postgresql.insert)}
_SELECT = select(
    quarantine.c.id,
    quarantine.c.topic,
    quarantine.c.device_key,
    quarantine.c.reason,
    quarantine.c.detail,
    quarantine.c.content_hash,
    quarantine.c.payload,
    quarantine.c.count,
    quarantine.c.first_at,
    quarantine.c.last_at,
)


def add(conn: Connection, rows: Iterable[QuarantineRow], now: datetime) -> None:
    """Put them aside; what is there already counts up."""
    counted: dict[tuple[str, str, str], dict[str, Any]] = {}
    for row in rows:
        key = (row.device_key, row.reason, row.content_hash)
        if key in counted:
            counted[key]["count"] += 1
        else:
            counted[key] = _values(row) | {"count": 1, "first_at": now, "last_at": now}
    if counted:  # always in the same order: two writers cannot deadlock
        conn.execute(_ADD[conn.dialect.name], [counted[key] for key in sorted(counted)])


def get(conn: Connection, row_id: int) -> Quarantined | None:
    row = conn.execute(_SELECT.where(quarantine.c.id == row_id)).first()
    return None if row is None else _row(row)


def page(conn: Connection, before: int | None, limit: int, within: Scope = EVERYTHING) -> list[Quarantined]:
    """Newest first, at most 500; those put aside before the row `before`; of devices within the scope. What no known
    device has sent is seen only by those who see everything."""
    if not 1 <= limit <= PAGE_ROWS_MAX + 1:
        raise ValueError(f"limit {limit} is not between 1 and {PAGE_ROWS_MAX}")
    query = _SELECT.where(_sent_from(within)).order_by(quarantine.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(quarantine.c.id < before)
    return [_row(row) for row in conn.execute(query)]


def _sent_from(scope: Scope) -> ColumnElement[bool]:
    """On its own topic, whose name the broker enforces. A name that a foreign sender gives proves nothing."""
    if scope.everything:
        return true()
    sender = select(devices.c.id).where(devices.c.id == quarantine.c.device_key, scope.at_place(devices.c.place_id))
    return quarantine.c.topic.startswith(OWN_TOPICS) & exists(sender)


def forget_before(conn: Connection, before: datetime, limit: int) -> int:
    """Drop at most `limit` rows last seen before this; returns how many went."""
    old = select(quarantine.c.id).where(quarantine.c.last_at < before).order_by(quarantine.c.last_at).limit(limit)
    return conn.execute(delete(quarantine).where(quarantine.c.id.in_(old))).rowcount


def _values(row: QuarantineRow) -> dict[str, Any]:
    return {
        "topic": row.topic,
        "device_key": row.device_key,
        "reason": row.reason,
        "detail": row.detail,
        "content_hash": row.content_hash,
        "payload": row.payload,
    }


def _row(row: Row[*tuple[Any, ...]]) -> Quarantined:
    id_, topic, device_key, reason, detail, content_hash, payload, count, first_at, last_at = row
    message = QuarantineRow(topic, device_key, reason, detail, content_hash, bytes(payload))
    return Quarantined(id_, message, count, first_at, last_at)
