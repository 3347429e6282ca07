"""The alerting service: the one place through which incidents change. Signals, people's acts, receipts and time come in
here; every decision is the core's and every write one transaction. Never parses a payload, speaks MQTT or serves HTTP.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection

from alerting.aftermath import Aftermath
from alerting.answer_links import AnswerLinks
from alerting.carriers import CarrierState, Given, carriers_of
from alerting.channels.base import ChannelProvider
from alerting.commands import Commands
from alerting.core.acts import ENDS_PAGES, Done, Verb
from alerting.core.decisions import Refused
from alerting.core.model import Actor, Settings, Work
from alerting.core.world import Hastened
from alerting.deciding import Deciding
from alerting.delivered import Delivered
from alerting.digests import Digests
from alerting.drills import Drills
from alerting.dues import Dues, OnViolation
from alerting.emergency import Emergency
from alerting.entry import AlarmEntry
from alerting.households import Households
from alerting.incoming import Incoming
from alerting.jumps import Jumps
from alerting.marking import Marking
from alerting.metrics import Metrics
from alerting.notes import Hooks
from alerting.outbox import Checkpoint, Dispatcher
from alerting.ports import Clock, Database, Ids, Priority
from alerting.probes import Probes
from alerting.raising import Raising
from alerting.recorder import Recorder
from alerting.rehearsal import rehearse
from alerting.rounds import Rounds
from alerting.seen import LastSeen
from alerting.spool import Spool
from alerting.store import canary
from alerting.stream import Hub
from alerting.summing import Summing
from alerting.supervision import Supervision
from alerting.ticker import Ticker
from alerting.writing import WAKE_OUTBOX, Outbox, Written

log = logging.getLogger(__name__)


class Service:
    """Made on the event loop; `start` begins its workers, `stop` ends them.

    `leads`: this process looks after time and callbacks (the worker role; with one process for everything, always).
    `tells`: it publishes on the live stream what it commits itself.
    """

    def __init__(
        self,
        *,
        database: Database,
        providers: Given,
        hub: Hub,
        clock: Clock,
        ids: Ids,
        settings: Settings,
        metrics: Metrics,
        outbox: Outbox,
        leads: bool = True,
        tells: bool = True,
        disk_nearly_full: Callable[[], bool] = lambda: False,
        checkpoint: Checkpoint = lambda point: None,
        on_violation: OnViolation = lambda what, number: None,
        loopback: ChannelProvider | None = None,
        answer_links: AnswerLinks | None = None,
        sweeps_canary: bool = False,
        spool: Spool | None = None,
    ) -> None:
        self._links = answer_links or AnswerLinks("")
        self.marking = Marking(database, clock, self.registry_changed)
        self.on_breaker: Callable[[CarrierState], None] = lambda state: None
        """A carrier is left alone for a while, or is back."""
        self._sweeps_canary = sweeps_canary
        self._leads = leads
        self._database = database
        self._clock = clock
        self._hub = hub
        self._metrics = metrics
        self._ids = ids
        self.carriers = carriers_of(providers)
        self.carriers.on_breaker = lambda state: self._breaker_moved(state)
        outbox = replace(outbox, pick=lambda notice: self.carriers.pick(notice, clock.now()))
        self._deciding = Deciding(clock, ids, settings, outbox)
        self._aftermath = self._after_commits(tells)
        self.raising = Raising(
            database=database, deciding=self._deciding, clock=clock, ids=ids, after=self._aftermath.of
        )
        self.households = self._households(outbox)
        self.drills = Drills(self._deciding, clock, settings, self._aftermath.of)
        self._recorder = Recorder(database, self._aftermath.tell, outbox.wake)
        self.commands = self._commands(settings, outbox)
        self.dispatcher = self._dispatcher(outbox, checkpoint, loopback)
        self.received = Delivered(
            database=database, dispatcher=self.dispatcher, recorder=self._recorder, hub=hub, clock=clock
        ).received
        self.probes = Probes(database=database, providers=self.carriers, hub=hub, clock=clock, boot=outbox.boot)
        self._outbox = outbox
        self._jumps = Jumps(database, clock, outbox.boot, leads=leads, on_jump=self.carriers.lines.moved)
        self._dues = self._due_watch(outbox, on_violation)
        self._rounds = self._in_time(settings)
        grace_s = settings.supervision_grace_s
        self.supervision = Supervision(database, self._deciding, self._aftermath.of, clock, ids, grace_s)
        self.ticker = Ticker(
            clock,
            run_due=self.run_due,
            sweep=self._sweep,
            heal=self.heal,
            first=self._jumps.look,
            arm=self._dues.arm,
        )
        self.emergency = self._emergency(settings)
        self.last_seen = LastSeen(database, disk_nearly_full)
        self.incoming = self._comes_back(outbox, spool)
        self.answers, self.inbox = self.incoming.answers, self.incoming.inbox
        self.entry = self._entry(checkpoint)
        self._tasks: list[asyncio.Task[None]] = []

    def _after_commits(self, tells: bool) -> Aftermath:
        return Aftermath(
            self._hub,
            self._metrics,
            lambda: self.dispatcher,
            lambda due: self.ticker.wake_at(due),
            self._clock.now,
            wake_commands=lambda: self.commands.wake(),
            tells=tells,
            on_opened=lambda: self._an_incident_opened(),
        )

    def _dispatcher(self, outbox: Outbox, checkpoint: Checkpoint, loopback: ChannelProvider | None) -> Dispatcher:
        return Dispatcher(
            database=self._database,
            recorder=self._recorder,
            carriers=self.carriers,
            clock=self._clock,
            ids=self._ids,
            metrics=self._metrics,
            boot=outbox.boot,
            hooks=Hooks(
                on_failed=self._ask_soon,
                wake_at=lambda due: self.ticker.wake_at(due),
                on_hasten=self._ask_soon,
                on_number_refused=self.marking.refused,
                on_number_reached=self.marking.reached,
            ),
            fill=self._links.filled,
            checkpoint=checkpoint,
            loopback=loopback,
        )

    def _due_watch(self, outbox: Outbox, on_violation: OnViolation) -> Dues:
        return Dues(
            database=self._database,
            deciding=self._deciding,
            aftermath=self._aftermath,
            clock=self._clock,
            metrics=self._metrics,
            boot=outbox.boot,
            run_all=self.run_due,
            on_violation=on_violation,
            sweep=lambda: self.dispatcher.sweep(),
        )

    def _in_time(self, settings: Settings) -> Rounds:
        return Rounds(
            database=self._database,
            deciding=self._deciding,
            aftermath=self._aftermath,
            dues=self._dues,
            drills=self.drills,
            summing=Summing(self._deciding, self._clock, self._ids),
            digests=Digests(self._deciding, self._database, self._clock, settings, self._aftermath.of),
        )

    def _emergency(self, settings: Settings) -> Emergency:
        return Emergency(
            database=self._database,
            providers=self.carriers,
            clock=self._clock,
            ids=self._ids,
            settings=replace(settings, answer_link=""),  # what nothing records has no page
            metrics=self._metrics,
            on_recorded=self._aftermath.tell,
        )

    def _entry(self, checkpoint: Checkpoint) -> AlarmEntry:
        return AlarmEntry(
            database=self._database,
            deciding=self._deciding,
            aftermath=self._aftermath,
            emergency=self.emergency,
            last_seen=self.last_seen,
            clock=self._clock,
            ids=self._ids,
            metrics=self._metrics,
            on_answer=self.commands.answered,
            checkpoint=checkpoint,
        )

    def _commands(self, settings: Settings, outbox: Outbox) -> Commands:
        return Commands(
            database=self._database,
            clock=self._clock,
            ids=self._ids,
            settings=settings,
            outbox=outbox,
            metrics=self._metrics,
            after=self._aftermath.of,
        )

    def _households(self, outbox: Outbox) -> Households:
        return Households(
            database=self._database,
            deciding=self._deciding,
            clock=self._clock,
            ids=self._ids,
            wake=outbox.wake,
            after=self._aftermath.of,
            links=self._links,
        )

    def _comes_back(self, outbox: Outbox, spool: Spool | None) -> Incoming:
        return Incoming(
            database=self._database,
            providers=self.carriers,
            clock=self._clock,
            ids=self._ids,
            recorder=self._recorder,
            probes=self.probes,
            households=self.households,
            act=self.act,
            wake=outbox.wake,
            wake_at=self.ticker.wake_at,
            on_entries=self._aftermath.tell,
            on_failed=self._ask_soon,
            links=self._links,
            spool=spool,
            on_receipts=self.dispatcher.received,
            on_arrival=self.dispatcher.heard_of,
        )

    async def start(self) -> None:
        """Take over what a crash left, then begin the workers."""
        if self._leads:
            await self._dues.recover()
        await self.emergency.refresh()
        await self.dispatcher.start()
        await self._rehearse()
        workers = [
            ("ticker", self.ticker.run()),
            ("emergency", self.emergency.run()),
            ("last-seen", self.last_seen.run()),
            ("spool", self.inbox.absorber.run()),
        ]
        if self._leads:
            workers.append(("inbox", self.inbox.run()))
            workers.append(("supervision", self.supervision.run()))
        for name, work in workers:
            self._tasks.append(asyncio.create_task(work, name=name))

    async def _rehearse(self) -> None:
        device_id = next(iter(self.emergency.copy.devices), None)
        if device_id is not None:
            await rehearse(device_id, self._database, self.entry, self._deciding, self._clock, self._ids)

    async def stop(self) -> None:
        """Send nothing new, write what is known, end the workers."""
        await self.incoming.polling.stop()
        await self.dispatcher.stop()
        await self.probes.stop()
        await asyncio.gather(self._recorder.drained(), self.marking.settled())
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.last_seen.flush()
        await self.inbox.absorber.close()

    def registry_changed(self) -> None:
        """The registry was written: the emergency copy is read again."""
        self.emergency.registry_changed()

    def tell_senders(self, conn: Connection) -> None:
        """Within the transaction that left a probe: wake the processes that send when it commits."""
        self._outbox.wake(conn, WAKE_OUTBOX)

    def wake(self) -> None:
        """After that commit: this process looks at once."""
        self.ticker.wake()

    async def act(
        self,
        incident_id: str,
        verb: Verb,
        actor: Actor,
        detail: dict[str, Any],
        also: Callable[[Connection], None] | None = None,
    ) -> Done | Refused:
        """One person's act, committed when this returns, with what `also` writes. `Refused` changed nothing."""

        def work(conn: Connection) -> tuple[Done | Refused, Written, Written]:
            done, written = self._deciding.act(conn, incident_id, verb, actor, detail)
            if also is not None and isinstance(done, Done):
                also(conn)
            ended = verb is Verb.CLOSE and isinstance(done, Done)
            return done, written, self.households.tell_results(conn, incident_id) if ended else Written()

        done, written, told = await self._database.write(Priority.ACCEPTANCE, work)
        if isinstance(done, Done) and (verb in ENDS_PAGES or (verb is Verb.ACCEPT and done.work is Work.TAKEN)):
            self.dispatcher.drop_pages(incident_id)
        self._aftermath.of(written)
        self._aftermath.of(told)
        return done

    async def run_due(self) -> None:
        """Everything whose time has come."""
        if self._leads:
            await self._rounds.run()

    def _breaker_moved(self, state: CarrierState) -> None:
        self._metrics.breaker(state.channel.value, state.provider, state.breaker)
        self.on_breaker(state)

    def _an_incident_opened(self) -> None:
        """While an exercise runs, see whether it must give way."""
        if self.drills.running:
            self.ticker.wake()

    async def _sweep(self) -> None:
        await self.dispatcher.sweep()
        await self.probes.sweep()
        if self._sweeps_canary and await self._database.read(canary.waits):
            found = await self._database.write(Priority.ATTEMPT, lambda conn: canary.take(conn, self._clock.now()))
            self.dispatcher.submit([] if found is None else [found])
        if self._leads:
            self.incoming.polling.look()
            await self.commands.expire()
            await self.commands.audit()

    async def heal(self) -> None:
        """The invariant: an incident that is not closed has a due time. A violation heals itself and is reported."""
        await self._dues.heal()

    def _ask_soon(self, incident_id: str, hastened: Hastened | None = None) -> None:
        """A message of this incident failed for good, or may not be waited for: ask the rules now."""
        self._dues.ask_soon(incident_id, hastened)
        self.ticker.wake_at(self._clock.now())
