"""Queries on the audit: append to the chain, read it. Rows are never changed or removed here."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from devices.audit import GENESIS, AuditEntry, Broken, Walk, chain_hash
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables_audit import audit, audit_head

ROWS_AT_ONCE = 5_000
actor_chars_max = 64
object_chars_max = 128


@dataclass(frozen=True, slots=True)
class AuditRow:
    id: int
    entry: AuditEntry
    hash: str


_HEAD = select(audit_head.c.last_id, audit_head.c.hash).where(audit_head.c.id == 1)
_ROWS = select(
    audit.c.id,
    audit.c.at,
    audit.c.actor_id,
    audit.c.actor,
    audit.c.via,
    audit.c.act,
    audit.c.kind,
    audit.c.object_id,
    audit.c.path,
    audit.c.detail,
    audit.c.hash,
)


def record(conn: Connection, entry: AuditEntry) -> int:
    """Append one row in the transaction of the change it tells of; its number. Writers queue at the chain's end."""
    entry = replace(
        entry,
        actor_id=entry.actor_id[:actor_chars_max],
        actor=entry.actor[:actor_chars_max],
        object_id=entry.object_id[:object_chars_max],
    )
    found = conn.execute(_HEAD.with_for_update()).first()
    last, before = (found[0], found[1]) if found is not None else (0, GENESIS)
    number = last + 1
    hashed = chain_hash(before, number, entry)
    conn.execute(
        insert(audit).values(
            id=number,
            at=entry.at,
            actor_id=entry.actor_id,
            actor=entry.actor,
            via=entry.via,
            act=entry.act,
            kind=entry.kind,
            object_id=entry.object_id,
            path=entry.path,
            detail=dict(entry.detail or {}),
            hash=hashed,
        )
    )
    if found is None:
        conn.execute(insert(audit_head).values(id=1, last_id=number, hash=hashed))
    else:
        conn.execute(update(audit_head).where(audit_head.c.id == 1).values(last_id=number, hash=hashed))
    return number


def head(conn: Connection) -> tuple[int, str]:
    """Number and hash of the last row; (0, GENESIS) before the first."""
    found = conn.execute(_HEAD).first()
    return (found[0], found[1]) if found is not None else (0, GENESIS)


def chain(conn: Connection) -> Iterator[AuditRow]:
    """Every row from the first to the last, a few thousand in memory at a time."""
    for row in conn.execute(_ROWS.order_by(audit.c.id).execution_options(yield_per=ROWS_AT_ONCE)):
        yield _row(row)


def verify(
    conn: Connection, walked: Callable[[int, int], None] | None = None, expect: tuple[int, str] | None = None
) -> tuple[int, str]:
    """Follow the whole chain; its number of rows and last hash. Raises `Broken` at the first row that does not hold.

    Rows that are appended meanwhile are fine. `walked(done, of)` is told every few thousand rows. `expect`: a number
    and the hash that row had when somebody last looked: a chain that was written anew from there on has another.
    """
    of, hash_then = head(conn)
    walk = Walk()
    for row in chain(conn):
        walk.step(row.id, row.entry, row.hash)
        if row.id == of and row.hash != hash_then:
            raise Broken(of, "is not the one that the end of the chain was recorded with")
        if expect is not None and row.id == expect[0] and row.hash != expect[1]:
            raise Broken(row.id, "has another hash than expected: the chain was written anew")
        if walked is not None and row.id % ROWS_AT_ONCE == 0:
            walked(row.id, max(of, row.id))
    walk.end(*(head(conn) if walk.count > of else (of, hash_then)))
    if expect is not None and walk.count < expect[0]:
        raise Broken(walk.count + 1, f"is missing, and so are all to row {expect[0]}")
    return walk.count, walk.last_hash


def page(
    conn: Connection,
    before: int | None,
    limit: int,
    *,
    within: Scope = EVERYTHING,
    object_id: str | None = None,
    actor_id: str | None = None,
    act: str | None = None,
) -> list[AuditRow]:
    """Newest first, those before row `before`."""
    query = _ROWS.where(within.on_path(audit.c.path)).order_by(audit.c.id.desc()).limit(limit)
    if before is not None:
        query = query.where(audit.c.id < before)
    for column, wanted in ((audit.c.object_id, object_id), (audit.c.actor_id, actor_id), (audit.c.act, act)):
        if wanted is not None:
            query = query.where(column == wanted)
    return [_row(row) for row in conn.execute(query)]


def _row(row: Row[*tuple[Any, ...]]) -> AuditRow:
    number, at, actor_id, actor, via, act, kind, object_id, path, detail, hashed = row
    return AuditRow(number, AuditEntry(at, actor_id, actor, via, act, kind, object_id, path, detail), hashed)
