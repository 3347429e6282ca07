"""Fleets with a progress bar, and the devices' part of a story, through one account that may write for all."""

import asyncio
import json
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from gengfu.broker_address import BrokerAddress
from gengfu.cli.common import at_terminal
from gengfu.clock import RandomIds, SystemClock
from simulators.event_ids import event_id_at
from simulators.fleet import FleetSettings, run_fleet
from simulators.fleet_counts import FleetCounts
from simulators.line import Backoff
from simulators.scenario import DeviceEvent, DeviceTelemetry, Scenario
from simulators.wire import Wire


def run_with_progress(told: FleetSettings) -> FleetCounts:
    """Run a fleet to its end; at a terminal with a bar on stderr. Ctrl-C ends it early. Raises as `run_fleet`."""
    clock = SystemClock()
    if not at_terminal():
        return asyncio.run(run_fleet(told, clock.now))
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (BarColumn(), TextColumn("{task.description}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("connecting", total=told.duration_s)

        def progress(counts: FleetCounts) -> None:
            said = f"{counts.alarms} alarms, {counts.receipts} receipts, {counts.telemetry} telemetry"
            bar.update(task, completed=min(counts.seconds, told.duration_s), description=said)

        return asyncio.run(run_fleet(told, clock.now, progress=progress))


async def play(
    story: Scenario,
    address: BrokerAddress,
    tls: ssl.SSLContext | None,
    speed: float,
    wait_s: float,
    tell: Callable[[str], None],
) -> int:
    """Publish the story's events and telemetry in their time, each event until its receipt or for `wait_s` seconds.

    `tell` gets a line per step with milliseconds. Returns how many events got no receipt. OSError, WireError.
    """
    player = _Player(tell)
    await player.open(address, tls)
    try:
        steps: list[DeviceEvent | DeviceTelemetry] = [*story.events, *story.telemetry]
        chases = [asyncio.create_task(player.step(step, step.at_s / speed, wait_s)) for step in steps]
        return (await asyncio.gather(*chases)).count(False)
    finally:
        await player.close()


class _Player:
    """One line for all devices of a story."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._clock = SystemClock()
        self._loop = asyncio.get_running_loop()
        self._began = self._loop.time()
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._wire = Wire(on_message=self._heard)
        self._backoff = Backoff()

    async def open(self, address: BrokerAddress, tls: ssl.SSLContext | None) -> None:
        client_id = f"gengfu-story-{RandomIds().attempt()}"
        await self._wire.connect(
            address.host, address.port, client_id, address.username or "", address.password or "", tls
        )
        await self._wire.subscribe("gengfu/v1/+/down/receipt")
        self._began = self._loop.time()

    async def close(self) -> None:
        if not self._wire.closed.is_set():
            await self._wire.close()

    async def step(self, step: DeviceEvent | DeviceTelemetry, after_s: float, wait_s: float) -> bool:
        """Whether it was settled: an event by its receipt, telemetry by being sent."""
        await asyncio.sleep(max(0.0, self._began + after_s - self._loop.time()))
        if isinstance(step, DeviceTelemetry):
            await self._publish(step.device, "telemetry", {"values": step.values}, 0)
            self._say(step.device, "telemetry")
            return True
        now = self._clock.now()
        event_id = event_id_at(now)
        body = {"event_id": event_id, "code": step.code, "state": step.state.value, "observed_at": now.isoformat()}
        answer = self._waiting[event_id] = self._loop.create_future()
        self._say(step.device, f"published {step.code} {step.state}")
        receipt = await self._chase(step.device, body | {"values": step.values}, answer, wait_s)
        if receipt is None:
            self._say(step.device, "no receipt")
            return False
        refused = receipt.get("refused")
        self._say(step.device, f"refused: {refused}" if refused else "device receipt")
        return True

    async def _chase(
        self, device: str, body: dict[str, Any], answer: "asyncio.Future[dict[str, Any]]", wait_s: float
    ) -> dict[str, Any] | None:
        tries, end = 0, self._loop.time() + wait_s
        while (left := end - self._loop.time()) > 0 and not self._wire.closed.is_set():
            tries += 1
            await self._publish(device, "event", body, 1)
            with suppress(TimeoutError):
                return await asyncio.wait_for(asyncio.shield(answer), min(left, self._backoff.wait_s(tries)))
        return None

    async def _publish(self, device: str, part: str, body: dict[str, Any], qos: int) -> None:
        self._wire.publish(f"gengfu/v1/{device}/up/{part}".encode(), json.dumps(body).encode(), qos)
        await self._wire.flush()

    def _heard(self, _topic: str, payload: bytes) -> None:
        try:
            receipt = json.loads(payload)
            waiting = self._waiting.get(receipt["event_id"])
        except (ValueError, TypeError, KeyError):
            return
        if waiting is not None and not waiting.done():
            waiting.set_result(receipt)

    def _say(self, device: str, what: str) -> None:
        self._tell(f"{(self._loop.time() - self._began) * 1000:8.0f} ms  {device}  {what}")
