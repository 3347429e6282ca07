"""Calls that may still be under way, and what each number was sent: what routing remembers. Never decides."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, func, or_, select, tuple_, union_all

from alerting.core.lines import Line, ends
from alerting.core.model import AttemptState
from alerting.store.tables import attempts, incidents, notifications
from alerting.store.tables_testing import probes
from devices.model import Channel

looked_back = timedelta(minutes=3)
"""No call of ours lasts longer."""
redials_back = timedelta(hours=6)
"""A message is dialled again for no longer."""
incidents_back = timedelta(days=7)
"""Older incidents that are closed have paged nobody in the last day."""
_MAY_LAST = (
    AttemptState.SENDING,
    AttemptState.UNKNOWN,
    AttemptState.PROVIDER_ACCEPTED,
    AttemptState.SENT,
    AttemptState.DELIVERED,
    AttemptState.ANSWERED,
    AttemptState.TAKEN,
)
_began = func.coalesce(attempts.c.submitted_at, attempts.c.planned_at)
_UNDER_WAY = (
    select(
        notifications.c.address,
        attempts.c.id,
        attempts.c.notification_id,
        attempts.c.incident_id,
        attempts.c.provider,
        attempts.c.number,
        notifications.c.urgency,
        attempts.c.provider_ref,
        attempts.c.answered_at,
        _began.label("began"),
    )
    .join(notifications, notifications.c.id == attempts.c.notification_id)
    .join(incidents, incidents.c.id == attempts.c.incident_id)
    .where(
        incidents.c.opened_at > bindparam("since_opened"),
        notifications.c.channel == Channel.VOICE.value,
        attempts.c.state.in_([state.value for state in _MAY_LAST]),
        attempts.c.ended_at.is_(None),
        _began > bindparam("since"),
    )
)
_ELSEWHERE = (
    select(attempts.c.id)
    .join(notifications, notifications.c.id == attempts.c.notification_id)
    .where(
        notifications.c.address == bindparam("address"),
        notifications.c.planned_at > bindparam("since_planned"),
        notifications.c.channel == Channel.VOICE.value,
        attempts.c.id != bindparam("attempt"),
        attempts.c.notification_id != bindparam("notification"),
        attempts.c.ended_at.is_(None),
        _began > bindparam("since"),
        or_(
            attempts.c.state.in_([state.value for state in _MAY_LAST[1:]]),
            # Two that are being sent at the same time: the older one has the line.
            and_(
                attempts.c.state == AttemptState.SENDING.value,
                attempts.c.lease_boot.is_distinct_from(bindparam("boot")),
                tuple_(attempts.c.planned_at, attempts.c.id) < tuple_(bindparam("planned"), bindparam("attempt")),
            ),
        ),
    )
    .limit(1)
)
_SENT = (
    AttemptState.SENDING,
    *(state for state in AttemptState if state not in (AttemptState.PLANNED, AttemptState.CANCELED)),
)


def under_way(conn: Connection, now: datetime, ring_s: float) -> list[tuple[str, Line]]:
    """(number, line) of every call that a life before this one has left and that may still be on."""
    rows = conn.execute(_UNDER_WAY, {"since": now - looked_back, "since_opened": now - incidents_back})
    found = []
    for row in rows:
        line = Line(
            attempt_id=row.id,
            notification_id=row.notification_id,
            incident_id=row.incident_id,
            provider=row.provider,
            urgency=row.urgency,
            until=ends(min(row.began, now), ring_s),  # our future: the clock was set back meanwhile
            number=row.number,
            provider_ref=row.provider_ref,
            answered=row.answered_at is not None,
        )
        found.append((row.address, line))
    return sorted(found, key=lambda each: each[1].until)


def taken_elsewhere(
    conn: Connection, address: str, attempt_id: str, notification_id: str, planned: datetime, boot: int, since: datetime
) -> bool:
    """Does another call, of any process, have this phone?"""
    asked = {
        "address": address,
        "attempt": attempt_id,
        "notification": notification_id,
        "planned": planned,
        "boot": boot,
        "since": since,
        "since_planned": since - redials_back,
    }
    return conn.execute(_ELSEWHERE, asked).first() is not None


def spent(
    conn: Connection, carriers: Collection[tuple[Channel, str]], since: datetime
) -> list[tuple[Channel, str, str, datetime]]:
    """(channel, provider, number, when) of everything that these carriers were given since then, oldest first."""
    providers = sorted({name for _, name in carriers})
    asked = union_all(_by_incidents(providers, since), _by_probes(since))
    wanted = set(carriers)
    found: Sequence[Sequence[Any]] = conn.execute(asked).fetchall()
    rows = [(Channel(row[0]), str(row[1]), str(row[2]), row[3]) for row in found]
    return sorted((row for row in rows if (row[0], row[1]) in wanted), key=lambda row: row[3])


def _by_incidents(providers: Sequence[str], since: datetime) -> Select[tuple[str, str, str, datetime]]:
    return (
        select(notifications.c.channel, attempts.c.provider, notifications.c.address, _began)
        .join(notifications, notifications.c.id == attempts.c.notification_id)
        .join(incidents, incidents.c.id == attempts.c.incident_id)
        .where(
            or_(incidents.c.closed_at.is_(None), incidents.c.opened_at > since - incidents_back),
            attempts.c.provider.in_(providers),
            attempts.c.state.in_([state.value for state in _SENT]),
            attempts.c.planned_at > since - timedelta(hours=1),
            _began > since,
        )
    )


def _by_probes(since: datetime) -> Select[tuple[str, str, str, datetime]]:
    return select(probes.c.channel, probes.c.provider, probes.c.address, probes.c.created_at).where(
        probes.c.created_at > since, probes.c.provider.is_not(None), probes.c.sends > 0
    )


def ended(conn: Connection, ids: Collection[str]) -> list[str]:
    """Of these attempts, those whose call has ended, whoever was told."""
    query = select(attempts.c.id).where(attempts.c.id.in_(list(ids)), attempts.c.ended_at.is_not(None))
    return list(conn.scalars(query))
