"""The failover benchmark's plan, arithmetic and table, on what can be checked by hand. Measures nothing."""

from datetime import timedelta
from typing import Any

import pytest

from benchmarks import failover, failover_carriers, failover_cases
from benchmarks.failover_cases import SCENES, SOUND, Case
from gengfu.clock import SystemClock
from simulators.emulating import FaultBoard
from simulators.phone import PhoneEvent, PhoneEventKind

_BEGAN = SystemClock().now()


def _event(kind: PhoneEventKind, number: str, sid: str, after_s: float) -> PhoneEvent:
    return PhoneEvent(kind, number, _BEGAN + timedelta(seconds=after_s), sid)


def _call(number: str, sid: str, begins: float, ends: float | None) -> list[PhoneEvent]:
    ringing = [_event(PhoneEventKind.RINGING, number, sid, begins)]
    return ringing if ends is None else [*ringing, _event(PhoneEventKind.CALL_ENDED, number, sid, ends)]


def _books(**changes: Any) -> dict[str, Any]:
    return {"taken": {"sms": [], "voice": []}, "met": {"sms": [], "voice": []}, "twice": [], **changes}


@pytest.mark.parametrize("scene", SCENES)
def test_each_fire_has_a_worker_whose_deputy_has_none(scene: failover_cases.Scene) -> None:
    burnt = failover_cases.fires(scene, 7)
    numbers = [fire.number for fire in burnt]
    assert len(set(numbers)) == len(numbers)
    assert all(number % 2 == 0 for number in numbers)
    assert max(numbers) < failover_cases.numbers_max(SCENES, 7)
    for case in scene.cases:
        assert len(failover_cases.of_case(burnt, case.name)) == 7


def test_where_faults_are_mixed_every_other_fire_meets_none() -> None:
    burnt = failover_cases.fires(SCENES[0], 3)
    assert all(fire.faults for fire in burnt[::2])
    assert all(fire.case == SOUND and not fire.faults for fire in burnt[1::2])


@pytest.mark.parametrize("case", [case for scene in SCENES for case in scene.cases], ids=lambda case: str(case.name))
def test_an_emulator_takes_every_fault(case: Case) -> None:
    board = FaultBoard()
    for fault in case.faults_of(0, 5):
        board.set(number="+8610000000001", **fault)
    assert board.armed()


def test_a_slow_carrier_is_slow_all_the_way_between_both_ends() -> None:
    case = Case("slow", slow=(1.0, 5.0))
    assert [case.slow_s(n, 5) for n in range(5)] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert case.slow_s(0, 1) == 1.0
    assert case.faults_of(4, 5)[0]["seconds"] == 5.0


def test_a_phone_that_rang_twice_at_once_is_found_and_for_how_long() -> None:
    events = [*_call("a", "1", 0, 10), *_call("b", "3", 0, 4), *_call("a", "2", 8, 30), *_call("b", "4", 4, 9)]
    assert failover_carriers.overlaps(events, _BEGAN + timedelta(seconds=60)) == {"a": 2.0}


def test_a_call_inside_a_longer_one_counts_and_so_does_one_that_still_rings() -> None:
    inside = [*_call("a", "1", 0, 30), *_call("a", "2", 3, 4), *_call("a", "3", 10, 15)]
    going_on = [*_call("b", "4", 0, None), *_call("b", "5", 6, None)]
    found = failover_carriers.overlaps([*inside, *going_on], _BEGAN + timedelta(seconds=9))
    assert found == {"a": 5.0, "b": 3.0}


def test_the_first_carrier_that_has_it_counts_whichever_it_is() -> None:
    taken = [(0, 11.5, "second"), (0, 13.0, "first"), (2, 22.0, "second"), (4, 30.0, "first")]
    books = _books(taken={"sms": taken, "voice": taken}, met={"sms": [0, 2], "voice": [0]})
    known = {channel: [(0, 11.6), (0, 13.1), (2, 22.5)] for channel in failover.CHANNELS}
    row = failover._figures({0: 10.0, 2: 20.0}, books, known)
    assert (row["fires"], row["lost"], row["met"]) == (2, 0, {"sms": 2, "voice": 1})
    assert (row["taken"]["sms"]["p50"], row["taken"]["voice"]["max"]) == (1500.0, 2000.0)
    assert row["known"]["sms"]["max"] == 2500.0
    assert row["second"] == {"sms": 2, "voice": 2}


def test_a_fire_without_a_call_is_lost_and_not_fast() -> None:
    books = _books(taken={"sms": [(0, 11.0, "first")], "voice": []})
    row = failover._figures({0: 10.0}, books, {"sms": [(0, 11.0)], "voice": []})
    assert row["lost"] == 1
    assert row["taken"]["voice"] is None


def test_the_table_names_the_fault_beside_the_same_fires_without_one() -> None:
    ms = {"count": 100, "p50": 1100.0, "p99": 2100.0, "p999": 2200.0, "max": 2200.0}
    both = {"sms": ms, "voice": ms}
    common = {"fires": 100, "taken": both, "known": both, "lost": 0, "blinks": 2, "longest_ms": 41.0, "unsettled": 0}
    fault = {**common, "case": "silence", "fault": True, "met": {"sms": 99, "voice": 100}, "twice": 1}
    sound = {**common, "case": "no fault (Twilio)", "fault": False, "met": {"sms": 0, "voice": 0}, "twice": 0}
    times, counts = failover.tables({"rows": [fault, sound], "at": "2026-11-28T03:12:09+00:00", "load": [0.2, 0.9]})
    for _, headers, cells, _ in (times, counts):
        assert [row[0] for row in cells] == ["no fault (Twilio)", "silence", "target"]
        assert {len(row) for row in cells} == {len(headers)}
    assert times[2][1][1:4] == ("1,100", "2,100", "2,200")
    assert counts[2][1][1:] == ("100 of 100", "2,100", "0", "1", "0")
    assert "load average 0.2 before, 0.9 after" in times[3]
    assert "4 had two for less" in counts[3]
    assert "the longest, 41 ms" in counts[3]
