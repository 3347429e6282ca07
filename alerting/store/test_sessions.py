"""Test sessions: which devices are in test mode because of which, until when. Never decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, exists, func, insert, select, update

from alerting.store.tables_testing import held_alarms, test_session_devices, test_sessions
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import devices


@dataclass(frozen=True, slots=True)
class SessionRow:
    id: str
    place_id: str | None
    started_at: datetime
    ends_at: datetime
    started_by: str
    started_by_name: str
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A device of a session, as it stands now."""

    session_id: str
    device_id: str
    place_id: str | None
    test_mode_until: datetime | None
    held_due_at: datetime | None
    """When an alarm of it that waits now would page; the earliest of several."""


_HELD_UNTIL = (
    select(func.min(held_alarms.c.due_at))
    .where(held_alarms.c.device_id == test_session_devices.c.device_id, held_alarms.c.settled_at.is_(None))
    .correlate(test_session_devices)
    .scalar_subquery()
)
_SELECT = select(
    test_sessions.c.id,
    test_sessions.c.place_id,
    test_sessions.c.started_at,
    test_sessions.c.ends_at,
    test_sessions.c.started_by,
    test_sessions.c.started_by_name,
    test_sessions.c.ended_at,
)


def add(conn: Connection, row: SessionRow, device_ids: Sequence[str]) -> None:
    conn.execute(
        insert(test_sessions).values(
            id=row.id,
            place_id=row.place_id,
            started_at=row.started_at,
            ends_at=row.ends_at,
            started_by=row.started_by,
            started_by_name=row.started_by_name,
        )
    )
    conn.execute(insert(test_session_devices), [{"session_id": row.id, "device_id": each} for each in device_ids])


def get(conn: Connection, session_id: str, within: Scope = EVERYTHING) -> SessionRow | None:
    """None too where one of its devices lies outside."""
    row = conn.execute(_SELECT.where(test_sessions.c.id == session_id, _inside(within))).first()
    return None if row is None else SessionRow(*row)


def page(
    conn: Connection, after: str | None, limit: int, now: datetime, *, running: bool, within: Scope = EVERYTHING
) -> list[SessionRow]:
    """Newest first; with `running` those that have not ended."""
    query = _SELECT.where(_inside(within)).order_by(test_sessions.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(test_sessions.c.id < after)
    if running:
        query = query.where(test_sessions.c.ended_at.is_(None), test_sessions.c.ends_at > now)
    return [SessionRow(*row) for row in conn.execute(query)]


def members(conn: Connection, session_ids: Sequence[str]) -> dict[str, list[Member]]:
    """The devices of these sessions, by session."""
    query = (
        select(
            test_session_devices.c.session_id,
            test_session_devices.c.device_id,
            devices.c.place_id,
            devices.c.test_mode_until,
            _HELD_UNTIL,
        )
        .join(devices, devices.c.id == test_session_devices.c.device_id)
        .where(test_session_devices.c.session_id.in_(session_ids))
        .order_by(test_session_devices.c.device_id)
    )
    found: dict[str, list[Member]] = {session_id: [] for session_id in session_ids}
    for session_id, device_id, place_id, until, due in conn.execute(query):
        found[session_id].append(Member(session_id, device_id, place_id, until, due))
    return found


def end(conn: Connection, session_id: str, now: datetime) -> bool:
    """False where it has ended already."""
    running = (test_sessions.c.id == session_id, test_sessions.c.ended_at.is_(None), test_sessions.c.ends_at > now)
    return conn.execute(update(test_sessions).where(*running).values(ended_at=now)).rowcount == 1


def latest_end(conn: Connection, device_id: str, now: datetime, *, named_only: bool = False) -> datetime | None:
    """When the last running session of this device ends; `named_only`: of those that named the device itself."""
    query = (
        select(func.max(test_sessions.c.ends_at))
        .join(test_session_devices, test_session_devices.c.session_id == test_sessions.c.id)
        .where(
            test_session_devices.c.device_id == device_id,
            test_sessions.c.ended_at.is_(None),
            test_sessions.c.ends_at > now,
        )
    )
    if named_only:
        query = query.where(test_sessions.c.place_id.is_(None))
    end: datetime | None = conn.scalar(query)
    return end


def _inside(within: Scope) -> Any:
    if within.everything:
        return test_sessions.c.id.is_not(None)
    own = test_session_devices.alias()
    outside = (
        select(own.c.device_id)
        .join(devices, devices.c.id == own.c.device_id)
        .where(own.c.session_id == test_sessions.c.id, ~within.at_place(devices.c.place_id))
    )
    return ~exists(outside)
