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
from alerting.channels.base import Accepted, ChannelProvider, NotFound, Rejected, Scope, Submission, Submitted
from alerting.core.attempts import (
    FAILED_FOR_GOOD,
    GAVE_UP,
    SUPERSEDED,
    Again,
    again_after_reconcile,
    again_after_submit,
    of_submitted,
    stale_after_s,
    unknown_look_after_s,
)
from alerting.core.canary import CANARY_PURPOSE
from alerting.core.model import AttemptState
from alerting.metrics import Metrics
from alerting.ports import Clock, Database, Ids, Priority
from alerting.recorder import Outcome, Recorder, planned_again
from alerting.store import attempts, superseding, timeline
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
        loopback: ChannelProvider | None = None,
    ) -> None:
        self._loopback = loopback
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
        self._newest: dict[tuple[str, str, Channel], Submission] = {}
        """The newest of those by incident, person and channel."""
        self._committed: dict[str, datetime] = {}
        """When the first attempts of those were committed, by notification."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    def submit(self, claimed: Sequence[Claimed], committed_at: datetime | None = None) -> None:
        """Hand over attempts that are committed as `sending` and leased to this process.

        `committed_at`: when, where it was just now; what a sweep has found was committed by somebody, some time ago.
        """
        touched = set()
        for each in claimed:
            channel = each.submission.channel
            if committed_at is not None:
                self._committed[each.submission.notification_id] = committed_at
            self._in_hand[each.submission.notification_id] = each
            newest = self._newest.get(_phone(each))
            if newest is None or newest.planned_at < each.submission.planned_at:
                self._newest[_phone(each)] = each.submission
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
            return superseding.marked(conn, attempts.claim_due(conn, now, self._boot, channels, sweep_most), now)

        for each in await self._database.write(Priority.ATTEMPT, claim):
            held = self._in_hand.get(each.submission.notification_id)
            if held is not None and held.submission.attempt_id == each.submission.attempt_id:
                continue  # its lease is the longer for it
            if each.state in (AttemptState.UNKNOWN, AttemptState.SENDING):
                self._spawn(self._settle(each))
            elif each.answered and each.asks:
                self._drop(each, AttemptState.CANCELED, "answered")
            elif each.superseded:
                self._drop(each, AttemptState.EXPIRED, SUPERSEDED)
            else:
                self.submit([each])

    def recipient_of(self, notification_id: str) -> str | None:
        """Whose message is under way here; None when it is not."""
        claimed = self._in_hand.get(notification_id)
        return claimed.submission.recipient_id if claimed else None

    def drop_pages(self, incident_id: str) -> None:
        """Pages of this incident that still wait for a free slot are not sent."""
        for channel, queue in self._queues.items():
            dropped = [e for e in queue if e[2].submission.incident_id == incident_id and e[2].asks]
            if dropped:
                gone = {entry[1] for entry in dropped}
                self._queues[channel] = [entry for entry in queue if entry[1] not in gone]
                heapq.heapify(self._queues[channel])
                for entry in dropped:
                    self._drop(entry[2], AttemptState.CANCELED, "answered")

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
            claimed = heapq.heappop(queue)[2]
            if self._is_stale(claimed):
                self._drop(claimed, AttemptState.EXPIRED, SUPERSEDED)
                continue
            self._busy[channel] += 1
            self._spawn(self._send(channel, claimed))

    def _is_stale(self, claimed: Claimed) -> bool:
        """It has waited here for a free slot while something newer was given over for the same phone."""
        newest = self._newest.get(_phone(claimed))
        waited = (self._clock.now() - claimed.submission.planned_at).total_seconds()
        return newest is not None and newest.planned_at > claimed.submission.planned_at and waited > stale_after_s

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
            if claimed.purpose == CANARY_PURPOSE:
                await self._loop_back(claimed)
                return
            self._checkpoint("before_post")
            started = self._clock.now()
            submitted = await self._submit(channel, claimed)
            self._checkpoint("after_post")
            self._judge(claimed, submitted, started)
        finally:
            self._forget(claimed)
            self._busy[channel] -= 1
            self._pump(channel)

    async def _loop_back(self, claimed: Claimed) -> None:
        """The self-check came through queue and slot like a page; it goes to nobody, and nothing records it."""
        if self._loopback is not None:
            await self._loopback.submit(claimed.submission, CHANNELS[claimed.submission.channel].submit_deadline_s)

    async def _submit(self, channel: Channel, claimed: Claimed) -> Submitted:
        provider = self._providers.get(channel)
        if provider is None:
            return Rejected("no_provider", Scope.ACCOUNT)
        return await provider.submit(claimed.submission, CHANNELS[channel].submit_deadline_s)

    def _judge(self, claimed: Claimed, submitted: Submitted, started: datetime) -> None:
        now = self._clock.now()
        channel = claimed.submission.channel
        state = of_submitted(submitted)
        again = again_after_submit(
            submitted, channel, claimed.number, claimed.submission.urgency == 0, endless=_endless(claimed)
        )
        if state is AttemptState.BUSY and again is None:
            state = AttemptState.EXPIRED
        look = state is AttemptState.UNKNOWN and again is None and channel is not Channel.APP
        change = attempts.Change(
            attempt_id=claimed.submission.attempt_id,
            state=state,
            due_at=now + timedelta(seconds=unknown_look_after_s) if look else None,
            committed_at=self._committed.get(claimed.submission.notification_id),
            submitted_at=started,
            provider_accepted_at=now if isinstance(submitted, Accepted) else None,
            provider_ref=submitted.provider_ref if isinstance(submitted, Accepted) else None,
            error=GAVE_UP if state is AttemptState.EXPIRED else _error(submitted),
        )
        self._count(claimed, state, now)
        self._finish(claimed, change, again, now, change.error or state.value)
        if state in FAILED_FOR_GOOD:
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
        needless = claimed.superseded or (claimed.answered and claimed.asks)
        urgent = claimed.submission.urgency <= 1
        again = None if needless else again_after_reconcile(found, claimed.number, urgent, endless=_endless(claimed))
        state, cause = AttemptState.UNKNOWN, "not_found" if isinstance(found, NotFound) else "unsettled"
        if claimed.superseded and isinstance(found, NotFound):
            state, cause = AttemptState.EXPIRED, SUPERSEDED
        change = attempts.Change(attempt_id, state, error=cause)
        self._finish(claimed, change, again, now, cause)

    def _drop(self, claimed: Claimed, state: AttemptState, reason: str) -> None:
        """Somebody goes, or something newer says more: what was not submitted yet is not sent."""
        self._forget(claimed)
        change = attempts.Change(claimed.submission.attempt_id, state, error=reason)
        self._finish(claimed, change, None, self._clock.now(), reason)
        self._tell_metrics(claimed, state)

    def _forget(self, claimed: Claimed) -> None:
        submission = claimed.submission
        self._in_hand.pop(submission.notification_id, None)
        self._committed.pop(submission.notification_id, None)
        if self._newest.get(_phone(claimed)) is submission:
            del self._newest[_phone(claimed)]

    def _finish(
        self, claimed: Claimed, change: attempts.Change, again: Again | None, now: datetime, reason: str
    ) -> None:
        submission = claimed.submission
        data: dict[str, Any] = {
            "notification": submission.notification_id,
            "attempt": submission.attempt_id,
            "recipient": submission.recipient_id,
            "channel": submission.channel.value,
            "number": claimed.number,
        }
        following = None
        if again is not None:
            following = self._following(claimed, again, now)
            data["again"] = planned_again(following)
            self._spawn(self._wake_after_commit(now + timedelta(seconds=again.after_s)))
        entry = timeline.Entry(submission.incident_id, now, change.state.value, reason[:32], self._name(claimed), data)
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
        self._tell_metrics(claimed, state)
        if claimed.drill:
            return
        if state is AttemptState.PROVIDER_ACCEPTED and claimed.received_at is not None and claimed.number == 1:
            seconds = (now - claimed.received_at).total_seconds()
            self._metrics.provider_accepted(seconds, channel, claimed.severity)

    def _tell_metrics(self, claimed: Claimed, state: AttemptState) -> None:
        channel = claimed.submission.channel.value
        if claimed.drill:
            self._metrics.drill_notification(channel, state.value)
        else:
            self._metrics.notification(channel, self._name(claimed), state.value)

    def _name(self, claimed: Claimed) -> str:
        provider = self._providers.get(claimed.submission.channel)
        return provider.name if provider else ""


def _error(submitted: Submitted) -> str | None:
    if isinstance(submitted, Accepted):
        return None
    if isinstance(submitted, Rejected):
        return (submitted.code or submitted.reason)[:64]
    return (getattr(submitted, "cause", None) or "busy")[:64]


def _phone(claimed: Claimed) -> tuple[str, str, Channel]:
    """One person's phone or app, about one incident."""
    submission = claimed.submission
    return submission.incident_id, submission.recipient_id, submission.channel


def _endless(claimed: Claimed) -> bool:
    """A page of life safety is tried until somebody answers or a newer one takes its place. An app fetches its own."""
    submission = claimed.submission
    return submission.urgency == 0 and claimed.purpose == "page" and submission.channel is not Channel.APP
