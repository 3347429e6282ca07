"""Device receipts on their way out: encoded as the contract says, few at once. Never decides who gets one."""

import logging
from collections import deque
from collections.abc import Callable
from datetime import UTC

import msgspec

from alerting.verdicts import DeviceReceipt

receipts_in_flight_max = 100
"""Sent and not yet confirmed by the broker. paho walks through all of them at every confirmation: keep it short."""
receipts_waiting_max = 20_000
"""Beyond it the oldest goes, counted: its device repeats the event and is told again."""

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode


def encode_receipt(receipt: DeviceReceipt) -> bytes:
    """Compact JSON, either form of the contract; times in RFC 3339, UTC."""
    at = receipt.at.astimezone(UTC)
    if receipt.refused is None:
        return _encode({"event_id": receipt.event_id, "accepted_at": at})
    return _encode({"event_id": receipt.event_id, "refused": receipt.refused, "at": at})


class ReceiptOutbox:
    """Waiting and unconfirmed publications (topic, payload). A lost connection puts the latter first again."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._in_flight: dict[int, tuple[str, bytes]] = {}
        self.dropped = 0
        """Receipts given up since the start."""

    def __len__(self) -> int:
        return len(self._waiting) + len(self._in_flight)

    def add(self, topic: str, payload: bytes) -> None:
        if len(self._waiting) >= receipts_waiting_max:
            if self.dropped % receipts_waiting_max == 0:
                log.warning("more than %d receipts wait; the oldest are given up", receipts_waiting_max)
            self._waiting.popleft()
            self.dropped += 1
        self._waiting.append((topic, payload))

    def pump(self, publish: Callable[[str, bytes], int | None], in_flight_max: int = receipts_in_flight_max) -> None:
        """Publish while there is room. `publish` gives the message id, or None where there is no connection."""
        while self._waiting and len(self._in_flight) < in_flight_max:
            mid = publish(*self._waiting[0])
            if mid is None:
                return
            self._in_flight[mid] = self._waiting.popleft()

    def confirmed(self, mid: int) -> None:
        self._in_flight.pop(mid, None)

    def connection_lost(self) -> None:
        self._waiting.extendleft(reversed(self._in_flight.values()))
        self._in_flight.clear()
