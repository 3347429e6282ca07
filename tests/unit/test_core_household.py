"""The household of the flat: called beside the first step, once, and nobody's step; its keys; the words it hears."""

from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from alerting.core.fold import SignalIn, fold
from alerting.core.household import flats_ahead, flats_of, results
from alerting.core.ladder import climb, loop
from alerting.core.messages import CallScript
from alerting.core.model import Extent, Loop, Overlay, Policy, Purpose, Reason, Redial, Settings, Work
from alerting.core.restraint import concerns
from alerting.core.walk_test import rehearse
from devices.model import Channel, HouseholdContact, Language, Person, Relation, Role, Shift
from devices.resolve import RegistrySnapshot
from tests.unit.builders import (
    ALL,
    DEPUTY,
    GRID_WORKER,
    NOW,
    a_device,
    a_page,
    a_policy,
    a_registry,
    a_restoral,
    a_shift,
    a_signal,
    a_step,
    a_worker,
    a_world,
    an_incident,
    marked,
    notices,
    shifts_of,
    skipped,
    the_ladder,
    who,
)

PHONE = "+8613956785678"


def a_contact(id_: str = "h-1", place: str = "r1201", **changes: object) -> HouseholdContact:
    contact = HouseholdContact(
        id_,
        place,
        Relation.OWNER,
        PHONE,
        Language.ZH_CN,
        False,
        False,
        NOW - timedelta(days=30),
        NOW + timedelta(days=30),
    )
    return replace(contact, **changes)  # type: ignore[arg-type]


def at_home(*contacts: HouseholdContact, registry: RegistrySnapshot | None = None) -> RegistrySnapshot:
    """The compound, with these households."""
    by_flat: dict[str, tuple[HouseholdContact, ...]] = {}
    for each in contacts or (a_contact(),):
        by_flat[each.place_id] = (*by_flat.get(each.place_id, ()), each)
    return replace(registry or a_registry(), households=by_flat)


def test_worker_and_household_are_asked_in_parallel_at_once() -> None:
    made = fold([a_signal()], a_world(at_home()))
    (call,) = notices(made, Purpose.HOUSEHOLD)
    assert (call.recipient_id, call.channel, call.address) == ("h-1", Channel.VOICE, PHONE)
    assert (call.round, call.step, call.reason) == (0, 0, Reason.FIRST_SIGNAL)
    assert who(made) == sorted((GRID_WORKER.id, channel.value) for channel in ALL)
    assert call.urgency > notices(made)[0].urgency, "no worker's call waits behind a household's"


def test_its_name_stands_nowhere_only_what_it_is_to_the_flat() -> None:
    (call,) = notices(fold([a_signal()], a_world(at_home())), Purpose.HOUSEHOLD)
    assert call.recipient_name == "住户（业主）"


def test_no_other_flat_is_told() -> None:
    made = fold([a_signal("smoke-1202")], a_world(at_home()))
    assert notices(made, Purpose.HOUSEHOLD) == []


def test_a_shared_part_belongs_to_no_flat() -> None:
    made = fold([a_signal("shed-2")], a_world(at_home(a_contact(place="shed"))))
    assert notices(made, Purpose.HOUSEHOLD) == []


def test_a_home_that_is_a_whole_building_is_called() -> None:
    made = fold([a_signal("smoke-b5")], a_world(at_home(a_contact(place="b5"))))
    assert [call.recipient_id for call in notices(made, Purpose.HOUSEHOLD)] == ["h-1"]


@pytest.mark.parametrize(
    "contact",
    [
        a_contact(consent_until=NOW),
        a_contact(consent_at=NOW + timedelta(seconds=1)),
    ],
)
def test_without_consent_in_force_nobody_is_called(contact: HouseholdContact) -> None:
    assert notices(fold([a_signal()], a_world(at_home(contact))), Purpose.HOUSEHOLD) == []


def test_at_most_five_contacts_and_who_needs_help_first() -> None:
    """The store brings who needs help leaving first; the core keeps that order."""
    contacts = [a_contact(f"h-{n}") for n in range(7)]
    made = fold([a_signal()], a_world(at_home(*contacts)))
    assert [call.recipient_id for call in notices(made, Purpose.HOUSEHOLD)] == [f"h-{n}" for n in range(5)]


def test_a_step_that_reaches_the_household_alone_is_empty() -> None:
    registry = at_home(registry=a_registry(shifts=shifts_of(Role.DEPUTY)))
    made = fold([a_signal()], a_world(registry))
    assert skipped(made) == [(0, Reason.NOBODY_ON_DUTY)]
    assert [n.step for n in notices(made, Purpose.HOUSEHOLD)] == [0]
    assert {n.recipient_id for n in notices(made)} == {DEPUTY.id}
    assert the_ladder(made).step == 1


def test_with_nobody_but_a_household_the_incident_is_not_dispatched() -> None:
    registry = at_home(registry=a_registry(people=(), shifts=()))
    opened = next(made for made in fold([a_signal()], a_world(registry)) if hasattr(made, "incident"))
    assert opened.incident.work is Work.NEW


def test_it_is_never_called_twice_about_one_incident() -> None:
    world = a_world(at_home())
    first = a_page(GRID_WORKER)
    call = replace(first, recipient_id="h-1", channel=Channel.VOICE, purpose=Purpose.HOUSEHOLD)
    again = climb(an_incident(), world, [first, call], index=0, round_=3, reason=Reason.TAKEN_EXPIRED)
    assert notices(again) != []
    assert notices(again, Purpose.HOUSEHOLD) == []


def test_two_sensors_of_one_flat_in_one_batch_call_it_once() -> None:
    made = fold([a_signal("smoke-1201"), a_signal("heat-1201", "fire.heat")], a_world(at_home()))
    assert len(notices(made, Purpose.HOUSEHOLD)) == 1


def test_when_it_spreads_to_another_flat_that_flat_hears_of_its_own_alarm() -> None:
    registry = at_home(a_contact(), a_contact("h-2", "r1301"))
    made = fold([a_signal("smoke-1201"), a_signal("smoke-1301")], a_world(registry))
    first, second = notices(made, Purpose.HOUSEHOLD)
    assert (first.recipient_id, second.recipient_id) == ("h-1", "h-2")
    assert "幺三零幺" in second.text
    assert "幺二零幺" not in second.text


def test_the_loop_never_calls_it() -> None:
    policy = a_policy(a_step(0, Role.GRID_WORKER, channels=ALL), loop=Loop(60, (Role.HOUSEHOLD, Role.CONTROL_ROOM)))
    made = loop(an_incident(policy=policy), a_world(at_home()), (), round_=1)
    assert notices(made, Purpose.HOUSEHOLD) == []
    assert notices(made) != []


def test_a_drill_never_calls_it() -> None:
    for incident in (marked(an_incident(), Overlay.DRILL), an_incident(drill_id="d-1")):
        made = climb(incident, a_world(at_home()), (), index=0, round_=0, reason=Reason.FIRST_SIGNAL)
        assert notices(made, Purpose.HOUSEHOLD) == []


@pytest.mark.parametrize("code", ["device.fault", "lane.blocked"])
def test_trouble_and_supervisory_never_call_it(code: str) -> None:
    policy = a_policy(a_step(0, Role.CONTROL_ROOM, Role.HOUSEHOLD, channels=ALL))
    made = climb(
        an_incident(code, policy=policy), a_world(at_home()), (), index=0, round_=0, reason=Reason.FIRST_SIGNAL
    )
    assert notices(made, Purpose.HOUSEHOLD) == []


def test_it_is_called_by_voice_alone() -> None:
    policy = a_policy(a_step(0, Role.GRID_WORKER, Role.HOUSEHOLD, channels=(Channel.SMS, Channel.APP)))
    made = climb(an_incident(policy=policy), a_world(at_home()), (), index=0, round_=0, reason=Reason.FIRST_SIGNAL)
    assert notices(made, Purpose.HOUSEHOLD) == []


@pytest.mark.parametrize(
    ("redial", "expected"), [(None, (0, 0)), (Redial(65, 0), (0, 0)), (Redial(65, 3), (65, 1)), (Redial(5, 1), (65, 1))]
)
def test_one_redial_at_most(redial: Redial | None, expected: tuple[int, int]) -> None:
    policy = a_policy(a_step(0, Role.GRID_WORKER, Role.HOUSEHOLD, channels=ALL, redial=redial))
    made = climb(an_incident(policy=policy), a_world(at_home()), (), index=0, round_=0, reason=Reason.FIRST_SIGNAL)
    (call,) = notices(made, Purpose.HOUSEHOLD)
    assert (call.redial_gap_s, call.redial_max) == expected


def test_the_call_says_who_calls_where_what_and_the_keys() -> None:
    (call,) = notices(fold([a_signal()], a_world(at_home())), Purpose.HOUSEHOLD)
    script = msgspec.json.decode(call.text, type=CallScript)
    assert script.household
    for word in ("社区消防值班系统", "幺二零幺", "烟雾报警", "幺幺九", "立即离开"):
        assert word in script.say
    assert script.keys == "着火或需要帮助请按一，没有着火请按二，重听请按三。"
    assert "出发" not in call.text


STEWARD = a_worker("steward", "楼栋长", "Steward")
DESK = a_worker("desk", "物业值班台", "Desk")
"""Night: the builders' clock shows twelve past three."""


def beside(*people: Person, shifts: tuple[Shift, ...]) -> RegistrySnapshot:
    usual = shifts_of(Role.GRID_WORKER)
    return a_registry(people=(GRID_WORKER, *people), shifts=(*usual, *shifts))


def called_by_voice(registry: RegistrySnapshot) -> set[str]:
    made = fold([a_signal()], a_world(registry))
    return {page.recipient_id for page in notices(made) if page.channel is Channel.VOICE and page.step == 0}


STEWARDS = a_shift(Role.BUILDING_STEWARD, "steward", place="b3")
DESKS = a_shift(Role.PROPERTY_DESK, "desk", place="compound")


def test_without_a_property_desk_the_steward_who_agreed_to_nights_is_called_at_once() -> None:
    willing = replace(STEWARD, night_calls=True)
    assert called_by_voice(beside(willing, shifts=(STEWARDS,))) == {GRID_WORKER.id, "steward"}


def test_a_steward_who_did_not_agree_sleeps() -> None:
    assert called_by_voice(beside(STEWARD, shifts=(STEWARDS,))) == {GRID_WORKER.id}


def test_where_a_property_desk_stands_it_is_called_and_not_the_steward() -> None:
    willing = replace(STEWARD, night_calls=True)
    assert called_by_voice(beside(willing, DESK, shifts=(STEWARDS, DESKS))) == {GRID_WORKER.id, "desk"}


def test_an_alarm_test_lists_no_household() -> None:
    """The list of a rehearsal shows whole numbers to whoever tests the detector."""
    rehearsed = rehearse(a_device("smoke-1201", "r1201"), "fire.smoke", a_world(at_home()))
    assert {call.recipient_id for call in rehearsed.calls} == {GRID_WORKER.id}
    assert PHONE not in str(rehearsed)


def test_a_call_to_the_household_alone_is_nothing_to_fold_or_hold_back() -> None:
    assert not concerns(fold([a_signal()], a_world(at_home())))


@pytest.mark.parametrize(
    ("signals", "policies", "flats"),
    [
        ([a_signal()], (), {"r1201"}),
        ([a_signal(), a_signal("smoke-1301")], (), {"r1201", "r1301"}),
        ([a_signal("smoke-b5")], (), {"b5"}),
        ([a_signal("shed-2")], (), set()),
        ([a_signal("nowhere-1")], (), set()),
        ([a_signal(code="device.fault")], (), set()),
        ([a_restoral()], (), set()),
    ],
)
def test_only_flats_with_a_fresh_alarm_are_asked_for(
    signals: list[SignalIn], policies: tuple[Policy, ...], flats: set[str]
) -> None:
    assert flats_of(signals, a_world(policies=policies)) == flats


def test_a_flat_that_has_been_heard_is_not_asked_for_again() -> None:
    known = an_incident(extent=Extent(rooms=("r1201",)))
    assert flats_of([a_signal(), a_signal("smoke-1301")], a_world(incidents=[known])) == {"r1301"}
    verified = replace(known, work=Work.VERIFIED)
    assert flats_of([a_signal()], a_world(incidents=[verified])) == {"r1201"}, "it may open a new incident"


def test_a_step_still_to_come_may_need_the_household() -> None:
    later = a_policy(a_step(0, Role.GRID_WORKER), a_step(30, Role.HOUSEHOLD, Role.DEPUTY))
    assert flats_ahead([an_incident(policy=later)], a_registry()) == {"r1201"}
    assert flats_ahead([an_incident(policy=later, step=1)], a_registry()) == set()
    assert flats_ahead([an_incident()], a_registry()) == set(), "the built-in policy asks it at once"
    assert flats_ahead([an_incident(work=Work.NEW)], a_registry()) == {"r1201"}, "nothing was asked yet"


RESULT_TEXT = "误报"


def test_after_closing_each_household_hears_of_its_own_flat_alone() -> None:
    willing = [a_contact(result_messages=True), a_contact("h-2", "r1301", result_messages=True), a_contact("h-3")]
    closed = an_incident(work=Work.CLOSED, extent=Extent(rooms=("r1201", "r1301", "r1202")))
    made = results(closed, "false_alarm", a_world(at_home(*willing)), (), {})
    texts = {notice.recipient_id: notice.text for notice in made}
    assert set(texts) == {"h-1", "h-2"}
    assert "1201" in texts["h-1"]
    assert "1301" not in texts["h-1"]
    assert "1301" in texts["h-2"]
    assert "1201" not in texts["h-2"]
    assert all(RESULT_TEXT in text for text in texts.values())
    assert {(notice.purpose, notice.channel) for notice in made} == {(Purpose.RESULT, Channel.SMS)}
    before = [replace(a_page(GRID_WORKER, purpose=Purpose.RESULT), recipient_id="h-1")]
    again = results(closed, "false_alarm", a_world(at_home(*willing)), before, {})
    assert [notice.recipient_id for notice in again] == ["h-2"], "once each"


@pytest.mark.parametrize(
    ("phone", "two_way", "link", "reply"),
    [
        ("+8613956785678", False, False, False),
        ("+8613956785678", True, False, True),
        ("+85291234567", False, True, False),
    ],
)
def test_the_question_is_what_the_number_can_answer(phone: str, two_way: bool, link: bool, reply: bool) -> None:
    registry = at_home(a_contact(result_messages=True, phone=phone))
    world = a_world(registry, settings=Settings(sms_two_way=two_way))
    address = "https://gengfu.test/a/abcdefghij012345"
    (notice,) = results(an_incident(work=Work.CLOSED), "real", world, (), {"h-1": address})
    assert (address in notice.text, "回复" in notice.text) == (link, reply)


@pytest.mark.parametrize("result", ["drill", "", "nonsense"])
def test_what_is_no_result_is_not_told(result: str) -> None:
    assert results(an_incident(), result, a_world(at_home(a_contact(result_messages=True))), (), {}) == []


def test_of_a_drill_nobody_is_told() -> None:
    world = a_world(at_home(a_contact(result_messages=True)))
    for incident in (an_incident(drill_id="d-1"), marked(an_incident(), Overlay.DRILL), an_incident("device.fault")):
        assert results(incident, "false_alarm", world, (), {}) == []
