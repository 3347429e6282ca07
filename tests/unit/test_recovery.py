"""Carriers that come back: what is an outage, who waits for life safety, and for how long at most."""

from datetime import timedelta

import pytest

from alerting.channels.base import Accepted, Busy, Rejected, Scope, Submitted, Unknown
from alerting.recovery import Recovery, first_s, trouble_s
from devices.model import Channel
from tests.unit.builders import NOW

SMS, VOICE = Channel.SMS, Channel.VOICE
LONG, SHORT = timedelta(seconds=trouble_s + 0.1), timedelta(seconds=trouble_s - 0.1)
OUT = [Unknown("timeout"), Busy(5.0), Rejected("credentials", Scope.ACCOUNT)]
NOT_OUT = [Rejected("number_invalid", Scope.NUMBER), Rejected("template", Scope.TEXT), Busy(60.0, number_limit=True)]


def after(answer: Submitted, wait: timedelta) -> Recovery:
    recovery = Recovery()
    recovery.heard(SMS, "a", answer, NOW)
    recovery.heard(SMS, "a", Accepted("ref"), NOW + wait)
    return recovery


@pytest.mark.parametrize("answer", OUT)
def test_the_first_acceptance_after_an_outage_puts_life_safety_first(answer: Submitted) -> None:
    recovery, back = after(answer, LONG), NOW + LONG
    assert recovery.pending == (SMS,)
    assert recovery.since(SMS, NOW)
    assert not recovery.since(SMS, back + timedelta(seconds=1))
    assert recovery.life_safety_first(SMS, back) == back + timedelta(seconds=first_s)
    assert recovery.life_safety_first(VOICE, back) is None
    assert recovery.life_safety_first(SMS, back + timedelta(seconds=first_s)) is None, "nobody waits for ever"
    recovery.acted(recovery.pending)
    assert not recovery.pending


@pytest.mark.parametrize(("answer", "wait"), [*((each, LONG) for each in NOT_OUT), *((each, SHORT) for each in OUT)])
def test_a_refusal_of_one_message_and_a_short_trouble_are_no_outage(answer: Submitted, wait: timedelta) -> None:
    recovery = after(answer, wait)
    assert recovery.pending == ()
    assert recovery.life_safety_first(SMS, NOW + wait) is None


def test_where_another_carrier_took_messages_all_along_nobody_waits() -> None:
    recovery = Recovery()
    recovery.heard(SMS, "a", Unknown("timeout"), NOW)
    recovery.heard(SMS, "b", Accepted("ref"), NOW + LONG)
    recovery.heard(SMS, "a", Accepted("ref"), NOW + LONG)
    assert recovery.pending == (SMS,), "what waits for `a` is due all the same"
    assert recovery.life_safety_first(SMS, NOW + LONG) is None


def test_a_clock_that_jumps_back_holds_nobody_up() -> None:
    recovery = after(Unknown("timeout"), LONG)
    assert recovery.life_safety_first(SMS, NOW - timedelta(days=1)) is None
