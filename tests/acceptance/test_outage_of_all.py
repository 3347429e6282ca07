"""Half an hour without any carrier, and two thousand incidents: afterwards the fires first, and each told once."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, func, select

from alerting import recovery
from alerting.channels.base import Busy, Unknown
from alerting.core.model import AttemptState, Loop
from alerting.outbox import slots_per_channel
from alerting.ports import Priority
from alerting.store import incidents, tables
from alerting.store.tables import attempts
from devices.model import Channel, Language, PersonKind, Role, Shift
from devices.store import people, shifts
from devices.store.people import ContactRow, PersonRow
from devices.store.shifts import ShiftRow
from gengfu.database import RunningDatabase, open_database
from simulators.city import City
from tests.acceptance.outside import StoryClock
from tests.acceptance.routing import Scripted, a_desk, until
from tests.unit.builders import a_policy, a_step, an_incident

pytestmark = [pytest.mark.alone, pytest.mark.timeout(600)]

fires, others = 200, 1_800
round_s = 600
outage_s = 1_800
WORKER = "worker-1"


@pytest.fixture
def clock() -> StoryClock:
    return StoryClock()


@pytest.fixture
async def database(sqlite_url: str, clock: StoryClock) -> AsyncIterator[RunningDatabase]:
    database = open_database(sqlite_url, monotonic=clock.monotonic)
    yield database
    await database.close()


def _fill(conn: Connection, clock: StoryClock) -> None:
    """One worker, and incidents of as many buildings that are due now and every ten minutes from then on."""
    now = clock.now()
    people.insert_many(conn, [PersonRow(WORKER, PersonKind.WORKER, WORKER, "网格员甲", "A", Language.ZH_CN, None)])
    people.add_contacts(conn, [ContactRow("c-1", WORKER, Channel.SMS, "+8610000000001", verified_at=now)])
    shifts.insert_many(conn, [ShiftRow(Shift("s-1", Role.COMMUNITY_DUTY, WORKER, None, None, None, None))])
    policy = a_policy(
        a_step(0, Role.COMMUNITY_DUTY, channels=(Channel.SMS,)), loop=Loop(round_s, (Role.COMMUNITY_DUTY,))
    )
    rows = []
    for number in range(fires + others):
        fire = number % 10 == 0
        made = an_incident("fire.smoke" if fire else "ebike.in_elevator", policy=policy, place_id=None, grid_id=None)
        rows.append(
            replace(
                made,
                id=f"{'fire' if fire else 'bike'}-{number:04}",
                dedup_key=f"v1:{number}",
                opened_at=now,
                due_at=now - timedelta(milliseconds=fires + others - number),
            )
        )
    incidents.insert(conn, rows)


async def test_after_half_an_hour_the_fires_first_and_nobody_twice(
    database: RunningDatabase, city: City, clock: StoryClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recovery, "first_s", 120.0)  # who goes first, on a machine of any speed
    a, b = Scripted(Channel.SMS, "a", Unknown("http_500")), Scripted(Channel.SMS, "b", Busy(5.0))
    a.found = Unknown("down")
    await database.write(Priority.ADMINISTRATION, lambda conn: _fill(conn, clock))
    async with a_desk(database, city, clock, a, b) as desk:
        for _ in range(outage_s // round_s):
            await until(partial(_decided, database, clock), within_s=120.0)
            clock.pass_time(round_s)
        await until(partial(_decided, database, clock), within_s=120.0)
        assert await _fires_told(database) == fires * (1 + outage_s // round_s)
        states = {state.provider: state.breaker for state in desk.carriers.states(clock.now())}
        assert states["a"] != "closed"

        a.answers, b.answers = [0.0], [0.0]
        told = len(a.given) + len(b.given)
        clock.pass_time(30.0)
        wanted = {f"fire-{number:04}" for number in range(0, fires + others, 10)}
        await until(lambda: wanted <= set(_in_order(a, b)[told:]), within_s=200.0)
        await until(lambda: _quiet(database), within_s=200.0)

        accepted = await _accepted(database)
        assert all(accepted[fire] == 1 for fire in wanted)
        assert max(accepted.values()) == 1, "nobody is told twice of one incident"
        after = _in_order(a, b)[told:]
        last_fire = max(place for place, each in enumerate(after) if each.startswith("fire"))
        bikes_before = sum(each.startswith("bike") for each in after[:last_fire])
        assert bikes_before <= slots_per_channel, "the fires first, but for what was just being handed over"
        expired = await _expired(database)
        assert expired > 0


def _in_order(*carriers: Scripted) -> list[str]:
    """The incident of every message that any carrier was given, in the order of time."""
    given = [pair for each in carriers for pair in zip(each.given_at, each.given, strict=True)]
    return [submission.incident_id for _, submission in sorted(given, key=lambda pair: pair[0])]


async def _decided(database: RunningDatabase, clock: StoryClock) -> bool:
    """Nobody's time has come."""
    query = select(func.count()).where(tables.incidents.c.due_at <= clock.now())
    return await database.read(lambda conn: conn.scalar(query)) == 0


async def _fires_told(database: RunningDatabase) -> int:
    query = select(func.count(func.distinct(attempts.c.notification_id))).where(attempts.c.incident_id.like("fire-%"))
    return await database.read(lambda conn: conn.scalar(query) or 0)


async def _quiet(database: RunningDatabase) -> bool:
    """Nothing is under way or due."""
    query = select(func.count()).where(attempts.c.due_at.is_not(None))
    return (await database.read(lambda conn: conn.scalar(query))) == 0


async def _accepted(database: RunningDatabase) -> Counter[str]:
    query = select(attempts.c.incident_id).where(attempts.c.provider_accepted_at.is_not(None))
    return Counter(await database.read(lambda conn: list(conn.scalars(query))))


async def _expired(database: RunningDatabase) -> int:
    query = select(func.count()).where(attempts.c.state == AttemptState.EXPIRED.value, attempts.c.error == "superseded")
    return await database.read(lambda conn: conn.scalar(query) or 0)
