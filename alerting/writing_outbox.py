"""Messages that were decided, as rows: one notification and its first attempt each, leased where this process sends it.

Inside one open transaction. Never decides, never sends and never commits.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerting.channels.base import Submission
from alerting.core import decisions as d
from alerting.core.attempts import TryReason
from alerting.core.instants import Heard
from alerting.core.model import AttemptState
from alerting.ports import Ids
from alerting.store import attempts, notifications
from devices.model import Channel

WAKE_OUTBOX = "gengfu_outbox"
WAKE_STREAM = "gengfu_stream"
"""What other processes are woken by (PostgreSQL); a sweep finds whatever a wake-up misses."""


def _wake_nobody(conn: Connection, channel: str) -> None:
    return


@dataclass(frozen=True, slots=True)
class Outbox:
    """What this process will send at once: the channels it serves (with the name of a carrier), its boot number.

    `wake(conn, name)`: within the transaction, tell other processes when it commits. `pick`: which carrier a message
    goes to, committed before it is sent; instant, and looked at again before it goes.
    """

    boot: int
    providers: Mapping[Channel, str]
    wake: Callable[[Connection, str], None] = _wake_nobody
    pick: Callable[[d.Notify], str] | None = None

    def carrier_of(self, notice: d.Notify) -> str:
        """'': whoever sends it chooses."""
        known = self.providers.get(notice.channel, "")
        return (self.pick(notice) or known) if self.pick is not None and known else known


@dataclass(frozen=True, slots=True)
class Planned:
    """One message that was written, and its first attempt."""

    notice: d.Notify
    attempt: attempts.NewAttempt

    @property
    def mine(self) -> bool:
        """This process sends it."""
        return self.attempt.state is AttemptState.SENDING


def plan(
    conn: Connection, now: datetime, ids: Ids, outbox: Outbox, notices: Sequence[d.Notify], heard: Mapping[str, Heard]
) -> list[Planned]:
    """Rows for these messages; one that exists already (same step, person, channel) is left alone."""
    fresh = {ids.uuid7(): notice for notice in notices}
    rows = [
        _notification(key, notice, now, sending=notice.channel in outbox.providers) for key, notice in fresh.items()
    ]
    written = notifications.insert(conn, rows)
    made = [
        Planned(notice, _attempt(key, notice, now, ids, outbox, heard.get(notice.incident_id)))
        for key, notice in fresh.items()
        if key in written
    ]
    attempts.insert(conn, [each.attempt for each in made])
    if not all(each.mine for each in made):
        outbox.wake(conn, WAKE_OUTBOX)
    return made


def claimed(planned: Planned, severity: int, *, drill: bool) -> attempts.Claimed:
    """What the dispatcher gets of it, without asking the database."""
    notice, attempt = planned.notice, planned.attempt
    return attempts.Claimed(
        submission=Submission(
            attempt_id=attempt.id,
            notification_id=attempt.notification_id,
            incident_id=notice.incident_id,
            recipient_id=notice.recipient_id,
            channel=notice.channel,
            address=notice.address,
            language=notice.language,
            text=notice.text,
            urgency=notice.urgency,
            planned_at=attempt.planned_at,
            purpose=notice.purpose.value,
            wording=notice.wording,
        ),
        number=1,
        reason=attempt.reason,
        state=attempt.state,
        purpose=notice.purpose.value,
        provider_ref=None,
        received_at=attempt.received_at,
        severity=severity,
        answered=False,
        redial_gap_s=notice.redial_gap_s,
        redial_max=notice.redial_max,
        drill=drill,
        provider=attempt.provider,
        round=notice.round,
        step=notice.step,
    )


def _attempt(
    notification_id: str, notice: d.Notify, now: datetime, ids: Ids, outbox: Outbox, heard: Heard | None
) -> attempts.NewAttempt:
    mine = notice.channel in outbox.providers
    return attempts.NewAttempt(
        id=ids.attempt(),
        notification_id=notification_id,
        incident_id=notice.incident_id,
        number=1,
        reason=TryReason.FIRST.value,
        provider=outbox.carrier_of(notice),
        state=AttemptState.SENDING if mine else AttemptState.PLANNED,
        due_at=now + timedelta(seconds=attempts.lease_seconds) if mine else now,
        lease_boot=outbox.boot if mine else None,
        received_at=heard.received_at if heard else None,
        planned_at=now,
        observed_at=heard.observed_at if heard else None,
        clock=heard.clock.value if heard else None,
    )


def _notification(key: str, notice: d.Notify, now: datetime, *, sending: bool) -> notifications.NewNotification:
    return notifications.NewNotification(
        id=key,
        incident_id=notice.incident_id,
        round=notice.round,
        step=notice.step,
        recipient_id=notice.recipient_id,
        channel=notice.channel.value,
        purpose=notice.purpose.value,
        address=notice.address,
        language=notice.language.value,
        urgency=notice.urgency,
        text=notice.text,
        redial_gap_s=notice.redial_gap_s,
        redial_max=notice.redial_max,
        planned_at=now,
        state=AttemptState.SENDING if sending else AttemptState.PLANNED,
        wording=notice.wording,
    )
