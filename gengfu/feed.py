"""The live stream where several processes write: everything committed, read back in commit order. Never misses one.

A wake-up says that there is something; reading at least every second finds what a lost wake-up left.
"""

import asyncio
import logging

from sqlalchemy.exc import SQLAlchemyError

from alerting.aftermath import stream_entry
from alerting.ports import Conflict, Database
from alerting.store import timeline
from alerting.stream import Hub

log = logging.getLogger(__name__)

look_every_s = 1.0
entries_per_read = 500


class Feed:
    """`begin` notes where the stream stands; `run` publishes what comes after, until cancelled."""

    def __init__(self, database: Database, hub: Hub) -> None:
        self._database = database
        self._hub = hub
        self._last = 0
        self._woken = asyncio.Event()

    async def begin(self) -> None:
        self._last = await self._database.read(timeline.last)

    def wake(self) -> None:
        self._woken.set()

    async def run(self) -> None:
        while True:
            try:
                async with asyncio.timeout(look_every_s):
                    await self._woken.wait()
            except TimeoutError:
                pass
            self._woken.clear()
            try:
                while await self._publish():
                    pass
            except (SQLAlchemyError, OSError, Conflict) as fault:
                log.warning("the live stream waits for the database: %s", type(fault).__name__)

    async def _publish(self) -> bool:
        after = self._last
        entries = await self._database.read(lambda conn: timeline.after(conn, after, entries_per_read))
        if entries:
            self._last = entries[-1][0]
            self._hub.publish([stream_entry(seq, entry) for seq, entry in entries])
        return len(entries) == entries_per_read
