"""A broker's accounts follow the registry, whoever changed it: real mosquitto, both databases."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from devices.model import DeviceState
from devices.store import credentials, devices
from gengfu.broker.accounts import ChildAccounts, EmbeddedAccounts
from gengfu.broker.child import MosquittoChild
from gengfu.broker.embedded import PROTOCOL_VERSION, EmbeddedBroker
from gengfu.broker.files import SERVICE_USERNAME, hash_secret
from gengfu.broker_follow import BrokerAccounts, Following
from gengfu.database import open_database
from tests.contract.registry_support import NOW, Registry, device
from tests.support.mosquitto import Login
from tests.support.mqtt import Probe, Refused

pytest_plugins = ["tests.contract.registry_fixtures"]

cut_seconds_max = 5.0
"""What is promised for a revoked device."""
enrolled = [Login.fresh(f"smoke-{number:04}") for number in range(1, 6)]


@dataclass(slots=True)
class Scene:
    """A registry whose devices may connect to a mosquitto that follows it."""

    registry: Registry
    child: MosquittoChild
    following: Following

    async def line(self, login: Login) -> Probe:
        return await Probe.connect(self.child.port, login, version=5)

    async def let_in(self, login: Login) -> Probe:
        """A connection as soon as the broker takes this login."""
        async with asyncio.timeout(cut_seconds_max):
            while True:
                try:
                    return await self.line(login)
                except Refused:
                    await asyncio.sleep(0.05)


@asynccontextmanager
async def followed(registry: Registry, accounts: BrokerAccounts) -> AsyncIterator[Following]:
    following = Following(registry.database, accounts)
    running = asyncio.create_task(following.run())
    yield following
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def scene(registry: Registry, folder: Path) -> AsyncIterator[Scene]:
    """Five devices, enrolled before the broker was started without knowing any."""
    await enrol(registry, enrolled)
    service = Login.fresh(SERVICE_USERNAME).account
    child = await MosquittoChild.launch(folder, service=service)
    async with child, followed(registry, ChildAccounts(child, service, {})) as following:
        yield Scene(registry, child, following)


async def enrol(registry: Registry, logins: list[Login]) -> None:
    await registry.write(lambda conn: devices.insert_many(conn, [device(each.username, None) for each in logins]))
    for login in logins:
        await credential(registry, login)


async def credential(registry: Registry, login: Login) -> None:
    await registry.write(lambda conn: devices.set_credential(conn, login.username, hash_secret(login.secret)))


async def revoke(registry: Registry, login: Login) -> None:
    assert await registry.write(lambda conn: devices.revoke_credential(conn, login.username, NOW))


async def remove(registry: Registry, login: Login) -> None:
    row = await registry.read(lambda conn: devices.get(conn, login.username))
    assert row is not None
    gone = replace(row, device=replace(row.device, state=DeviceState.REMOVED))
    assert await registry.write(lambda conn: devices.update_one(conn, gone))


async def renew(registry: Registry, login: Login) -> None:
    await credential(registry, Login.fresh(login.username))


@pytest.mark.parametrize("end", [revoke, remove, renew])
async def test_a_device_is_cut_and_stays_out_and_nobody_else_is(
    registry: Registry, tmp_path: Path, end: Callable[[Registry, Login], Awaitable[None]]
) -> None:
    async with scene(registry, tmp_path / "broker") as on:
        lines = [await on.let_in(login) for login in enrolled]
        began = time.monotonic()
        await end(registry, enrolled[0])
        on.following.look()
        await asyncio.wait_for(lines[0].closed.wait(), cut_seconds_max)
        took = time.monotonic() - began
        with pytest.raises(Refused, match="authori"):
            await on.line(enrolled[0])
        for line, login in zip(lines[1:], enrolled[1:], strict=True):
            assert await line.publish(f"gengfu/v1/{login.username}/up/heartbeat", b"{}") < 0x80
            assert not line.closed.is_set()
        for line in lines:
            await line.close()
    assert took < cut_seconds_max


async def test_what_another_process_writes_is_followed_too(
    registry: Registry, tmp_path: Path, migrated_url: str
) -> None:
    """No word from the other one: `gengfu device revoke`, or the API in a process of its own, on another machine."""
    other = Registry(open_database(migrated_url, monotonic=time.monotonic))
    try:
        async with scene(registry, tmp_path / "broker") as on:
            line = await on.let_in(enrolled[0])
            newcomer = Login.fresh("smoke-0099")
            await enrol(other, [newcomer])
            await (await on.let_in(newcomer)).close()
            assert not line.closed.is_set()
            await revoke(other, enrolled[0])
            await asyncio.wait_for(line.closed.wait(), cut_seconds_max)
            await line.close()
    finally:
        await other.database.close()


async def test_nothing_is_written_or_read_again_when_no_account_changed(registry: Registry, tmp_path: Path) -> None:
    async with scene(registry, tmp_path / "broker") as on:
        await (await on.let_in(enrolled[4])).close()
        passwords = on.child.directory / "passwords"
        before, reloads = passwords.stat().st_ino, _reloads(on.child)
        for _ in range(3):
            await registry.write(lambda conn: devices.insert_many(conn, [device(f"cam-{time.monotonic_ns()}", None)]))
            on.following.look()
            await asyncio.sleep(0.2)
        await registry.write(credentials.count_up)  # counted, but the same accounts
        on.following.look()
        await asyncio.sleep(1.0)
        assert passwords.stat().st_ino == before
        assert _reloads(on.child) == reloads
        assert sorted(each.name for each in on.child.directory.iterdir() if each.name.startswith(".")) == []


async def test_a_broker_that_was_down_is_told_when_it_is_back(
    registry: Registry, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(registry, tmp_path / "broker") as on:
        await (await on.let_in(enrolled[0])).close()
        await on.child.kill()
        with caplog.at_level(logging.WARNING, "gengfu.broker_follow"):
            await revoke(registry, enrolled[0])
            on.following.look()
            await _until(lambda: "mosquitto is not running" in caplog.text)
            await on.child.start()
            await _until(lambda: "again" in caplog.text)
        assert caplog.text.count("mosquitto is not running") == 1, "each second again?"
        with pytest.raises(Refused):
            await on.line(enrolled[0])
        await (await on.line(enrolled[1])).close()


async def test_the_embedded_broker_follows_as_well(registry: Registry) -> None:
    service, guest = Login.fresh(SERVICE_USERNAME), Login.fresh("stranger-01")
    await enrol(registry, enrolled)
    async with EmbeddedBroker(service=service.account) as broker:
        guests = {guest.username: hash_secret(guest.secret)}
        async with followed(registry, EmbeddedAccounts(broker, guests)) as following:
            await _until(lambda: len(broker.accounts) == 1 + 5 + 1)
            line, other, visitor, own = [
                await Probe.connect(broker.port, login, version=PROTOCOL_VERSION)
                for login in (*enrolled[:2], guest, service)
            ]
            await revoke(registry, enrolled[0])
            following.look()
            await asyncio.wait_for(line.closed.wait(), cut_seconds_max)
            with pytest.raises(Refused):
                await Probe.connect(broker.port, enrolled[0], version=PROTOCOL_VERSION)
            for each in (other, visitor, own):
                assert not each.closed.is_set()
            for each in (line, other, visitor, own):
                await each.close()


async def test_a_pass_over_many_devices_ends_with_its_task_and_leaves_the_loop_free(
    registry: Registry, tmp_path: Path
) -> None:
    """The files of a city are written page by page in a thread; stopping does not wait for the last page."""
    hashed = hash_secret("anything")
    rows = [device(f"device-{number:05}", None) for number in range(5_000)]
    await registry.write(lambda conn: devices.insert_many(conn, rows))
    await registry.write(lambda conn: [devices.set_credential(conn, row.device.id, hashed) for row in rows] and None)
    service = Login.fresh(SERVICE_USERNAME).account
    child = MosquittoChild(tmp_path / "broker", 18830)
    accounts = ChildAccounts(child, service, {})
    os.mkdir(child.directory)
    task = asyncio.create_task(Following(registry.database, accounts, page_rows=10).run())
    slowest = 0.0
    for _ in range(20):
        began = time.monotonic()
        await asyncio.sleep(0.005)
        slowest = max(slowest, time.monotonic() - began)
    assert any(each.name.startswith(".passwords-") for each in child.directory.iterdir()), "it was not writing"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert list(child.directory.iterdir()) == []
    assert slowest < 0.5


def _reloads(child: MosquittoChild) -> int:
    return child.log_path.read_text().count("Reloading config")


async def _until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(cut_seconds_max):
        while not true():  # noqa: ASYNC110 - files and logs call nobody
            await asyncio.sleep(0.02)
