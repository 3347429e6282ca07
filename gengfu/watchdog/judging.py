"""When the administrator on call is paged: a state, what was seen, and the time in; a new state and messages out. Pure.

Law: trouble is told until somebody acknowledges it or it is over; its end is told once; nobody is flooded, however
often it comes and goes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

repeats_plain = 2
"""So many repeats at the plain interval; then it doubles."""
repeat_s_max = 3_600.0
flap_gap_s = 120.0
"""A new trouble so soon after a page waits as long: it comes and goes."""
violation_gap_s = 1_800.0
"""Violations are told at most so often, however many there are."""
retry_s = 15.0
"""The provider took nothing: again so soon."""


class Cause(StrEnum):
    """What is wrong, worst first."""

    SILENT = "silent"
    """The service does not answer."""
    NOT_READY = "not_ready"
    ACCOUNT = "account"
    """Only the accounts of those who send are at fault: refused, out of money, without their templates."""
    CANARY = "canary"
    """Canary alarms do not come through, or too late."""
    VIOLATION = "violation"
    """The next step of an open incident was lost, and healed, or late."""


class Kind(StrEnum):
    TROUBLE = "trouble"
    WELL = "well"
    VIOLATION = "violation"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Seen:
    """One look at the service. `cause` None: all is well. `parts`: those that are not ready."""

    cause: Cause | None = None
    parts: tuple[str, ...] = ()
    violations: int | None = None
    """Its count ever; None: it did not say."""


@dataclass(frozen=True, slots=True)
class Rules:
    phones: tuple[str, ...]
    silent_s: float
    repeat_s: float

    @property
    def well_after_s(self) -> float:
        """Well for so long, and it is over."""
        return self.silent_s / 2


@dataclass(frozen=True, slots=True)
class Trouble:
    """Trouble that the administrator is told of."""

    cause: Cause
    began_at: datetime
    next_at: datetime
    parts: tuple[str, ...] = ()
    rounds: int = 0
    """Times that he was paged."""
    acknowledged: bool = False
    told: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """What outlives a restart."""

    wrong_since: datetime | None = None
    well_since: datetime | None = None
    paged_at: datetime | None = None
    trouble: Trouble | None = None
    violations: int | None = None
    violation_told_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """To these numbers: a text, and a call where `call`."""

    kind: Kind
    phones: tuple[str, ...]
    call: bool
    cause: Cause | None = None
    parts: tuple[str, ...] = ()
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    state: State
    messages: Sequence[Message] = field(default_factory=tuple)


def judge(state: State, seen: Seen, now: datetime, rules: Rules, *, acknowledged: bool = False) -> Judged:
    """One look. `acknowledged`: somebody has just said that he knows of the trouble."""
    state = _sane(state, now)
    if acknowledged and state.trouble is not None:
        state = replace(state, trouble=replace(state.trouble, acknowledged=True))
    judged = _well(state, now, rules) if seen.cause is None else _wrong(state, seen, seen.cause, now, rules)
    return _violations(judged, seen, now, rules)


def paged(state: State, message: Message, now: datetime, rules: Rules, *, accepted: bool) -> State:
    """After a message went out. Not `accepted` by the provider at all: it is tried again soon."""
    trouble = state.trouble
    if message.kind is not Kind.TROUBLE or trouble is None:
        return state
    if not accepted:
        return replace(state, trouble=replace(trouble, next_at=now + timedelta(seconds=retry_s)))
    rounds = trouble.rounds + 1
    told = tuple(dict.fromkeys((*trouble.told, *message.phones)))
    due = now + timedelta(seconds=_gap_s(rounds, rules))
    return replace(state, paged_at=now, trouble=replace(trouble, rounds=rounds, told=told, next_at=due))


def _wrong(state: State, seen: Seen, cause: Cause, now: datetime, rules: Rules) -> Judged:
    since = state.wrong_since or now
    state = replace(state, wrong_since=since, well_since=None)
    trouble = state.trouble
    if trouble is None:
        if cause is not Cause.CANARY and (now - since).total_seconds() < rules.silent_s:
            return Judged(state)
        trouble = Trouble(cause, since, _not_before(state, now), seen.parts)
    trouble = replace(trouble, cause=cause, parts=seen.parts)
    state = replace(state, trouble=trouble)
    if trouble.acknowledged or now < trouble.next_at:
        return Judged(state)
    phones = rules.phones[: trouble.rounds + 1]
    return Judged(state, (Message(Kind.TROUBLE, phones, True, cause, seen.parts, trouble.began_at),))


def _well(state: State, now: datetime, rules: Rules) -> Judged:
    since = state.well_since or now
    state = replace(state, well_since=since, wrong_since=None)
    trouble = state.trouble
    if trouble is None or (now - since).total_seconds() < rules.well_after_s:
        return Judged(state)
    state = replace(state, trouble=None)
    if not trouble.told:
        return Judged(state)
    return Judged(state, (Message(Kind.WELL, trouble.told, False, trouble.cause, (), trouble.began_at),))


def _violations(judged: Judged, seen: Seen, now: datetime, rules: Rules) -> Judged:
    """Its count rose: told once for all that came within `violation_gap_s`."""
    state, count = judged.state, seen.violations
    if count is None:
        return judged
    known, told_at = state.violations, state.violation_told_at
    if known is None or count <= known:
        return replace(judged, state=replace(state, violations=count))
    if told_at is not None and (now - told_at).total_seconds() < violation_gap_s:
        return judged
    state = replace(state, violations=count, violation_told_at=now)
    message = Message(Kind.VIOLATION, rules.phones[:1], True, Cause.VIOLATION)
    return Judged(state, (*judged.messages, message))


def _gap_s(rounds: int, rules: Rules) -> float:
    return min(repeat_s_max, rules.repeat_s * 2.0 ** max(0, min(rounds, 10) - repeats_plain))


def _not_before(state: State, now: datetime) -> datetime:
    return now if state.paged_at is None else max(now, state.paged_at + timedelta(seconds=flap_gap_s))


def _sane(state: State, now: datetime) -> State:
    """The clock was set back: what seems to lie ahead is taken for now."""
    instants = (state.wrong_since, state.well_since, state.paged_at, state.violation_told_at)
    if all(each is None or each <= now for each in instants):
        return state
    earlier = [None if each is None else min(each, now) for each in instants]
    trouble = state.trouble
    if trouble is not None:
        trouble = replace(trouble, began_at=min(trouble.began_at, now), next_at=min(trouble.next_at, now))
    return replace(
        state,
        wrong_since=earlier[0],
        well_since=earlier[1],
        paged_at=earlier[2],
        violation_told_at=earlier[3],
        trouble=trouble,
    )
