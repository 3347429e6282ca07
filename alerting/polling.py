"""Ask providers about messages of which no receipt came: a few times, ever later. What they say goes through the inbox
like a callback. Never decides what a receipt means and never sends."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.carriers import Given, carriers_of
from alerting.channels.base import ChannelProvider
from alerting.core import polled
from alerting.core.model import AttemptState
from alerting.core.outcomes import Receipt, ReceiptKind
from alerting.ports import Clock, Conflict, Database
from alerting.store import attempts, polls
from alerting.store.attempts import Claimed
from alerting.store.callbacks import CallbackRow
from alerting.store.polls import Age
from devices.model import Channel

log = logging.getLogger(__name__)

sms_gaps_s = (10.0, 30.0, 90.0)
call_gaps_s = (5.0, 25.0, 85.0)
"""After the time for which it may have rung."""
app_gaps_s = (30.0, 120.0, 600.0)
"""Work apps know whether a message was read; our own stream and a push service cannot be asked."""
poll_seconds_max = 5.0
at_once = 8
most = 100
"""In one look; what is left is asked at its next age."""
WORK_APPS = frozenset({"dingtalk", "feishu"})
_ENDS_NOTHING = (ReceiptKind.PROVIDER_ACCEPTED,)


class Polling:
    """`look` once a second. An attempt is asked about as it reaches each age, so nothing of this is stored."""

    def __init__(
        self,
        database: Database,
        providers: Given,
        clock: Clock,
        take: Callable[[Sequence[CallbackRow]], Awaitable[None]],
    ) -> None:
        self._database = database
        each = carriers_of(providers).all()
        asked: dict[tuple[str, Channel], ChannelProvider] = {
            (one.name, one.channel): one for one in each if one.channel is not Channel.APP or one.name in WORK_APPS
        }
        self._carriers = {key: one for key, one in asked.items() if one.caps.receipts}
        self._clock = clock
        self._take = take
        self._looked_at: datetime | None = None
        self._task: asyncio.Task[None] | None = None

    def look(self) -> None:
        """Begin to ask about what has just reached an age. Instant."""
        if self._carriers and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self.run_once(), name="polling")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def run_once(self) -> None:
        """One look."""
        now = self._clock.now()
        ages = self._ages(now)
        names = {name for name, _ in self._carriers}
        try:
            found = await self._database.read(lambda conn: _silent(conn, ages, names))
            self._looked_at = now
            slots = asyncio.Semaphore(at_once)
            await asyncio.gather(*(self._ask(claimed, provider, slots) for claimed, provider in found))
        except (SQLAlchemyError, OSError, Conflict) as fault:
            log.warning("receipts are not asked for: %s", type(fault).__name__)

    def _ages(self, now: datetime) -> list[Age]:
        """What was too young at the last look and no longer is. After a start: everything up to the last age."""
        ring_s = max((one.caps.ring_s for key, one in self._carriers.items() if key[1] is Channel.VOICE), default=0)
        ages = []
        for channel, gaps, states in (
            (Channel.SMS, sms_gaps_s, (AttemptState.PROVIDER_ACCEPTED,)),
            (Channel.VOICE, call_gaps_s, (AttemptState.PROVIDER_ACCEPTED, AttemptState.SENT)),
            (Channel.APP, app_gaps_s, (AttemptState.PROVIDER_ACCEPTED, AttemptState.SENT)),
        ):
            later = timedelta(seconds=ring_s if channel is Channel.VOICE else 0)
            for number, gap_s in enumerate(gaps):
                until = now - timedelta(seconds=gap_s) - later
                next_gap_s = gaps[number + 1] if number + 1 < len(gaps) else 2 * gap_s
                before = (self._looked_at or now - timedelta(seconds=next_gap_s - gap_s)) - (now - until)
                ages.append(Age(channel, states, before, until))
        return ages

    async def _ask(self, claimed: Claimed, provider: str, slots: asyncio.Semaphore) -> None:
        submission, reference = claimed.submission, claimed.provider_ref
        carrier = self._carriers.get((provider, submission.channel))
        if carrier is None or reference is None:
            return
        async with slots:
            try:
                async with asyncio.timeout(poll_seconds_max):
                    events = await carrier.poll(submission, reference)
            except TimeoutError:
                return
        now = self._clock.now()
        told = [event for event in events if isinstance(event, Receipt) and event.kind not in _ENDS_NOTHING]
        await self._take(
            [
                CallbackRow(
                    provider, polled.POLLED, submission.attempt_id, polled.dedupe(each), polled.stored(each), now
                )
                for each in told
            ]
        )


def _silent(conn: Connection, ages: Sequence[Age], names: set[str]) -> list[tuple[Claimed, str]]:
    asked = polls.silent(conn, ages, names, most)
    found = attempts.look(conn, [attempt_id for attempt_id, _ in asked])
    return [(found[attempt_id], provider) for attempt_id, provider in asked if attempt_id in found]
