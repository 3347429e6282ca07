"""`gengfu serve` in a process of its own keeps the files of a mosquitto that it did not start; our script reloads it.

What `gengfu device` writes reaches it on PostgreSQL by the database alone, on SQLite through its socket.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from gengfu.broker.child import MosquittoChild
from tests.contract.cli_support import Shell
from tests.support.mosquitto import Login
from tests.support.mqtt import Probe, Refused
from tests.support.processes import dies_with_parent

pytest_plugins = ["tests.contract.cli_fixtures"]

SCRIPT = Path(__file__).resolve().parents[2] / "deploy" / "systemd" / "gengfu-broker-reload"
start_seconds_max = 30.0
cut_seconds_max = 5.0


@asynccontextmanager
async def serving(shell: Shell, **environ: str) -> AsyncIterator[None]:
    """One process; its first act is to write the files."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GENGFU_")}
    role = [] if shell.database_url.startswith("sqlite") else ["--role", "gateway"]
    command = [*dies_with_parent("KILL"), sys.executable, "-m", "gengfu", "serve", *role]
    with (shell.folder / "serve.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=shell.folder, env={**inherited, **shell.environ, **environ}, stdout=log, stderr=log
        )
    try:
        yield
        assert process.returncode is None, (shell.folder / "serve.log").read_text()
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@asynccontextmanager
async def reloading(child: MosquittoChild, state: Path) -> AsyncIterator[None]:
    """What systemd does with our units: the script whenever the folder has changed, and now and then."""

    over = asyncio.Event()

    async def look() -> None:
        while not over.is_set():
            command = ("/bin/kill", "-HUP", str(child.pid))
            running = await asyncio.create_subprocess_exec(SCRIPT, child.directory, state, *command)
            await running.wait()
            await asyncio.sleep(0.1)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        over.set()
        await looking


async def let_in(port: int, login: Login, within_s: float = cut_seconds_max) -> Probe:
    async with asyncio.timeout(within_s):
        while True:
            try:
                return await Probe.connect(port, login)
            except Refused:
                await asyncio.sleep(0.1)


async def test_enrolled_and_revoked_elsewhere_while_it_serves(upgraded: Shell, free_port: int) -> None:
    service = Login.fresh("gengfu-service")
    upgraded.environ["GENGFU_BROKER_URL"] = f"mqtt://{service.username}:{service.secret}@127.0.0.1:{free_port}"
    upgraded.environ["GENGFU_HTTP_PORT"] = "0"
    folder = upgraded.folder / "broker"
    await asyncio.to_thread(upgraded.ok, "broker", "files", "broker", "--port", str(free_port))
    child = MosquittoChild(folder, free_port)
    async with child, reloading(child, upgraded.folder / "seen"), serving(upgraded, GENGFU_BROKER_FILES_DIR="broker"):
        await _until_it_serves(upgraded)
        device, other = [await asyncio.to_thread(_enrolled, upgraded, f"smoke-000{number}") for number in (1, 2)]
        lines = [await let_in(free_port, login) for login in (device, other)]
        await asyncio.to_thread(upgraded.ok, "device", "revoke", device.username)
        await asyncio.wait_for(lines[0].closed.wait(), cut_seconds_max)
        with pytest.raises(Refused):
            await Probe.connect(free_port, device)
        assert not lines[1].closed.is_set()
        for line in lines:
            await line.close()


async def _until_it_serves(shell: Shell) -> None:
    """On SQLite the commands below need its socket."""
    log = shell.folder / "serve.log"
    async with asyncio.timeout(start_seconds_max):
        while "serving" not in log.read_text():  # noqa: ASYNC110 - a file calls nobody
            await asyncio.sleep(0.05)


def _enrolled(shell: Shell, device_id: str) -> Login:
    words = dict(line.split(" ", 1) for line in shell.ok("device", "enrol", "--id", device_id, "--kind", "camera"))
    return Login(words["username"], words["password"])
