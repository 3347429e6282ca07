"""Who is asked next: steps, empty steps, steps asked together, the end of the chain, and what the texts then say."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from alerting.core.decisions import Decision, Notify, SetLadder
from alerting.core.ladder import asked_together, climb, context_of, loop, unanswered_minutes, urgency_of
from alerting.core.model import AttemptState, Incident, Loop, Overlay, Policy, Purpose, Reason, Redial, Work
from devices.model import Channel, Person, Role, Shift
from devices.taxonomy import TAXONOMY
from tests.unit.builders import (
    ALL,
    CHAIR_STEP,
    COMMUNITY_DUTY,
    COMMUNITY_STEP,
    CONTROL_ROOM,
    DEPUTY,
    GRID,
    GRID_WORKER,
    LAST_STEP,
    LOOP_STEP,
    NEIGHBOUR_STEP,
    NOW,
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
    an_incident,
    at,
    marked,
    notices,
    on_all,
    pages_to,
    shifts_of,
    skipped,
    taken_by,
    the_ladder,
    who,
)

SMS, VOICE, APP = Channel.SMS, Channel.VOICE, Channel.APP
FIRST = Reason.FIRST_SIGNAL


def with_policy(policy: Policy) -> Incident:
    return an_incident(policy=policy)


def test_the_first_step_asks_on_every_channel_and_looks_again_when_the_next_is_due() -> None:
    made = climb(an_incident(), a_world(), (), index=0, round_=0, reason=FIRST)
    assert who(made) == on_all(GRID_WORKER)
    assert the_ladder(made) == SetLadder("i-1", 0, 0, at(30), Reason.UNANSWERED)


@pytest.mark.parametrize(
    ("index", "asked", "due_s"), [(0, [GRID_WORKER], 30), (1, [DEPUTY], 30), (2, [COMMUNITY_DUTY], 60)]
)
def test_each_step_has_the_time_up_to_the_next(index: int, asked: list[Person], due_s: int) -> None:
    made = climb(an_incident(), a_world(), (), index=index, round_=0, reason=Reason.UNANSWERED)
    assert {notice.recipient_id for notice in notices(made)} == {person.id for person in asked}
    assert the_ladder(made).due_at == at(due_s)


def test_the_last_step_has_the_loops_time() -> None:
    made = climb(an_incident(), a_world(), (), index=LAST_STEP, round_=0, reason=Reason.UNANSWERED)
    assert who(made) == on_all(STREET_DUTY, CONTROL_ROOM)
    assert (the_ladder(made).step, the_ladder(made).due_at) == (LAST_STEP, at(60))


def test_an_empty_step_costs_no_time_and_is_named() -> None:
    registry = a_registry(shifts=shifts_of(Role.COMMUNITY_DUTY, Role.CONTROL_ROOM))
    made = climb(an_incident(), a_world(registry), (), index=0, round_=0, reason=FIRST)
    assert skipped(made) == [(step, Reason.NOBODY_ON_DUTY) for step in range(COMMUNITY_STEP)]
    assert who(made) == on_all(COMMUNITY_DUTY)
    assert (the_ladder(made).step, the_ladder(made).due_at) == (COMMUNITY_STEP, at(60))


def test_somebody_on_duty_without_a_contact_is_nobody_reachable() -> None:
    mute = a_worker(GRID_WORKER.id, "网格员甲", "Grid worker A", channels=())
    made = climb(an_incident(), a_world(a_registry(people=(mute, *STAFF[1:]))), (), index=0, round_=0, reason=FIRST)
    assert skipped(made) == [(0, Reason.NOBODY_REACHABLE)]
    assert who(made) == on_all(DEPUTY)


def test_who_has_only_one_channel_is_asked_on_that_one() -> None:
    phone = a_worker(GRID_WORKER.id, "网格员甲", "Grid worker A", channels=(VOICE,))
    made = climb(an_incident(), a_world(a_registry(people=(phone, *STAFF[1:]))), (), index=0, round_=0, reason=FIRST)
    assert who(made) == [(GRID_WORKER.id, "voice")]


def test_nobody_at_all_is_said_and_looked_at_again() -> None:
    made = climb(an_incident(), a_world(a_registry(shifts=())), (), index=0, round_=0, reason=FIRST)
    assert skipped(made) == [
        *((n, Reason.NOBODY_ON_DUTY) for n in range(LOOP_STEP)),
        (LOOP_STEP, Reason.NOBODY_REACHABLE),
    ]
    assert who(made) == []
    assert the_ladder(made) == SetLadder("i-1", 1, LOOP_STEP, at(60), Reason.CHAIN_END)


def test_two_on_one_step_are_both_asked() -> None:
    peer = a_worker("grid-worker-c", "网格员丙", "Grid worker C")
    registry = a_registry(people=(*STAFF, peer), shifts=(*SHIFTS, a_shift(Role.GRID_WORKER, peer.id, grid=GRID)))
    assert who(climb(an_incident(), a_world(registry), (), index=0, round_=0, reason=FIRST)) == on_all(
        GRID_WORKER, peer
    )


def test_one_person_on_two_steps_is_asked_once_in_a_round() -> None:
    shifts = (*shifts_of(Role.GRID_WORKER, Role.COMMUNITY_DUTY), a_shift(Role.DEPUTY, GRID_WORKER.id, grid=GRID))
    world = a_world(a_registry(shifts=shifts))
    asked = pages_to(GRID_WORKER)
    made = climb(an_incident(), world, asked, index=1, round_=0, reason=Reason.UNANSWERED)
    nobody = [(NEIGHBOUR_STEP, Reason.NOBODY_ON_DUTY), (CHAIR_STEP, Reason.NOBODY_ON_DUTY)]
    assert skipped(made) == [(1, Reason.ALREADY_ASKED), *nobody]
    assert who(made) == on_all(COMMUNITY_DUTY)
    again = climb(an_incident(), world, asked, index=0, round_=1, reason=Reason.TAKEN_EXPIRED)
    assert who(again) == on_all(GRID_WORKER), "a new round asks anew"


def test_a_later_channel_of_the_same_person_is_not_a_repeat() -> None:
    policy = a_policy(a_step(0, Role.GRID_WORKER, channels=(SMS, APP)), a_step(60, Role.GRID_WORKER, channels=ALL))
    asked = [a_page(GRID_WORKER, SMS), a_page(GRID_WORKER, APP)]
    made = climb(with_policy(policy), a_world(), asked, index=1, round_=0, reason=Reason.UNANSWERED)
    assert who(made) == [(GRID_WORKER.id, "voice")]


def test_steps_of_one_time_are_asked_together() -> None:
    policy = a_policy(a_step(0, Role.GRID_WORKER), a_step(0, Role.DEPUTY), a_step(45, Role.COMMUNITY_DUTY))
    made = climb(with_policy(policy), a_world(), (), index=0, round_=0, reason=FIRST)
    assert who(made) == [(DEPUTY.id, "sms"), (GRID_WORKER.id, "sms")]
    assert (the_ladder(made).step, the_ladder(made).due_at) == (1, at(45))


@pytest.mark.parametrize("missing", [Role.GRID_WORKER, Role.DEPUTY])
def test_an_empty_one_of_two_asked_together_takes_no_time_from_the_other(missing: Role) -> None:
    policy = a_policy(a_step(0, Role.GRID_WORKER), a_step(0, Role.DEPUTY), a_step(45, Role.COMMUNITY_DUTY))
    registry = a_registry(shifts=[shift for shift in SHIFTS if shift.role is not missing])
    made = climb(with_policy(policy), a_world(registry), (), index=0, round_=0, reason=FIRST)
    assert len(notices(made)) == 1, "the step after them is not asked yet"
    assert (the_ladder(made).step, the_ladder(made).due_at) == (1, at(45))


def test_one_person_on_two_steps_of_one_time_is_asked_once() -> None:
    policy = a_policy(a_step(0, Role.GRID_WORKER), a_step(0, Role.GRID_WORKER, Role.DEPUTY))
    made = climb(with_policy(policy), a_world(), (), index=0, round_=0, reason=FIRST)
    assert who(made) == [(DEPUTY.id, "sms"), (GRID_WORKER.id, "sms")]
    assert the_ladder(made).due_at == at(60), "the loop's time"


def test_asked_together_is_what_has_one_time_up_to_here() -> None:
    steps = [a_step(s, Role.DEPUTY) for s in (0, 0, 30, 30, 60)]
    groups = [asked_together(an_incident(policy=a_policy(*steps), step=step)) for step in range(6)]
    assert groups == [{0}, {0, 1}, {2}, {2, 3}, {4}, {5}]


def test_the_loop_asks_everybody_named_there_every_time() -> None:
    paged = [page for person in STAFF for page in pages_to(person, round_=1, step=LOOP_STEP)]
    made = loop(an_incident(round=1, step=LOOP_STEP), a_world(), paged, round_=1)
    assert who(made) == on_all(COMMUNITY_DUTY, STREET_DUTY, CONTROL_ROOM)
    assert the_ladder(made) == SetLadder("i-1", 2, LOOP_STEP, at(60), Reason.CHAIN_END)


@pytest.mark.parametrize("channels", [(SMS,), (APP,), (SMS, APP), (VOICE,), ALL])
def test_the_loop_uses_the_channels_of_the_policy_and_no_others(channels: tuple[Channel, ...]) -> None:
    steps = (a_step(0, Role.GRID_WORKER, channels=channels[:1]), a_step(30, Role.DEPUTY, channels=channels))
    made = loop(with_policy(a_policy(*steps)), a_world(), (), round_=0)
    assert who(made) == sorted((CONTROL_ROOM.id, channel.value) for channel in channels)


def test_the_chain_never_ends_in_silence_while_anybody_of_it_can_be_asked() -> None:
    world = a_world(a_registry(shifts=shifts_of(Role.GRID_WORKER)))
    made = loop(an_incident(), world, pages_to(GRID_WORKER), round_=0)
    assert skipped(made) == [(LOOP_STEP, Reason.NOBODY_REACHABLE)]
    assert who(made) == on_all(GRID_WORKER)
    assert the_ladder(made).due_at == at(60)


@pytest.mark.parametrize("shifts", [SHIFTS, (*SHIFTS, a_shift(Role.GRID_WORKER, GRID_WORKER.id))])
def test_the_unplaced_goes_to_the_control_room_at_once(shifts: tuple[Shift, ...]) -> None:
    incident = marked(an_incident(device_id="ghost-1"), Overlay.UNPLACED)
    world = a_world(a_registry(shifts=shifts))
    made = climb(incident, world, (), index=0, round_=0, reason=FIRST)
    assert set(on_all(CONTROL_ROOM)) <= set(who(made))
    assert len(who(made)) == len(set(who(made)))


def test_only_a_call_is_redialled() -> None:
    policy = a_policy(a_step(0, Role.GRID_WORKER, channels=ALL, redial=Redial(65, 3)))
    made = notices(climb(with_policy(policy), a_world(), (), index=0, round_=0, reason=FIRST))
    assert {(notice.channel, notice.redial_gap_s, notice.redial_max) for notice in made} == {
        (SMS, 0, 0),
        (VOICE, 65, 3),
        (APP, 0, 0),
    }


@pytest.mark.parametrize(
    ("code", "urgency"), [("fire.smoke", 0), ("gas.co", 0), ("env.overheat", 2), ("water.leak", 3)]
)
def test_what_can_kill_goes_first(code: str, urgency: int) -> None:
    assert urgency_of(an_incident(code)) == urgency
    assert (urgency == 0) is TAXONOMY[code].life_safety


def spoken(made: Sequence[Decision], channel: Channel = SMS) -> str:
    return next(each.text for each in made if isinstance(each, Notify) and each.channel is channel)


@pytest.mark.parametrize(
    ("steps_asked", "seconds", "minutes"),
    [(0, 0, 0), (1, 30, 0), (1, 600, 0), (2, 45, 1), (2, 119, 1), (2, 120, 2), (3, 125, 2), (4, 3600, 60)],
)
def test_from_the_third_step_on_the_time_without_an_answer_is_told(
    steps_asked: int, seconds: int, minutes: int
) -> None:
    paged = [page for step in range(steps_asked) for page in pages_to(STAFF[step], step=step)]
    assert unanswered_minutes(an_incident(), paged, a_world(now=at(seconds))) == minutes


def test_nobody_reads_of_silence_while_somebody_goes() -> None:
    paged = [*pages_to(GRID_WORKER), *pages_to(DEPUTY, step=1)]
    assert unanswered_minutes(taken_by(DEPUTY, an_incident()), paged, a_world(now=at(300))) == 0


def test_the_third_text_says_it_and_the_second_does_not() -> None:
    first, second = pages_to(GRID_WORKER), pages_to(DEPUTY, step=1)
    incident = an_incident()
    to_deputy = climb(incident, a_world(now=at(130)), first, index=1, round_=0, reason=Reason.UNANSWERED)
    to_duty = climb(incident, a_world(now=at(130)), first + second, index=2, round_=0, reason=Reason.UNANSWERED)
    at_the_end = loop(incident, a_world(now=at(300)), first + second, round_=0)
    assert "无人应答" not in spoken(to_deputy)
    assert "已2分钟无人应答" in spoken(to_duty)
    assert "已5分钟无人应答" in spoken(at_the_end)


def test_steps_asked_together_and_updates_count_as_no_further_wait() -> None:
    policy = a_policy(a_step(0, Role.GRID_WORKER), a_step(0, Role.DEPUTY), a_step(45, Role.COMMUNITY_DUTY))
    paged = [*pages_to(GRID_WORKER), *pages_to(DEPUTY, step=1), a_page(DEPUTY, step=2, purpose=Purpose.UPDATE)]
    assert unanswered_minutes(with_policy(policy), paged, a_world(now=at(45))) == 0


@pytest.mark.parametrize("reason", [Reason.FIRST_SIGNAL, Reason.SPREADING, Reason.DECLINED, Reason.TAKEN_EXPIRED])
def test_after_an_answer_or_at_a_new_alarm_nobody_is_told_of_silence(reason: Reason) -> None:
    paged = [*pages_to(GRID_WORKER), *pages_to(DEPUTY, step=1)]
    made = climb(an_incident(), a_world(now=at(300)), paged, index=2, round_=1, reason=reason)
    assert "无人应答" not in spoken(made)


@pytest.mark.parametrize("overlay", [Overlay.SPREADING, Overlay.CONFIRMED, Overlay.LATE, Overlay.TEST, Overlay.DRILL])
def test_what_is_known_of_an_incident_reaches_its_texts(overlay: Overlay) -> None:
    plain, with_mark = context_of(an_incident(), a_world()), context_of(marked(an_incident(), overlay), a_world())
    assert getattr(with_mark, overlay.value) is True
    assert getattr(plain, overlay.value) is False


def test_the_confirmed_reads_confirmed() -> None:
    made = climb(marked(an_incident(), Overlay.CONFIRMED), a_world(), (), index=0, round_=0, reason=FIRST)
    assert spoken(made).startswith("火警已确认")


def test_an_sms_beside_a_call_asks_for_the_key_and_the_app_gets_json() -> None:
    made = climb(an_incident(), a_world(), (), index=0, round_=0, reason=FIRST)
    assert "接听来电按1" in spoken(made)
    assert json.loads(spoken(made, APP))["incident_id"] == "i-1"
    assert all("金鼎小区" in notice.text for notice in notices(made))


def test_pages_of_a_canceled_round_do_not_hide_a_person_from_the_next() -> None:
    canceled = [a_page(DEPUTY, channel, AttemptState.CANCELED) for channel in ALL]
    made = climb(an_incident(), a_world(), canceled, index=1, round_=1, reason=Reason.TAKEN_EXPIRED)
    assert who(made) == on_all(DEPUTY)


@pytest.mark.parametrize("work", [Work.NEW, Work.DISPATCHED])
@pytest.mark.parametrize("index", range(5))
def test_every_climb_leaves_a_due_time_in_the_future(work: Work, index: int) -> None:
    policies = [
        an_incident().policy,
        a_policy(a_step(0, Role.CHAIR_OR_SECRETARY)),
        a_policy(*(a_step(0, role) for role in Role), loop=Loop(5, (Role.NEIGHBOUR_GRID,))),
    ]
    for policy in policies:
        for shifts in (SHIFTS, (), shifts_of(Role.DEPUTY)):
            world = a_world(a_registry(shifts=shifts))
            made = climb(
                an_incident(policy=policy, work=work), world, (), index=index, round_=0, reason=Reason.UNANSWERED
            )
            due = the_ladder(made).due_at
            assert due is not None
            assert due >= NOW + timedelta(seconds=5)
