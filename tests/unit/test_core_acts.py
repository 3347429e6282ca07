"""What people do: who may, what it changes, who is told, and that a second word changes nothing."""

from typing import Any

import pytest

from alerting.core.acts import Verb, act
from alerting.core.decisions import Acknowledge, CancelPending, Decision, Note, Refused, SetLadder, SetWork
from alerting.core.model import Ack, AttemptState, Incident, Paged, Purpose, Reason, Refusal, Work
from alerting.core.world import World
from devices.model import Channel, Language, Person, Role
from tests.unit.builders import (
    COMMUNITY_DUTY,
    CONTROL_ROOM,
    DEPUTY,
    GRID_WORKER,
    LAST_STEP,
    LOOP_STEP,
    STAFF,
    STREET_DUTY,
    a_page,
    a_policy,
    a_registry,
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

SMS, VOICE, APP = Channel.SMS, Channel.VOICE, Channel.APP
AFTER_THE_END = (Verb.NOTE, Verb.PHOTO, Verb.EVALUATE, Verb.REOPEN)
BOTH = [*pages_to(GRID_WORKER), *pages_to(DEPUTY, step=1)]
"""The grid worker was asked, then his deputy: the ladder stands at step 1."""


def does(
    verb: Verb,
    incident: Incident | None = None,
    person: Person | None = GRID_WORKER,
    paged: list[Paged] | None = None,
    world: World | None = None,
    **detail: Any,
) -> list[Decision] | Refused:
    pages = BOTH if paged is None else paged
    return act(incident or an_incident(step=1), verb, an_actor(person), detail, pages, world or a_world(now=at(40)))


def done(outcome: list[Decision] | Refused) -> list[Decision]:
    assert not isinstance(outcome, Refused), outcome
    return outcome


def works(made: list[Decision]) -> list[Work]:
    return [each.work for each in made if isinstance(each, SetWork)]


def test_an_acknowledgement_is_seen_by_the_room_and_moves_nothing() -> None:
    made = done(does(Verb.ACKNOWLEDGE, person=None))
    assert made == [Acknowledge("i-1", an_actor(None), Reason.PERSON_ACTED, at(640))]
    assert done(does(Verb.ACKNOWLEDGE, an_incident(ack=Ack.ACKNOWLEDGED), None)) == []


@pytest.mark.parametrize("work", [Work.NEW, Work.DISPATCHED, Work.TAKEN, Work.ON_SITE, Work.VERIFIED])
def test_an_acknowledgement_touches_no_ladder_whatever_the_work(work: Work) -> None:
    made = done(does(Verb.ACKNOWLEDGE, an_incident(work=work), None))
    assert not [each for each in made if isinstance(each, SetLadder | SetWork | CancelPending)]


@pytest.mark.parametrize("work", [Work.NEW, Work.DISPATCHED])
def test_an_acceptance_stops_the_ladder_and_tells_each_other_person_once(work: Work) -> None:
    made = done(does(Verb.ACCEPT, an_incident(work=work, step=1)))
    assert works(made) == [Work.TAKEN]
    assert CancelPending("i-1", Reason.TAKEN) in made
    assert the_ladder(made) == SetLadder("i-1", 0, 1, at(940), Reason.TAKEN_EXPIRED)
    assert who(made, Purpose.PAGE) == []
    assert [recipient for recipient, _ in who(made, Purpose.UPDATE)] == [DEPUTY.id]


def test_each_person_paged_in_any_round_is_told_exactly_once() -> None:
    paged = [page for person in STAFF for round_ in (0, 1) for page in pages_to(person, round_=round_)]
    made = done(does(Verb.ACCEPT, person=COMMUNITY_DUTY, paged=paged))
    told = [recipient for recipient, _ in who(made, Purpose.UPDATE)]
    assert told == sorted(person.id for person in STAFF if person is not COMMUNITY_DUTY)


@pytest.mark.parametrize(
    ("states", "told"),
    [
        ((AttemptState.PLANNED, AttemptState.PLANNED), False),
        ((AttemptState.CANCELED, AttemptState.REJECTED), False),
        ((AttemptState.REJECTED, AttemptState.UNKNOWN), True),
        ((AttemptState.SENDING, AttemptState.PLANNED), True),
        ((AttemptState.BUSY, AttemptState.REJECTED), True),
        ((AttemptState.FAILED, AttemptState.EXPIRED), True),
        ((AttemptState.PROVIDER_ACCEPTED, AttemptState.REJECTED), True),
    ],
)
def test_only_whom_a_page_may_have_reached_is_told(states: tuple[AttemptState, ...], told: bool) -> None:
    paged = [a_page(DEPUTY, channel, state) for channel, state in zip((SMS, APP), states, strict=True)]
    assert bool(notices(done(does(Verb.ACCEPT, paged=paged)), Purpose.UPDATE)) is told


@pytest.mark.parametrize(
    ("channels", "app_state", "by"),
    [
        ((SMS, VOICE, APP), AttemptState.PROVIDER_ACCEPTED, "app"),
        ((SMS, VOICE, APP), AttemptState.DELIVERED, "app"),
        ((SMS, VOICE, APP), AttemptState.UNKNOWN, "sms"),
        ((SMS, VOICE, APP), AttemptState.REJECTED, "sms"),
        ((APP,), AttemptState.UNKNOWN, "app"),
        ((VOICE,), None, None),
    ],
)
def test_the_update_goes_where_it_will_be_read_and_never_rings(
    channels: tuple[Channel, ...], app_state: AttemptState | None, by: str | None
) -> None:
    deputy = a_worker(DEPUTY.id, DEPUTY.name, DEPUTY.name_en, channels)
    people = (GRID_WORKER, deputy, *STAFF[2:])
    paged = [a_page(deputy, c, AttemptState.DELIVERED) for c in channels if c is not APP]
    paged += [a_page(deputy, APP, app_state)] if app_state else []
    made = done(does(Verb.ACCEPT, paged=paged, world=a_world(a_registry(people=people))))
    assert who(made, Purpose.UPDATE) == ([(deputy.id, by)] if by else [])


def test_updates_and_all_clears_of_the_past_are_no_reason_for_another() -> None:
    paged = [a_page(DEPUTY, purpose=Purpose.UPDATE), a_page(STREET_DUTY, purpose=Purpose.ALL_CLEAR)]
    assert notices(done(does(Verb.ACCEPT, paged=paged)), Purpose.UPDATE) == []


def test_who_has_left_is_not_told() -> None:
    world = a_world(a_registry(people=(GRID_WORKER,)))
    assert notices(done(does(Verb.ACCEPT, world=world)), Purpose.UPDATE) == []


@pytest.mark.parametrize(
    ("language", "goer", "words"),
    [
        (Language.ZH_CN, GRID_WORKER, "网格员甲已前往"),
        (Language.EN, GRID_WORKER, "Grid worker A is going"),
        (Language.EN, a_worker(GRID_WORKER.id, "网格员甲", ""), "A colleague is going"),
    ],
)
def test_an_update_names_who_goes_as_its_reader_can_read_it(language: Language, goer: Person, words: str) -> None:
    deputy = a_worker(DEPUTY.id, DEPUTY.name, DEPUTY.name_en, (SMS,), language)
    world = a_world(a_registry(people=(goer, deputy, *STAFF[2:])))
    (update,) = notices(done(does(Verb.ACCEPT, world=world)), Purpose.UPDATE)
    assert update.text.startswith(words)


def test_a_goer_whom_the_registry_no_longer_knows_goes_by_the_name_he_acted_under() -> None:
    world = a_world(a_registry(people=(DEPUTY,)))
    (update,) = notices(done(does(Verb.ACCEPT, world=world)), Purpose.UPDATE)
    assert "网格员甲" in update.text


@pytest.mark.parametrize("work", [Work.TAKEN, Work.ON_SITE, Work.VERIFIED])
def test_a_second_acceptor_is_told_who_goes_and_the_first_may_press_again(work: Work) -> None:
    incident = an_incident(work=work, taken_by=GRID_WORKER.id)
    assert does(Verb.ACCEPT, incident, DEPUTY) == Refused(Refusal.ALREADY_TAKEN, who=GRID_WORKER.id)
    assert does(Verb.ACCEPT, incident, GRID_WORKER) == []


def test_only_a_person_can_go() -> None:
    for verb in (Verb.ACCEPT, Verb.ARRIVE):
        assert does(verb, person=None) == Refused(Refusal.NOT_A_WORKER)


def test_a_refusal_to_go_asks_the_next_at_once() -> None:
    made = done(does(Verb.DECLINE, an_incident(), GRID_WORKER, pages_to(GRID_WORKER), reason="outside"))
    assert made[0] == Note("i-1", an_actor(GRID_WORKER), "outside", Reason.DECLINED)
    assert who(made) == on_all(DEPUTY)
    assert the_ladder(made) == SetLadder("i-1", 0, 1, at(70), Reason.UNANSWERED)
    assert works(made) == []


def test_a_refusal_said_twice_or_too_late_takes_no_time_from_who_is_asked_now() -> None:
    """The ladder stands at the deputy. A provider that tells the key twice must not call the whole chain."""
    made = done(does(Verb.DECLINE, an_incident(step=1), GRID_WORKER))
    assert [type(each) for each in made] == [Note]
    assert who(done(does(Verb.DECLINE, an_incident(step=1), DEPUTY))) == on_all(COMMUNITY_DUTY)


def test_one_of_two_steps_asked_together_moves_on() -> None:
    policy = a_policy(
        *(a_step(s, role) for s, role in ((0, Role.GRID_WORKER), (0, Role.DEPUTY), (9, Role.COMMUNITY_DUTY)))
    )
    incident = an_incident(policy=policy, step=1)
    for person in (GRID_WORKER, DEPUTY):
        assert who(done(does(Verb.DECLINE, incident, person))) == [(COMMUNITY_DUTY.id, "sms")]


def test_who_was_never_asked_leaves_a_note() -> None:
    assert [type(each) for each in done(does(Verb.DECLINE, an_incident(), STREET_DUTY))] == [Note]


def test_the_console_may_move_on_for_somebody() -> None:
    assert who(done(does(Verb.DECLINE, an_incident(step=1), None))) == on_all(COMMUNITY_DUTY)


def test_the_last_steps_refusal_asks_everybody() -> None:
    paged = [*BOTH, *pages_to(STREET_DUTY, step=LAST_STEP)]
    made = done(does(Verb.DECLINE, an_incident(step=LAST_STEP), STREET_DUTY, paged))
    assert who(made) == on_all(COMMUNITY_DUTY, STREET_DUTY, CONTROL_ROOM)
    assert (the_ladder(made).round, the_ladder(made).step) == (1, LOOP_STEP)


@pytest.mark.parametrize("person", [CONTROL_ROOM, None])
def test_a_refusal_at_the_chains_end_waits_for_the_loop(person: Person | None) -> None:
    """Or each refusal would page everybody again at once, the refuser too."""
    incident = an_incident(round=2, step=LOOP_STEP)
    paged = pages_to(CONTROL_ROOM, round_=2, step=LOOP_STEP)
    assert [type(each) for each in done(does(Verb.DECLINE, incident, person, paged))] == [Note]


@pytest.mark.parametrize("work", [Work.TAKEN, Work.ON_SITE])
def test_who_goes_may_give_it_back_and_the_next_is_asked_at_once(work: Work) -> None:
    incident = an_incident(work=work, taken_by=GRID_WORKER.id, due_at=at(940))
    made = done(does(Verb.DECLINE, incident, GRID_WORKER, pages_to(GRID_WORKER)))
    assert works(made) == [Work.DISPATCHED]
    assert who(made) == on_all(DEPUTY)
    assert the_ladder(made).due_at == at(70)


def test_who_goes_may_give_it_back_at_the_chains_end_too() -> None:
    incident = taken_by(CONTROL_ROOM, an_incident(round=1, step=LOOP_STEP))
    made = done(does(Verb.DECLINE, incident, CONTROL_ROOM, pages_to(CONTROL_ROOM, round_=1, step=LOOP_STEP)))
    assert works(made) == [Work.DISPATCHED]
    assert who(made) == on_all(COMMUNITY_DUTY, STREET_DUTY, CONTROL_ROOM)
    assert the_ladder(made).due_at == at(100)


def test_another_ones_refusal_after_taken_changes_nothing() -> None:
    assert does(Verb.DECLINE, taken_by(GRID_WORKER, an_incident()), DEPUTY) == []


@pytest.mark.parametrize(("work", "why"), [(Work.VERIFIED, Refusal.WRONG_STATE), (Work.CLOSED, Refusal.ALREADY_CLOSED)])
def test_what_is_over_cannot_be_declined(work: Work, why: Refusal) -> None:
    assert does(Verb.DECLINE, an_incident(work=work)) == Refused(why)


def test_arriving_gives_more_time_and_only_the_taker_arrives() -> None:
    incident = taken_by(GRID_WORKER, an_incident())
    made = done(does(Verb.ARRIVE, incident))
    assert works(made) == [Work.ON_SITE]
    assert the_ladder(made).due_at == at(40 + 1800)
    assert notices(made, Purpose.UPDATE) == [], "they were told when he took it"
    assert does(Verb.ARRIVE, incident, DEPUTY) == Refused(Refusal.NOT_YOURS, who=GRID_WORKER.id)


def test_arriving_without_a_word_before_tells_the_others() -> None:
    made = done(does(Verb.ARRIVE))
    assert works(made) == [Work.ON_SITE]
    assert [recipient for recipient, _ in who(made, Purpose.UPDATE)] == [DEPUTY.id]


def test_arriving_twice_is_harmless() -> None:
    incident = an_incident(work=Work.ON_SITE, taken_by=GRID_WORKER.id)
    assert does(Verb.ARRIVE, incident) == []
    assert does(Verb.ARRIVE, incident, DEPUTY) == Refused(Refusal.WRONG_STATE, who=GRID_WORKER.id)


@pytest.mark.parametrize("work", [Work.NEW, Work.DISPATCHED, Work.TAKEN, Work.ON_SITE, Work.VERIFIED])
def test_a_result_ends_the_asking_and_comes_back_in_a_day(work: Work) -> None:
    made = done(does(Verb.VERIFY, an_incident(work=work, taken_by=GRID_WORKER.id), result="real", how="on_site"))
    assert works(made) == [Work.VERIFIED]
    assert isinstance(made[0], SetWork)
    assert made[0].detail == {"result": "real", "how": "on_site"}
    assert CancelPending("i-1", Reason.VERIFIED) in made
    assert (the_ladder(made).due_at, the_ladder(made).reason) == (at(40 + 86_400), Reason.REMINDER)


def test_fire_is_not_closed_unseen_and_then_it_is() -> None:
    assert does(Verb.CLOSE) == Refused(Refusal.NOT_VERIFIED)
    made = done(does(Verb.CLOSE, an_incident(work=Work.VERIFIED), None))
    assert works(made) == [Work.CLOSED]
    assert the_ladder(made).due_at is None
    assert notices(made) == []


@pytest.mark.parametrize("work", [Work.CLOSED, Work.EVALUATED])
@pytest.mark.parametrize("verb", [verb for verb in Verb if verb not in AFTER_THE_END])
def test_what_is_closed_stays_closed(verb: Verb, work: Work) -> None:
    assert does(verb, an_incident(work=work)) == Refused(Refusal.ALREADY_CLOSED)


@pytest.mark.parametrize("work", list(Work))
def test_a_note_is_always_welcome(work: Work) -> None:
    made = does(Verb.NOTE, an_incident(work=work), None, text="门卫已通知")
    assert made == [Note("i-1", an_actor(None), "门卫已通知", Reason.PERSON_ACTED)]


@pytest.mark.parametrize("step", range(5))
@pytest.mark.parametrize("work", [Work.NEW, Work.DISPATCHED, Work.TAKEN, Work.ON_SITE, Work.VERIFIED])
@pytest.mark.parametrize("verb", list(Verb))
def test_no_act_leaves_an_open_incident_without_a_due_time(verb: Verb, work: Work, step: int) -> None:
    incident = an_incident("lane.blocked", work=work, step=step, taken_by=GRID_WORKER.id if work != "new" else None)
    for person in (GRID_WORKER, None):
        made = does(verb, incident, person)
        ladders = [] if isinstance(made, Refused) else [each for each in made if isinstance(each, SetLadder)]
        assert all((each.due_at is None) is (verb is Verb.CLOSE) for each in ladders)
