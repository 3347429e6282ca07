"""Phone providers of the simulation: `ChannelProvider`s that are slow, silent, lying, refusing or busy, by the dice.

Their books are the far side's: what was taken, how often each attempt was submitted, what reached a person. They never
look into our database.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from alerting.channels.base import (
    Accepted,
    Busy,
    CallbackEvent,
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
)
from devices.model import Channel


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
    taken: dict[str, str] = field(default_factory=dict)
    """Attempt -> reference."""
    said: list[Submission] = field(default_factory=list)
    """Everything that was handed over, in order."""


Delivered = Callable[[Submission], None]


class Carrier:
    """One channel. `point(name)` is where a crash can be put; `delivered` is told when a message reaches a phone."""

    def __init__(
        self,
        channel: Channel,
        books: Books,
        dice: random.Random,
        weather: Callable[[Channel], Mapping[Mood, int]],
        delivered: Delivered,
        point: Callable[[str], None],
    ) -> None:
        self.channel = channel
        self.name = f"sim-{channel.value}"
        self._books = books
        self._dice = dice
        self._weather = weather
        self._delivered = delivered
        self._point = point

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        self._point("before_submit")
        self._books.submitted[submission.attempt_id] += 1
        self._books.said.append(submission)
        weather = self._weather(self.channel)
        mood = self._dice.choices(list(weather), list(weather.values()))[0]
        wait = {Mood.SLOW: deadline_s * 0.9, Mood.SILENT: deadline_s, Mood.MUTE: deadline_s}.get(mood, 0.2)
        await asyncio.sleep(self._dice.uniform(0.02, wait) if mood is not Mood.SILENT else wait)
        self._point("answered")
        return self._answer(submission, mood)

    def _answer(self, submission: Submission, mood: Mood) -> Submitted:
        if mood is Mood.SILENT:
            return Unknown("timeout")
        if mood is Mood.REFUSING:
            return Rejected("refused", self._dice.choice((Scope.NUMBER, Scope.ACCOUNT)), "21211")
        if mood is Mood.BUSY:
            return Busy(self._dice.uniform(0.5, 12))
        reference = f"ref-{submission.attempt_id}"
        self._books.taken[submission.attempt_id] = reference
        if mood is not Mood.LYING:
            self._delivered(submission)
        return Unknown("cut_line") if mood is Mood.MUTE else Accepted(reference)

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        await asyncio.sleep(self._dice.uniform(0.02, 0.5))
        self._point("reconciled")
        if Mood.PROMPT not in self._weather(self.channel):
            return Unknown("down")
        reference = self._books.taken.get(submission.attempt_id)
        return NotFound() if reference is None else Accepted(reference)

    async def cancel(self, provider_ref: str) -> bool:
        return False

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        if kind == "reply":
            return [Reply(str(form["address"]), str(form["text"]), "")]
        if attempt_id is None:
            return []
        if kind == "key":
            return [KeyPress(attempt_id, str(form["digits"]))]
        return [Receipt(attempt_id, ReceiptKind(form["receipt"]))] if kind == "receipt" else []

    async def close(self) -> None:
        return
