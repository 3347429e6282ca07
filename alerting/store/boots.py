"""Boots: every process start has a number, and leases name it. Never decides."""

from datetime import datetime

from sqlalchemy import Connection, func, insert, select

from alerting.store.tables import boots, incidents
from alerting.store.tables_supervision import supervision


def begin(conn: Connection, now: datetime, instance: str) -> int:
    """Record this start; returns its number."""
    return int(conn.execute(insert(boots).values(started_at=now, instance=instance).returning(boots.c.id)).scalar_one())


def gauges(conn: Connection) -> tuple[dict[int, int], int]:
    """(open incidents by severity without exercises, devices that said goodbye), for the metrics."""
    unclosed = (incidents.c.closed_at.is_(None), incidents.c.drill_id.is_(None))
    open_ = select(incidents.c.severity, func.count()).where(*unclosed)
    counts = {row[0]: row[1] for row in conn.execute(open_.group_by(incidents.c.severity))}
    offline = conn.execute(select(func.count()).where(supervision.c.offline_since.is_not(None))).scalar_one()
    return counts, offline
