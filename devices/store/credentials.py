"""Who may connect to the broker, a page at a time, and a number that grows when that changes. Never sees a secret.

The number is how a process learns of what another one has written: whoever changes a credential, or lets a device in or
out by its state, counts it up in the same transaction.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from devices.model import DeviceState
from devices.store.tables import devices
from devices.store.tables_credentials import credential_changes

PAGE_ROWS = 1_000
"""Rows of one short read: a city's are never in memory at once, and no reader is held for long."""


def _count_up(insert: Any) -> Any:
    query = insert(credential_changes).values(id=1, number=1)
    return query.on_conflict_do_update(
        index_elements=[credential_changes.c.id], set_={"number": credential_changes.c.number + 1}
    )


_COUNT_UP = {"sqlite": _count_up(sqlite.insert), "postgresql": _count_up(postgresql.insert)}
_USABLE = (
    devices.c.credential_hash.is_not(None)
    & devices.c.credential_revoked_at.is_(None)
    & (devices.c.state != DeviceState.REMOVED.value)
)


def count_up(conn: Connection) -> None:
    """Somebody may connect from now on, or may not any more. Writers queue at the row until they commit."""
    conn.execute(_COUNT_UP[conn.dialect.name])


def number(conn: Connection) -> int:
    """How often that has been so; 0 before the first."""
    found: int | None = conn.scalar(select(credential_changes.c.number).where(credential_changes.c.id == 1))
    return found or 0


def page(conn: Connection, after: str | None, limit: int = PAGE_ROWS) -> list[tuple[str, str]]:
    """Id and hash of the next devices that may connect, in order of ids."""
    query = select(devices.c.id, devices.c.credential_hash).where(_USABLE).order_by(devices.c.id).limit(limit)
    if after is not None:
        query = query.where(devices.c.id > after)
    return [(id_, hashed) for id_, hashed in conn.execute(query)]


def every(conn: Connection) -> Iterator[tuple[str, str]]:
    """All of them, page after page."""
    after: str | None = None
    while found := page(conn, after):
        yield from found
        after = found[-1][0]
