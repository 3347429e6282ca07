"""Which waiting messages a newer one makes needless: asked before one is sent late. Never decides what is news."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select

from alerting.core.attempts import stale_after_s
from alerting.core.model import AttemptState, Purpose
from alerting.store.attempts import Claimed
from alerting.store.tables import notifications

_newer = notifications.alias("newer")
_TOLD = tuple(purpose.value for purpose in Purpose if purpose is not Purpose.TEST)
_NEVER_WENT = (AttemptState.CANCELED.value, AttemptState.REJECTED.value)
_SUPERSEDED = select(notifications.c.id).where(
    notifications.c.id.in_(bindparam("ids", expanding=True)),
    notifications.c.planned_at < bindparam("before"),
    select(_newer.c.id)
    .where(
        _newer.c.incident_id == notifications.c.incident_id,
        _newer.c.recipient_id == notifications.c.recipient_id,
        _newer.c.channel == notifications.c.channel,
        _newer.c.planned_at > notifications.c.planned_at,
        _newer.c.purpose.in_(_TOLD),
        _newer.c.state.not_in(_NEVER_WENT),
    )
    .exists(),
)


def marked(conn: Connection, rows: Sequence[Claimed], now: datetime) -> list[Claimed]:
    """The same; those that have waited long, and that a newer message to the same phone replaces, say so."""
    if not rows:
        return []
    asked = {
        "ids": sorted({row.submission.notification_id for row in rows}),
        "before": now - timedelta(seconds=stale_after_s),
    }
    needless = set(conn.scalars(_SUPERSEDED, asked))
    return [replace(row, superseded=row.submission.notification_id in needless) for row in rows]
