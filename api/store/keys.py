"""Queries on API keys. Never sees a secret: only its keyed hash."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from api.permissions import Role
from api.store.tables import api_keys
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import people


@dataclass(frozen=True, slots=True)
class ApiKey:
    id: str
    name: str
    role: Role
    key_hash: str
    person_id: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None
    person_name: str | None = None
    """The person's name in the registry, for the timeline."""
    place_id: str | None = None
    """Below which place it may act; None: everywhere."""

    def valid(self, now: datetime) -> bool:
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)


_Row = Row[*tuple[Any, ...]]
_COLUMNS = (
    api_keys.c.id,
    api_keys.c.name,
    api_keys.c.role,
    api_keys.c.key_hash,
    api_keys.c.person_id,
    api_keys.c.created_at,
    api_keys.c.expires_at,
    api_keys.c.revoked_at,
    api_keys.c.last_used_at,
    people.c.name.label("person_name"),
    api_keys.c.place_id,
)
_SELECT = select(*_COLUMNS).select_from(api_keys.outerjoin(people, people.c.id == api_keys.c.person_id))


def add(conn: Connection, key: ApiKey) -> None:
    """Insert; IntegrityError when the name is taken."""
    conn.execute(
        insert(api_keys).values(
            id=key.id,
            name=key.name,
            role=key.role.value,
            key_hash=key.key_hash,
            person_id=key.person_id,
            place_id=key.place_id,
            created_at=key.created_at,
            expires_at=key.expires_at,
        )
    )


def by_hash(conn: Connection, key_hash: str) -> ApiKey | None:
    """The key with this hash, revoked or not."""
    row = conn.execute(_SELECT.where(api_keys.c.key_hash == key_hash)).first()
    return None if row is None else _key(row)


def get(conn: Connection, key_id: str) -> ApiKey | None:
    row = conn.execute(_SELECT.where(api_keys.c.id == key_id)).first()
    return None if row is None else _key(row)


def name_taken(conn: Connection, name: str) -> bool:
    return conn.execute(select(api_keys.c.id).where(api_keys.c.name == name)).first() is not None


def page(conn: Connection, after: str | None, limit: int, within: Scope = EVERYTHING) -> list[ApiKey]:
    """Keys in order of their ids; those bound to a place only where that place is within the scope."""
    query = _SELECT.where(within.at_place(api_keys.c.place_id)).order_by(api_keys.c.id).limit(limit)
    if after is not None:
        query = query.where(api_keys.c.id > after)
    return [_key(row) for row in conn.execute(query)]


def revoke(conn: Connection, key_id: str, now: datetime) -> None:
    """The first revocation stands."""
    conn.execute(
        update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)).values(revoked_at=now)
    )


def revoked_since(conn: Connection, since: datetime) -> list[tuple[str, datetime]]:
    """Hashes of the keys revoked at or after this time, and when."""
    query = select(api_keys.c.key_hash, api_keys.c.revoked_at).where(api_keys.c.revoked_at >= since)
    return [(row[0], row[1]) for row in conn.execute(query)]


def used(conn: Connection, key_ids: Sequence[str], now: datetime) -> None:
    conn.execute(update(api_keys).where(api_keys.c.id.in_(key_ids)).values(last_used_at=now))


def _key(row: _Row) -> ApiKey:
    key_id, name, role, *rest = row
    return ApiKey(key_id, name, Role(role), *rest)
