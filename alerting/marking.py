"""Numbers that a carrier says cannot be reached: marked at once, cleared when something comes through. Never makes a
message wait, and never takes a number from anybody: a marked one is tried after his others."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.ports import Clock, Conflict, Database, Priority
from devices.audit import AuditEntry
from devices.model import Channel
from devices.store import audit, marks, people
from devices.store.scope import path_of_place

log = logging.getLogger(__name__)

known_for_s = 60.0
"""What other processes have marked is read so often, when something comes through."""
PHONES = frozenset({Channel.SMS, Channel.VOICE})
CARRIER = "carrier"
"""Who marks a number, in the audit."""


class Marking:
    """`changed`: the registry was written. Both words are instant; what they lead to is written behind them."""

    def __init__(self, database: Database, clock: Clock, changed: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._changed = changed
        self._marked: set[tuple[Channel, str]] = set()
        self._read_at: float | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def refused(self, channel: Channel, address: str, provider: str, reason: str) -> None:
        """A carrier will not take messages for this number."""
        if channel in PHONES:
            self._marked.add((channel, address))
            self._spawn(self._write(partial(self._refuse, channel, address, provider, reason)))

    def reached(self, channel: Channel, address: str) -> None:
        """A message or a call came through to this number. Costs nothing unless it is marked."""
        if channel not in PHONES:
            return
        if self._read_at is None or self._clock.monotonic() - self._read_at >= known_for_s:
            self._read_at = self._clock.monotonic()
            self._spawn(self._look_then_clear(channel, address))
        elif (channel, address) in self._marked:
            self._spawn(self._clear(channel, address))

    async def settled(self) -> None:
        """Everything that was said is written."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _look_then_clear(self, channel: Channel, address: str) -> None:
        try:
            self._marked = await self._database.read(marks.marked)
        except (SQLAlchemyError, OSError, Conflict):
            self._read_at = None
            return
        if (channel, address) in self._marked:
            await self._clear(channel, address)

    async def _clear(self, channel: Channel, address: str) -> None:
        self._marked.discard((channel, address))
        await self._write(lambda conn: marks.reached(conn, channel, address))

    def _refuse(self, channel: Channel, address: str, provider: str, reason: str, conn: Connection) -> bool:
        now = self._clock.now()
        found = marks.refuse(conn, channel, address, provider, reason, now)
        for contact_id, person_id in found:
            detail = {"person": person_id, "channel": channel.value, "provider": provider, "reason": reason[:64]}
            person = people.get(conn, person_id)
            path = None if person is None else path_of_place(conn, person.place_id)
            who = (now, CARRIER, provider, "service")
            audit.record(conn, AuditEntry(*who, "mark_unreachable", "contacts", contact_id, path, detail))
        return bool(found)

    async def _write(self, work: Callable[[Connection], bool]) -> None:
        try:
            changed = await self._database.write(Priority.ADMINISTRATION, work)
        except (SQLAlchemyError, OSError, Conflict) as fault:
            log.warning("a mark on a number is not written: %s", type(fault).__name__)
            return
        if changed:
            self._changed()
