"""Alarms that wait in test mode: load with a lock, insert, end. Never decides."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.core.held import Held
from alerting.ports import Conflict
from alerting.store.tables_testing import held_alarms
from devices.store.lists import one_of

_WAITING = held_alarms.c.settled_at.is_(None)
_COLUMNS = (
    held_alarms.c.id,
    held_alarms.c.reference,
    held_alarms.c.device_id,
    held_alarms.c.code,
    held_alarms.c.building_id,
    held_alarms.c.room_id,
    held_alarms.c.received_at,
    held_alarms.c.observed_at,
    held_alarms.c.due_at,
)
_AROUND = (
    select(*_COLUMNS)
    .where(_WAITING, or_(one_of(held_alarms.c.device_id, "devices"), one_of(held_alarms.c.building_id, "buildings")))
    .order_by(held_alarms.c.id)
    .with_for_update()
)
_ALL = select(*_COLUMNS).where(_WAITING).order_by(held_alarms.c.id)
_DUE = select(held_alarms.c.id).where(_WAITING, held_alarms.c.due_at <= bindparam("now")).limit(1)
_ANY = select(held_alarms.c.id).where(_WAITING).limit(1)
_CROWDED = (
    select(held_alarms.c.building_id)
    .where(_WAITING)
    .group_by(held_alarms.c.building_id)
    .having(func.count(func.distinct(held_alarms.c.room_id)) > 1)
)
_ANY_CROWDED = _CROWDED.limit(1)
_LATEST = select(held_alarms.c.due_at, held_alarms.c.settled_at, held_alarms.c.outcome, held_alarms.c.incident_id)
_INSERT = {
    "sqlite": sqlite.insert(held_alarms).on_conflict_do_nothing().returning(held_alarms.c.id),
    "postgresql": postgresql.insert(held_alarms).on_conflict_do_nothing().returning(held_alarms.c.id),
}


def around(conn: Connection, device_ids: Collection[str], building_ids: Collection[str]) -> dict[str, Held]:
    """What waits of these devices and in these buildings, locked, by id."""
    rows = conn.execute(_AROUND, {"devices": list(device_ids), "buildings": list(building_ids)})
    return {row[0]: Held(*row) for row in rows}


def waiting(conn: Connection, most: int) -> dict[str, Held]:
    """Everything that waits, locked, by id; beyond `most` the oldest ones."""
    rows = conn.execute(_ALL.limit(most).with_for_update())
    return {row[0]: Held(*row) for row in rows}


def any_waiting(conn: Connection) -> bool:
    """Mostly not: then a batch need not ask further."""
    return conn.execute(_ANY).first() is not None


def any_to_look_at(conn: Connection, now: datetime) -> bool:
    """Is the time of one over, or do two rooms of a building wait at once?"""
    return conn.execute(_DUE, {"now": now}).first() is not None or conn.execute(_ANY_CROWDED).first() is not None


def insert(conn: Connection, rows: Sequence[Held]) -> None:
    """Conflict where another writer holds the same alarm already."""
    if not rows:
        return
    values = [
        {
            "id": each.id,
            "reference": each.reference,
            "device_id": each.device_id,
            "code": each.code,
            "building_id": each.building_id,
            "room_id": each.room_id,
            "received_at": each.received_at,
            "observed_at": each.observed_at,
            "due_at": each.due_at,
        }
        for each in rows
    ]
    if len(conn.execute(_INSERT[conn.dialect.name], values).all()) != len(rows):
        raise Conflict("another writer holds this alarm already")


def end(conn: Connection, held_id: str, at: datetime, outcome: str, incident_id: str | None) -> None:
    """Settled, or released into an incident. Conflict where somebody else was faster."""
    query = update(held_alarms).where(held_alarms.c.id == held_id, _WAITING)
    if conn.execute(query.values(settled_at=at, outcome=outcome, incident_id=incident_id)).rowcount != 1:
        raise Conflict(f"held alarm {held_id} waits no longer")


def bring_forward(conn: Connection, latest: datetime) -> int:
    """The invariant: nothing waits longer than a hold from now (the wall clock was set back). How many did."""
    query = update(held_alarms).where(_WAITING, held_alarms.c.due_at > latest)
    return conn.execute(query.values(due_at=latest)).rowcount


def newest_of(conn: Connection, device_id: str, since: datetime) -> Mapping[str, object] | None:
    """When the newest alarm that a device held since then is, or was, due; and what became of it."""
    query = _LATEST.where(held_alarms.c.device_id == device_id, held_alarms.c.received_at >= since)
    row = conn.execute(query.order_by(held_alarms.c.id.desc()).limit(1)).first()
    return None if row is None else row._asdict()
