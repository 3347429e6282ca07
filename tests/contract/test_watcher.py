"""The invariant watcher on both databases: what nobody would ever look at is found, put right, counted and told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import Connection, select, update

from alerting.aftermath import Aftermath
from alerting.deciding import Deciding
from alerting.dues import Dues
from alerting.metrics import NoMetrics
from alerting.store import watching
from alerting.store.tables import attempts, incidents
from alerting.stream import Hub
from tests.contract.registry_support import Registry
from tests.contract.restraint_support import NIGHT, House, fill

pytest_plugins = ["tests.contract.registry_fixtures"]


class Undecidable(Deciding):
    """One incident's data breaks its decision."""

    broken = ""

    def due(self, conn: Any, ids: Any, hastened: Any = None) -> Any:
        if self.broken in ids:
            raise ValueError("its data makes no sense")
        return super().due(conn, ids, hastened)


@dataclass
class Watcher:
    house: House
    told: list[tuple[str, int]] = field(default_factory=list)
    armed: list[datetime] = field(default_factory=list)
    runs: bool = True
    sweeps: bool = False

    def __post_init__(self) -> None:
        house = self.house
        house.deciding.__class__ = Undecidable
        self.dues = Dues(
            database=house.registry.database,
            deciding=house.deciding,
            aftermath=Aftermath(Hub(house.ids.attempt), NoMetrics(), _nobody, self.armed.append, house.clock.now),
            clock=house.clock,
            metrics=NoMetrics(),
            boot=1,
            run_all=self._run,
            on_violation=lambda what, number: self.told.append((what, number)),
            sweep=self._sweep,
        )

    async def _run(self) -> None:
        if self.runs:
            await self.dues.run()

    async def _sweep(self) -> None:
        """What is held in memory: the dispatcher only prolongs its lease."""
        if self.sweeps:
            until = self.house.clock.now() + timedelta(seconds=15)
            await self.break_rows(update(attempts).where(attempts.c.due_at.is_not(None)).values(due_at=until))

    async def due(self) -> dict[str, datetime]:
        query = select(incidents.c.id, incidents.c.due_at).order_by(incidents.c.id)
        return await self.house.registry.read(lambda conn: {row[0]: row[1] for row in conn.execute(query)})

    async def break_rows(self, statement: Any) -> None:
        def work(conn: Connection) -> None:
            conn.execute(statement)

        await self.house.registry.write(work)


def _nobody() -> Any:
    raise AssertionError("this process sends nothing")


@pytest_asyncio.fixture
async def watcher(registry: Registry) -> Watcher:
    await registry.write(fill)
    house = House(registry)
    house.clock.at = NIGHT
    await house.hear("smoke-1201")
    await house.hear("fault-1301", code="water.leak")
    return Watcher(house)


async def test_all_is_well(watcher: Watcher) -> None:
    await watcher.dues.heal()
    assert watcher.told == []


async def test_an_open_incident_without_a_due_time_gets_one(watcher: Watcher) -> None:
    await watcher.break_rows(update(incidents).values(due_at=None))
    await watcher.dues.heal()
    assert watcher.told == [("incident_without_due_time", 2)]
    assert set((await watcher.due()).values()) == {watcher.house.clock.now()}


async def test_an_attempt_that_nobody_would_send_is_looked_at(watcher: Watcher) -> None:
    query = select(attempts.c.id).where(attempts.c.due_at.is_(None))
    await watcher.break_rows(update(attempts).values(due_at=None, state="sending"))
    await watcher.dues.heal()
    assert [what for what, _ in watcher.told] == ["attempt_without_due_time"]
    assert await watcher.house.registry.read(lambda conn: list(conn.scalars(query))) == []


@pytest.mark.parametrize("runs", [True, False])
async def test_what_is_overdue_is_asked_first_and_told_only_if_that_does_not_help(watcher: Watcher, runs: bool) -> None:
    watcher.runs = runs
    watcher.house.clock.at += timedelta(hours=1)
    await watcher.break_rows(update(attempts).values(due_at=None, state="delivered"))
    await watcher.dues.heal()
    assert watcher.told == ([] if runs else [("incident_overdue", 2)])


async def test_attempts_that_stay_undone_are_told_at_the_second_look(watcher: Watcher) -> None:
    watcher.house.clock.at += timedelta(seconds=6)
    await watcher.dues.heal()
    assert watcher.told == []
    await watcher.dues.heal()
    assert [what for what, _ in watcher.told] == ["attempt_overdue"]


async def test_attempts_whose_lease_ran_out_while_the_machine_stood_still_are_swept_and_not_told(
    watcher: Watcher,
) -> None:
    watcher.sweeps = True
    for _ in range(3):
        watcher.house.clock.at += timedelta(seconds=120)
        await watcher.break_rows(update(incidents).values(due_at=watcher.house.clock.at + timedelta(hours=1)))
        await watcher.dues.heal()
    assert watcher.told == []


async def test_one_incident_that_cannot_be_decided_holds_up_no_other(watcher: Watcher) -> None:
    before = await watcher.due()
    bad, good = sorted(before)
    Undecidable.broken = bad
    watcher.house.clock.at += timedelta(hours=1)
    await watcher.dues.run()
    after = await watcher.due()
    assert after[bad] == watcher.house.clock.now() + timedelta(seconds=10)
    assert after[good] > watcher.house.clock.now()
    assert ("incident_undecidable", 1) in watcher.told
    Undecidable.broken = ""
    watcher.house.clock.at += timedelta(seconds=10)
    await watcher.dues.run()
    assert (await watcher.due())[bad] > watcher.house.clock.now()


async def test_what_is_due_before_the_next_sweep_is_armed_whoever_wrote_it(watcher: Watcher) -> None:
    now = watcher.house.clock.now()
    soon, later = now + timedelta(seconds=0.4), now + timedelta(seconds=40)
    ids: Sequence[str] = sorted(await watcher.due())
    await watcher.break_rows(update(attempts).values(due_at=None, state="delivered"))
    await watcher.break_rows(update(incidents).where(incidents.c.id == ids[0]).values(due_at=soon))
    await watcher.break_rows(update(incidents).where(incidents.c.id == ids[1]).values(due_at=later))
    await watcher.dues.arm()
    assert watcher.armed == [soon]
    found = await watcher.house.registry.read(lambda conn: watching.soon(conn, now, later))
    assert found == [soon, later]
