"""Delete old rows, at most some at a time. Never an incident that is not closed."""

from datetime import datetime

from sqlalchemy import Column, Connection, Table, delete, select
from sqlalchemy.sql.elements import ColumnElement

from alerting.store.tables import attempts, callbacks, events, incident_overlays, incidents, notifications, timeline


def delete_incidents(conn: Connection, before: datetime, most: int) -> int:
    """Closed incidents opened before this instant, with everything that hangs on them."""
    found = select(incidents.c.id).where(incidents.c.closed_at.is_not(None), incidents.c.opened_at < before)
    ids = [row[0] for row in conn.execute(found.limit(most))]
    if not ids:
        return 0
    for table in (attempts, notifications, timeline, incident_overlays):
        conn.execute(delete(table).where(table.c.incident_id.in_(ids)))
    conn.execute(delete(incidents).where(incidents.c.id.in_(ids)))
    return len(ids)


def delete_events(conn: Connection, before: datetime, most: int) -> int:
    keys = select(events.c.device_id, events.c.event_id, events.c.content_hash).where(events.c.received_at < before)
    rows = conn.execute(keys.limit(most)).all()
    for device_id, event_id, content_hash in rows:
        conn.execute(
            delete(events).where(
                events.c.device_id == device_id, events.c.event_id == event_id, events.c.content_hash == content_hash
            )
        )
    return len(rows)


def delete_callbacks(conn: Connection, before: datetime, most: int) -> int:
    return _delete(conn, callbacks, callbacks.c.id, callbacks.c.received_at < before, most)


def _delete(conn: Connection, table: Table, key: "Column[int]", where: ColumnElement[bool], most: int) -> int:
    ids = [row[0] for row in conn.execute(select(key).where(where).limit(most))]
    if ids:
        conn.execute(delete(table).where(key.in_(ids)))
    return len(ids)
