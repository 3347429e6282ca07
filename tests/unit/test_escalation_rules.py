"""The ordered table of rules: for every situation, which one speaks and what it says, and that it never spins."""

from itertools import product

import pytest

from alerting.core.decisions import AddOverlay, Decision, SetLadder, SetWork
from alerting.core.model import AttemptState, Incident, Overlay, Paged, Purpose, Reason, Work
from alerting.core.world import World
from alerting.escalation import TABLE
from devices.model import Channel, Role
from tests.unit.builders import (
    ALL,
    COMMUNITY_DUTY,
    COMMUNITY_STEP,
    CONTROL_ROOM,
    DEPUTY,
    GRID_WORKER,
    LAST_STEP,
    LOOP_STEP,
    STREET_DUTY,
    a_page,
    a_policy,
    a_registry,
    a_step,
    a_world,
    an_incident,
    at,
    marked,
    on_all,
    pages_to,
    shifts_of,
    skipped,
    taken_by,
    the_ladder,
    who,
)

FAILED = (AttemptState.REJECTED, AttemptState.FAILED, AttemptState.EXPIRED)


def ask(incident: Incident, paged: list[Paged], world: World) -> tuple[str, list[Decision]]:
    """The first rule that has something to say, and what."""
    for name, rule in TABLE.items():
        made = rule(incident, paged, world)
        if made is not None:
            return name, made
    raise AssertionError("no rule spoke")


def failed(step: int = 0, round_: int = 0) -> list[Paged]:
    return [
        a_page(GRID_WORKER, channel, state, step=step, round_=round_)
        for channel, state in zip(ALL, FAILED, strict=True)
    ]


def test_the_table_is_in_the_order_that_its_rules_rely_on() -> None:
    assert list(TABLE) == [
        "finished",
        "acknowledgement_expired",
        "unclosed",
        "shelved",
        "still_charging",
        "taken_expired",
        "morning",
        "maintenance",
        "hastened",
        "undelivered",
        "unanswered",
    ]


@pytest.mark.parametrize("work", [Work.CLOSED, Work.EVALUATED])
def test_what_is_finished_asks_nobody(work: Work) -> None:
    assert ask(an_incident(work=work, due_at=None), failed(), a_world(now=at(9999))) == ("finished", [])


@pytest.mark.parametrize("seconds", [0, 29.9])
def test_nothing_happens_before_its_time(seconds: float) -> None:
    name, made = ask(an_incident(), pages_to(GRID_WORKER), a_world(now=at(seconds)))
    assert (name, made) == ("unanswered", [])


def test_unanswered_asks_the_next_and_marks_the_incident_once() -> None:
    name, made = ask(an_incident(), pages_to(GRID_WORKER), a_world(now=at(30)))
    assert name == "unanswered"
    assert made[0] == AddOverlay("i-1", Overlay.ESCALATED, Reason.UNANSWERED)
    assert who(made) == on_all(DEPUTY)
    assert the_ladder(made) == SetLadder("i-1", 0, 1, at(60), Reason.UNANSWERED)
    _, again = ask(marked(an_incident(), Overlay.ESCALATED), pages_to(GRID_WORKER), a_world(now=at(30)))
    assert not [each for each in again if isinstance(each, AddOverlay)]


@pytest.mark.parametrize("step", [LAST_STEP, LOOP_STEP])
def test_after_the_last_step_the_loop_begins_and_goes_on(step: int) -> None:
    _, made = ask(an_incident(step=step, round=2), [], a_world(now=at(120)))
    assert who(made) == on_all(COMMUNITY_DUTY, STREET_DUTY, CONTROL_ROOM)
    assert the_ladder(made) == SetLadder("i-1", 3, LOOP_STEP, at(180), Reason.CHAIN_END)


def test_an_incident_that_lost_its_due_time_is_asked_at_once() -> None:
    assert who(ask(an_incident(due_at=None), [], a_world())[1]) == on_all(DEPUTY)


def test_a_step_that_reached_nobody_is_left_at_once() -> None:
    name, made = ask(an_incident(), failed(), a_world(now=at(4)))
    assert name == "undelivered"
    assert who(made) == on_all(DEPUTY)
    assert the_ladder(made).due_at == at(34)


@pytest.mark.parametrize("hopeful", [state for state in AttemptState if state not in FAILED])
def test_a_step_is_not_left_while_one_message_may_arrive(hopeful: AttemptState) -> None:
    paged = [*failed(), a_page(DEPUTY, Channel.SMS, hopeful)]
    assert ask(an_incident(), paged, a_world(now=at(4))) == ("unanswered", [])


@pytest.mark.parametrize("purpose", [purpose for purpose in Purpose if not purpose.asks])
def test_only_pages_count(purpose: Purpose) -> None:
    paged = [a_page(DEPUTY, Channel.SMS, AttemptState.FAILED, purpose=purpose)]
    assert ask(an_incident(), paged, a_world(now=at(4))) == ("unanswered", [])


def test_failures_of_an_earlier_step_or_round_count_no_more() -> None:
    for incident in (an_incident(step=1), an_incident(round=1)):
        assert ask(incident, failed(), a_world(now=at(4))) == ("unanswered", [])


def test_of_two_steps_asked_together_one_may_still_arrive() -> None:
    steps = (a_step(0, Role.GRID_WORKER), a_step(0, Role.DEPUTY), a_step(30, Role.COMMUNITY_DUTY))
    incident = an_incident(policy=a_policy(*steps), step=1)
    waiting = [a_page(GRID_WORKER, step=0), a_page(DEPUTY, state=AttemptState.FAILED, step=1)]
    assert ask(incident, waiting, a_world(now=at(4))) == ("unanswered", [])
    lost = [a_page(person, state=AttemptState.FAILED, step=step) for step, person in enumerate((GRID_WORKER, DEPUTY))]
    assert who(ask(incident, lost, a_world(now=at(4)))[1]) == [(COMMUNITY_DUTY.id, "sms")]


@pytest.mark.parametrize("step", [LAST_STEP, LOOP_STEP])
def test_the_end_of_the_chain_failing_too_does_not_spin(step: int) -> None:
    incident = an_incident(step=step, round=1, due_at=at(60))
    paged = failed(step=step, round_=1)
    assert ask(incident, paged, a_world(now=at(4))) == ("undelivered", [])
    assert who(ask(incident, paged, a_world(now=at(60)))[1]) == on_all(COMMUNITY_DUTY, STREET_DUTY, CONTROL_ROOM)


@pytest.mark.parametrize("work", [Work.TAKEN, Work.ON_SITE])
def test_who_goes_has_his_time(work: Work) -> None:
    incident = an_incident(work=work, taken_by=GRID_WORKER.id, due_at=at(900))
    for paged in ([], failed(), pages_to(GRID_WORKER)):
        assert ask(incident, paged, a_world(now=at(899))) == ("taken_expired", [])


@pytest.mark.parametrize("work", [Work.TAKEN, Work.ON_SITE])
def test_nothing_came_of_it_and_everybody_is_asked_again_from_the_first(work: Work) -> None:
    incident = an_incident(work=work, taken_by=GRID_WORKER.id, due_at=at(900), step=1)
    name, made = ask(incident, [*pages_to(GRID_WORKER), *pages_to(DEPUTY, step=1)], a_world(now=at(900)))
    assert name == "taken_expired"
    assert [each.work for each in made if isinstance(each, SetWork)] == [Work.DISPATCHED]
    assert who(made) == on_all(GRID_WORKER)
    assert the_ladder(made) == SetLadder("i-1", 1, 0, at(930), Reason.UNANSWERED)


def test_a_verified_incident_comes_back_daily_and_pages_nobody() -> None:
    incident = an_incident(work=Work.VERIFIED, due_at=at(86_400))
    assert ask(incident, [], a_world(now=at(86_399))) == ("unclosed", []), "a failed message does not put it off"
    name, made = ask(incident, failed(), a_world(now=at(86_400)))
    assert (name, made) == ("unclosed", [SetLadder("i-1", 0, 0, at(2 * 86_400), Reason.REMINDER)])


OPEN = [work for work in Work if work not in (Work.CLOSED, Work.EVALUATED)]


@pytest.mark.parametrize(("work", "step"), list(product(OPEN, range(5))))
def test_whatever_is_due_is_given_a_later_time(work: Work, step: int) -> None:
    now = at(5000)
    for shifts, paged in product(
        [shifts_of(*Role), (), shifts_of(Role.GRID_WORKER)], [[], failed(step=step), pages_to(GRID_WORKER)]
    ):
        incident = an_incident(work=work, step=step, due_at=now)
        _, made = ask(incident, paged, a_world(a_registry(shifts=shifts), now=now))
        due = the_ladder(made).due_at
        assert due is not None
        assert due > now


def test_a_chain_of_failures_ends_with_the_loops_time() -> None:
    """Every message fails the moment it is sent: each step is asked once, then the loop waits."""
    incident, paged, now = an_incident(), failed(), at(1)
    asked = []
    for _ in range(20):
        _, made = ask(incident, paged, a_world(now=now))
        if not made:
            break
        ladder = the_ladder(made)
        asked.append(ladder.step)
        incident = an_incident(step=ladder.step, round=ladder.round, due_at=ladder.due_at)
        paged = [*paged, *failed(step=ladder.step, round_=ladder.round)]
    assert asked == [1, COMMUNITY_STEP, LAST_STEP], "nobody stands on the two between"


def test_nobody_at_all_is_asked_about_again_and_again() -> None:
    world = a_world(a_registry(shifts=()), now=at(60))
    _, made = ask(an_incident(step=LOOP_STEP, round=1), [], world)
    assert skipped(made) == [(LOOP_STEP, Reason.NOBODY_REACHABLE)]
    assert the_ladder(made) == SetLadder("i-1", 2, LOOP_STEP, at(120), Reason.CHAIN_END)


def test_who_comes_on_duty_during_the_loop_is_asked() -> None:
    _, made = ask(
        an_incident(step=LOOP_STEP, round=1), [], a_world(a_registry(shifts=shifts_of(Role.DEPUTY)), now=at(60))
    )
    assert who(made) == on_all(DEPUTY)


def test_an_expired_taker_who_is_alone_is_asked_again() -> None:
    world = a_world(a_registry(shifts=shifts_of(Role.GRID_WORKER)), now=at(900))
    _, made = ask(taken_by(GRID_WORKER, an_incident()), pages_to(GRID_WORKER), world)
    assert who(made) == on_all(GRID_WORKER)
