"""Who was reached by what, in how many milliseconds, and was the promise kept. Pure; never prints."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from devices.model import Channel
from gengfu.demo.steps import Step, StepKind

target_ms = 3000.0
"""The product's promise: from the alarm to the provider's acceptance."""
ceiling_ms = 5000.0


class Promise(StrEnum):
    IN_TARGET = "in_target"
    IN_CEILING = "in_ceiling"
    TOO_LATE = "too_late"
    NEVER = "never"
    NO_MATTER = "no_matter"
    """Somebody went before it had to be sent."""


@dataclass(frozen=True, slots=True)
class Row:
    """One message. `took_ms`: from the alarm in the first step, later from the moment at which the step began."""

    recipient: str
    channel: Channel
    purpose: str
    promise: Promise
    accepted_ms: float | None = None
    took_ms: float | None = None
    came: tuple[StepKind, float] | None = None
    """The best that came of it, and when."""
    keys: str = ""


_BEST = (
    StepKind.APP_TAPPED,
    StepKind.ANSWERED,
    StepKind.VOICEMAIL,
    StepKind.RINGING,
    StepKind.SMS_SHOWN,
    StepKind.APP_SHOWN,
)


def rows(steps: Sequence[Step]) -> list[Row]:
    """A row per planned message, in the order in which they were planned."""
    opened = {step.incident: step.ms for step in reversed(steps) if step.kind is StepKind.COMMITTED}
    taken = [step.ms for step in steps if step.kind is StepKind.TAKEN]
    return [_row(step, steps, opened, taken) for step in steps if step.kind is StepKind.PLANNED]


def slowest_ms(table: Sequence[Row]) -> float:
    """Of the messages that kept the promise; 0 when none did."""
    kept = (Promise.IN_TARGET, Promise.IN_CEILING)
    return max((row.took_ms for row in table if row.promise in kept and row.took_ms is not None), default=0.0)


def missed(table: Sequence[Row]) -> int:
    """How many messages broke the promise."""
    return sum(row.promise in (Promise.TOO_LATE, Promise.NEVER) for row in table)


def _row(plan: Step, steps: Sequence[Step], opened: dict[str | None, float], taken: Sequence[float]) -> Row:
    assert plan.recipient is not None
    assert plan.channel is not None
    mine = [step for step in steps if step.notification == plan.notification]
    attempts = {step.attempt for step in mine if step.attempt}
    mine += [step for step in steps if step.attempt in attempts and not step.notification]
    accepted = min((step.ms for step in mine if step.kind is StepKind.PROVIDER_ACCEPTED), default=None)
    first = plan.reason == "first_signal" or plan.ms == opened.get(plan.incident)
    began = 0.0 if first else plan.ms
    took = None if accepted is None else accepted - began
    came = next(((kind, step.ms) for kind in _BEST for step in mine if step.kind is kind), None)
    return Row(
        recipient=plan.recipient,
        channel=plan.channel,
        purpose=plan.purpose,
        promise=_promise(took, any(ms < began + ceiling_ms for ms in taken) and plan.purpose == "page"),
        accepted_ms=accepted,
        took_ms=took,
        came=came,
        keys="".join(step.text for step in mine if step.kind is StepKind.KEY_PRESSED),
    )


def _promise(took_ms: float | None, taken_in_time: bool) -> Promise:
    if took_ms is None:
        return Promise.NO_MATTER if taken_in_time else Promise.NEVER
    if took_ms <= target_ms:
        return Promise.IN_TARGET
    return Promise.IN_CEILING if took_ms <= ceiling_ms else Promise.TOO_LATE
