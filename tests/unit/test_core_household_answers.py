"""What a household says on its call: 1 confirms, raises and asks everybody again; 2 is shown and stops nobody."""

from dataclasses import replace

import pytest

from alerting.core.again import raise_severity
from alerting.core.context import Context
from alerting.core.decisions import (
    AddOverlay,
    CancelPending,
    Decision,
    DropOverlay,
    Note,
    Notify,
    RaiseSeverity,
    Refused,
    SetLadder,
    SetWork,
)
from alerting.core.household_answers import Said, actor_of, hear
from alerting.core.messages import render
from alerting.core.model import AttemptState, Incident, Overlay, Paged, Purpose, Reason, Refusal, Work
from devices.model import Channel, Language, Relation
from devices.taxonomy import TAXONOMY
from tests.unit.builders import (
    COMMUNITY_DUTY,
    DEPUTY,
    GRID_WORKER,
    a_page,
    a_world,
    an_incident,
    at,
    marked,
    notices,
    on_all,
    pages_to,
    taken_by,
    the_ladder,
    who,
)

OWNER = actor_of("h-1", Relation.OWNER, "voice")
TENANT = actor_of("h-2", Relation.TENANT, "voice")


def a_call(person: str = "h-1", state: AttemptState = AttemptState.ANSWERED) -> Paged:
    return replace(a_page(GRID_WORKER, Channel.VOICE, state, purpose=Purpose.HOUSEHOLD), recipient_id=person)


def says(
    said: Said, incident: Incident | None = None, paged: list[Paged] | None = None, seconds: float = 10
) -> list[Decision]:
    asked = [*pages_to(GRID_WORKER), a_call()] if paged is None else paged
    made = hear(incident or an_incident(), said, OWNER, "1201", asked, a_world(now=at(seconds)))
    assert not isinstance(made, Refused)
    return made


def marks(made: list[Decision]) -> set[Overlay]:
    return {each.overlay for each in made if isinstance(each, AddOverlay)}


def test_fire_is_confirmed_and_everybody_asked_so_far_hears_it_with_the_next_step() -> None:
    made = says(Said.FIRE)
    assert marks(made) == {Overlay.CONFIRMED, Overlay.HOUSEHOLD_CONFIRMED}
    assert who(made) == on_all(GRID_WORKER, DEPUTY)
    assert {notice.reason for notice in notices(made)} == {Reason.HOUSEHOLD_CONFIRMED}
    assert {notice.round for notice in notices(made)} == {1}
    assert (the_ladder(made).round, the_ladder(made).step) == (1, 1)


def test_from_a_later_step_the_one_after_it_is_asked_too() -> None:
    made = says(Said.FIRE, an_incident(step=1, round=0), [*pages_to(GRID_WORKER), *pages_to(DEPUTY, step=1)])
    assert who(made) == on_all(GRID_WORKER, DEPUTY, COMMUNITY_DUTY)


def test_the_texts_say_that_the_household_confirms() -> None:
    made = says(Said.FIRE)
    texts = {notice.channel: notice.text for notice in notices(made) if notice.recipient_id == GRID_WORKER.id}
    assert "火警已确认" in texts[Channel.SMS]
    for text in texts.values():
        assert "住户确认起火或求助" in text


def test_a_lower_alarm_becomes_severity_1() -> None:
    made = says(Said.FIRE, replace(an_incident("charge.arc"), severity=2))
    assert [each.severity for each in made if isinstance(each, RaiseSeverity)] == [1]
    assert raise_severity(an_incident(), Reason.CONFIRMED)[0] == []


def test_whoever_goes_keeps_his_time_and_is_told() -> None:
    gone = taken_by(GRID_WORKER, an_incident(), 5)
    made = says(Said.FIRE, gone)
    assert not any(isinstance(each, SetWork | CancelPending) for each in made)
    assert the_ladder(made).due_at == gone.due_at
    assert GRID_WORKER.id in {notice.recipient_id for notice in notices(made)}


def test_it_takes_back_what_another_of_the_flat_denied() -> None:
    made = says(Said.FIRE, marked(an_incident(), Overlay.HOUSEHOLD_NO_FIRE))
    assert [each.overlay for each in made if isinstance(each, DropOverlay)] == [Overlay.HOUSEHOLD_NO_FIRE]


def test_no_fire_is_shown_and_changes_nothing_else() -> None:
    made = says(Said.NO_FIRE)
    assert marks(made) == {Overlay.HOUSEHOLD_NO_FIRE}
    assert {type(each) for each in made} == {Note, AddOverlay}


@pytest.mark.parametrize("mark", [Overlay.CONFIRMED, Overlay.SPREADING, Overlay.HOUSEHOLD_CONFIRMED])
def test_no_fire_is_no_mark_where_something_else_says_that_it_burns(mark: Overlay) -> None:
    assert marks(says(Said.NO_FIRE, marked(an_incident(), mark))) == set()


def test_later_pages_say_what_the_household_said() -> None:
    context = Context(
        hazard=TAXONOMY["fire.smoke"],
        place=an_incident().place_text,
        at=at(0),
        household_denies=True,
    )
    for channel in Channel:
        assert "住户称未着火" in render(Purpose.PAGE, channel, Language.ZH_CN, context)
        assert "Household says no fire" in render(Purpose.PAGE, channel, Language.EN, context)


@pytest.mark.parametrize("said", list(Said))
@pytest.mark.parametrize("work", [Work.NEW, Work.DISPATCHED, Work.TAKEN, Work.ON_SITE, Work.VERIFIED])
def test_no_key_ever_moves_work_or_ends_the_ladder(said: Said, work: Work) -> None:
    made = says(said, replace(an_incident(), work=work))
    assert not any(isinstance(each, SetWork | CancelPending) for each in made)
    assert all(each.due_at is not None for each in made if isinstance(each, SetLadder))


def test_after_a_result_it_is_only_noted_here() -> None:
    made = says(Said.FIRE, replace(an_incident(), work=Work.VERIFIED))
    assert [type(each) for each in made] == [Note]


def test_on_a_closed_incident_nothing_is_changed() -> None:
    made = hear(replace(an_incident(), work=Work.CLOSED), Said.NO_FIRE, OWNER, "1201", (), a_world())
    assert made == Refused(Refusal.ALREADY_CLOSED)


@pytest.mark.parametrize("said", list(Said))
def test_what_was_said_once_is_not_decided_again(said: Said) -> None:
    assert says(said, paged=[*pages_to(GRID_WORKER), a_call(state=AttemptState.TAKEN)]) == []


def test_another_of_the_flat_is_heard_too() -> None:
    asked = [a_call(state=AttemptState.TAKEN), a_call("h-2")]
    made = hear(an_incident(), Said.FIRE, TENANT, "1201", asked, a_world(now=at(20)))
    assert isinstance(made, list)
    assert notices(made) != []


def test_the_timeline_knows_it_by_what_it_is_to_the_flat() -> None:
    (note,) = [each for each in says(Said.FIRE) if isinstance(each, Note)]
    assert (note.actor.name, note.text, note.reason) == ("住户（业主）", "fire", Reason.HOUSEHOLD_CONFIRMED)
    assert note.actor.person_id is None, "it takes nothing"


def test_no_household_is_asked_again_by_it() -> None:
    assert [each for each in says(Said.FIRE) if isinstance(each, Notify) and each.purpose is Purpose.HOUSEHOLD] == []
