"""Who takes a message: the order of its country, what each carrier can take now, and what happens when none can."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.core.budget import Room
from alerting.core.outcomes import Rejected, Scope
from alerting.core.routing import (
    EVERYWHERE,
    ORDERS,
    Go,
    Option,
    Why,
    alternated,
    choose,
    ordered,
    passes_on,
    reaches,
)
from devices.model import Channel

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
CHINA = frozenset({"+86"})
HERE = {"twilio": None, "aliyun": CHINA, "tencent": CHINA, "sns": None}


def in_s(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


FULL = Room(0, in_s(7200))


@pytest.mark.parametrize(
    ("channel", "address", "expected"),
    [
        (Channel.SMS, "+8613800001234", ("aliyun", "tencent", "twilio", "sns")),
        (Channel.VOICE, "+8613800001234", ("aliyun", "tencent", "twilio", "sns")),
        (Channel.SMS, "+15550100", ("twilio", "sns")),
        (Channel.VOICE, "+4930123456", ("twilio", "sns")),
    ],
)
def test_the_order_is_the_country_s_and_only_who_reaches_it_counts(
    channel: Channel, address: str, expected: tuple[str, ...]
) -> None:
    assert ordered(ORDERS, channel, address, HERE) == expected


def test_only_what_is_set_counts_and_an_unnamed_carrier_is_the_last_resort() -> None:
    assert ordered(ORDERS, Channel.SMS, "+8613800001234", {"other": None, "tencent": CHINA}) == ("tencent", "other")
    assert ordered(ORDERS, Channel.SMS, "+15550100", {"aliyun": CHINA}) == ()


def test_the_longest_country_code_decides() -> None:
    orders = {Channel.SMS: {"+8": ("b",), "+86": ("a",), EVERYWHERE: ("c",)}}
    regions = {"a": None, "b": None, "c": None}
    assert ordered(orders, Channel.SMS, "+8613800001234", regions)[0] == "a"
    assert ordered(orders, Channel.SMS, "+8210123", regions)[0] == "b"
    assert ordered(orders, Channel.SMS, "+1555", regions)[0] == "c"


def test_regions_say_nothing_about_what_is_no_number() -> None:
    assert reaches(CHINA, "worker-a")
    assert not reaches(CHINA, "+1555")


A, B = Option("a"), Option("b")


@pytest.mark.parametrize(
    ("options", "urgency", "go", "provider", "why"),
    [
        ((A, B), 0, Go.NOW, "a", Why.PLAIN),
        ((Option("a", passes=False), B), 0, Go.NOW, "b", Why.BREAKER),
        ((Option("a", FULL), B), 0, Go.NOW, "b", Why.BUDGET),
        ((Option("a", busy_until=in_s(5)), B), 3, Go.NOW, "b", Why.BUSY),
        ((Option("a", rate_at=in_s(1)), B), 3, Go.NOW, "b", Why.RATE),
        ((Option("a", rate_at=in_s(1)),), 0, Go.NOW, "a", Why.PLAIN),
        ((Option("a", rate_at=in_s(1)),), 3, Go.WAIT, "a", Why.RATE),
        ((Option("a", passes=False), Option("b", passes=False)), 0, Go.NOW, "a", Why.BREAKER),
        ((Option("a", passes=False), Option("b", passes=False)), 4, Go.NOW, "a", Why.BREAKER),
        ((Option("a", FULL), Option("b", Room(0, in_s(3600)))), 0, Go.ANYWAY, "b", Why.BUDGET),
        ((Option("a", FULL), Option("b", FULL)), 1, Go.REFUSED, "", Why.BUDGET),
        ((Option("a", Room(0, in_s(40))), Option("b", FULL)), 0, Go.WAIT, "a", Why.GAP),
        ((Option("a", busy_until=in_s(9)), Option("b", busy_until=in_s(3))), 0, Go.WAIT, "b", Why.BUSY),
        ((Option("a", busy_until=in_s(9)), Option("b", passes=False)), 0, Go.NOW, "b", Why.BREAKER),
        ((), 0, Go.NOBODY, "", Why.PLAIN),
    ],
)
def test_the_first_that_can_and_never_silence(
    options: tuple[Option, ...], urgency: int, go: Go, provider: str, why: Why
) -> None:
    choice = choose(options, NOW, urgency=urgency)
    assert (choice.go, choice.provider, choice.why) == (go, provider, why)
    assert (choice.at is not None) == (go is Go.WAIT)


def test_whoever_is_preferred_goes_first_if_he_can_and_whoever_is_avoided_last() -> None:
    assert choose((A, B), NOW, urgency=0, prefer="b").provider == "b"
    assert choose((A, Option("b", FULL)), NOW, urgency=0, prefer="b").provider == "a"
    assert choose((A, B), NOW, urgency=0, avoid="a").provider == "b"
    assert choose((A,), NOW, urgency=0, avoid="a").provider == "a"


rooms = st.one_of(st.just(Room()), st.integers(1, 5).map(Room), st.integers(1, 90_000).map(lambda s: Room(0, in_s(s))))
moments = st.one_of(st.none(), st.integers(-10, 100).map(in_s))
options_ = st.lists(
    st.builds(Option, st.sampled_from("abcd"), rooms, passes=st.booleans(), rate_at=moments, busy_until=moments),
    min_size=1,
    max_size=4,
    unique_by=lambda each: each.provider,
)


@given(options_, st.integers(0, 5))
def test_life_safety_is_never_refused_and_nobody_else_goes_over_a_limit(options: list[Option], urgency: int) -> None:
    choice = choose(options, NOW, urgency=urgency)
    chosen = next((each for each in options if each.provider == choice.provider), None)
    if urgency == 0:
        assert choice.go in (Go.NOW, Go.ANYWAY, Go.WAIT)
    else:
        assert choice.go is not Go.ANYWAY
    if choice.go is Go.NOW:
        assert chosen is not None
        assert chosen.room.free
        assert not chosen.busy(NOW)
    if choice.go is Go.WAIT:
        assert choice.at is not None
        assert NOW < choice.at <= in_s(100)


@pytest.mark.parametrize(
    ("refused", "channel", "expected"),
    [
        (Rejected("credentials", Scope.ACCOUNT), Channel.SMS, True),
        (Rejected("template", Scope.TEXT), Channel.VOICE, True),
        (Rejected("opted_out", Scope.NUMBER), Channel.SMS, True),
        (Rejected("number_invalid", Scope.NUMBER), Channel.SMS, False),
        (Rejected("user_unknown", Scope.NUMBER), Channel.APP, True),
        (Rejected("no_session", Scope.SESSION), Channel.APP, True),
    ],
)
def test_what_one_has_refused_another_may_take(refused: Rejected, channel: Channel, expected: bool) -> None:
    assert passes_on(refused, channel) is expected


def test_the_first_redial_comes_from_the_same_number_and_later_ones_in_turn() -> None:
    order = ("aliyun", "tencent", "twilio")
    assert alternated(order, "aliyun", 0) == "aliyun"
    assert alternated(order, "aliyun", 1) == "tencent"
    assert alternated(order, "twilio", 2) == "aliyun"
    assert alternated(order, "gone", 3) == "gone"
    assert alternated(("twilio",), "twilio", 3) == "twilio"
