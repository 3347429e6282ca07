"""Which carrier has a message, and what follows when it refuses, is slow, is full, or the phone has a call already."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import Any

import pytest
from sqlalchemy import select

from alerting.channels.base import Accepted, Busy, Caps, ReceiptKind, Rejected, Scope, Unknown, Window
from alerting.core.acts import Verb
from alerting.core.model import Actor, AttemptState, Reason
from alerting.core.routing import hedge_after_s, unclear_after_s
from alerting.ports import Priority
from devices.model import Channel
from devices.store.tables import contact_points
from gengfu.database import RunningDatabase
from simulators.city import City
from tests.acceptance.outside import StoryClock
from tests.acceptance.routing import Scripted, a_database, a_desk, until

SMS, VOICE, APP = Channel.SMS, Channel.VOICE, Channel.APP
pytestmark = pytest.mark.alone
refused = Rejected("credentials", Scope.ACCOUNT, "20003")
opted_out = Rejected("opted_out", Scope.NUMBER, "21610")
no_number = Rejected("number_invalid", Scope.NUMBER, "21211")
REPORTS = Caps(receipts=True, dtmf=True, finds=True, reports_ringing=True, cancels=True, ring_s=25)
MODEST = Caps(dtmf=True, ring_s=25)
busy_machine_s = 3.0
"""How late a timer may be seen; what it rules out is minutes away."""
stands_still_s = unclear_after_s + 1.0
LOOP = {"every_s": 600, "to": ["community_duty"]}
SENT = AttemptState.PROVIDER_ACCEPTED.value


ONE_BY_ONE = tuple((role,) for role in ("grid_worker", "deputy", "community_duty"))


def ladder(channel: Channel, asked: Sequence[Sequence[str]] = ONE_BY_ONE) -> dict[str, Any]:
    """One channel, and steps so long that none comes by itself."""
    redial = {"gap_s": 65, "max": 3 if channel is VOICE else 0}
    steps = [
        {"after_s": 600 * n, "to": list(roles), "channels": [channel.value], "redial": redial}
        for n, roles in enumerate(asked)
    ]
    return {"steps": steps, "loop": LOOP}


@pytest.fixture
def clock() -> StoryClock:
    return StoryClock()


@pytest.fixture
async def database(sqlite_url: str, city: City, clock: StoryClock) -> AsyncIterator[RunningDatabase]:
    async with a_database(sqlite_url, city, clock) as database:
        yield database


@pytest.fixture
async def shared_database(postgres_url: str, city: City, clock: StoryClock) -> AsyncIterator[RunningDatabase]:
    async with a_database(postgres_url, city, clock) as database:
        yield database


async def test_a_refusal_of_the_account_goes_on_at_once_and_the_carrier_is_on_record_first(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(SMS, "a", refused), Scripted(SMS, "b")
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(SMS))
        await desk.burns()
        rows = await until(lambda: accepted_attempts(desk, "worker-a", SMS))
        assert [(r.provider, r.state, r.reason, r.error) for r in rows] == [
            ("a", "rejected", "first", "20003"),
            ("b", SENT, "failover", None),
        ]
        assert (rows[1].provider_accepted_at - rows[0].planned_at).total_seconds() < 1.0
        (told,) = await desk.lines("rejected")
        assert (told.actor, told.data["again"]["provider"], told.data["again"]["reason"]) == ("a", "b", "failover")
        states = {state.provider: state for state in desk.carriers.states(clock.now())}
        assert (states["a"].breaker, states["a"].cause, states["b"].breaker) == ("open", "credentials", "closed")

        await desk.burns("jd-dg-5-1-201-smoke")
        rows = await until(lambda: accepted_attempts(desk, "worker-b", SMS))
        assert [(r.provider, r.reason) for r in rows] == [("b", "first")], "a rests"
        assert len(a.given) == 1


async def test_only_when_every_carrier_has_refused_the_next_person_is_asked(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(SMS, "a", refused, 0.0), Scripted(SMS, "b", Rejected("template", Scope.TEXT), 0.0)
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(SMS))
        await desk.burns()
        await until(lambda: accepted_attempts(desk, "worker-b", SMS))
        rows = await desk.attempts("worker-a")
        assert [(r.provider, r.state) for r in rows] == [("a", "rejected"), ("b", "rejected")]
        planned = await desk.lines("planned")
        assert [line.reason for line in planned] == ["first_signal", "undelivered"]


@pytest.mark.parametrize(("answer", "second"), [(opted_out, True), (no_number, False)], ids=["opinion", "fact"])
async def test_a_refused_number_is_told_and_a_carrier_s_own_opinion_is_not_the_other_s(
    answer: Rejected, second: bool, database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(SMS, "a", answer), Scripted(SMS, "b")
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(SMS))
        await desk.burns()
        (mark,) = await until(lambda: _marks(desk, "worker-a"))
        assert (mark.channel, mark.unreachable_provider, mark.unreachable_reason) == ("sms", "a", answer.reason)
        if second:
            rows = await until(lambda: accepted_attempts(desk, "worker-a", SMS))
            assert [r.provider for r in rows] == ["a", "b"]
        else:
            await until(lambda: desk.attempts("worker-b"))
            assert [r.provider for r in await desk.attempts("worker-a")] == ["a"]


async def test_busy_goes_to_the_other_and_when_both_are_busy_the_first_to_be_free_has_it(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(SMS, "a", Busy(30.0)), Scripted(SMS, "b", Busy(0.5), 0.0)
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(SMS))
        await desk.burns()
        rows = await until(lambda: accepted_attempts(desk, "worker-a", SMS))
        assert [(r.provider, r.reason) for r in rows] == [("a", "first"), ("b", "failover"), ("b", "busy")]


async def test_a_slow_text_has_the_next_carrier_after_a_second_and_the_first_one_s_word_still_counts(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(SMS, "a", 4.5), Scripted(SMS, "b")
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(SMS))
        await desk.burns()
        rows = await until(lambda: accepted_attempts(desk, "worker-a", SMS))
        assert [(r.provider, r.reason) for r in rows] == [("a", "first"), ("b", "hedge")]
        took = (rows[1].provider_accepted_at - rows[0].planned_at).total_seconds()
        assert hedge_after_s <= took < hedge_after_s + busy_machine_s
        rows = await until(lambda: accepted_attempts(desk, "worker-a", SMS, 2))
        assert [r.state for r in rows] == [SENT, SENT]


async def test_a_callback_proves_acceptance_and_nothing_is_sent_twice(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(SMS, "a", 4.0), Scripted(SMS, "b")
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(SMS))
        await desk.burns()
        await until(lambda: a.given)
        await desk.calls_back(a, a.given[0], ReceiptKind.SENT)
        await asyncio.sleep(hedge_after_s + 0.5)
        assert not b.given


async def test_a_call_of_which_nobody_can_know_leaves_the_phone_alone_and_asks_the_next_person(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(VOICE, "a", 9.0, caps=MODEST), Scripted(VOICE, "b", caps=MODEST)
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(VOICE))
        await desk.burns()
        rows = await until(lambda: accepted_attempts(desk, "worker-b", VOICE))
        assert [r.provider for r in rows] == ["b"]
        planned = await desk.lines("planned")
        assert [line.reason for line in planned] == ["first_signal", Reason.UNCLEAR.value]
        after_s = (planned[1].at - planned[0].at).total_seconds()
        assert unclear_after_s <= after_s < unclear_after_s + busy_machine_s
        mine = desk.number("worker-a")
        assert not b.to(mine)
        waits = (await desk.attempts("worker-a"))[1]
        assert (waits.provider, waits.reason, waits.state) == ("b", "unsettled", "planned")

        clock.pass_time(26.0)
        await until(lambda: b.to(mine))


async def test_a_call_that_the_carrier_s_list_has_is_not_made_twice(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(VOICE, "a", 9.0, caps=REPORTS), Scripted(VOICE, "b", caps=REPORTS)
    a.found = Accepted("ref-1")
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(VOICE))
        await desk.burns()
        rows = await until(lambda: accepted_attempts(desk, "worker-a", VOICE))
        assert [(r.provider, r.provider_ref) for r in rows] == [("a", "ref-1")]
        await asyncio.sleep(unclear_after_s)
        assert not b.given


async def test_a_callback_proves_the_call_before_the_database_can_take_it(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    """What is stored first once the database goes on again is the more urgent: the call to the next carrier."""
    a, b = Scripted(VOICE, "a", 600.0, caps=REPORTS), Scripted(VOICE, "b", caps=REPORTS)
    a.found = Unknown("down")
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(VOICE))
        await desk.burns()
        await until(lambda: a.given)
        stands = asyncio.create_task(database.write(Priority.TELEMETRY, lambda conn: time.sleep(stands_still_s)))
        await asyncio.sleep(0.1)
        await desk.calls_back(a, a.given[0], ReceiptKind.RINGING)
        await stands
        await until(lambda: _rings(desk))
        assert not b.given, "the phone rings already"


async def test_two_that_wait_for_one_phone_go_one_after_the_other(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    """Both ask in the moment in which the phone is free: the first has its line before the second is looked at."""
    a = Scripted(VOICE, "a", 0.2, 0.2, 0.2, caps=REPORTS)
    async with a_desk(database, city, clock, a) as desk:
        await desk.policy(**ladder(VOICE))
        mine = desk.number("worker-a")
        await desk.burns()
        await until(lambda: a.to(mine))
        await desk.burns("jd-hy-shed-smoke")
        await desk.burns("jd-hy-3-2-lift-cam", "ebike.in_elevator")
        await until(lambda: _two_wait(desk))
        await until(lambda: accepted_attempts(desk, "worker-a", VOICE))
        await desk.calls_back(a, a.given[0], ReceiptKind.NO_ANSWER)
        await until(lambda: len(a.to(mine)) == 2)
        await asyncio.sleep(0.5)
        assert len(a.to(mine)) == 2


class Known:
    """Where app carriers find people."""

    def of(self, person_id: str) -> dict[str, dict[str, str]]:
        return {"wecom": {"user_id": f"at-{person_id}"}} if person_id == "worker-a" else {}


async def test_an_app_without_a_session_goes_on_at_once_to_the_carriers_that_the_person_has(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    nobody = Rejected("no_session", Scope.SESSION)
    stream, push, wecom = Scripted(APP, "stream", nobody), Scripted(APP, "webpush"), Scripted(APP, "wecom")
    async with a_desk(database, city, clock, stream, push, wecom, targets=Known()) as desk:
        await desk.policy(**ladder(APP))
        await desk.burns()
        rows = await until(lambda: accepted_attempts(desk, "worker-a", APP))
        assert [(r.provider, r.reason) for r in rows] == [("stream", "first"), ("wecom", "failover")]
        assert wecom.given[0].target == {"user_id": "at-worker-a"}
        assert not push.given


async def test_the_first_redial_is_the_same_carrier_s_and_the_next_the_other_s(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(VOICE, "a", caps=REPORTS), Scripted(VOICE, "b", caps=REPORTS)
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(VOICE))
        mine = desk.number("worker-a")
        await desk.burns()
        for n, carrier in enumerate((a, a, b), start=1):
            await until(partial(_made, (a, b), mine, n))
            await desk.calls_back(carrier, carrier.to(mine)[-1], ReceiptKind.NO_ANSWER)
            await until(partial(_planned, desk, n + 1))
            clock.pass_time(66.0)
        assert [r.provider for r in await desk.attempts("worker-a", VOICE)][:3] == ["a", "a", "b"]


async def test_a_spent_budget_lets_a_fire_go_and_asks_the_next_person_at_once(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    full = Caps(windows=(Window(1, 86_400.0),))
    a, b = Scripted(SMS, "a", caps=full), Scripted(SMS, "b", caps=full)
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(SMS))
        await desk.burns()
        await until(lambda: accepted_attempts(desk, "worker-a", SMS))
        await desk.burns("jd-hy-shed-smoke")
        await until(lambda: len(b.given) == 1)
        left = desk.carriers.budget(SMS, desk.number("worker-a"), clock.now())
        assert [(each.provider, each.left_for_life_safety) for each in left] == [("a", 0), ("b", 0)]

    async with a_desk(database, city, clock, a, b) as desk:
        """Another life: what was sent before it counts."""
        await desk.burns("jd-hy-1-1-602-heat", "fire.heat")
        lines = await until(lambda: _reasons(desk, Reason.BUDGET_SPENT))
        assert lines


async def test_somebody_goes_and_the_others_calls_end_at_the_carrier_that_has_them(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(VOICE, "a", refused, caps=REPORTS), Scripted(VOICE, "b", caps=REPORTS)
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(VOICE, [["grid_worker", "deputy"]]))
        await desk.burns()
        await until(lambda: accepted_attempts(desk, "worker-b", VOICE))
        await until(lambda: accepted_attempts(desk, "worker-a", VOICE))
        (row, *_) = await desk.attempts("worker-a")
        await desk.service.act(row.incident_id, Verb.ACCEPT, Actor("worker-a", "网格员甲", "app", "worker-a"), {})
        theirs = b.ref(b.to(desk.number("worker-b"))[0])
        await until(lambda: theirs in b.canceled)
        assert not a.canceled


async def test_a_crash_in_between_asks_the_carrier_that_had_it(
    database: RunningDatabase, city: City, clock: StoryClock
) -> None:
    a, b = Scripted(SMS, "a", refused), Scripted(SMS, "b", Unknown("cut_line"))
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(SMS))
        await desk.burns()
        await until(lambda: b.given)
    a2, b2 = Scripted(SMS, "a"), Scripted(SMS, "b")
    clock.pass_time(20.0)
    async with a_desk(database, city, clock, a2, b2):
        await until(lambda: b2.asked)
        assert b.given[0].attempt_id in b2.asked
        assert not a2.asked


async def test_two_processes_share_a_phone(shared_database: RunningDatabase, city: City, clock: StoryClock) -> None:
    """Each knows only its own calls; the database knows both."""
    one, two = Scripted(VOICE, "a", caps=REPORTS), Scripted(VOICE, "a", caps=REPORTS)
    async with a_desk(shared_database, city, clock, one) as desk:
        await desk.policy(**ladder(VOICE))
        mine = desk.number("worker-a")
        await desk.burns()
        await until(lambda: one.to(mine))
        await until(lambda: accepted_attempts(desk, "worker-a", VOICE))
        async with a_desk(shared_database, city, clock, two) as other:
            other.carriers.lines.free(one.given[0].attempt_id)  # it has read it from the database: as if it had not
            await other.burns("jd-hy-shed-smoke")
            await until(lambda: _waits(other))
            await asyncio.sleep(1.5)
            assert not two.to(mine)
            await desk.calls_back(one, one.given[0], ReceiptKind.NO_ANSWER)
            await until(lambda: two.to(mine) or len(one.to(mine)) == 2)


async def accepted_attempts(desk: Any, person: str, channel: Channel, number: int = 1) -> list[Any]:
    """This person's attempts, once so many of them are accepted by a carrier."""
    rows = await desk.attempts(person, channel)
    return rows if sum(row.provider_accepted_at is not None for row in rows) >= number else []


def _made(carriers: Sequence[Scripted], number: str, calls: int) -> bool:
    return sum(len(each.to(number)) for each in carriers) == calls


async def _marks(desk: Any, person: str) -> list[Any]:
    """Numbers of this person that a carrier called unreachable."""
    points = contact_points.c
    query = select(contact_points).where(points.person_id == person, points.unreachable_since.is_not(None))
    return list(await desk.database.read(lambda conn: conn.execute(query).fetchall()))


async def tried_because(desk: Any, person: str, reason: str) -> list[Any]:
    return [row for row in await desk.attempts(person) if row.reason == reason]


async def _rings(desk: Any) -> bool:
    """The first attempt, as far as the database knows."""
    return bool((await desk.attempts("worker-a", VOICE))[0].state == AttemptState.SENT.value)


async def _planned(desk: Any, number: int) -> bool:
    return len(await desk.attempts("worker-a", VOICE)) >= number


async def _reasons(desk: Any, reason: Reason) -> list[Any]:
    return [line for line in await desk.lines("planned") if line.reason == reason.value]


async def _two_wait(desk: Any) -> bool:
    return len(await _waits(desk)) == 2


async def _waits(desk: Any) -> list[Any]:
    return [line for line in await desk.lines("sending") if line.reason == "line_busy"]
