"""Queries on what went to households and what they said: calls taken back, results asked, numbers forgotten. Decides
nothing, and never reads a name.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, delete, func, insert, or_, select, update

from alerting.core.attempts import RANK
from alerting.core.model import AttemptState, Purpose
from alerting.store.attempt_values import Ringing
from alerting.store.tables import attempts, callbacks, incidents, notifications
from alerting.store.tables_results import incident_results
from alerting.store.tables_testing import probes
from devices.model import Relation
from devices.store.tables import places
from devices.store.tables_places import households
from devices.store.types import Instant

_R = incident_results.c
_CALLS = select(notifications.c.id).where(
    notifications.c.incident_id == bindparam("incident"), notifications.c.purpose == Purpose.HOUSEHOLD.value
)
_CANCEL = (
    update(attempts)
    .where(
        attempts.c.notification_id.in_(_CALLS),
        attempts.c.state.in_((AttemptState.PLANNED.value, AttemptState.BUSY.value)),
    )
    .values(state=AttemptState.CANCELED.value, rank=RANK[AttemptState.CANCELED], due_at=None)
)
_RINGING = select(attempts.c.id, attempts.c.provider, attempts.c.provider_ref).where(
    attempts.c.notification_id.in_(_CALLS),
    attempts.c.provider_ref.is_not(None),
    attempts.c.state.in_((AttemptState.PROVIDER_ACCEPTED.value, AttemptState.SENT.value)),
)
_WHO = (
    select(households.c.relation, places.c.name)
    .join(places, places.c.id == households.c.place_id)
    .where(households.c.person_id == bindparam("person"))
)
_LATEST = (
    select(attempts.c.id, notifications.c.purpose, notifications.c.incident_id, notifications.c.recipient_id)
    .join(notifications, notifications.c.id == attempts.c.notification_id)
    .join(incidents, incidents.c.id == notifications.c.incident_id)
    .outerjoin(
        incident_results,
        and_(_R.incident_id == notifications.c.incident_id, _R.recipient_id == notifications.c.recipient_id),
    )
    .where(
        notifications.c.address == bindparam("address"),
        or_(
            and_(notifications.c.purpose == Purpose.HOUSEHOLD.value, incidents.c.closed_at.is_(None)),
            and_(notifications.c.purpose == Purpose.RESULT.value, _R.expires_at > bindparam("now", type_=Instant())),
        ),
    )
    .order_by(attempts.c.planned_at.desc(), attempts.c.number.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest message to a household's number that it may still answer."""

    attempt_id: str
    purpose: Purpose
    incident_id: str
    recipient_id: str


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One household that was told how an incident ended."""

    incident_id: str
    recipient_id: str
    token_hash: str | None
    told_at: datetime
    expires_at: datetime
    satisfied: bool | None = None


@dataclass(frozen=True, slots=True)
class Satisfaction:
    """How many households were told, and how many said what."""

    asked: int
    satisfied: int
    not_satisfied: int


def who(conn: Connection, person_id: str) -> tuple[Relation, str] | None:
    """What this person is to which flat; None once it has withdrawn."""
    row = conn.execute(_WHO, {"person": person_id}).first()
    return None if row is None else (Relation(row[0]), row[1])


def cancel_calls(conn: Connection, incident_id: str) -> list[Ringing]:
    """It is known what it was: calls to households that have not gone out do not. Those that may ring."""
    conn.execute(_CANCEL, {"incident": incident_id})
    return [Ringing(*row) for row in conn.execute(_RINGING, {"incident": incident_id})]


def latest_to(conn: Connection, address: str, now: datetime) -> Newest | None:
    row = conn.execute(_LATEST, {"address": address, "now": now}).first()
    return None if row is None else Newest(row[0], Purpose(row[1]), row[2], row[3])


def add_results(conn: Connection, rows: Sequence[ResultRow]) -> None:
    if rows:
        values = [
            {
                "incident_id": row.incident_id,
                "recipient_id": row.recipient_id,
                "token_hash": row.token_hash,
                "told_at": row.told_at,
                "expires_at": row.expires_at,
            }
            for row in rows
        ]
        conn.execute(insert(incident_results), values)


def result(conn: Connection, incident_id: str, recipient_id: str) -> ResultRow | None:
    """Locked: an answer rests on it."""
    query = select(incident_results).where(_R.incident_id == incident_id, _R.recipient_id == recipient_id)
    row = conn.execute(query.with_for_update()).first()
    return None if row is None else _result(row)


def result_of_token(conn: Connection, token_hash: str) -> ResultRow | None:
    row = conn.execute(select(incident_results).where(_R.token_hash == token_hash)).first()
    return None if row is None else _result(row)


def rate(conn: Connection, row: ResultRow, satisfied: bool, via: str, now: datetime) -> None:
    mine = (_R.incident_id == row.incident_id, _R.recipient_id == row.recipient_id)
    values = {"satisfied": int(satisfied), "answered_at": now, "answered_via": via}
    conn.execute(update(incident_results).where(*mine).values(**values))


def satisfaction(conn: Connection, incident_ids: Collection[str]) -> dict[str, Satisfaction]:
    """Of those incidents of which a household was told."""
    if not incident_ids:
        return {}
    said = func.coalesce(func.sum(_R.satisfied), 0)
    query = select(_R.incident_id, func.count(), func.count(_R.satisfied), said)
    grouped = query.where(_R.incident_id.in_(list(incident_ids))).group_by(_R.incident_id)
    return {
        incident_id: Satisfaction(int(asked), int(yes), int(answered) - int(yes))
        for incident_id, asked, answered, yes in conn.execute(grouped)
    }


def forget(conn: Connection, person_id: str) -> None:
    """The person withdraws: its number leaves every message sent, every callback, every check of the number."""
    mine = select(notifications.c.id).where(notifications.c.recipient_id == person_id)
    numbers = list(conn.scalars(select(notifications.c.address).where(notifications.c.recipient_id == person_id)))
    tried = select(attempts.c.id).where(attempts.c.notification_id.in_(mine))
    checked = select(probes.c.id).where(probes.c.person_id == person_id)
    said = or_(callbacks.c.attempt_id.in_(tried), callbacks.c.attempt_id.in_(checked))
    conn.execute(update(callbacks).where(said, callbacks.c.folded_at.is_not(None)).values(body={}))
    for number in sorted(set(numbers)):
        _forget_replies(conn, number)
    conn.execute(delete(probes).where(probes.c.person_id == person_id))
    conn.execute(update(notifications).where(notifications.c.recipient_id == person_id).values(address=""))


def _forget_replies(conn: Connection, number: str) -> None:
    """Texts that came from this number name no attempt."""
    unnamed = callbacks.c.attempt_id.is_(None) & callbacks.c.folded_at.is_not(None)
    for row_id, body in conn.execute(select(callbacks.c.id, callbacks.c.body).where(unnamed)).fetchall():
        if number in (body or {}).values():
            conn.execute(update(callbacks).where(callbacks.c.id == row_id).values(body={}))


def _result(row: Row[Any]) -> ResultRow:
    return ResultRow(
        row.incident_id,
        row.recipient_id,
        row.token_hash,
        row.told_at,
        row.expires_at,
        None if row.satisfied is None else bool(row.satisfied),
    )
