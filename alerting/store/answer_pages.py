"""What a worker's answer page shows: one message, its incident, who goes. Never decides, never reads a number."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from alerting.core.model import PlaceText, Purpose, Work
from alerting.store.tables import incidents, notifications
from devices.model import Channel, Language
from devices.store.tables import people

_ASKED = (
    select(
        notifications.c.id,
        notifications.c.incident_id,
        notifications.c.recipient_id,
        notifications.c.purpose,
        notifications.c.language,
        notifications.c.planned_at,
        incidents.c.code,
        incidents.c.reference,
        incidents.c.place_text,
        incidents.c.opened_at,
        incidents.c.work,
        incidents.c.taken_by,
        incidents.c.drill_id,
    )
    .join(incidents, incidents.c.id == notifications.c.incident_id)
    .where(notifications.c.id == bindparam("id"))
)
_CALL = (
    select(notifications.c.id)
    .where(
        notifications.c.incident_id == bindparam("incident"),
        notifications.c.recipient_id == bindparam("recipient"),
        notifications.c.channel == bindparam("channel"),
        notifications.c.purpose.in_([purpose.value for purpose in Purpose if purpose.asks]),
    )
    .order_by(notifications.c.planned_at.desc())
    .limit(1)
)
_NAME = select(people.c.name).where(people.c.id == bindparam("id"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that asked somebody to go, and how its incident stands."""

    notification_id: str
    incident_id: str
    recipient_id: str
    name: str
    purpose: Purpose
    language: Language
    planned_at: datetime
    code: str
    reference: str
    place: PlaceText
    opened_at: datetime
    work: Work
    taken_by: str | None
    who_goes: str
    """Whoever it is; empty for nobody."""
    drill: bool


def asked(conn: Connection, notification_id: str) -> Asked | None:
    """None for no message of ours, or to nobody that is registered."""
    row = conn.execute(_ASKED, {"id": notification_id}).one_or_none()
    if row is None:
        return None
    name = conn.scalar(_NAME, {"id": row.recipient_id})
    if name is None:
        return None
    goes = conn.scalar(_NAME, {"id": row.taken_by}) if row.taken_by else None
    return Asked(
        notification_id=row.id,
        incident_id=row.incident_id,
        recipient_id=row.recipient_id,
        name=name,
        purpose=Purpose(row.purpose),
        language=Language(row.language),
        planned_at=row.planned_at,
        code=row.code,
        reference=row.reference,
        place=PlaceText(**row.place_text),
        opened_at=row.opened_at,
        work=Work(row.work),
        taken_by=row.taken_by,
        who_goes=goes or row.taken_by or "",
        drill=row.drill_id is not None,
    )


def newest_on(conn: Connection, incident_id: str, recipient_id: str, channel: Channel) -> str | None:
    """The newest message that asked this person on this channel."""
    return conn.scalar(_CALL, {"incident": incident_id, "recipient": recipient_id, "channel": channel.value})
