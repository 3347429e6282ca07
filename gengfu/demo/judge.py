"""Did the story come out as its scenario expects? Pure: recorded steps in, differences out. Never waits or prints.

A message counts when the provider took it *and* the person's phone or app saw it; what else arrives is unexpected.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from devices.model import Channel
from gengfu.demo.steps import ARRIVALS, Step, StepKind
from simulators.scenario import Expect, Expected, Order, Purpose, Result

Key = tuple[str, Channel, str]
"""Recipient, channel, purpose."""

_RESULTS = {StepKind.PROVIDER_ACCEPTED: Result.PROVIDER_ACCEPTED, StepKind.ANSWERED: Result.ANSWERED}


class Wrong(StrEnum):
    MISSING = "missing"
    LATE = "late"
    EARLY = "early"
    UNEXPECTED = "unexpected"
    OUT_OF_ORDER = "out_of_order"
    NOT_TAKEN = "not_taken"
    TAKEN_LATE = "taken_late"
    TAKEN_BY_OTHER = "taken_by_other"
    INCIDENTS = "incidents"
    NO_RECEIPT = "no_receipt"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that did not go as expected. `ms` is when it happened, `limit_ms` what was allowed."""

    wrong: Wrong
    who: str = ""
    channel: Channel | None = None
    outcome: str = ""
    ms: float = 0.0
    limit_ms: float = 0.0


def judge(expect: Expect, steps: Sequence[Step], speed: float = 1.0) -> list[Difference]:
    """All differences so far; empty when everything expected has happened and nothing else.

    A story told faster leaves the product its real seconds; one told slower gives everybody more time.
    """
    slack_ms = 1000.0 / min(speed, 1.0)
    found: list[Difference] = []
    times: list[float] = []
    seen = _seen(steps)
    for message in expect.messages:
        moment, difference = _find(message, seen, slack_ms)
        found.extend(difference)
        times.extend(() if moment is None else (moment,))
    if expect.order is Order.ORDERED and times != sorted(times):
        found.append(Difference(Wrong.OUT_OF_ORDER))
    found.extend(_taken(expect, steps, slack_ms))
    opened = sum(step.kind is StepKind.COMMITTED for step in steps)
    if opened != expect.incidents:
        found.append(Difference(Wrong.INCIDENTS, ms=opened, limit_ms=expect.incidents))
    found.extend(_without_receipt(steps))
    return [*found, *unexpected(expect, steps)]


def unexpected(expect: Expect, steps: Sequence[Step]) -> list[Difference]:
    """Messages that reached a phone or app beyond those expected; none where others are right too."""
    if not expect.nothing_else:
        return []
    left = Counter(_key_of(message) for message in expect.messages if message.outcome is Result.PROVIDER_ACCEPTED)
    found = []
    for step, purpose in arrivals(steps):
        assert step.recipient is not None
        channel = ARRIVALS[step.kind]
        key = (step.recipient, channel, purpose)
        if left[key] == 0:
            found.append(Difference(Wrong.UNEXPECTED, step.recipient, channel, purpose, step.ms))
        else:
            left[key] -= 1
    return found


def arrivals(steps: Sequence[Step]) -> list[tuple[Step, str]]:
    """Every message that reached a phone or app, with its purpose. A page shown twice by one app is one message."""
    notification_of = {step.attempt: step.notification for step in steps if step.attempt and step.notification}
    purpose_of = {step.notification: step.purpose for step in steps if step.kind is StepKind.PLANNED}
    found: list[tuple[Step, str]] = []
    for step in steps:
        if step.kind in ARRIVALS:
            notification = step.notification or notification_of.get(step.attempt, "")
            purpose = purpose_of.get(notification) or step.purpose or _newest_purpose(steps, step)
            found.append((step, purpose))
    return found


def calls_under_way(steps: Iterable[Step]) -> bool:
    """Does a telephone ring or somebody talk?"""
    rung = {step.attempt for step in steps if step.kind is StepKind.RINGING}
    return bool(rung - {step.attempt for step in steps if step.kind is StepKind.CALL_ENDED})


def _newest_purpose(steps: Sequence[Step], arrival: Step) -> str:
    """Nobody has said yet which attempt this is: what was last planned for this person and channel."""
    for step in reversed(steps):
        planned = step.kind is StepKind.PLANNED and step.ms <= arrival.ms
        if planned and (step.recipient, step.channel) == (arrival.recipient, arrival.channel):
            return step.purpose
    return Purpose.PAGE


def _key_of(message: Expected) -> Key:
    return message.recipient, message.channel, message.purpose


def _seen(steps: Sequence[Step]) -> dict[tuple[Key, Result], list[float]]:
    """When each kind of message was taken by the provider and also arrived, and when calls were answered."""
    arrived = {(step.notification, step.attempt, step.kind): purpose for step, purpose in arrivals(steps)}
    attempts = {attempt: purpose for (_, attempt, _), purpose in arrived.items() if attempt}
    by_app = {
        notification: purpose for (notification, _, kind), purpose in arrived.items() if kind is StepKind.APP_SHOWN
    }
    seen: dict[tuple[Key, Result], list[float]] = {}
    for step in steps:
        if step.recipient is None or step.channel is None:
            continue
        result = _RESULTS.get(step.kind)
        purpose = by_app.get(step.notification) if step.channel is Channel.APP else attempts.get(step.attempt)
        if result is not None and purpose is not None:
            seen.setdefault(((step.recipient, step.channel, purpose), result), []).append(step.ms)
    return seen


def _find(
    message: Expected, seen: dict[tuple[Key, Result], list[float]], slack_ms: float
) -> tuple[float | None, list[Difference]]:
    limit_ms, least_ms = message.within_s * slack_ms, message.after_s * 1000.0
    times = seen.get((_key_of(message), message.outcome), [])
    right = [ms for ms in times if least_ms <= ms <= limit_ms]
    if right:
        return right[0], []
    who, channel, outcome = message.recipient, message.channel, message.outcome.value
    if not times:
        return None, [Difference(Wrong.MISSING, who, channel, outcome, limit_ms=limit_ms)]
    late = times[0] > limit_ms
    limit = limit_ms if late else least_ms
    return None, [Difference(Wrong.LATE if late else Wrong.EARLY, who, channel, outcome, times[0], limit)]


def _taken(expect: Expect, steps: Sequence[Step], slack_ms: float) -> list[Difference]:
    taken = [step for step in steps if step.kind is StepKind.TAKEN]
    others = [step for step in taken if step.recipient != expect.taken_by]
    found = [Difference(Wrong.TAKEN_BY_OTHER, step.recipient or "", ms=step.ms) for step in others]
    if expect.taken_by is None:
        return found
    mine = [step.ms for step in taken if step.recipient == expect.taken_by]
    limit_ms = float("inf") if expect.taken_within_s is None else expect.taken_within_s * slack_ms
    if not mine:
        found.append(Difference(Wrong.NOT_TAKEN, expect.taken_by, limit_ms=limit_ms))
    elif mine[0] > limit_ms:
        found.append(Difference(Wrong.TAKEN_LATE, expect.taken_by, ms=mine[0], limit_ms=limit_ms))
    return found


def _without_receipt(steps: Sequence[Step]) -> list[Difference]:
    published = Counter(step.text for step in steps if step.kind is StepKind.PUBLISHED)
    settled = Counter(step.text for step in steps if step.kind is StepKind.DEVICE_RECEIPT)
    return [Difference(Wrong.NO_RECEIPT, text.split(" ")[0]) for text in (published - settled).elements()]
