"""What is more than a repeat: a second room, a second kind, a confirmation, the end of a doubt; and whom it asks."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from alerting.core.again import confirm
from alerting.core.decisions import AddOverlay, AttachSignal, Decision, DropOverlay, RaiseSeverity
from alerting.core.extents import entries_max
from alerting.core.fold import SignalIn, fold
from alerting.core.model import Extent, Incident, Overlay, Raised, Reason, Via, Work
from alerting.escalation import unanswered
from devices.model import Channel, PlaceKind, Role
from devices.resolve import RegistrySnapshot
from devices.taxonomy import TAXONOMY
from tests.unit.builders import (
    B3,
    COMMUNITY_DUTY,
    CONTROL_ROOM,
    DEPUTY,
    DEVICES,
    GRID_WORKER,
    STAFF,
    STREET_DUTY,
    a_device,
    a_place,
    a_policy,
    a_registry,
    a_shift,
    a_signal,
    a_step,
    a_world,
    an_actor,
    an_incident,
    at,
    marked,
    notices,
    on_all,
    pages_to,
    shifts_of,
    taken_by,
    the_ladder,
    who,
)

STAIR = a_place("stair", PlaceKind.PART, "楼梯间", "stairwell", B3)
HERE = (
    *DEVICES,
    a_device("smoke-1201-b", "r1201"),
    a_device("cam-1201", "r1201"),
    a_device("mcp-12", "b3f12"),
    a_device("smoke-f12", "b3f12"),
    a_device("smoke-stair", "stair"),
    a_device("panel-b3", "b3"),
)


def registry(**changes: object) -> RegistrySnapshot:
    known = a_registry(devices=HERE, **changes)  # type: ignore[arg-type]
    return replace(known, places={**known.places, STAIR.id: STAIR})


def kinds(made: Iterable[Decision]) -> set[Overlay]:
    return {each.overlay for each in made if isinstance(each, AddOverlay)}


def sms(made: Iterable[Decision]) -> str:
    return next(notice.text for notice in notices(made) if notice.channel is Channel.SMS)


def reasons(made: Iterable[Decision]) -> set[Reason]:
    return {notice.reason for notice in notices(made)}


@pytest.mark.parametrize(
    ("device", "code", "again", "words"),
    [
        ("smoke-1201", "fire.smoke", False, ""),
        ("smoke-1201-b", "fire.smoke", False, ""),
        ("smoke-1202", "fire.smoke", True, "12层1202烟雾报警，首发1201，"),
        ("smoke-1301", "fire.smoke", True, "13层1301烟雾报警，首发12层1201，"),
        ("smoke-f12", "fire.smoke", True, "3栋12层烟雾报警，首发12层1201，"),
        ("smoke-stair", "fire.smoke", True, "3栋楼梯间烟雾报警，首发12层1201，"),
        ("panel-b3", "fire.smoke", True, "金鼎小区3栋烟雾报警，首发3栋12层1201，"),
        ("heat-1201", "fire.heat", True, "1201温度火警，首发烟雾报警，"),
        ("smoke-1201", "fire.heat", True, "1201温度火警，首发烟雾报警，"),
        ("panel-b3", "fire.panel", True, "3栋火警主机报警，首发3栋12层1201，"),
    ],
)
def test_a_second_room_or_a_second_kind_asks_again(device: str, code: str, again: bool, words: str) -> None:
    world = a_world(registry(), incidents=[an_incident()], paged={"i-1": pages_to(GRID_WORKER)})
    made = fold([a_signal(device, code)], world)
    joined = made[0]
    assert isinstance(joined, AttachSignal)
    assert (joined.reason is Reason.SPREADING) is again
    assert kinds(made) == ({Overlay.SPREADING} if again else set())
    assert who(made) == (on_all(GRID_WORKER) if again else [])
    if again:
        assert "火警扩大：" in sms(made)
        assert words in sms(made)
        assert reasons(made) == {Reason.SPREADING}


def test_the_next_room_is_asked_once_and_then_is_known() -> None:
    signals = [a_signal(), a_signal("smoke-1202"), a_signal("smoke-1202"), a_signal("smoke-1301"), a_signal()]
    made = fold(signals, a_world(registry()))
    joined = [each.reason for each in made if isinstance(each, AttachSignal)]
    assert joined == [Reason.SPREADING, Reason.REPEAT, Reason.SPREADING, Reason.REPEAT]
    assert len(notices(made)) == 3 * len(on_all(GRID_WORKER))


def test_an_incident_from_before_rooms_were_kept_spreads_by_floors_as_it_did() -> None:
    old = an_incident(extent=Extent(("smoke-1201|fire.smoke",), ("b3f12",), ("fire.smoke",)))
    assert kinds(fold([a_signal("smoke-1202")], a_world(registry(), incidents=[old]))) == set()
    assert kinds(fold([a_signal("smoke-1301")], a_world(registry(), incidents=[old]))) == {Overlay.SPREADING}


def test_rooms_are_remembered_up_to_a_bound() -> None:
    rooms = tuple(f"r-{n}" for n in range(entries_max))
    full = an_incident(extent=Extent(("x|fire.smoke",), ("b3f12",), ("fire.smoke",), rooms))
    (joined,) = fold([a_signal("smoke-1202")], a_world(registry(), incidents=[full]))
    assert isinstance(joined, AttachSignal)
    assert len(joined.extent.rooms) == entries_max


def test_later_steps_say_where_it_has_spread_to() -> None:
    opened = fold([a_signal(), a_signal("smoke-1301")], a_world(registry()))
    joined = next(each for each in opened if isinstance(each, AttachSignal))
    assert joined.extent.spread == ("13层1301", "F13 1301", "十三层，幺三零幺", "floor 13, room 1 3 0 1")
    grown = marked(an_incident(extent=joined.extent), Overlay.SPREADING)
    again = fold([a_signal("smoke-1201-b", test=True)], a_world(registry(), incidents=[grown]))
    assert not notices(again)
    made = unanswered.decide(grown, pages_to(GRID_WORKER), a_world(registry(), now=at(30)))
    assert made is not None
    assert "火警扩大：金鼎小区3栋12层1201烟雾报警，扩大：13层1301，" in sms(made)


@pytest.mark.parametrize(
    ("first", "second", "confirmed"),
    [
        (("smoke-1201", "fire.smoke"), ("cam-1201", "fire.flame"), True),
        (("cam-1201", "fire.flame"), ("smoke-1201", "fire.smoke"), True),
        (("heat-1201", "fire.heat"), ("cam-1201", "fire.flame"), True),
        (("smoke-1201", "fire.smoke"), ("mcp-12", "fire.manual"), True),
        (("mcp-12", "fire.manual"), ("smoke-1301", "fire.smoke"), True),
        (("mcp-12", "fire.manual"), ("cam-1201", "fire.flame"), True),
        (("smoke-1201", "fire.smoke"), ("heat-1201", "fire.heat"), False),
        (("smoke-1201", "fire.smoke"), ("smoke-1301", "fire.smoke"), False),
        (("smoke-1201", "fire.smoke"), ("panel-b3", "fire.panel"), False),
        (("cam-1201", "fire.smoke"), ("cam-1201", "fire.flame"), False),
        (("smoke-1201", "gas.co"), ("cam-1201", "gas.combustible"), False),
    ],
)
def test_what_confirms_what(first: tuple[str, str], second: tuple[str, str], confirmed: bool) -> None:
    made = fold([a_signal(*first), a_signal(*second)], a_world(registry()))
    assert (Overlay.CONFIRMED in kinds(made)) is confirmed
    assert (Reason.CONFIRMED in reasons(made)) is confirmed
    assert any("已确认" in notice.text for notice in notices(made)) is confirmed


def test_a_confirmation_in_another_room_is_both_and_told_once() -> None:
    world = a_world(registry(), incidents=[an_incident()])
    made = fold([a_signal("mcp-12", "fire.manual")], world)
    assert kinds(made) == {Overlay.SPREADING, Overlay.CONFIRMED}
    assert "火警已确认并扩大：金鼎小区3栋12层手动火警按钮，首发12层1201，" in sms(made)
    assert who(made) == on_all(GRID_WORKER)
    assert the_ladder(made).round == 1


def test_a_camera_that_saw_smoke_is_confirmed_by_a_detector_even_after_it_went_quiet() -> None:
    known = an_incident("fire.smoke", extent=Extent((), ("b3f12",), ("fire.smoke",), ("r1201",)))
    assert Overlay.CONFIRMED in kinds(
        fold([a_signal("cam-1201", "fire.flame")], a_world(registry(), incidents=[known]))
    )


def test_what_is_confirmed_is_confirmed_once() -> None:
    signals = [a_signal(), a_signal("cam-1201", "fire.flame"), a_signal("mcp-12", "fire.manual")]
    made = fold(signals, a_world(registry()))
    assert [each.overlay for each in made if isinstance(each, AddOverlay)].count(Overlay.CONFIRMED) == 1
    assert len([each for each in made if isinstance(each, AttachSignal) and each.reason is Reason.CONFIRMED]) == 1


def test_somebody_who_is_there_confirms() -> None:
    world, pages = a_world(registry()), pages_to(GRID_WORKER)
    made = confirm(an_incident(), world, pages, an_actor(GRID_WORKER), "住户确认")
    assert made[0] == AddOverlay("i-1", Overlay.CONFIRMED, Reason.CONFIRMED, "住户确认")
    assert who(made) == on_all(GRID_WORKER)
    assert "火警已确认：" in sms(made)
    assert confirm(marked(an_incident(), Overlay.CONFIRMED), world, pages) == []
    assert confirm(an_incident(work=Work.CLOSED), world, pages) == []


def test_severity_rises_where_it_can_and_comes_by_call_too() -> None:
    arc = an_incident("charge.arc", dedup_key="v1:charge.arc:smoke-1201", policy=a_policy(a_step(0, Role.GRID_WORKER)))
    made = confirm(arc, a_world(registry()), [])
    assert RaiseSeverity("i-1", 1, Reason.CONFIRMED) in made
    assert who(made) == on_all(GRID_WORKER)
    assert confirm(replace(arc, severity=1), a_world(registry()), [])[1:2] != [
        RaiseSeverity("i-1", 1, Reason.CONFIRMED)
    ]
    leak = an_incident("device.fault", dedup_key="v1:device.fault:smoke-1201")
    assert not [each for each in confirm(leak, a_world(registry()), []) if isinstance(each, RaiseSeverity)]


@pytest.mark.parametrize("signal", [a_signal("smoke-1301"), a_signal("cam-1201", "fire.flame")])
@pytest.mark.parametrize("taker", [GRID_WORKER, DEPUTY, COMMUNITY_DUTY])
def test_who_goes_is_told_wherever_he_stands_and_keeps_his_time(signal: SignalIn, taker: object) -> None:
    person = next(each for each in STAFF if each is taker)
    known = taken_by(person, an_incident())
    made = fold([signal], a_world(registry(), now=at(60), incidents=[known]))
    assert who(made) == sorted({*on_all(GRID_WORKER), *on_all(person)})
    assert (the_ladder(made).due_at, the_ladder(made).reason) == (at(900), Reason.TAKEN_EXPIRED)


def test_who_goes_is_told_though_nobody_is_on_duty() -> None:
    known = taken_by(DEPUTY, an_incident())
    made = fold([a_signal("smoke-1301")], a_world(registry(shifts=shifts_of(Role.STREET_DUTY)), incidents=[known]))
    assert set(on_all(DEPUTY)) <= set(who(made))


DOUBTED = marked(an_incident(), Overlay.TEST)


@pytest.mark.parametrize(
    ("signal", "cleared", "reason"),
    [
        (a_signal("smoke-1201-b"), True, Reason.NOT_A_TEST),
        (a_signal("smoke-1301"), True, Reason.SPREADING),
        (a_signal("smoke-1201-b", test=True), False, None),
        (a_signal("smoke-1201-b", waited=Reason.TWO_ROOMS), False, None),
        (a_signal("smoke-1301", test=True), False, Reason.SPREADING),
    ],
)
def test_a_real_alarm_takes_the_doubt_away(signal: SignalIn, cleared: bool, reason: Reason | None) -> None:
    made = fold([signal], a_world(registry(), incidents=[DOUBTED]))
    assert (DropOverlay("i-1", Overlay.TEST, Reason.NOT_A_TEST) in made) is cleared
    assert reasons(made) == ({reason} if reason else set())
    assert all(("疑似测试" in notice.text) is not cleared for notice in notices(made))


def test_a_testers_detector_takes_no_doubt_away() -> None:
    tested = a_registry(devices=[a_device("smoke-1201", "r1201", test_mode_until=at(600))])
    made = fold([a_signal()], a_world(tested, incidents=[DOUBTED]))
    assert [type(each) for each in made] == [AttachSignal]


def test_once_it_is_no_test_nobody_is_told_again() -> None:
    made = fold([a_signal(), a_signal("smoke-1201-b")], a_world(registry(), incidents=[DOUBTED]))
    assert len(notices(made)) == 3


def test_who_goes_hears_that_it_is_no_test_and_nobody_else_is_asked() -> None:
    known = taken_by(DEPUTY, DOUBTED)
    made = fold([a_signal("smoke-1201-b")], a_world(registry(), incidents=[known]))
    assert who(made) == on_all(DEPUTY)
    ladder = the_ladder(made)
    assert (ladder.round, ladder.due_at) == (1, at(900))
    more = fold([a_signal("smoke-1201-b"), a_signal("smoke-1301")], a_world(registry(), incidents=[known]))
    asked = [(each.round, each.recipient_id, each.channel) for each in notices(more)]
    assert len(asked) == len(set(asked)), "nobody twice in one round"


@pytest.mark.parametrize("code", [code for code, hazard in TAXONOMY.items() if not hazard.life_safety])
def test_what_cannot_kill_never_spreads(code: str) -> None:
    if TAXONOMY[code].cls == "I":
        return
    known = an_incident(code, dedup_key=f"v1:{code}:smoke-1301")
    made = fold([a_signal("smoke-1301", code)], a_world(registry(), incidents=[known]))
    assert kinds(made) == set()
    assert not notices(made)


def test_reopened_by_a_person_is_no_eye_witness() -> None:
    known: Incident = an_incident(raised_by="login-1", raised_via=Via.REOPENED, extent=Extent())
    assert kinds(fold([a_signal()], a_world(registry(), incidents=[known]))) == set()


def test_where_it_spread_to_is_not_said_of_another_place_than_where_it_began() -> None:
    extent = Extent(("smoke-1301|fire.smoke",), ("b3f12", "b3f13"), ("fire.smoke",), ("r1201", "r1301"))
    known = marked(an_incident(extent=replace(extent, spread=("13层1301", "F13 1301", "x", "x"))), Overlay.SPREADING)
    caller = Raised("login-1", "消控室值班员", Via.TELEPHONE)
    made = fold([replace(a_signal("", place_id="r1301"), raised=caller)], a_world(registry(), incidents=[known]))
    assert reasons(made) == {Reason.CONFIRMED}
    assert "火警已确认并扩大：金鼎小区3栋13层1301烟雾报警，03:12" in sms(made)


@pytest.mark.parametrize("step", [0, 1])
def test_a_fire_that_grows_puts_nobody_off_and_tells_everybody_asked_so_far(step: int) -> None:
    """A new floor every 25 s: the deputy of second 30 is asked then, not after the last floor."""
    due = at(12)
    burning = an_incident(step=step, due_at=due)
    made = fold([a_signal("smoke-1301")], a_world(registry(), incidents=[burning]))
    ladder = the_ladder(made)
    assert (ladder.round, ladder.step, ladder.due_at) == (burning.round + 1, step, due)
    assert who(made) == sorted([*on_all(GRID_WORKER), *(on_all(DEPUTY) if step else [])])
    assert reasons(made) == {Reason.SPREADING}


def test_a_step_whose_time_has_passed_meanwhile_comes_at_once() -> None:
    made = fold([a_signal("smoke-1301")], a_world(registry(), incidents=[an_incident(due_at=at(-1))]))
    due = the_ladder(made).due_at
    assert due is not None
    assert at(0) < due < at(0.1)


def test_without_a_place_the_control_room_hears_of_the_second_kind_too() -> None:
    everywhere = a_shift(Role.STREET_DUTY, STREET_DUTY.id)
    known = registry(shifts=(everywhere, *shifts_of(Role.CONTROL_ROOM)))
    street_first = a_policy(a_step(0, Role.STREET_DUTY), a_step(600, Role.COMMUNITY_DUTY))
    signals = [a_signal("ghost-1"), a_signal("ghost-1", "fire.heat")]
    made = fold(signals, a_world(known, policies=[street_first]))
    again = {notice.recipient_id for notice in notices(made) if notice.reason is Reason.SPREADING}
    assert again == {STREET_DUTY.id, CONTROL_ROOM.id}
