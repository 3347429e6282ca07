"""Show other processes that this one is alive: an advisory lock held on PostgreSQL for as long as it runs.

Leases name their boot; a boot whose lock is free is gone, and its leases are void. Nothing is needed on SQLite.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from alerting.store.attempts import advisory_class
from gengfu.database.common import parse

log = logging.getLogger(__name__)

check_every_s = 5.0


@asynccontextmanager
async def announce(url: str, boot: int) -> AsyncIterator[None]:
    """Hold the lock of this boot until the block ends; taken again when the connection was lost."""
    parsed = parse(url)
    if parsed.drivername == "sqlite":
        yield
        return
    dsn = parsed.set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await _hold(dsn, boot)
    keeper = asyncio.create_task(_keep(dsn, boot, connection))
    try:
        yield
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def _hold(dsn: str, boot: int) -> asyncpg.Connection:
    connection = await asyncpg.connect(dsn, timeout=5, server_settings={"application_name": f"gengfu boot {boot}"})
    await connection.execute("SELECT pg_advisory_lock($1, $2)", advisory_class, boot)
    return connection


async def _keep(dsn: str, boot: int, connection: asyncpg.Connection) -> None:
    try:
        while True:
            await asyncio.sleep(check_every_s)
            try:
                if connection.is_closed():
                    connection = await _hold(dsn, boot)
                    log.warning("the presence lock of boot %d was lost and taken again", boot)
                else:
                    await connection.execute("SELECT 1", timeout=check_every_s)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError) as fault:
                log.warning("the presence lock of boot %d is in doubt: %s", boot, type(fault).__name__)
                connection.terminate()
    finally:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError, TimeoutError):
            await connection.close(timeout=2)
