"""Queries on logins and what each may do. Never sees a password, only its hash."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, insert, or_, select, update

from api.permissions import Grant, Role
from api.store.tables import sessions, user_grants, users
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import people

EVERYWHERE = ""
"""In the key column of a grant: no place."""


@dataclass(frozen=True, slots=True)
class User:
    id: str
    login: str
    name: str
    language: str
    password_hash: str
    person_id: str | None
    created_at: datetime
    disabled_at: datetime | None
    changed_at: datetime
    version: int = 1
    grants: tuple[Grant, ...] = ()


_COLUMNS = (
    users.c.id,
    users.c.login,
    users.c.name,
    users.c.language,
    users.c.password_hash,
    users.c.person_id,
    users.c.created_at,
    users.c.disabled_at,
    users.c.changed_at,
    users.c.version,
)
_SELECT = select(*_COLUMNS)


def insert_many(conn: Connection, rows: list[User]) -> None:
    """IntegrityError when a login is taken."""
    conn.execute(insert(users), [_values(row) for row in rows])
    for row in rows:
        _add_grants(conn, row)


def get(conn: Connection, user_id: str) -> User | None:
    return _one(conn, conn.execute(_SELECT.where(users.c.id == user_id)).first())


def by_login(conn: Connection, login: str) -> User | None:
    return _one(conn, conn.execute(_SELECT.where(users.c.login == login)).first())


def page(conn: Connection, after: str | None, limit: int, within: Scope = EVERYTHING) -> list[User]:
    """Users in order of their ids: those all of whose grants, and the person they are, lie within the scope."""
    query = _SELECT.where(_inside(within)).order_by(users.c.id).limit(limit)
    if after is not None:
        query = query.where(users.c.id > after)
    rows = conn.execute(query).all()
    held = grants_of(conn, [row.id for row in rows])
    return [replace(User(*row), grants=held.get(row.id, ())) for row in rows]


def _inside(scope: Scope) -> Any:
    if scope.everything:
        return scope.on_path(users.c.id)
    his = select(user_grants.c.user_id).where(user_grants.c.user_id == users.c.id)
    person = select(people.c.id).where(people.c.id == users.c.person_id, scope.at_place(people.c.place_id))
    himself = or_(users.c.person_id.is_(None), exists(person))
    return himself & exists(his) & ~exists(his.where(~scope.at_place(user_grants.c.place_id)))


def update_one(conn: Connection, row: User) -> bool:
    """The row over its version; False when somebody else was faster. A disabled user's sessions end."""
    found = conn.execute(
        update(users)
        .where(users.c.id == row.id, users.c.version == row.version)
        .values(_values(replace(row, version=row.version + 1)))
    )
    if not found.rowcount:
        return False
    conn.execute(delete(user_grants).where(user_grants.c.user_id == row.id))
    _add_grants(conn, row)
    if row.disabled_at is not None:
        end_sessions(conn, row.id, row.changed_at)
    return True


def set_password(conn: Connection, user_id: str, password_hash: str, now: datetime) -> None:
    conn.execute(
        update(users)
        .where(users.c.id == user_id)
        .values(password_hash=password_hash, changed_at=now, version=users.c.version + 1)
    )


def strengthen(conn: Connection, user_id: str, before: str, password_hash: str) -> None:
    """The same password under newer parameters, unless it has been changed since."""
    conn.execute(
        update(users).where(users.c.id == user_id, users.c.password_hash == before).values(password_hash=password_hash)
    )


def end_sessions(conn: Connection, user_id: str, now: datetime, but: str | None = None) -> None:
    """End all sessions of a user, but the one with this hash."""
    query = update(sessions).where(sessions.c.user_id == user_id, sessions.c.ended_at.is_(None)).values(ended_at=now)
    conn.execute(query if but is None else query.where(sessions.c.token_hash != but))


def grants_of(conn: Connection, user_ids: Iterable[str]) -> dict[str, tuple[Grant, ...]]:
    """The grants of each of these users, in a fixed order."""
    wanted = list(user_ids)
    found: dict[str, list[Grant]] = {}
    if wanted:
        query = select(user_grants.c.user_id, user_grants.c.role, user_grants.c.place_id)
        query = query.where(user_grants.c.user_id.in_(wanted)).order_by(user_grants.c.role, user_grants.c.place_id)
        for user_id, role, place_id in conn.execute(query):
            found.setdefault(user_id, []).append(Grant(Role(role), place_id or None))
    return {user_id: tuple(grants) for user_id, grants in found.items()}


def _add_grants(conn: Connection, row: User) -> None:
    if row.grants:
        values = [
            {"user_id": row.id, "role": grant.role.value, "place_id": grant.place_id or EVERYWHERE}
            for grant in dict.fromkeys(row.grants)
        ]
        conn.execute(insert(user_grants), values)


def _values(row: User) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in _COLUMNS}


def _one(conn: Connection, row: Row[*tuple[Any, ...]] | None) -> User | None:
    return None if row is None else replace(User(*row), grants=grants_of(conn, [row[0]]).get(row[0], ()))
