"""Carry out notification attempts: submit what was decided, in parallel and fire first; settle what nobody can say.

Never decides who is told. An attempt is committed as `sending` before it is submitted; a crash leaves it to the sweep.
"""

import asyncio
import heapq
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection

from alerting.channels import TABLE as CHANNELS
from alerting.channels.base import Accepted, ChannelProvider, NotFound, Rejected, Scope, Submitted
from alerting.core.attempts import (
    Again,
    again_after_reconcile,
    again_after_submit,
    of_submitted,
    unknown_look_after_s,
)
from alerting.core.model import AttemptState
from alerting.metrics import Metrics
from alerting.ports import Clock, Database, Ids, Priority
from alerting.recorder import Outcome, Recorder
from alerting.store import attempts, timeline
from alerting.store.attempts import Claimed
from devices.model import Channel

log = logging.getLogger(__name__)

slots_per_channel = 48
"""Submissions under way at once on one channel, for everything below life safety."""
slots_reserved = 48
"""Further ones that only life safety (urgency 0 and its updates) may use."""
sweep_most = 500
Checkpoint = Callable[[str], None]


class Dispatcher:
    """The outbox's worker. `submit` is instant; results reach the recorder."""

    def __init__(
        self,
        *,
        database: Database,
        recorder: Recorder,
        providers: Mapping[Channel, ChannelProvider],
        clock: Clock,
        ids: Ids,
        metrics: Metrics,
        boot: int,
        on_failed: Callable[[str], None],
        wake_at: Callable[[datetime], None],
        checkpoint: Checkpoint = lambda point: None,
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._providers = providers
        self._clock = clock
        self._ids = ids
        self._metrics = metrics
        self._boot = boot
        self._on_failed = on_failed
        self._wake_at = wake_at
        self._checkpoint = checkpoint
        self._queues: dict[Channel, list[tuple[int, int, Claimed]]] = {channel: [] for channel in providers}
        self._busy: dict[Channel, int] = dict.fromkeys(providers, 0)
        self._order = count()
        self._in_hand: dict[str, Claimed] = {}
        """Attempts that wait or are being submitted here, by notification: the sweep leaves them alone."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    def submit(self, claimed: Sequence[Claimed]) -> None:
        """Hand over attempts that are committed as `sending` and leased to this process."""
        touched = set()
        for each in claimed:
            channel = each.submission.channel
            self._in_hand[each.submission.notification_id] = each
            heapq.heappush(self._queues[channel], (each.submission.urgency, next(self._order), each))
            touched.add(channel)
        for channel in sorted(touched):
            self._pump(channel)

    async def sweep(self) -> None:
        """Find what is due: planned attempts, unsettled ones, leases of processes that are gone."""
        now = self._clock.now()
        channels = tuple(self._providers)

        def claim(conn: Connection) -> list[Claimed]:
            attempts.void_leases(conn, self._boot, now)
            return attempts.claim_due(conn, now, self._boot, channels, sweep_most)

        for each in await self._database.write(Priority.ATTEMPT, claim):
            held = self._in_hand.get(each.submission.notification_id)
            if held is not None and held.submission.attempt_id == each.submission.attempt_id:
                continue  # its lease is the longer for it
            if each.state in (AttemptState.UNKNOWN, AttemptState.SENDING):
                self._spawn(self._settle(each))
            elif each.answered and each.purpose == "page":
                self._drop(each)
            else:
                self.submit([each])

    def recipient_of(self, notification_id: str) -> str | None:
        """Whose message is under way here; None when it is not."""
        claimed = self._in_hand.get(notification_id)
        return claimed.submission.recipient_id if claimed else None

    def drop_pages(self, incident_id: str) -> None:
        """Pages of this incident that still wait for a free slot are not sent."""
        for channel, queue in self._queues.items():
            dropped = [e for e in queue if e[2].submission.incident_id == incident_id and e[2].purpose == "page"]
            if dropped:
                gone = {entry[1] for entry in dropped}
                self._queues[channel] = [entry for entry in queue if entry[1] not in gone]
                heapq.heapify(self._queues[channel])
                for entry in dropped:
                    self._drop(entry[2])

    def hang_up(self, references: Sequence[str]) -> None:
        """Somebody goes: calls to others stop ringing, where the provider can."""
        provider = self._providers.get(Channel.VOICE)
        if provider is not None:
            for reference in references:
                self._spawn(self._cancel(provider, reference))

    async def stop(self, grace_s: float = 4.0) -> None:
        """Start nothing new; wait for what is under way."""
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for task in self._tasks:
            task.cancel()

    def _pump(self, channel: Channel) -> None:
        queue = self._queues[channel]
        while queue and not self._stopping:
            limit = slots_per_channel + (slots_reserved if queue[0][0] <= 1 else 0)
            if self._busy[channel] >= limit:
                return
            self._busy[channel] += 1
            self._spawn(self._send(channel, heapq.heappop(queue)[2]))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a dispatch task failed; its lease runs out and the sweep finds it", exc_info=task.exception())

    async def _send(self, channel: Channel, claimed: Claimed) -> None:
        try:
            self._checkpoint("before_post")
            submitted = await self._submit(channel, claimed)
            self._checkpoint("after_post")
            self._judge(claimed, submitted)
        finally:
            self._in_hand.pop(claimed.submission.notification_id, None)
            self._busy[channel] -= 1
            self._pump(channel)

    async def _submit(self, channel: Channel, claimed: Claimed) -> Submitted:
        provider = self._providers.get(channel)
        if provider is None:
            return Rejected("no_provider", Scope.ACCOUNT)
        return await provider.submit(claimed.submission, CHANNELS[channel].submit_deadline_s)

    def _judge(self, claimed: Claimed, submitted: Submitted) -> None:
        now = self._clock.now()
        channel = claimed.submission.channel
        state = of_submitted(submitted)
        again = again_after_submit(submitted, channel, claimed.number, claimed.submission.urgency == 0)
        look = state is AttemptState.UNKNOWN and again is None and channel is not Channel.APP
        change = attempts.Change(
            attempt_id=claimed.submission.attempt_id,
            state=state,
            due_at=now + timedelta(seconds=unknown_look_after_s) if look else None,
            submitted_at=now,
            provider_accepted_at=now if isinstance(submitted, Accepted) else None,
            provider_ref=submitted.provider_ref if isinstance(submitted, Accepted) else None,
            error=_error(submitted),
        )
        self._count(claimed, state, now)
        self._finish(claimed, change, again, now, _error(submitted) or state.value)
        if isinstance(submitted, Rejected):
            self._recorder_then_failed(claimed)

    async def _settle(self, claimed: Claimed) -> None:
        """After `unknown`: ask the provider; where it does not have the message, or nobody can say, send again."""
        provider = self._providers[claimed.submission.channel]
        found = await provider.reconcile(claimed.submission, claimed.provider_ref)
        now = self._clock.now()
        attempt_id = claimed.submission.attempt_id
        if isinstance(found, Accepted):
            reference = found.provider_ref
            change = attempts.Change(
                attempt_id, AttemptState.PROVIDER_ACCEPTED, provider_accepted_at=now, provider_ref=reference
            )
            self._count(claimed, AttemptState.PROVIDER_ACCEPTED, now)
            self._finish(claimed, change, None, now, "found")
            return
        needless = claimed.answered and claimed.purpose == "page"
        again = None if needless else again_after_reconcile(found, claimed.number, claimed.submission.urgency <= 1)
        cause = "not_found" if isinstance(found, NotFound) else "unsettled"
        change = attempts.Change(attempt_id, AttemptState.UNKNOWN, error=cause)
        self._finish(claimed, change, again, now, cause)

    def _drop(self, claimed: Claimed) -> None:
        """Somebody goes: a page that was not submitted yet is not sent."""
        submission = claimed.submission
        self._in_hand.pop(submission.notification_id, None)
        change = attempts.Change(submission.attempt_id, AttemptState.CANCELED)
        self._recorder.record(Outcome(change, submission.notification_id, submission.incident_id))
        self._metrics.notification(submission.channel.value, self._name(claimed), AttemptState.CANCELED.value)

    def _finish(
        self, claimed: Claimed, change: attempts.Change, again: Again | None, now: datetime, reason: str
    ) -> None:
        submission = claimed.submission
        data = {
            "notification": submission.notification_id,
            "attempt": submission.attempt_id,
            "recipient": submission.recipient_id,
            "channel": submission.channel.value,
            "number": claimed.number,
        }
        entry = timeline.Entry(submission.incident_id, now, change.state.value, reason[:32], self._name(claimed), data)
        following = None
        if again is not None:
            following = self._following(claimed, again, now)
            self._spawn(self._wake_after_commit(now + timedelta(seconds=again.after_s)))
        self._recorder.record(Outcome(change, submission.notification_id, submission.incident_id, entry, following))

    def _following(self, claimed: Claimed, again: Again, now: datetime) -> attempts.NewAttempt:
        submission = claimed.submission
        return attempts.NewAttempt(
            id=self._ids.attempt(),
            notification_id=submission.notification_id,
            incident_id=submission.incident_id,
            number=claimed.number + 1,
            reason=again.reason.value,
            provider=self._name(claimed),
            state=AttemptState.PLANNED,
            due_at=now + timedelta(seconds=again.after_s),
            lease_boot=None,
            received_at=claimed.received_at,
            planned_at=now,
        )

    async def _wake_after_commit(self, due_at: datetime) -> None:
        await self._recorder.drained()
        self._wake_at(due_at)

    def _recorder_then_failed(self, claimed: Claimed) -> None:
        async def after() -> None:
            await self._recorder.drained()
            self._on_failed(claimed.submission.incident_id)

        self._spawn(after())

    async def _cancel(self, provider: ChannelProvider, reference: str) -> None:
        await provider.cancel(reference)

    def _count(self, claimed: Claimed, state: AttemptState, now: datetime) -> None:
        channel = claimed.submission.channel.value
        self._metrics.notification(channel, self._name(claimed), state.value)
        if state is AttemptState.PROVIDER_ACCEPTED and claimed.received_at is not None and claimed.number == 1:
            seconds = (now - claimed.received_at).total_seconds()
            self._metrics.provider_accepted(seconds, channel, claimed.severity)

    def _name(self, claimed: Claimed) -> str:
        provider = self._providers.get(claimed.submission.channel)
        return provider.name if provider else ""


def _error(submitted: Submitted) -> str | None:
    if isinstance(submitted, Accepted):
        return None
    if isinstance(submitted, Rejected):
        return (submitted.code or submitted.reason)[:64]
    return (getattr(submitted, "cause", None) or "busy")[:64]
