"""What the gateway's tests stand on: a real mosquitto, a recording entry, a scripted broker that shows the wire."""

import asyncio
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.publish
from paho.mqtt.enums import MQTTProtocolVersion

from alerting.verdicts import DeviceReceipt, Outcome, Prepared, Urgency, Verdict
from devices.signals import RawMessage, Uplink
from gateway import GatewaySettings, Lane, Subscriber
from gengfu.broker.child import free_port
from tests.support.processes import dies_with_parent

NOW = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)
wait_seconds_max = 10.0


def event_topic(device: str = "smoke-0001") -> str:
    return f"gengfu/v1/{device}/up/event"


def body(n: int, urgency: Urgency = Urgency.ALARM) -> bytes:
    return json.dumps({"n": n, "urgency": int(urgency)}).encode()


def number(item: Prepared | RawMessage) -> int:
    raw = item.raw if isinstance(item, Prepared) else item
    found: int = json.loads(raw.payload)["n"]
    return found


async def eventually(condition: Callable[[], object], seconds: float = wait_seconds_max) -> None:
    """Wait until `condition` holds; TimeoutError if it never does."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for happens in another process or on the wire
            await asyncio.sleep(0.01)


class RecordingEntry:
    """The seam to the service: notes what it was handed, waits for permission and fails when told to."""

    def __init__(self) -> None:
        self.prepared: list[Prepared] = []
        self.calls: list[list[Prepared]] = []
        """Batches in the order in which `handle` was called."""
        self.handled: list[Prepared] = []
        """Messages of the calls that returned."""
        self.background: list[Prepared] = []
        self.failures_left = 0
        self.receipts = False
        self._permits: asyncio.Semaphore | None = None

    def stall(self) -> None:
        """From now on each call of `handle` waits for one `permit`."""
        self._permits = asyncio.Semaphore(0)

    def permit(self) -> None:
        assert self._permits is not None
        self._permits.release()

    def resume(self) -> None:
        permits, self._permits = self._permits, None
        assert permits is not None
        for _ in self.calls:
            permits.release()

    @property
    def numbers(self) -> list[int]:
        return [number(each) for each in self.handled]

    def prepare(self, raw: RawMessage) -> Prepared:
        try:
            urgency = Urgency(json.loads(raw.payload)["urgency"])
        except (ValueError, KeyError):
            urgency = Urgency.BACKGROUND
        device = raw.topic.split("/")[2]
        prepared = Prepared(raw, Uplink(device, "plain", "gengfu_plain", ()), urgency)
        self.prepared.append(prepared)
        return prepared

    async def handle(self, batch: Sequence[Prepared]) -> Sequence[Verdict]:
        self.calls.append(list(batch))
        if self._permits is not None:
            await self._permits.acquire()
        await asyncio.sleep(0)
        if self.failures_left:
            self.failures_left -= 1
            raise ConnectionError("the database is gone")
        self.handled += batch
        return [self._verdict(each) for each in batch]

    def seen(self, batch: Sequence[Prepared]) -> None:
        self.background += batch

    def _verdict(self, prepared: Prepared) -> Verdict:
        if not self.receipts:
            return Verdict(Outcome.COMMITTED, "opened")
        assert isinstance(prepared.uplink, Uplink)
        refused = "unknown_code" if number(prepared) % 2 else None
        receipt = DeviceReceipt(prepared.uplink.device_key, f"event-{number(prepared)}", NOW, refused)
        return Verdict(Outcome.COMMITTED, "opened", receipt)


class RecordingMetrics:
    """Keeps the figures that the gateway tells."""

    def __init__(self) -> None:
        self.depths: list[tuple[Lane, int]] = []
        self.broker: list[int] = []
        self.dropped = 0
        self.up: list[tuple[Lane, bool]] = []
        self.handled_count = 0

    def intake_depth(self, lane: Lane, n: int) -> None:
        self.depths.append((lane, n))

    def broker_dropped(self, n: int) -> None:
        self.broker.append(n)

    def telemetry_dropped(self, n: int) -> None:
        self.dropped += n

    def connected(self, lane: Lane, up: bool) -> None:
        self.up.append((lane, up))

    def handled(self, n: int) -> None:
        self.handled_count += n


def gateway_settings(port: int, **changes: Any) -> GatewaySettings:
    return replace(GatewaySettings("127.0.0.1", port, "gengfu-test"), **changes)


def make_subscriber(entry: RecordingEntry, settings: GatewaySettings, **options: Any) -> Subscriber:
    """A subscriber whose waits are a tenth of their bound: quick, and still growing."""
    return Subscriber(entry, settings, lambda: NOW, **({"random": lambda: 0.1} | options))


@asynccontextmanager
async def running(subscriber: Subscriber, ready: bool = True) -> AsyncIterator[asyncio.Task[None]]:
    """Run until the block ends; then cut it off as a crash would: nothing more is handled or acknowledged."""
    task = asyncio.create_task(subscriber.run())
    try:
        if ready:
            await eventually(subscriber.ready)
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def publish(port: int, messages: Iterable[tuple[str, bytes]], qos: int = 1, retain: bool = False) -> None:
    """Publish and wait for the broker's PUBACKs."""
    packets = [{"topic": topic, "payload": payload, "qos": qos, "retain": retain} for topic, payload in messages]
    await asyncio.to_thread(paho.mqtt.publish.multiple, packets, "127.0.0.1", port)  # type: ignore[arg-type]


async def publish_numbers(port: int, numbers: Iterable[int], urgency: Urgency = Urgency.ALARM) -> None:
    await publish(port, [(event_topic(), body(n, urgency)) for n in numbers])


class Mosquitto:
    """Debian's broker with a small configuration, in a folder of its own."""

    def __init__(self, folder: Path, listener_lines: Sequence[str] = ()) -> None:
        self._folder = folder
        self.port = free_port()
        lines = [
            f"listener {self.port} 127.0.0.1",
            *listener_lines,
            "allow_anonymous true",
            "persistence true",
            f"persistence_location {folder}/",
            "max_inflight_messages 1000",
            "max_queued_messages 0",
            "sys_interval 1",
            *(["user root"] if os.getuid() == 0 else []),
        ]
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    async def start(self) -> None:
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        assert program is not None, "mosquitto is not installed"
        self._launch(program)
        await eventually(self._listens)

    def _launch(self, program: str) -> None:
        with (self._folder / "mosquitto.log").open("ab") as log:
            command = [*dies_with_parent("KILL"), program, "-c", str(self._folder / "mosquitto.conf")]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)

    def _listens(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "mosquitto.log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    async def stop(self, kill: bool = False) -> None:
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        await asyncio.to_thread(self._process.wait, wait_seconds_max)
        self._process = None


@asynccontextmanager
async def mosquitto_running(folder: Path, listener_lines: Sequence[str] = ()) -> AsyncIterator[Mosquitto]:
    broker = Mosquitto(folder, listener_lines)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop(kill=True)


async def loop_lag(seconds: float) -> float:
    """The longest time for which the event loop did not come round during the next `seconds`."""
    longest, until = 0.0, time.monotonic() + seconds
    while time.monotonic() < until:
        before = time.monotonic()
        await asyncio.sleep(0.01)
        longest = max(longest, time.monotonic() - before)
    return longest


MQTT311 = MQTTProtocolVersion.MQTTv311
