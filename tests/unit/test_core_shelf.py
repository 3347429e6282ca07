"""The shelf: who may rest and for how long, that the ladder rests, and that it comes back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from alerting.core.acts import Verb, act
from alerting.core.decisions import CancelPending, Decision, EndShelf, Refused, SetLadder, SetWork, Shelve
from alerting.core.model import AttemptState, Incident, Reason, Refusal, Work
from alerting.core.verbs_shelf import SHELF_S_MAX
from alerting.core.world import World
from alerting.escalation import TABLE
from alerting.escalation.taken_expired import SYSTEM
from tests.unit.builders import (
    GRID_WORKER,
    NOW,
    a_page,
    a_world,
    an_actor,
    an_incident,
    at,
    notices,
    pages_to,
    taken_by,
    the_ladder,
    who,
)

OPERATOR = an_actor(None)
BLOCKED = "lane.blocked"


def shelve(incident: Incident, **detail: Any) -> list[Decision] | Refused:
    return act(incident, Verb.SHELVE, OPERATOR, {"reason": "业主来挪车", **detail}, pages_to(GRID_WORKER), a_world())


def shelved(until_s: float = 600, **changes: Any) -> Incident:
    """A severity 2 incident on the shelf."""
    until = at(until_s)
    return an_incident(BLOCKED, **{"shelved_until": until, "due_at": until, "due_reason": Reason.SHELVED, **changes})


def ask(incident: Incident, world: World, paged: Any = ()) -> tuple[str, list[Decision]]:
    for name, rule in TABLE.items():
        made = rule(incident, paged, world)
        if made is not None:
            return name, made
    raise AssertionError("no rule spoke")


def test_a_shelf_rests_the_ladder_and_says_why() -> None:
    made = shelve(an_incident(BLOCKED), minutes=20)
    assert made == [
        Shelve("i-1", at(1200), OPERATOR, Reason.SHELVED, "业主来挪车"),
        CancelPending("i-1", Reason.SHELVED),
        SetLadder("i-1", 0, 0, at(1200), Reason.SHELVED),
    ]


def test_without_a_time_it_is_a_quarter_of_an_hour() -> None:
    made = shelve(an_incident(BLOCKED))
    assert not isinstance(made, Refused)
    assert the_ladder(made).due_at == at(900)


@pytest.mark.parametrize("severity", [1, 2, 3, 4, 5])
def test_how_long_depends_on_severity(severity: int) -> None:
    incident = an_incident("water.leak", severity=severity)
    if severity == 1:
        assert shelve(incident, minutes=1) == Refused(Refusal.SHELF_SEVERITY)
        return
    most = SHELF_S_MAX[severity]
    assert most == {2: 1800, 3: 28_800, 4: 86_400, 5: 86_400}[severity]
    for seconds, refused in ((most, False), (most + 1, True), (0, True), (-5, True)):
        until = (NOW + timedelta(seconds=seconds)).isoformat()
        assert (shelve(incident, until=until) == Refused(Refusal.SHELF_LIMIT)) is refused


@pytest.mark.parametrize("reason", ["", "  ", None])
def test_a_reason_is_compulsory(reason: str | None) -> None:
    assert shelve(an_incident(BLOCKED), reason=reason) == Refused(Refusal.NO_REASON)


@pytest.mark.parametrize("work", [Work.VERIFIED, Work.CLOSED])
def test_what_is_decided_needs_no_shelf(work: Work) -> None:
    assert isinstance(shelve(an_incident(BLOCKED, work=work)), Refused)


def test_on_the_shelf_nothing_is_asked_even_where_every_message_failed() -> None:
    failed = [a_page(GRID_WORKER, state=AttemptState.FAILED)]
    assert ask(shelved(), a_world(now=at(599)), failed) == ("shelved", [])


def test_at_its_end_everybody_is_asked_again_in_a_new_round() -> None:
    name, made = ask(shelved(), a_world(now=at(600)), pages_to(GRID_WORKER))
    assert name == "shelved"
    assert made[0] == EndShelf("i-1", SYSTEM, Reason.SHELF_ENDED)
    assert {recipient for recipient, _ in who(made)} == {GRID_WORKER.id}
    assert (the_ladder(made).round, the_ladder(made).step) == (1, 0)


def test_when_severity_rises_to_one_the_shelf_ends_at_once() -> None:
    name, made = ask(shelved(severity=1), a_world(now=at(1)))
    assert name == "shelved"
    assert isinstance(made[0], EndShelf)
    assert notices(made)


def test_who_had_gone_when_it_was_shelved_is_asked_again_with_the_others() -> None:
    incident = replace(shelved(), work=Work.ON_SITE, taken_by=GRID_WORKER.id)
    _, made = ask(incident, a_world(now=at(600)))
    assert [each.work for each in made if isinstance(each, SetWork)] == [Work.DISPATCHED]
    assert {recipient for recipient, _ in who(made)} == {GRID_WORKER.id}


def test_taking_it_off_by_hand_is_the_same_and_needs_a_shelf() -> None:
    made = act(shelved(), Verb.UNSHELVE, OPERATOR, {}, (), a_world(now=at(5)))
    assert not isinstance(made, Refused)
    assert made[0] == EndShelf("i-1", OPERATOR, Reason.UNSHELVED)
    assert notices(made)
    assert act(an_incident(BLOCKED), Verb.UNSHELVE, OPERATOR, {}, (), a_world()) == Refused(Refusal.NOT_SHELVED)


@pytest.mark.parametrize("verb", [Verb.ACCEPT, Verb.ARRIVE, Verb.VERIFY, Verb.CLOSE])
def test_whoever_acts_on_it_takes_it_off(verb: Verb) -> None:
    detail = {"result": "real", "how": "on_site"}
    made = act(shelved(), verb, an_actor(GRID_WORKER), detail, pages_to(GRID_WORKER), a_world(now=at(5)))
    assert not isinstance(made, Refused)
    assert [each for each in made if isinstance(each, EndShelf)]


def test_a_refusal_to_go_on_the_shelf_is_a_note_and_wakes_nobody() -> None:
    made = act(shelved(), Verb.DECLINE, an_actor(GRID_WORKER), {}, pages_to(GRID_WORKER), a_world(now=at(5)))
    assert not isinstance(made, Refused)
    assert [type(each).__name__ for each in made] == ["Note"]


def test_who_gives_back_what_he_took_from_the_shelf_has_the_others_asked() -> None:
    incident = replace(taken_by(GRID_WORKER, an_incident(BLOCKED)), shelved_until=at(600))
    made = act(incident, Verb.DECLINE, an_actor(GRID_WORKER), {}, pages_to(GRID_WORKER), a_world(now=at(5)))
    assert not isinstance(made, Refused)
    assert [each for each in made if isinstance(each, EndShelf)]
