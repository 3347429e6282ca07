"""Everything around the process that is killed, none of it inside it: broker, provider, a generator of events, a diary.

Each event has a device, a building and a worker of its own: the ledgers join on his number.
"""

import asyncio
import secrets
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
from sqlalchemy import Connection

from alerting.ports import Priority
from alerting.store import policy_rows
from alerting.store.policy_rows import PolicyRow
from devices.model import Channel
from gengfu.broker.child import MosquittoChild, free_port
from gengfu.broker.files import SERVICE_USERNAME
from gengfu.clock import RandomIds, SystemClock
from gengfu.database import migrate, open_database
from gengfu.seed import seed
from simulators.alarm_stream import AlarmStream
from simulators.city import City
from simulators.city_generator import generate_city
from simulators.fleet_counts import FleetCounts
from simulators.ledger import EventLedger
from simulators.line import Backoff
from simulators.wire import Wire
from tests.acceptance.kill.judge import Verdict, judge, missing
from tests.support.mosquitto import BrokerUnderTest, Login
from tests.support.processes import dies_with_parent

ROOT = Path(__file__).resolve().parents[3]
CODE = "fire.smoke"
FROM_NUMBER = "+15005550006"
stop_seconds_max = 10.0

ONE_STEP: dict[str, Any] = {
    "steps": [{"after_s": 0, "to": ["grid_worker"], "channels": ["sms", "voice"]}],
    "loop": {"every_s": 3600, "to": ["grid_worker"]},
}
"""One text and one call to one person: whatever comes more than that is a repeat."""


class Diary:
    """What was done to the process and when, one JSON line each (seconds of the machine's monotonic clock)."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, what: str) -> None:
        with self.path.open("ab") as diary:
            diary.write(msgspec.json.encode({"what": what, "monotonic": time.monotonic()}) + b"\n")


class Generator:
    """A fleet of devices that know no receipts: published once, done with the PUBACK. Its ledger is fsynced."""

    def __init__(self, wire: Wire, stream: AlarmStream, devices: Iterator[str]) -> None:
        self._wire = wire
        self._stream = stream
        self._devices = devices

    @classmethod
    async def begin(cls, broker: BrokerUnderTest, devices: Iterator[str], path: Path) -> "Generator":
        loop = asyncio.get_running_loop()
        ledger = EventLedger(path)
        stream = AlarmStream(Backoff(), False, FleetCounts(), SystemClock().now, loop.time, ledger)

        def on_puback(packet_id: int) -> None:
            stream.on_puback(packet_id)
            stream.write_ledger()

        wire = Wire(on_puback)
        await wire.connect(broker.host, broker.port, "generator", broker.service.username, broker.service.secret)
        return cls(wire, stream, devices)

    async def publish(self, events: int = 1) -> None:
        """So many new fires, each from a device that has not spoken before."""
        for _ in range(events):
            self._stream.add(next(self._devices), CODE)
        self._stream.send(self._wire)
        await self._wire.flush()

    async def end(self) -> None:
        """Wait for the last PUBACK."""
        async with asyncio.timeout(stop_seconds_max):
            await self._wire.below(1)
        await self._wire.close()


@dataclass(slots=True)
class Scene:
    """One stage of killing: where things are, and what the child is told."""

    folder: Path
    database_url: str
    broker: BrokerUnderTest
    generator: Generator
    provider: dict[str, str]
    numbers: dict[str, str]
    """Device -> telephone number of its only worker."""
    diary: Diary
    http_port: int = field(default_factory=free_port)
    secret_key: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def events(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def requests(self) -> Path:
        return self.folder / "requests.jsonl"

    def unsent(self) -> int:
        """Pages of acknowledged events that the provider has not taken yet."""
        return len(missing(self.events, self.requests, self.numbers))

    def verdict(self) -> Verdict:
        """What the ledgers say."""
        return judge(self.events, self.requests, self.diary.path, self.numbers)

    def environment(self, stop_at: str) -> dict[str, str]:
        """The whole environment of `gengfu serve`: nothing of ours leaks in."""
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(ROOT),
            "GENGFU_DATABASE_URL": self.database_url,
            "GENGFU_DATA_DIR": str(self.folder),
            "GENGFU_BROKER_URL": self.broker.url(),
            "GENGFU_HTTP_PORT": str(self.http_port),
            "GENGFU_SECRET_KEY": self.secret_key,
            "GENGFU_TWILIO__ACCOUNT_SID": self.provider["account_sid"],
            "GENGFU_TWILIO__AUTH_TOKEN": self.provider["auth_token"],
            "GENGFU_TWILIO__FROM_NUMBER": FROM_NUMBER,
            "GENGFU_TWILIO__BASE_URL": self.provider["base_url"],
            "GENGFU_TEST_STOP_AT": stop_at,
        }


@asynccontextmanager
async def set_scene(folder: Path, database_url: str, devices: int, list_lag_s: float = 1.0) -> AsyncIterator[Scene]:
    """A migrated and seeded database, a broker, a provider, a generator. What runs is ended at the end."""
    folder.mkdir()  # noqa: ASYNC240 - one folder
    city = generate_city(devices, devices, devices)
    numbers = await _fill(database_url, city)
    service = Login.fresh(SERVICE_USERNAME)
    child = await MosquittoChild.launch(folder / "broker", service=service.account)
    broker = BrokerUnderTest(child, service)
    provider: asyncio.subprocess.Process | None = None
    try:
        provider, told = await _start_provider(folder / "requests.jsonl", list_lag_s)
        ids = iter([device.id for device in city.devices])
        generator = await Generator.begin(broker, ids, folder / "events.jsonl")
        yield Scene(folder, database_url, broker, generator, told, numbers, Diary(folder / "diary.jsonl"))
    finally:
        if provider is not None and provider.returncode is None:
            provider.send_signal(signal.SIGTERM)
            await asyncio.wait_for(provider.wait(), stop_seconds_max)
        await child.stop()


async def _fill(database_url: str, city: City) -> dict[str, str]:
    migrate.upgrade(database_url)  # not in a thread: alembic knows one migration at a time
    clock, ids = SystemClock(), RandomIds()

    def fill(conn: Connection) -> None:
        seed(conn, city, now=clock.now(), ids=ids)
        policy_rows.add(conn, ids.uuid7(), PolicyRow("one-step", 0, ONE_STEP, 1))

    database = open_database(database_url, monotonic=clock.monotonic)
    try:
        await database.write(Priority.ADMINISTRATION, fill)
    finally:
        await database.close()
    numbers = {}
    for number, device in enumerate(city.devices):
        contact = city.people[number].contact(Channel.SMS)
        assert contact is not None
        numbers[device.id] = contact.address
    return numbers


async def _start_provider(ledger: Path, list_lag_s: float) -> tuple[asyncio.subprocess.Process, dict[str, str]]:
    """The emulator in a process of its own; nobody picks up, every story is over at once."""
    options = ["--ledger", str(ledger), "--time-scale", "0", "--speech-seconds-per-char", "0"]
    process = await asyncio.create_subprocess_exec(
        *dies_with_parent("KILL"),
        *(sys.executable, "-m", "simulators.twilio", *options, "--list-lag", str(list_lag_s)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), stop_seconds_max)
    told = msgspec.json.decode(line, type=dict[str, str])
    async with aiohttp.ClientSession() as session:
        body = {"number": None, "answers": "never"}
        async with session.post(f"{told['base_url']}/_emulator/phones", json=body) as answer:
            assert answer.status == 200, await answer.text()
    return process, told
