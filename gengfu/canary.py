"""The canary alarm: published as a device's is, every so often, and heard by a loop-back provider. Pages nobody.

It goes through broker, gateway, the deciding transaction and the dispatcher's queue; the watchdog reads how it fared.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError

from alerting.channels.base import Accepted, Submission, Submitted, Unknown
from alerting.channels.modest import Modest
from alerting.core.canary import CANARY_CODE, CANARY_TOPIC
from alerting.metrics import Metrics
from alerting.ports import Clock, Conflict, Database, Ids, Priority
from alerting.store import canary as store
from devices.model import Channel

log = logging.getLogger(__name__)

first_after_s = 20.0
"""The first one waits until a start is over, or one interval where that is shorter."""


class LoopBack(Modest):
    """The provider at the end: it has every message at once and tells nobody."""

    channel = Channel.SMS
    name = "loopback"

    def __init__(self, database: Database, clock: Clock, metrics: Metrics) -> None:
        self._database = database
        self._clock = clock
        self._metrics = metrics

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """`text` is the canary's token, `planned_at` the instant of its publication."""
        now = self._clock.now()
        seconds = (now - submission.planned_at).total_seconds()
        self._metrics.canary(seconds)
        token = submission.text
        try:
            await self._database.write(Priority.ATTEMPT, lambda conn: store.heard(conn, token, now, seconds))
        except (SQLAlchemyError, OSError, Conflict) as fault:
            log.warning("a canary alarm came through and cannot be recorded: %s", type(fault).__name__)
            return Unknown(type(fault).__name__)
        return Accepted(token)


class Canary:
    """Publishes one every `every_s` seconds (0: none) and judges the one before. `publish(topic, payload, expires_s)`
    returns at once: False where there is no connection."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        ids: Ids,
        metrics: Metrics,
        publish: Callable[[str, bytes, int], bool],
        every_s: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._metrics = metrics
        self._publish = publish
        self._every_s = every_s
        self._last: str | None = None
        self._misses = 0

    async def run(self) -> None:
        """Until cancelled."""
        every_s = self._every_s
        await self._recorded(lambda: self._begin())
        if every_s <= 0:
            return
        await asyncio.sleep(min(every_s, first_after_s))
        while True:
            await self._recorded(lambda: self._judge())
            self.send()
            await asyncio.sleep(every_s)

    def send(self) -> None:
        """One alarm, as a device sends it."""
        self._last = self._ids.attempt()
        event = {
            "event_id": self._last,
            "code": CANARY_CODE,
            "state": "raised",
            "observed_at": self._clock.now().isoformat(),
        }
        self._publish(CANARY_TOPIC, msgspec.json.encode(event), max(1, int(self._every_s)))

    async def _begin(self) -> None:
        now, every_s = self._clock.now(), self._every_s
        await self._database.write(Priority.ADMINISTRATION, lambda conn: store.begin(conn, every_s, now))

    async def _judge(self) -> None:
        """Has the one before come through? A database that does not say so is one reason why it may not have."""
        missed = self._last is not None
        try:
            row = await asyncio.wait_for(self._database.read(store.read), self._every_s)
            missed = missed and (row is None or row.heard_token != self._last)
        finally:
            self._misses = self._misses + 1 if missed else 0
            if missed:
                self._metrics.canary_missed()
                log.error("canary alarm %s did not come through (%d in a row)", self._last, self._misses)
        now, misses = self._clock.now(), self._misses
        await asyncio.wait_for(
            self._database.write(Priority.ADMINISTRATION, lambda conn: store.looked(conn, misses, now)), self._every_s
        )

    async def _recorded(self, work: Callable[[], Any]) -> None:
        try:
            await work()
        except (SQLAlchemyError, OSError, Conflict, TimeoutError) as fault:
            log.warning("the canary's row waits for the database: %s", type(fault).__name__)
