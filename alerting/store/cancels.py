"""Pages that one room or person needs no more: not sent, not dialled again. Never touches anybody else's."""

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, update

from alerting.core.attempts import RANK
from alerting.core.model import AttemptState, Purpose
from alerting.store.attempt_values import Ringing
from alerting.store.tables import attempts, notifications
from devices.model import Channel

_ASKING = tuple(purpose.value for purpose in Purpose if purpose.asks)
_THEIRS = (
    notifications.c.incident_id == bindparam("incident"),
    notifications.c.recipient_id.in_(bindparam("recipients", expanding=True)),
    notifications.c.purpose.in_(_ASKING),
)
_CANCEL = (
    update(attempts)
    .where(
        attempts.c.notification_id.in_(select(notifications.c.id).where(*_THEIRS)),
        attempts.c.state.in_((AttemptState.PLANNED.value, AttemptState.BUSY.value)),
    )
    .values(state=AttemptState.CANCELED.value, rank=RANK[AttemptState.CANCELED], due_at=None)
    .returning(attempts.c.notification_id)
)
_NO_REDIAL = update(notifications).where(*_THEIRS).values(redial_max=0)
_RINGING = (
    select(attempts.c.id, attempts.c.provider, attempts.c.provider_ref)
    .join(notifications, notifications.c.id == attempts.c.notification_id)
    .where(
        *_THEIRS,
        notifications.c.channel == Channel.VOICE.value,
        attempts.c.provider_ref.is_not(None),
        attempts.c.state.in_((AttemptState.PROVIDER_ACCEPTED.value, AttemptState.SENT.value)),
    )
)


def cancel_for(conn: Connection, incident_id: str, recipients: Sequence[str]) -> list[str]:
    """What these people were asked and has not gone out yet does not go out, and no phone of theirs is dialled again
    for it; returns the notifications that do not go out."""
    of_them = {"incident": incident_id, "recipients": list(recipients)}
    canceled = [row[0] for row in conn.execute(_CANCEL, of_them)]
    conn.execute(_NO_REDIAL, of_them)
    return canceled


def ringing_of(conn: Connection, incident_id: str, recipients: Sequence[str]) -> list[Ringing]:
    """Their calls that may be ringing."""
    return [Ringing(*row) for row in conn.execute(_RINGING, {"incident": incident_id, "recipients": list(recipients)})]
