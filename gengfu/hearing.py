"""Says in the database since when this process hears every device without a break. Judges no device.

A lost connection to the broker, a start, and a clock that was set begin anew: such time counts against no device.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from functools import partial

from sqlalchemy.exc import SQLAlchemyError

from alerting.ports import Clock, Conflict, Database, Priority
from alerting.store import supervision

log = logging.getLogger(__name__)

poll_s = 1.0
told_every_s = 10.0
clock_set_s = 5.0


class Hearing:
    """`connected()`: the subscriptions are in force."""

    def __init__(self, database: Database, clock: Clock, boot: int, connected: Callable[[], bool]) -> None:
        self._database = database
        self._clock = clock
        self._boot = boot
        self._connected = connected
        self._since: datetime | None = None
        self._told_at = float("-inf")
        self._read = (clock.now(), clock.monotonic())

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.look()
            except (SQLAlchemyError, OSError, Conflict) as fault:
                log.warning("who listens is not recorded: %s", type(fault).__name__)
            await asyncio.sleep(poll_s)

    async def look(self) -> None:
        """Now: connected or not, and since when."""
        now, mono = self._clock.now(), self._clock.monotonic()
        was, self._read = self._read, (now, mono)
        if not self._connected():
            if self._since is not None:
                await self._database.write(Priority.TELEMETRY, partial(supervision.hears_nothing, boot=self._boot))
            self._since = None
            return
        set_by = (now - was[0]).total_seconds() - (mono - was[1])
        if self._since is None or abs(set_by) > clock_set_s:
            self._since, self._told_at = now, float("-inf")
        if mono - self._told_at >= told_every_s:
            tell = partial(supervision.listens, boot=self._boot, since=self._since, now=now)
            await self._database.write(Priority.TELEMETRY, tell)
            self._told_at = mono
