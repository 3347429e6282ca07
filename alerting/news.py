"""What became of an attempt, as rows to write: its change, the further attempt that follows, the timeline's line.

Never decides and never writes.
"""

from datetime import datetime, timedelta
from typing import Any

from alerting.channels.base import Accepted, Rejected, Submitted
from alerting.core.attempts import TryReason
from alerting.core.lines import Line
from alerting.core.model import AttemptState
from alerting.flights import InHand
from alerting.ports import Ids
from alerting.recorder import Outcome, planned_again
from alerting.store import attempts, timeline
from alerting.store.attempts import Claimed


class News:
    """`boot`: whose lease an attempt that goes at once has."""

    def __init__(self, ids: Ids, hands: InHand, boot: int) -> None:
        self._ids = ids
        self._hands = hands
        self._boot = boot

    def of(
        self,
        claimed: Claimed,
        change: attempts.Change,
        reason: str,
        now: datetime,
        *,
        by: str,
        again: attempts.NewAttempt | None = None,
        raises: bool = True,
    ) -> Outcome:
        """`by`: the carrier, which the timeline names as who says so."""
        submission = claimed.submission
        data: dict[str, Any] = {
            "notification": submission.notification_id,
            "attempt": submission.attempt_id,
            "recipient": submission.recipient_id,
            "channel": submission.channel.value,
            "number": claimed.number,
        }
        if again is not None:
            data["again"] = planned_again(again)
            if again.provider != by:
                data["again"]["provider"] = again.provider
        entry = timeline.Entry(submission.incident_id, now, change.state.value, reason[:32], by, data)
        return Outcome(change, submission.notification_id, submission.incident_id, entry, again, raises)

    def further(
        self, claimed: Claimed, reason: TryReason, provider: str, now: datetime, due_at: datetime | None
    ) -> attempts.NewAttempt:
        """The next attempt of the same message; without a due time it goes at once, from here."""
        submission = claimed.submission
        lease = now + timedelta(seconds=attempts.lease_seconds)
        return attempts.NewAttempt(
            id=self._ids.attempt(),
            notification_id=submission.notification_id,
            incident_id=submission.incident_id,
            number=self._hands.next_number(claimed),
            reason=reason.value,
            provider=provider,
            state=AttemptState.SENDING if due_at is None else AttemptState.PLANNED,
            due_at=due_at or lease,
            lease_boot=self._boot if due_at is None else None,
            received_at=claimed.received_at,
            planned_at=now,
        )

    def of_line(
        self, line: Line, change: attempts.Change, reason: TryReason, now: datetime, due_at: datetime
    ) -> Outcome:
        """A call that gave way, and the further attempt."""
        again = attempts.NewAttempt(
            id=self._ids.attempt(),
            notification_id=line.notification_id,
            incident_id=line.incident_id,
            number=line.number + 1,
            reason=reason.value,
            provider=line.provider,
            state=AttemptState.PLANNED,
            due_at=due_at,
            lease_boot=None,
            received_at=None,
            planned_at=now,
        )
        data = {"notification": line.notification_id, "attempt": line.attempt_id, "again": planned_again(again)}
        entry = timeline.Entry(line.incident_id, now, change.state.value, reason.value, line.provider, data)
        return Outcome(change, line.notification_id, line.incident_id, entry, again, raises=False)

    def goes_on(self, claimed: Claimed, now: datetime) -> attempts.Change:
        """Nothing new of this one: it is still on its way, and leased."""
        lease = now + timedelta(seconds=attempts.lease_seconds)
        return attempts.Change(claimed.submission.attempt_id, AttemptState.SENDING, due_at=lease)


def error_of(submitted: Submitted) -> str | None:
    if isinstance(submitted, Accepted):
        return None
    if isinstance(submitted, Rejected):
        return (submitted.code or submitted.reason)[:64]
    return (getattr(submitted, "cause", None) or "busy")[:64]
