"""Everything a benchmark stands on, each in a process of its own: broker, phone provider, service, generator, apps.

Never measures; never touches a process it did not start.
"""

import asyncio
import json
import os
import secrets
import shutil
import sys
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp

from api.auth import new_secret
from benchmarks import cpu
from benchmarks.child import ROOT, Answer, Child
from benchmarks.databases import Databases
from gengfu.broker.child import HOST, MosquittoChild, free_port
from gengfu.broker.files import SERVICE_USERNAME, Account, hash_password
from simulators.city_generator import generate_city
from tests.support.processes import dies_with_parent

start_seconds_max = 90.0
stop_seconds_max = 15.0
ready_every_s = 0.1
from_number = "+15005550006"
OTHERS = "others"


class WorldBroken(Exception):
    """A part did not start."""


class World:
    """`async with World(...) as world`. `devices`, `buildings`: of the generated city; a worker for each building."""

    def __init__(self, devices: int, buildings: int, apps: int) -> None:
        self.devices = devices
        self.buildings = buildings
        self._apps = apps
        self._stack = AsyncExitStack()
        self._service_secret = secrets.token_urlsafe(16)
        self._secret_key = secrets.token_urlsafe(32)
        self.service: Process | None = None
        self.service_url = ""
        self.http: aiohttp.ClientSession

    async def __aenter__(self) -> Self:
        try:
            await self._set()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            await self.stop_service()
        finally:
            await self._stack.aclose()

    async def _set(self) -> None:
        (ROOT / ".run").mkdir(exist_ok=True)
        self.folder = Path(tempfile.mkdtemp(prefix="bench-", dir=ROOT / ".run"))
        self._stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.http = await self._stack.enter_async_context(aiohttp.ClientSession())
        service = Account(SERVICE_USERNAME, hash_password(self._service_secret))
        self.broker = await MosquittoChild.launch(self.folder / "broker", service=service)
        self._stack.push_async_callback(self.broker.stop)
        await self._start_emulator()
        self.generator = await self._child("generator", "benchmarks.generator")
        await self.generator.ask("connect", **self.broker_login)
        keys = [new_secret() for _ in range(self._apps)]
        self._keys = self.folder / "keys"
        self._keys.write_text("\n".join(keys))
        city = await asyncio.to_thread(generate_city, self.devices, self.buildings, self.buildings)
        self.databases = Databases(self.folder, self._secret_key, city, keys)
        self._stack.callback(self.databases.close)

    @property
    def broker_login(self) -> Answer:
        broker = self.broker
        account = {"username": SERVICE_USERNAME, "password": self._service_secret}
        return {"host": broker.host, "port": broker.port, **account}

    @property
    def provider(self) -> Answer:
        """Address and account of the phone provider's emulator."""
        return dict(self._provider)

    async def start_service(self, database_url: str) -> None:
        """`gengfu serve` as a child with settings from the environment; returns when /readyz says so."""
        port = free_port()
        self.service_url = f"http://{HOST}:{port}"
        folder = self.folder / f"serve-{port}"
        folder.mkdir()
        with (folder / "log").open("wb") as log:
            self.service = await asyncio.create_subprocess_exec(
                *dies_with_parent("KILL"),
                *(sys.executable, "-m", "gengfu", "serve"),
                cwd=folder,
                env=self._environment(database_url, port),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.log = folder / "log"
        deadline = time.monotonic() + start_seconds_max
        while not await self._ready():
            if time.monotonic() > deadline or self.service.returncode is not None:
                words = await asyncio.to_thread(self.log.read_text)
                raise WorldBroken(f"gengfu serve is not ready: {words[-2000:]}")
            await asyncio.sleep(ready_every_s)

    async def stop_service(self) -> None:
        """SIGTERM, as an operator would."""
        service, self.service = self.service, None
        if service is None or service.returncode is not None:
            return
        service.terminate()
        try:
            await asyncio.wait_for(service.wait(), stop_seconds_max)
        except TimeoutError:
            with suppress(ProcessLookupError):
                service.kill()
            await service.wait()

    async def crowd(self, count: int) -> Child:
        """`count` worker apps, signed in and listening. The caller stops it."""
        crowd = await Child.launch("apps", "benchmarks.crowd")
        host, port = self.service_url.removeprefix("http://").split(":")
        await crowd.ask("connect", host=host, port=int(port), keys=str(self._keys), count=count)
        return crowd

    async def child(self, name: str, module: str) -> Child:
        """A further helper; the caller stops it."""
        return await Child.launch(name, module)

    async def begin_run(self) -> None:
        """Empty books at the phone provider; nobody answers the phone, and status callbacks wait until let go."""
        await self.emulator("reset", {})
        await self.emulator("phones", {"answers": "never"})
        await self.emulator("callbacks", {"held": True})

    async def emulator(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The steering face of the phone provider: GET, or POST with a body."""
        method = "GET" if body is None else "POST"
        async with self.http.request(method, f"{self._provider['base_url']}/_emulator/{path}", json=body) as answer:
            answer.raise_for_status()
            return await answer.json()

    def used(self, **more: int) -> dict[str, float]:
        """CPU seconds so far, by part; `others` is whatever else runs on this machine."""
        pids = {"broker": self.broker.pid, "provider": self._emulator.pid, "generator": self.generator.pid, **more}
        if self.service is not None:
            pids["service"] = self.service.pid
        seconds = {name: cpu.seconds_of(pid) for name, pid in pids.items()}
        postgres = self.databases.postgres_pid
        if postgres is not None:
            seconds["database"] = cpu.seconds_of_family(postgres)
        ours = sum(seconds.values()) + cpu.seconds_of(os.getpid())
        return seconds | {OTHERS: cpu.seconds_of_machine() - ours}

    async def _ready(self) -> bool:
        try:
            async with self.http.get(f"{self.service_url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def _child(self, name: str, module: str) -> Child:
        child = await Child.launch(name, module)
        self._stack.push_async_callback(child.stop)
        return child

    async def _start_emulator(self) -> None:
        self._emulator = await asyncio.create_subprocess_exec(
            *dies_with_parent("KILL"),
            *(sys.executable, "-m", "simulators.twilio", "--no-fsync", "--time-scale", "0"),
            cwd=ROOT,
            stdin=DEVNULL,
            stdout=PIPE,
        )
        self._stack.push_async_callback(self._stop_emulator)
        assert self._emulator.stdout is not None
        line = await asyncio.wait_for(self._emulator.stdout.readline(), start_seconds_max)
        if not line:
            raise WorldBroken("the phone provider's emulator did not start")
        self._provider: dict[str, str] = json.loads(line)

    async def _stop_emulator(self) -> None:
        if self._emulator.returncode is None:
            self._emulator.kill()  # nothing of it is needed any more
        await self._emulator.wait()

    def _environment(self, database_url: str, port: int) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GENGFU_")}
        broker, provider = self.broker, self._provider
        return kept | {
            "PYTHONPATH": str(ROOT),
            "GENGFU_DATABASE_URL": database_url,
            "GENGFU_BROKER_URL": f"mqtt://{SERVICE_USERNAME}:{self._service_secret}@{broker.host}:{broker.port}",
            "GENGFU_HTTP_PORT": str(port),
            "GENGFU_SECRET_KEY": self._secret_key,
            "GENGFU_LOG_LEVEL": "warning",
            "GENGFU_TWILIO__ACCOUNT_SID": provider["account_sid"],
            "GENGFU_TWILIO__AUTH_TOKEN": provider["auth_token"],
            "GENGFU_TWILIO__FROM_NUMBER": from_number,
            "GENGFU_TWILIO__BASE_URL": provider["base_url"],
        }
