"""Test mode: what waits, what settles it, what pages at once: each row of the rule, in each order that can be."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

import pytest

from alerting.core.decisions import (
    AddOverlay,
    Decision,
    HoldAlarm,
    Notify,
    OpenIncident,
    ReleaseHeld,
    SettleHeld,
    Suppress,
)
from alerting.core.fold import fold, fold_held
from alerting.core.held import Held
from alerting.core.model import Overlay, Reason, Settings, Work
from alerting.core.world import World
from devices.resolve import RegistrySnapshot
from devices.signals import SignalKind
from tests.unit.builders import (
    GRID_WORKER,
    NOW,
    a_device,
    a_registry,
    a_restoral,
    a_signal,
    a_world,
    an_incident,
    at,
    marked,
    notices,
    on_all,
    who,
)

LONG = at(7200)
ROOMS = {"smoke-1201": "r1201", "heat-1201": "r1201", "smoke-1202": "r1202", "smoke-1301": "r1301", "smoke-b5": "b5"}


def in_test(*device_ids: str, until: datetime = LONG) -> RegistrySnapshot:
    """Every detector of the compound; these are in test mode."""
    found = [a_device(id_, place, test_mode_until=until if id_ in device_ids else None) for id_, place in ROOMS.items()]
    return a_registry(devices=found)


ALL_TESTED = in_test(*ROOMS)


def held_by(made: Iterable[Decision]) -> list[Held]:
    return [each.held for each in made if isinstance(each, HoldAlarm)]


def later(world: World, seconds: float, made: Iterable[Decision], **changes: object) -> World:
    """The world after these decisions, so many seconds on."""
    made = list(made)
    gone = {each.held_id for each in made if isinstance(each, SettleHeld)}
    gone |= {each.held.id for each in made if isinstance(each, ReleaseHeld)}
    held = {**world.held, **{each.id: each for each in held_by(made)}}
    opened = {each.incident.dedup_key: each.incident for each in made if isinstance(each, OpenIncident)}
    kept = {key: each for key, each in held.items() if key not in gone}
    return replace(world, now=at(seconds), held=kept, open={**world.open, **opened}, **changes)  # type: ignore[arg-type]


def reasons(made: Iterable[Decision]) -> list[Reason]:
    return [each.reason for each in made if isinstance(each, ReleaseHeld | SettleHeld)]


def test_an_alarm_in_test_mode_waits_and_tells_nobody() -> None:
    made = fold([a_signal()], a_world(ALL_TESTED))
    (held,) = held_by(made)
    assert made == [HoldAlarm(held, Reason.HELD)]
    assert (held.device_id, held.code, held.building_id, held.room_id) == ("smoke-1201", "fire.smoke", "b3", "r1201")
    assert held.due_at == at(180)
    assert (held.id, held.reference) == (a_signal().fresh_id, a_signal().fresh_reference)


def test_how_long_it_waits_can_be_set() -> None:
    (held,) = held_by(fold([a_signal()], a_world(ALL_TESTED, settings=Settings(test_hold_s=5))))
    assert held.due_at == at(5)


@pytest.mark.parametrize("restoral", ["fire.smoke", "device.restore"])
def test_restored_in_time_nobody_is_ever_told(restoral: str) -> None:
    world = a_world(ALL_TESTED)
    first = fold([a_signal()], world)
    made = fold([a_restoral("smoke-1201", restoral)], later(world, 179, first))
    assert made == [SettleHeld(held_by(first)[0].id, "smoke-1201", "fire.smoke", Reason.TEST_RESTORED)]
    assert fold_held(later(later(world, 179, first), 500, made)) == []


def test_alarm_and_restoral_in_one_batch() -> None:
    made = fold([a_signal(), a_restoral()], a_world(ALL_TESTED))
    assert [type(each) for each in made] == [HoldAlarm, SettleHeld]


def test_another_devices_or_another_codes_restoral_settles_nothing() -> None:
    world = a_world(ALL_TESTED)
    after = later(world, 10, fold([a_signal()], world))
    for restoral in (a_restoral("heat-1201"), a_restoral("smoke-1201", "gas.co")):
        assert fold([restoral], after) == [Suppress(restoral.device_id, restoral.code, Reason.NOTHING_OPEN)]


def test_not_restored_it_pages_as_a_real_alarm_and_is_marked() -> None:
    world = a_world(ALL_TESTED)
    first = fold([a_signal()], world)
    assert fold_held(later(world, 179.9, first)) == []
    made = fold_held(later(world, 180, first))
    (opened,) = [each for each in made if isinstance(each, OpenIncident)]
    assert opened.reason is Reason.NOT_RESTORED
    assert opened.incident.id == held_by(first)[0].id
    assert AddOverlay(opened.incident.id, Overlay.TEST, Reason.NOT_RESTORED) in made
    assert who(made) == on_all(GRID_WORKER)
    assert all("疑似测试" in notice.text for notice in notices(made))
    assert made[-1] == ReleaseHeld(held_by(first)[0], opened.incident.id, Reason.NOT_RESTORED)


def test_a_restoral_that_comes_too_late_finds_it_paged() -> None:
    world = a_world(ALL_TESTED)
    made = fold([a_restoral()], later(world, 180, fold([a_signal()], world)))
    assert reasons(made) == [Reason.NOT_RESTORED]
    assert who(made) == on_all(GRID_WORKER)


def test_said_again_it_keeps_its_time() -> None:
    world = a_world(ALL_TESTED)
    first = fold([a_signal()], world)
    made = fold([a_signal(fresh_id="again")], later(world, 100, first))
    assert made == [Suppress("smoke-1201", "fire.smoke", Reason.HELD)]
    assert reasons(fold([a_signal(fresh_id="again")], later(world, 181, first))) == [Reason.NOT_RESTORED]


@pytest.mark.parametrize(
    ("kind", "test", "mode", "outcome"),
    [
        (SignalKind.TEST, False, False, "quiet"),
        (SignalKind.TEST, True, False, "quiet"),
        (SignalKind.TEST, False, True, "quiet"),
        (SignalKind.ALARM, True, True, "quiet"),
        (SignalKind.ALARM, True, False, "pages, marked"),
        (SignalKind.ALARM, False, True, "waits"),
        (SignalKind.ALARM, False, False, "pages"),
    ],
)
def test_the_table_of_flag_and_mode(kind: SignalKind, test: bool, mode: bool, outcome: str) -> None:
    code = "device.test" if kind is SignalKind.TEST else "fire.smoke"
    made = fold([a_signal(code=code, kind=kind, test=test)], a_world(in_test(*(["smoke-1201"] if mode else []))))
    assert bool(notices(made)) is outcome.startswith("pages")
    assert bool(held_by(made)) is (outcome == "waits")
    assert any(isinstance(each, AddOverlay) for each in made) is (outcome == "pages, marked")
    assert isinstance(made[0], Suppress) is (outcome == "quiet")


def test_only_alarms_wait() -> None:
    made = fold([a_signal(code="device.tamper")], a_world(ALL_TESTED))
    assert not held_by(made)
    assert any(isinstance(each, OpenIncident) for each in made)


def test_test_mode_that_has_ended_holds_nothing() -> None:
    assert who(fold([a_signal()], a_world(in_test("smoke-1201", until=NOW)))) == on_all(GRID_WORKER)


def test_a_device_without_a_place_never_waits() -> None:
    registry = a_registry(devices=[a_device("nowhere-1", None, test_mode_until=LONG)])
    assert notices(fold([a_signal("nowhere-1")], a_world(registry)))


def test_what_could_not_be_read_does_not_wait() -> None:
    assert notices(fold([a_signal(unread=True)], a_world(ALL_TESTED)))


def test_what_cannot_be_recorded_does_not_wait() -> None:
    """From memory, while the database takes nothing: a hold that a restart forgets would be a dropped fire."""
    assert notices(fold([a_signal()], replace(a_world(ALL_TESTED), not_recorded=True)))


def test_it_never_waits_beside_an_incident_that_it_would_join() -> None:
    incident = an_incident(device_id="smoke-1301")
    made = fold([a_signal()], a_world(ALL_TESTED, incidents=[incident]))
    assert not held_by(made)
    assert Overlay.TEST not in marked(incident).overlays
    finished = replace(incident, work=Work.VERIFIED)
    assert held_by(fold([a_signal()], a_world(ALL_TESTED, incidents=[finished])))


@pytest.mark.parametrize(
    ("first", "second", "steps", "released"),
    [
        ("smoke-1201", "smoke-1202", (), True),
        ("smoke-1201", "smoke-1301", (), True),
        ("smoke-1201", "smoke-1202", ("smoke-1201",), True),
        ("smoke-1201", "smoke-1202", ("smoke-1202",), True),
        ("smoke-1201", "smoke-1202", ("smoke-1201", "smoke-1202"), False),
        ("smoke-1201", "heat-1201", (), False),
        ("smoke-1201", "smoke-b5", (), False),
    ],
)
@pytest.mark.parametrize("together", [True, False])
def test_two_rooms_at_once(first: str, second: str, steps: tuple[str, ...], released: bool, together: bool) -> None:
    """Of one building, unless both are steps of testers now."""
    world = replace(a_world(ALL_TESTED), steps=frozenset(steps))
    signals = [a_signal(first), a_signal(second, "fire.heat" if second.startswith("heat") else "fire.smoke")]
    if together:
        made = fold(signals, world)
    else:
        before = fold(signals[:1], world)
        made = [*before, *fold(signals[1:], later(world, 20, before))]
    assert len(held_by(made)) == 2
    assert reasons(made) == ([Reason.TWO_ROOMS] * 2 if released else [])
    assert bool(notices(made)) is released
    assert len([each for each in made if isinstance(each, OpenIncident)]) == released


def test_restored_before_the_second_room_speaks_is_no_two_rooms() -> None:
    world = a_world(ALL_TESTED)
    first = fold([a_signal("smoke-1201")], world)
    restored = fold([a_restoral("smoke-1201")], later(world, 5, first))
    made = fold([a_signal("smoke-1202")], later(later(world, 5, first), 6, restored))
    assert [type(each) for each in made] == [HoldAlarm]


def test_when_a_testers_step_ends_the_other_room_waits_no_longer() -> None:
    both = ("smoke-1201", "smoke-1202")
    world = replace(a_world(ALL_TESTED), steps=frozenset(both))
    after = later(world, 10, fold([a_signal(id_) for id_ in both], world))
    assert fold_held(after) == []
    made = fold_held(replace(after, steps=frozenset(both[:1])))
    assert reasons(made) == [Reason.TWO_ROOMS] * 2


@pytest.mark.parametrize("real", ["smoke-1202", "heat-1201"])
def test_a_real_alarm_in_the_building_releases_what_waits(real: str) -> None:
    held_only = in_test("smoke-1201")
    world = a_world(held_only)
    before = fold([a_signal("smoke-1201")], world)
    made = fold([a_signal(real)], later(world, 10, before))
    assert reasons(made) == [Reason.BESIDE_ALARM]
    (opened,) = [each for each in made if isinstance(each, OpenIncident)]
    assert opened.reason is Reason.FIRST_SIGNAL
    released = made[-1]
    assert isinstance(released, ReleaseHeld)
    assert released.incident_id == opened.incident.id


def test_a_fault_beside_it_releases_nothing() -> None:
    world = a_world(in_test("smoke-1201"))
    before = fold([a_signal("smoke-1201")], world)
    made = fold([a_signal("smoke-1202", "device.low_battery")], later(world, 10, before))
    assert reasons(made) == []


def test_after_test_mode_has_ended_the_same_device_pages_and_takes_along_what_it_held() -> None:
    world = a_world(in_test("smoke-1201", until=at(60)))
    before = fold([a_signal("smoke-1201")], world)
    made = fold([a_signal("smoke-1201", fresh_id="real")], later(world, 61, before))
    assert reasons(made) == [Reason.BESIDE_ALARM]
    assert notices(made)


def test_a_device_that_is_gone_still_pages_what_it_held() -> None:
    world = a_world(ALL_TESTED)
    after = later(world, 180, fold([a_signal()], world), snapshot=a_registry(devices=[]))
    made = fold_held(after)
    assert reasons(made) == [Reason.NOT_RESTORED]
    assert any(isinstance(each, Notify) for each in made)
