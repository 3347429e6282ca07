"""Carry out notification attempts: submit what was decided, in parallel and fire first; settle what nobody can say.

Never decides who is told. An attempt is committed as `sending`, with its carrier, before it is submitted; a crash
leaves it to the sweep.
"""

import asyncio
import heapq
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.carriers import Carriers
from alerting.channels import TABLE as CHANNELS
from alerting.channels.base import (
    Accepted,
    ChannelProvider,
    NotFound,
    Receipt,
    ReceiptKind,
    Submission,
    Submitted,
    Unknown,
)
from alerting.core.attempts import SUPERSEDED
from alerting.core.canary import CANARY_PURPOSE
from alerting.core.model import AttemptState
from alerting.flights import Flight, InHand
from alerting.metrics import Metrics
from alerting.notes import Hooks
from alerting.onward import Onward
from alerting.ports import Clock, Conflict, Database, Ids, Priority
from alerting.recorder import Recorder
from alerting.store import attempts, lines, recovering, superseding
from alerting.store.attempts import Claimed, Ringing
from alerting.waiting import Waiting
from devices.model import Channel

log = logging.getLogger(__name__)

slots_per_channel = 48
"""Submissions under way at once on one channel, for everything below life safety."""
slots_reserved = 208
"""Further ones that only life safety (urgency 0 and its updates) may use. Whoever hangs at a silent carrier keeps its
slot, and the next carrier's needs one more: enough for all fires of a storm, within a vendor's connections for both."""
sweep_most = 500
ledger_every_s = 10.0
"""Several processes count on one database: each learns so often what the others have spent."""
Checkpoint = Callable[[str], None]
REACHED = frozenset({ReceiptKind.DELIVERED, ReceiptKind.ANSWERED})
"""What says that a number is in order."""


class Dispatcher:
    """The outbox's worker. `submit` is instant; results reach the recorder."""

    def __init__(
        self,
        *,
        database: Database,
        recorder: Recorder,
        carriers: Carriers,
        clock: Clock,
        ids: Ids,
        metrics: Metrics,
        boot: int,
        hooks: Hooks,
        fill: Callable[[Submission], Submission] = lambda submission: submission,
        checkpoint: Checkpoint = lambda point: None,
        loopback: ChannelProvider | None = None,
    ) -> None:
        self._on_number_reached = hooks.on_number_reached
        self._fill = fill
        """Puts each message's own link into it, which nothing stores."""
        self._loopback = loopback
        self._database = database
        self._carriers = carriers
        self._clock = clock
        self._boot = boot
        self._checkpoint = checkpoint
        self._queues: dict[Channel, list[tuple[int, int, Claimed]]] = {channel: [] for channel in carriers.channels}
        self._busy: dict[Channel, int] = dict.fromkeys(carriers.channels, 0)
        self._order = count()
        self._hands = InHand()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._ledger_at: datetime | None = None
        self._recorder = recorder
        self._onward = Onward(
            carriers=carriers,
            hands=self._hands,
            recorder=recorder,
            clock=clock,
            ids=ids,
            metrics=metrics,
            boot=boot,
            hooks=hooks,
            submit=self.submit,
            spawn=self._spawn,
        )
        self._waiting = Waiting(carriers, clock, self._onward, again=self._queue, spawn=self._spawn)

    async def start(self) -> None:
        """Learn what a life before this one has left: calls that may still be on, and what each number was sent."""
        now = self._clock.now()
        ring_s = max([float(each.caps.ring_s) for each in self._carriers.of(Channel.VOICE)], default=0.0)
        if ring_s:
            found = await self._database.read(lambda conn: lines.under_way(conn, now, ring_s))
            self._carriers.lines.loaded(found)
        await self._load_ledger(now)

    def submit(self, claimed: Sequence[Claimed], committed_at: datetime | None = None) -> None:
        """Hand over attempts that are committed as `sending` and leased to this process.

        `committed_at`: when, where it was just now; what a sweep has found was committed by somebody, some time ago.
        """
        ready = [self._with_link(each) for each in claimed]
        for each in ready:
            self._hands.take(each, committed_at)
        self._queue(ready)

    async def sweep(self) -> None:
        """Find what is due: planned attempts, unsettled ones, leases of processes that are gone."""
        recovered = self._carriers.recovery.pending
        await self._sweep(recovered)
        self._carriers.recovery.acted(recovered)
        for channel in self._carriers.channels:
            self._pump(channel)  # the others may have waited for life safety

    async def _sweep(self, recovered: Sequence[Channel]) -> None:
        now = self._clock.now()
        channels = self._carriers.channels
        if self._shared:
            await self._free_ended()
        self._waiting.look(now)
        self._onward.forget_old(now)
        self._look_at_carriers(now)
        if self._shared and (self._ledger_at is None or abs((now - self._ledger_at).total_seconds()) > ledger_every_s):
            await self._load_ledger(now)

        def claim(conn: Connection) -> list[Claimed]:
            attempts.void_leases(conn, self._boot, now)
            if recovered:
                recovering.hasten(conn, now, recovered)
            due = attempts.claim_due(conn, now, self._boot, channels, sweep_most, self._pick)
            return superseding.marked(conn, [each for each in due if not self._mine(each)], now)

        for each in await self._database.write(Priority.ATTEMPT, claim):
            if self._mine(each):
                continue  # committed and taken here a moment ago
            if each.state in (AttemptState.UNKNOWN, AttemptState.SENDING):
                self._spawn(self._settle(self._with_link(each)))
            elif each.answered and each.asks:
                self._drop(each, AttemptState.CANCELED, "answered")
            elif each.superseded:
                self._drop(each, AttemptState.EXPIRED, SUPERSEDED)
            else:
                self.submit([each])

    def _mine(self, claimed: Claimed) -> bool:
        """It waits here or is on its way, or its outcome is not written yet; its lease is the longer for it. Asked in
        the writer's thread too, and in this order: what is no more in hand has an outcome."""
        attempt_id = claimed.submission.attempt_id
        return self._hands.holds(attempt_id) or self._recorder.holds(attempt_id)

    def recipient_of(self, notification_id: str) -> str | None:
        """Whose message is under way here; None when it is not."""
        held = self._hands.of(notification_id)
        return held[0].submission.recipient_id if held else None

    def drop_pages(self, incident_id: str) -> None:
        """Pages of this incident that still wait, for a slot or a free line, are not sent; calls that are being handed
        over are hung up when their carrier has them."""
        for channel, queue in self._queues.items():
            dropped = [e for e in queue if e[2].submission.incident_id == incident_id and e[2].asks]
            if dropped:
                gone = {entry[1] for entry in dropped}
                self._queues[channel] = [entry for entry in queue if entry[1] not in gone]
                heapq.heapify(self._queues[channel])
                for entry in dropped:
                    self._drop(entry[2], AttemptState.CANCELED, "answered")
        for claimed in self._waiting.withdrawn(incident_id):
            self._drop(claimed, AttemptState.CANCELED, "answered")
        self._onward.unwanted(incident_id)

    def hang_up(self, calls: Sequence[Ringing]) -> None:
        """Somebody goes: calls to others stop ringing, where their carrier can."""
        for call in calls:
            self._onward.calls.hang_up(call.attempt_id, call.provider, call.provider_ref)

    def heard_of(self, attempt_id: str) -> None:
        self._onward.heard_of(attempt_id)

    def received(self, receipts: Sequence[tuple[Receipt, Claimed]]) -> None:
        """Carriers have called back: what they say is known here at once."""
        for receipt, claimed in receipts:
            if self._onward.received(receipt, claimed):
                self._waiting.line_free(claimed.submission.address)
            if receipt.kind in REACHED:
                self._on_number_reached(claimed.submission.channel, claimed.submission.address)

    async def stop(self, grace_s: float = 4.0) -> None:
        """Start nothing new; wait for what is under way."""
        self._stopping = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace_s)
        for task in self._tasks:
            task.cancel()

    # ---- who goes when ----------------------------------------------------------------------------------------------

    def _queue(self, claimed: Sequence[Claimed]) -> None:
        touched = set()
        for each in claimed:
            channel = each.submission.channel
            heapq.heappush(self._queues[channel], (each.submission.urgency, next(self._order), each))
            touched.add(channel)
        for channel in sorted(touched):
            self._pump(channel)

    def _pump(self, channel: Channel) -> None:
        while self._queues[channel] and not self._stopping:
            queue = self._queues[channel]
            limit = slots_per_channel + (slots_reserved if queue[0][0] <= 1 else 0)
            if self._busy[channel] >= limit:
                return
            if queue[0][0] > 1 and self._life_safety_first(channel):
                return
            claimed = heapq.heappop(queue)[2]
            if self._hands.is_stale(claimed, self._clock.now()):
                self._drop(claimed, AttemptState.EXPIRED, SUPERSEDED)
                continue
            if claimed.purpose == CANARY_PURPOSE:
                flight = None
            elif self._waiting.may_go(claimed):
                flight = self._onward.begin(claimed)  # it has the line before the next is asked
            else:
                continue
            self._busy[channel] += 1
            self._spawn(self._in_slot(claimed, flight))

    def _look_for_those_that_wait(self) -> None:
        if self._carriers.recovery.pending:
            self._onward.wake_at(self._clock.now())

    def _life_safety_first(self, channel: Channel) -> bool:
        """The carriers are back a moment ago, and what life safety waits for is not all handed over yet."""
        now, recovery = self._clock.now(), self._carriers.recovery
        until = recovery.life_safety_first(channel, now)
        if until is None:
            return False
        self._onward.wake_at(until)
        return channel in recovery.pending or self._hands.wonders(channel)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a dispatch task failed; its lease runs out and the sweep finds it", exc_info=task.exception())

    async def _in_slot(self, claimed: Claimed, flight: Flight | None) -> None:
        """Without a flight it is the self-check."""
        channel, waits = claimed.submission.channel, False
        try:
            if flight is None:
                await self._loop_back(claimed)
            else:
                waits = not await self._send(flight)
        finally:
            if not waits:
                self._hands.forget(claimed)
            self._busy[channel] -= 1
            self._waiting.line_free(claimed.submission.address)
            self._pump(channel)

    async def _send(self, flight: Flight) -> bool:
        """Was it handed over? Else it waits on."""
        claimed = flight.claimed
        if claimed.submission.channel is Channel.VOICE and self._shared and await self._rings_elsewhere(claimed):
            self._onward.never_began(flight)
            self._waiting.a_moment(claimed)
            return False
        self._checkpoint("before_post")
        submitted = await self._submit(flight)
        self._checkpoint("after_post")
        self._onward.judge(flight, submitted)
        self._look_for_those_that_wait()
        return True

    async def _loop_back(self, claimed: Claimed) -> None:
        """The self-check came through queue and slot like a page; it goes to nobody, and nothing records it."""
        if self._loopback is not None:
            await self._loopback.submit(claimed.submission, CHANNELS[claimed.submission.channel].submit_deadline_s)

    async def _submit(self, flight: Flight) -> Submitted:
        submission = flight.submission
        if submission.channel is Channel.APP:
            target = self._carriers.target(flight.provider.name, submission.recipient_id)
            submission = replace(submission, target=target)
        self._onward.hedge(flight)
        submitted = await flight.provider.submit(submission, CHANNELS[submission.channel].submit_deadline_s)
        flight.answered(submitted)
        return submitted

    async def _rings_elsewhere(self, claimed: Claimed) -> bool:
        """Another process may have this phone."""
        submission = claimed.submission
        since = self._clock.now() - lines.looked_back
        try:
            return await self._database.read(
                lambda conn: lines.taken_elsewhere(
                    conn,
                    submission.address,
                    submission.attempt_id,
                    submission.notification_id,
                    submission.planned_at,
                    self._boot,
                    since,
                )
            )
        except (SQLAlchemyError, OSError, Conflict) as fault:
            log.warning("whether another process calls this phone is not known: %s", type(fault).__name__)
            return False  # two rings beat none

    # ---- what is left over ------------------------------------------------------------------------------------------

    async def _settle(self, claimed: Claimed) -> None:
        """After `unknown`: ask the carrier; where it does not have the message, or nobody can say, send again."""
        provider = self._carriers.named(claimed.submission.channel, claimed.provider)
        if provider is None:  # it is not set any more: whoever is takes it
            self._onward.settled(claimed, NotFound())
            return
        found = await provider.reconcile(claimed.submission, claimed.provider_ref)
        call = claimed.submission.channel is Channel.VOICE
        if call and isinstance(found, NotFound) and claimed.provider_ref is None and not provider.caps.finds:
            found = Unknown("cannot_look")  # it has no list of calls: nothing there proves nothing
        self._onward.settled(claimed, found)
        if not isinstance(found, Accepted):
            self._waiting.line_free(claimed.submission.address)

    def _with_link(self, claimed: Claimed) -> Claimed:
        filled = self._fill(claimed.submission)
        return claimed if filled is claimed.submission else replace(claimed, submission=filled)

    def _drop(self, claimed: Claimed, state: AttemptState, reason: str) -> None:
        """Somebody goes, or something newer says more: what was not submitted yet is not sent."""
        self._onward.dropped(claimed, state, reason)
        self._hands.forget(claimed)

    def _pick(self, claimed: Claimed) -> str:
        """In the writer's thread: who takes an attempt that is due."""
        if not self._carriers.others(claimed.submission, {claimed.provider}):
            return claimed.provider or self._carriers.any_name(claimed.submission)
        now = self._clock.now()
        choice = self._carriers.choose(claimed.submission, now, prefer=claimed.provider, without=claimed.refused)
        return choice.provider or claimed.provider

    # ---- the carriers' own state ------------------------------------------------------------------------------------

    @property
    def _shared(self) -> bool:
        """Other processes may send from the same database."""
        return self._database.dialect == "postgresql"

    def _look_at_carriers(self, now: datetime) -> None:
        for provider in self._carriers.to_look_at(now):
            self._spawn(self._look_at(provider))

    async def _look_at(self, provider: ChannelProvider) -> None:
        self._carriers.looked(provider, await provider.check(), self._clock.now())
        self._look_for_those_that_wait()

    async def _free_ended(self) -> None:
        """Another process may have been told that a call of ours has ended."""
        held = self._carriers.lines.held()
        if not held:
            return
        for attempt_id in await self._database.read(lambda conn: lines.ended(conn, held)):
            if self._carriers.lines.free(attempt_id):
                self._waiting.line_free(held[attempt_id])

    async def _load_ledger(self, now: datetime) -> None:
        self._ledger_at = now
        self._carriers.forget_old(now)
        counted = self._carriers.counts
        if counted:
            since = now - timedelta(hours=24)
            rows = await self._database.read(lambda conn: lines.spent(conn, counted, since))
            self._carriers.loaded(rows, now)
