"""What happens after a commit, in this order: hand attempts to the dispatcher, arm the ticker, tell the live stream.

Never writes and never decides; losing any of it is repaired by the sweep.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from alerting.core.model import AttemptState
from alerting.metrics import Metrics
from alerting.outbox import Dispatcher
from alerting.store import timeline
from alerting.stream import Hub, StreamEntry
from alerting.writing import SYSTEM, Written

DELIVERY = frozenset({"planned", "provider_receipt", "ladder", *(state.value for state in AttemptState)})
"""Entries about the way of a message: for the control room, not for the phone that gets it."""

_encode = msgspec.json.Encoder().encode


class Aftermath:
    """Called on the event loop, right after the transaction that wrote `written`."""

    def __init__(
        self,
        hub: Hub,
        metrics: Metrics,
        dispatcher: Callable[[], Dispatcher],
        wake_at: Callable[[datetime], None],
        now: Callable[[], datetime],
        *,
        wake_commands: Callable[[], None] = lambda: None,
        tells: bool = True,
        on_opened: Callable[[], None] = lambda: None,
    ) -> None:
        self._hub = hub
        self._metrics = metrics
        self._dispatcher = dispatcher
        self._wake_at = wake_at
        self._now = now
        self._wake_commands = wake_commands
        self._tells = tells
        self._on_opened = on_opened

    def of(self, written: Written) -> None:
        if written.submissions:
            self._dispatcher().submit(written.submissions, self._now())
        if written.hang_up:
            self._dispatcher().hang_up(written.hang_up)
        if written.commanded:
            self._wake_commands()
        if written.next_due is not None:
            self._wake_at(written.next_due)
        if written.opened:
            self._on_opened()
        for reason in written.escalations:
            self._metrics.escalated(reason)
        for reason in written.drill_escalations:
            self._metrics.drill_escalated(reason)
        for overlay in written.marks:
            self._metrics.marked(overlay)
        self.tell(written.entries)

    def wake_at(self, due_at: datetime) -> None:
        """Something is due then."""
        self._wake_at(due_at)

    def tell(self, entries: Sequence[tuple[int, timeline.Entry]]) -> None:
        """Publish timeline entries to whoever listens, unless a feed of all processes' entries does."""
        if self._tells and entries and len(self._hub):
            watched = self._hub.watched
            told = [stream_entry(seq, entry) for seq, entry in entries if watched or entry.kind not in DELIVERY]
            self._hub.publish(told)


def stream_entry(seq: int, entry: timeline.Entry) -> StreamEntry:
    """A timeline entry as the live stream and its replay tell it."""
    data = {
        "seq": seq,
        "incident_id": entry.incident_id,
        "at": entry.at,
        "kind": entry.kind,
        "reason": entry.reason,
        "actor": entry.actor,
        "data": entry.data,
    }
    people = set()
    if entry.kind not in DELIVERY:
        people = {str(who) for who in (entry.data.get("recipient"), entry.actor) if who and who != SYSTEM}
    return StreamEntry(
        seq=seq,
        event="timeline",
        data=_encode(data),
        incident_id=entry.incident_id,
        grid_id=entry.data.get("grid"),
        person_ids=frozenset(people),
    )
