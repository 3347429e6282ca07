"""Attempts that cannot go this moment: their phone has a call, or every carrier asked to wait. Never gives one up.

They stay leased to this process, so nobody else sends them; a crash leaves them to the sweep, like any other.
"""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerting.carriers import Carriers
from alerting.core.attempts import TryReason
from alerting.core.lines import Line
from alerting.core.routing import Go
from alerting.onward import Onward
from alerting.ports import Clock
from alerting.store.attempts import Claimed
from devices.model import Channel

moment = timedelta(seconds=1)


class Waiting:
    """`again`: back into the queue."""

    def __init__(
        self,
        carriers: Carriers,
        clock: Clock,
        onward: Onward,
        *,
        again: Callable[[Sequence[Claimed]], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._carriers = carriers
        self._clock = clock
        self._onward = onward
        self._again = again
        self._spawn = spawn
        self._parked: dict[str, tuple[Claimed, datetime]] = {}
        self._told: set[str] = set()
        self._giving_way: set[str] = set()

    def may_go(self, claimed: Claimed) -> bool:
        """Yes; or it waits, goes on by another carrier, or is refused, and that is seen to."""
        now = self._clock.now()
        submission = claimed.submission
        if submission.channel is Channel.VOICE:
            line = self._carriers.lines.at(submission.address, now)
            if line is not None and line.attempt_id != submission.attempt_id:
                self._for_line(claimed, line, now)
                return False
        choice = self._onward.choose(claimed, now)
        if choice.go is Go.WAIT:
            self._park(claimed, choice.at or now + moment, choice.why.value, now)
            return False
        self._told.discard(submission.attempt_id)
        if choice.go in (Go.REFUSED, Go.NOBODY):
            self._onward.refused(claimed, choice, now)
            return False
        if choice.go is Go.ANYWAY:
            self._onward.over_budget(claimed)
        if claimed.provider not in ("", choice.provider):
            self._onward.diverted(claimed, choice, now)
            return False
        return True

    def a_moment(self, claimed: Claimed) -> None:
        """Another process has the phone."""
        now = self._clock.now()
        self._park(claimed, now + moment, TryReason.LINE_BUSY.value, now)

    def look(self, now: datetime) -> None:
        """Whoever's time has come asks again."""
        due = [attempt_id for attempt_id, (_, at) in self._parked.items() if at <= now]
        self._again([self._parked.pop(attempt_id)[0] for attempt_id in due])

    def line_free(self, number: str) -> None:
        """A call has ended: whoever waits for this phone asks again."""
        if not self._parked or self._carriers.lines.at(number, self._clock.now()) is not None:
            return
        found = [key for key, (claimed, _) in self._parked.items() if claimed.submission.address == number]
        self._again([self._parked.pop(attempt_id)[0] for attempt_id in found])

    def withdrawn(self, incident_id: str) -> list[Claimed]:
        """Pages of this incident that wait here, and wait no more."""
        found = [
            key
            for key, (claimed, _) in self._parked.items()
            if claimed.submission.incident_id == incident_id and claimed.asks
        ]
        self._told.difference_update(found)
        return [self._parked.pop(attempt_id)[0] for attempt_id in found]

    def _for_line(self, claimed: Claimed, line: Line, now: datetime) -> None:
        self._park(claimed, line.until, TryReason.LINE_BUSY.value, now)
        gives_way = line.gives_way(claimed.submission.urgency) and line.provider_ref is not None
        if gives_way and line.attempt_id not in self._giving_way:
            self._giving_way.add(line.attempt_id)
            self._spawn(self._cut_in(line, claimed.submission.address))

    async def _cut_in(self, line: Line, number: str) -> None:
        """A ringing call gives way to a more urgent one, where its carrier can take it back."""
        try:
            if await self._onward.calls.gave_way(line):
                self.line_free(number)
        finally:
            self._giving_way.discard(line.attempt_id)

    def _park(self, claimed: Claimed, at: datetime, why: str, now: datetime) -> None:
        attempt_id = claimed.submission.attempt_id
        self._parked[attempt_id] = (claimed, at)
        self._onward.wake_at(at)
        if attempt_id not in self._told:
            self._told.add(attempt_id)
            self._onward.waits(claimed, why, now)
