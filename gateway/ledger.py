"""Which PUBACKs are owed, in arrival order, and how much is held. Never sends: it says what may be acknowledged now."""

from collections import deque

from gateway.intake import AlarmItem

_Content = tuple[str, bytes, bool]


class AckLedger:
    """Acknowledgements leave from the head only, although work is done in order of urgency (MQTT 5, 4.6: PUBACKs in
    the order of arrival). A message id means something only within one generation of the session: a broker that
    restarted counts its ids anew, so an id of an earlier generation is never released.

    Items still unhandled when a new generation begins stay in work. If the broker delivers the same message again
    (it does when the session survived), the waiting item takes over the new id instead of being queued twice: a
    stalled database and a flapping connection do not grow the intake.

    Receive Maximum is not enough of a bound: mosquitto 2.0 exceeds it as soon as acknowledgements flow (each one of
    the oldest message releases another full window). `is_full` and `has_room` say when to stop reading and when to
    go on: at most `messages_max` and `bytes_max` (and one message) of the present session, at most twice that
    together with what earlier sessions left in work.
    """

    def __init__(self, messages_max: int, bytes_max: int) -> None:
        self._messages_max = messages_max
        self._bytes_max = bytes_max
        self._generation = 0
        self._owed: deque[AlarmItem] = deque()
        self._owed_bytes = 0
        self._orphans: dict[_Content, deque[AlarmItem]] = {}
        self._orphans_count = 0
        self._orphans_bytes = 0

    def __len__(self) -> int:
        """Acknowledgements owed in the present generation."""
        return len(self._owed)

    def is_full(self) -> bool:
        """No further message may be read."""
        return self._fills(1, 1)

    def has_room(self) -> bool:
        """Less than three quarters are held: reading may go on."""
        return not self._fills(3, 4)

    def begin(self, generation: int) -> None:
        """A new session was accepted: what is owed to the earlier one is not owed any more."""
        for item in self._owed:
            if not item.done:
                self._orphans.setdefault(_content(item), deque()).append(item)
                self._orphans_count += 1
                self._orphans_bytes += item.size
        self._owed.clear()
        self._owed_bytes = 0
        self._generation = generation

    def owe(self, item: AlarmItem) -> bool:
        """Note a received QoS 1 item. False: an item with the same content is still in work and owes it now."""
        self._owed_bytes += item.size
        waiting = self._orphans.get(_content(item)) if self._orphans else None
        if not waiting:
            self._owed.append(item)
            return True
        adopter = waiting[0]
        self._forget(adopter)
        adopter.generation, adopter.mid = item.generation, item.mid
        self._owed.append(adopter)
        return False

    def done(self, item: AlarmItem) -> None:
        """`item` is durable: it may be acknowledged when its turn comes."""
        item.done = True
        if self._orphans and item.generation != self._generation:
            self._forget(item)

    def release(self, acks_max: int) -> list[AlarmItem]:
        """Items whose acknowledgement may leave now, oldest first, at most `acks_max`; each is given out once."""
        ready: list[AlarmItem] = []
        while self._owed and self._owed[0].done and len(ready) < acks_max:
            item = self._owed.popleft()
            self._owed_bytes -= item.size
            ready.append(item)
        return ready

    def _fills(self, parts: int, of: int) -> bool:
        count, size = len(self._owed) * of, self._owed_bytes * of
        messages, held_bytes = self._messages_max * parts, self._bytes_max * parts
        if count >= messages or size >= held_bytes:
            return True
        return count + self._orphans_count * of >= 2 * messages or size + self._orphans_bytes * of >= 2 * held_bytes

    def _forget(self, orphan: AlarmItem) -> None:
        key = _content(orphan)
        waiting = self._orphans.get(key)
        if waiting and orphan in waiting:
            waiting.remove(orphan)
            self._orphans_count -= 1
            self._orphans_bytes -= orphan.size
        if not waiting:
            self._orphans.pop(key, None)


def _content(item: AlarmItem) -> _Content:
    raw = item.prepared.raw
    return raw.topic, raw.payload, raw.retained
