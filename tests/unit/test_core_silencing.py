"""Maintenance windows: silent while they run, announced when they end, and never a matter of life."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from alerting.core.decisions import AddOverlay, Decision, DropOverlay, Notify, OpenIncident, RaiseSeverity, SetLadder
from alerting.core.fold import fold
from alerting.core.maintenance import Window, covering
from alerting.core.model import Condition, Incident, Overlay, Reason, Work
from alerting.core.restraint import Ground
from alerting.core.silencing import silence
from alerting.core.world import World
from alerting.escalation import maintenance
from devices.resolve import place_device
from tests.unit.builders import NOW, a_signal, a_world, an_incident, at

DAY = NOW - timedelta(hours=8)
UNTIL = DAY + timedelta(hours=4)
ON_B3 = Window("w-1", "b3", None, DAY, UNTIL)


def silent_world(*windows: Window, now: datetime = DAY, incidents: tuple[Incident, ...] = ()) -> World:
    return replace(a_world(now=now, incidents=incidents), maintenance=windows or (ON_B3,))


def heard(device: str, code: str, world: World) -> list[Decision]:
    known = {incident.id: incident for incident in world.open.values()}
    return silence(fold([a_signal(device, code)], world), Ground(world, known, world.paged))


@pytest.mark.parametrize("code", ["device.fault", "water.pressure_low", "ebike.indoor", "env.overheat", "water.leak"])
def test_below_life_safety_it_is_listed_and_nobody_is_paged(code: str) -> None:
    made = heard("smoke-1201", code, silent_world())
    opened = next(each.incident for each in made if isinstance(each, OpenIncident))
    assert not any(isinstance(each, Notify) for each in made)
    assert (opened.work, opened.due_at, opened.due_reason) == (Work.NEW, UNTIL, Reason.MAINTENANCE)
    assert AddOverlay(opened.id, Overlay.MAINTENANCE, Reason.MAINTENANCE) in made
    assert not any(isinstance(each, SetLadder) for each in made), "its due time is the window's end"


@pytest.mark.parametrize("code", ["fire.smoke", "gas.co", "person.sos", "elevator.trapped", "charge.overheat"])
def test_class_a_severity_1_pages_as_ever(code: str) -> None:
    world = silent_world()
    assert heard("smoke-1201", code, world) == fold([a_signal("smoke-1201", code)], world)


def test_what_stands_elsewhere_pages() -> None:
    assert any(isinstance(each, Notify) for each in heard("smoke-b5", "ebike.indoor", silent_world()))
    assert any(isinstance(each, Notify) for each in heard("nowhere-1", "ebike.indoor", silent_world()))


@pytest.mark.parametrize("window", [replace(ON_B3, ends_at=DAY), replace(ON_B3, starts_at=DAY + timedelta(seconds=1))])
def test_a_window_that_is_over_or_to_come_silences_nothing(window: Window) -> None:
    assert any(isinstance(each, Notify) for each in heard("smoke-1201", "ebike.indoor", silent_world(window)))


def test_a_device_s_own_window_and_of_several_the_longest() -> None:
    world = silent_world()
    placed = place_device(world.snapshot, "smoke-1201")
    own = Window("w-2", None, "smoke-1201", DAY, UNTIL + timedelta(hours=1))
    assert covering([ON_B3, own], "smoke-1201", placed, DAY) == own  # type: ignore[arg-type]
    assert covering([own], "smoke-1202", place_device(world.snapshot, "smoke-1202"), DAY) is None  # type: ignore[arg-type]


def a_silent(**changes: object) -> Incident:
    incident = replace(
        an_incident("env.overheat"),
        device_id="smoke-1201",
        place_id="r1201",
        work=Work.NEW,
        overlays=frozenset({Overlay.MAINTENANCE}),
        due_at=UNTIL,
        due_reason=Reason.MAINTENANCE,
    )
    return replace(incident, **changes)  # type: ignore[arg-type]


def test_at_its_end_what_is_active_is_announced() -> None:
    assert maintenance.decide(a_silent(), (), silent_world(now=UNTIL - timedelta(seconds=1))) == []
    made = maintenance.decide(a_silent(), (), silent_world(now=UNTIL)) or []
    assert DropOverlay(a_silent().id, Overlay.MAINTENANCE, Reason.MAINTENANCE_OVER) in made
    pages = [each for each in made if isinstance(each, Notify)]
    assert pages
    assert {each.reason for each in pages} == {Reason.MAINTENANCE_OVER}


def test_where_a_second_window_still_runs_it_waits_for_that() -> None:
    longer = Window("w-2", "compound", None, DAY, UNTIL + timedelta(hours=2))
    made = maintenance.decide(a_silent(), (), silent_world(ON_B3, longer, now=UNTIL))
    assert made == [SetLadder(a_silent().id, 0, 0, longer.ends_at, Reason.MAINTENANCE)]


def test_what_was_restored_is_kept_in_the_list_and_never_forgotten() -> None:
    quiet = a_silent(condition=Condition.RESTORED)
    (made,) = maintenance.decide(quiet, (), silent_world(now=UNTIL)) or []
    assert isinstance(made, SetLadder)
    assert made.due_at is not None
    assert made.due_at > UNTIL


def test_it_speaks_again_after_the_window_and_is_announced_at_once() -> None:
    quiet = a_silent(condition=Condition.RESTORED, dedup_key="v1:env.overheat:smoke-1201")
    during = heard("smoke-1201", "env.overheat", silent_world(incidents=(quiet,)))
    assert not any(isinstance(each, Notify) for each in during)
    after = heard("smoke-1201", "env.overheat", silent_world(now=UNTIL, incidents=(quiet,)))
    assert any(isinstance(each, Notify) and each.reason is Reason.MAINTENANCE_OVER for each in after)
    assert any(isinstance(each, DropOverlay) for each in after)


def test_raised_to_severity_1_it_is_silent_no_longer() -> None:
    world = silent_world()
    made = fold([a_signal("smoke-1201", "env.overheat")], world)
    opened = next(each for each in made if isinstance(each, OpenIncident))
    page = next(each for each in made if isinstance(each, Notify))
    raised = [*made, RaiseSeverity(opened.incident.id, 1, Reason.SPREADING), page]
    kept = silence(raised, Ground(world, {}, {}))
    assert [each for each in kept if isinstance(each, Notify)] == [page]


def test_whoever_has_taken_it_keeps_his_time() -> None:
    assert maintenance.decide(a_silent(work=Work.TAKEN), (), silent_world(now=at(0))) is None
