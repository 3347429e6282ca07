"""Last seen, write-behind: telemetry, heartbeats and status go to memory and from there, now and then, to the database.

Never blocks an entrance, never touches the alarm lane; what a crash loses is a few seconds of "last seen".
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.core.supervision import will_grace_s
from alerting.ports import Conflict, Database, Priority
from alerting.store import supervision
from alerting.verdicts import Prepared
from devices.signals import Scalar, Uplink
from devices.store import seen

log = logging.getLogger(__name__)

flush_every_s = 3.0
rows_per_write_max = 100
"""Small, so that an alarm never waits long behind them."""
pause_between_s = 0.01
devices_waiting_max = 300_000


class LastSeen:
    """`refused()`: the disk is nearly full, so what is not an alarm is not written."""

    def __init__(self, database: Database, refused: Callable[[], bool] = lambda: False) -> None:
        self._database = database
        self._refused = refused
        self._waiting: dict[str, seen.SeenRow] = {}

    def take(self, batch: Iterable[Prepared]) -> None:
        """Remember; the newest word of a device replaces the one before it."""
        for prepared in batch:
            uplink = prepared.uplink
            if isinstance(uplink, Uplink) and len(self._waiting) < devices_waiting_max:
                self._remember(uplink, prepared.raw.received_at)

    def heard(self, device_id: str, at: datetime) -> None:
        """It has spoken; what it last measured stays."""
        before = self._waiting.get(device_id)
        if before is not None or len(self._waiting) < devices_waiting_max:
            self._waiting[device_id] = seen.SeenRow(device_id, at, True, before.values if before else None)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await asyncio.sleep(flush_every_s)
            await self.flush()

    async def flush(self) -> None:
        """Write what waits, in small transactions behind everything else."""
        waiting, self._waiting = self._waiting, {}
        if waiting and self._refused():
            log.error("the disk is nearly full: last seen of %d devices is not written", len(waiting))
            return
        rows = list(waiting.values())
        for start in range(0, len(rows), rows_per_write_max):
            part = rows[start : start + rows_per_write_max]
            try:
                await self._database.write(Priority.TELEMETRY, partial(_write, rows=part))
            except (SQLAlchemyError, OSError, Conflict) as fault:
                log.warning("last seen not written: %s", type(fault).__name__)
                return
            await asyncio.sleep(pause_between_s)

    def _remember(self, uplink: Uplink, at: datetime) -> None:
        values: dict[str, Scalar] = {}
        online = True
        for reading in uplink.readings:
            values.update(reading.values)
            online = online and reading.code != "device.offline"
        before = self._waiting.get(uplink.device_key)
        told_at = at
        if not values and before is not None and before.values is not None:
            values, told_at = dict(before.values), before.values_at or before.last_seen_at
        self._waiting[uplink.device_key] = seen.SeenRow(uplink.device_key, at, online, values or None, told_at)


def _write(conn: Connection, rows: Sequence[seen.SeenRow]) -> None:
    """Who has said goodbye is looked at soon, not when its silence would be too long."""
    seen.upsert(conn, rows)
    gone = [row for row in rows if not row.online]
    if gone:
        latest = max(row.last_seen_at for row in gone)
        supervision.sooner(conn, [row.device_id for row in gone], latest + timedelta(seconds=will_grace_s))
