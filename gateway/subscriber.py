"""The gateway as one thing to start and stop: both lanes, their connections and workers. Holds no rule of its own."""

import asyncio
import logging
import random as random_module
from collections.abc import Callable
from datetime import datetime

from alerting.verdicts import Entry
from gateway.alarm_lane import AlarmLane
from gateway.commands import CommandSender, Source
from gateway.settings import GatewaySettings, Lane
from gateway.telemetry_lane import TelemetryLane
from gateway.telling import GatewayMetrics, NoMetrics

report_seconds = 1.0

log = logging.getLogger(__name__)


def _no_checkpoint(name: str) -> None:
    return None


class Subscriber:
    """Receives from the broker and hands over to `entry`; made on the event loop it runs on.

    `clock` gives aware UTC. `checkpoint` is called with "before_puback" after a batch was handled and before any of
    its acknowledgements and receipts: tests stop the process there. `commands` are sent to devices while it runs.
    """

    def __init__(
        self,
        entry: Entry,
        settings: GatewaySettings,
        clock: Callable[[], datetime],
        *,
        metrics: GatewayMetrics | None = None,
        checkpoint: Callable[[str], None] = _no_checkpoint,
        random: Callable[[], float] = random_module.random,
        commands: Source | None = None,
    ) -> None:
        self._settings = settings
        self._metrics: GatewayMetrics = metrics if metrics is not None else NoMetrics()
        self._alarm = AlarmLane(entry, settings, clock, self._metrics, checkpoint, random)
        self._telemetry = TelemetryLane(entry, settings, clock, self._metrics, self._alarm.take_over, random)
        self._sender = None if commands is None else CommandSender(commands, self._alarm.connection, clock)
        self._stop_wanted = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()
        self._dropped_told = 0

    @property
    def connected(self) -> bool:
        """The alarm lane's subscriptions stand: a fire that is published now arrives here."""
        return self._alarm.connection.connected

    def ready(self) -> bool:
        """For readiness probes: both lanes are connected."""
        return self.connected and self._telemetry.connection.connected

    def publish(self, topic: str, payload: bytes, expires_s: int) -> bool:
        """At QoS 1 over the alarm lane's own connection, as a device's event comes; False without a session."""
        return self._alarm.connection.publish_once(topic, payload, expires_s)

    @property
    def held(self) -> int:
        """QoS 1 messages of the present session, received and not yet acknowledged. Never above `receive_maximum`, but
        for what a broker delivers again before it has granted the subscriptions (one window of its own)."""
        return self._alarm.held

    async def run(self) -> None:
        """Until `stop` or cancellation. Raises only for programmers' errors. Cancelled, it leaves at once: what was
        not acknowledged stays with the broker."""
        self._ended.clear()
        try:
            async with asyncio.TaskGroup() as group:
                connection = group.create_task(self._alarm.connection.run())
                worker = group.create_task(self._alarm.work())
                others = [
                    group.create_task(self._telemetry.connection.run()),
                    group.create_task(self._telemetry.work()),
                    group.create_task(self._report()),
                ]
                if self._sender is not None:
                    others.append(group.create_task(self._sender.run()))
                await self._stop_wanted.wait()
                await self._drain(connection, worker)
                for task in (connection, worker, *others):
                    task.cancel()
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """Stop reading, finish and acknowledge the batch in work, disconnect; at most `drain_seconds_max`."""
        self._stop_wanted.set()
        await self._ended.wait()

    async def _drain(self, connection: asyncio.Task[None], worker: asyncio.Task[None]) -> None:
        try:
            async with asyncio.timeout(self._settings.drain_seconds_max):
                self._alarm.stop()
                await asyncio.wait({worker})
                if self._alarm.connection.connected:
                    self._alarm.connection.close()
                    await asyncio.wait({connection})
        except TimeoutError:
            log.warning("stopped with a batch still in work; the broker delivers it again")

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(report_seconds)
            self._metrics.intake_depth(Lane.ALARM, len(self._alarm.intake))
            self._metrics.intake_depth(Lane.TELEMETRY, len(self._telemetry.intake))
            dropped = self._alarm.intake.dropped + self._telemetry.intake.dropped
            if dropped > self._dropped_told:
                self._metrics.telemetry_dropped(dropped - self._dropped_told)
                self._dropped_told = dropped
