"""Maintenance windows as rows: begin, end early, list, those that run. Never decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, exists, func, insert, or_, select, update

from alerting.core.maintenance import Window
from alerting.core.model import Overlay
from alerting.store.tables import incident_overlays, incidents
from alerting.store.tables_restraint import maintenance_windows
from devices.store.scope import AFTER_SEPARATOR, SEPARATOR, Scope, path_of_place
from devices.store.tables import devices, places

running_most = 2_000
_W = maintenance_windows.c


@dataclass(frozen=True, slots=True)
class WindowRow:
    """One window as it was made, and whether it was ended early."""

    id: str
    place_id: str | None
    device_id: str | None
    starts_at: datetime
    ends_at: datetime
    ended_at: datetime | None
    reason: str
    made_by: str
    made_by_name: str
    created_at: datetime


def running(conn: Connection, now: datetime) -> tuple[Window, ...]:
    """Those that silence something now: mostly none."""
    query = select(_W.id, _W.place_id, _W.device_id, _W.starts_at, _W.ends_at)
    query = query.where(_W.ends_at > now, _W.starts_at <= now, _W.ended_at.is_(None)).limit(running_most)
    return tuple(Window(*row) for row in conn.execute(query))


def add(conn: Connection, row: WindowRow) -> None:
    conn.execute(
        insert(maintenance_windows).values(
            id=row.id,
            place_id=row.place_id,
            device_id=row.device_id,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            ended_at=row.ended_at,
            reason=row.reason,
            made_by=row.made_by,
            made_by_name=row.made_by_name,
            created_at=row.created_at,
        )
    )


def get(conn: Connection, window_id: str, within: Scope) -> WindowRow | None:
    """One window; None when it is not within the scope."""
    row = conn.execute(_SELECT.where(_W.id == window_id, _inside(within))).one_or_none()
    return None if row is None else WindowRow(*row)


def page(
    conn: Connection, after: str | None, limit: int, now: datetime, *, over: bool, within: Scope
) -> list[WindowRow]:
    """Newest first; without `over` those alone that run or are to come."""
    query = _SELECT.where(_inside(within)).order_by(_W.id.desc()).limit(limit)
    if not over:
        query = query.where(_W.ends_at > now, _W.ended_at.is_(None))
    if after is not None:
        query = query.where(_W.id < after)
    return [WindowRow(*row) for row in conn.execute(query)]


def silent(conn: Connection, rows: Sequence[WindowRow]) -> int:
    """How many open incidents lie under any of these windows and wait for their end."""
    if not rows:
        return 0
    return int(conn.scalar(select(func.count()).select_from(incidents).where(_waiting(rows))) or 0)


def end(conn: Connection, row: WindowRow, now: datetime) -> bool:
    """End it early: what waits for it is looked at now. False where it had ended already."""
    query = update(maintenance_windows).where(_W.id == row.id, _W.ended_at.is_(None), _W.ends_at > now)
    if conn.execute(query.values(ended_at=now)).rowcount != 1:
        return False
    due = update(incidents).where(_waiting([row]), incidents.c.due_at > now)
    conn.execute(due.values(due_at=now, version=incidents.c.version + 1))
    return True


def path_of_device(conn: Connection, device_id: str) -> str | None:
    """The path of the place at which a device is."""
    query = select(places.c.path).join(devices, devices.c.place_id == places.c.id)
    return conn.scalar(query.where(devices.c.id == device_id))


def path_of(conn: Connection, row: WindowRow) -> str | None:
    """Where a window lies."""
    return path_of_device(conn, row.device_id) if row.device_id is not None else path_of_place(conn, row.place_id)


def forget_before(conn: Connection, before: datetime, most: int) -> int:
    """Delete windows that ended long ago."""
    ids = list(conn.scalars(select(_W.id).where(_W.ends_at < before).limit(most)))
    if ids:
        conn.execute(delete(maintenance_windows).where(_W.id.in_(ids)))
    return len(ids)


_SELECT: Select[Any] = select(
    _W.id,
    _W.place_id,
    _W.device_id,
    _W.starts_at,
    _W.ends_at,
    _W.ended_at,
    _W.reason,
    _W.made_by,
    _W.made_by_name,
    _W.created_at,
)


def _inside(scope: Scope) -> ColumnElement[bool]:
    by_device = exists(select(devices.c.id).where(devices.c.id == _W.device_id, scope.at_place(devices.c.place_id)))
    return or_(scope.at_place(_W.place_id), and_(_W.place_id.is_(None), by_device))


def _waiting(rows: Sequence[WindowRow]) -> ColumnElement[bool]:
    """On `incidents`: open, opened in maintenance, below these windows."""
    marked = exists(
        select(incident_overlays.c.incident_id).where(
            incident_overlays.c.incident_id == incidents.c.id, incident_overlays.c.kind == Overlay.MAINTENANCE.value
        )
    )
    below = (_below(row) for row in rows)
    return and_(incidents.c.closed_at.is_(None), marked, or_(*below))


def _below(row: WindowRow) -> ColumnElement[bool]:
    if row.device_id is not None:
        return incidents.c.device_id == row.device_id
    top, inner = places.alias(), places.alias()
    path = select(top.c.path).where(top.c.id == row.place_id).scalar_subquery()
    lies = or_(inner.c.path == path, and_(inner.c.path >= path + SEPARATOR, inner.c.path < path + AFTER_SEPARATOR))
    return exists(select(inner.c.id).where(inner.c.id == incidents.c.place_id, lies))
