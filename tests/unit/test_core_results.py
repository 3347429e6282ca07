"""What it was: cause, the mark `unseen`, the one all clear, evaluation, reopening."""

from dataclasses import replace
from typing import Any

import pytest

from alerting.core.acts import Verb, act
from alerting.core.decisions import (
    AddOverlay,
    Decision,
    DropOverlay,
    OpenIncident,
    Record,
    Refused,
    ReleaseKey,
    SetLadder,
    SetWork,
)
from alerting.core.model import (
    Ack,
    Actor,
    AttemptState,
    Condition,
    Incident,
    Overlay,
    Paged,
    Purpose,
    Reason,
    Refusal,
    Via,
    Work,
)
from alerting.core.policy import DEFAULTS
from alerting.core.world import World
from devices.model import Channel, PersonKind, Role
from tests.unit.builders import (
    COMMUNITY_DUTY,
    CONTROL_ROOM,
    DEPUTY,
    GRID_WORKER,
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
    marked,
    notices,
    on_all,
    pages_to,
    the_ladder,
    who,
)

SMS, VOICE, APP = Channel.SMS, Channel.VOICE, Channel.APP
OPERATOR = an_actor(None)
SECOND = Actor("login-2", "带班长", "console")
FROM_AFAR: dict[str, Any] = {"result": "false_alarm", "cause": "做饭油烟", "how": "phone"}
BOTH = [*pages_to(GRID_WORKER), *pages_to(DEPUTY, step=1)]
FRESH: dict[str, Any] = {"fresh_id": "i-2", "fresh_reference": "N3W22", "reason": "再次冒烟"}


def does(
    verb: Verb,
    incident: Incident | None = None,
    actor: Actor = OPERATOR,
    paged: list[Paged] | None = None,
    world: World | None = None,
    **detail: Any,
) -> list[Decision] | Refused:
    pages = BOTH if paged is None else paged
    return act(incident or an_incident(step=1), verb, actor, detail, pages, world or a_world(now=at(40)))


def done(outcome: list[Decision] | Refused) -> list[Decision]:
    assert not isinstance(outcome, Refused), outcome
    return outcome


def marks(made: list[Decision]) -> list[tuple[str, Overlay, Reason]]:
    return [
        (type(each).__name__, each.overlay, each.reason) for each in made if isinstance(each, AddOverlay | DropOverlay)
    ]


UNSEEN = [("AddOverlay", Overlay.UNSEEN, Reason.UNSEEN)]


@pytest.mark.parametrize("result", ["false_alarm", "device_fault"])
@pytest.mark.parametrize("cause", [None, "", "  "])
def test_what_was_not_real_by_itself_names_its_cause(result: str, cause: str | None) -> None:
    assert does(Verb.VERIFY, result=result, how="on_site", cause=cause) == Refused(Refusal.NO_CAUSE)


@pytest.mark.parametrize("result", ["real", "test", "drill"])
def test_the_others_need_none(result: str) -> None:
    done(does(Verb.VERIFY, result=result, how="on_site"))


@pytest.mark.parametrize("how", ["phone", "video"])
@pytest.mark.parametrize("work", [Work.NEW, Work.DISPATCHED, Work.TAKEN])
def test_severity_one_called_false_from_afar_is_marked(work: Work, how: str) -> None:
    assert marks(done(does(Verb.VERIFY, an_incident(work=work), **{**FROM_AFAR, "how": how}))) == UNSEEN


@pytest.mark.parametrize(
    ("incident", "detail"),
    [
        (an_incident(), {"how": "on_site"}),
        (an_incident(work=Work.ON_SITE, taken_by=GRID_WORKER.id), {}),
        (an_incident("env.overheat"), {}),
        (an_incident(), {"result": "real"}),
        (marked(an_incident(), Overlay.DRILL), {"result": "drill"}),
        (marked(an_incident(), Overlay.TEST), {"result": "test"}),
    ],
)
def test_what_was_seen_or_is_no_danger_is_not_marked(incident: Incident, detail: dict[str, Any]) -> None:
    assert marks(done(does(Verb.VERIFY, incident, **{**FROM_AFAR, **detail}))) == []


@pytest.mark.parametrize("result", ["test", "drill", "device_fault"])
def test_no_other_word_for_unreal_gets_round_the_mark(result: str) -> None:
    assert marks(done(does(Verb.VERIFY, an_incident(), **{**FROM_AFAR, "result": result}))) == UNSEEN


def test_a_second_person_or_a_visit_takes_the_mark_off_and_the_same_one_does_not() -> None:
    alone = marked(
        an_incident(work=Work.VERIFIED, verified_by=OPERATOR.id, verified_result="false_alarm", verified_how="phone"),
        Overlay.UNSEEN,
    )
    assert marks(done(does(Verb.VERIFY, alone, OPERATOR, **FROM_AFAR))) == []
    cleared = [("DropOverlay", Overlay.UNSEEN, Reason.SECOND_PERSON)]
    assert marks(done(does(Verb.VERIFY, alone, SECOND, **FROM_AFAR))) == cleared
    seen = [("DropOverlay", Overlay.UNSEEN, Reason.VERIFIED)]
    assert marks(done(does(Verb.VERIFY, alone, OPERATOR, **{**FROM_AFAR, "how": "on_site"}))) == seen
    assert marks(done(does(Verb.VERIFY, alone, OPERATOR, result="real", how="phone"))) == seen


def test_a_real_one_called_false_afterwards_from_afar_is_marked_unless_somebody_was_there() -> None:
    real = an_incident(work=Work.VERIFIED, verified_by=SECOND.id, verified_result="real", verified_how="phone")
    assert marks(done(does(Verb.VERIFY, real, **FROM_AFAR))) == UNSEEN
    assert marks(done(does(Verb.VERIFY, replace(real, verified_how="on_site"), **FROM_AFAR))) == []


@pytest.mark.parametrize("result", ["false_alarm", "test", "drill", "device_fault"])
def test_whoever_was_paged_hears_once_that_it_was_not_real(result: str) -> None:
    made = done(does(Verb.VERIFY, result=result, how="on_site", cause="x"))
    assert [recipient for recipient, _ in who(made, Purpose.ALL_CLEAR)] == [DEPUTY.id, GRID_WORKER.id]
    told = [*BOTH, *(a_page(p, purpose=Purpose.ALL_CLEAR) for p in (GRID_WORKER, DEPUTY))]
    verified = an_incident(work=Work.VERIFIED, verified_by=OPERATOR.id, verified_result=result)
    assert notices(done(does(Verb.CLOSE, verified, paged=told)), Purpose.ALL_CLEAR) == []


def test_a_real_one_is_over_for_others_when_it_is_closed() -> None:
    assert notices(done(does(Verb.VERIFY, result="real", how="on_site")), Purpose.ALL_CLEAR) == []
    made = done(does(Verb.CLOSE, an_incident(work=Work.VERIFIED, verified_result="real")))
    assert [recipient for recipient, _ in who(made, Purpose.ALL_CLEAR)] == [DEPUTY.id, GRID_WORKER.id]


def test_the_one_who_acted_knows() -> None:
    made = done(does(Verb.VERIFY, actor=an_actor(GRID_WORKER), result="false_alarm", how="on_site", cause="x"))
    assert [recipient for recipient, _ in who(made, Purpose.ALL_CLEAR)] == [DEPUTY.id]


@pytest.mark.parametrize(
    ("state", "by"),
    [
        (AttemptState.PROVIDER_ACCEPTED, "app"),
        (AttemptState.DELIVERED, "app"),
        (AttemptState.REJECTED, "sms"),
        (AttemptState.UNKNOWN, "sms"),
    ],
)
def test_the_all_clear_goes_where_the_page_was_read(state: AttemptState, by: str) -> None:
    paged = [a_page(DEPUTY, SMS), a_page(DEPUTY, VOICE), a_page(DEPUTY, APP, state)]
    made = done(does(Verb.VERIFY, paged=paged, result="test", how="on_site"))
    assert who(made, Purpose.ALL_CLEAR) == [(DEPUTY.id, by)]


def test_whom_no_page_can_have_reached_hears_nothing() -> None:
    paged = [a_page(DEPUTY, SMS, state) for state in (AttemptState.PLANNED, AttemptState.CANCELED)]
    assert notices(done(does(Verb.VERIFY, paged=paged, result="test", how="on_site")), Purpose.ALL_CLEAR) == []


def test_a_household_is_told_in_its_own_words_and_not_here() -> None:
    flat = replace(a_worker("flat", "住户", "Flat"), kind=PersonKind.HOUSEHOLD)
    world = a_world(a_registry(people=(*STAFF, flat)), now=at(40))
    made = done(does(Verb.VERIFY, paged=pages_to(flat), world=world, result="test", how="on_site"))
    assert notices(made, Purpose.ALL_CLEAR) == []


def test_who_the_policy_names_hears_of_the_end_paged_or_not() -> None:
    policy = replace(a_policy(a_step(0, Role.GRID_WORKER)), told_at_end=(Role.STREET_DUTY, Role.GRID_WORKER))
    made = done(does(Verb.CLOSE, an_incident(work=Work.VERIFIED, policy=policy), paged=pages_to(GRID_WORKER)))
    assert [recipient for recipient, _ in who(made, Purpose.ALL_CLEAR)] == [GRID_WORKER.id, STREET_DUTY.id]


def test_a_drills_all_clear_says_drill_first() -> None:
    paged = [a_page(GRID_WORKER, purpose=Purpose.DRILL)]
    made = done(does(Verb.VERIFY, marked(an_incident(), Overlay.DRILL), paged=paged, result="drill", how="on_site"))
    texts = [notice.text for notice in notices(made, Purpose.ALL_CLEAR) if notice.channel is SMS]
    assert texts
    assert all("演练" in text[:8] for text in texts)


def test_an_evaluation_follows_the_end_once() -> None:
    made = done(does(Verb.EVALUATE, an_incident(work=Work.CLOSED), score=4, note="及时"))
    assert made == [SetWork("i-1", Work.EVALUATED, OPERATOR, Reason.EVALUATED, {"score": 4, "note": "及时"})]
    assert does(Verb.EVALUATE, an_incident(work=Work.EVALUATED)) == Refused(Refusal.ALREADY_EVALUATED)
    for work in (Work.NEW, Work.DISPATCHED, Work.TAKEN, Work.ON_SITE, Work.VERIFIED):
        refused = does(Verb.EVALUATE, an_incident(work=work))
        assert isinstance(refused, Refused)
        assert refused.reason is Refusal.NOT_CLOSED


@pytest.mark.parametrize("work", [Work.CLOSED, Work.EVALUATED])
def test_reopening_opens_a_linked_incident_that_pages_like_a_first_alarm(work: Work) -> None:
    closed = an_incident(work=work, severity=1, round=3, step=4, ack=Ack.ACKNOWLEDGED, due_at=None)
    made = done(does(Verb.REOPEN, marked(closed, Overlay.ESCALATED, Overlay.UNSEEN), **FRESH))
    (opened,) = [each.incident for each in made if isinstance(each, OpenIncident)]
    assert (opened.id, opened.reference, opened.linked_to) == ("i-2", "N3W22", "i-1")
    assert (opened.raised_by, opened.raised_via) == (OPERATOR.id, Via.REOPENED)
    assert (opened.dedup_key, opened.place_id, opened.code) == (closed.dedup_key, closed.place_id, closed.code)
    assert (opened.work, opened.ack, opened.condition) == (Work.DISPATCHED, Ack.NONE, Condition.ACTIVE)
    assert (opened.overlays, opened.opened_at) == (frozenset(), at(40))
    assert opened.policy == DEFAULTS[0]
    assert who(made) == on_all(GRID_WORKER)
    assert the_ladder(made) == SetLadder("i-2", 0, 0, at(70), Reason.UNANSWERED)
    assert (opened.due_at, opened.round, opened.step) == (at(70), 0, 0)
    assert {each.incident_id for each in made if isinstance(each, Record)} == {"i-1", "i-2"}
    assert not [each for each in made if isinstance(each, SetWork)], "the closed one stays as it is"


def test_reopening_chooses_the_policy_anew() -> None:
    mine = a_policy(a_step(0, Role.COMMUNITY_DUTY), name="anew")
    made = done(does(Verb.REOPEN, an_incident(work=Work.CLOSED), world=a_world(policies=[mine]), **FRESH))
    assert who(made) == [(COMMUNITY_DUTY.id, "sms")]


def test_reopening_needs_a_reason_and_a_free_place() -> None:
    closed = an_incident(work=Work.CLOSED)
    assert does(Verb.REOPEN, closed, **{**FRESH, "reason": " "}) == Refused(Refusal.NO_REASON)
    other = an_incident(id="i-9")
    assert does(Verb.REOPEN, closed, world=a_world(incidents=[other]), **FRESH) == Refused(Refusal.SAME_OPEN)
    seen = replace(other, work=Work.VERIFIED)
    made = done(does(Verb.REOPEN, closed, world=a_world(incidents=[seen]), **FRESH))
    assert made[0] == ReleaseKey("i-9", Reason.NEW_ALARM)


def test_what_is_open_is_not_reopened() -> None:
    refused = does(Verb.REOPEN, an_incident(), **FRESH)
    assert isinstance(refused, Refused)
    assert refused.reason is Refusal.NOT_CLOSED


def test_a_reopened_drill_is_a_drill_and_keeps_its_mark() -> None:
    made = done(does(Verb.REOPEN, marked(an_incident(work=Work.CLOSED, drill_id="d-1"), Overlay.DRILL), **FRESH))
    (opened,) = [each.incident for each in made if isinstance(each, OpenIncident)]
    assert (opened.drill_id, opened.overlays) == ("d-1", frozenset({Overlay.DRILL}))
    assert CONTROL_ROOM.id not in {recipient for recipient, _ in who(made)}
