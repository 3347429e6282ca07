"""Between a callback's arrival and its answer these are waited for: one timer of at most 0.12 s, then the spool's disk;
nothing else, however long the database stands still.

Shown by looking at every future that the request suspends on, not by a clock: how long this machine's processor and
disk take is another matter, which the benchmark measures.
"""

import asyncio
import sqlite3
import types
from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncpg
import pytest
from starlette.types import ASGIApp, Message, Scope
from twilio.request_validator import RequestValidator

from alerting import absorbing
from alerting.channels.base import Callbacks
from alerting.spool import Spool
from api.app import create_app
from gengfu.clock import SystemClock
from tests.contract.api_support import TWILIO, RecordingService, make_deps
from tests.contract.inbox_support import Desk, desk_on
from tests.contract.test_api_callbacks import WORDS, Plain
from tests.contract.test_inbox_spool import emptied

ATTEMPT = "abcdefghijklm"
promised_s = 0.2
disk_s = 0.08
"""What is left of the promise for processor and disk."""


@asynccontextmanager
async def standing_still(url: str) -> AsyncIterator[None]:
    """Somebody else holds what every writer of callbacks needs."""
    if url.startswith("sqlite"):
        holder = sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        try:
            yield
        finally:
            holder.execute("ROLLBACK")
            holder.close()
        return
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE callbacks IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


@dataclass
class Waits:
    """What a coroutine was suspended on, in order: `disk` for the spool's, else seconds until a timer ends it."""

    spool: Spool
    seen: list[str | float | None] = field(default_factory=list)

    async def of(self, coroutine: Any) -> Any:
        return await self._watched(coroutine)

    @types.coroutine
    def _watched(self, coroutine: Any) -> Generator[Any, Any, Any]:
        step, given = coroutine.send, None
        while True:
            try:
                future = step(given)
            except StopIteration as end:
                return end.value
            self.seen.append(self._kind(future))
            try:
                step, given = coroutine.send, (yield future)
            except BaseException as raised:  # noqa: BLE001 - passed on, whatever it is
                step, given = coroutine.throw, raised

    def _kind(self, future: Any) -> str | float | None:
        """None: nothing ends it but what it waits for."""
        if any(future is kept for _, kept in self.spool._waiting):
            return "disk"
        loop = asyncio.get_running_loop()
        timers = [timer for timer in loop._scheduled if not timer.cancelled()]  # type: ignore[attr-defined]
        ends = [timer.when() - loop.time() for timer in timers if timer._args and timer._args[0] is future]
        return min(ends, default=None)


@dataclass
class Door:
    """The whole application as a server calls it, its callbacks going into a real inbox."""

    app: ASGIApp
    desk: Desk

    async def told(self, path: str, body: bytes, **headers: str) -> tuple[int, Waits]:
        """The answer's status, and what was waited for."""
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            sent.append(message)

        bare, _, query = path.partition("?")
        scope: Scope = {
            "type": "http",
            "method": "POST",
            "path": bare,
            "raw_path": bare.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "http",
            "http_version": "1.1",
            "server": ("127.0.0.1", 80),
            "client": ("127.0.0.1", 1),
            "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()],
        }
        waits = Waits(self.desk.spool)
        await waits.of(self.app(scope, receive, send))
        return int(sent[0]["status"]), waits

    async def any_vendor(self) -> tuple[int, Waits]:
        return await self.told("/callbacks/plain/sms?key=secret", WORDS)

    async def twilio(self) -> tuple[int, Waits]:
        path, form = f"/callbacks/twilio/status?attempt={ATTEMPT}", {"MessageSid": "SM1", "MessageStatus": "delivered"}
        signature = RequestValidator(TWILIO.auth_token).compute_signature(TWILIO.public_url + path, form)
        return await self.told(path, urlencode(form).encode(), x_twilio_signature=signature)


@asynccontextmanager
async def door_on(url: str, folder: Path) -> AsyncIterator[Door]:
    async with desk_on(url, folder) as desk:
        service = RecordingService(database=desk.database)
        service.take_callbacks = desk.inbox.take_words  # type: ignore[method-assign]
        deps = make_deps(desk.database, service, SystemClock())
        vendors: dict[str, Callbacks] = {"plain": Plain()}
        deps.vendor_callbacks.update(vendors)  # type: ignore[attr-defined]
        yield Door(create_app(deps), desk)


@pytest.mark.parametrize("vendor", ["any_vendor", "twilio"])
async def test_a_stall_costs_one_short_timer_and_the_disk_and_nothing_else(
    migrated_url: str, tmp_path: Path, vendor: str
) -> None:
    async with door_on(migrated_url, tmp_path) as door:
        async with standing_still(migrated_url):
            status, waits = await getattr(door, vendor)()
            assert status in (200, 204)
            patience, disk = waits.seen
            assert disk == "disk"
            assert isinstance(patience, float)
            assert patience <= absorbing.patience_s <= promised_s - disk_s
            for _ in range(100):
                known = door.desk.inbox.absorber._is_stalled()  # nothing comes between this look and its own
                status, waits = await getattr(door, vendor)()
                assert (status in (200, 204), waits.seen[-1]) == (True, "disk")
                if known:
                    assert waits.seen == ["disk"], "and from then on not even the timer"
                    break
            assert known
        await emptied(door.desk)
        assert len(set(await door.desk.stored())) == (2 if vendor == "any_vendor" else 1), "and none is lost"


async def test_a_database_that_works_is_waited_for_under_the_same_timer(migrated_url: str, tmp_path: Path) -> None:
    async with door_on(migrated_url, tmp_path) as door:
        status, waits = await door.any_vendor()
        assert status == 200
        store, *late = waits.seen
        assert isinstance(store, float)
        assert store <= absorbing.patience_s
        assert late in ([], ["disk"]), "where this machine is busy"
        await emptied(door.desk)
        assert len(await door.desk.stored()) == 2


async def test_the_watch_sees_a_wait_that_no_timer_ends(tmp_path: Path) -> None:
    """So that the two above can fail."""

    async def sleeps() -> str:
        await asyncio.sleep(0)
        await asyncio.get_running_loop().run_in_executor(None, lambda: None)
        await asyncio.sleep(0.001)
        return "done"

    waits = Waits(Spool(tmp_path))
    assert await waits.of(sleeps()) == "done"
    bare, executor, timer = waits.seen
    assert (bare, executor) == (None, None)
    assert isinstance(timer, float)
