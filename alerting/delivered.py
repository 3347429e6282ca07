"""App messages that a worker's client says it has: that, and only that, makes them delivered. Never says who goes."""

from alerting.core.model import AttemptState
from alerting.outbox import Dispatcher
from alerting.ports import Clock, Database
from alerting.recorder import Outcome, Recorder
from alerting.store import attempts
from alerting.stream import Hub


class Delivered:
    """From memory where this process has sent it, else from the rows."""

    def __init__(
        self, *, database: Database, dispatcher: Dispatcher, recorder: Recorder, hub: Hub, clock: Clock
    ) -> None:
        self._database = database
        self._dispatcher = dispatcher
        self._recorder = recorder
        self._hub = hub
        self._clock = clock

    async def received(self, notification_id: str, person_id: str | None) -> bool:
        """`person_id`: who says so; None: who speaks for all. False where this person has no such message."""
        recipient = self._dispatcher.recipient_of(notification_id)
        if recipient is not None and person_id not in (None, recipient):
            return False
        if recipient is not None and self._hub.received(notification_id, recipient):
            return True
        found = await self._database.read(lambda conn: attempts.newest_of(conn, notification_id))
        if found is None or (person_id is not None and found[2] != person_id):
            return False
        now = self._clock.now()
        change = attempts.Change(
            found[0], AttemptState.DELIVERED, provider_accepted_at=now, first_receipt_at=now, delivered_at=now
        )
        await self._recorder.record_durably(Outcome(change, notification_id, found[1]))
        return True
