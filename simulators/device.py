"""A virtual detector, camera or charging station: real MQTT with its own login, keeps each event until its receipt.

Knows our own dialect as a device maker would from its contract; never looks inside the service.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from devices.signals import Scalar
from simulators.event_ids import event_id_at
from simulators.kinds import KINDS
from simulators.ledger import EventLedger, EventRecord, Fact, LedgerLine
from simulators.line import Backoff, Broker, Line, LineHooks
from simulators.obeying import Obedience, Obeys

unheard_pause_s = 0.01
"""The line has broken and the word of it is still on its way to this loop: let it come."""
pending_events_max = 1000
"""A device's flash ring: beyond it the oldest event without a receipt is given up, and counted."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a device behaves. Periods are real seconds; None means never."""

    backoff: Backoff = field(default_factory=Backoff)
    qos1_only: bool = False
    """A third-party device that knows no receipts: done with the PUBACK."""
    heartbeat_s: float | None = None
    telemetry_s: float | None = None
    will_retained: bool = False
    obeys: Obeys = field(default_factory=Obeys)


@dataclass(slots=True)
class _Pending:
    record: EventRecord
    body: bytes
    settled: asyncio.Event = field(default_factory=asyncio.Event)
    chaser: asyncio.Task[None] | None = None


class VirtualDevice:
    """One device on one connection. Create and use it inside a running event loop; `start`, then `stop` or `kill`."""

    def __init__(
        self,
        device_id: str,
        kind: str,
        broker: Broker,
        password: str,
        now: Callable[[], datetime],
        *,
        habits: Habits | None = None,
        ledger: EventLedger | None = None,
    ) -> None:
        self.id = device_id
        self.kind = KINDS[kind]
        self.habits = habits or Habits()
        self.events: dict[str, EventRecord] = {}
        """Every event of this run by its id, with its times, as seen from the device."""
        self.commands: list[dict[str, Any]] = []
        """Every command as it came, also the same one again."""
        self.measured: dict[str, Scalar] = dict(self.kind.telemetry)
        """What its telemetry says."""
        self.obedience = Obedience(self.habits.obeys)
        self.given_up = 0
        self._now = now
        self._ledger = ledger
        self._pending: dict[str, _Pending] = {}
        self._settled: dict[str, asyncio.Event] = {}
        self._by_mid: dict[int, str] = {}
        self._tasks: list[asyncio.Task[None]] = []
        hooks = LineHooks(self._on_up, self._on_message, self._on_puback)
        self._line = Line(broker, device_id, password, hooks, now)
        self._line.will(self._up("status"), b"offline", retain=self.habits.will_retained)
        self._line.subscribe(f"gengfu/v1/{device_id}/down/+")

    @property
    def pending(self) -> tuple[str, ...]:
        """Ids of events that still wait for their receipt, oldest first."""
        return tuple(self._pending)

    @property
    def connected(self) -> bool:
        return self._line.connected.is_set()

    @property
    def refused(self) -> str | None:
        """The broker's own words when it last turned the login down; None since it let the device in."""
        return self._line.refused

    async def start(self, timeout_s: float = 10.0) -> None:
        """Connect and begin with heartbeats. TimeoutError names the broker's refusal, if it gave one."""
        self._line.start(self.habits.backoff)
        if self.habits.heartbeat_s is not None:
            self._every(self.habits.heartbeat_s, "heartbeat", lambda: {})
        if self.habits.telemetry_s is not None:
            self._every(self.habits.telemetry_s, "telemetry", lambda: {"values": self.measured})
        try:
            await asyncio.wait_for(self._line.connected.wait(), timeout_s)
        except TimeoutError:
            raise TimeoutError(f"{self.id} did not get through: {self._line.refused or 'no answer'}") from None

    async def stop(self) -> None:
        """Switch off in good order: no last will. Events without a receipt are forgotten, as in a removed device."""
        await self._end_tasks()
        await self._line.stop()

    async def kill(self) -> None:
        """Lose power: the broker publishes the last will."""
        await self._end_tasks()
        await self._line.cut()

    def raise_alarm(
        self,
        code: str | None = None,
        values: Mapping[str, Scalar] | None = None,
        *,
        test: bool = False,
        media: tuple[str, ...] = (),
    ) -> str:
        """Raise a condition (the kind's usual one) and return the event id. Sent at once, again until the receipt."""
        body = self._body(code or self.kind.codes[0], "raised", self.kind.alarm_values if values is None else values)
        if test:
            body["test"] = True
        if media:
            body["media"] = [{"url": url} for url in media]
        return self.send(body)

    def restore(self, code: str | None = None, values: Mapping[str, Scalar] | None = None) -> str:
        """End a condition and return the id of the event that says so."""
        return self.send(self._body(code or self.kind.codes[0], "restored", values or {}))

    def tell(self, *, rssi: int, values: Mapping[str, Scalar] | None = None) -> None:
        """Say once how strong the radio is, and what is measured. Lost while the line is down."""
        body = {"values": dict(self.measured if values is None else values), "rssi": rssi}
        self._line.publish(self._up("telemetry"), msgspec.json.encode(body), qos=1)

    def tell_anything(self, part: str, body: Mapping[str, Any]) -> None:
        """Say something under `up/<part>`, correct or not, once."""
        self._line.publish(self._up(part), msgspec.json.encode(body), qos=1)

    def send(self, body: Mapping[str, Any]) -> str:
        """Send an event as given, correct or not, and chase its receipt. It needs an `event_id` of its own."""
        event_id = str(body["event_id"])
        record = EventRecord(self.id, event_id, str(body.get("code", "")), str(body.get("state", "")))
        pending = _Pending(record, msgspec.json.encode(body))
        if len(self._pending) >= pending_events_max:
            self._give_up(next(iter(self._pending)))
        self.events[event_id] = record
        self._pending[event_id] = pending
        self._settled[event_id] = pending.settled
        if not self.habits.qos1_only:
            pending.chaser = asyncio.create_task(self._chase(pending))
        elif self.connected:
            self._publish(pending)
        return event_id

    async def settled(self, event_id: str, timeout_s: float = 10.0) -> EventRecord:
        """Wait for the receipt (or refusal; for `qos1_only` the PUBACK) of an event. TimeoutError if none comes."""
        await asyncio.wait_for(self._settled[event_id].wait(), timeout_s)
        return self.events[event_id]

    def _body(self, code: str, state: str, values: Mapping[str, Scalar]) -> dict[str, Any]:
        now = self._now()
        body: dict[str, Any] = {"event_id": event_id_at(now), "code": code, "state": state}
        body["observed_at"] = now.isoformat()
        if values:
            body["values"] = dict(values)
        return body

    def _up(self, part: str) -> str:
        return f"gengfu/v1/{self.id}/up/{part}"

    async def _chase(self, pending: _Pending) -> None:
        while not pending.settled.is_set():
            await self._line.connected.wait()
            self._publish(pending)
            if pending.record.attempts == 0:
                await asyncio.sleep(unheard_pause_s)
                continue
            with suppress(TimeoutError):
                wait_s = self.habits.backoff.wait_s(pending.record.attempts)
                await asyncio.wait_for(pending.settled.wait(), wait_s)

    def _publish(self, pending: _Pending) -> None:
        record = pending.record
        at = self._now()
        self._write(Fact.PUBLISHED, record, at, record.attempts + 1)
        mid = self._line.publish(self._up("event"), pending.body, qos=1)
        if mid is None:
            return
        record.attempts += 1
        record.published_at = record.published_at or at
        self._by_mid[mid] = record.event_id

    def _on_up(self) -> None:
        """On a new connection what has no PUBACK goes out again at once, as QoS 1 asks."""
        self._by_mid.clear()
        self._line.publish(self._up("status"), b"online", qos=1)
        for pending in self._pending.values():
            untold = pending.record.attempts == 0 and self.habits.qos1_only
            if untold or (pending.record.attempts > 0 and pending.record.puback_at is None):
                self._publish(pending)

    def _on_puback(self, mid: int, taken: bool, at: datetime) -> None:
        event_id = self._by_mid.pop(mid, None)
        if event_id is None or not taken:
            return
        record = self.events[event_id]
        if record.puback_at is None:
            record.puback_at = at
            self._write(Fact.PUBACK, record, at, record.attempts)
        if self.habits.qos1_only:
            self._settle(event_id)

    def _on_message(self, topic: str, payload: bytes, at: datetime) -> None:
        try:
            body = msgspec.json.decode(payload, type=dict[str, Any])
        except msgspec.DecodeError:
            return
        if topic.endswith("/down/receipt"):
            self._on_receipt(body, at)
        elif topic.endswith("/down/command"):
            self.commands.append(body)
            self._on_command(body, at)

    def _on_command(self, body: dict[str, Any], at: datetime) -> None:
        again = self.obedience.answers.get(str(body.get("command_id")))
        if again is not None:
            self._line.publish(self._up("command"), again, qos=1)
        elif self.obedience.begins(body, at):
            self._tasks.append(asyncio.create_task(self._obey(body)))

    async def _obey(self, body: dict[str, Any]) -> None:
        await asyncio.sleep(self.habits.obeys.after_s)
        answer = msgspec.json.encode(self.obedience.finish(body, self.measured))
        self.obedience.answers[body["command_id"]] = answer
        self._line.publish(self._up("command"), answer, qos=1)
        self._line.publish(self._up("telemetry"), msgspec.json.encode({"values": self.measured}), qos=0)

    def _on_receipt(self, body: dict[str, Any], at: datetime) -> None:
        event_id = body.get("event_id")
        if not isinstance(event_id, str) or event_id not in self._pending:
            return
        record = self.events[event_id]
        record.receipt_at = at
        if "refused" in body:
            record.refused = str(body["refused"])
        self._write(Fact.RECEIPT if record.refused is None else Fact.REFUSED, record, at, record.attempts)
        self._settle(event_id)

    def _settle(self, event_id: str) -> None:
        pending = self._pending.pop(event_id, None)
        if pending is not None:
            pending.settled.set()

    def _give_up(self, event_id: str) -> None:
        pending = self._pending.pop(event_id)
        self.given_up += 1
        if pending.chaser is not None:
            pending.chaser.cancel()

    def _write(self, fact: Fact, record: EventRecord, at: datetime, attempt: int) -> None:
        if self._ledger is not None:
            words = (self.id, record.event_id, record.code, record.state, attempt, record.refused or "")
            self._ledger.append(LedgerLine(fact, at, *words))

    def _every(self, period_s: float, part: str, body: Callable[[], Mapping[str, Any]]) -> None:
        self._tasks.append(asyncio.create_task(self._repeat(period_s, part, body)))

    async def _repeat(self, period_s: float, part: str, body: Callable[[], Mapping[str, Any]]) -> None:
        while True:
            await self._line.connected.wait()
            self._line.publish(self._up(part), msgspec.json.encode(body()), qos=0)
            await asyncio.sleep(period_s)

    async def _end_tasks(self) -> None:
        chasers = [pending.chaser for pending in self._pending.values() if pending.chaser is not None]
        tasks = [*self._tasks, *chasers]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
