"""Incidents that people raise: where they are, whom they ask, what they join, and what they confirm."""

from dataclasses import replace
from typing import Any

import pytest

from alerting.core.decisions import AddOverlay, AttachSignal, Decision, OpenIncident, ReleaseKey, SetCondition
from alerting.core.fold import SignalIn, fold, keys_of
from alerting.core.model import Actor, Condition, Extent, Incident, Overlay, Raised, Reason, Via, Work
from devices.model import Channel
from tests.unit.builders import (
    CONTROL_ROOM,
    GRID_WORKER,
    a_device,
    a_registry,
    a_restoral,
    a_signal,
    a_world,
    an_incident,
    at,
    notices,
    on_all,
    the_ladder,
    who,
)

CALLER = Raised("login-1", "消控室值班员", Via.TELEPHONE, "楼道有烟")


def told(place: str = "r1201", code: str = "fire.smoke", **changes: Any) -> SignalIn:
    base = a_signal("", code, place_id=place, raised=CALLER, observed_at=None, fresh_id=f"i-told-{place}")
    return replace(base, **changes)


def opened(made: list[Decision]) -> Incident:
    (incident,) = [each.incident for each in made if isinstance(each, OpenIncident)]
    return incident


def kinds(made: list[Decision]) -> set[Overlay]:
    return {each.overlay for each in made if isinstance(each, AddOverlay)}


def test_it_opens_like_any_alarm_at_the_place_that_is_told() -> None:
    made = fold([told()], a_world())
    first, incident = made[0], opened(made)
    assert isinstance(first, OpenIncident)
    assert first.reason is Reason.RAISED
    assert (incident.device_id, incident.place_id, incident.grid_id) == (None, "r1201", "grid-3")
    assert (incident.raised_by, incident.raised_via) == ("login-1", Via.TELEPHONE)
    assert incident.dedup_key == "v1:fire:b3"
    assert incident.place_text.zh == "金鼎小区3栋12层1201"
    assert incident.extent == Extent(("person:login-1|fire.smoke",), ("b3f12",), (), ("r1201",))
    assert who(made) == on_all(GRID_WORKER)
    assert the_ladder(made).due_at == at(30)
    assert keys_of([told()], a_world()) == {"v1:fire:b3"}


def test_a_place_that_nobody_knows_is_told_to_the_control_room() -> None:
    made = fold([told("gone")], a_world())
    assert opened(made).overlays == {Overlay.UNPLACED}
    assert set(on_all(CONTROL_ROOM)) <= set(who(made))


@pytest.mark.parametrize(
    ("code", "places", "incidents"),
    [
        ("person.sos", ("r1201", "r1201"), 1),
        ("person.sos", ("r1201", "r1202"), 2),
        ("lane.blocked", ("compound", "shed"), 2),
        ("fire.smoke", ("r1201", "r1301", "b3"), 1),
        ("fire.smoke", ("r1201", "b5"), 2),
    ],
)
def test_what_is_one_incident(code: str, places: tuple[str, ...], incidents: int) -> None:
    made = fold([told(place, code) for place in places], a_world())
    assert sum(isinstance(each, OpenIncident) for each in made) == incidents


def test_it_joins_what_is_open_and_says_who_said_so() -> None:
    made = fold([told("r1202")], a_world(incidents=[an_incident("fire.heat")]))
    joined = made[0]
    assert isinstance(joined, AttachSignal)
    assert joined.by == Actor("login-1", "消控室值班员", "telephone")
    assert (joined.incident_id, joined.device_id, joined.code) == ("i-1", "", "fire.smoke")


@pytest.mark.parametrize(
    ("place", "spreads"),
    [("r1201", False), ("r1202", True), ("r1301", True), ("b3f12", False), ("b3f13", True), ("b3", False)],
)
def test_beside_a_detector_it_confirms_and_only_another_room_or_floor_is_spreading(place: str, spreads: bool) -> None:
    made = fold([told(place, "fire.flame")], a_world(incidents=[an_incident()]))
    assert kinds(made) == {Overlay.CONFIRMED} | ({Overlay.SPREADING} if spreads else set())
    assert {notice.reason for notice in notices(made)} == {Reason.CONFIRMED}
    text = next(notice.text for notice in notices(made) if notice.channel is Channel.SMS)
    assert ("火警已确认并扩大：" if spreads else "火警已确认：") in text


@pytest.mark.parametrize("place", ["b3", "b3f12", "r1201"])
def test_a_detector_beside_a_report_confirms_it_and_does_not_spread_from_it(place: str) -> None:
    made = fold([told(place), a_signal("heat-1201", "fire.heat")], a_world())
    assert kinds(made) == {Overlay.CONFIRMED}
    assert len(notices(made)) == 6


def test_two_reports_confirm_nothing() -> None:
    other = replace(told(), raised=replace(CALLER, by="login-2"))
    made = fold([told(), other], a_world())
    assert kinds(made) == set()
    assert len(notices(made)) == 3


def test_gas_is_not_confirmed_by_a_nose() -> None:
    assert kinds(fold([a_signal("smoke-1201", "gas.co"), told("r1201", "gas.co")], a_world())) == set()


def test_after_a_result_a_report_is_a_new_incident_even_from_the_same_person() -> None:
    known = replace(opened(fold([told()], a_world())), work=Work.VERIFIED)
    made = fold([told(fresh_id="again")], a_world(incidents=[known]))
    assert made[0] == ReleaseKey(known.id, Reason.NEW_ALARM)
    assert opened(made).id == "again"


def test_a_quiet_detector_does_not_end_what_a_person_saw() -> None:
    made = fold([a_signal(), told(), a_restoral()], a_world())
    last = made[-1]
    assert isinstance(last, SetCondition)
    assert last.condition is Condition.ACTIVE


def test_a_report_of_fire_releases_what_a_test_holds_in_the_building() -> None:
    tested = a_registry(devices=[a_device("smoke-1301", "r1301", test_mode_until=at(600))])
    made = fold([a_signal("smoke-1301"), told()], a_world(tested))
    assert Reason.BESIDE_ALARM in {getattr(each, "reason", None) for each in made}
