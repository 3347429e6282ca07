"""Commands that write while the service holds SQLite: through its socket, which only its owner may open."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from api.auth import hash_key
from gengfu.clock import RandomIds, SystemClock
from gengfu.commands import handlers
from gengfu.database import hold, open_database
from gengfu.database.common import parse, sqlite_path
from gengfu.socket import CommandRefused, NotServed, ask, serve_commands, socket_path
from tests.contract.cli_support import Shell

pytest_plugins = ["tests.contract.cli_fixtures"]

patience_s = 10.0


@dataclass(slots=True)
class Told:
    """What the service was told beside the transactions."""

    registry_changes: int = 0
    forgotten: list[str] = field(default_factory=list)

    def registry_changed(self) -> None:
        self.registry_changes += 1


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that happens in this loop."""
    deadline = asyncio.get_running_loop().time() + patience_s
    while not true() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 - a file appears
        await asyncio.sleep(0.005)
    assert true()


@asynccontextmanager
async def service(url: str) -> AsyncIterator[Told]:
    """The database held and written by this process, with its command socket, as `gengfu serve` has it."""
    told = Told()
    path = socket_path(sqlite_path(parse(url)))
    with hold(url, "serve"):
        clock = SystemClock()
        database = open_database(url, monotonic=clock.monotonic)
        commands = handlers(database, clock, RandomIds(), told.registry_changed, told.forgotten.append)
        serving = asyncio.create_task(serve_commands(path, commands))
        await until(path.exists)
        try:
            yield told
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            await database.close()
    assert not path.exists()


async def test_keys_and_devices_are_written_by_the_service(on_sqlite: Shell) -> None:
    async with service(on_sqlite.database_url) as told:
        (secret,) = await asyncio.to_thread(on_sqlite.ok, "key", "add", "--role", "administrator", "first")
        assert "first\tadministrator\tin force" in (await asyncio.to_thread(on_sqlite.ok, "key", "list"))[0]
        assert told.registry_changes == 0
        enrol = ("device", "enrol", "--id", "smoke-0001", "--kind", "smoke_detector")
        assert len(await asyncio.to_thread(on_sqlite.ok, *enrol)) == 2
        assert told.registry_changes == 1
        await asyncio.to_thread(on_sqlite.ok, "key", "revoke", "first")
        assert told.forgotten == [hash_key("a secret key for this test", secret)]
        refused = await asyncio.to_thread(on_sqlite.refusal, 1, *enrol)
        assert "--renew" in refused
        assert told.registry_changes == 1
        assert "serve" in await asyncio.to_thread(on_sqlite.refusal, 1, "db", "upgrade")


async def test_no_secret_crosses_the_socket(on_sqlite: Shell) -> None:
    heard: list[dict[str, Any]] = []

    async def listen(args: dict[str, Any]) -> dict[str, Any]:
        heard.append(args)
        return {"id": "x"}

    path = socket_path(sqlite_path(parse(on_sqlite.database_url)))
    with hold(on_sqlite.database_url, "serve"):
        serving = asyncio.create_task(serve_commands(path, {"key.add": listen, "device.enrol": listen}))
        await until(path.exists)
        (key,) = await asyncio.to_thread(on_sqlite.ok, "key", "add", "--role", "viewer", "first")
        enrol = ("device", "enrol", "--id", "smoke-0001", "--kind", "smoke_detector", "--json")
        (line,) = await asyncio.to_thread(on_sqlite.ok, *enrol)
        serving.cancel()
        await asyncio.gather(serving, return_exceptions=True)
    assert len(heard) == 2
    assert key not in repr(heard)
    assert json.loads(line)["password"] not in repr(heard)


async def test_only_the_owner_may_open_it_and_a_leftover_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "gengfu.db.sock"
    with socket.socket(socket.AF_UNIX) as crashed:
        crashed.bind(str(path))
    with pytest.raises(NotServed):
        ask(path, "any", {})
    assert path.stat().st_mode & 0o777 != 0o600
    serving = asyncio.create_task(serve_commands(path, {}))
    await until(lambda: path.exists() and path.stat().st_mode & 0o777 == 0o600)
    with pytest.raises(CommandRefused, match="another version"):
        await asyncio.to_thread(ask, path, "any", {})
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


async def test_a_faulty_command_or_a_mute_client_ends_nobody_else(tmp_path: Path) -> None:
    async def fail(args: dict[str, Any]) -> dict[str, Any]:
        raise ZeroDivisionError

    async def echo(args: dict[str, Any]) -> dict[str, Any]:
        return args

    path = tmp_path / ("a-folder-with-a-long-name-" * 3) / ("and-another-one-" * 3) / "gengfu.db.sock"
    path.parent.mkdir(parents=True)
    serving = asyncio.create_task(serve_commands(path, {"fail": fail, "echo": echo}))
    await until(path.exists)
    folder = path.parent
    with socket.socket(socket.AF_UNIX) as mute, pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        mute.connect(path.name)
        mute.sendall(b'{"command": "echo", "args": {}')
        with pytest.raises(CommandRefused, match="ZeroDivisionError"):
            await asyncio.to_thread(ask, path, "fail", {})
        assert await asyncio.to_thread(ask, path, "echo", {"name": "网格员甲"}) == {"name": "网格员甲"}
        with socket.socket(socket.AF_UNIX) as flood:
            flood.connect(path.name)
            flood.sendall(b"x" * 100_000)
            assert await asyncio.to_thread(flood.recv, 1) == b""
        assert await asyncio.to_thread(ask, path, "echo", {}) == {}
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert not path.exists()
