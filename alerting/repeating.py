"""A person asks to be told or called again: a further attempt of the same message, as soon as its carrier allows.

Never more often than that, never a second ring beside one under way, and never once somebody goes.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Connection

from alerting.core.attempts import TryReason
from alerting.core.model import AttemptState
from alerting.ports import Clock, Database, Ids, Priority
from alerting.store import answer_pages, attempts, timeline
from alerting.store.attempts import Claimed
from alerting.writing import WAKE_OUTBOX, WAKE_STREAM
from devices.model import Channel

gap_s = 20
"""Between two tellings on request, where the carrier asks for no more."""
call_gap_s = 65
attempts_max = 10
"""Of one message, all reasons together."""
_UNDER_WAY = (AttemptState.PLANNED, AttemptState.SENDING, AttemptState.BUSY)


class Repeats:
    """`wake`: within the transaction, the processes that send; `wake_at`: this one, after the commit."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        ids: Ids,
        wake: Callable[[Connection, str], None],
        wake_at: Callable[[datetime], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._wake = wake
        self._wake_at = wake_at

    async def again(self, notification_id: str, *, by_call: bool = False) -> bool:
        """Planned, or on its way anyhow. False: nobody is asked any more, or it was repeated too often. `by_call`:
        rather by a call to the same person, where there was one."""
        due = await self._database.write(
            Priority.ACCEPTANCE, lambda conn: self._plan(conn, notification_id, by_call=by_call)
        )
        if due is not None:
            self._wake_at(due)
        return due is not None

    def _plan(self, conn: Connection, notification_id: str, *, by_call: bool) -> datetime | None:
        now = self._clock.now()
        newest = self._newest(conn, notification_id)
        if newest is not None and by_call:
            submission = newest.submission
            call = answer_pages.newest_on(conn, submission.incident_id, submission.recipient_id, Channel.VOICE)
            newest = (self._newest(conn, call) if call else None) or newest
        if newest is None or not newest.asks or newest.answered or newest.number >= attempts_max:
            return None
        if newest.state in _UNDER_WAY:
            return now
        made = self._attempt(newest, now)
        attempts.insert(conn, [made])
        data = {
            "notification": made.notification_id,
            "attempt": made.id,
            "recipient": newest.submission.recipient_id,
            "channel": newest.submission.channel.value,
        }
        actor = newest.submission.recipient_id
        timeline.append(conn, [timeline.Entry(made.incident_id, now, "asked_again", "person_acted", actor, data)])
        self._wake(conn, WAKE_STREAM)
        self._wake(conn, WAKE_OUTBOX)
        return made.due_at

    def _newest(self, conn: Connection, notification_id: str) -> Claimed | None:
        found = attempts.newest_of(conn, notification_id)
        return None if found is None else attempts.load(conn, [found[0]]).get(found[0])

    def _attempt(self, newest: Claimed, now: datetime) -> attempts.NewAttempt:
        submission = newest.submission
        least = call_gap_s if submission.channel is Channel.VOICE else gap_s
        earliest = submission.planned_at + timedelta(seconds=max(least, newest.redial_gap_s))
        return attempts.NewAttempt(
            id=self._ids.attempt(),
            notification_id=submission.notification_id,
            incident_id=submission.incident_id,
            number=newest.number + 1,
            reason=TryReason.ASKED_AGAIN.value,
            provider="",
            state=AttemptState.PLANNED,
            due_at=max(now, earliest),
            lease_boot=None,
            received_at=None,
            planned_at=now,
        )
