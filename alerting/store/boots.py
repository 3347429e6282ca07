"""Boots: every process start has a number, and leases name it. Never decides."""

from datetime import datetime

from sqlalchemy import Connection, insert

from alerting.store.tables import boots


def begin(conn: Connection, now: datetime, instance: str) -> int:
    """Record this start; returns its number."""
    return int(conn.execute(insert(boots).values(started_at=now, instance=instance).returning(boots.c.id)).scalar_one())
