"""SQLite: one writer thread and two readers, a whole transaction per hop. Never lets a second connection write.

Measured against SQLAlchemy's async engine on aiosqlite, which crosses threads several times per statement: a deciding
transaction of six selects and five inserts takes a third to a quarter of the time here.
"""

import asyncio
import itertools
import os
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from heapq import heappop, heappush
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, Engine, NullPool, RootTransaction, create_engine, event
from sqlalchemy.exc import OperationalError

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
from gengfu.database.gate import Gate

T = TypeVar("T")

READERS = 2
BUSY_TIMEOUT_MS = 2_000
COMMIT_QUICK_SECONDS = 0.002
PATIENT_COMMITS = 20
_MODE = 0o600
_COMMON_PRAGMAS = ("busy_timeout=2000", "foreign_keys=ON", "temp_store=MEMORY")
_WRITER_PRAGMAS = (
    *_COMMON_PRAGMAS,
    "journal_mode=WAL",
    "synchronous=FULL",
    "wal_autocheckpoint=4000",
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
        connect_args={
            "isolation_level": None,
            "cached_statements": STATEMENTS_CACHED,
            "check_same_thread": False,  # one user at a time is ours to see to
        },
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


class _Writer:
    """The one writing connection. Short transactions run on the event loop, where no thread fights for the interpreter;
    what waits for the disk or for another process (COMMIT, a contended BEGIN), and long ones, run in one thread.
    """

    def __init__(self, engine: Engine, monotonic: Callable[[], float], on_hold: HoldHook | None) -> None:
        self._engine = engine
        self._monotonic = monotonic
        self._on_hold = on_hold
        self._gate = Gate(1)
        self._thread = ThreadPoolExecutor(1, "sqlite-writer")
        self._connection = engine.connect()
        self._driver: sqlite3.Connection = self._connection.connection.driver_connection  # type: ignore[assignment]
        self._driver.execute("PRAGMA busy_timeout=0")
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False
        self._patient_commits = 0

    async def write(self, priority: Priority, work: Callable[[Connection], T]) -> T:
        """Cancelled while it waits, the transaction never begins; cancelled later, it runs to its end."""
        if self._closed:
            raise DatabaseClosed
        await self._gate.enter(priority)
        if priority < Priority.TELEMETRY and self._patient_commits == 0 and (begun := self._try_begin()):
            try:
                return self._at_once(priority, work, begun)
            finally:
                self._gate.leave()
        task = asyncio.create_task(self._run(priority, work))
        self._running.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _try_begin(self) -> RootTransaction | None:
        """None when another process holds the file."""
        try:
            return self._connection.begin()
        except OperationalError:
            return None

    def _at_once(self, priority: Priority, work: Callable[[Connection], T], begun: RootTransaction) -> T:
        """From BEGIN to COMMIT without a turn of the loop: under load each turn costs more than the transaction."""
        started = self._monotonic()
        transaction = begun
        try:
            for number in range(1, WRITE_TRIES_MAX + 1):
                try:
                    result = work(self._connection)
                except BaseException as fault:
                    transaction.rollback()
                    if not isinstance(fault, Conflict) or number == WRITE_TRIES_MAX:
                        raise
                    transaction = self._connection.begin()
                else:
                    self._timed_commit(transaction)
                    return result
            raise AssertionError("a try either returns or raises")
        finally:
            if self._on_hold is not None:
                self._on_hold(self._monotonic() - started, priority)

    async def close(self) -> None:
        self._closed = True
        if self._running:
            await asyncio.wait(self._running)
        await asyncio.get_running_loop().run_in_executor(self._thread, self._connection.close)
        self._thread.shutdown()
        self._engine.dispose()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._gate.leave()
        if not task.cancelled():
            task.exception()  # whoever waited has it

    async def _run(self, priority: Priority, work: Callable[[Connection], T]) -> T:
        started = self._monotonic()
        try:
            for number in range(1, WRITE_TRIES_MAX + 1):
                try:
                    return await self._transact(priority, work)
                except Conflict:
                    if number == WRITE_TRIES_MAX:
                        raise
            raise AssertionError("a try either returns or raises")
        finally:
            if self._on_hold is not None:
                self._on_hold(self._monotonic() - started, priority)

    async def _transact(self, priority: Priority, work: Callable[[Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        if priority >= Priority.TELEMETRY:
            return await loop.run_in_executor(self._thread, self._whole, work)
        transaction = self._try_begin()
        if transaction is None:  # another process holds the file: wait for it where waiting blocks nobody
            transaction = await loop.run_in_executor(self._thread, self._begin_patiently)
        try:
            result = work(self._connection)
        except BaseException:
            transaction.rollback()
            raise
        self._patient_commits = max(0, self._patient_commits - 1)
        await loop.run_in_executor(self._thread, self._commit, transaction)
        return result

    def _timed_commit(self, transaction: RootTransaction) -> None:
        """On the loop while the disk is quick (a hop to a thread and back costs more than such a flush); after a slow
        one, the next go to the thread."""
        started = self._monotonic()
        self._commit(transaction)
        if self._monotonic() - started > COMMIT_QUICK_SECONDS:
            self._patient_commits = PATIENT_COMMITS

    def _commit(self, transaction: RootTransaction) -> None:
        try:
            transaction.commit()
        except BaseException:
            transaction.rollback()
            raise

    def _begin_patiently(self) -> RootTransaction:
        self._driver.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        try:
            return self._connection.begin()
        finally:
            self._driver.execute("PRAGMA busy_timeout=0")

    def _whole(self, work: Callable[[Connection], T]) -> T:
        with self._begin_patiently() as transaction:
            result = work(self._connection)
            transaction.commit()
            return result


class SqliteDatabase:
    """`gengfu.database.RunningDatabase` on one file."""

    def __init__(self, url: URL, *, monotonic: Callable[[], float], on_hold: HoldHook | None) -> None:
        self.path = sqlite_path(url)
        create_file(self.path)
        writer = create_sync_engine(url)
        with writer.connect():  # WAL before the first reader; and a file that is no database fails here
            pass
        self._writer = _Writer(writer, monotonic, on_hold)
        reader = create_sync_engine(url, _READER_PRAGMAS, "BEGIN")
        self._readers = _Lane(reader, "sqlite-reader", READERS, self._run_read)

    @property
    def dialect(self) -> str:
        return "sqlite"

    async def write(self, priority: Priority, work: Callable[[Connection], T]) -> T:
        return await self._writer.write(priority, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._readers.submit(Priority.ALARM, work)

    async def listen(self, channel: str, callback: Callable[[], None]) -> None:
        """One process: whoever writes wakes its own workers."""

    def notify(self, conn: Connection, channel: str) -> None:
        """One process: whoever writes wakes its own workers."""

    async def close(self) -> None:
        await asyncio.to_thread(self._readers.close)
        await self._writer.close()  # last, so that its connection checkpoints and clears the WAL away

    def _run_read(self, connection: Connection, _priority: Priority, work: Callable[[Connection], T]) -> T:
        with connection.begin():
            return work(connection)
