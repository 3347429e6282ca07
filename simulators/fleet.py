"""Many virtual devices over few connections: alarms, telemetry and heartbeats at given rates for a given time.

Speaks for every device through one account that may write to all device topics. Never raises incidents by other ways.
"""

import asyncio
import random
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from simulators.alarm_stream import AlarmStream
from simulators.fleet_counts import FleetCounts
from simulators.ledger import EventLedger
from simulators.line import Backoff
from simulators.wire import Wire, WireError

tick_s = 0.005
tick_messages_max = 1000
"""What one tick may send, so that a generator that fell behind catches up without one long block."""
progress_every_s = 0.5
connect_tries_max = 60


@dataclass(frozen=True, slots=True)
class FleetSettings:
    """What a fleet does. Rates are of the whole fleet, per second; exactly rate times duration messages are sent."""

    host: str
    port: int
    username: str
    password: str
    devices: int = 1000
    """Named sim-000001 ...; ignored where `device_ids` are given."""
    device_ids: tuple[str, ...] = ()
    alarms_per_s: float = 1.0
    telemetry_per_s: float = 0.0
    heartbeat_every_s: float | None = None
    """Each device's own period."""
    duration_s: float = 60.0
    settle_s: float = 10.0
    """How long to wait afterwards for the receipts that are still out."""
    codes: tuple[str, ...] = ("fire.smoke",)
    code_of: Callable[[int], str] | None = None
    """The code of the n-th alarm, from 0; by default one of `codes` at random."""
    until_receipt: bool = True
    """Events are repeated until their receipt; False: done with the PUBACK."""
    telemetry_qos: int = 0
    window: int = 5000
    """Alarms unacknowledged by the broker, at most."""
    backoff: Backoff = field(default_factory=Backoff)
    seed: int = 1
    tls: ssl.SSLContext | None = None
    client_prefix: str = "gengfu-fleet"

    @property
    def names(self) -> tuple[str, ...]:
        return self.device_ids or tuple(f"sim-{n + 1:06d}" for n in range(self.devices))


async def run_fleet(
    settings: FleetSettings,
    now: Callable[[], datetime],
    *,
    progress: Callable[[FleetCounts], None] | None = None,
    ledger: EventLedger | None = None,
) -> FleetCounts:
    """Run a fleet to its end and return what it sent and heard.

    Devices take their turns in a shuffled order. A broken connection is taken up again; alarms without a PUBACK go
    out again, telemetry of that moment is lost. WireError when the broker refuses the account or the topics;
    OSError when it cannot be reached for the first connection.
    """
    fleet = _Fleet(settings, now, ledger)
    await fleet.open()
    try:
        await fleet.run(progress or (lambda counts: None))
    finally:
        await fleet.close()
    return fleet.counts


class _Schedule:
    """How many messages of one kind are due: rate times elapsed, in whole numbers, never more than the total."""

    def __init__(self, rate: float, duration_s: float) -> None:
        self.rate = rate
        self.total = round(rate * duration_s)
        self.sent = 0

    def due(self, elapsed_s: float) -> int:
        ready = min(self.total, int(self.rate * elapsed_s) + 1) if self.total else 0
        return min(ready - self.sent, tick_messages_max)


class _Fleet:
    def __init__(self, settings: FleetSettings, now: Callable[[], datetime], ledger: EventLedger | None) -> None:
        self.counts = FleetCounts()
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        dice = random.Random(settings.seed)  # noqa: S311 - the same order for the same seed, no secret
        self._names = list(settings.names)
        dice.shuffle(self._names)
        self._code_of = settings.code_of or (lambda number: dice.choice(settings.codes))
        self._stream = AlarmStream(settings.backoff, settings.until_receipt, self.counts, now, self._loop.time, ledger)
        self._alarms: Wire | None = None
        self._rest: Wire | None = None
        beats = len(self._names) / settings.heartbeat_every_s if settings.heartbeat_every_s else 0.0
        self._alarm_plan = _Schedule(settings.alarms_per_s, settings.duration_s)
        self._telemetry_plan = _Schedule(settings.telemetry_per_s, settings.duration_s)
        self._heartbeat_plan = _Schedule(beats, settings.duration_s)

    async def open(self) -> None:
        """Two connections: telemetry never stands in front of an alarm."""
        self._alarms = await self._open_alarms()
        self._rest = await self._open("telemetry", Wire())

    async def close(self) -> None:
        for wire in (self._alarms, self._rest):
            if wire is not None and not wire.closed.is_set():
                await wire.close()
        self._stream.write_ledger()

    async def run(self, progress: Callable[[FleetCounts], None]) -> None:
        started = self._loop.time()
        told = started
        end = started + self._settings.duration_s + self._settings.settle_s
        while self._loop.time() < end and not self._is_done():
            tick = self._loop.time()
            elapsed = tick - started
            await self._send_alarms(elapsed)
            await self._send_rest(elapsed)
            self.counts.seconds = self._loop.time() - started
            if tick - told >= progress_every_s:
                told = tick
                progress(self.counts)
            await asyncio.sleep(max(0.0, tick + tick_s - self._loop.time()))
        self.counts.seconds = self._loop.time() - started
        self.counts.unsettled = self._stream.unsettled
        progress(self.counts)

    def _is_done(self) -> bool:
        plans = (self._alarm_plan, self._telemetry_plan, self._heartbeat_plan)
        return all(plan.sent == plan.total for plan in plans) and self._stream.unsettled == 0

    async def _send_alarms(self, elapsed_s: float) -> None:
        wire = self._alarms
        if wire is None or wire.closed.is_set():
            wire = self._alarms = await self._reopen(self._open_alarms)
            self._stream.repeat_unacknowledged()
        room = max(0, self._settings.window - len(wire.in_flight))
        plan = self._alarm_plan
        for _ in range(min(room, plan.due(elapsed_s))):
            self._stream.add(self._names[plan.sent % len(self._names)], self._code_of(plan.sent))
            plan.sent += 1
        self._stream.send(wire)
        await wire.flush()

    async def _send_rest(self, elapsed_s: float) -> None:
        wire = self._rest
        if wire is None or wire.closed.is_set():
            wire = self._rest = await self._reopen(lambda: self._open("telemetry", Wire()))
        plan = self._telemetry_plan
        qos = self._settings.telemetry_qos
        if qos and len(wire.in_flight) >= self._settings.window:
            return
        for _ in range(plan.due(elapsed_s)):
            name = self._names[plan.sent % len(self._names)]
            payload = msgspec.json.encode({"values": {"temperature_c": 20 + plan.sent % 50 / 10, "n": plan.sent}})
            wire.publish(f"gengfu/v1/{name}/up/telemetry".encode(), payload, qos)
            plan.sent += 1
        beats = self._heartbeat_plan
        for _ in range(beats.due(elapsed_s)):
            name = self._names[beats.sent % len(self._names)]
            wire.publish(f"gengfu/v1/{name}/up/heartbeat".encode(), b"{}", 0)
            beats.sent += 1
        self.counts.telemetry, self.counts.heartbeats = plan.sent, beats.sent
        await wire.flush()

    async def _open_alarms(self) -> Wire:
        wire = await self._open("alarms", Wire(self._stream.on_puback, self._stream.on_message))
        if self._settings.until_receipt:
            await wire.subscribe("gengfu/v1/+/down/receipt")
        return wire

    async def _open(self, lane: str, wire: Wire) -> Wire:
        told = self._settings
        client_id = f"{told.client_prefix}-{lane}"
        await wire.connect(told.host, told.port, client_id, told.username, told.password, told.tls)
        return wire

    async def _reopen(self, open_wire: Callable[[], Awaitable[Wire]]) -> Wire:
        for tries in range(1, connect_tries_max + 1):
            self.counts.reconnects += 1
            try:
                return await open_wire()
            except (OSError, WireError, TimeoutError):
                await asyncio.sleep(self._settings.backoff.wait_s(tries))
        raise WireError(f"no connection after {connect_tries_max} tries")
