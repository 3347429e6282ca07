"""A carrier has a message, and the database has yet to be told: it is not sent again meanwhile."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from alerting import recorder
from alerting.channels.base import Unknown
from alerting.store.attempts import lease_seconds
from gengfu.database import RunningDatabase
from simulators.city import City
from tests.acceptance.outside import StoryClock
from tests.acceptance.routing import Scripted, a_database, a_desk, until
from tests.acceptance.test_routing import SMS, accepted_attempts, ladder

pytestmark = pytest.mark.alone
several_sweeps_s = 3.0


@pytest.fixture
def clock() -> StoryClock:
    return StoryClock()


@pytest.fixture
async def database(sqlite_url: str, city: City, clock: StoryClock) -> AsyncIterator[RunningDatabase]:
    async with a_database(sqlite_url, city, clock) as database:
        yield database


async def test_what_a_carrier_has_is_not_sent_again_while_the_database_has_yet_to_be_told(
    database: RunningDatabase, city: City, clock: StoryClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row says `sending` for longer than its lease; no carrier can say what it has."""
    monkeypatch.setattr(recorder, "gather_s", several_sweeps_s)
    a, b = Scripted(SMS, "a"), Scripted(SMS, "b")
    a.found = b.found = Unknown("down")
    async with a_desk(database, city, clock, a, b) as desk:
        await desk.policy(**ladder(SMS))
        await desk.burns()
        await until(lambda: a.given)
        await asyncio.sleep(0.1)
        clock.pass_time(lease_seconds + 1.0)
        await until(lambda: accepted_attempts(desk, "worker-a", SMS))
        assert [(row.number, row.provider) for row in await desk.attempts("worker-a", SMS)] == [(1, "a")]
