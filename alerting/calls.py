"""The telephone's line: one call of ours at a time, hung up at the carrier that has it. Never dials."""

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any

from alerting.carriers import Carriers
from alerting.channels.base import Accepted, Busy, NotFound, Receipt, Rejected, Submitted, Unknown
from alerting.core.attempts import LINE_FREE, TryReason
from alerting.core.lines import Line, ends
from alerting.core.model import AttemptState
from alerting.core.outcomes import ReceiptKind
from alerting.flights import Flight
from alerting.news import News
from alerting.ports import Clock
from alerting.recorder import Recorder
from alerting.store import attempts
from alerting.store.attempts import Claimed
from devices.model import Channel

unproved_s = 5.0
"""As long as a submit may take."""
let_go_max = 1024
again_s = 60.0
"""A call that gave way is made again then: a talk is over by that time."""


class Calls:
    def __init__(
        self,
        carriers: Carriers,
        clock: Clock,
        recorder: Recorder,
        news: News,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._carriers = carriers
        self._lines = carriers.lines
        self._clock = clock
        self._recorder = recorder
        self._news = news
        self._spawn = spawn
        self._let_go: dict[str, None] = {}
        """Slow calls by attempt, whose phone the next carrier's may have."""

    def begins(self, flight: Flight) -> None:
        """It is handed over now: it has the line."""
        submission = flight.submission
        if submission.channel is not Channel.VOICE:
            return
        self._carriers.calls(submission.incident_id, flight.provider.name)
        self._takes_line(flight.claimed, flight.provider.name, flight.started)

    def said(self, flight: Flight, submitted: Submitted, now: datetime) -> None:
        """What its carrier's answer means for the phone."""
        submission = flight.submission
        if submission.channel is not Channel.VOICE:
            return
        if isinstance(submitted, Rejected | Busy):
            self._lines.free(submission.attempt_id)
        elif isinstance(submitted, Accepted):
            if flight.unwanted and not self._lines.listens(submission.attempt_id):
                self.hang_up(submission.attempt_id, flight.provider.name, submitted.provider_ref)
            else:
                self.found(flight.claimed, submitted.provider_ref)
        elif not flight.known.is_set() and not flight.provider.caps.reports_ringing:
            self._lines.hold(submission.attempt_id, float(flight.provider.caps.ring_s), now)

    def looked_up(self, claimed: Claimed, found: NotFound | Unknown) -> None:
        """Not there, or a carrier that tells of every ringing has told of none: the phone is free."""
        if claimed.submission.channel is not Channel.VOICE:
            return
        caps = self._carriers.caps(Channel.VOICE, claimed.provider)
        if isinstance(found, NotFound) or caps.reports_ringing:
            self._lines.free(claimed.submission.attempt_id)

    def found(self, claimed: Claimed, provider_ref: str) -> None:
        """Its carrier has the call. One that comes to light late, beside another one of ours, ends at once."""
        submission = claimed.submission
        if submission.channel is not Channel.VOICE:
            return
        now, attempt_id = self._clock.now(), submission.attempt_id
        other = self._lines.at(submission.address, now) if self._lines.of(attempt_id) is None else None
        if attempt_id in self._let_go:
            del self._let_go[attempt_id]
            self._takes_line(claimed, claimed.provider, now)  # the next carrier's, still being written, waits for it
        self._lines.known_as(attempt_id, provider_ref)
        self._lines.lasts(attempt_id, self._ends(claimed.provider, now))
        if other is not None:
            self.hang_up(attempt_id, claimed.provider, provider_ref)

    def received(self, receipt: Receipt, claimed: Claimed) -> bool:
        """What a callback says. True when the phone is free again."""
        attempt_id = claimed.submission.attempt_id
        if claimed.submission.channel is not Channel.VOICE:
            return False
        if receipt.kind in LINE_FREE:
            self._let_go.pop(attempt_id, None)
            return self._lines.free(attempt_id)
        if receipt.kind is ReceiptKind.ANSWERED:
            self._lines.answered(attempt_id)
            self._lines.lasts(attempt_id, ends(self._clock.now(), 0.0))
            return False
        if receipt.provider_ref:
            self.found(claimed, receipt.provider_ref)
        if receipt.kind is ReceiptKind.RINGING:
            ring_s = self._carriers.caps(Channel.VOICE, claimed.provider).ring_s
            self._lines.lasts(attempt_id, ends(self._clock.now(), ring_s))
        return False

    def lets_go(self, claimed: Claimed) -> None:
        """Its carrier has not taken it in time: the next one's call may have the phone, if that goes first."""
        submission = claimed.submission
        if submission.channel is Channel.VOICE and self._lines.free(submission.attempt_id):
            self._let_go[submission.attempt_id] = None
            while len(self._let_go) > let_go_max:
                del self._let_go[next(iter(self._let_go))]

    def hang_up(self, attempt_id: str, provider: str, provider_ref: str) -> None:
        """At the carrier that has the call. Nobody who listens is cut off: he may be the one who goes."""
        if not self._lines.listens(attempt_id):
            self._spawn(self._hang_up(attempt_id, provider, provider_ref))

    async def gave_way(self, line: Line) -> bool:
        """A ringing call is taken back for a more urgent one; it is made again later."""
        if not await self.cancel(line.attempt_id, line.provider, line.provider_ref or ""):
            return False
        now = self._clock.now()
        change = attempts.Change(line.attempt_id, AttemptState.CANCELED, ended_at=now)
        due_at = now + timedelta(seconds=again_s)
        self._recorder.record(self._news.of_line(line, change, TryReason.LINE_BUSY, now, due_at))
        return True

    async def cancel(self, attempt_id: str, provider: str, provider_ref: str) -> bool:
        """True when its carrier has taken it back, or hung up."""
        found = self._carriers.named(Channel.VOICE, provider)
        if found is None or not provider_ref or not await found.cancel(provider_ref):
            return False
        self._lines.free(attempt_id)
        return True

    def _takes_line(self, claimed: Claimed, provider: str, since: datetime) -> None:
        submission = claimed.submission
        line = Line(
            attempt_id=submission.attempt_id,
            notification_id=submission.notification_id,
            incident_id=submission.incident_id,
            provider=provider,
            urgency=submission.urgency,
            until=self._ends(provider, since),
            number=claimed.number,
        )
        self._lines.take(submission.address, line)

    def _ends(self, provider: str, since: datetime) -> datetime:
        """How long a call has the phone of which nobody has said that it rings. Not for its whole ring time where its
        carrier tells of every ringing: where that word does not come, the next fire must not wait for it."""
        caps = self._carriers.caps(Channel.VOICE, provider)
        return since + timedelta(seconds=unproved_s) if caps.reports_ringing else ends(since, caps.ring_s)

    async def _hang_up(self, attempt_id: str, provider: str, provider_ref: str) -> None:
        await self.cancel(attempt_id, provider, provider_ref)
