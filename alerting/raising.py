"""People raise incidents: a telephone report, a find on patrol, a resident's call for help. One transaction each.

What they tell enters the same keys, ladder and evaluation as a device's signal. Never decides, never parses a body.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Connection

from alerting.core.fold import SignalIn
from alerting.core.model import Actor, Raised
from alerting.deciding import Deciding
from alerting.ports import Clock, Database, Ids, Priority
from alerting.writing import Written
from devices.signals import SignalKind
from devices.taxonomy import TAXONOMY, SignalClass

KIND_OF: dict[SignalClass, SignalKind] = {
    SignalClass.A: SignalKind.ALARM,
    SignalClass.S: SignalKind.SUPERVISORY,
    SignalClass.T: SignalKind.TROUBLE,
}
"""What people may raise; information is no incident."""


@dataclass(frozen=True, slots=True)
class RaisedDone:
    """The incident that it opened, or the open one that it joined."""

    incident_id: str
    joined: bool


Also = Callable[[Connection, RaisedDone], None]


class Raising:
    """`after`: what follows the commit of what was written."""

    def __init__(
        self, *, database: Database, deciding: Deciding, clock: Clock, ids: Ids, after: Callable[[Written], None]
    ) -> None:
        self._database = database
        self._deciding = deciding
        self._clock = clock
        self._ids = ids
        self._after = after

    async def raise_incident(
        self, place_id: str, code: str, raised: Raised, actor: Actor, also: Also | None = None
    ) -> RaisedDone:
        """Committed when this returns, as soon as an alarm would be, with what `also` writes."""
        now = self._clock.now()
        signal = SignalIn(
            device_id="",
            kind=KIND_OF[TAXONOMY[code].cls],
            code=code,
            received_at=now,
            observed_at=None,
            test=False,
            fresh_id=self._ids.uuid7(),
            fresh_reference=self._ids.reference(),
            place_id=place_id,
            raised=raised,
        )

        def work(conn: Connection) -> tuple[RaisedDone, Written]:
            incident_id, joined, written = self._deciding.raised(conn, signal, actor)
            done = RaisedDone(incident_id, joined)
            if also is not None:
                also(conn, done)
            return done, written

        done, written = await self._database.write(Priority.ALARM, work)
        self._after(written)
        return done
