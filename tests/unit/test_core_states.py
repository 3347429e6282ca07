"""The table of an incident's life: every move and every refusal, and the latch of class A."""

import pytest

from alerting.core.decisions import Refused
from alerting.core.model import Refusal, Work
from alerting.core.states import TRANSITIONS, Act, move
from tests.unit.builders import an_incident

OTHER = "env.overheat"
"""Class A as well, but not life safety: it latches all the same."""
SUPERVISORY = "lane.blocked"


def test_the_table_names_every_state() -> None:
    assert set(TRANSITIONS) == set(Work)


@pytest.mark.parametrize("act", list(Act))
@pytest.mark.parametrize("work", list(Work))
@pytest.mark.parametrize("code", ["fire.smoke", SUPERVISORY])
def test_a_move_is_in_the_table_or_refused_with_a_reason(code: str, work: Work, act: Act) -> None:
    incident = an_incident(code, work=work)
    latched = code == "fire.smoke" and act is Act.CLOSE and work is not Work.VERIFIED
    outcome = move(incident, act)
    if act in TRANSITIONS[work] and not latched:
        assert outcome is TRANSITIONS[work][act]
    else:
        assert isinstance(outcome, Refused)


@pytest.mark.parametrize(
    ("work", "act", "why"),
    [
        (Work.TAKEN, Act.ACCEPT, Refusal.ALREADY_TAKEN),
        (Work.ON_SITE, Act.ACCEPT, Refusal.ALREADY_TAKEN),
        (Work.VERIFIED, Act.ACCEPT, Refusal.ALREADY_TAKEN),
        (Work.CLOSED, Act.ACCEPT, Refusal.ALREADY_CLOSED),
        (Work.EVALUATED, Act.ACCEPT, Refusal.ALREADY_CLOSED),
        (Work.CLOSED, Act.CLOSE, Refusal.ALREADY_CLOSED),
        (Work.CLOSED, Act.VERIFY, Refusal.ALREADY_CLOSED),
        (Work.TAKEN, Act.CALL_AGAIN, Refusal.ALREADY_TAKEN),
        (Work.VERIFIED, Act.SHELVE, Refusal.WRONG_STATE),
        (Work.VERIFIED, Act.DISPATCH, Refusal.WRONG_STATE),
        (Work.CLOSED, Act.TRANSFER, Refusal.ALREADY_CLOSED),
        (Work.DISPATCHED, Act.REOPEN, Refusal.NOT_CLOSED),
        (Work.EVALUATED, Act.EVALUATE, Refusal.ALREADY_EVALUATED),
        (Work.DISPATCHED, Act.EXPIRE, Refusal.WRONG_STATE),
        (Work.VERIFIED, Act.ARRIVE, Refusal.WRONG_STATE),
        (Work.VERIFIED, Act.EXPIRE, Refusal.WRONG_STATE),
        (Work.DISPATCHED, Act.EVALUATE, Refusal.NOT_CLOSED),
    ],
)
def test_a_refusal_says_why(work: Work, act: Act, why: Refusal) -> None:
    outcome = move(an_incident(SUPERVISORY, work=work), act)
    assert isinstance(outcome, Refused)
    assert outcome.reason is why


def test_a_second_acceptance_is_told_who_goes() -> None:
    incident = an_incident(work=Work.TAKEN, taken_by="grid-worker-a")
    assert move(incident, Act.ACCEPT) == Refused(Refusal.ALREADY_TAKEN, who="grid-worker-a")


@pytest.mark.parametrize("code", ["fire.smoke", "gas.co", "charge.overheat", OTHER, "water.leak"])
@pytest.mark.parametrize("work", [Work.NEW, Work.DISPATCHED, Work.TAKEN, Work.ON_SITE])
def test_class_a_latches_until_somebody_has_seen_it(code: str, work: Work) -> None:
    assert move(an_incident(code, work=work), Act.CLOSE) == Refused(Refusal.NOT_VERIFIED)
    assert move(an_incident(code, work=Work.VERIFIED), Act.CLOSE) is Work.CLOSED


@pytest.mark.parametrize("code", [SUPERVISORY, "device.low_battery"])
def test_the_rest_may_be_closed_unverified(code: str) -> None:
    assert move(an_incident(code, work=Work.DISPATCHED), Act.CLOSE) is Work.CLOSED


def test_nothing_leads_back_from_closed_to_open() -> None:
    after = {following for work in (Work.CLOSED, Work.EVALUATED) for following in TRANSITIONS[work].values()}
    assert after <= {Work.CLOSED, Work.EVALUATED}
