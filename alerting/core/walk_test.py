"""The alarm test 报警测试 of one device: what was heard, who would be called, whether it passed. Pure.

Law: it passes when the alarm came, was restored where the model restores, and came over a radio strong enough, all
within its time; an alarm of its own that had to page fails it. Nothing it shows is sent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

import msgspec

from alerting.core.context import Context
from alerting.core.decisions import Decision, HoldAlarm, Notify, ReleaseHeld, SettleHeld, SkipStep
from alerting.core.fold import ALL_WELL, SignalIn, fold
from alerting.core.languages import PACKS
from alerting.core.messages import AppMessage, CallScript, render
from alerting.core.model import Purpose, Reason
from alerting.core.places import place_text
from alerting.core.templates import Wording
from alerting.core.wording import wording
from alerting.core.world import World
from devices.model import Channel, Device, Language, Placement
from devices.signals import SignalKind
from devices.taxonomy import TAXONOMY, UNKNOWN_FIRE

limit_s_default = 180
"""NB-IoT: the network may hold a message back for minutes."""
SIGNAL_NAMES = ("rssi", "signal_dbm", "rsrp")
"""Under which name a device tells its signal strength in dBm, best first."""

_BUTTON_MEANS: Mapping[str, str] = {"heat_detector": "fire.heat", "gas_detector": "gas.combustible"}
"""What a kind of device would have said, where its button sends a test message only."""

_NO_REFERENCE = "TEST0"
"""Stands where an incident's reference would."""


class WalkState(StrEnum):
    RUNNING = "running"
    PASSED = "passed"
    FAILED = "failed"
    ABORTED = "aborted"


class Lack(StrEnum):
    """Why a test has not passed."""

    NO_ALARM = "no_alarm"
    NOT_RESTORED = "not_restored"
    NO_SIGNAL = "no_signal"
    WEAK_SIGNAL = "weak_signal"
    PAGED = "paged"
    """Its alarm had to page people as a real one."""


@dataclass(frozen=True, slots=True)
class Criteria:
    """Of the model; frozen when the test starts."""

    limit_s: int = limit_s_default
    restores: bool = True
    signal_dbm_min: int | None = None


@dataclass(frozen=True, slots=True)
class WouldCall:
    """One message that a real alarm would send now. `text`: as it is read or heard."""

    recipient_id: str
    name: str
    step: int
    channel: Channel
    address: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """Whom a real alarm would call first, and which steps it would skip (step, reason)."""

    calls: tuple[WouldCall, ...] = ()
    skipped: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class WalkTest:
    id: str
    device_id: str
    started_at: datetime
    ends_at: datetime
    started_by: str
    started_by_name: str
    criteria: Criteria
    state: WalkState = WalkState.RUNNING
    alarm_at: datetime | None = None
    alarm_code: str | None = None
    restored_at: datetime | None = None
    signal_dbm: float | None = None
    signal_at: datetime | None = None
    rehearsal: Rehearsal | None = None
    paged: bool = False
    ended_at: datetime | None = None
    lacks: tuple[Lack, ...] = ()
    """Once it has failed: what was missing."""
    version: int = 1


@dataclass(frozen=True, slots=True)
class Heard:
    """What a batch meant to the running tests: the tests that changed, and what is settled by those that passed."""

    tests: list[WalkTest] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LastWord:
    """A device's newest telemetry."""

    values: Mapping[str, object]
    at: datetime


_SILENT: Mapping[str, LastWord] = {}


def hear(
    tests: Iterable[WalkTest],
    signals: Sequence[SignalIn],
    made: Sequence[Decision],
    world: World,
    words: Mapping[str, LastWord] = _SILENT,
) -> Heard:
    """`made`: what was decided about these signals; `words`: by device."""
    heard = Heard()
    released = {each.held.device_id for each in made if isinstance(each, ReleaseHeld)}
    for test in tests:
        after = replace(test, paged=test.paged or test.device_id in released)
        for signal in signals:
            if signal.device_id == test.device_id and test.state is WalkState.RUNNING:
                after = _heard(after, signal, world)
        after = look(after, words.get(test.device_id), world.now)
        if after != test:
            heard.tests.append(after)
            heard.decisions.extend(_settled(after, made, world))
    return heard


def look(test: WalkTest, word: LastWord | None, now: datetime) -> WalkTest:
    """The test with the signal strength its device told during the test, judged.

    What it told before says nothing about where it hangs now.
    """
    dbm = None if word is None or word.at < test.started_at else signal_dbm(word.values)
    newer = word is not None and (test.signal_at is None or word.at > test.signal_at)
    if word is not None and dbm is not None and newer and dbm != test.signal_dbm:
        test = replace(test, signal_dbm=dbm, signal_at=word.at)
    return judge(test, now)


def judge(test: WalkTest, now: datetime) -> WalkTest:
    """Passed, failed, or still running at `now`."""
    if test.state is not WalkState.RUNNING:
        return test
    lacks = missing(test)
    if test.paged:
        return replace(test, state=WalkState.FAILED, lacks=(Lack.PAGED, *lacks), ended_at=now)
    if not lacks:
        return replace(test, state=WalkState.PASSED, ended_at=now)
    if now >= test.ends_at:
        return replace(test, state=WalkState.FAILED, lacks=lacks, ended_at=now)
    return test


def missing(test: WalkTest) -> tuple[Lack, ...]:
    """What is still missing for a pass."""
    wanted = test.criteria
    lacks = [Lack.NO_ALARM] if test.alarm_at is None else []
    if wanted.restores and test.restored_at is None:
        lacks.append(Lack.NOT_RESTORED)
    if wanted.signal_dbm_min is not None:
        if test.signal_dbm is None:
            lacks.append(Lack.NO_SIGNAL)
        elif test.signal_dbm < wanted.signal_dbm_min:
            lacks.append(Lack.WEAK_SIGNAL)
    return tuple(lacks)


def signal_dbm(values: Mapping[str, object]) -> float | None:
    """Signal strength among a device's values; None where it tells none."""
    for name in SIGNAL_NAMES:
        value = values.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return float(value)
    return None


def real_words(
    device: Device, placement: Placement, channel: Channel, language: Language, now: datetime, timezone: str
) -> str:
    """What an alarm of this device says there, marked as a test, to be sent to the installer's own phone."""
    return render(Purpose.TEST, channel, language, _test_context(device, placement, now, timezone))


def real_wording(
    device: Device, placement: Placement, channel: Channel, language: Language, now: datetime, timezone: str
) -> Wording | None:
    """The same for carriers of registered templates."""
    return wording(Purpose.TEST, channel, language, _test_context(device, placement, now, timezone))


def _test_context(device: Device, placement: Placement, now: datetime, timezone: str) -> Context:
    return Context(
        hazard=TAXONOMY[_BUTTON_MEANS.get(device.kind, UNKNOWN_FIRE)],
        place=place_text(placement, device.id),
        at=now,
        timezone=timezone,
        reference=_NO_REFERENCE,
        has_voice=True,
    )


def rehearse(device: Device, code: str | None, world: World) -> Rehearsal:
    """Whom an alarm of this device would call first and in which words. Decided like a real one, sent nowhere."""
    known = code if code in TAXONOMY and code != "device.test" else None
    real = replace(device, test_mode_until=None)
    snapshot = replace(world.snapshot, devices={**world.snapshot.devices, device.id: real})
    alone = replace(world, snapshot=snapshot, open={}, paged={}, held={}, steps=frozenset())
    alarm = SignalIn(
        device_id=device.id,
        kind=SignalKind.ALARM,
        code=known or _BUTTON_MEANS.get(device.kind, UNKNOWN_FIRE),
        received_at=world.now,
        observed_at=None,
        test=False,
        fresh_id="",
        fresh_reference=_NO_REFERENCE,
    )
    made = fold([alarm], alone)
    return Rehearsal(
        calls=tuple(_would_call(each) for each in made if isinstance(each, Notify) and each.purpose.asks),
        skipped=tuple((each.step, each.reason.value) for each in made if isinstance(each, SkipStep)),
    )


def _heard(test: WalkTest, signal: SignalIn, world: World) -> WalkTest:
    if signal.signal_dbm is not None:
        test = replace(test, signal_dbm=signal.signal_dbm, signal_at=signal.received_at)
    if signal.kind in (SignalKind.ALARM, SignalKind.TEST) and test.alarm_at is None:
        device = world.snapshot.devices.get(test.device_id)
        rehearsal = None if device is None else rehearse(device, signal.code, world)
        return replace(test, alarm_at=signal.received_at, alarm_code=signal.code, rehearsal=rehearsal)
    awaited = test.alarm_at is not None and test.restored_at is None
    if awaited and signal.kind is SignalKind.RESTORAL and signal.code in (ALL_WELL, test.alarm_code):
        return replace(test, restored_at=signal.received_at)
    return test


def _settled(test: WalkTest, made: Sequence[Decision], world: World) -> list[Decision]:
    """A model that never restores: its passed test settles what it holds."""
    if test.state is not WalkState.PASSED or test.criteria.restores:
        return []
    held = {each.id: each for each in world.held.values()}
    held |= {each.held.id: each.held for each in made if isinstance(each, HoldAlarm)}
    gone = {each.held_id for each in made if isinstance(each, SettleHeld)}
    gone |= {each.held.id for each in made if isinstance(each, ReleaseHeld)}
    return [
        SettleHeld(each.id, each.device_id, each.code, Reason.TEST_PASSED)
        for each in held.values()
        if each.device_id == test.device_id and each.id not in gone
    ]


def _would_call(notice: Notify) -> WouldCall:
    return WouldCall(
        recipient_id=notice.recipient_id,
        name=notice.recipient_name,
        step=notice.step,
        channel=notice.channel,
        address=notice.address,
        language=notice.language.value,
        text=_plain(notice.channel, notice.text),
    )


def _plain(channel: Channel, text: str) -> str:
    """What a person reads or hears of it."""
    if channel is Channel.VOICE:
        script = msgspec.json.decode(text, type=CallScript)
        return f"{script.say}{PACKS[script.language].script.glue}{script.keys}"
    if channel is Channel.APP:
        message = msgspec.json.decode(text, type=AppMessage)
        return f"{message.title}\n{message.body}"
    return text
