"""One phone, one call of ours at a time: who has the line, who gives way, and who is never hung up on."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import make_url

from alerting.calls import unproved_s
from alerting.channels.base import ReceiptKind
from alerting.core.acts import KeyOutcome
from alerting.core.routing import hedge_after_s
from gengfu.database import RunningDatabase
from simulators.city import City
from tests.acceptance.outside import StoryClock
from tests.acceptance.routing import Scripted, a_database, a_desk, until
from tests.acceptance.test_routing import REPORTS, VOICE, accepted_attempts, ladder, tried_because

pytestmark = pytest.mark.alone


@pytest.fixture
def clock() -> StoryClock:
    return StoryClock()


@pytest.fixture
async def database(sqlite_url: str, city: City, clock: StoryClock) -> AsyncIterator[RunningDatabase]:
    async with a_database(sqlite_url, city, clock) as database:
        yield database


async def test_a_call_that_comes_to_light_late_is_hung_up_at_its_own_carrier(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(VOICE, "a", 2.5, caps=REPORTS), Scripted(VOICE, "b", caps=REPORTS)
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(VOICE))
        await desk.burns()
        rows = await until(lambda: accepted_attempts(desk, "worker-a", VOICE))
        assert [(r.provider, r.reason) for r in rows] == [("a", "first"), ("b", "hedge")]
        await until(lambda: a.canceled)
        assert a.canceled == [a.ref(a.given[0])]
        assert not b.canceled


async def test_a_call_taken_while_the_next_carrier_s_is_being_written_keeps_the_phone(
    sqlite_url: str, database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    """The database is slow just then: the second call is looked at once more before it is handed over."""
    a, b = Scripted(VOICE, "a", hedge_after_s + 0.3, caps=REPORTS), Scripted(VOICE, "b", caps=REPORTS)
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(VOICE))
        await desk.burns()
        await until(lambda: a.given)
        await asyncio.sleep(hedge_after_s - 0.2)
        other = sqlite3.connect(make_url(sqlite_url).database or "", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        await asyncio.sleep(0.8)
        other.execute("ROLLBACK")
        other.close()
        await until(lambda: desk.lines("sending", "line_busy"))
        assert not b.given
        await desk.calls_back(a, a.given[0], ReceiptKind.NO_ANSWER)
        await until(lambda: b.given)
        assert not a.canceled


async def test_one_phone_one_call(database: RunningDatabase, city: City, clock: StoryClock) -> None:
    """Two fires, one worker: the second call is made when the first has ended, and not before."""
    a = Scripted(VOICE, "a", caps=REPORTS)
    async with a_desk(database, city, clock, a) as desk:
        await desk.policy(**ladder(VOICE))
        mine = desk.number("worker-a")
        await desk.burns()
        await until(lambda: a.to(mine))
        await desk.burns("jd-hy-shed-smoke")
        (waits,) = await until(lambda: desk.lines("sending"))
        assert waits.reason == "line_busy"
        await asyncio.sleep(0.3)
        assert len(a.to(mine)) == 1
        await desk.calls_back(a, a.given[0], ReceiptKind.NO_ANSWER)
        await until(lambda: len(a.to(mine)) == 2)
        first, redial, second = await desk.attempts("worker-a", VOICE)
        assert first.ended_at is not None
        assert {redial.reason, second.reason} == {"redial", "first"}


@pytest.mark.parametrize("rings", [False, True])
async def test_a_call_of_which_its_carrier_says_nothing_keeps_no_fire_waiting(
    database: RunningDatabase, city: City, clock: StoryClock, rings: bool
) -> None:
    """Callbacks that do not reach us must not hold the next fire for a whole ring time; a call that rings does."""
    a = Scripted(VOICE, "a", caps=REPORTS)
    async with a_desk(database, city, clock, a) as desk:
        await desk.policy(**ladder(VOICE))
        mine = desk.number("worker-a")
        await desk.burns()
        await until(lambda: accepted_attempts(desk, "worker-a", VOICE))
        if rings:
            await desk.calls_back(a, a.given[0], ReceiptKind.RINGING)
        await desk.burns("jd-hy-shed-smoke")
        await until(lambda: desk.lines("sending"))
        clock.pass_time(unproved_s + 1)
        if rings:
            await asyncio.sleep(1.5)
            assert len(a.to(mine)) == 1
        else:
            await until(lambda: len(a.to(mine)) == 2)


async def test_a_fire_cuts_in_on_a_call_that_only_rings_and_not_on_one_that_somebody_hears(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a = Scripted(VOICE, "a", caps=REPORTS)
    async with a_desk(database, city, clock, a) as desk:
        await desk.policy(**ladder(VOICE))
        mine = desk.number("worker-a")
        await desk.burns("jd-hy-3-2-lift-cam", "ebike.in_elevator")
        await until(lambda: a.to(mine))
        await until(lambda: accepted_attempts(desk, "worker-a", VOICE))
        await desk.burns()
        await until(lambda: len(a.to(mine)) == 2)
        less, fire = a.to(mine)
        assert a.canceled == [a.ref(less)]
        assert less.urgency > fire.urgency == 0
        again = await until(lambda: tried_because(desk, "worker-a", "line_busy"))
        assert again[0].state == "planned"

        await desk.calls_back(a, fire, ReceiptKind.ANSWERED)
        await until(lambda: _hears(desk, fire.attempt_id))
        await desk.burns("jd-hy-shed-smoke")
        await until(lambda: desk.lines("sending"))
        await asyncio.sleep(0.3)
        assert a.canceled == [a.ref(less)]
        assert len(a.to(mine)) == 2


@pytest.mark.parametrize("accepted_after_s", [0.0, 0.8], ids=["accepted", "pressed before the carrier has answered us"])
async def test_whoever_presses_1_is_not_hung_up_on_before_his_receipts_are_read(
    accepted_after_s: float, database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    """He has to hear that it is recorded; the others stop ringing."""
    a = Scripted(VOICE, "a", accepted_after_s, caps=REPORTS)
    async with a_desk(database, city, clock, a) as desk:
        await desk.policy(**ladder(VOICE, [["grid_worker", "deputy"]]))
        mine, theirs = desk.number("worker-a"), desk.number("worker-b")
        await desk.burns()
        await until(lambda: a.to(mine) and a.to(theirs))
        if not accepted_after_s:
            await until(lambda: accepted_attempts(desk, "worker-a", VOICE))
            await until(lambda: accepted_attempts(desk, "worker-b", VOICE))
        assert await desk.service.answers.key_pressed(a.to(mine)[0].attempt_id, "1") is KeyOutcome.TAKEN
        await until(lambda: a.ref(a.to(theirs)[0]) in a.canceled)
        await asyncio.sleep(0.3)
        assert a.canceled == [a.ref(a.to(theirs)[0])]


def _hears(desk: Any, attempt_id: str) -> bool:
    line = desk.carriers.lines.of(attempt_id)
    return line is not None and line.answered
