"""Delete what has been kept long enough, a few rows at a time. Never touches open incidents."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.ports import Clock, Conflict, Database, Priority
from alerting.store import commands, maintenance, restraint, retention
from api.store import idempotency, sessions
from devices.store import quarantine, subscriptions

log = logging.getLogger(__name__)

look_every_s = 3600.0
rows_per_write = 200
first_look_after_s = 60.0


@dataclass(frozen=True, slots=True)
class Retain:
    """Days each kind of record is kept. Alarm records at least a year (GB 50440)."""

    records_days: int = 400
    callbacks_days: int = 30
    quarantine_days: int = 90
    telemetry_days: int = 30


class Retention:
    def __init__(self, database: Database, clock: Clock, retain: Retain) -> None:
        self._database = database
        self._clock = clock
        self._retain = retain

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(first_look_after_s)
        while True:
            try:
                await self.once()
            except (SQLAlchemyError, OSError, Conflict) as fault:
                log.warning("old rows stay for now: %s", type(fault).__name__)
            await asyncio.sleep(look_every_s)

    async def once(self) -> int:
        """One pass over every table; returns how many rows went."""
        now = self._clock.now()
        days = self._retain
        work: tuple[tuple[Callable[[Connection, datetime, int], int], int], ...] = (
            (retention.delete_incidents, days.records_days),
            (retention.delete_events, days.records_days),
            (commands.forget_before, days.records_days),
            (retention.delete_tests, days.records_days),
            (retention.delete_probes, days.callbacks_days),
            (retention.delete_callbacks, days.callbacks_days),
            (restraint.forget_before, days.callbacks_days),
            (maintenance.forget_before, days.records_days),
            (quarantine.forget_before, days.quarantine_days),
            (subscriptions.forget_before, days.callbacks_days),
            (idempotency.forget_before, days.telemetry_days),
            (sessions.forget_before, days.telemetry_days),
        )
        gone = 0
        for delete, kept in work:
            gone += await self._drain(delete, now - timedelta(days=kept))
        return gone

    async def _drain(self, delete: Callable[[Connection, datetime, int], int], before: datetime) -> int:
        total = 0
        while True:
            done = await self._database.write(
                Priority.ADMINISTRATION, lambda conn: delete(conn, before, rows_per_write)
            )
            total += done
            if done < rows_per_write:
                return total
