"""One made-up fire, decided and rolled back at the start: the first real one does not pay for cold statements."""

import contextlib

import msgspec
from sqlalchemy import Connection

from alerting.deciding import Deciding
from alerting.entry import AlarmEntry
from alerting.ports import Clock, Database, Ids, Priority
from alerting.reading import read
from devices.signals import RawMessage


class _Rehearsed(Exception):
    """Rolls it back."""


async def rehearse(
    device_id: str, database: Database, entry: AlarmEntry, deciding: Deciding, clock: Clock, ids: Ids
) -> None:
    """As if this device had raised it now. Leaves nothing behind."""
    event = {"event_id": "rehearsal", "code": "fire.smoke", "state": "raised"}
    topic = f"gengfu/v1/{device_id}/up/event"
    inputs = [read(entry.prepare(RawMessage(topic, msgspec.json.encode(event), clock.now())), ids)]

    def decide(conn: Connection) -> None:
        deciding.batch(conn, inputs)
        raise _Rehearsed

    with contextlib.suppress(_Rehearsed):
        await database.write(Priority.ADMINISTRATION, decide)
