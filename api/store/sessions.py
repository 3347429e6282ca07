"""Queries on sessions. Never sees a token: only its keyed hash."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, union_all, update

from api.permissions import Grant
from api.store.tables import sessions, users
from api.store.users import grants_of


@dataclass(frozen=True, slots=True)
class Session:
    """One session with its user as he stands now."""

    token_hash: str
    user_id: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None
    login: str
    name: str
    language: str
    person_id: str | None
    disabled_at: datetime | None
    grants: tuple[Grant, ...] = ()


_SELECT = select(
    sessions.c.token_hash,
    sessions.c.user_id,
    sessions.c.created_at,
    sessions.c.last_seen_at,
    sessions.c.expires_at,
    sessions.c.ended_at,
    users.c.login,
    users.c.name,
    users.c.language,
    users.c.person_id,
    users.c.disabled_at,
).join(users, users.c.id == sessions.c.user_id)


def add(
    conn: Connection, token_hash: str, user_id: str, address: str, created_at: datetime, expires_at: datetime
) -> None:
    conn.execute(
        insert(sessions).values(
            token_hash=token_hash,
            user_id=user_id,
            created_at=created_at,
            last_seen_at=created_at,
            expires_at=expires_at,
            address=address,
        )
    )


def by_hash(conn: Connection, token_hash: str) -> Session | None:
    """The session with this hash, ended or not."""
    row = conn.execute(_SELECT.where(sessions.c.token_hash == token_hash)).first()
    return None if row is None else replace(Session(*row), grants=grants_of(conn, [row.user_id]).get(row.user_id, ()))


def changed_since(conn: Connection, since: datetime) -> list[tuple[str, datetime]]:
    """Hashes of the sessions that were ended, or whose user was changed, at or after this time, and when."""
    ended = select(sessions.c.token_hash, sessions.c.ended_at.label("at")).where(sessions.c.ended_at >= since)
    altered = (
        select(sessions.c.token_hash, users.c.changed_at)
        .join(users, users.c.id == sessions.c.user_id)
        .where(users.c.changed_at >= since, sessions.c.ended_at.is_(None))
    )
    return [(row[0], row[1]) for row in conn.execute(union_all(ended, altered))]


def of_user(conn: Connection, user_id: str) -> list[str]:
    """Hashes of a user's sessions, ended or not."""
    return list(conn.scalars(select(sessions.c.token_hash).where(sessions.c.user_id == user_id)))


def seen(conn: Connection, token_hashes: Collection[str], now: datetime) -> None:
    conn.execute(update(sessions).where(sessions.c.token_hash.in_(token_hashes)).values(last_seen_at=now))


def end(conn: Connection, token_hash: str, now: datetime) -> bool:
    """False when it had ended already."""
    found = conn.execute(
        update(sessions).where(sessions.c.token_hash == token_hash, sessions.c.ended_at.is_(None)).values(ended_at=now)
    )
    return bool(found.rowcount)


def forget_before(conn: Connection, before: datetime, limit: int) -> int:
    """Drop at most `limit` rows that expired before this; returns how many went."""
    old = select(sessions.c.token_hash).where(sessions.c.expires_at < before).limit(limit)
    return conn.execute(delete(sessions).where(sessions.c.token_hash.in_(old))).rowcount
