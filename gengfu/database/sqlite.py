"""SQLite: one writer thread and two readers, a whole transaction per hop. Never lets a second connection write.

Measured against SQLAlchemy's async engine on aiosqlite, which crosses threads several times per statement: a deciding
transaction of six selects and five inserts takes a third to a quarter of the time here.
"""

import asyncio
import itertools
import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event

from alerting.ports import Conflict, Priority
from gengfu.database.common import (
    STATEMENTS_CACHED,
    WRITE_TRIES_MAX,
    DatabaseClosed,
    HoldHook,
    from_json,
    sqlite_path,
    to_json,
)

T = TypeVar("T")

READERS = 2
GIL_SWITCH_SECONDS = 0.0001
"""A thread that asks for the interpreter gets it after this long. With CPython's own 5 ms, a busy event loop keeps the
writer, which gives the interpreter away at every row, waiting for seconds."""
_MODE = 0o600
_COMMON_PRAGMAS = ("busy_timeout=2000", "foreign_keys=ON", "temp_store=MEMORY")
_WRITER_PRAGMAS = (
    *_COMMON_PRAGMAS,
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=1000",
    "journal_size_limit=67108864",
    "cache_size=-16384",
)
_READER_PRAGMAS = (*_COMMON_PRAGMAS, "query_only=ON", "wal_autocheckpoint=0", "cache_size=-8192")


def create_file(path: Path) -> None:
    """Create an empty database file that only its owner may read, whatever the umask; an existing one stays."""
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _MODE)
    except FileExistsError:
        return
    try:
        os.fchmod(descriptor, _MODE)
    finally:
        os.close(descriptor)


def create_sync_engine(url: URL, pragmas: tuple[str, ...] = _WRITER_PRAGMAS, begin: str = "BEGIN IMMEDIATE") -> Engine:
    """An engine whose every connection is new, has `pragmas` in force and begins transactions with `begin`."""
    engine = create_engine(
        url,
        poolclass=NullPool,
        query_cache_size=STATEMENTS_CACHED,
        json_serializer=to_json,
        json_deserializer=from_json,
        connect_args={"isolation_level": None, "cached_statements": STATEMENTS_CACHED},
    )

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


class _Lane:
    """Threads with a connection each, and the jobs waiting for them: by priority, then by arrival."""

    def __init__(
        self, engine: Engine, name: str, threads: int, run: Callable[[Connection, Priority, Any], Any]
    ) -> None:
        self._engine = engine
        self._run = run
        self._waiting: list[tuple[Priority, int, Callable[[Connection], Any], Future[Any]]] = []
        self._arrivals = itertools.count()
        self._changed = threading.Condition()
        self._closed = False
        # Daemons: a program that dies without `close` must not hang on its database.
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    async def submit(self, priority: Priority, work: Callable[[Connection], T]) -> T:
        """Cancelled while it waits, the job never begins; cancelled later, it runs to its end."""
        future: Future[T] = Future()
        with self._changed:
            if self._closed:
                raise DatabaseClosed
            heappush(self._waiting, (priority, next(self._arrivals), work, future))
            self._changed.notify()
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Blocks until every job already waiting has run and the connections are closed."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        self._engine.dispose()

    def _work(self) -> None:
        connection: Connection | None = None
        while (job := self._next()) is not None:
            priority, _, work, future = job
            del job
            if future.set_running_or_notify_cancel():
                try:
                    connection = connection or self._engine.connect()
                    future.set_result(self._run(connection, priority, work))
                except BaseException as error:  # noqa: BLE001 - the top of a worker's loop: it belongs to who waits
                    future.set_exception(error)
            del work, future  # or the job before would live as long as this thread waits
        if connection is not None:
            connection.close()

    def _next(self) -> tuple[Priority, int, Callable[[Connection], Any], Future[Any]] | None:
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            return heappop(self._waiting)


class SqliteDatabase:
    """`gengfu.database.RunningDatabase` on one file."""

    def __init__(self, url: URL, *, monotonic: Callable[[], float], on_hold: HoldHook | None) -> None:
        self.path = sqlite_path(url)
        create_file(self.path)
        writer = create_sync_engine(url)
        with writer.connect():  # WAL before the first reader; and a file that is no database fails here
            pass
        sys.setswitchinterval(min(sys.getswitchinterval(), GIL_SWITCH_SECONDS))
        self._monotonic = monotonic
        self._on_hold = on_hold
        self._writer = _Lane(writer, "sqlite-writer", 1, self._run_write)
        reader = create_sync_engine(url, _READER_PRAGMAS, "BEGIN")
        self._readers = _Lane(reader, "sqlite-reader", READERS, self._run_read)

    @property
    def dialect(self) -> str:
        return "sqlite"

    async def write(self, priority: Priority, work: Callable[[Connection], T]) -> T:
        return await self._writer.submit(priority, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._readers.submit(Priority.ALARM, work)

    async def listen(self, channel: str, callback: Callable[[], None]) -> None:
        """One process: whoever writes wakes its own workers."""

    def notify(self, conn: Connection, channel: str) -> None:
        """One process: whoever writes wakes its own workers."""

    async def close(self) -> None:
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._readers.close()
        self._writer.close()  # last, so that its connection checkpoints and clears the WAL away

    def _run_write(self, connection: Connection, priority: Priority, work: Callable[[Connection], T]) -> T:
        started = self._monotonic()
        try:
            for number in range(1, WRITE_TRIES_MAX + 1):
                try:
                    with connection.begin():
                        return work(connection)
                except Conflict:
                    if number == WRITE_TRIES_MAX:
                        raise
            raise AssertionError("a try either returns or raises")
        finally:
            if self._on_hold is not None:
                self._on_hold(self._monotonic() - started, priority)

    def _run_read(self, connection: Connection, _priority: Priority, work: Callable[[Connection], T]) -> T:
        with connection.begin():
            return work(connection)
