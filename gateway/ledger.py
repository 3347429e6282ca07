"""Which PUBACKs are owed, in arrival order. Never sends: it says which items may be acknowledged now."""

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
    """

    def __init__(self) -> None:
        self._generation = 0
        self._owed: deque[AlarmItem] = deque()
        self._orphans: dict[_Content, deque[AlarmItem]] = {}

    def __len__(self) -> int:
        """Acknowledgements owed in the present generation."""
        return len(self._owed)

    def begin(self, generation: int) -> None:
        """A new session was accepted: what is owed to the earlier one is not owed any more."""
        for item in self._owed:
            if not item.done:
                self._orphans.setdefault(_content(item), deque()).append(item)
        self._owed.clear()
        self._generation = generation

    def owe(self, item: AlarmItem) -> bool:
        """Note a received QoS 1 item. False: an item with the same content is still in work and owes it now."""
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
            ready.append(self._owed.popleft())
        return ready

    def _forget(self, orphan: AlarmItem) -> None:
        key = _content(orphan)
        waiting = self._orphans.get(key)
        if waiting and orphan in waiting:
            waiting.remove(orphan)
        if not waiting:
            self._orphans.pop(key, None)


def _content(item: AlarmItem) -> _Content:
    raw = item.prepared.raw
    return raw.topic, raw.payload, raw.retained
