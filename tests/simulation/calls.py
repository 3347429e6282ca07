"""The telephones' own book: which call each has, from when to when, and what we were told of it. One at a time is law.

Kept by the far side; it never looks into our database. Never decides what a carrier does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

from alerting.channels.base import Caps, Submission
from devices.model import Channel

look_s = 0.6
"""A carrier's list shows a call so soon."""
fold_s = 2.0
"""What a callback says is known after this time."""


@dataclass(slots=True)
class Call:
    """One call; it never began where its carrier did not take it, or lied."""

    submission: Submission
    carrier: str
    handed: float
    begins: float = inf
    ends: float = inf
    known: float = inf
    """From then on we have been told that it is on."""
    hung_up: bool = False


class Calls:
    """`moment`: the clock that nobody sets. `broken`: the law does not hold."""

    def __init__(self, moment: Callable[[], float], broken: Callable[[str], None]) -> None:
        self._moment = moment
        self._broken = broken
        self._calls: dict[str, Call] = {}
        self._numbers: dict[str, list[Call]] = {}

    def handed_over(self, submission: Submission, carrier: str) -> None:
        if submission.channel is Channel.VOICE:
            self._calls[submission.attempt_id] = Call(submission, carrier, self._moment())

    def begins(self, attempt_id: str) -> None:
        """The phone rings: no other call of ours may be on that we know of, or could know of."""
        call, now = self._calls.get(attempt_id), self._moment()
        if call is None:
            return
        call.begins = now
        others = self._numbers.setdefault(call.submission.address, [])
        for other in others:
            if other.begins <= now < other.ends and not _nobody_could_know(other, call):
                self._broken(f"two calls at once to {call.submission.address}: {_told(other)} and {_told(call)}")
        others.append(call)

    def known(self, attempt_id: str, after_s: float = 0.0) -> None:
        """We are told that the carrier has it."""
        call = self._calls.get(attempt_id)
        if call is not None:
            call.known = min(call.known, self._moment() + after_s)

    def ends_in(self, attempt_id: str, seconds: float) -> None:
        call = self._calls.get(attempt_id)
        if call is not None:
            call.ends = self._moment() + seconds

    def hangs_up(self, attempt_id: str) -> bool:
        call, now = self._calls.get(attempt_id), self._moment()
        if call is None or not call.begins <= now < call.ends:
            return False
        call.ends, call.hung_up = now, True
        return True

    def was_hung_up(self, attempt_id: str) -> bool:
        call = self._calls.get(attempt_id)
        return call is not None and call.hung_up

    def to(self, number: str, since: float) -> list[Submission]:
        """The calls that were handed over for this phone from then on."""
        calls = [each for each in self._calls.values() if each.handed >= since]
        return [each.submission for each in calls if each.submission.address == number]


def _nobody_could_know(first: Call, second: Call) -> bool:
    """When the second was handed over, nothing said that the first was on, nor could its carrier's list: it came to
    light only then; or the phone had been left alone for as long as it could ring."""
    if first.known <= second.handed:
        return False
    alone = second.handed >= first.handed + Caps().ring_s
    same = first.submission.notification_id == second.submission.notification_id
    return alone or (same and first.begins > second.handed - look_s)


def _told(call: Call) -> str:
    told = f"{call.submission.attempt_id} of {call.submission.notification_id} by {call.carrier}"
    return (
        f"{told}, handed over {call.handed:.1f}, on from {call.begins:.1f} to {call.ends:.1f}, known {call.known:.1f}"
    )
