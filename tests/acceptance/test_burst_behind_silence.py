"""A storm while the first carrier says nothing: submissions that hang there never keep a fire from the next carrier."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from alerting.channels.base import Accepted, Caps, Submission, Submitted
from alerting.outbox import slots_per_channel
from devices.model import Channel
from gengfu.database import RunningDatabase
from simulators.city_generator import generate_city
from tests.acceptance.outside import StoryClock
from tests.acceptance.routing import Scripted, a_database, a_desk, until

fires, leaks = 150, 60
"""More than the hundred fires of a city's storm, and more leaks than slots for them."""
patience_s = 60.0
CITY = generate_city(fires + leaks, fires + leaks, fires + leaks)
FINDS = Caps(receipts=True, finds=True, reports_ringing=True, ring_s=25)


class Silent(Scripted):
    """Never answers until the story is over: no time-out frees anything."""

    def __init__(self, channel: Channel, name: str) -> None:
        super().__init__(channel, name, caps=FINDS)
        self.over = asyncio.Event()

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        self.given.append(submission)
        await self.over.wait()
        return Accepted(self.ref(submission))


@pytest.fixture
def clock() -> StoryClock:
    return StoryClock()


@pytest.fixture
async def database(sqlite_url: str, clock: StoryClock) -> AsyncIterator[RunningDatabase]:
    async with a_database(sqlite_url, CITY, clock) as database:
        yield database


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.VOICE])
async def test_every_fire_reaches_the_next_carrier(
    channel: Channel, database: RunningDatabase, clock: StoryClock
) -> None:
    a, b = Silent(channel, "a"), Scripted(channel, "b", caps=FINDS)
    async with a_desk(database, CITY, clock, a, b) as desk:
        steps = [{"after_s": 0, "to": ["grid_worker"], "channels": [channel.value]}]
        await desk.policy(steps=steps, loop={"every_s": 600, "to": ["control_room"]})
        try:
            for number, device in enumerate(CITY.devices):
                await desk.burns(device.id, "water.leak" if number < leaks else "fire.smoke")
            asked = CITY.people[leaks : leaks + fires]
            wanted = {point.address for each in asked for point in each.contacts if point.channel is channel}
            assert len(wanted) == fires
            await until(lambda: wanted <= {each.address for each in b.given}, within_s=patience_s)
            assert len(a.given) > 2 * slots_per_channel, "each of them was tried there first"
        finally:
            a.over.set()
