"""What people read: incidents, timelines, notifications with their attempts. Never writes, never decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, or_, select, true

from alerting.core.household_words import HOUSEHOLD
from alerting.core.model import AttemptState, Overlay, Purpose, Work
from alerting.store.tables import attempts, incident_overlays, incidents, notifications, timeline
from devices.model import Channel, PersonKind
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import people

_Row = Row[*tuple[Any, ...]]
_UNANSWERED = (Work.NEW.value, Work.DISPATCHED.value)
_SEEN_BY_APP = (AttemptState.PROVIDER_ACCEPTED.value, AttemptState.DELIVERED.value, AttemptState.TAKEN.value)


@dataclass(frozen=True, slots=True)
class OverlayView:
    kind: str
    at: datetime
    detail: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class IncidentView:
    """One incident as its row stands, its overlays and the name of who goes."""

    row: Mapping[str, Any]
    taken_by_name: str | None
    overlays: tuple[OverlayView, ...] = ()

    @property
    def id(self) -> str:
        incident_id: str = self.row["id"]
        return incident_id


@dataclass(frozen=True, slots=True)
class IncidentFilter:
    """None or empty means: any."""

    open: bool | None = None
    work: tuple[str, ...] = ()
    condition: str | None = None
    ack: str | None = None
    severity_max: int | None = None
    code: str | None = None
    grid_id: str | None = None
    place_id: str | None = None
    device_id: str | None = None
    reference: str | None = None
    shelved: bool | None = None
    raised: bool | None = None
    """By people."""
    unseen: bool | None = None
    drill: bool | None = None
    """True: exercises alone; False: everything but them."""


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    seq: int
    incident_id: str
    at: datetime
    kind: str
    reason: str
    actor: str
    data: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class NotificationView:
    row: Mapping[str, Any]
    recipient_name: str | None
    attempts: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def id(self) -> str:
        notification_id: str = self.row["id"]
        return notification_id


@dataclass(frozen=True, slots=True)
class Sight:
    """Which incidents somebody may see: those within his scope or handed over to a grid of it, and with `person_id`
    those that this person was paged for, has taken or has reported. One without a place is within the scope of those
    alone who see everything."""

    scope: Scope = EVERYTHING
    person_id: str | None = None

    def condition(self) -> ColumnElement[bool]:
        """On `incidents`."""
        if self.scope.everything:
            return true()
        handed_over = and_(_marked(Overlay.TRANSFERRED), self.scope.at_grid(incidents.c.grid_id))
        inside = or_(self.scope.at_place(incidents.c.place_id), handed_over)
        return inside if self.person_id is None else or_(inside, _paged_for(self.person_id))

    def of(self, column: ColumnElement[str]) -> ColumnElement[bool]:
        """On a column that holds an incident's id."""
        if self.scope.everything:
            return true()
        own = select(incidents.c.id).where(incidents.c.id == column, self.condition())
        return own.correlate_except(incidents).exists()  # the outer query may be over incidents itself


ALL = Sight()


def _paged_for(person_id: str) -> ColumnElement[bool]:
    """Condition on `incidents`: this person was paged for it, goes, or reported it."""
    asked = select(notifications.c.id).where(
        notifications.c.incident_id == incidents.c.id, notifications.c.recipient_id == person_id
    )
    lines = timeline.alias("lines")  # the outer query may be over the timeline itself
    told = select(lines.c.seq).where(
        lines.c.incident_id == incidents.c.id, lines.c.kind == "raised", lines.c.actor == person_id
    )
    return or_(incidents.c.taken_by == person_id, asked.exists(), told.exists())


_TAKEN_BY = people.alias("taken_by")
_INCIDENTS = select(incidents, _TAKEN_BY.c.name.label("taken_by_name")).select_from(
    incidents.outerjoin(_TAKEN_BY, _TAKEN_BY.c.id == incidents.c.taken_by)
)


def incidents_page(
    conn: Connection, wanted: IncidentFilter, after: str | None, limit: int, sight: Sight = ALL
) -> list[IncidentView]:
    """Newest first; `after` is the id of the last one seen."""
    query = _filtered(_INCIDENTS, wanted).where(sight.condition()).order_by(incidents.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(incidents.c.id < after)
    rows = conn.execute(query).all()
    overlays = _overlays(conn, [row.id for row in rows])
    return [_incident(row, overlays) for row in rows]


def _filtered(query: Select[Any], wanted: IncidentFilter) -> Select[Any]:
    column = incidents.c
    if wanted.open is not None:
        query = query.where(column.closed_at.is_(None) if wanted.open else column.closed_at.is_not(None))
    if wanted.drill is not None:
        query = query.where(column.drill_id.is_not(None) if wanted.drill else column.drill_id.is_(None))
    for wish, condition in (
        (wanted.shelved, column.shelved_until.is_not(None)),
        (wanted.raised, column.raised_by.is_not(None)),
        (wanted.unseen, _marked(Overlay.UNSEEN)),
    ):
        if wish is not None:
            query = query.where(condition if wish else ~condition)
    if wanted.work:
        query = query.where(column.work.in_(wanted.work))
    if wanted.severity_max is not None:
        query = query.where(column.severity <= wanted.severity_max)
    equal = {
        column.condition: wanted.condition,
        column.ack: wanted.ack,
        column.code: wanted.code,
        column.grid_id: wanted.grid_id,
        column.place_id: wanted.place_id,
        column.device_id: wanted.device_id,
        column.reference: wanted.reference,
    }
    return query.where(*(name == value for name, value in equal.items() if value is not None))


def _marked(overlay: Overlay) -> ColumnElement[bool]:
    """Condition on `incidents`."""
    table = incident_overlays.c
    found = select(table.kind).where(table.incident_id == incidents.c.id, table.kind == overlay.value)
    return found.exists()


@dataclass(frozen=True, slots=True)
class Link:
    """An incident as another one names it."""

    id: str
    reference: str
    work: str
    opened_at: datetime


@dataclass(frozen=True, slots=True)
class Links:
    """What an incident reopens, and what reopened it, oldest first."""

    reopens: Link | None
    reopened_by: tuple[Link, ...]


def links(conn: Connection, view: IncidentView, sight: Sight = ALL) -> Links:
    column = incidents.c
    query = select(column.id, column.reference, column.work, column.opened_at).where(sight.condition())
    before = conn.execute(query.where(column.id == view.row["linked_to"])).first()
    after = conn.execute(query.where(column.linked_to == view.id).order_by(column.id))
    return Links(None if before is None else Link(*before), tuple(Link(*row) for row in after))


def incident(conn: Connection, incident_id: str, sight: Sight = ALL) -> IncidentView | None:
    """One incident; None when it may not be seen."""
    row = conn.execute(_INCIDENTS.where(incidents.c.id == incident_id, sight.condition())).first()
    return None if row is None else _incident(row, _overlays(conn, [incident_id]))


def visible(conn: Connection, incident_ids: Sequence[str], sight: Sight) -> frozenset[str]:
    """Those of these incidents that exist and may be seen."""
    query = select(incidents.c.id).where(incidents.c.id.in_(incident_ids), sight.condition())
    return frozenset(conn.scalars(query))


def place_of(conn: Connection, incident_id: str) -> str | None:
    """The id of the place where it burns."""
    return conn.scalar(select(incidents.c.place_id).where(incidents.c.id == incident_id))


def _overlays(conn: Connection, incident_ids: Sequence[str]) -> dict[str, list[OverlayView]]:
    found: dict[str, list[OverlayView]] = {}
    if not incident_ids:
        return found
    table = incident_overlays.c
    query = select(table.incident_id, table.kind, table.at, table.detail).where(table.incident_id.in_(incident_ids))
    for incident_id, kind, at, detail in conn.execute(query.order_by(table.at, table.kind)):
        found.setdefault(incident_id, []).append(OverlayView(kind, at, detail))
    return found


def _incident(row: _Row, overlays: Mapping[str, list[OverlayView]]) -> IncidentView:
    return IncidentView(row._asdict(), row.taken_by_name, tuple(overlays.get(row.id, ())))


_TIMELINE = select(
    timeline.c.seq,
    timeline.c.incident_id,
    timeline.c.at,
    timeline.c.kind,
    timeline.c.reason,
    timeline.c.actor,
    timeline.c.data,
).order_by(timeline.c.seq)


def timeline_page(conn: Connection, incident_id: str, after: int | None, limit: int) -> list[TimelineEntry]:
    """The entries of one incident after a sequence number, oldest first."""
    query = _TIMELINE.where(timeline.c.incident_id == incident_id, timeline.c.seq > (after or 0)).limit(limit)
    return [TimelineEntry(*row) for row in conn.execute(query)]


def timeline_after(conn: Connection, after: int, limit: int, sight: Sight = ALL) -> list[TimelineEntry]:
    """Everything after a sequence number, oldest first, of the incidents that may be seen."""
    query = _TIMELINE.where(timeline.c.seq > after, sight.of(timeline.c.incident_id)).limit(limit)
    return [TimelineEntry(*row) for row in conn.execute(query)]


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    incident_id: str | None = None
    recipient_id: str | None = None
    channel: str | None = None
    state: str | None = None
    purpose: str | None = None


_SHOWN_NAME = case((people.c.kind == PersonKind.HOUSEHOLD.value, HOUSEHOLD), else_=people.c.name)
"""A household's name is read by nobody here."""
_NOTIFICATIONS = select(
    notifications, _SHOWN_NAME.label("recipient_name"), incidents.c.acknowledged_at.label("acknowledged_at")
).select_from(
    notifications.outerjoin(people, people.c.id == notifications.c.recipient_id).outerjoin(
        incidents, incidents.c.id == notifications.c.incident_id
    )
)


def notifications_page(
    conn: Connection, wanted: NotificationFilter, after: str | None, limit: int, sight: Sight = ALL
) -> list[NotificationView]:
    """Newest first, each with its attempts in order: those of incidents within the scope, and as a worker his own.
    `after` is the id of the last one seen."""
    query = _NOTIFICATIONS.where(_told(sight)).order_by(notifications.c.id.desc()).limit(limit)
    if after is not None:
        query = query.where(notifications.c.id < after)
    equal = {
        notifications.c.incident_id: wanted.incident_id,
        notifications.c.recipient_id: wanted.recipient_id,
        notifications.c.channel: wanted.channel,
        notifications.c.state: wanted.state,
        notifications.c.purpose: wanted.purpose,
    }
    rows = conn.execute(query.where(*(name == value for name, value in equal.items() if value is not None))).all()
    tried = _attempts(conn, [row.id for row in rows])
    return [NotificationView(row._asdict(), row.recipient_name, tuple(tried.get(row.id, ()))) for row in rows]


def _told(sight: Sight) -> ColumnElement[bool]:
    inside = Sight(sight.scope).of(notifications.c.incident_id)
    return inside if sight.person_id is None else or_(inside, notifications.c.recipient_id == sight.person_id)


def _attempts(conn: Connection, notification_ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    if not notification_ids:
        return found
    query = select(attempts).where(attempts.c.notification_id.in_(notification_ids)).order_by(attempts.c.number)
    for row in conn.execute(query):
        found.setdefault(row.notification_id, []).append(row._asdict())
    return found


@dataclass(frozen=True, slots=True)
class Unreceived:
    """A message of the app channel that its worker's client has not confirmed."""

    notification_id: str
    incident_id: str
    text: str


def unreceived(conn: Connection, person_id: str, limit: int) -> list[Unreceived]:
    """Pages that this person's client has not confirmed, of incidents nobody goes to yet, most urgent first."""
    query = (
        select(notifications.c.id, notifications.c.incident_id, notifications.c.text)
        .join(incidents, and_(incidents.c.id == notifications.c.incident_id, incidents.c.work.in_(_UNANSWERED)))
        .where(
            notifications.c.recipient_id == person_id,
            notifications.c.channel == Channel.APP.value,
            notifications.c.purpose.in_([each.value for each in Purpose if each.asks]),
            notifications.c.state.not_in((*_SEEN_BY_APP, AttemptState.CANCELED.value)),
        )
        .order_by(notifications.c.urgency, notifications.c.id)
        .limit(limit)
    )
    return [Unreceived(*row) for row in conn.execute(query)]


def call_script(conn: Connection, attempt_id: str) -> str | None:
    """The call script (JSON) that an attempt speaks."""
    query = (
        select(notifications.c.text)
        .join(attempts, attempts.c.notification_id == notifications.c.id)
        .where(attempts.c.id == attempt_id)
    )
    return conn.scalar(query)


def person_name(conn: Connection, person_id: str) -> str | None:
    return conn.scalar(select(_SHOWN_NAME).where(people.c.id == person_id))
