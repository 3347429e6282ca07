"""What happened in a story, step by step, in the order in which it happened. Never judges and never prints."""

import asyncio
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count

from devices.model import Channel

hold_s = 0.06
"""The witnesses report up to this late; until then a step may still be told before another."""


class StepKind(StrEnum):
    """The steps, as `demo --json` names them."""

    PUBLISHED = "published"
    PUBLISHED_AGAIN = "published_again"
    DEVICE_RECEIPT = "device_receipt"
    REFUSED = "refused"
    COMMITTED = "committed"
    REPEAT = "repeat"
    RESTORED = "restored"
    STEP_SKIPPED = "step_skipped"
    PLANNED = "planned"
    PROVIDER_ACCEPTED = "provider_accepted"
    PROVIDER_BUSY = "provider_busy"
    PROVIDER_UNKNOWN = "provider_unknown"
    PROVIDER_REJECTED = "provider_rejected"
    SMS_SHOWN = "sms_shown"
    SMS_REPLIED = "sms_replied"
    APP_SHOWN = "app_shown"
    APP_TAPPED = "app_tapped"
    RINGING = "ringing"
    ANSWERED = "answered"
    VOICEMAIL = "voicemail"
    HEARD = "heard"
    KEY_PRESSED = "key_pressed"
    CALL_ENDED = "call_ended"
    TAKEN = "taken"
    WORK = "work"
    NOTE = "note"
    COMMANDED = "commanded"
    COMMAND_DONE = "command_done"
    COMMAND_FAILED = "command_failed"
    COMMAND_EXPIRED = "command_expired"
    COMMAND_REFUSED = "command_refused"
    FAULT_BEGAN = "fault_began"
    FAULT_ENDED = "fault_ended"
    HELD = "held"
    DIFFERENCE = "difference"
    SERVING = "serving"


ARRIVALS = {
    StepKind.SMS_SHOWN: Channel.SMS,
    StepKind.RINGING: Channel.VOICE,
    StepKind.APP_SHOWN: Channel.APP,
}
"""What a bystander beside the phone sees of a message, and by which channel it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that happened. `ms`: since the first event was published, on the wall clock."""

    kind: StepKind
    ms: float
    incident: str | None = None
    recipient: str | None = None
    channel: Channel | None = None
    text: str = ""
    """What was said, or which device, code, reason or fault it was about."""
    purpose: str = ""
    reason: str = ""
    notification: str = ""
    attempt: str = ""
    number: int = 0
    """Of the attempt, from 1; of a skipped step of the policy, from 0."""
    reference: str = ""
    policy: str = ""


@dataclass(slots=True)
class Record:
    """`note` takes what the witnesses saw; `on_steps` gets steps in order of time, `hold_s` later.

    Nothing is told before the first event was published: its time is 0 ms.
    """

    now: Callable[[], datetime]
    on_steps: Callable[[Sequence[Step]], None]
    steps: list[Step] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _began: datetime | None = None
    _waiting: list[tuple[datetime, int, Step]] = field(default_factory=list)
    _order: "count[int]" = field(default_factory=count)

    def note(self, step: Step, at: datetime) -> None:
        """Take one step; its `ms` is set from `at`."""
        if step.kind is StepKind.PUBLISHED and self._began is None:
            self._began = at
        heapq.heappush(self._waiting, (at, next(self._order), step))
        asyncio.get_running_loop().call_later(hold_s, self._flush, timedelta(seconds=hold_s))

    def drain(self) -> None:
        """Tell everything noted so far."""
        self._flush(timedelta(0))

    def elapsed_ms(self) -> float:
        """Since the first event was published; 0 before it was."""
        return 0.0 if self._began is None else (self.now() - self._began) / timedelta(milliseconds=1)

    def _flush(self, hold: timedelta) -> None:
        if self._began is None:
            return
        until = self.now() - hold
        ripe: list[Step] = []
        while self._waiting and self._waiting[0][0] <= until:
            at, _, step = heapq.heappop(self._waiting)
            ms = max(0.0, (at - self._began) / timedelta(milliseconds=1))
            step = self._of_incident(replace(step, ms=ms))
            self.steps.append(step)
            ripe.append(step)
        if ripe:
            self.changed.set()
            self.on_steps(ripe)

    def _of_incident(self, step: Step) -> Step:
        """A phone does not know incidents: its step belongs to what was last planned for this person and channel."""
        if step.incident is not None or step.recipient is None:
            return step
        for before in reversed(self.steps):
            same = before.recipient == step.recipient and before.channel == step.channel
            if before.kind is StepKind.PLANNED and same:
                return replace(step, incident=before.incident)
        return step
