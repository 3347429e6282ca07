"""Incidents whose time has come: asked worst first, one by one where one of them cannot be; and the invariant watcher.

Law: every incident that is not closed is looked at in time. A violation heals itself, is counted and is told.
"""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from sqlalchemy import Connection
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, StatementError

from alerting.aftermath import Aftermath
from alerting.core.world import Hastened
from alerting.deciding import Deciding
from alerting.metrics import Metrics
from alerting.ports import Clock, Database, Priority
from alerting.store import canary, clock_jumps, incidents, watching
from alerting.ticker import sweep_every_s

log = logging.getLogger(__name__)

due_most = 50
"""Incidents asked in one transaction: the writer is never held long."""
overdue_after_s = 5.0
put_off_s = 10.0
ahead_min = {"sqlite": timedelta(seconds=1), "postgresql": timedelta(seconds=30)}
"""The newest record lies so far in our future: our clock was set back while we were gone. Two machines on one database
may differ by less."""
OnViolation = Callable[[str, int], None]
"""(what, how many): after it was healed as far as it can be."""

_FAULTS = (
    *(ValueError, TypeError, AssertionError, LookupError, ArithmeticError, AttributeError),
    *(DataError, IntegrityError, ProgrammingError),
)
"""What one incident's own data can do to its decision; the database's state is not among them."""


async def _nothing() -> None:
    return


class Dues:
    def __init__(
        self,
        *,
        database: Database,
        deciding: Deciding,
        aftermath: Aftermath,
        clock: Clock,
        metrics: Metrics,
        boot: int,
        run_all: Callable[[], Awaitable[object]],
        on_violation: OnViolation = lambda what, number: None,
        sweep: Callable[[], Awaitable[object]] = _nothing,
    ) -> None:
        """`run_all`: everything that is looked after in time, these incidents among it. `sweep`: the same for
        attempts; one that waits in memory (for a busy phone) has its lease prolonged by that."""
        self._database = database
        self._deciding = deciding
        self._aftermath = aftermath
        self._clock = clock
        self._metrics = metrics
        self._boot = boot
        self._run_all = run_all
        self._on_violation = on_violation
        self._sweep = sweep
        self._soon: set[str] = set()
        self._hastened: dict[str, Hastened] = {}
        self._late_attempts: list[str] = []

    def ask_soon(self, incident_id: str, hastened: Hastened | None = None) -> None:
        """Its rules are asked at the next look, due or not. `hastened`: whose answer is not waited for."""
        self._soon.add(incident_id)
        if hastened is not None:
            self._hastened[incident_id] = hastened

    async def recover(self) -> None:
        """At the start: was the clock set back while we were gone, what is due keeps the time that it had left."""

        def work(conn: Connection) -> timedelta:
            now = self._clock.now()
            by = watching.ahead(conn, now)
            if by >= ahead_min[conn.dialect.name]:
                clock_jumps.move_back(conn, now, by, self._boot)
                return by
            return timedelta()

        if by := await self._database.write(Priority.ALARM, work):
            log.warning(
                "the clock was set back by %.0f s while nothing ran; due times moved with it", by.total_seconds()
            )

    async def run(self) -> None:
        """Everything whose time has come, worst first, in small transactions."""
        while self._soon:
            asked = sorted(self._soon)[:due_most]
            self._soon.difference_update(asked)
            await self._ask(asked)
        while ids := await self._database.read(lambda conn: incidents.due_ids(conn, self._clock.now(), due_most)):
            await self._ask(ids)
            if len(ids) < due_most:
                return

    async def arm(self) -> None:
        """What others have written, or a life before this one, is looked at in its moment, not at the next sweep."""
        now = self._clock.now()
        until = now + timedelta(seconds=1.5 * sweep_every_s)
        for moment in await self._database.read(lambda conn: watching.soon(conn, now, until)):
            self._aftermath.wake_at(moment)

    async def heal(self) -> None:
        """The watcher's round."""
        healed, written = await self._database.write(Priority.ATTEMPT, self._deciding.heal)
        self._aftermath.of(written)
        if healed:
            self._metrics.healed(len(healed))
            self._violated("incident_without_due_time", healed)
        if await self._database.read(watching.any_forgotten):
            found = await self._database.write(
                Priority.ATTEMPT, lambda conn: watching.remember_attempts(conn, self._clock.now())
            )
            self._violated("attempt_without_due_time", found)
        await self._look_for_overdue()

    async def _look_for_overdue(self) -> None:
        before = self._clock.now() - timedelta(seconds=overdue_after_s)
        late = await self._database.read(lambda conn: watching.overdue(conn, before))
        if late.incidents or late.held:
            await self._run_all()  # the machine may only have stood still
            late = await self._database.read(lambda conn: watching.overdue(conn, before))
        if late.attempts:
            await self._sweep()  # as above
            late = await self._database.read(lambda conn: watching.overdue(conn, before))
        self._violated("incident_overdue", late.incidents)
        self._violated("held_alarm_overdue", late.held)
        twice = sorted(set(late.attempts).intersection(self._late_attempts))
        self._late_attempts = late.attempts  # one round may find a burst that is being worked off
        self._violated("attempt_overdue", twice)
        number = len(late.incidents) + len(late.held) + len(twice)
        if number:
            now = self._clock.now()
            await self._database.write(Priority.ATTEMPT, lambda conn: canary.violated(conn, number, now))

    def _violated(self, what: str, ids: list[str]) -> None:
        if not ids:
            return
        log.error("invariant %s: %d, such as %s", what, len(ids), ", ".join(ids[:5]))
        self._metrics.violated(what, len(ids))
        self._on_violation(what, len(ids))

    async def _ask(self, ids: list[str]) -> None:
        hastened = {id_: self._hastened.pop(id_) for id_ in ids if id_ in self._hastened}
        try:
            written = await self._database.write(Priority.ALARM, lambda conn: self._deciding.due(conn, ids, hastened))
        except StatementError as fault:
            if type(fault) is not StatementError and not isinstance(fault, _FAULTS):
                raise
            await self._one_by_one(ids, fault)
        except _FAULTS as fault:
            await self._one_by_one(ids, fault)
        else:
            self._aftermath.of(written)

    async def _one_by_one(self, ids: list[str], fault: Exception) -> None:
        """One of these cannot be decided: it must not hold up the others."""
        if len(ids) > 1:
            for id_ in ids:
                await self._ask([id_])
            return
        log.error("incident %s cannot be decided; asked again in %.0f s", ids[0], put_off_s, exc_info=fault)
        now = self._clock.now()
        until = now + timedelta(seconds=put_off_s)
        await self._database.write(Priority.ALARM, partial(watching.put_off, incident_id=ids[0], now=now, until=until))
        await self._database.write(Priority.ATTEMPT, lambda conn: canary.violated(conn, 1, now))
        self._metrics.violated("incident_undecidable", 1)
        self._on_violation("incident_undecidable", 1)
