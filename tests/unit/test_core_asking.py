"""Dispatch, transfer, escalate, call again, silence: who is asked at once, and that the ladder keeps its time."""

from dataclasses import replace
from typing import Any

import pytest

from alerting.core.acts import Verb, act
from alerting.core.decisions import (
    AddOverlay,
    Decision,
    EndShelf,
    Notify,
    Record,
    Refused,
    SetLadder,
    SetWork,
    Transfer,
)
from alerting.core.model import AttemptState, Incident, Overlay, Paged, Purpose, Reason, Refusal, Work
from alerting.core.world import World
from alerting.escalation import TABLE
from devices.model import Channel, Person, Role
from tests.unit.builders import (
    ALL,
    COMMUNITY_DUTY,
    CONTROL_ROOM,
    DEPUTY,
    GRID_WORKER,
    LAST_STEP,
    LOOP_STEP,
    SHIFTS,
    STAFF,
    STREET_DUTY,
    a_page,
    a_policy,
    a_registry,
    a_shift,
    a_step,
    a_worker,
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

OPERATOR = an_actor(None)
OTHER_GRID = "grid-9"
OTHER_WORKER = a_worker("grid-worker-z", "网格员丁", "Grid worker D")
TWO_GRIDS = a_registry(
    people=(*STAFF, OTHER_WORKER), shifts=(*SHIFTS, a_shift(Role.GRID_WORKER, OTHER_WORKER.id, grid=OTHER_GRID))
)


def does(
    verb: Verb,
    incident: Incident | None = None,
    paged: list[Paged] | None = None,
    world: World | None = None,
    **detail: Any,
) -> list[Decision] | Refused:
    pages = pages_to(GRID_WORKER) if paged is None else paged
    return act(incident or an_incident(), verb, OPERATOR, detail, pages, world or a_world(TWO_GRIDS, now=at(10)))


def done(outcome: list[Decision] | Refused) -> list[Decision]:
    assert not isinstance(outcome, Refused), outcome
    return outcome


def test_a_dispatched_person_is_paged_on_all_his_channels_and_the_ladder_keeps_its_time() -> None:
    made = done(does(Verb.DISPATCH, worker=STREET_DUTY.id))
    assert who(made) == on_all(STREET_DUTY)
    assert the_ladder(made) == SetLadder("i-1", 0, 0, at(30), Reason.UNANSWERED)
    assert Record("i-1", "dispatched", OPERATOR, Reason.DISPATCHED, {"recipient": STREET_DUTY.id}) in made
    assert {notice.reason for notice in notices(made)} == {Reason.DISPATCHED}


def test_who_was_asked_in_this_round_is_dispatched_in_a_new_one() -> None:
    made = done(does(Verb.DISPATCH, worker=GRID_WORKER.id))
    assert who(made) == on_all(GRID_WORKER)
    assert {notice.round for notice in notices(made)} == {1} == {the_ladder(made).round}


def test_after_somebody_has_taken_it_another_is_sent_as_help_and_his_time_runs_on() -> None:
    made = done(does(Verb.DISPATCH, taken_by(GRID_WORKER, an_incident()), worker=DEPUTY.id))
    assert who(made) == on_all(DEPUTY)
    assert the_ladder(made).due_at == at(900)
    assert not [each for each in made if isinstance(each, SetWork)]


@pytest.mark.parametrize("worker", ["nobody", ""])
def test_who_cannot_be_reached_is_not_dispatched(worker: str) -> None:
    assert does(Verb.DISPATCH, worker=worker) == Refused(Refusal.NOT_REACHABLE)


def test_who_has_left_or_has_no_contact_is_not_dispatched() -> None:
    mute, gone = a_worker("mute", "无", "Mute", ()), replace(a_worker("gone", "走", "Gone"), left_at=at(0))
    world = a_world(a_registry(people=(*STAFF, mute, gone)), now=at(10))
    for person in (mute, gone):
        assert does(Verb.DISPATCH, world=world, worker=person.id) == Refused(Refusal.NOT_REACHABLE)


def test_a_transfer_asks_the_other_grids_duty_at_once_in_a_new_round() -> None:
    made = done(does(Verb.TRANSFER, to=OTHER_GRID, reason="跨网格"))
    assert Transfer("i-1", OTHER_GRID, OTHER_GRID, OPERATOR, Reason.TRANSFERRED, "跨网格") in made
    assert who(made) == on_all(OTHER_WORKER)
    assert (the_ladder(made).round, the_ladder(made).step) == (1, 0)


def test_what_nobody_could_place_is_handed_over_to_a_grid_and_its_duty_is_asked() -> None:
    lost = an_incident(place_id=None, grid_id=None, overlays=frozenset({Overlay.UNPLACED}))
    made = done(does(Verb.TRANSFER, lost, to=OTHER_GRID))
    assert set(on_all(OTHER_WORKER)) <= set(who(made))


@pytest.mark.parametrize(("to", "person"), [("community", COMMUNITY_DUTY), ("street", STREET_DUTY)])
def test_a_transfer_upwards_asks_that_level_and_goes_on_from_there(to: str, person: Person) -> None:
    made = done(does(Verb.TRANSFER, to=to))
    assert [each.grid_id for each in made if isinstance(each, Transfer)] == [None]
    assert set(on_all(person)) <= set(who(made))
    assert not set(on_all(GRID_WORKER, DEPUTY)) & set(who(made))
    assert the_ladder(made).round == 1


def test_a_level_that_the_policy_does_not_name_is_asked_too_and_then_the_loop_goes_on() -> None:
    policy = a_policy(a_step(0, Role.GRID_WORKER), a_step(60, Role.DEPUTY))
    made = done(does(Verb.TRANSFER, an_incident(policy=policy), to="street"))
    assert who(made) == [(STREET_DUTY.id, "sms")]
    assert the_ladder(made) == SetLadder("i-1", 1, 2, at(70), Reason.CHAIN_END)


@pytest.mark.parametrize("work", [Work.TAKEN, Work.ON_SITE])
def test_who_went_is_relieved_by_a_transfer(work: Work) -> None:
    made = done(does(Verb.TRANSFER, an_incident(work=work, taken_by=GRID_WORKER.id, due_at=at(900)), to=OTHER_GRID))
    assert [each.work for each in made if isinstance(each, SetWork)] == [Work.DISPATCHED]
    assert who(made) == on_all(OTHER_WORKER)
    assert the_ladder(made).due_at == at(40)


def test_nobody_is_transferred_to_nowhere_or_to_where_it_is() -> None:
    assert does(Verb.TRANSFER) == Refused(Refusal.UNKNOWN_TARGET)
    assert does(Verb.TRANSFER, to=an_incident().grid_id) == Refused(Refusal.UNKNOWN_TARGET)


def test_escalating_asks_the_next_step_now_and_marks_it() -> None:
    made = done(does(Verb.ESCALATE))
    assert who(made) == on_all(DEPUTY)
    assert AddOverlay("i-1", Overlay.ESCALATED, Reason.ESCALATED) in made
    assert the_ladder(made) == SetLadder("i-1", 0, 1, at(40), Reason.UNANSWERED)


@pytest.mark.parametrize("step", [LAST_STEP, LOOP_STEP])
def test_escalating_at_the_end_asks_everybody_of_the_loop(step: int) -> None:
    made = done(does(Verb.ESCALATE, an_incident(step=step, round=1)))
    assert who(made) == on_all(COMMUNITY_DUTY, STREET_DUTY, CONTROL_ROOM)


def test_escalating_while_somebody_goes_is_help_and_leaves_him_his_time() -> None:
    made = done(does(Verb.ESCALATE, taken_by(GRID_WORKER, an_incident())))
    assert who(made) == on_all(DEPUTY)
    assert (the_ladder(made).due_at, the_ladder(made).reason) == (at(900), Reason.TAKEN_EXPIRED)
    assert not [each for each in made if isinstance(each, SetWork)]


def test_calling_again_pages_the_current_step_once_more_and_gives_nobody_more_time() -> None:
    made = done(does(Verb.CALL_AGAIN))
    assert who(made) == on_all(GRID_WORKER)
    assert the_ladder(made) == SetLadder("i-1", 1, 0, at(30), Reason.UNANSWERED)


def test_calling_again_can_name_one_of_those_who_were_paged() -> None:
    paged = [*pages_to(GRID_WORKER), *pages_to(DEPUTY, step=1)]
    made = done(does(Verb.CALL_AGAIN, an_incident(step=1), paged, recipient=GRID_WORKER.id))
    assert who(made) == on_all(GRID_WORKER)
    assert does(Verb.CALL_AGAIN, an_incident(step=1), paged, recipient=STREET_DUTY.id) == Refused(Refusal.NOT_ASKED)


def test_calling_again_at_the_chains_end_asks_the_loop() -> None:
    made = done(does(Verb.CALL_AGAIN, an_incident(step=LOOP_STEP, round=2)))
    assert who(made) == on_all(COMMUNITY_DUTY, STREET_DUTY, CONTROL_ROOM)
    assert the_ladder(made) == SetLadder("i-1", 3, LOOP_STEP, at(30), Reason.UNANSWERED)


def test_nobody_is_called_again_while_somebody_goes() -> None:
    incident = taken_by(GRID_WORKER, an_incident())
    assert does(Verb.CALL_AGAIN, incident) == Refused(Refusal.ALREADY_TAKEN, who=GRID_WORKER.id)


def test_silence_is_an_entry_and_nothing_else() -> None:
    assert does(Verb.SILENCE) == [Record("i-1", "silenced", OPERATOR, Reason.SILENCED, {})]


@pytest.mark.parametrize(
    ("verb", "detail"),
    [
        (Verb.DISPATCH, {"worker": DEPUTY.id}),
        (Verb.TRANSFER, {"to": "community"}),
        (Verb.ESCALATE, {}),
        (Verb.CALL_AGAIN, {}),
    ],
)
def test_having_somebody_asked_takes_it_off_the_shelf(verb: Verb, detail: dict[str, Any]) -> None:
    shelved = an_incident("lane.blocked", shelved_until=at(600), due_at=at(600), due_reason=Reason.SHELVED)
    made = done(does(verb, shelved, **detail))
    assert [each.incident_id for each in made if isinstance(each, EndShelf)] == ["i-1"]
    assert notices(made)
    ladder = the_ladder(made)
    assert ladder.reason is not Reason.SHELVED
    assert ladder.due_at is not None
    assert ladder.due_at > at(10)


@pytest.mark.parametrize("verb", [Verb.DISPATCH, Verb.TRANSFER, Verb.ESCALATE, Verb.CALL_AGAIN])
@pytest.mark.parametrize("work", [Work.NEW, Work.DISPATCHED, Work.TAKEN, Work.ON_SITE])
@pytest.mark.parametrize("step", [0, 1, LAST_STEP, LOOP_STEP])
@pytest.mark.parametrize("late_s", [0, 100])
def test_whoever_is_asked_a_later_due_time_stands(verb: Verb, work: Work, step: int, late_s: int) -> None:
    incident = an_incident(
        work=work, step=step, taken_by=GRID_WORKER.id if work in (Work.TAKEN, Work.ON_SITE) else None
    )
    world = a_world(TWO_GRIDS, now=at(10 + late_s))
    made = does(verb, incident, world=world, worker=DEPUTY.id, to=OTHER_GRID)
    if isinstance(made, Refused):
        assert (verb, work) in {(Verb.CALL_AGAIN, Work.TAKEN), (Verb.CALL_AGAIN, Work.ON_SITE)}
        return
    due = the_ladder(made).due_at
    assert due is not None
    assert due > world.now


def test_a_step_that_reached_nobody_is_still_left_after_a_call_again() -> None:
    """The new round's pages count, not those of the round before."""
    incident = an_incident(round=1, due_at=at(30))
    failed = [a_page(GRID_WORKER, channel, AttemptState.FAILED, round_=1) for channel in ALL]
    made = TABLE["undelivered"](incident, [*pages_to(GRID_WORKER), *failed], a_world(now=at(12)))
    assert made is not None
    assert who(made) == on_all(DEPUTY)


def test_a_dispatch_names_its_person_in_the_language_he_reads() -> None:
    (sms,) = [n for n in notices(done(does(Verb.DISPATCH, worker=STREET_DUTY.id))) if n.channel is Channel.SMS]
    assert isinstance(sms, Notify)
    assert (sms.purpose, sms.recipient_name) == (Purpose.PAGE, STREET_DUTY.name)
