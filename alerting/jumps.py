"""Somebody sets the machine's clock forward: due times move on with it, in one transaction, and only then our clock
follows. Nothing comes early and nothing late. Never waits for a clock that was set back: that one is not followed.
"""

import logging
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import Connection

from alerting.ports import Clock, Database, Priority, SteadyClock
from alerting.store import clock_jumps

log = logging.getLogger(__name__)


class Jumps:
    """`look` belongs before everything that asks what is due. `leads`: this process looks after due times."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        boot: int,
        *,
        leads: bool,
        on_jump: Callable[[timedelta], None] = lambda by: None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._boot = boot
        self._leads = leads
        self._on_jump = on_jump

    async def look(self) -> None:
        """Mostly nothing: two clocks are read."""
        clock = self._clock
        if not isinstance(clock, SteadyClock):
            return
        by = clock.jumped()
        if not by:
            return
        moved = await self._move(clock, by) if self._leads else None
        if not self._leads:
            clock.follow(by)
        log.warning("the clock was set forward by %.1f s; %s due times moved on with it", by.total_seconds(), moved)
        self._on_jump(by)

    async def _move(self, clock: SteadyClock, by: timedelta) -> int | None:
        """The clock follows inside the transaction: whoever writes next already has the new time."""
        followed = timedelta()

        def work(conn: Connection) -> int | None:
            nonlocal followed
            clock.follow(-followed)  # tried again
            followed = timedelta()
            moved = clock_jumps.move(conn, self._clock.now(), by, self._boot)
            clock.follow(by)
            followed = by
            return moved

        try:
            return await self._database.write(Priority.ALARM, work)
        except BaseException:
            clock.follow(-followed)
            raise
