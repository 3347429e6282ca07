"""A database for virtual time: SQLite in memory, the shipped engine, schema and statements, one connection, no threads.

Never waits for a disk. `alerting.ports.Database`; a schedule clones the template instead of building a schema.
"""

import asyncio
import sqlite3
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection, Engine, make_url

from alerting.ports import Conflict, Priority
from gengfu.database import DatabaseClosed, HoldHook, migrate
from gengfu.database.common import WRITE_TRIES_MAX
from gengfu.database.gate import Gate
from gengfu.database.sqlite import create_sync_engine

T = TypeVar("T")

_PRAGMAS = ("foreign_keys=ON", "temp_store=MEMORY")
_MEMORY = "sqlite://"


@cache
def engine() -> Engine:
    """One for the whole process: it remembers compiled statements. Every connection is a database of its own."""
    return create_sync_engine(make_url(_MEMORY), _PRAGMAS, "BEGIN")


@cache
def shipped_schema() -> sqlite3.Connection:
    """What the migrations make, once for the whole process."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "schema.db"
        migrate.upgrade(f"sqlite+aiosqlite:///{path}")
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        source = sqlite3.connect(path)
        source.backup(kept)
        source.close()
    return kept


class Polls(Protocol):
    """Remembers what the pollers' empty questions were answered, so that they need not be asked again."""

    def known(self, work: Callable[[Connection], Any]) -> tuple[Any] | None: ...

    def learn(self, work: Callable[[Connection], Any], result: Any) -> None: ...


class InlineDatabase:
    """`point(name)` is called around every transaction: where a crash can be put. `pause` waits before each: the hop to
    the writer and the disk."""

    def __init__(
        self,
        connection: Connection,
        *,
        monotonic: Callable[[], float],
        on_hold: HoldHook | None = None,
        point: Callable[[str], None] = lambda name: None,
        pause_s: Callable[[], float] = lambda: 0.0,
        polls: "Polls | None" = None,
    ) -> None:
        self._connection = connection
        self.driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
        self._monotonic = monotonic
        self._on_hold = on_hold
        self._point = point
        self._pause_s = pause_s
        self._polls = polls
        self._gate = Gate(1)
        self._closed = False
        self.writing = 0
        """Transactions under way or waiting."""

    @property
    def dialect(self) -> str:
        return "sqlite"

    async def write(self, priority: Priority, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise DatabaseClosed
        self.writing += 1
        try:
            await self._gate.enter(priority)
            before = self.driver.total_changes
            result = await self._hold(priority, work)
            if self._polls is not None and self.driver.total_changes == before:
                self._polls.learn(work, result)
            return result
        finally:
            self.writing -= 1

    async def _hold(self, priority: Priority, work: Callable[[Connection], T]) -> T:
        started = self._monotonic()
        try:
            pause = self._pause_s()
            if pause > 0:
                await asyncio.sleep(pause)
            self._point("begins")
            if self._polls is not None and (known := self._polls.known(work)) is not None:
                return known[0]  # type: ignore[no-any-return]
            before = self.driver.total_changes
            result = self._tried(work)
            self._point("committed" if self.driver.total_changes != before else "looked")
            return result
        finally:
            self._gate.leave()
            if self._on_hold is not None:
                self._on_hold(self._monotonic() - started, priority)

    async def read(self, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise DatabaseClosed
        await asyncio.sleep(0)
        if self._polls is not None and (known := self._polls.known(work)) is not None:
            return known[0]  # type: ignore[no-any-return]
        self.driver.execute("PRAGMA query_only=ON")
        try:
            with self._connection.begin():
                result = work(self._connection)
            if self._polls is not None:
                self._polls.learn(work, result)
            return result
        finally:
            self.driver.execute("PRAGMA query_only=OFF")

    async def listen(self, channel: str, callback: Callable[[], None]) -> None:
        """One process: nobody else to hear."""

    def notify(self, conn: Connection, channel: str) -> None:
        """One process: nobody else to wake."""

    async def close(self) -> None:
        self._closed = True

    def _tried(self, work: Callable[[Connection], T]) -> T:
        for number in range(1, WRITE_TRIES_MAX + 1):
            try:
                return self._transact(work)
            except Conflict:
                if number == WRITE_TRIES_MAX:
                    raise
        raise AssertionError("a try either returns or raises")

    def _transact(self, work: Callable[[Connection], T]) -> T:
        transaction = self._connection.begin()
        try:
            before = self.driver.total_changes
            result = work(self._connection)
            if self.driver.total_changes != before:
                self._point("before_commit")
            transaction.commit()
        except BaseException:
            transaction.rollback()
            raise
        return result
