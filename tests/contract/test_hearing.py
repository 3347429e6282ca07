"""Since when somebody hears every device: a lost broker, a start and a clock that was set begin anew."""

from datetime import datetime, timedelta

from alerting.store import supervision
from gengfu.hearing import Hearing
from tests.contract.registry_support import Registry
from tests.contract.restraint_support import NIGHT, StandingClock

pytest_plugins = ["tests.contract.registry_fixtures"]


async def test_it_begins_anew_with_every_break(registry: Registry) -> None:
    clock, connected = StandingClock(NIGHT), [False]
    hearing = Hearing(registry.database, clock, 7, lambda: connected[0])

    async def look(seconds: float) -> datetime | None:
        clock.at += timedelta(seconds=seconds)
        await hearing.look()
        fresh = clock.at - timedelta(seconds=30)
        return await registry.read(lambda conn: supervision.listening_since(conn, fresh))

    assert await look(1) is None
    connected[0] = True
    begun = await look(1)
    assert begun == clock.at
    assert await look(60) == begun
    connected[0] = False
    assert await look(1) is None
    connected[0] = True
    assert await look(1) == clock.at
    assert await look(3) == clock.at - timedelta(seconds=3)


class TurnedClock(StandingClock):
    """Its wall clock can be set without any time going by."""

    set_by = timedelta()

    def now(self) -> datetime:
        return self.at + self.set_by


async def test_a_clock_that_was_set_makes_nobody_silent(registry: Registry) -> None:
    clock = TurnedClock(NIGHT)
    hearing = Hearing(registry.database, clock, 7, lambda: True)
    await hearing.look()
    clock.set_by = timedelta(hours=1)
    await hearing.look()
    assert await registry.read(lambda conn: supervision.listening_since(conn, NIGHT)) == NIGHT + timedelta(hours=1)
