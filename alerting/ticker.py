"""Time: wakes the escalation rules and the outbox when something is due, and at least once a second. Never decides.

Due times are rows; what is armed in memory is the monotonic clock, so a jump of the wall clock does not delay.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime
from heapq import heappop, heappush
from math import floor

from sqlalchemy.exc import SQLAlchemyError

from alerting.ports import Clock, Conflict

log = logging.getLogger(__name__)

sweep_every_s = 1.0
heal_every_s = 10.0
per_second = 40
"""Moments are armed to a fortieth of a second: what is due together is looked at together."""
moments_max = 10_000
"""Armed at once; what is due beyond them is armed when it comes near, or found by the sweep."""


async def _nothing() -> None:
    return


class Ticker:
    def __init__(
        self,
        clock: Clock,
        *,
        run_due: Callable[[], Awaitable[object]],
        sweep: Callable[[], Awaitable[object]],
        heal: Callable[[], Awaitable[object]],
        first: Callable[[], Awaitable[object]] = _nothing,
        arm: Callable[[], Awaitable[object]] = _nothing,
    ) -> None:
        """`first`: before anything is asked. `arm`: at the end of a round, gives what is due before the next."""
        self._clock = clock
        self._run_due = run_due
        self._sweep = sweep
        self._heal = heal
        self._first = first
        self._arm = arm
        self._armed: list[float] = []
        """A heap of moments on the monotonic clock, each once."""
        self._known: set[float] = set()
        self._wake = asyncio.Event()

    def wake_at(self, due_at: datetime) -> None:
        """Something is due then: look at that moment rather than at the next sweep."""
        in_s = max(0.0, (due_at - self._clock.now()).total_seconds())
        moment = floor((self._clock.monotonic() + in_s) * per_second + 1) / per_second
        if moment in self._known or len(self._armed) >= moments_max:
            return
        if not self._armed or moment < self._armed[0]:
            self._wake.set()
        self._known.add(moment)
        heappush(self._armed, moment)

    def wake(self) -> None:
        """Look now: another process has left something."""
        heappush(self._armed, self._clock.monotonic())
        self._wake.set()

    async def run(self) -> None:
        """Until cancelled."""
        healed_at = self._clock.monotonic()
        while True:
            self._forget_passed()
            await self._guarded(self._first)
            await self._guarded(self._run_due)
            await self._guarded(self._sweep)
            if self._clock.monotonic() - healed_at >= heal_every_s:
                healed_at = self._clock.monotonic()
                await self._guarded(self._heal)
            await self._guarded(self._arm)
            await self._pause(self._clock.monotonic() + sweep_every_s)

    async def _pause(self, latest: float) -> None:
        while (rest := min([latest, *self._armed[:1]]) - self._clock.monotonic()) > 0:
            self._wake.clear()
            try:
                async with asyncio.timeout(rest):
                    await self._wake.wait()
            except TimeoutError:
                return

    def _forget_passed(self) -> None:
        now = self._clock.monotonic()
        while self._armed and self._armed[0] <= now:
            self._known.discard(heappop(self._armed))

    async def _guarded(self, work: Callable[[], Awaitable[object]]) -> None:
        try:
            await work()
        except (SQLAlchemyError, OSError, Conflict, TimeoutError) as fault:
            log.warning("the sweep waits for the database: %s", type(fault).__name__)
        except Exception:  # a worker's loop: recorded, and the next second tries again
            log.exception("the sweep failed")
