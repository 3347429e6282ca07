"""Too hot and still charging: what a device's words mean, when it is looked at, what it does, and how seldom."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from alerting.core.charging import AT_OPENING, GOING, charges, look_at, with_look
from alerting.core.decisions import AddOverlay, Decision, RaiseSeverity, SetLadder
from alerting.core.fold import fold
from alerting.core.model import Condition, Incident, Loop, Overlay, Paged, Reason, Work
from alerting.core.world import Told, World
from alerting.escalation import TABLE
from alerting.escalation.still_charging import decide
from devices.model import Channel, Role
from tests.unit.builders import (
    ALL,
    COMMUNITY_DUTY,
    CONTROL_ROOM,
    DEPUTY,
    GRID_WORKER,
    NOW,
    STREET_DUTY,
    a_page,
    a_policy,
    a_registry,
    a_signal,
    a_step,
    a_world,
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

HOT = an_incident("charge.overheat", "shed-2", dedup_key="v1:charge.overheat:shed-2")
ARC_POLICY = a_policy(
    a_step(0, Role.GRID_WORKER, channels=(Channel.APP, Channel.SMS)),
    a_step(60, Role.DEPUTY),
    loop=Loop(60, (Role.CONTROL_ROOM,)),
)
ARC = an_incident("charge.arc", "shed-2", dedup_key="v1:charge.arc:shed-2", policy=ARC_POLICY)
LOOKED = replace(ARC, due_at=at(30), due_reason=Reason.STILL_CHARGING)


def telling(seconds: float, values: Mapping[str, object] | None = None, *, heard: float = 20, **changes: Any) -> World:
    """So many seconds on; the station told this `heard` seconds after the alarm."""
    told = {"shed-2": Told(values or {"charging": True}, at(heard))}
    return replace(a_world(now=at(seconds), **changes), told=told)


def ask(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision]:
    return next(made for rule in TABLE.values() if (made := rule(incident, paged, world)) is not None)


def kinds(made: Sequence[Decision]) -> list[Overlay]:
    return [each.overlay for each in made if isinstance(each, AddOverlay)]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"charging": True}, True),
        ({"charging": False}, False),
        ({"charging": 1}, True),
        ({"charging": "off"}, False),
        ({"charge_state": "充电中"}, True),
        ({"charge_state": "Full"}, False),
        ({"power_w": 350}, True),
        ({"power_w": 0}, False),
        ({"power_w": 0.4}, False),
        ({"current_a": 4.6}, True),
        ({"current_a": 0.0}, False),
        ({"charging": False, "current_a": 4.6}, True),
        ({"charging": True, "current_a": 0}, True),
        ({"current_a": "4.6"}, None),
        ({"power_w": True}, None),
        ({"charging": "maybe"}, None),
        ({"charging": None}, None),
        ({"temperature_c": 78.5}, None),
        ({}, None),
    ],
)
def test_what_a_devices_words_mean(values: Mapping[str, object], said: bool | None) -> None:
    assert charges(values) is said


def test_at_its_step_everybody_so_far_hears_it_and_the_next_is_asked_in_time() -> None:
    made = ask(HOT, pages_to(GRID_WORKER), telling(30))
    assert kinds(made) == [Overlay.STILL_CHARGING, Overlay.ESCALATED]
    assert AddOverlay("i-1", Overlay.ESCALATED, Reason.STILL_CHARGING) in made
    assert who(made) == on_all(GRID_WORKER, DEPUTY)
    assert all("仍在充电" in notice.text for notice in notices(made))
    assert {n.reason for n in notices(made) if n.recipient_id == GRID_WORKER.id} == {Reason.STILL_CHARGING}
    assert the_ladder(made) == SetLadder("i-1", 1, 1, at(60), Reason.UNANSWERED)
    keys = [(n.round, n.step, n.recipient_id, n.channel) for n in notices(made)]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(
    ("incident", "world"),
    [
        (HOT, telling(29.9)),
        (HOT, telling(30, {"charging": False})),
        (HOT, telling(30, {"temperature_c": 80})),
        (HOT, telling(30, heard=0)),
        (HOT, telling(30, heard=-60)),
        (HOT, a_world(now=at(30))),
        (marked(HOT, Overlay.STILL_CHARGING), telling(60)),
        (marked(HOT, Overlay.POWER_CUT), telling(30)),
        (marked(HOT, Overlay.DRILL), telling(30)),
        (replace(HOT, condition=Condition.RESTORED), telling(30)),
        (replace(HOT, work=Work.VERIFIED), telling(30)),
        (replace(HOT, work=Work.CLOSED, due_at=None), telling(30)),
        (an_incident("charge.timeout", "shed-2"), telling(30)),
        (an_incident("fire.smoke", "shed-2"), telling(30)),
        (replace(HOT, device_id=None), telling(30)),
    ],
)
def test_where_it_does_nothing(incident: Incident, world: World) -> None:
    assert decide(incident, pages_to(GRID_WORKER), world) is None


def test_it_is_raised_where_it_can_be_and_then_comes_by_call_too() -> None:
    made = ask(LOOKED, [a_page(GRID_WORKER), a_page(GRID_WORKER, Channel.APP)], telling(30))
    assert RaiseSeverity("i-1", 1, Reason.STILL_CHARGING) in made
    assert who(made) == on_all(GRID_WORKER), "the deputy's own time has not come"
    assert the_ladder(made) == SetLadder("i-1", 1, 0, at(60), Reason.UNANSWERED)
    assert not [each for each in ask(HOT, [], telling(30)) if isinstance(each, RaiseSeverity)]


def test_a_look_before_the_ladders_own_time_moves_no_step() -> None:
    made = ask(LOOKED, pages_to(GRID_WORKER), telling(30, {"charging": False}))
    assert made == [SetLadder("i-1", 0, 0, at(60), Reason.UNANSWERED)]
    assert who(ask(replace(ARC, due_at=at(60)), pages_to(GRID_WORKER), a_world(now=at(60)))) == [("deputy-b", "sms")]


def test_the_opening_looks_at_it_half_a_minute_later_at_the_latest() -> None:
    world = a_world(policies=[ARC_POLICY])
    made = fold([a_signal("shed-2", "charge.arc")], world)
    assert (the_ladder(made).due_at, the_ladder(made).reason) == (at(30), Reason.STILL_CHARGING)
    fire = fold([a_signal("shed-2", "fire.smoke")], world)
    assert (the_ladder(fire).due_at, the_ladder(fire).reason) == (at(60), Reason.UNANSWERED)
    hot = fold([a_signal("shed-2", "charge.overheat")], a_world())
    assert (the_ladder(hot).due_at, the_ladder(hot).reason) == (at(30), Reason.UNANSWERED)


def test_nobody_on_duty_the_loop_keeps_its_time() -> None:
    policy = replace(ARC_POLICY, loop=Loop(90, (Role.CONTROL_ROOM,)))
    world = a_world(a_registry(shifts=()), policies=[policy])
    (opened,) = [each for each in fold([a_signal("shed-2", "charge.arc")], world) if isinstance(each, SetLadder)]
    assert (opened.due_at, opened.reason, opened.step) == (at(30), Reason.STILL_CHARGING, 2)
    looked = replace(ARC, policy=policy, round=1, step=2, due_at=at(30), due_reason=Reason.STILL_CHARGING)
    assert ask(looked, [], a_world(now=at(30))) == [SetLadder("i-1", 1, 2, at(90), Reason.UNANSWERED)]


def test_who_goes_is_told_and_keeps_his_time() -> None:
    taken = replace(taken_by(COMMUNITY_DUTY, HOT, 10), due_at=at(30), due_reason=Reason.STILL_CHARGING)
    made = ask(taken, pages_to(GRID_WORKER), telling(30))
    assert who(made) == on_all(GRID_WORKER, COMMUNITY_DUTY)
    assert the_ladder(made) == SetLadder("i-1", 1, 0, at(910), Reason.TAKEN_EXPIRED)
    quiet = ask(taken, pages_to(GRID_WORKER), telling(30, {"charging": False}))
    assert quiet == [SetLadder("i-1", 0, 0, at(910), Reason.TAKEN_EXPIRED)]
    site = replace(taken, work=Work.ON_SITE)
    assert the_ladder(ask(site, [], a_world(now=at(30)))).due_at == at(1810)


def test_who_goes_is_looked_at_in_time_too() -> None:
    goes = [SetLadder("i-1", 0, 0, at(910), Reason.TAKEN_EXPIRED)]
    assert with_look(HOT, goes, a_world(now=at(10)), GOING) == [SetLadder("i-1", 0, 0, at(30), Reason.STILL_CHARGING)]
    assert with_look(HOT, goes, a_world(now=at(30)), GOING) == goes
    assert with_look(HOT, goes, a_world(now=at(10)), AT_OPENING) == goes
    assert with_look(an_incident(), goes, a_world(now=at(10)), GOING) == goes
    declined = [SetLadder("i-1", 1, 0, at(40), Reason.UNANSWERED)]
    assert with_look(HOT, declined, a_world(now=at(10)), GOING) == declined


def test_when_his_time_is_over_that_comes_first() -> None:
    taken = taken_by(GRID_WORKER, HOT, 10)
    made = ask(taken, [], telling(2000, heard=1990))
    assert Overlay.STILL_CHARGING not in kinds(made)
    assert Reason.TAKEN_EXPIRED in {each.reason for each in notices(made)}


def test_at_the_chains_end_the_loop_says_it() -> None:
    made = ask(replace(HOT, step=6, round=2, due_at=at(180)), [], telling(180))
    assert who(made) == on_all(COMMUNITY_DUTY, STREET_DUTY, CONTROL_ROOM)
    assert all("仍在充电" in notice.text for notice in notices(made))
    assert the_ladder(made).round == 3


def test_once_said_every_later_step_says_it_and_nobody_is_asked_twice_for_it() -> None:
    said = replace(marked(HOT, Overlay.STILL_CHARGING, Overlay.ESCALATED), round=1, step=1, due_at=at(60))
    made = ask(said, [], telling(60))
    assert not kinds(made)
    assert notices(made)
    assert all("仍在充电" in notice.text for notice in notices(made))


def test_nobody_on_duty_is_no_reason_to_stop() -> None:
    world = replace(telling(30), snapshot=a_registry(shifts=shifts_of(Role.STREET_DUTY)))
    assert who(ask(HOT, [], world)) == on_all(STREET_DUTY)


def test_it_is_looked_at_after_half_a_minute() -> None:
    assert look_at(HOT) == at(30)
    assert HOT.opened_at == NOW
    assert set(ALL) == set(Channel)
