"""The alarm lane: hands over most urgent first; acknowledges and receipts only after `handle` returned.

Never drops a QoS 1 message, never acknowledges one that is not durable, never decides what a message is worth.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime

from paho.mqtt.client import MQTTMessage

from alerting.verdicts import Entry, Prepared, Urgency, Verdict
from devices.signals import DecodeError, DecodeReason, RawMessage
from gateway.backoff import Backoff
from gateway.connection import MqttConnection
from gateway.intake import AlarmIntake, AlarmItem, BatchSize
from gateway.ledger import AckLedger
from gateway.receipts import encode_receipt
from gateway.settings import GatewaySettings, Lane
from gateway.telling import GatewayMetrics
from gateway.topics import receipt_topic

retry_first_seconds = 0.1
retry_ceiling_seconds = 1.0
pour_in_seconds_max = 0.75
"""How long, in one burst, everything but fire waits while messages still pour in: a fire may stand at their end."""
acks_per_turn_max = 64
"""Acknowledgements and receipts queued before the event loop gets its next turn."""

log = logging.getLogger(__name__)


class AlarmLane:
    """Receiver of the alarm connection and the one worker behind it."""

    def __init__(
        self,
        entry: Entry,
        settings: GatewaySettings,
        clock: Callable[[], datetime],
        metrics: GatewayMetrics,
        checkpoint: Callable[[str], None],
        random: Callable[[], float],
    ) -> None:
        self.connection = MqttConnection(settings, settings.lane(Lane.ALARM), self, random)
        self.intake = AlarmIntake(settings.loose_messages_max)
        self._entry = entry
        self._overtake_seconds = settings.overtake_seconds
        self._clock = clock
        self._metrics = metrics
        self._checkpoint = checkpoint
        self._ledger = AckLedger(settings.receive_maximum, settings.intake_bytes_max)
        self._size = BatchSize()
        self._retry = Backoff(retry_first_seconds, retry_ceiling_seconds, random)
        self._arrived = asyncio.Event()
        self._stopping = False
        self._poured_in = 0.0

    # -- what the connection says ---------------------------------------------------------------------------------

    def session_began(self, generation: int) -> None:
        self._ledger.begin(generation)
        self._bound_reading()

    def message_arrived(self, generation: int, message: MQTTMessage) -> None:
        raw = read_raw(message, self._clock())
        item = AlarmItem(prepare(self._entry, raw), generation, message.mid if message.qos else 0)
        if item.loose or self._ledger.owe(item):
            self._put(item)
        if self._ledger.is_full():
            self.connection.pause_reading()

    def connection_changed(self, up: bool) -> None:
        self._metrics.connected(Lane.ALARM, up)

    def take_over(self, prepared: Prepared) -> None:
        """A message of the telemetry lane that has to be decided: nobody acknowledges it, so it is loose."""
        self._put(AlarmItem(prepared))

    @property
    def held(self) -> int:
        return len(self._ledger)

    def _bound_reading(self) -> None:
        if self._ledger.is_full():
            self.connection.pause_reading()
        elif self._ledger.has_room():
            self.connection.resume_reading()

    def _put(self, item: AlarmItem) -> None:
        self.intake.add(item)
        self._arrived.set()

    # -- the worker -----------------------------------------------------------------------------------------------

    async def work(self) -> None:
        """Hand over until `stop`: everything that has arrived, at once, most urgent first."""
        async with asyncio.TaskGroup() as group:
            while not self._stopping:
                await self._let_reading_go_first()
                batch = self.intake.take(self._size.current)
                if not batch:
                    self._poured_in = 0.0
                    self._arrived.clear()
                    await self._arrived.wait()
                    continue
                in_work = group.create_task(self._handle(batch))
                await self._let_fires_overtake(in_work, group)
                if in_work.result():
                    self._retry.reset()
                elif not self._stopping:
                    await asyncio.sleep(self._retry.next_delay())

    def stop(self) -> None:
        """`work` returns when the batches in work are through; what was not taken stays with the broker."""
        self.connection.stop_reading()
        self._stopping = True
        self._arrived.set()

    async def _let_reading_go_first(self) -> None:
        """Deciding a batch keeps the loop busy for longer than reading one: without this, the last of ten thousand
        messages would be read only when most of them are decided."""
        while (
            self._poured_in < pour_in_seconds_max
            and len(self.intake) > self._size.current
            and self.connection.reading_behind
            and not self.intake.has_fire()
            and not self._ledger.is_full()
            and not self._stopping
        ):
            started = time.monotonic()
            await asyncio.sleep(0)
            self._poured_in += time.monotonic() - started

    async def _let_fires_overtake(self, in_work: asyncio.Task[bool], group: asyncio.TaskGroup) -> None:
        """While the database stalls, `handle` does not return; a fire that comes now must still be known to it,
        since it is paged from memory after two seconds."""
        while not in_work.done():
            await asyncio.wait({in_work}, timeout=self._overtake_seconds)
            if not in_work.done():
                fires = self.intake.take(self._size.current, up_to=Urgency.FIRE)
                if fires:
                    group.create_task(self._handle(fires))

    async def _handle(self, batch: list[AlarmItem]) -> bool:
        """False when `handle` failed: nothing is acknowledged and every item waits again."""
        started = time.monotonic()
        try:
            verdicts = await self._entry.handle([item.prepared for item in batch])
            if len(verdicts) != len(batch):
                raise RuntimeError(f"{len(verdicts)} verdicts for {len(batch)} messages")
        except Exception:
            log.exception("a batch of %d messages was not handled, it is tried again", len(batch))
            self.intake.put_back(batch)
            return False
        self._size.learn(len(batch), time.monotonic() - started)
        self._checkpoint("before_puback")
        await self._settle(batch, verdicts)
        self._metrics.handled(len(batch))
        return True

    async def _settle(self, batch: Sequence[AlarmItem], verdicts: Sequence[Verdict]) -> None:
        """Receipts, then the acknowledgements whose turn has come, in portions that leave the loop responsive."""
        for start in range(0, len(batch), acks_per_turn_max):
            if start:
                await asyncio.sleep(0)
            end = start + acks_per_turn_max
            for item, verdict in zip(batch[start:end], verdicts[start:end], strict=True):
                self._ledger.done(item)
                self._add_receipt(verdict)
            self._acknowledge()
        while True:
            if self._acknowledge() < acks_per_turn_max:
                return
            await asyncio.sleep(0)

    def _acknowledge(self) -> int:
        items = self._ledger.release(acks_per_turn_max)
        for item in items:
            self.connection.ack(item.generation, item.mid)
        self._bound_reading()
        return len(items)

    def _add_receipt(self, verdict: Verdict) -> None:
        if verdict.receipt is None:
            return
        try:
            topic = receipt_topic(verdict.receipt.device_id)
        except ValueError as fault:
            log.warning("no receipt can be sent: %s", fault)
            return
        self.connection.publish(topic, encode_receipt(verdict.receipt))


def read_raw(message: MQTTMessage, now: datetime) -> RawMessage:
    """What paho received, in our terms. A topic that is not UTF-8 keeps its bytes visible."""
    try:
        topic = message.topic
    except UnicodeDecodeError as fault:
        topic = fault.object.decode("utf-8", "backslashreplace")
    return RawMessage(topic, bytes(message.payload), now, message.retain, time.monotonic())


def prepare(entry: Entry, raw: RawMessage) -> Prepared:
    """`entry.prepare` promises not to raise; should one message make it raise, that message goes to quarantine, as
    urgent as an alarm, and the lane goes on."""
    try:
        return entry.prepare(raw)
    except Exception as fault:
        log.exception("a message on %s could not be prepared", raw.topic)
        return Prepared(raw, DecodeError(DecodeReason.POISON, type(fault).__name__), Urgency.ALARM)
