"""What the invariant watcher looks for, what is due soon, and due times of a clock that was ahead. Never decides."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, union_all, update

from alerting.core.model import AttemptState
from alerting.store.tables import attempts, incidents, timeline
from alerting.store.tables_testing import held_alarms

soon_most = 500
shown_most = 50

_OPEN = incidents.c.closed_at.is_(None)
_NOW, _UNTIL = bindparam("now", type_=incidents.c.due_at.type), bindparam("until", type_=incidents.c.due_at.type)
_SOON = (
    select(incidents.c.due_at).where(_OPEN, incidents.c.due_at > _NOW, incidents.c.due_at <= _UNTIL),
    select(attempts.c.due_at).where(attempts.c.due_at > _NOW, attempts.c.due_at <= _UNTIL),
    select(held_alarms.c.due_at).where(
        held_alarms.c.settled_at.is_(None), held_alarms.c.due_at > _NOW, held_alarms.c.due_at <= _UNTIL
    ),
)
_ALL_SOON = union_all(*_SOON).limit(soon_most)
_OVERDUE = select(incidents.c.id).where(_OPEN, incidents.c.due_at < _NOW).order_by(incidents.c.due_at)
_OVERDUE_HELD = select(held_alarms.c.id).where(held_alarms.c.settled_at.is_(None), held_alarms.c.due_at < _NOW)
_OVERDUE_ATTEMPTS = select(attempts.c.id).where(attempts.c.due_at < _NOW).order_by(attempts.c.due_at)
_FORGOTTEN = (
    update(attempts)
    .where(
        attempts.c.due_at.is_(None),
        attempts.c.state.in_((AttemptState.PLANNED.value, AttemptState.SENDING.value)),
    )
    .values(due_at=_NOW)
    .returning(attempts.c.id)
)
_PUT_OFF = (
    update(incidents)
    .where(incidents.c.id == bindparam("key"), _OPEN)
    .values(due_at=_UNTIL, due_set_at=_NOW, version=incidents.c.version + 1)
)
_NEWEST = select(timeline.c.at).order_by(timeline.c.seq.desc()).limit(1)


@dataclass(frozen=True, slots=True)
class Overdue:
    """Ids of what should have been looked at already; a few of each."""

    incidents: list[str]
    held: list[str]
    attempts: list[str]


def soon(conn: Connection, now: datetime, until: datetime) -> list[datetime]:
    """The moments in between at which something is due."""
    return sorted(set(conn.scalars(_ALL_SOON, {"now": now, "until": until})))


def overdue(conn: Connection, before: datetime) -> Overdue:
    """Open incidents, held alarms and attempts whose time passed before then."""
    asked = {"now": before}
    return Overdue(
        list(conn.scalars(_OVERDUE.limit(shown_most), asked)),
        list(conn.scalars(_OVERDUE_HELD.limit(shown_most), asked)),
        list(conn.scalars(_OVERDUE_ATTEMPTS.limit(shown_most), asked)),
    )


def any_forgotten(conn: Connection) -> bool:
    """An attempt that was to be sent, and that nothing would ever look at."""
    looked = select(attempts.c.id).where(
        attempts.c.due_at.is_(None),
        attempts.c.state.in_((AttemptState.PLANNED.value, AttemptState.SENDING.value)),
    )
    return conn.execute(looked.limit(1)).first() is not None


def remember_attempts(conn: Connection, now: datetime) -> list[str]:
    """Those are looked at now."""
    return list(conn.scalars(_FORGOTTEN, {"now": now}))


def put_off(conn: Connection, incident_id: str, now: datetime, until: datetime) -> None:
    """Its rules cannot be asked: again then, so that it does not stand before all others."""
    conn.execute(_PUT_OFF, {"key": incident_id, "now": now, "until": until})


def ahead(conn: Connection, now: datetime) -> timedelta:
    """How far the newest thing that was recorded lies in our future: the clock was set back since."""
    newest = conn.scalar(_NEWEST)
    return max(newest - now, timedelta()) if newest is not None else timedelta()
