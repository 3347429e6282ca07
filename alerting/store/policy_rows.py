"""Configured policies as people edit them: documents with a position and a version. Never decides which one applies."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update

from alerting.store.tables import policies


@dataclass(frozen=True, slots=True)
class PolicyRow:
    name: str
    position: int
    document: dict[str, Any]
    version: int


_SELECT = select(policies.c.name, policies.c.position, policies.c.document, policies.c.version)


def page(conn: Connection, after: str | None, limit: int) -> list[PolicyRow]:
    """In order of their names."""
    query = _SELECT.order_by(policies.c.name).limit(limit)
    if after is not None:
        query = query.where(policies.c.name > after)
    return [PolicyRow(*row) for row in conn.execute(query)]


def get(conn: Connection, name: str) -> PolicyRow | None:
    row = conn.execute(_SELECT.where(policies.c.name == name)).first()
    return None if row is None else PolicyRow(*row)


def add(conn: Connection, policy_id: str, row: PolicyRow) -> None:
    """Insert; IntegrityError when the name is taken."""
    values = {"name": row.name, "position": row.position, "document": row.document, "version": row.version}
    conn.execute(insert(policies).values(id=policy_id, **values))


def replace(conn: Connection, name: str, version: int, position: int, document: dict[str, Any]) -> bool:
    """Write a new version over this one; False when it has moved on."""
    done = conn.execute(
        update(policies)
        .where(policies.c.name == name, policies.c.version == version)
        .values(position=position, document=document, version=version + 1)
    )
    return done.rowcount == 1
