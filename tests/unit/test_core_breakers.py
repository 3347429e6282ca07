"""An account that refuses or is silent is left alone for a while; one good answer, or a look, brings it back."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.core import breakers
from alerting.core.breakers import Breaker, BreakerWord, heard, looked, looking, may_look
from alerting.core.outcomes import Accepted, Busy, Rejected, Scope, Submitted, Unknown

NOW = datetime(2026, 11, 27, tzinfo=UTC)
REFUSED = Rejected("sender", Scope.ACCOUNT)


def after(*answers: Submitted, gap_s: float = 1.0, breaker: Breaker | None = None) -> Breaker:
    breaker = breaker or Breaker()
    for n, answer in enumerate(answers):
        breaker = heard(breaker, answer, NOW + timedelta(seconds=n * gap_s))
    return breaker


@pytest.mark.parametrize(
    ("answers", "gap_s", "opens"),
    [
        ((REFUSED,) * 3, 1.0, True),
        ((REFUSED,) * 2, 1.0, False),
        ((REFUSED,) * 3, 16.0, False),
        ((Unknown("timeout"),) * 5, 1.0, True),
        ((Unknown("timeout"),) * 4, 1.0, False),
        ((Unknown("timeout"),) * 5, 8.0, False),
        ((Rejected("credentials", Scope.ACCOUNT),), 1.0, True),
        ((Rejected("balance", Scope.ACCOUNT),), 1.0, True),
        ((Rejected("number_invalid", Scope.NUMBER),) * 9, 1.0, False),
        ((Rejected("template", Scope.TEXT),) * 9, 1.0, False),
        ((Busy(1.0),) * 9, 1.0, False),
        ((REFUSED, REFUSED, Accepted("ref"), REFUSED), 1.0, False),
    ],
)
def test_when_it_opens(answers: tuple[Submitted, ...], gap_s: float, opens: bool) -> None:
    breaker = after(*answers, gap_s=gap_s)
    assert (breaker.word is BreakerWord.OPEN) is opens
    assert breaker.passes is not opens


def test_it_rests_fifteen_seconds_and_is_looked_at_then() -> None:
    breaker = after(Rejected("credentials", Scope.ACCOUNT))
    assert breaker.cause == "credentials"
    assert not may_look(breaker, NOW + timedelta(seconds=14.9))
    assert may_look(breaker, NOW + timedelta(seconds=15))
    half = looking(breaker)
    assert half.word is BreakerWord.HALF_OPEN
    assert not half.passes
    assert not may_look(half, NOW + timedelta(seconds=60))
    assert looked(half, True, NOW).word is BreakerWord.CLOSED
    again = looked(half, False, NOW + timedelta(seconds=16))
    assert again.word is BreakerWord.OPEN
    assert not may_look(again, NOW + timedelta(seconds=30))


def test_life_safety_that_went_through_all_the_same_closes_it() -> None:
    """With every breaker open it still tries; what is accepted proves more than a look."""
    breaker = after(*(REFUSED,) * 3)
    assert heard(breaker, Accepted("ref"), NOW).passes
    assert heard(looking(breaker), Accepted("ref"), NOW).passes
    assert looked(heard(looking(breaker), Accepted("ref"), NOW), False, NOW).passes


def test_what_fails_while_it_is_open_keeps_it_open() -> None:
    breaker = after(*(REFUSED,) * 3)
    later = heard(breaker, Unknown("timeout"), NOW + timedelta(seconds=14))
    assert later.word is BreakerWord.OPEN
    assert not may_look(later, NOW + timedelta(seconds=20))


def test_a_quiet_account_costs_nothing() -> None:
    breaker = Breaker()
    assert heard(breaker, Accepted("ref"), NOW) is breaker
    assert breakers.refused_max < breakers.unclear_max
