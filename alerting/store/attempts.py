"""Attempts: the outbox's rows. Insert, claim, settle; ranks only rise. Never decides, never sends."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, Update, bindparam, case, func, select, text, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.channels.base import Submission
from alerting.core import templates
from alerting.core.attempts import DEAD, RANK, TryReason
from alerting.core.model import AttemptState, Purpose, Work
from alerting.store.attempt_values import ASKING, Change, Claimed, NewAttempt, Ringing
from alerting.store.tables import attempts, incidents, notifications
from devices.model import Channel, Language

__all__ = ["ASKING", "Change", "Claimed", "NewAttempt", "Ringing", "advisory_class", "lease_seconds"]

lease_seconds = 15
advisory_class = 1196314183
"""First key of the PostgreSQL advisory lock that a running process holds; the second is its boot number."""


_INSERT = {
    "sqlite": sqlite.insert(attempts).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(attempts).on_conflict_do_nothing(),
}
_after = attempts.alias("after")
_FOLLOWED = (
    select(_after.c.id)
    .where(
        _after.c.notification_id == attempts.c.notification_id,
        _after.c.number > attempts.c.number,
        _after.c.state.not_in([state.value for state in DEAD]),
    )
    .correlate(attempts)
    .exists()
)
_NEWEST = (
    select(func.max(_after.c.number))
    .where(_after.c.notification_id == attempts.c.notification_id)
    .correlate(attempts)
    .scalar_subquery()
)
_REDIALS = (
    select(func.count())
    .where(_after.c.notification_id == attempts.c.notification_id, _after.c.reason == TryReason.REDIAL.value)
    .correlate(attempts)
    .scalar_subquery()
)
_JOINED = (
    select(
        attempts.c.id,
        attempts.c.notification_id,
        attempts.c.incident_id,
        attempts.c.number,
        attempts.c.reason,
        attempts.c.provider,
        attempts.c.state,
        attempts.c.planned_at,
        attempts.c.provider_ref,
        attempts.c.received_at,
        notifications.c.recipient_id,
        notifications.c.channel,
        notifications.c.purpose,
        notifications.c.address,
        notifications.c.language,
        notifications.c.urgency,
        notifications.c.text,
        notifications.c.wording,
        notifications.c.redial_gap_s,
        notifications.c.redial_max,
        notifications.c.round,
        notifications.c.step,
        _FOLLOWED.label("followed"),
        _NEWEST.label("newest"),
        _REDIALS.label("redials"),
        incidents.c.severity,
        incidents.c.work,
        incidents.c.taken_at,
        notifications.c.planned_at.label("asked_at"),
        incidents.c.drill_id,
    )
    .join(notifications, notifications.c.id == attempts.c.notification_id)
    .join(incidents, incidents.c.id == attempts.c.incident_id)
)
_DUE = (
    _JOINED.where(
        attempts.c.due_at <= bindparam("now"), notifications.c.channel.in_(bindparam("channels", expanding=True))
    )
    .order_by(notifications.c.urgency, attempts.c.due_at)
    .limit(bindparam("most"))
    .with_for_update(of=attempts, skip_locked=True)
)
_UNSETTLED = (AttemptState.SENDING, AttemptState.UNKNOWN)
_REFUSED = select(attempts.c.notification_id, attempts.c.provider).where(
    attempts.c.notification_id.in_(bindparam("ids", expanding=True)),
    attempts.c.state == AttemptState.REJECTED.value,
)
_BY_ID = _JOINED.where(attempts.c.id.in_(bindparam("ids", expanding=True)))
_BY_ID_LOCKED = _BY_ID.with_for_update(of=attempts)
_LEASE = (
    update(attempts)
    .where(attempts.c.id == bindparam("key"))
    .values(
        state=case((attempts.c.rank < RANK[AttemptState.SENDING], AttemptState.SENDING.value), else_=attempts.c.state),
        rank=case((attempts.c.rank < RANK[AttemptState.SENDING], RANK[AttemptState.SENDING]), else_=attempts.c.rank),
        lease_boot=bindparam("boot"),
        due_at=bindparam("until"),
        provider=bindparam("chosen"),
    )
)
_TIMES = (
    "committed_at",
    "submitted_at",
    "provider_accepted_at",
    "first_receipt_at",
    "delivered_at",
    "answered_at",
    "taken_at",
    "ended_at",
    "provider_ref",
    "error",
)


def _kept(name: str) -> Any:
    """The first value written stays."""
    column = attempts.c[name]
    return case((column.is_(None), bindparam(f"new_{name}", type_=column.type)), else_=column)


_CHANGE = (
    update(attempts)
    .where(attempts.c.id == bindparam("key"))
    .values(
        state=case((attempts.c.rank < bindparam("new_rank"), bindparam("new_state")), else_=attempts.c.state),
        rank=case((attempts.c.rank < bindparam("new_rank"), bindparam("new_rank")), else_=attempts.c.rank),
        # A late, lower word says nothing about what to do next: after a receipt a time-out asks nobody.
        due_at=case(
            (attempts.c.rank <= bindparam("new_rank"), bindparam("new_due_at", type_=attempts.c.due_at.type)),
            else_=attempts.c.due_at,
        ),
    )
)


@cache
def _changing(names: tuple[str, ...]) -> Update:
    """Only what somebody writes: each column more costs every row."""
    return _CHANGE.values({name: _kept(name) for name in names})


_CANCEL = (
    update(attempts)
    .where(
        attempts.c.incident_id == bindparam("incident"),
        attempts.c.state.in_((AttemptState.PLANNED.value, AttemptState.BUSY.value)),
        attempts.c.notification_id.in_(
            select(notifications.c.id).where(
                notifications.c.incident_id == bindparam("incident"), notifications.c.purpose.in_(ASKING)
            )
        ),
    )
    .values(state=AttemptState.CANCELED.value, rank=RANK[AttemptState.CANCELED], due_at=None)
    .returning(attempts.c.notification_id)
)
_RINGING = (
    select(attempts.c.id, attempts.c.provider, attempts.c.provider_ref)
    .join(notifications, notifications.c.id == attempts.c.notification_id)
    .where(
        attempts.c.incident_id == bindparam("incident"),
        notifications.c.channel == Channel.VOICE.value,
        notifications.c.purpose.in_(ASKING),
        attempts.c.provider_ref.is_not(None),
        attempts.c.state.in_((AttemptState.PROVIDER_ACCEPTED.value, AttemptState.SENT.value)),
    )
)
_VOID = (
    update(attempts)
    .where(
        attempts.c.state.in_((AttemptState.SENDING.value, AttemptState.UNKNOWN.value)),
        attempts.c.due_at.is_not(None),
        attempts.c.lease_boot != bindparam("boot"),
    )
    .values(
        state=AttemptState.UNKNOWN.value,
        rank=RANK[AttemptState.UNKNOWN],
        due_at=bindparam("now"),
        lease_boot=None,  # free: the next sweep need not void it again
    )
)
_HELD = text("SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND classid = :held_class").columns(
    objid=attempts.c.number.type
)
_LATEST = (
    select(attempts.c.id, attempts.c.notification_id, attempts.c.incident_id, attempts.c.planned_at)
    .join(notifications, notifications.c.id == attempts.c.notification_id)
    .where(notifications.c.address == bindparam("address"), notifications.c.purpose.in_(ASKING))
    .order_by(attempts.c.planned_at.desc())
    .limit(20)
)
_OF_NOTIFICATION = (
    select(attempts.c.id, attempts.c.incident_id, notifications.c.recipient_id)
    .join(notifications, notifications.c.id == attempts.c.notification_id)
    .where(notifications.c.id == bindparam("notification"))
    .order_by((attempts.c.provider == "stream").desc(), attempts.c.number.desc())
    .limit(1)
)


def insert(conn: Connection, rows: Sequence[NewAttempt]) -> None:
    """Insert attempts; a number that another writer took is left alone."""
    if rows:
        conn.execute(_INSERT[conn.dialect.name], _values(rows))


def insert_further(conn: Connection, rows: Sequence[NewAttempt]) -> set[str]:
    """The same for attempts that follow others; returns those written."""
    if not rows:
        return set()
    return {row[0] for row in conn.execute(_INSERT[conn.dialect.name].returning(attempts.c.id), _values(rows))}


def _values(rows: Sequence[NewAttempt]) -> list[dict[str, Any]]:
    return [
        {
            "id": r.id,
            "notification_id": r.notification_id,
            "incident_id": r.incident_id,
            "number": r.number,
            "reason": r.reason,
            "provider": r.provider,
            "state": r.state.value,
            "rank": RANK[r.state],
            "due_at": r.due_at,
            "lease_boot": r.lease_boot,
            "received_at": r.received_at,
            "planned_at": r.planned_at,
            "observed_at": r.observed_at,
            "clock": r.clock,
        }
        for r in rows
    ]


def claim_due(
    conn: Connection,
    now: datetime,
    boot: int,
    channels: Collection[Channel],
    most: int,
    pick: Callable[[Claimed], str] = lambda claimed: claimed.provider,
) -> list[Claimed]:
    """Lease what is due, most urgent first: planned ones to submit, unsettled ones to look up. `pick`: which carrier
    one that is to be submitted goes to; committed with the lease, so that whoever settles it asks the right one."""
    names = [channel.value for channel in channels]
    rows = _claimed(conn, _DUE, {"now": now, "channels": names, "most": most})
    if not rows:
        return []
    rows = [row if row.state in _UNSETTLED else replace(row, provider=pick(row)) for row in _with_refusals(conn, rows)]
    until = now + timedelta(seconds=lease_seconds)
    leases = [{"key": row.submission.attempt_id, "boot": boot, "until": until, "chosen": row.provider} for row in rows]
    conn.execute(_LEASE, leases)
    return rows


def _with_refusals(conn: Connection, rows: list[Claimed]) -> list[Claimed]:
    """Who has refused these messages before; asked only where there were tries before."""
    again = [row.submission.notification_id for row in rows if row.number > 1]
    if not again:
        return rows
    refused: dict[str, set[str]] = {}
    for notification_id, provider in conn.execute(_REFUSED, {"ids": again}):
        refused.setdefault(notification_id, set()).add(provider)
    return [replace(row, refused=frozenset(refused.get(row.submission.notification_id, ()))) for row in rows]


def load(conn: Connection, ids: Collection[str]) -> dict[str, Claimed]:
    """Attempts by id, locked: a decision rests on them."""
    rows = _claimed(conn, _BY_ID_LOCKED, {"ids": list(ids)}) if ids else []
    return {row.submission.attempt_id: row for row in rows}


def look(conn: Connection, ids: Collection[str]) -> dict[str, Claimed]:
    """Attempts by id, to look at."""
    rows = _claimed(conn, _BY_ID, {"ids": list(ids)}) if ids else []
    return {row.submission.attempt_id: row for row in rows}


def find(conn: Connection, attempt_id: str) -> Claimed | None:
    """One attempt, to look at."""
    return look(conn, (attempt_id,)).get(attempt_id)


def change(conn: Connection, changes: Sequence[Change]) -> None:
    """Write outcomes. The state's rank only rises; the first time and reference written stay."""
    if not changes:
        return
    names = tuple(name for name in _TIMES if any(getattr(c, name) is not None for c in changes))
    keys = [(name, f"new_{name}") for name in names]
    rows: list[dict[str, Any]] = []
    for c in changes:
        row = {"key": c.attempt_id, "new_state": c.state.value, "new_rank": RANK[c.state], "new_due_at": c.due_at}
        rows.append(row | {key: getattr(c, name) for name, key in keys})
    conn.execute(_changing(names), rows)


def cancel_planned(conn: Connection, incident_id: str) -> list[str]:
    """Pages of this incident that were not submitted yet are not sent; returns their notifications."""
    return [row[0] for row in conn.execute(_CANCEL, {"incident": incident_id})]


def ringing(conn: Connection, incident_id: str) -> list[Ringing]:
    """Calls that may be ringing."""
    return [Ringing(*row) for row in conn.execute(_RINGING, {"incident": incident_id})]


def void_leases(conn: Connection, boot: int, now: datetime) -> int:
    """Leases of processes that are gone: their attempts become `unknown`, to be looked up at once.

    SQLite: every boot but ours (one process). PostgreSQL: boots whose advisory lock is free.
    """
    statement = _VOID
    if conn.dialect.name == "postgresql":
        held = [row[0] for row in conn.execute(_HELD, {"held_class": advisory_class})]
        statement = statement.where(attempts.c.lease_boot.not_in(held))
    return conn.execute(statement, {"boot": boot, "now": now}).rowcount


def latest_to(conn: Connection, address: str) -> list[tuple[str, str, str]]:
    """(attempt, notification, incident) of the newest pages to this number."""
    return [(row[0], row[1], row[2]) for row in conn.execute(_LATEST, {"address": address})]


def newest_of(conn: Connection, notification_id: str) -> tuple[str, str, str] | None:
    """(attempt, incident, recipient) of a notification's newest attempt."""
    row = conn.execute(_OF_NOTIFICATION, {"notification": notification_id}).one_or_none()
    return (row[0], row[1], row[2]) if row else None


def _claimed(conn: Connection, statement: Select[Any], parameters: dict[str, Any]) -> list[Claimed]:
    return [_row(row) for row in conn.execute(statement, parameters)]


def _row(row: Row[Any]) -> Claimed:
    return Claimed(
        submission=Submission(
            attempt_id=row.id,
            notification_id=row.notification_id,
            incident_id=row.incident_id,
            recipient_id=row.recipient_id,
            channel=Channel(row.channel),
            address=row.address,
            language=Language(row.language),
            text=row.text,
            urgency=row.urgency,
            planned_at=row.planned_at,
            purpose=row.purpose,
            wording=templates.of_document(row.wording),
        ),
        number=row.number,
        reason=row.reason,
        state=AttemptState(row.state),
        purpose=row.purpose,
        provider_ref=row.provider_ref,
        received_at=row.received_at,
        severity=row.severity,
        answered=_answered(row),
        redial_gap_s=row.redial_gap_s,
        redial_max=row.redial_max,
        drill=row.drill_id is not None,
        provider=row.provider,
        round=row.round,
        step=row.step,
        followed=bool(row.followed),
        newest=row.newest,
        redials=row.redials,
    )


def _answered(row: Row[Any]) -> bool:
    """Whoever was asked after somebody had taken it (it spreads, help is sent for) is still asked. A household may be
    needed until it is known what it was."""
    if row.purpose == Purpose.HOUSEHOLD.value:
        return row.work in (Work.VERIFIED.value, Work.CLOSED.value, Work.EVALUATED.value)
    if row.work in (Work.TAKEN.value, Work.ON_SITE.value):
        return row.taken_at is None or bool(row.asked_at <= row.taken_at)
    return row.work not in (Work.NEW.value, Work.DISPATCHED.value)
