"""Phone providers of the simulation: `ChannelProvider`s that are slow, silent, lying, refusing or busy, by the dice.

Their books are the far side's: what was taken, how often each attempt was submitted, what reached a person. They never
look into our database.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from alerting.channels.base import (
    Accepted,
    Busy,
    CallbackEvent,
    Caps,
    KeyPress,
    NotFound,
    Receipt,
    ReceiptKind,
    Rejected,
    Reply,
    Scope,
    Submission,
    Submitted,
    Unknown,
    Window,
)
from alerting.channels.modest import Modest
from devices.model import Channel
from tests.simulation.calls import Calls


class Mood(StrEnum):
    """How a provider treats one submission."""

    PROMPT = "prompt"
    SLOW = "slow"
    SILENT = "silent"
    """It neither takes nor answers."""
    MUTE = "mute"
    """It takes, delivers, and its answer is lost."""
    LYING = "lying"
    """It says that it has it, and nothing ever reaches the person."""
    REFUSING = "refusing"
    BUSY = "busy"


WEATHERS: tuple[dict[Mood, int], ...] = (
    {Mood.PROMPT: 1},
    {Mood.PROMPT: 6, Mood.SLOW: 2, Mood.BUSY: 1, Mood.REFUSING: 1, Mood.LYING: 1},
    {Mood.PROMPT: 2, Mood.SILENT: 2, Mood.MUTE: 2, Mood.BUSY: 2, Mood.LYING: 2},
    {Mood.SILENT: 1},
    {Mood.REFUSING: 1},
    {Mood.BUSY: 1},
)
"""Fair, mixed, stormy, and whole outages of three kinds."""


@dataclass(slots=True)
class Books:
    """What the far side knows. Outlives every crash of ours."""

    submitted: Counter[str] = field(default_factory=Counter)
    """How often each attempt was handed over."""
    taken: dict[tuple[str, str], str] = field(default_factory=dict)
    """(carrier, attempt) -> reference."""
    by: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Attempt -> the carriers that it was handed to."""
    said: list[Submission] = field(default_factory=list)
    """Everything that was handed over, in order."""


Delivered = Callable[[Submission, str], None]

CAPS = (
    Caps(receipts=True, dtmf=True, finds=True),
    Caps(receipts=True, dtmf=True, finds=True, cancels=True),
    Caps(receipts=True, dtmf=True),
    Caps(receipts=True, dtmf=True, finds=True, windows=(Window(3, 60.0), Window(12, 3600.0)), min_gap_s=20.0),
)
"""What a carrier can do where a channel has two; where it has one, the first of these."""


class Carrier(Modest):
    """One of a channel. `point(name)` is where a crash can be put; `delivered` is told when a message reaches a phone;
    `quick`: what it takes it has at once, however late it says so."""

    def __init__(
        self,
        channel: Channel,
        name: str,
        caps: Caps,
        books: Books,
        calls: Calls,
        dice: random.Random,
        weather: Callable[[str], Mapping[Mood, int]],
        delivered: Delivered,
        point: Callable[[str], None],
        *,
        quick: bool,
    ) -> None:
        self.channel = channel
        self.name = name
        self.caps = caps
        self._quick = quick
        self._books = books
        self._calls = calls
        self._dice = dice
        self._weather = weather
        self._delivered = delivered
        self._point = point

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        self._point("before_submit")
        self._books.submitted[submission.attempt_id] += 1
        self._books.by[submission.attempt_id].add(self.name)
        self._books.said.append(submission)
        self._calls.handed_over(submission, self.name)
        weather = self._weather(self.name)
        mood = self._dice.choices(list(weather), list(weather.values()))[0]
        wait = {Mood.SLOW: deadline_s * 0.9, Mood.SILENT: deadline_s, Mood.MUTE: deadline_s}.get(mood, 0.2)
        if mood is Mood.MUTE and self._quick:
            self._take(submission, mood)
        await asyncio.sleep(self._dice.uniform(0.02, wait) if mood is not Mood.SILENT else wait)
        self._point("answered")
        answer = self._answer(submission, mood)
        if isinstance(answer, Accepted):
            self._calls.known(submission.attempt_id)
        return answer

    def _answer(self, submission: Submission, mood: Mood) -> Submitted:
        if mood is Mood.SILENT:
            return Unknown("timeout")
        if mood is Mood.REFUSING:
            return Rejected("refused", self._dice.choice((Scope.NUMBER, Scope.ACCOUNT)), "21211")
        if mood is Mood.BUSY:
            return Busy(self._dice.uniform(0.5, 12))
        if mood is not Mood.MUTE or not self._quick:
            self._take(submission, mood)
        return Unknown("cut_line") if mood is Mood.MUTE else Accepted(_reference(submission))

    def _take(self, submission: Submission, mood: Mood) -> None:
        self._books.taken[self.name, submission.attempt_id] = _reference(submission)
        if mood is not Mood.LYING:
            self._calls.begins(submission.attempt_id)
            self._delivered(submission, self.name)

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        await asyncio.sleep(self._dice.uniform(0.02, 0.5))
        self._point("reconciled")
        if Mood.PROMPT not in self._weather(self.name):
            return Unknown("down")
        reference = self._books.taken.get((self.name, submission.attempt_id))
        if reference is None or not (self.caps.finds or provider_ref):
            return NotFound()
        self._calls.known(submission.attempt_id)
        return Accepted(reference)

    async def cancel(self, provider_ref: str) -> bool:
        """The call is over, wherever it was."""
        await asyncio.sleep(0.1)
        self._point("canceled")
        return self.caps.cancels and self._calls.hangs_up(provider_ref.removeprefix("ref-"))

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        if kind == "reply":
            return [Reply(str(form["address"]), str(form["text"]), "")]
        if attempt_id is None:
            return []
        if kind == "key":
            return [KeyPress(attempt_id, str(form["digits"]))]
        return [Receipt(attempt_id, ReceiptKind(form["receipt"]))] if kind == "receipt" else []


def _reference(submission: Submission) -> str:
    return f"ref-{submission.attempt_id}"
