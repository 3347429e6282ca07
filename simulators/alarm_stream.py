"""The events of a fleet: each kept until its receipt and repeated with growing waits. Knows no rates, opens no line."""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import msgspec

from simulators.event_ids import event_id_at
from simulators.fleet_counts import FleetCounts
from simulators.ledger import EventLedger, Fact, LedgerLine
from simulators.line import Backoff
from simulators.wire import Wire


@dataclass(slots=True)
class _Sent:
    device: str
    event_id: str
    code: str
    topic: bytes
    payload: bytes
    attempts: int = 0
    first_mono: float = 0.0
    acknowledged: bool = False


class _Receipt(msgspec.Struct):
    event_id: str
    refused: str | None = None


_read_receipt = msgspec.json.Decoder(_Receipt).decode


class AlarmStream:
    """Events from `add` on: sent, repeated, settled. All calls in one event loop; the ledger gets one fsync a batch."""

    def __init__(
        self,
        backoff: Backoff,
        until_receipt: bool,
        counts: FleetCounts,
        now: Callable[[], datetime],
        monotonic: Callable[[], float],
        ledger: EventLedger | None,
    ) -> None:
        self._backoff = backoff
        self._until_receipt = until_receipt
        self._counts = counts
        self._now = now
        self._monotonic = monotonic
        self._ledger = ledger
        self._lines: list[LedgerLine] = []
        self._open: dict[str, _Sent] = {}
        self._to_send: list[_Sent] = []
        self._due: list[tuple[float, str]] = []
        self._by_packet: dict[int, _Sent] = {}

    @property
    def unsettled(self) -> int:
        return len(self._open)

    def add(self, device: str, code: str) -> None:
        """A new condition at one device, to go out with the next `send`."""
        now = self._now()
        event_id = event_id_at(now)
        body = {"event_id": event_id, "code": code, "state": "raised", "observed_at": now.isoformat()}
        topic = f"gengfu/v1/{device}/up/event".encode()
        sent = _Sent(device, event_id, code, topic, msgspec.json.encode(body))
        self._open[event_id] = sent
        self._to_send.append(sent)

    def send(self, wire: Wire) -> None:
        """Publish what is new and what is due again. The ledger is on disk before anything is handed to the line."""
        self._collect_due()
        batch, self._to_send = self._to_send, []
        for sent in batch:
            sent.attempts += 1
            self._note(Fact.PUBLISHED, sent)
        self.write_ledger()
        mono = self._monotonic()
        for sent in batch:
            if sent.attempts == 1:
                sent.first_mono = mono
                self._counts.alarms += 1
            else:
                self._counts.repeats += 1
            self._by_packet[wire.publish(sent.topic, sent.payload)] = sent
            if self._until_receipt:
                heapq.heappush(self._due, (mono + self._backoff.wait_s(sent.attempts), sent.event_id))

    def repeat_unacknowledged(self) -> None:
        """On a new connection: packet ids of the old one mean nothing any more."""
        lost, self._by_packet = self._by_packet, {}
        waiting = {sent.event_id for sent in self._to_send}
        self._to_send += [
            sent for sent in _unique(lost) if sent.event_id in self._open and sent.event_id not in waiting
        ]

    def on_puback(self, packet_id: int) -> None:
        sent = self._by_packet.pop(packet_id, None)
        if sent is None or sent.acknowledged:
            return
        sent.acknowledged = True
        self._counts.pubacks += 1
        self._note(Fact.PUBACK, sent)
        if not self._until_receipt:
            self._open.pop(sent.event_id, None)

    def on_message(self, topic: str, payload: bytes) -> None:
        try:
            receipt = _read_receipt(payload)
        except msgspec.DecodeError:
            return
        sent = self._open.pop(receipt.event_id, None)
        if sent is None:
            return
        self._counts.receipt_seconds.append(self._monotonic() - sent.first_mono)
        if receipt.refused is None:
            self._counts.receipts += 1
            self._note(Fact.RECEIPT, sent)
        else:
            self._counts.refused += 1
            self._note(Fact.REFUSED, sent, receipt.refused)

    def write_ledger(self) -> None:
        """Put the facts since the last call on disk."""
        if self._ledger is not None and self._lines:
            self._ledger.append(*self._lines)
            self._lines.clear()

    def _collect_due(self) -> None:
        mono = self._monotonic()
        while self._due and self._due[0][0] <= mono:
            _, event_id = heapq.heappop(self._due)
            sent = self._open.get(event_id)
            if sent is not None:
                self._to_send.append(sent)

    def _note(self, fact: Fact, sent: _Sent, reason: str = "") -> None:
        if self._ledger is not None:
            words = (sent.device, sent.event_id, sent.code, "raised", sent.attempts, reason)
            self._lines.append(LedgerLine(fact, self._now(), *words))


def _unique(lost: dict[int, _Sent]) -> list[_Sent]:
    return list({sent.event_id: sent for sent in lost.values()}.values())
