"""Queries on the one row of the self-check. It is written over and over: nothing grows. Never judges it."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from alerting.channels.base import Submission
from alerting.core.attempts import TryReason
from alerting.core.canary import CANARY_DEVICE, CANARY_PURPOSE, CanaryRow
from alerting.core.model import AttemptState
from alerting.store.attempts import Claimed
from alerting.store.tables_canary import canary
from devices.model import Channel, Language

_ROW = 1
_SELECT = select(*(canary.c[name] for name in CanaryRow.__slots__)).where(canary.c.id == _ROW)


def read(conn: Connection) -> CanaryRow | None:
    row = conn.execute(_SELECT).one_or_none()
    return None if row is None else CanaryRow(*row)


def begin(conn: Connection, every_s: float, now: datetime) -> None:
    """A process that sends them has started: what was missed before it counts no more. 0: it sends none."""
    _put(conn, every_s=every_s, looked_at=now, misses=0, seconds=None)


def looked(conn: Connection, misses: int, now: datetime) -> None:
    """The publisher has judged the last one."""
    conn.execute(update(canary).where(canary.c.id == _ROW).values(misses=misses, looked_at=now))


def commit(conn: Connection, token: str, sent_at: datetime, now: datetime, *, taken: bool) -> None:
    """One has come in. `taken`: this process hands it to the loop-back provider itself."""
    values = {"token": token, "sent_at": sent_at, "committed_at": now}
    _put(conn, **values, **({"taken_token": token} if taken else {}))


def take(conn: Connection, now: datetime) -> Claimed | None:
    """The one that another process committed and nobody has handed over yet."""
    found = conn.execute(
        select(canary.c.token, canary.c.sent_at)
        .where(canary.c.id == _ROW, canary.c.token.is_not(None), canary.c.token.is_distinct_from(canary.c.taken_token))
        .with_for_update()
    ).one_or_none()
    if found is None:
        return None
    conn.execute(update(canary).where(canary.c.id == _ROW).values(taken_token=found.token))
    return claim(found.token, found.sent_at or now)


def waits(conn: Connection) -> bool:
    """Is there one to take?"""
    unlike = canary.c.token.is_distinct_from(canary.c.taken_token)
    return conn.execute(select(canary.c.id).where(canary.c.token.is_not(None), unlike)).first() is not None


def heard(conn: Connection, token: str, now: datetime, seconds: float) -> None:
    """The loop-back provider has it."""
    conn.execute(update(canary).where(canary.c.id == _ROW).values(heard_token=token, heard_at=now, seconds=seconds))


def violated(conn: Connection, incidents: int, now: datetime) -> None:
    """So many incidents were found without anything due, and healed."""
    _put(conn, violated_at=now)
    conn.execute(update(canary).where(canary.c.id == _ROW).values(violations=canary.c.violations + incidents))


def claim(token: str, sent_at: datetime) -> Claimed:
    """What the dispatcher gets: an attempt like any other, addressed to nobody."""
    submission = Submission(
        attempt_id=token[:13],
        notification_id=f"{CANARY_DEVICE}-{token}",
        incident_id=CANARY_DEVICE,
        recipient_id=CANARY_DEVICE,
        channel=Channel.SMS,
        address="",
        language=Language.EN,
        text=token,
        urgency=0,
        planned_at=sent_at,
    )
    return Claimed(
        submission=submission,
        number=1,
        reason=TryReason.FIRST.value,
        state=AttemptState.SENDING,
        purpose=CANARY_PURPOSE,
        provider_ref=None,
        received_at=None,
        severity=1,
        answered=False,
        redial_gap_s=0,
        redial_max=0,
    )


def _put(conn: Connection, **values: Any) -> None:
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    row: Any = insert(canary).values(id=_ROW, **values)
    conn.execute(row.on_conflict_do_update(index_elements=[canary.c.id], set_=values))
