"""Messages between arrival and handing over: by urgency for alarms, drop-oldest for telemetry.

Never waits, never knows a socket.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from alerting.verdicts import Prepared, Urgency
from devices.signals import RawMessage

_Item = TypeVar("_Item")

batch_messages_min = 32
batch_messages_max = 512
batch_grow_seconds = 0.012
batch_shrink_seconds = 0.040


@dataclass(slots=True, eq=False)
class AlarmItem:
    """One message on the alarm lane and the acknowledgement it still owes.

    `generation` and `mid` say on which session of which connection the broker waits for the PUBACK; `mid` 0 is a
    loose message (QoS 0), for which no broker waits.
    """

    prepared: Prepared
    generation: int = 0
    mid: int = 0
    done: bool = False

    @property
    def loose(self) -> bool:
        return self.mid == 0

    @property
    def size(self) -> int:
        """Bytes that it holds in memory on the sender's account: payload and topic."""
        raw = self.prepared.raw
        return len(raw.payload) + len(raw.topic)


class AlarmIntake:
    """One FIFO per urgency. QoS 1 items are never dropped: the reader stops in time. Loose ones drop the oldest."""

    def __init__(self, loose_messages_max: int) -> None:
        self._loose_max = loose_messages_max
        self._held: list[deque[AlarmItem]] = [deque() for _ in Urgency]
        self._loose: list[deque[AlarmItem]] = [deque() for _ in Urgency]
        self._loose_count = 0
        self.dropped = 0
        """Loose items dropped since the start: the oldest of the least urgent first."""

    def __len__(self) -> int:
        return sum(map(len, self._held)) + self._loose_count

    def add(self, item: AlarmItem) -> None:
        urgency = item.prepared.urgency
        if item.mid:
            self._held[urgency].append(item)
            return
        self._loose[urgency].append(item)
        self._loose_count += 1
        if self._loose_count > self._loose_max:
            self._drop_one_loose()

    def take(self, items_max: int, up_to: Urgency = Urgency.BACKGROUND) -> list[AlarmItem]:
        """What has arrived, most urgent first, at most `items_max`, nothing less urgent than `up_to`. Never waits."""
        taken: list[AlarmItem] = []
        for urgency in Urgency:
            if urgency > up_to or len(taken) == items_max:
                break
            taken += _pop(self._held[urgency], items_max - len(taken))
            loose = _pop(self._loose[urgency], items_max - len(taken))
            self._loose_count -= len(loose)
            taken += loose
        return taken

    def has_fire(self) -> bool:
        return bool(self._held[Urgency.FIRE] or self._loose[Urgency.FIRE])

    def put_back(self, items: Iterable[AlarmItem]) -> None:
        """Items of a batch that failed go back to the heads of their queues, in their order."""
        for item in reversed(list(items)):
            queues = self._loose if item.loose else self._held
            queues[item.prepared.urgency].appendleft(item)
            self._loose_count += item.loose

    def _drop_one_loose(self) -> None:
        least_urgent = next(queue for queue in reversed(self._loose) if queue)
        least_urgent.popleft()
        self._loose_count -= 1
        self.dropped += 1


class TelemetryIntake:
    """A bounded FIFO that drops its oldest: a fresh reading is worth more than a stale one."""

    def __init__(self, messages_max: int) -> None:
        self._queue: deque[RawMessage] = deque(maxlen=messages_max)
        self.dropped = 0
        """Messages dropped since the start."""

    def __len__(self) -> int:
        return len(self._queue)

    def add(self, raw: RawMessage) -> None:
        if len(self._queue) == self._queue.maxlen:
            self.dropped += 1
        self._queue.append(raw)

    def take(self, messages_max: int) -> list[RawMessage]:
        return _pop(self._queue, messages_max)


class BatchSize:
    """How many items to take at once: doubled while full batches are quick, halved when one was slow."""

    def __init__(self) -> None:
        self.current = batch_messages_min * 2

    def learn(self, batch_messages: int, seconds: float) -> None:
        if seconds > batch_shrink_seconds:
            self.current = max(batch_messages_min, self.current // 2)
        elif seconds < batch_grow_seconds and batch_messages >= self.current:
            self.current = min(batch_messages_max, self.current * 2)


def _pop(queue: deque[_Item], items_max: int) -> list[_Item]:
    return [queue.popleft() for _ in range(min(items_max, len(queue)))]
