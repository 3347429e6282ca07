"""Seeing is not going: whom an acknowledgement silences, for how long, and that it never ends a ladder."""

from dataclasses import replace
from typing import Any

import pytest

from alerting.core.acts import Verb, act
from alerting.core.decisions import Acknowledge, CancelFor, Decision, EndAcknowledgement, Refused, SetLadder, SetWork
from alerting.core.ladder import climb, loop
from alerting.core.model import Ack, Incident, Reason, Refusal, Work
from alerting.core.world import World
from alerting.escalation import TABLE
from devices.model import PersonKind, Role
from tests.unit.builders import (
    COMMUNITY_DUTY,
    CONTROL_ROOM,
    DEPUTY,
    GRID_WORKER,
    LAST_STEP,
    LOOP_STEP,
    STAFF,
    STREET_DUTY,
    a_policy,
    a_registry,
    a_step,
    a_world,
    an_actor,
    an_incident,
    at,
    notices,
    on_all,
    pages_to,
    taken_by,
    the_ladder,
    who,
)

DESK = replace(CONTROL_ROOM, kind=PersonKind.DESK)
REGISTRY = a_registry(people=(GRID_WORKER, DEPUTY, COMMUNITY_DUTY, STREET_DUTY, DESK))


def world(seconds: float = 40) -> World:
    return a_world(REGISTRY, now=at(seconds))


def seen(by: str | None = "login-1", **changes: Any) -> Incident:
    """An acknowledged incident at the end of its chain."""
    incident = an_incident(step=LOOP_STEP, round=1, ack=Ack.ACKNOWLEDGED, acknowledged_by=by)
    return replace(incident, acknowledged_until=at(600), due_at=at(1000), **changes)


def done(outcome: list[Decision] | Refused) -> list[Decision]:
    assert not isinstance(outcome, Refused), outcome
    return outcome


def test_the_rooms_pages_that_wait_are_not_sent_and_nobody_elses() -> None:
    paged = [*pages_to(DESK), *pages_to(GRID_WORKER), *pages_to(STREET_DUTY)]
    made = done(act(an_incident(), Verb.ACKNOWLEDGE, an_actor(None), {}, paged, world()))
    assert made[1:] == [CancelFor("i-1", frozenset({DESK.id}), Reason.PERSON_ACTED)]


def test_a_duty_officer_who_acknowledges_silences_the_room_and_himself() -> None:
    paged = [*pages_to(DESK), *pages_to(COMMUNITY_DUTY), *pages_to(STREET_DUTY)]
    made = done(act(an_incident(), Verb.ACKNOWLEDGE, an_actor(COMMUNITY_DUTY), {}, paged, world()))
    assert made[1:] == [CancelFor("i-1", frozenset({DESK.id, COMMUNITY_DUTY.id}), Reason.PERSON_ACTED)]


def test_the_room_is_left_out_of_later_steps_and_everybody_else_is_asked() -> None:
    incident = seen(step=LAST_STEP - 1)
    asked = climb(incident, world(), (), index=LAST_STEP, round_=1, reason=Reason.UNANSWERED)
    assert {recipient for recipient, _ in who(asked)} == {STREET_DUTY.id}
    looped = loop(incident, world(), (), round_=1)
    assert {recipient for recipient, _ in who(looped)} == {COMMUNITY_DUTY.id, STREET_DUTY.id}


def test_something_new_is_heard_in_the_room_all_the_same() -> None:
    made = climb(seen(), world(), (), index=LAST_STEP, round_=2, reason=Reason.SPREADING)
    assert set(on_all(DESK)) <= set(who(made))


def test_a_chain_that_ends_in_the_silent_room_asks_all_others() -> None:
    """It never ends in silence, acknowledged or not."""
    incident = seen(policy=a_policy(a_step(0, Role.GRID_WORKER), a_step(30, Role.DEPUTY)), step=2)
    made = loop(incident, world(), (), round_=1)
    assert {recipient for recipient, _ in who(made)} == {GRID_WORKER.id, DEPUTY.id}


def test_it_expires_and_the_room_is_paged_again_while_the_ladder_keeps_its_time() -> None:
    name, made = ask(seen(), world(600))
    assert name == "acknowledgement_expired"
    assert made[0] == EndAcknowledgement("i-1", Reason.ACK_EXPIRED)
    assert who(made) == on_all(DESK)
    assert the_ladder(made) == SetLadder("i-1", 2, LOOP_STEP, at(1000), Reason.UNANSWERED)


def test_the_person_who_gave_it_hears_again_too() -> None:
    _, made = ask(seen(COMMUNITY_DUTY.id), world(600))
    assert who(made) == on_all(COMMUNITY_DUTY, DESK)


@pytest.mark.parametrize("work", [Work.TAKEN, Work.ON_SITE])
def test_while_somebody_goes_it_just_ends(work: Work) -> None:
    _, made = ask(seen(work=work, taken_by=GRID_WORKER.id), world(600))
    assert made == [EndAcknowledgement("i-1", Reason.ACK_EXPIRED)]


@pytest.mark.parametrize("changes", [{"work": Work.VERIFIED}, {"shelved_until": at(5000), "severity": 2}])
def test_wherever_the_incident_stands_it_ends_or_it_would_be_looked_at_every_second(changes: dict[str, Any]) -> None:
    name, made = ask(seen(**changes), world(600))
    assert name == "acknowledgement_expired"
    assert made == [EndAcknowledgement("i-1", Reason.ACK_EXPIRED)]


def test_before_its_time_and_after_the_end_nothing_expires() -> None:
    assert TABLE["acknowledgement_expired"](seen(), (), world(599)) is None
    assert ask(seen(work=Work.CLOSED), world(700)) == ("finished", [])


def test_the_ladders_own_step_goes_first() -> None:
    name, _ = ask(replace(seen(), due_at=at(600)), world(600))
    assert name == "unanswered"


def test_at_severity_one_the_desk_only_sees() -> None:
    paged = pages_to(DESK)
    made = done(act(an_incident(), Verb.ACCEPT, an_actor(DESK), {}, paged, world()))
    assert made[0] == Acknowledge("i-1", an_actor(DESK), Reason.PERSON_ACTED, at(640))
    assert not [each for each in made if isinstance(each, SetWork | SetLadder)]
    assert act(an_incident(), Verb.ARRIVE, an_actor(DESK), {}, paged, world()) == Refused(Refusal.NOT_A_WORKER)


def test_below_severity_one_the_desk_may_take_it() -> None:
    made = done(act(an_incident("water.leak"), Verb.ACCEPT, an_actor(DESK), {}, (), world()))
    assert [each.work for each in made if isinstance(each, SetWork)] == [Work.TAKEN]


def test_a_desk_that_may_go_is_no_control_room() -> None:
    """The property's desk or micro fire station is asked to go, and goes."""
    station = replace(DEPUTY, kind=PersonKind.DESK)
    there = a_world(a_registry(people=(GRID_WORKER, station, *STAFF[2:])), now=at(40))
    made = done(act(an_incident(), Verb.ACCEPT, an_actor(station), {}, (), there))
    assert [each.work for each in made if isinstance(each, SetWork)] == [Work.TAKEN]


def test_the_room_told_who_goes_when_it_presses_too_late() -> None:
    refused = act(taken_by(GRID_WORKER, an_incident()), Verb.ACCEPT, an_actor(DESK), {}, (), world())
    assert refused == Refused(Refusal.ALREADY_TAKEN, who=GRID_WORKER.id)


def ask(incident: Incident, there: World) -> tuple[str, list[Decision]]:
    for name, rule in TABLE.items():
        made = rule(incident, (), there)
        if made is not None:
            assert notices(made) is not None
            return name, made
    raise AssertionError("no rule spoke")
