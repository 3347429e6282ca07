"""Who watches the watcher, with real processes: a killed service, a stalled broker, one word when it is well again, an
acknowledgement, and the switch outside. The watchdog has a provider account of its own."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from gengfu.clock import SystemClock
from simulators.phone import Answers, Behaviour
from simulators.twilio import TwilioEmulator
from tests.acceptance.kill.child import Serve
from tests.acceptance.kill.scene import ROOT, Scene, set_scene
from tests.support.processes import dies_with_parent

pytestmark = pytest.mark.alone

FIRST, SECOND = "+8613800138000", "+8613800138001"
SILENT_S = 1.5
EVERY_S = 0.25
REPEAT_S = 1.5
PATIENCE_S = 10.0
"""For what must come, on a busy machine: nothing else would bring it."""
SETTINGS = """
canary_every_s = 1.0

[watchdog]
phones = ["{first}", "{second}"]
every_s = {every}
silent_s = {silent}
repeat_s = {repeat}
ping_url = "{ping}"
ping_every_s = 1

[watchdog.twilio]
account_sid = "AC{sid}"
auth_token = "a token of its own"
from_number = "+15005550007"
base_url = "{base}"
"""


@dataclass(slots=True)
class Dog:
    """The watchdog's process, its phones and the switch outside."""

    scene: Scene
    emulator: TwilioEmulator
    process: asyncio.subprocess.Process
    pings: list[float] = field(default_factory=list)

    def texts(self, number: str = FIRST) -> list[str]:
        return [text.body for text in self.emulator.phones.sms if text.to == number]

    def calls(self, number: str = FIRST) -> list[str]:
        return [call.words() for call in self.emulator.phones.calls if call.to == number]

    async def until(self, count: int, within_s: float, number: str = FIRST) -> float:
        """Wait for so many texts to this number; how long it took."""
        began = time.monotonic()
        while len(self.texts(number)) < count:
            assert time.monotonic() - began < within_s, f"{self.texts(number)} {self.log()}"
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def run(self, *words: str) -> tuple[int, str]:
        """Another command of the program beside it."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gengfu", *words),
            cwd=self.scene.folder,
            env=_environment(self.scene),
            stderr=asyncio.subprocess.PIPE,
        )
        _, told = await process.communicate()
        return process.returncode or 0, told.decode()

    def log(self) -> str:
        return (self.scene.folder / "watchdog.log").read_text()


def _environment(scene: Scene) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(scene.folder),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(ROOT),
        "GENGFU_DATA_DIR": str(scene.folder),
        "GENGFU_HTTP_PORT": str(scene.http_port),
    }


async def _start(scene: Scene) -> asyncio.subprocess.Process:
    with (scene.folder / "watchdog.log").open("ab") as output:
        return await asyncio.create_subprocess_exec(
            *dies_with_parent("KILL"),
            *(sys.executable, "-m", "gengfu", "watchdog"),
            cwd=scene.folder,
            env=_environment(scene),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )


@asynccontextmanager
async def _switch(pings: list[float]) -> AsyncIterator[str]:
    """A dead man's switch on a free port."""

    async def answer(request: web.BaseRequest) -> web.Response:
        pings.append(time.monotonic())
        return web.Response(text="ok")

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    assert site._server is not None
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/ping"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _watching(folder: Path, database_url: str, **account: str) -> AsyncIterator[tuple[Dog, Serve]]:
    """Broker, service, the service's provider, the watchdog and its own provider. `account`: what the service believes
    of its own."""
    pings: list[float] = []
    sid = "2" * 32
    async with (
        set_scene(folder / "scene", database_url, devices=2) as scene,
        TwilioEmulator(
            account_sid=f"AC{sid}",
            auth_token="a token of its own",
            clock=SystemClock().now,
            time_scale=0,
            speech_seconds_per_char=0,
            default_behaviour=Behaviour(answers=Answers.VOICEMAIL),
        ) as emulator,
        _switch(pings) as ping,
    ):
        settings = SETTINGS.format(
            first=FIRST,
            second=SECOND,
            every=EVERY_S,
            silent=SILENT_S,
            repeat=REPEAT_S,
            sid=sid,
            base=emulator.base_url,
            ping=ping,
        )
        (scene.folder / "gengfu.toml").write_text(settings)
        scene.provider.update(account)
        serve = await Serve.start(scene)
        await serve.until_connected()
        dog = Dog(scene, emulator, await _start(scene), pings)
        try:
            yield dog, serve
        finally:
            if dog.process.returncode is None:
                dog.process.kill()
                await dog.process.wait()
            await serve.put_down()


async def test_a_killed_service_is_told_within_seconds_and_its_return_once(tmp_path: Path, sqlite_url: str) -> None:
    async with _watching(tmp_path, sqlite_url) as (dog, serve):
        await _pinged(dog, 1)
        assert dog.texts() == []

        await serve.kill()
        took = await dog.until(1, within_s=SILENT_S + PATIENCE_S)
        assert took >= SILENT_S - EVERY_S, "a moment of silence is nothing"
        assert "报警服务没有应答" in dog.texts()[0]
        await _called(dog, 1, "报警服务没有应答")
        assert dog.texts(SECOND) == []
        await dog.until(1, within_s=REPEAT_S + PATIENCE_S, number=SECOND)
        pings = len(dog.pings)

        dog.process.kill()  # and the watchdog's own restart neither forgets nor repeats at once
        await dog.process.wait()
        told = len(dog.texts())
        dog.process = await _start(dog.scene)
        code, words = await dog.run("watchdog", "ack")
        assert (code, "silent" in words) == (0, True), words
        await asyncio.sleep(2 * REPEAT_S)
        assert len(dog.texts()) <= told + 1, "acknowledged, it is told no more"
        assert len(dog.pings) == pings, "the switch outside hears nothing while it is not well"

        told = len(dog.texts())
        serve = await Serve.start(dog.scene)
        try:
            await dog.until(told + 1, within_s=20)
            assert "已恢复正常" in dog.texts()[-1]
            await _pinged(dog, pings + 1)
            await asyncio.sleep(2 * EVERY_S)
            assert [text for text in dog.texts() if "已恢复" in text] == dog.texts()[-1:]
        finally:
            await serve.put_down()


async def test_a_broker_that_stands_still_is_told_by_the_canary(tmp_path: Path, sqlite_url: str) -> None:
    async with _watching(tmp_path, sqlite_url) as (dog, _):
        await _pinged(dog, 1)
        child = dog.scene.broker.child
        os.kill(child.pid, signal.SIGSTOP)
        try:
            await dog.until(1, within_s=30)  # the first canary comes a second after the start, two are missed
            assert "自检报警未能通过" in dog.texts()[0], dog.texts()
            await _called(dog, 1, "自检报警未能通过")
        finally:
            os.kill(child.pid, signal.SIGCONT)
        told = len(dog.texts())
        await dog.until(told + 1, within_s=2 * PATIENCE_S)
        assert "已恢复正常" in dog.texts()[-1]


async def test_an_account_that_its_provider_refuses_is_told_though_the_service_runs(
    tmp_path: Path, sqlite_url: str
) -> None:
    """Code 20003: every alarm would be refused, and the first to say so must not be a fire."""
    async with _watching(tmp_path, sqlite_url, auth_token="not the token") as (dog, _):
        await dog.until(1, within_s=30)
        assert "短信电话账户不可用" in dog.texts()[0], dog.texts()
        await _called(dog, 1, "短信电话账户不可用")
        readyz = f"http://127.0.0.1:{dog.scene.http_port}/readyz"
        async with aiohttp.ClientSession() as session, session.get(readyz) as answer:
            told = await answer.json()
        assert (answer.status, set(told["parts"]) >= {"broker", "database"}) == (503, True)
        assert "GENGFU_TWILIO__ACCOUNT_SID" in told["parts"]["provider"]
        assert all(told["parts"][name] is True for name in ("broker", "database"))


async def _pinged(dog: Dog, count: int) -> None:
    """The watchdog has seen a service that is well, and told the switch outside."""
    began = time.monotonic()
    while len(dog.pings) < count:
        assert time.monotonic() - began < 2 * PATIENCE_S, dog.log()
        await asyncio.sleep(0.02)


async def _called(dog: Dog, count: int, words: str) -> None:
    began = time.monotonic()
    while len(dog.calls()) < count:
        assert time.monotonic() - began < PATIENCE_S, dog.log()
        await asyncio.sleep(0.02)
    assert words in dog.calls()[0]
