"""Queries on the audit that the API's own limits rest on. Never writes."""

from datetime import datetime

from sqlalchemy import Connection, select

from devices.store.tables_audit import audit


def acts_since(conn: Connection, actor_id: str, act: str, since: datetime) -> list[datetime]:
    """When this caller did this, after `since`, oldest first."""
    mine = (audit.c.actor_id == actor_id, audit.c.act == act, audit.c.at > since)
    return list(conn.scalars(select(audit.c.at).where(*mine).order_by(audit.c.at)))


def has_done(conn: Connection, actor_id: str, act: str, kind: str, object_id: str) -> bool:
    """Has this caller ever done this to this thing?"""
    mine = (audit.c.object_id == object_id, audit.c.actor_id == actor_id, audit.c.act == act, audit.c.kind == kind)
    return conn.scalar(select(audit.c.id).where(*mine).limit(1)) is not None


def done_since(conn: Connection, act: str, kind: str, object_id: str, since: datetime) -> bool:
    """Has anybody done this to this thing after `since`?"""
    mine = (audit.c.object_id == object_id, audit.c.at > since, audit.c.act == act, audit.c.kind == kind)
    return conn.scalar(select(audit.c.id).where(*mine).limit(1)) is not None
