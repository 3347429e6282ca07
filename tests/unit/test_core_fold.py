"""Signals in, decisions out: identity, folding, spreading, restorals, tests, late and unplaced ones, in order."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from alerting.core.decisions import (
    AddOverlay,
    AttachSignal,
    Decision,
    OpenIncident,
    ReleaseKey,
    SetCondition,
    SetLadder,
    SetWork,
    Suppress,
)
from alerting.core.extents import entries_max
from alerting.core.fold import SignalIn, dedup_key, fold, keys_of
from alerting.core.model import Condition, Extent, Incident, Overlay, Reason, Work
from devices.model import Channel, DeviceState, Language, Placement, Role
from devices.resolve import place_device
from devices.signals import SignalKind
from devices.taxonomy import TAXONOMY
from tests.unit.builders import (
    CONTROL_ROOM,
    DEVICES,
    GRID_WORKER,
    LAST_STEP,
    NOW,
    STAFF,
    a_device,
    a_registry,
    a_restoral,
    a_signal,
    a_worker,
    a_world,
    an_incident,
    at,
    notices,
    on_all,
    pages_to,
    shifts_of,
    skipped,
    taken_by,
    the_ladder,
    who,
)

BESIDE = a_device("smoke-1201-b", "r1201")
"""A second detector in the same room."""
WITH_TWO_IN_A_ROOM = a_registry(devices=[*DEVICES, BESIDE])


def opened(decisions: list[Decision]) -> list[Incident]:
    return [made.incident for made in decisions if isinstance(made, OpenIncident)]


def overlays(decisions: list[Decision]) -> list[tuple[str, Overlay]]:
    return [(made.incident_id, made.overlay) for made in decisions if isinstance(made, AddOverlay)]


def key_of(code: str, device_id: str) -> str:
    placed = place_device(a_registry(), device_id)
    return dedup_key(TAXONOMY[code], placed if isinstance(placed, Placement) else None, device_id)


@pytest.mark.parametrize(
    ("code", "device_id", "key"),
    [
        ("fire.smoke", "smoke-1201", "v1:fire:b3"),
        ("fire.heat", "heat-1201", "v1:fire:b3"),
        ("fire.smoke", "smoke-1301", "v1:fire:b3"),
        ("fire.smoke", "smoke-b5", "v1:fire:b5"),
        ("gas.co", "smoke-1201", "v1:gas:b3"),
        ("gas.combustible", "smoke-1301", "v1:gas:b3"),
        ("fire.smoke", "shed-2", "v1:fire:shed"),
        ("charge.smoke", "shed-2", "v1:charge.smoke:shed-2"),
        ("water.leak", "smoke-1201", "v1:water.leak:smoke-1201"),
        ("device.low_battery", "smoke-1201", "v1:device.low_battery:smoke-1201"),
        ("fire.smoke", "ghost-1", "v1:fire:unplaced:ghost-1"),
        ("fire.smoke", "nowhere-1", "v1:fire:unplaced:nowhere-1"),
        ("water.leak", "ghost-1", "v1:water.leak:ghost-1"),
    ],
)
def test_identity_is_the_building_for_fire_and_gas_and_the_device_for_the_rest(
    code: str, device_id: str, key: str
) -> None:
    assert key_of(code, device_id) == key
    assert keys_of([a_signal(device_id, code)], a_world()) == {key}
    assert opened(fold([a_signal(device_id, code)], a_world()))[0].dedup_key == key


def test_a_first_signal_opens_and_asks() -> None:
    made = fold([a_signal()], a_world())
    (incident,) = opened(made)
    assert isinstance(made[0], OpenIncident), "opened before anything refers to it"
    assert (incident.id, incident.work, incident.condition) == ("i-smoke-1201-fire.smoke", Work.DISPATCHED, "active")
    assert (incident.place_text.zh, incident.grid_id) == ("金鼎小区3栋12层1201", "grid-3")
    assert incident.policy.name == "default-A1"
    assert who(made) == on_all(GRID_WORKER)
    assert (the_ladder(made).due_at, incident.due_at) == (at(30), at(30))


@pytest.mark.parametrize("code", sorted(code for code, hazard in TAXONOMY.items() if hazard.cls != "I"))
def test_every_code_opens_with_a_due_time_and_somebody_asked(code: str) -> None:
    made = fold([a_signal("smoke-1201", code)], a_world())
    assert len(opened(made)) == 1
    assert notices(made)
    assert the_ladder(made).due_at is not None


@pytest.mark.parametrize("kind", [SignalKind.TEST, SignalKind.TELEMETRY, SignalKind.HEARTBEAT])
def test_what_is_no_alarm_asks_nobody(kind: SignalKind) -> None:
    made = fold([a_signal(code="device.test", kind=kind)], a_world())
    assert made == [Suppress("smoke-1201", "device.test", Reason.TEST_ONLY)]


def test_a_repeat_joins_and_asks_nobody() -> None:
    known = an_incident()
    made = fold([a_signal(), a_signal(BESIDE.id)], a_world(WITH_TWO_IN_A_ROOM, incidents=[known]))
    first, second = made
    assert isinstance(first, AttachSignal)
    assert first.reason is Reason.REPEAT
    assert isinstance(second, AttachSignal)
    assert second.reason is Reason.REPEAT
    assert second.extent.active == ("smoke-1201|fire.smoke", f"{BESIDE.id}|fire.smoke")


def test_each_signal_sees_what_the_one_before_it_opened() -> None:
    made = fold([a_signal(), a_signal(BESIDE.id), a_signal()], a_world(WITH_TWO_IN_A_ROOM))
    assert [type(each) for each in made if not isinstance(each, SetLadder)].count(OpenIncident) == 1
    assert who(made) == on_all(GRID_WORKER), "one page each, for three signals"
    assert sum(isinstance(each, AttachSignal) for each in made) == 2


def test_a_new_floor_asks_again_and_names_the_new_place() -> None:
    world = a_world(incidents=[an_incident()], paged={"i-1": pages_to(GRID_WORKER)})
    made = fold([a_signal("smoke-1301")], world)
    assert isinstance(made[0], AttachSignal)
    assert made[0].reason is Reason.SPREADING
    assert overlays(made) == [("i-1", Overlay.SPREADING)]
    assert who(made) == on_all(GRID_WORKER)
    assert {(notice.round, notice.step) for notice in notices(made)} == {(1, 0)}
    text = next(notice.text for notice in notices(made) if notice.channel is Channel.SMS)
    assert "火警扩大" in text
    assert "3栋13层1301烟雾报警，首发12层1201，" in text


def test_an_english_reader_reads_of_spreading_too() -> None:
    reader = a_worker(GRID_WORKER.id, "网格员甲", "Grid worker A", language=Language.EN)
    world = a_world(a_registry(people=(reader, *STAFF[1:])), incidents=[an_incident()])
    text = next(each.text for each in notices(fold([a_signal("smoke-1301")], world)) if each.channel is Channel.SMS)
    assert "FIRE SPREADING" in text
    assert "F13 1301" in text


def test_a_new_kind_of_sensor_asks_again_and_is_named() -> None:
    made = fold([a_signal("heat-1201", "fire.heat")], a_world(incidents=[an_incident()]))
    assert overlays(made) == [("i-1", Overlay.SPREADING)]
    text = next(notice.text for notice in notices(made) if notice.channel is Channel.SMS)
    assert "1201温度火警，首发烟雾报警，" in text


def test_every_further_floor_of_a_batch_is_asked_in_its_own_round() -> None:
    signals = [a_signal(), a_signal("smoke-1301"), a_signal("heat-1201", "fire.heat")]
    made = fold(signals, a_world())
    keys = [(n.round, n.step, n.recipient_id, n.channel, n.purpose) for n in notices(made)]
    assert len(keys) == len(set(keys)) == 9
    assert {n.round for n in notices(made)} == {0, 1, 2}


def test_spreading_right_after_nobody_could_be_asked_takes_a_round_of_its_own() -> None:
    """The first signal already ran to the chain's end, round 1; nobody is asked twice in that round."""
    world = a_world(a_registry(shifts=()))
    late_duty = a_world(a_registry(shifts=shifts_of(Role.CONTROL_ROOM)))
    assert the_ladder(fold([a_signal()], world)).round == 1
    ladders = [each for each in fold([a_signal(), a_signal("smoke-1301")], world) if isinstance(each, SetLadder)]
    assert [ladder.round for ladder in ladders] == [1, 3]
    both = fold([a_signal(), a_signal("smoke-1301")], late_duty)
    asked = [(n.round, n.recipient_id, n.channel) for n in notices(both)]
    assert len(asked) == len(set(asked))


def test_two_floors_of_one_batch_after_nobody_could_be_asked_take_a_round_each() -> None:
    world = a_world(a_registry(shifts=()), incidents=[an_incident()])
    made = fold([a_signal("smoke-1301"), a_signal("heat-1201", "fire.heat")], world)
    assert [ladder.round for ladder in made if isinstance(ladder, SetLadder)] == [2, 4]


def test_what_cannot_kill_folds_even_where_its_device_was_moved() -> None:
    leak = an_incident("water.leak", dedup_key="v1:water.leak:smoke-1301")
    made = fold([a_signal("smoke-1301", "water.leak")], a_world(incidents=[leak]))
    assert [(type(each), getattr(each, "reason", None)) for each in made] == [(AttachSignal, Reason.REPEAT)]


def test_a_second_device_of_what_cannot_kill_is_an_incident_of_its_own() -> None:
    made = fold([a_signal("smoke-1201", "water.leak"), a_signal("smoke-1202", "water.leak")], a_world())
    assert len(opened(made)) == 2


def test_spreading_leaves_the_taker_his_time_and_asks_others() -> None:
    known = taken_by(GRID_WORKER, an_incident())
    made = fold([a_signal("smoke-1301")], a_world(now=at(60), incidents=[known]))
    assert who(made) == on_all(GRID_WORKER)
    assert (the_ladder(made).due_at, the_ladder(made).reason) == (at(900), Reason.TAKEN_EXPIRED)
    assert not [each for each in made if isinstance(each, SetWork)]


def test_a_repeat_after_taken_asks_nobody() -> None:
    taken = taken_by(GRID_WORKER, an_incident())
    made = fold([a_signal(BESIDE.id)], a_world(WITH_TWO_IN_A_ROOM, incidents=[taken]))
    assert [type(each) for each in made] == [AttachSignal]


def test_a_verified_incident_gives_its_key_to_a_new_speaker() -> None:
    known = an_incident(work=Work.VERIFIED, extent=Extent((), ("b3f12",), ("fire.smoke",)))
    made = fold([a_signal(), a_signal(BESIDE.id)], a_world(WITH_TWO_IN_A_ROOM, incidents=[known]))
    assert made[0] == ReleaseKey("i-1", Reason.NEW_ALARM)
    (incident,) = opened(made)
    assert incident.dedup_key == known.dedup_key
    assert who(made) == on_all(GRID_WORKER)
    assert isinstance(made[-1], AttachSignal)
    assert made[-1].incident_id == incident.id, "the second joins the new one"


def test_a_verified_incident_still_hears_who_has_not_stopped_speaking() -> None:
    made = fold([a_signal()], a_world(incidents=[an_incident(work=Work.VERIFIED)]))
    assert [type(each) for each in made] == [AttachSignal]


def test_a_restoral_never_closes_and_says_restored_when_all_are_quiet() -> None:
    active = ("smoke-1201|fire.smoke", "smoke-1202|fire.smoke")
    known = an_incident(extent=Extent(active, ("b3f12",), ("fire.smoke",)))
    made = fold([a_restoral(), a_restoral("smoke-1202")], a_world(incidents=[known]))
    assert [(type(each), getattr(each, "condition", None)) for each in made] == [
        (SetCondition, Condition.ACTIVE),
        (SetCondition, Condition.RESTORED),
    ]


def test_a_restored_detector_that_speaks_again_is_active_again() -> None:
    made = fold([a_restoral(), a_signal(), a_restoral()], a_world(incidents=[an_incident()]))
    assert [type(each) for each in made] == [SetCondition, AttachSignal, SetCondition]
    assert isinstance(made[1], AttachSignal)
    assert made[1].extent.active == ("smoke-1201|fire.smoke",)


@pytest.mark.parametrize("restoral", [a_restoral("smoke-1202"), a_restoral("smoke-1201", "fire.heat")])
def test_a_restoral_of_what_did_not_speak_changes_nothing(restoral: SignalIn) -> None:
    made = fold([restoral], a_world(incidents=[an_incident()]))
    assert [(type(each), getattr(each, "reason", None)) for each in made] == [(Suppress, Reason.NOTHING_OPEN)]


def test_a_restoral_with_nothing_open_is_said_to_be_so() -> None:
    assert fold([a_restoral()], a_world()) == [Suppress("smoke-1201", "fire.smoke", Reason.NOTHING_OPEN)]


def test_all_well_ends_every_condition_of_its_device_and_of_no_other() -> None:
    active = ("smoke-1201|fire.smoke", "smoke-1201|fire.heat", "smoke-1202|fire.smoke")
    fire = an_incident(extent=Extent(active, ("b3f12",), ("fire.smoke", "fire.heat")))
    gas = an_incident(
        "gas.co", id="i-2", dedup_key="v1:gas:b3", extent=Extent(("smoke-1201|gas.co",), ("b3f12",), ("gas.co",))
    )
    leak = an_incident(
        "water.leak",
        id="i-3",
        dedup_key="v1:water.leak:smoke-1201",
        extent=Extent(("smoke-1201|water.leak",), ("b3f12",), ("water.leak",)),
    )
    signal = a_restoral("smoke-1201", "device.restore")
    assert {each.dedup_key for each in (fire, gas, leak)} <= keys_of([signal], a_world())
    made = fold([signal], a_world(incidents=[fire, gas, leak]))
    assert {(d.incident_id, d.condition, d.extent.active) for d in made if isinstance(d, SetCondition)} == {
        ("i-1", Condition.ACTIVE, ("smoke-1202|fire.smoke",)),
        ("i-2", Condition.RESTORED, ()),
        ("i-3", Condition.RESTORED, ()),
    }
    assert len(made) == 3


def test_all_well_with_nothing_open_is_said_to_be_so() -> None:
    made = fold([a_restoral("smoke-1202", "device.restore")], a_world(incidents=[an_incident()]))
    assert made == [Suppress("smoke-1202", "device.restore", Reason.NOTHING_OPEN)]


def test_all_well_may_touch_each_key_that_its_device_can_have_opened() -> None:
    keys = keys_of([a_restoral("smoke-1201", "device.restore")], a_world())
    assert keys == {key_of(code, "smoke-1201") for code in TAXONOMY}


@pytest.mark.parametrize(
    ("until", "test", "suppressed"),
    [
        (at(600), True, True),
        (at(0), True, False),
        (None, True, False),
        (None, False, False),
    ],
)
def test_a_test_is_quiet_only_in_test_mode(until: datetime | None, test: bool, suppressed: bool) -> None:
    registry = a_registry(devices=[a_device("smoke-1201", "r1201", test_mode_until=until)])
    made = fold([a_signal(test=test)], a_world(registry))
    if suppressed:
        assert made == [Suppress("smoke-1201", "fire.smoke", Reason.TEST_MODE)]
        return
    assert who(made) == on_all(GRID_WORKER)
    assert (Overlay.TEST in opened(made)[0].overlays) is test
    assert all(("测试" in notice.text) is test for notice in notices(made))


@pytest.mark.parametrize(
    ("observed", "late"),
    [
        (NOW - timedelta(seconds=599), False),
        (NOW - timedelta(seconds=600), True),
        (NOW - timedelta(days=30), True),
        (datetime(1970, 1, 1, tzinfo=UTC), False),
        (NOW + timedelta(days=400), False),
        (None, False),
    ],
)
def test_a_late_alarm_pages_and_is_marked(observed: datetime | None, late: bool) -> None:
    made = fold([a_signal(observed_at=observed)], a_world())
    assert who(made) == on_all(GRID_WORKER)
    assert (Overlay.LATE in opened(made)[0].overlays) is late
    assert overlays(made) == ([(opened(made)[0].id, Overlay.LATE)] if late else [])
    assert all(("延迟上报" in notice.text) is late for notice in notices(made))


@pytest.mark.parametrize("device_id", ["ghost-1", "nowhere-1"])
def test_the_unplaced_is_told_to_the_control_room_at_once(device_id: str) -> None:
    made = fold([a_signal(device_id, unread=device_id == "ghost-1")], a_world())
    (incident,) = opened(made)
    assert incident.overlays == {Overlay.UNPLACED}
    assert set(on_all(CONTROL_ROOM)) <= set(who(made))
    assert all("未登记位置" in notice.text for notice in notices(made))
    first = made[0]
    assert isinstance(first, OpenIncident)
    assert first.reason is Reason.UNPLACED


@pytest.mark.parametrize("state", list(DeviceState))
def test_no_state_of_a_device_silences_it(state: DeviceState) -> None:
    registry = a_registry(devices=[a_device("smoke-1201", "r1201", state=state)])
    assert who(fold([a_signal()], a_world(registry))) == on_all(GRID_WORKER)


def test_nobody_on_duty_is_said_step_by_step_and_nobody_waits() -> None:
    world = a_world(a_registry(shifts=shifts_of(Role.STREET_DUTY)))
    made = fold([a_signal()], world)
    assert skipped(made) == [(n, Reason.NOBODY_ON_DUTY) for n in range(LAST_STEP)]
    assert {notice.recipient_id for notice in notices(made)} == {"street-duty"}


def test_nobody_at_all_is_new_and_due_again() -> None:
    made = fold([a_signal()], a_world(a_registry(shifts=())))
    assert opened(made)[0].work is Work.NEW
    assert skipped(made)[-1][1] is Reason.NOBODY_REACHABLE
    assert the_ladder(made).due_at == at(60)


def test_what_has_spoken_is_remembered_up_to_a_bound() -> None:
    devices = [a_device(f"smoke-{n:04}", "r1201") for n in range(entries_max + 50)]
    made = fold([a_signal(device.id) for device in devices], a_world(a_registry(devices=devices)))
    last = made[-1]
    assert isinstance(last, AttachSignal)
    assert len(last.extent.active) == entries_max
    assert who(made) == on_all(GRID_WORKER), "one building on fire is not 550 messages"


def test_a_batch_is_decided_like_its_signals_one_by_one() -> None:
    signals = [a_signal(device.id) for device in DEVICES]
    together = fold(signals, a_world())
    apart = [made for signal in signals if signal.device_id != "smoke-1202" for made in fold([signal], a_world())]
    assert {each.dedup_key for each in opened(together)} == {each.dedup_key for each in opened(apart)}
    assert fold(signals, a_world()) == together, "the same in, the same out"


def test_not_recorded_stands_in_every_text() -> None:
    made = fold([a_signal()], replace(a_world(), not_recorded=True))
    assert all("未记录" in notice.text or "尚未记录" in notice.text for notice in notices(made))
