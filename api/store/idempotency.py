"""Queries on remembered answers. Decides nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from api.store.tables import idempotency


@dataclass(frozen=True, slots=True)
class Remembered:
    route: str
    body_hash: str
    status: int | None
    """None: the first request is still being worked on, or was cut off."""
    response: dict[str, Any] | None
    created_at: datetime


def find(conn: Connection, key: str, api_key_id: str) -> Remembered | None:
    table = idempotency
    row = conn.execute(
        select(table.c.route, table.c.body_hash, table.c.status, table.c.response, table.c.created_at).where(
            table.c.key == key, table.c.api_key_id == api_key_id
        )
    ).first()
    return None if row is None else Remembered(*row)


def add(conn: Connection, key: str, api_key_id: str, row: Remembered) -> None:
    """Insert; IntegrityError when somebody else was faster."""
    conn.execute(
        insert(idempotency).values(
            key=key,
            api_key_id=api_key_id,
            route=row.route,
            body_hash=row.body_hash,
            status=row.status,
            response=row.response,
            created_at=row.created_at,
        )
    )


def answer(conn: Connection, key: str, api_key_id: str, status: int, response: dict[str, Any]) -> None:
    """Fill in the answer of a claimed row."""
    conn.execute(
        update(idempotency)
        .where(idempotency.c.key == key, idempotency.c.api_key_id == api_key_id)
        .values(status=status, response=response)
    )


def forget(conn: Connection, key: str, api_key_id: str) -> None:
    conn.execute(delete(idempotency).where(idempotency.c.key == key, idempotency.c.api_key_id == api_key_id))


def forget_before(conn: Connection, before: datetime, limit: int) -> int:
    """Drop at most `limit` rows older than this; returns how many went."""
    keys = (
        select(idempotency.c.key, idempotency.c.api_key_id).where(idempotency.c.created_at < before).limit(limit)
    ).subquery()
    gone = conn.execute(
        delete(idempotency).where(
            idempotency.c.created_at < before,
            select(keys.c.key)
            .where(keys.c.key == idempotency.c.key, keys.c.api_key_id == idempotency.c.api_key_id)
            .exists(),
        )
    )
    return gone.rowcount
