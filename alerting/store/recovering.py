"""What life safety has waiting for carriers that were out: due at once when one is back. Never moves a lease."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from alerting.core.attempts import TryReason
from alerting.core.model import AttemptState
from alerting.store.tables import attempts, notifications
from devices.model import Channel

_FOR_A_CARRIER = (
    *(TryReason.UNSETTLED, TryReason.BUSY, TryReason.FAILOVER),
    *(TryReason.HEDGE, TryReason.NOT_CONFIRMED),
)
"""What these tries wait for; a redial waits for a person."""
_HASTEN = (
    update(attempts)
    .where(
        attempts.c.state == AttemptState.PLANNED.value,
        attempts.c.due_at > bindparam("now"),
        attempts.c.reason.in_([reason.value for reason in _FOR_A_CARRIER]),
        select(notifications.c.id)
        .where(
            notifications.c.id == attempts.c.notification_id,
            notifications.c.channel.in_(bindparam("channels", expanding=True)),
            notifications.c.urgency == 0,
        )
        .exists(),
    )
    .values(due_at=bindparam("now"))
)


def hasten(conn: Connection, now: datetime, channels: Collection[Channel]) -> int:
    """Returns how many; whoever is answered or superseded is dropped when it is claimed, as ever."""
    return conn.execute(_HASTEN, {"now": now, "channels": [channel.value for channel in channels]}).rowcount
