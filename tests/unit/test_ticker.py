"""When the ticker looks: in the moment that is armed, never before it, and once for what is due together."""

import asyncio
from datetime import datetime, timedelta

from alerting.ticker import Ticker, per_second
from gengfu.clock import SystemClock


class Rounds:
    """A ticker that runs, and when it looked, in seconds from the start."""

    def __init__(self) -> None:
        self.clock = SystemClock()
        self.begun = self.clock.monotonic()
        self.looks: list[float] = []
        self.order: list[str] = []
        self.ticker = Ticker(
            self.clock, run_due=self._look, sweep=self._sweep, heal=self._sweep, first=self._first, arm=self._arm
        )

    async def _first(self) -> None:
        self.order.append("first")

    async def _look(self) -> None:
        self.order.append("due")
        self.looks.append(self.clock.monotonic() - self.begun)

    async def _sweep(self) -> None:
        self.order.append("sweep")

    async def _arm(self) -> None:
        self.order.append("arm")

    async def run(self, seconds: float, *due_in: float) -> list[float]:
        for each in due_in:
            self.ticker.wake_at(self.in_s(each))
        task = asyncio.create_task(self.ticker.run())
        await asyncio.sleep(seconds)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return self.looks

    def in_s(self, seconds: float) -> datetime:
        return self.clock.now() + timedelta(seconds=seconds)


async def test_it_looks_in_the_moment_and_never_before() -> None:
    looks = await Rounds().run(0.7, 0.3)
    assert len(looks) == 2, "at the start, and in the moment"
    assert 0.3 <= looks[1] < 0.3 + 0.25


async def test_what_is_due_together_is_looked_at_together() -> None:
    begins = 0.3
    looks = await Rounds().run(0.7, *(begins + n / 1000 / per_second for n in range(500)))
    assert 2 <= len(looks) <= 4


async def test_a_round_has_its_order_and_ends_with_what_is_due_next() -> None:
    rounds = Rounds()
    await rounds.run(0.2)
    assert rounds.order == ["first", "due", "sweep", "arm"]
