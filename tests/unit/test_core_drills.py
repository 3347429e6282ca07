"""A drill: its own key, its own incident, every text marked, nobody asked who must not be, and word at its end."""

import json
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from alerting.core import drills
from alerting.core.acts import Verb, act
from alerting.core.decisions import CancelPending, Decision, Notify, OpenIncident, Refused, SetLadder, SetWork
from alerting.core.drill_figures import Deed, Sending, figures
from alerting.core.drill_words import end_text
from alerting.core.drills import Order
from alerting.core.fold import fold, keys_of
from alerting.core.ladder import context_of, urgency_of
from alerting.core.messages import render
from alerting.core.model import (
    Action,
    AttemptState,
    Incident,
    Loop,
    Overlay,
    PlaceText,
    PolicyCommand,
    Purpose,
    Reason,
    Work,
)
from alerting.core.parts import one_part
from alerting.escalation import TABLE as RULES
from devices.model import Channel, Language, Person, PersonKind, Role
from tests.unit.builders import (
    ALL,
    CONTROL_ROOM,
    DEPUTY,
    GRID,
    GRID_WORKER,
    NOW,
    STAFF,
    a_page,
    a_policy,
    a_registry,
    a_signal,
    a_step,
    a_worker,
    a_world,
    an_actor,
    an_incident,
    at,
    marked,
    notices,
    on_all,
    who,
)

ORDER = Order("d-1", "i-9", "D9K7F", "fire.smoke", GRID, "r1201", an_actor(), minutes=15, note="季度演练")
MARKS = {Language.ZH_CN: "演练", Language.EN: "DRILL"}


def opened(made: list[Decision]) -> Incident:
    (incident,) = [decision.incident for decision in made if isinstance(decision, OpenIncident)]
    return incident


def test_it_asks_the_first_step_by_every_channel_as_a_drill() -> None:
    made = drills.start(ORDER, a_world())
    assert who(made, Purpose.DRILL) == on_all(GRID_WORKER)
    assert who(made) == []
    incident = opened(made)
    assert (incident.drill_id, incident.work, incident.grid_id) == ("d-1", Work.DISPATCHED, GRID)
    assert incident.overlays == {Overlay.DRILL}
    assert incident.due_at == at(30)


def test_no_signal_ever_has_its_key_so_that_it_never_folds_with_a_real_alarm() -> None:
    incident = opened(drills.start(ORDER, a_world()))
    assert incident.dedup_key == "v1:drill:d-1"
    world = a_world(incidents=[incident])
    assert incident.dedup_key not in keys_of([a_signal()], world)
    real = opened(fold([a_signal()], world))
    assert (real.drill_id, Overlay.DRILL in real.overlays) == (None, False)


def test_no_device_is_commanded_unless_it_is_asked_for_and_nobody_beside_is_told_at_the_end() -> None:
    exercised = PolicyCommand(Action.SOUND_SIREN, in_test=True)
    policy = replace(
        a_policy(a_step(0, Role.GRID_WORKER)),
        commands=(PolicyCommand(Action.CUT_POWER), exercised),
        told_at_end=(Role.STREET_DUTY,),
    )
    incident = opened(drills.start(ORDER, a_world(policies=[policy])))
    assert (incident.policy.name, incident.policy.told_at_end) == ("by-hand", ())
    assert incident.policy.commands == (exercised,)


def test_it_never_takes_the_room_of_a_real_alarm() -> None:
    drill = opened(drills.start(ORDER, a_world()))
    assert urgency_of(drill) > urgency_of(an_incident()) + 1, "its updates neither"
    assert all(page.urgency >= 2 for page in notices(drills.start(ORDER, a_world()), Purpose.DRILL))


@pytest.mark.parametrize(
    ("purpose", "language", "channel"),
    list(product((Purpose.DRILL, Purpose.UPDATE, Purpose.ALL_CLEAR), Language, Channel)),
)
def test_every_text_begins_with_the_mark(purpose: Purpose, language: Language, channel: Channel) -> None:
    incident = marked(opened(drills.start(ORDER, a_world())), Overlay.SPREADING, Overlay.LATE)
    context = replace(context_of(incident, a_world()), who_goes="网格员甲", unanswered_minutes=3)
    check_mark(render(purpose, channel, language, context), language, channel)


@pytest.mark.parametrize(("real", "language", "channel"), list(product((False, True), Language, Channel)))
def test_the_last_word_begins_with_the_mark_and_is_one_part(real: bool, language: Language, channel: Channel) -> None:
    place = PlaceText(
        "信阳市平桥区金鼎花园三期东区小区13号楼2单元12层1201室客厅北侧", "Jinding Garden East " * 6, "", ""
    )
    incident = replace(opened(drills.start(ORDER, a_world())), place_text=place)
    text = end_text(incident, channel, language, "Asia/Shanghai", real=real)
    check_mark(text, language, channel)
    if channel is Channel.SMS:
        assert one_part(text)
        assert "D9K7F" in text


def check_mark(text: str, language: Language, channel: Channel) -> None:
    mark = MARKS[language]
    if channel is Channel.SMS:
        assert text.startswith(mark), text
    elif channel is Channel.VOICE:
        assert json.loads(text)["say"].upper().startswith(mark), text
    else:
        message = json.loads(text)
        assert message["title"].startswith(mark), text
        assert message["body"].startswith(mark), text
    assert "119" not in text.replace("D9K7F", ""), "nobody dials the fire brigade in a drill"


def test_unanswered_it_climbs_like_a_real_one() -> None:
    incident = opened(drills.start(ORDER, a_world()))
    paged = [a_page(GRID_WORKER, channel, purpose=Purpose.DRILL) for channel in ALL]
    made = RULES["unanswered"](incident, paged, a_world(now=at(30)))
    assert made is not None
    assert who(made, Purpose.DRILL) == on_all(DEPUTY)


def test_a_failed_page_of_a_drill_asks_the_next_at_once() -> None:
    incident = opened(drills.start(ORDER, a_world()))
    paged = [a_page(GRID_WORKER, channel, AttemptState.FAILED, purpose=Purpose.DRILL) for channel in ALL]
    made = RULES["undelivered"](incident, paged, a_world(now=at(3)))
    assert made is not None
    assert who(made, Purpose.DRILL) == on_all(DEPUTY)


def test_accepted_the_others_hear_who_goes_marked() -> None:
    incident = opened(drills.start(ORDER, a_world()))
    paged = [a_page(person, purpose=Purpose.DRILL) for person in (GRID_WORKER, DEPUTY)]
    made = act(incident, Verb.ACCEPT, an_actor(GRID_WORKER), {}, paged, a_world())
    assert not isinstance(made, Refused)
    (update,) = notices(made, Purpose.UPDATE)
    assert update.recipient_id == DEPUTY.id
    assert update.text.startswith("演练")


def test_the_end_stops_asking_and_tells_everybody_who_was_reached() -> None:
    incident = opened(drills.start(ORDER, a_world()))
    paged = [
        a_page(GRID_WORKER, purpose=Purpose.DRILL),
        a_page(GRID_WORKER, Channel.APP, AttemptState.PROVIDER_ACCEPTED, purpose=Purpose.DRILL),
        a_page(DEPUTY, purpose=Purpose.DRILL),
        a_page(CONTROL_ROOM, state=AttemptState.REJECTED, purpose=Purpose.DRILL),
    ]
    made = drills.end(incident, an_actor(), Reason.DRILL_OVER, paged, a_world(now=at(600)))
    assert who(made, Purpose.ALL_CLEAR) == [(DEPUTY.id, "sms"), (GRID_WORKER.id, "app")]
    assert CancelPending(incident.id, Reason.DRILL_OVER) in made
    assert [decision.work for decision in made if isinstance(decision, SetWork)] == [Work.CLOSED]
    assert [decision.due_at for decision in made if isinstance(decision, SetLadder)] == [None]


def test_a_real_alarm_is_said_and_a_closed_drill_says_nothing() -> None:
    incident = opened(drills.start(ORDER, a_world()))
    paged = [a_page(GRID_WORKER, purpose=Purpose.DRILL)]
    (told,) = notices(drills.end(incident, an_actor(), Reason.REAL_ALARM, paged, a_world()), Purpose.ALL_CLEAR)
    assert told.text.startswith("演练中止")
    assert "真实警情" in told.text
    verified = replace(incident, work=Work.VERIFIED)
    assert notices(drills.end(verified, an_actor(), Reason.DRILL_OVER, paged, a_world()), Purpose.ALL_CLEAR) == []
    closed = replace(incident, work=Work.CLOSED)
    assert drills.end(closed, an_actor(), Reason.DRILL_OVER, paged, a_world()) == []


def test_whoever_has_a_telephone_alone_is_called_and_a_household_never() -> None:
    caller = a_worker("caller", "网格员丁", "Caller", (Channel.VOICE,))
    home = replace(a_worker("home", "住户", "Household"), kind=PersonKind.HOUSEHOLD)
    people: tuple[Person, ...] = (*STAFF, caller, home)
    incident = opened(drills.start(ORDER, a_world()))
    paged = [a_page(person, Channel.VOICE, purpose=Purpose.DRILL) for person in (caller, home)]
    made = drills.end(incident, an_actor(), Reason.DRILL_OVER, paged, a_world(a_registry(people=people)))
    assert who(made, Purpose.ALL_CLEAR) == [("caller", "voice")]


def test_the_preview_names_every_step_and_the_loop_and_asks_nobody_twice() -> None:
    policy = a_policy(
        a_step(0, Role.GRID_WORKER),
        a_step(30, Role.DEPUTY, Role.GRID_WORKER),
        loop=Loop(60, (Role.CONTROL_ROOM,)),
    )
    steps = drills.rehearse(ORDER, a_world(policies=[policy]))
    asked = [[page.recipient_id for page in step.pages] for step in steps]
    assert asked == [[GRID_WORKER.id], [DEPUTY.id], [CONTROL_ROOM.id]]
    assert [step.after_s for step in steps] == [0, 30, 90]
    assert all(page.text.startswith("演练") for step in steps for page in step.pages)


def sending(person: Person, state: str, **seconds: float) -> Sending:
    """Keywords: after how many seconds each thing came about."""
    instants = {name: at(after) for name, after in seconds.items()}
    return Sending(
        recipient_id=person.id,
        name=person.name,
        channel="sms",
        purpose="drill",
        step=0,
        state=state,
        planned_at=NOW,
        provider_accepted_at=instants.get("accepted"),
        delivered_at=instants.get("delivered"),
        answered_at=instants.get("answered"),
    )


def test_figures_tell_who_answered_how_soon_and_who_never_did() -> None:
    sent = [
        sending(GRID_WORKER, "delivered", accepted=0.2, delivered=1.5),
        sending(DEPUTY, "delivered", accepted=30.2),
        replace(sending(CONTROL_ROOM, "delivered"), purpose="update"),
    ]
    deeds = [
        Deed(at(4), "note", Reason.DECLINED.value, GRID_WORKER.id, None),
        Deed(at(41.5), "work", "taken", DEPUTY.id, Work.TAKEN.value),
        Deed(at(180), "work", "person_acted", DEPUTY.id, Work.ON_SITE.value),
    ]
    found = figures(NOW, sent, deeds)
    assert (found.first_going_s, found.on_site_s) == (41.5, 180.0)
    first, second = found.asked
    assert (first.declined_s, first.going_s, first.messages[0].delivered_s) == (4.0, None, 1.5)
    assert (second.going_s, second.messages[0].provider_accepted_s) == (41.5, 30.2)
    assert found.never_answered == ()
    silent = figures(NOW, sent, [])
    assert [each.recipient_id for each in silent.never_answered] == [GRID_WORKER.id, DEPUTY.id]
    assert (silent.first_going_s, silent.on_site_s) == (None, None)


def test_its_limit_is_its_own() -> None:
    assert ORDER.ends_at(NOW) == NOW + timedelta(minutes=15)


def test_only_what_asks_counts_as_asked() -> None:
    assert {purpose for purpose in Purpose if purpose.asks} == {Purpose.PAGE, Purpose.DRILL}
    assert not any(isinstance(made, Notify) and made.purpose is Purpose.PAGE for made in drills.start(ORDER, a_world()))
