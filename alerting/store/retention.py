"""Delete old rows, at most some at a time. Never an incident that is not closed."""

from datetime import datetime

from sqlalchemy import Column, Connection, Table, delete, select
from sqlalchemy.sql.elements import ColumnElement

from alerting.store import probes
from alerting.store.tables import attempts, callbacks, events, incident_overlays, incidents, notifications, timeline
from alerting.store.tables_photos import incident_photos
from alerting.store.tables_results import incident_results
from alerting.store.tables_testing import held_alarms, test_session_devices, test_sessions, walk_tests


def delete_incidents(conn: Connection, before: datetime, most: int) -> int:
    """Closed incidents opened before this instant, with everything that hangs on them."""
    found = select(incidents.c.id).where(incidents.c.closed_at.is_not(None), incidents.c.opened_at < before)
    ids = [row[0] for row in conn.execute(found.limit(most))]
    if not ids:
        return 0
    for table in (attempts, notifications, timeline, incident_overlays, incident_results, incident_photos):
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


def delete_probes(conn: Connection, before: datetime, most: int) -> int:
    return probes.delete_before(conn, before, most)


def delete_tests(conn: Connection, before: datetime, most: int) -> int:
    """Alarm tests, held alarms and test sessions that have ended: an alarm that waits is never among them."""
    gone = 0
    for table, over in (
        (held_alarms, held_alarms.c.settled_at < before),
        (walk_tests, walk_tests.c.ended_at < before),
    ):
        ids = list(conn.scalars(select(table.c.id).where(over).limit(most - gone)))
        if ids:
            conn.execute(delete(table).where(table.c.id.in_(ids)))
        gone += len(ids)
    sessions = list(conn.scalars(select(test_sessions.c.id).where(test_sessions.c.ends_at < before).limit(most - gone)))
    if sessions:
        conn.execute(delete(test_session_devices).where(test_session_devices.c.session_id.in_(sessions)))
        conn.execute(delete(test_sessions).where(test_sessions.c.id.in_(sessions)))
    return gone + len(sessions)


def _delete(conn: Connection, table: Table, key: "Column[int]", where: ColumnElement[bool], most: int) -> int:
    ids = [row[0] for row in conn.execute(select(key).where(where).limit(most))]
    if ids:
        conn.execute(delete(table).where(key.in_(ids)))
    return len(ids)
