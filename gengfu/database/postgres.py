"""PostgreSQL through asyncpg: small pools, alarms first, short timeouts. Never trusts a NOTIFY to arrive."""

import asyncio
import itertools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import asyncpg
from sqlalchemy import URL, Connection, bindparam, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from alerting.ports import Conflict, Priority
from gengfu.database.common import STATEMENTS_CACHED, WRITE_TRIES_MAX, DatabaseClosed, HoldHook, from_json, to_json
from gengfu.database.gate import Gate

T = TypeVar("T")
logger = logging.getLogger(__name__)

WRITERS = 4
READERS = 4
STATEMENT_TIMEOUT_MS = 2_000
LOCK_TIMEOUT_MS = 500
IDLE_IN_TRANSACTION_TIMEOUT_MS = 5_000
CONNECT_TIMEOUT_SECONDS = 5.0
RETRY_PAUSE_SECONDS_MAX = 0.05
LISTEN_PAUSE_SECONDS = (0.1, 5.0)
"""Before reconnecting a lost listener: at first, and at most."""
_RETRIED_SQLSTATES = ("40001", "40P01", "55P03")
"""serialization_failure, deadlock_detected, lock_not_available: our lock timeout ends a deadlock before the server's
own search for one (1 s) does."""

_NOTIFY = select(func.pg_notify(bindparam("channel"), ""))


def create_pool(url: URL, size: int, **options: Any) -> AsyncEngine:
    """An engine of at most `size` connections with the product's timeouts in force."""
    return create_async_engine(
        url,
        pool_size=size,
        max_overflow=0,
        query_cache_size=STATEMENTS_CACHED,
        json_serializer=to_json,
        json_deserializer=from_json,
        connect_args={
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "prepared_statement_cache_size": STATEMENTS_CACHED,
            "server_settings": {
                "application_name": "gengfu",
                "jit": "off",  # it costs more than these small statements take
                "statement_timeout": str(STATEMENT_TIMEOUT_MS),
                "lock_timeout": str(LOCK_TIMEOUT_MS),
                "idle_in_transaction_session_timeout": str(IDLE_IN_TRANSACTION_TIMEOUT_MS),
            },
        },
        **options,
    )


@dataclass(frozen=True, slots=True)
class _Again:
    error: Exception


class PostgresDatabase:
    """`gengfu.database.RunningDatabase` on a PostgreSQL server."""

    def __init__(
        self, url: URL, *, monotonic: Callable[[], float], on_hold: HoldHook | None, fraction: Callable[[], float]
    ) -> None:
        self._writers = create_pool(url, WRITERS)
        # Repeatable read: a reader of several statements sees one moment, as it does on SQLite.
        self._readers = create_pool(url, READERS, isolation_level="REPEATABLE READ").execution_options(
            postgresql_readonly=True
        )
        self._gate = Gate(WRITERS)
        self._monotonic = monotonic
        self._on_hold = on_hold
        self._fraction = fraction
        self._listener = _Listener(url, fraction)
        self._running: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def dialect(self) -> str:
        return "postgresql"

    async def write(self, priority: Priority, work: Callable[[Connection], T]) -> T:
        """Cancelled while it waits, the transaction never begins; cancelled later, it runs to its end."""
        if self._closed:
            raise DatabaseClosed
        await self._gate.enter(priority)
        task = asyncio.get_running_loop().create_task(self._write(priority, work))
        self._running.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    async def read(self, work: Callable[[Connection], T]) -> T:
        if self._closed:
            raise DatabaseClosed
        for number in itertools.count(1):
            try:
                async with self._readers.connect() as connection:
                    return await connection.run_sync(work)
            except DBAPIError as error:
                if number == WRITE_TRIES_MAX or not _worth_repeating(error):
                    raise
        raise AssertionError("a try either returns or raises")

    async def listen(self, channel: str, callback: Callable[[], None]) -> None:
        await self._listener.listen(channel, callback)

    def notify(self, conn: Connection, channel: str) -> None:
        conn.execute(_NOTIFY, {"channel": channel})

    async def close(self) -> None:
        self._closed = True
        while self._running:
            await asyncio.wait(self._running)
        await self._listener.close()
        await self._writers.dispose()
        await self._readers.dispose()

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        self._gate.leave()

    async def _write(self, priority: Priority, work: Callable[[Connection], T]) -> T:
        for number in itertools.count(1):
            started = self._monotonic()
            try:
                async with self._writers.connect() as connection:
                    result = await _try(connection, work)
                    if not isinstance(result, _Again):
                        await connection.commit()
                        return result
            finally:
                if self._on_hold is not None:
                    self._on_hold(self._monotonic() - started, priority)
            if number == WRITE_TRIES_MAX:
                raise result.error
            await asyncio.sleep(RETRY_PAUSE_SECONDS_MAX * self._fraction())
        raise AssertionError("a try either returns or raises")


async def _try(connection: AsyncConnection, work: Callable[[Connection], T]) -> T | _Again:
    """The work's result, or why it may be run again: nothing of it has been committed."""
    try:
        return await connection.run_sync(work)
    except Conflict as error:
        return _Again(error)
    except DBAPIError as error:
        if not _worth_repeating(error):
            raise
        return _Again(error)


def _worth_repeating(error: DBAPIError) -> bool:
    """Another transaction won, or the connection had died before this one began its work."""
    return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in _RETRIED_SQLSTATES


class _Listener:
    """One connection that listens on every channel asked for, and comes back when it is lost."""

    def __init__(self, url: URL, fraction: Callable[[], float]) -> None:
        self._dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._fraction = fraction
        self._callbacks: dict[str, Callable[[], None]] = {}
        self._connection: Any = None
        self._lost = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def listen(self, channel: str, callback: Callable[[], None]) -> None:
        self._callbacks[channel] = callback
        if self._task is None:
            await self._connect()
            self._task = asyncio.get_running_loop().create_task(self._stay_connected())
        elif self._connection is not None and not self._connection.is_closed():
            await self._connection.add_listener(channel, self._heard)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close(timeout=CONNECT_TIMEOUT_SECONDS)

    async def _connect(self) -> None:
        self._connection = connection = await asyncpg.connect(
            self._dsn, timeout=CONNECT_TIMEOUT_SECONDS, server_settings={"application_name": "gengfu listener"}
        )
        self._lost.clear()
        connection.add_termination_listener(lambda _connection: self._lost.set())
        for channel in self._callbacks:
            await connection.add_listener(channel, self._heard)

    def _heard(self, _connection: object, _pid: int, channel: str, _payload: object) -> None:
        self._callbacks[channel]()

    async def _stay_connected(self) -> None:
        first, longest = LISTEN_PAUSE_SECONDS
        pause = first
        while True:
            await self._lost.wait()
            await asyncio.sleep(pause * (0.5 + self._fraction() / 2))
            pause = min(pause * 2, longest)
            try:
                await self._connect()
            except (OSError, TimeoutError, asyncpg.PostgresError) as error:
                logger.warning("listener not connected", extra={"cause": type(error).__name__})
                self._lost.set()
                continue
            pause = first
            for callback in tuple(self._callbacks.values()):
                callback()
