"""Carriers that take messages again after trouble, and for how long life safety then goes before all others.

Never sends, and never keeps life safety waiting.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from alerting.channels.base import Accepted, Busy, Rejected, Scope, Submitted
from alerting.core.attempts import unknown_look_after_s
from devices.model import Channel

trouble_s = 5.0
"""A carrier that has taken nothing for so long was out; below that it was a refusal here and there."""
first_s = unknown_look_after_s + 2.0
"""The others wait so long at most: what nobody could speak of is looked up by then."""
_Key = tuple[Channel, str]


class Recovery:
    """Kept per process, from what its own messages were answered."""

    def __init__(self) -> None:
        self._failing: dict[_Key, datetime] = {}
        self._accepted: dict[Channel, datetime] = {}
        self._over: dict[Channel, datetime] = {}
        self._first: dict[Channel, datetime] = {}
        self._pending: set[Channel] = set()

    def heard(self, channel: Channel, provider: str, answer: Submitted, now: datetime) -> None:
        """Any answer of a carrier."""
        key = (channel, provider)
        if not isinstance(answer, Accepted):
            if not _of_this_message(answer):
                self._failing.setdefault(key, now)
            return
        failing = self._failing.pop(key, None)
        if failing is not None and (now - failing).total_seconds() >= trouble_s:
            self.over(channel, now)
        self._accepted[channel] = now

    def over(self, channel: Channel, now: datetime) -> None:
        """A carrier of this channel takes messages again. The others wait only where no other carrier took any."""
        accepted = self._accepted.get(channel)
        if accepted is None or abs((now - accepted).total_seconds()) >= trouble_s:
            self._first[channel] = now + timedelta(seconds=first_s)
        self._over[channel] = now
        self._pending.add(channel)

    @property
    def pending(self) -> tuple[Channel, ...]:
        """Where no sweep has acted on it yet: what life safety waits for there is due now."""
        return tuple(sorted(self._pending))

    def acted(self, channels: Sequence[Channel]) -> None:
        """That sweep has handed it over."""
        self._pending.difference_update(channels)

    def since(self, channel: Channel, at: datetime) -> bool:
        """Has a carrier come back since then?"""
        over = self._over.get(channel)
        return over is not None and over >= at

    def life_safety_first(self, channel: Channel, now: datetime) -> datetime | None:
        """Until when the others may have to wait; None: they need not."""
        until = self._first.get(channel)
        if until is None:
            return None
        if now < until <= now + timedelta(seconds=first_s):
            return until
        del self._first[channel]
        return None


def _of_this_message(answer: Submitted) -> bool:
    """It speaks of one message or number, and not of the carrier."""
    if isinstance(answer, Rejected):
        return answer.scope is not Scope.ACCOUNT
    return isinstance(answer, Busy) and answer.number_limit
