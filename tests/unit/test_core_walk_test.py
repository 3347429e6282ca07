"""The alarm test of a device: what passes, what fails and why, whom it would call, what it settles."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from alerting.core.decisions import Decision, HoldAlarm, SettleHeld
from alerting.core.fold import SignalIn, fold
from alerting.core.model import Reason
from alerting.core.walk_test import (
    Criteria,
    Lack,
    LastWord,
    WalkState,
    WalkTest,
    hear,
    judge,
    missing,
    real_words,
    rehearse,
    signal_dbm,
)
from alerting.core.world import World
from devices.model import Channel, Language, Placement, Role
from devices.resolve import place_device
from devices.signals import SignalKind
from tests.unit.builders import (
    ALL,
    GRID_WORKER,
    LAST_STEP,
    NOW,
    a_device,
    a_registry,
    a_restoral,
    a_signal,
    a_world,
    at,
    shifts_of,
)

DEVICE = a_device("smoke-1201", "r1201", test_mode_until=at(180))
REGISTRY = a_registry(devices=[DEVICE])


def a_test(**criteria: object) -> WalkTest:
    wanted = Criteria(**criteria)  # type: ignore[arg-type]
    return WalkTest("t-1", DEVICE.id, NOW, at(wanted.limit_s), "login-1", "安装员甲", wanted)


def heard(
    test: WalkTest, *signals: SignalIn, seconds: float = 5, words: LastWord | None = None, world: World | None = None
) -> tuple[WalkTest, list[Decision]]:
    world = replace(world or a_world(REGISTRY), now=at(seconds), steps=frozenset({DEVICE.id}))
    made = fold(signals, world)
    found = hear([test], signals, made, world, {DEVICE.id: words} if words else {})
    return (found.tests[0] if found.tests else test), [*made, *found.decisions]


def alarm(seconds: float = 5, **changes: Any) -> SignalIn:
    return a_signal(received_at=at(seconds), **changes)


def restoral(seconds: float = 20, code: str = "fire.smoke") -> SignalIn:
    return replace(a_restoral("smoke-1201", code), received_at=at(seconds))


def test_alarm_and_restoral_pass_it() -> None:
    test, _ = heard(a_test(), alarm())
    assert (test.state, missing(test)) == (WalkState.RUNNING, (Lack.NOT_RESTORED,))
    test, _ = heard(test, restoral(), seconds=20)
    assert test.state is WalkState.PASSED
    assert (test.alarm_at, test.restored_at, test.ended_at) == (at(5), at(20), at(20))


@pytest.mark.parametrize("code", ["fire.smoke", "device.restore"])
def test_either_word_of_restoral_counts(code: str) -> None:
    test, _ = heard(a_test(), alarm(), restoral(code=code))
    assert test.state is WalkState.PASSED


def test_a_restoral_of_something_else_or_before_the_alarm_counts_for_nothing() -> None:
    test, _ = heard(a_test(), restoral(1), alarm(), restoral(6, "gas.co"))
    assert missing(test) == (Lack.NOT_RESTORED,)


@pytest.mark.parametrize(
    ("signals", "lacks"),
    [
        ([], (Lack.NO_ALARM, Lack.NOT_RESTORED)),
        ([alarm()], (Lack.NOT_RESTORED,)),
    ],
)
def test_its_time_over_it_fails_with_what_is_missing(signals: Sequence[SignalIn], lacks: tuple[Lack, ...]) -> None:
    test, _ = heard(a_test(), *signals)
    assert judge(test, at(179.9)).state is WalkState.RUNNING
    ended = judge(test, at(180))
    assert (ended.state, ended.lacks, ended.ended_at) == (WalkState.FAILED, lacks, at(180))
    assert judge(ended, at(999)) is ended


def test_a_model_that_never_restores_passes_by_its_alarm_and_settles_what_it_holds() -> None:
    test, made = heard(a_test(restores=False), alarm())
    assert test.state is WalkState.PASSED
    held = next(each.held for each in made if isinstance(each, HoldAlarm))
    assert made[-1] == SettleHeld(held.id, DEVICE.id, "fire.smoke", Reason.TEST_PASSED)


def test_a_model_that_restores_settles_nothing_by_passing() -> None:
    _, made = heard(a_test(), alarm(), restoral())
    assert [each.reason for each in made if isinstance(each, SettleHeld)] == [Reason.TEST_RESTORED]


def test_what_else_a_restoring_device_holds_still_waits() -> None:
    test, made = heard(a_test(), alarm(), alarm(code="fire.heat", fresh_id="second"), restoral())
    assert test.state is WalkState.PASSED
    assert [each.code for each in made if isinstance(each, SettleHeld)] == ["fire.smoke"]


@pytest.mark.parametrize(
    ("dbm", "state", "lacks"),
    [
        (-71, WalkState.PASSED, ()),
        (-100, WalkState.PASSED, ()),
        (-101, WalkState.RUNNING, (Lack.WEAK_SIGNAL,)),
        (None, WalkState.RUNNING, (Lack.NO_SIGNAL,)),
    ],
)
def test_the_radio_must_be_strong_enough_where_the_model_says_so(
    dbm: float | None, state: WalkState, lacks: tuple[Lack, ...]
) -> None:
    test, _ = heard(a_test(signal_dbm_min=-100), alarm(signal_dbm=dbm), restoral())
    assert (test.state, missing(test)) == (state, lacks)


def test_telemetry_of_the_test_tells_the_signal_and_older_telemetry_does_not() -> None:
    test, _ = heard(a_test(signal_dbm_min=-100), alarm(), restoral())
    before, _ = heard(test, words=LastWord({"rssi": -60}, at(-1)), seconds=30)
    assert before == test
    during, _ = heard(test, words=LastWord({"rssi": -60}, at(25)), seconds=30)
    assert (during.state, during.signal_dbm, during.signal_at) == (WalkState.PASSED, -60, at(25))


@pytest.mark.parametrize(
    ("values", "dbm"),
    [
        ({"rssi": -71}, -71),
        ({"rsrp": -101.5}, -101.5),
        ({"signal_dbm": -80, "rsrp": -110}, -80),
        ({"rssi": True}, None),
        ({"rssi": "strong"}, None),
        ({}, None),
    ],
)
def test_names_of_a_signal(values: dict[str, object], dbm: float | None) -> None:
    assert signal_dbm(values) == dbm


def test_its_own_alarm_that_had_to_page_fails_it() -> None:
    test, _ = heard(a_test(limit_s=600), alarm())
    world = a_world(REGISTRY)
    held = {each.held.id: each.held for each in fold([alarm()], world) if isinstance(each, HoldAlarm)}
    test, _ = heard(test, restoral(181), seconds=181, world=replace(world, held=held))
    assert test.state is WalkState.FAILED
    assert test.lacks[0] is Lack.PAGED


def test_a_test_only_message_is_an_alarm_received_and_tells_nobody() -> None:
    button = alarm(code="device.test", kind=SignalKind.TEST)
    test, made = heard(a_test(restores=False), button)
    assert (test.state, test.alarm_code) == (WalkState.PASSED, "device.test")
    assert not any(isinstance(each, HoldAlarm) for each in made)
    assert test.rehearsal is not None
    assert all("火警" in call.text for call in test.rehearsal.calls)


def test_it_shows_whom_a_real_alarm_would_call_first_in_the_very_words() -> None:
    test, _ = heard(a_test(), alarm())
    assert test.rehearsal is not None
    calls = test.rehearsal.calls
    assert {(call.recipient_id, call.channel) for call in calls} == {(GRID_WORKER.id, channel) for channel in ALL}
    by_channel = {call.channel: call.text for call in calls}
    assert by_channel[Channel.SMS].startswith("火警：金鼎小区3栋12层1201")
    assert "确认出发请按一" in by_channel[Channel.VOICE]
    assert "测试" not in "".join(by_channel.values())


def test_it_names_the_steps_that_are_empty() -> None:
    registry = a_registry(devices=[DEVICE], shifts=shifts_of(Role.STREET_DUTY))
    rehearsal = rehearse(DEVICE, "fire.smoke", a_world(registry))
    assert [step for step, _ in rehearsal.skipped] == list(range(LAST_STEP))
    assert {call.recipient_id for call in rehearsal.calls} == {"street-duty"}


@pytest.mark.parametrize(("kind", "word"), [("gas_detector", "燃气泄漏"), ("smoke_detector", "火警")])
@pytest.mark.parametrize("language", list(Language))
def test_the_real_message_begins_with_the_word_test(kind: str, word: str, language: Language) -> None:
    placement = place_device(REGISTRY, DEVICE.id)
    assert isinstance(placement, Placement)
    text = real_words(replace(DEVICE, kind=kind), placement, Channel.SMS, language, NOW, "Asia/Shanghai")
    assert text.startswith("测试，" if language is Language.ZH_CN else "TEST: ")
    assert language is Language.EN or word in text
    assert "119" not in text


def test_other_devices_say_nothing_to_it() -> None:
    test = a_test()
    assert heard(test, a_signal("smoke-1202"))[0] is test
