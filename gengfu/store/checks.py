"""Queries of `gengfu doctor` and `gengfu db check`: what stands in the database, against what should. Never writes."""

from datetime import datetime

from sqlalchemy import Connection, select

from alerting.store.tables import boots, timeline
from devices.store.tables import device_seen, grids


def last_commit(conn: Connection) -> datetime | None:
    """The newest time that a committed row bears; None in an empty database. Devices' own clocks do not count."""
    newest_entry = conn.scalar(select(timeline.c.at).order_by(timeline.c.seq.desc()).limit(1))
    newest_boot = conn.scalar(select(boots.c.started_at).order_by(boots.c.id.desc()).limit(1))
    newest_seen = conn.scalar(select(device_seen.c.last_seen_at).order_by(device_seen.c.last_seen_at.desc()).limit(1))
    return max((at for at in (newest_entry, newest_boot, newest_seen) if at is not None), default=None)


def grid_names(conn: Connection) -> dict[str, str]:
    """Every grid's id and name, in order of codes."""
    rows = conn.execute(select(grids.c.id, grids.c.name).order_by(grids.c.code))
    return {row[0]: row[1] for row in rows}


def damage(conn: Connection) -> str | None:
    """What SQLite finds wrong with its file or its references; None when it is sound. PostgreSQL keeps its own."""
    if conn.dialect.name != "sqlite":
        return None
    verdict = conn.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
    if verdict != "ok":
        return str(verdict)
    dangling = conn.exec_driver_sql("PRAGMA foreign_key_check").first()
    return None if dangling is None else f"a row of {dangling[0]} refers to a missing row of {dangling[2]}"
