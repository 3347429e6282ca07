"""The telemetry lane: readings, heartbeats and the broker's own figures, on a clean session.

Never stands in front of an alarm.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from paho.mqtt.client import MQTTMessage

from alerting.verdicts import Entry, Prepared, Urgency
from gateway.alarm_lane import prepare, read_raw
from gateway.connection import MqttConnection
from gateway.intake import TelemetryIntake
from gateway.settings import GatewaySettings, Lane
from gateway.telling import GatewayMetrics
from gateway.topics import broker_dropped

messages_per_turn_max = 32
"""Messages read and handed over before the event loop gets its next turn."""

log = logging.getLogger(__name__)


class TelemetryLane:
    """Receiver of the telemetry connection and its worker. Whatever is not background goes to `hand_over`."""

    def __init__(
        self,
        entry: Entry,
        settings: GatewaySettings,
        clock: Callable[[], datetime],
        metrics: GatewayMetrics,
        hand_over: Callable[[Prepared], None],
        random: Callable[[], float],
    ) -> None:
        self.connection = MqttConnection(settings, settings.lane(Lane.TELEMETRY), self, random)
        self.intake = TelemetryIntake(settings.telemetry_messages_max)
        self._entry = entry
        self._clock = clock
        self._metrics = metrics
        self._hand_over = hand_over
        self._arrived = asyncio.Event()

    def session_began(self, generation: int) -> None:
        return None

    def message_arrived(self, generation: int, message: MQTTMessage) -> None:
        raw = read_raw(message, self._clock())
        if raw.topic == broker_dropped:
            if raw.payload.isdigit():
                self._metrics.broker_dropped(int(raw.payload))
            return
        self.intake.add(raw)
        self._arrived.set()

    def connection_changed(self, up: bool) -> None:
        self._metrics.connected(Lane.TELEMETRY, up)

    async def work(self) -> None:
        """Hand over until cancelled, a few messages a turn."""
        while True:
            messages = self.intake.take(messages_per_turn_max)
            if not messages:
                self._arrived.clear()
                await self._arrived.wait()
                continue
            self._pass_on([prepare(self._entry, raw) for raw in messages])
            await asyncio.sleep(0)

    def _pass_on(self, batch: list[Prepared]) -> None:
        background = [each for each in batch if each.urgency is Urgency.BACKGROUND]
        for each in batch:
            if each.urgency is not Urgency.BACKGROUND:
                self._hand_over(each)
        if not background:
            return
        try:
            self._entry.seen(background)
        except Exception:
            log.exception("%d telemetry messages were not taken", len(background))
