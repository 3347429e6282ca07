"""What stands around a story: a clock that moves, the control room's HTTP client, hands that break things. No rule."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

import aiohttp
import asyncpg

from gengfu.clock import SystemClock
from gengfu.database.common import parse, sqlite_path
from gengfu.stage import Stage
from tests.support.mosquitto import Login

OURS = frozenset({"alerting", "api", "devices", "gateway", "gengfu", "simulators", "asyncio"})


class StoryClock(SystemClock):
    """The machine's clocks, and what the story adds to them."""

    def __init__(self) -> None:
        self.wall_ahead = timedelta()
        self.time_passed_s = 0.0

    def now(self) -> datetime:
        return super().now() + self.wall_ahead + timedelta(seconds=self.time_passed_s)

    def monotonic(self) -> float:
        return super().monotonic() + self.time_passed_s

    def pass_time(self, seconds: float) -> None:
        """So much time has gone by, on every clock."""
        self.time_passed_s += seconds

    def jump(self, by: timedelta) -> None:
        """Somebody set the wall clock; no time has gone by."""
        self.wall_ahead += by


class Faults(logging.Handler):
    """Errors that our own code logged; a story names those that it causes on purpose."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.lines: list[str] = []
        self._expected: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.split(".")[0] in OURS:
            self.lines.append(f"{record.name}: {record.getMessage()}")

    def expect(self, *words: str) -> None:
        """Lines with one of these words belong to the story."""
        self._expected.extend(words)

    def unexpected(self) -> list[str]:
        return [line for line in self.lines if not any(word in line for word in self._expected)]


@dataclass(slots=True)
class Desk:
    """Somebody with an API key. `async with Desk(url, key) as desk`."""

    base_url: str
    key: str = field(repr=False)
    _session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        headers = {"authorization": f"Bearer {self.key}"}
        self._session = aiohttp.ClientSession(self.base_url, headers=headers, timeout=aiohttp.ClientTimeout(total=20))
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def post(self, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer."""
        assert self._session is not None
        async with self._session.post(path, json=body or {}) as answer:
            return answer.status, await answer.json(content_type=None)

    async def get(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer."""
        assert self._session is not None
        async with self._session.get(path) as answer:
            return answer.status, await answer.json(content_type=None)

    async def put(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer."""
        assert self._session is not None
        async with self._session.put(path, json=body) as answer:
            return answer.status, await answer.json(content_type=None)

    async def delete(self, path: str) -> tuple[int, dict[str, Any]]:
        """Status and body of the answer."""
        assert self._session is not None
        async with self._session.delete(path) as answer:
            return answer.status, await answer.json(content_type=None)

    async def act(self, incident: dict[str, Any], verb: str, **body: Any) -> tuple[int, dict[str, Any]]:
        """Press a button of an incident."""
        return await self.post(f"/api/v1/incidents/{incident['id']}/{verb}", body)

    async def items(self, path: str) -> list[dict[str, Any]]:
        """The items of a list."""
        assert self._session is not None
        async with self._session.get(path) as answer:
            assert answer.status == 200, await answer.text()
            listed: dict[str, Any] = await answer.json()
            return list(listed["items"])

    async def figure(self, name: str, **labels: str) -> float:
        """One sample of /metrics; 0 where there is none."""
        assert self._session is not None
        async with self._session.get("/metrics") as answer:
            text = await answer.text()
        wanted = {f'{key}="{value}"' for key, value in labels.items()}
        for line in text.splitlines():
            head, _, value = line.rpartition(" ")
            found, _, rest = head.partition("{")
            if found == name and set(rest.rstrip("}").split(",")) - {""} == wanted:
                return float(value)
        return 0.0


async def add_account(stage: Stage, username: str) -> Login:
    """A login that the broker knows and the registry does not."""
    return Login(username, await stage.let_in(username))


def login(stage: Stage, device_id: str) -> Login:
    """A device's broker account in plain words."""
    return Login(device_id, stage.device_secrets[device_id])


@asynccontextmanager
async def nothing_can_be_committed(database_url: str) -> AsyncIterator[None]:
    """While this lasts no event can be written: another program sits on the database."""
    url = parse(database_url)
    if url.drivername == "sqlite":
        holder = await asyncio.to_thread(_hold_sqlite, str(sqlite_path(url)))
        try:
            yield
        finally:
            holder.rollback()
            holder.close()
        return
    connection = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
            yield
    finally:
        await connection.close()


async def execute(database_url: str, sqlite: str, postgresql: str) -> None:
    """Run a script in the database, past the service."""
    url = parse(database_url)
    if url.drivername == "sqlite":
        with sqlite3.connect(sqlite_path(url)) as connection:
            connection.executescript(sqlite)
        connection.close()
        return
    other = await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    try:
        await other.execute(postgresql)
    finally:
        await other.close()


def _hold_sqlite(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=10, check_same_thread=False)
    connection.execute("BEGIN EXCLUSIVE")
    return connection
