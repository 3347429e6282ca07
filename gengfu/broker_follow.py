"""Keeps a broker's accounts at what the registry says, whoever changed it. Never decides who may connect."""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Protocol

from sqlalchemy.exc import SQLAlchemyError

from alerting.ports import Conflict, Database
from devices.store import credentials
from gengfu.broker.errors import BrokerFilesError, BrokerUnavailable

log = logging.getLogger(__name__)

look_every_s = 1.0
"""Other processes write to the registry too; one row says whether an account has changed."""
pause_s = 0.5
pause_s_max = 1.5
pause_per_pass = 2.0
"""Between two passes: whoever enrols many devices does not stop the broker for each of them, and the longer a pass
takes the longer the next one waits. The first change after a quiet time is followed at once."""
sweep_every_s = 60.0
sweep_per_pass = 50.0
"""Whatever was changed past the number is found by looking at every account, now and then."""


class BrokerAccounts(Protocol):
    """Where one broker's accounts are kept."""

    def write(self, devices: Iterable[tuple[str, str]]) -> bool:
        """Keep exactly these devices (id and hash, in order of ids). Blocks. True: the broker must read again."""
        ...

    async def reload(self) -> None:
        """Have the broker read again; a device that it no longer knows is cut. Raises BrokerUnavailable."""
        ...


class Following:
    """`run` for as long as the broker runs. `look` when this process itself has changed the registry."""

    def __init__(self, database: Database, accounts: BrokerAccounts, page_rows: int = credentials.PAGE_ROWS) -> None:
        self._database = database
        self._page_rows = page_rows
        self._accounts = accounts
        self._woken = asyncio.Event()
        self._done: int | None = None
        self._written_at = 0.0
        self._took_s = 0.0
        self._reload_owed = False
        self._trouble = ""
        self._stopping = False

    def look(self) -> None:
        """Instant."""
        self._woken.set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                if await self._stale(loop.time()):
                    await self._follow(loop)
                self._tell("")
            except (SQLAlchemyError, OSError, Conflict, BrokerFilesError, BrokerUnavailable) as fault:
                self._tell(f"the broker does not know the newest accounts: {str(fault) or type(fault).__name__}")
            await asyncio.sleep(self._written_at + self._pause_s() - loop.time())
            with suppress(TimeoutError):
                async with asyncio.timeout(look_every_s):
                    await self._woken.wait()
            self._woken.clear()

    def _pause_s(self) -> float:
        return min(pause_s_max, max(pause_s, pause_per_pass * self._took_s))

    async def _stale(self, now: float) -> bool:
        if self._reload_owed or self._done is None:
            return True
        if now - self._written_at > max(sweep_every_s, sweep_per_pass * self._took_s):
            return True
        return await self._database.read(credentials.number) != self._done

    async def _follow(self, loop: asyncio.AbstractEventLoop) -> None:
        began = loop.time()
        number = await self._database.read(credentials.number)
        if await self._written(loop):
            self._reload_owed = True
        if self._reload_owed:
            await self._accounts.reload()
            self._reload_owed = False
        self._done = number
        self._written_at = loop.time()
        self._took_s = self._written_at - began

    async def _written(self, loop: asyncio.AbstractEventLoop) -> bool:
        """Write in a thread that asks for page after page. When we are cancelled it ends before we do."""
        writing = asyncio.ensure_future(asyncio.to_thread(self._accounts.write, self._devices(loop)))
        try:
            return await asyncio.shield(writing)
        except asyncio.CancelledError:
            self._stopping = True
            await asyncio.wait({writing})
            writing.cancelled() or writing.exception()  # seen, and of no interest any more
            raise

    def _devices(self, loop: asyncio.AbstractEventLoop) -> Iterator[tuple[str, str]]:
        after: str | None = None
        while not self._stopping:
            page = asyncio.run_coroutine_threadsafe(self._page(after), loop).result()
            yield from page
            if len(page) < self._page_rows:
                return
            after = page[-1][0]
        raise BrokerFilesError("stopping")

    async def _page(self, after: str | None) -> list[tuple[str, str]]:
        return await self._database.read(lambda conn: credentials.page(conn, after, self._page_rows))

    def _tell(self, trouble: str) -> None:
        """Each trouble once, and its end."""
        if trouble and trouble != self._trouble:
            log.error("%s", trouble)
        elif self._trouble and not trouble:
            log.warning("the broker knows the newest accounts again")
        self._trouble = trouble
