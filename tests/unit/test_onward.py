"""What is passed on or dropped before it went out leaves nothing behind that others wait for."""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from alerting.carriers import Carriers
from alerting.core.model import AttemptState, Purpose
from alerting.core.routing import Choice, Go, Why
from alerting.flights import InHand
from alerting.metrics import NoMetrics
from alerting.notes import Hooks
from alerting.onward import Onward
from alerting.recorder import Outcome, Recorder
from alerting.store.attempts import Claimed
from devices.model import Channel
from gengfu.clock import RandomIds, SystemClock
from tests.acceptance.routing import Scripted
from tests.contract.channel_suite import make_submission

SMS = Channel.SMS


@dataclass
class Written:
    """Where the recorder writes; nothing is ever committed."""

    outcomes: list[Outcome] = field(default_factory=list)

    def record(self, outcome: Outcome) -> None:
        self.outcomes.append(outcome)

    def record_durably(self, outcome: Outcome) -> asyncio.Future[bool]:
        self.record(outcome)
        return asyncio.get_running_loop().create_future()


class Bench:
    """A further attempt, which has carrier `b` to itself and has not gone yet."""

    def __init__(self) -> None:
        self.hands, self.written, self.clock = InHand(), Written(), SystemClock()
        self.onward = Onward(
            carriers=Carriers({SMS: (Scripted(SMS, "a"), Scripted(SMS, "b"))}, orders={}),
            hands=self.hands,
            recorder=cast(Recorder, self.written),
            clock=self.clock,
            ids=RandomIds(),
            metrics=NoMetrics(),
            boot=1,
            hooks=Hooks(on_failed=lambda incident: None, wake_at=lambda at: None),
            submit=_nothing,
            spawn=_close,
        )
        self.further = Claimed(
            submission=make_submission(SMS, 1, "fire", "+8613800138000"),
            number=2,
            reason="failover",
            state=AttemptState.SENDING,
            purpose=Purpose.PAGE.value,
            provider_ref=None,
            received_at=None,
            severity=1,
            answered=False,
            redial_gap_s=65,
            redial_max=3,
            provider="b",
        )
        self.hands.unsettled(self.further.submission, "b", self.clock.now())
        assert self.hands.wonders(SMS)


def _nothing(claimed: Sequence[Claimed]) -> None:
    return


def _close(work: Coroutine[Any, Any, None]) -> None:
    work.close()


@pytest.fixture
def bench() -> Bench:
    return Bench()


async def test_what_is_passed_on_before_it_went_is_with_its_new_carrier_alone(bench: Bench) -> None:
    bench.onward.diverted(bench.further, Choice(Go.NOW, "a", Why.BREAKER), bench.clock.now())
    assert not bench.hands.is_open(bench.further.submission)
    assert bench.hands.asked(bench.further) == {"a"}


def test_for_what_is_dropped_nobody_waits(bench: Bench) -> None:
    bench.onward.dropped(bench.further, AttemptState.CANCELED, "answered")
    assert not bench.hands.wonders(SMS)
    assert [outcome.change.state for outcome in bench.written.outcomes] == [AttemptState.CANCELED]


def test_for_what_nobody_takes_nobody_waits(bench: Bench) -> None:
    bench.onward.refused(bench.further, Choice(Go.NOBODY), bench.clock.now())
    assert not bench.hands.wonders(SMS)
