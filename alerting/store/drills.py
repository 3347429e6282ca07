"""Queries on drills: start, end, list, and what was sent and done in one. Never decides when one ends."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, insert, or_, select, update

from alerting.core.drill_figures import Deed, Sending
from alerting.core.model import Work
from alerting.store.tables import attempts, incidents, notifications, timeline
from alerting.store.tables_drills import drills
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import people


@dataclass(frozen=True, slots=True)
class DrillRow:
    id: str
    incident_id: str
    grid_id: str
    place_id: str
    code: str
    note: str | None
    started_at: datetime
    ends_at: datetime
    started_by: str
    started_by_name: str
    ended_at: datetime | None = None
    end_reason: str | None = None
    ended_by: str | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """A drill that runs, and what may end it."""

    drill: DrillRow
    incident_id: str
    """Its own, or one that somebody opened again after it had ended."""
    opened_at: datetime
    closed: bool
    """A person closed the incident."""
    real_alarm: bool
    """An alarm of its grid that is no exercise, and is open."""

    @property
    def ends_at(self) -> datetime:
        """Opened again, it has the same time once more."""
        if self.incident_id == self.drill.incident_id:
            return self.drill.ends_at
        return self.opened_at + (self.drill.ends_at - self.drill.started_at)


_SELECT = select(*(drills.c[name] for name in DrillRow.__slots__))
_OPEN_ALARM = and_(
    incidents.c.grid_id == drills.c.grid_id,
    incidents.c.drill_id.is_(None),
    incidents.c.cls == "A",
    incidents.c.closed_at.is_(None),
    incidents.c.work != Work.VERIFIED.value,
)
_OWN = incidents.alias("own")
_STANDING = _SELECT.add_columns(
    _OWN.c.id, _OWN.c.opened_at, _OWN.c.closed_at, select(incidents.c.id).where(_OPEN_ALARM).exists()
)
_RUNNING = _STANDING.join(_OWN, _OWN.c.id == drills.c.incident_id).where(drills.c.ended_at.is_(None))
_OPENED_AGAIN = _STANDING.join(_OWN, _OWN.c.drill_id == drills.c.id).where(
    _OWN.c.closed_at.is_(None), _OWN.c.drill_id.is_not(None), _OWN.c.id != drills.c.incident_id
)
_ANY_RUNNING = select(drills.c.id).where(drills.c.ended_at.is_(None)).limit(1)
_ANY_OPEN = select(incidents.c.id).where(incidents.c.closed_at.is_(None), incidents.c.drill_id.is_not(None)).limit(1)


def add(conn: Connection, row: DrillRow) -> None:
    """IntegrityError where one runs in this grid already."""
    conn.execute(insert(drills).values(**{name: getattr(row, name) for name in DrillRow.__slots__}))


def finish(conn: Connection, drill_id: str, now: datetime, reason: str, by: str) -> bool:
    """Record its end; False where it has ended already."""
    ended = update(drills).where(drills.c.id == drill_id, drills.c.ended_at.is_(None))
    return conn.execute(ended.values(ended_at=now, end_reason=reason, ended_by=by[:64])).rowcount == 1


def any_running(conn: Connection) -> bool:
    """One that has not ended, or an incident of one."""
    return any(conn.execute(query).first() is not None for query in (_ANY_RUNNING, _ANY_OPEN))


def running(conn: Connection) -> list[Standing]:
    """Every drill that has not ended (there is one in a grid at most), and incidents of drills opened again."""
    rows: list[Any] = [row for query in (_RUNNING, _OPENED_AGAIN) for row in conn.execute(query)]
    return [Standing(DrillRow(*row[:-4]), row[-4], row[-3], row[-2] is not None, bool(row[-1])) for row in rows]


def running_in(conn: Connection, grid_id: str) -> bool:
    query = select(drills.c.id).where(drills.c.grid_id == grid_id, drills.c.ended_at.is_(None))
    return conn.execute(query).first() is not None


def alarm_in(conn: Connection, grid_id: str) -> str | None:
    """The reference of a real alarm that is open in this grid."""
    real = (
        incidents.c.grid_id == grid_id,
        incidents.c.drill_id.is_(None),
        incidents.c.cls == "A",
        incidents.c.closed_at.is_(None),
        incidents.c.work != Work.VERIFIED.value,
    )
    return conn.scalar(select(incidents.c.reference).where(*real).order_by(incidents.c.severity).limit(1))


def get(conn: Connection, drill_id: str, within: Scope = EVERYTHING) -> DrillRow | None:
    row = conn.execute(_SELECT.where(drills.c.id == drill_id, _seen(within))).one_or_none()
    return None if row is None else DrillRow(*row)


def page(
    conn: Connection,
    after: str | None,
    limit: int,
    *,
    running: bool | None = None,
    grid_id: str | None = None,
    within: Scope = EVERYTHING,
) -> list[DrillRow]:
    """Newest first; `after` is the id of the last one seen."""
    query = _SELECT.where(_seen(within)).order_by(drills.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(drills.c.id < after)
    if running is not None:
        query = query.where(drills.c.ended_at.is_(None) if running else drills.c.ended_at.is_not(None))
    if grid_id is not None:
        query = query.where(drills.c.grid_id == grid_id)
    return [DrillRow(*row) for row in conn.execute(query)]


def sent(conn: Connection, incident_id: str) -> list[Sending]:
    """Everything that went, or was to go, to somebody, in order."""
    joined = notifications.outerjoin(people, people.c.id == notifications.c.recipient_id).outerjoin(
        attempts, attempts.c.notification_id == notifications.c.id
    )
    query = (
        select(
            notifications.c.recipient_id,
            people.c.name,
            notifications.c.channel,
            notifications.c.purpose,
            notifications.c.step,
            notifications.c.state,
            notifications.c.planned_at,
            attempts.c.provider_accepted_at,
            attempts.c.delivered_at,
            attempts.c.answered_at,
        )
        .select_from(joined)
        .where(notifications.c.incident_id == incident_id)
        .order_by(notifications.c.planned_at, notifications.c.id, attempts.c.number)
    )
    rows: Sequence[Any] = conn.execute(query).all()
    return [Sending(*row) for row in rows]


def deeds(conn: Connection, incident_id: str) -> list[Deed]:
    """What people did, in order."""
    query = (
        select(timeline.c.at, timeline.c.kind, timeline.c.reason, timeline.c.actor, timeline.c.data)
        .where(timeline.c.incident_id == incident_id, timeline.c.kind.in_(("work", "note", "acknowledged")))
        .order_by(timeline.c.seq)
    )
    return [Deed(at, kind, why, who, (data or {}).get("work")) for at, kind, why, who, data in conn.execute(query)]


def references_of(conn: Connection, incident_ids: Sequence[str]) -> dict[str, str]:
    """What people call these incidents."""
    query = select(incidents.c.id, incidents.c.reference).where(incidents.c.id.in_(incident_ids))
    return {row[0]: row[1] for row in conn.execute(query)}


def _seen(within: Scope) -> ColumnElement[bool]:
    return or_(within.at_grid(drills.c.grid_id), within.at_place(drills.c.place_id))
