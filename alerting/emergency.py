"""When the database cannot commit a fire: page from memory to the last known duty, marked as not recorded.

Never acknowledges anything and never replaces the commit: the message is still tried, and that is recorded later.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.exc import SQLAlchemyError

from alerting.carriers import Given, carriers_of
from alerting.channels import TABLE as CHANNELS
from alerting.channels.base import Accepted, ChannelProvider, Submission, Unknown
from alerting.core.decisions import Notify
from alerting.core.fold import SignalIn, dedup_key, fold
from alerting.core.model import Settings
from alerting.core.world import World
from alerting.metrics import Metrics
from alerting.ports import Clock, Conflict, Database, Ids, Priority
from alerting.reading import Input
from alerting.store import incidents, timeline
from alerting.writing import SYSTEM, Written
from devices.model import Channel, Placement
from devices.resolve import RegistrySnapshot, place_device
from devices.store import snapshot
from devices.taxonomy import TAXONOMY

log = logging.getLogger(__name__)

refresh_every_s = 60.0
again_after_s = 60.0
"""The same key is paged from memory at most once in this time."""
keys_kept_max = 10_000


@dataclass(slots=True)
class _Paged:
    at_mono: float
    at: datetime
    told: list[str]


class Emergency:
    def __init__(
        self,
        *,
        database: Database,
        providers: Given,
        clock: Clock,
        ids: Ids,
        settings: Settings,
        metrics: Metrics,
        on_recorded: Callable[[Sequence[tuple[int, timeline.Entry]]], None],
    ) -> None:
        self._database = database
        self._carriers = carriers_of(providers)
        self._clock = clock
        self._ids = ids
        self._settings = settings
        self._metrics = metrics
        self._on_recorded = on_recorded
        self.copy = RegistrySnapshot()
        self._paged: dict[str, _Paged] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._stale = asyncio.Event()

    async def refresh(self) -> None:
        """Read the whole registry into memory."""
        now = self._clock.now()
        zone = self._settings.timezone
        self.copy = await self._database.read(lambda conn: snapshot.load_all(conn, now, timezone=zone))

    def registry_changed(self) -> None:
        self._stale.set()

    async def run(self) -> None:
        """Keep the copy fresh, until cancelled."""
        while True:
            try:
                await self.refresh()
            except (SQLAlchemyError, OSError, Conflict) as fault:
                log.warning("the emergency copy of the registry stays as it is: %s", type(fault).__name__)
            self._stale.clear()
            try:
                async with asyncio.timeout(refresh_every_s):
                    await self._stale.wait()
                await asyncio.sleep(1.0)  # an import writes many times
            except TimeoutError:
                pass

    def page(self, signals: Sequence[SignalIn]) -> None:
        """Send life-safety alarms now, past the database. Instant: the sending goes on behind it."""
        dangers = [signal for signal in signals if signal.life_safety]
        if not dangers:
            return
        world = World(self._clock.now(), self.copy, self._settings, not_recorded=True)
        for signal in dangers:
            key = self._key(signal)
            before = self._paged.get(key)
            if before is not None and self._clock.monotonic() - before.at_mono < again_after_s:
                continue
            notices = [made for made in fold([signal], world) if isinstance(made, Notify)]
            log.critical("NOT RECORDED: paging %d messages from memory for %s", len(notices), signal.device_id)
            self._remember(key, notices)
            self._metrics.emergency()
            for notice in notices:
                task = asyncio.create_task(self._send(notice))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def committed(self, inputs: Sequence[Input], written: Written) -> None:
        """The database took these after all: what was sent from memory goes on the record."""
        if not self._paged:
            return
        for item in inputs:
            for signal in item.signals:
                paged = self._paged.pop(self._key(signal), None)
                if paged is not None:
                    task = asyncio.create_task(self._on_the_record(signal, paged))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def _on_the_record(self, signal: SignalIn, paged: _Paged) -> None:
        placed = place_device(self.copy, signal.device_id)
        placement = placed if isinstance(placed, Placement) else None
        key = dedup_key(TAXONOMY[signal.code], placement, signal.device_id)
        data = {"sent_at": paged.at.isoformat(), "told": paged.told}
        now = self._clock.now()
        entries = await self._database.write(
            Priority.CALLBACK,
            lambda conn: [
                (seq, entry)
                for incident in incidents.load_by_keys(conn, [key]).values()
                for entry in [timeline.Entry(incident.id, now, "emergency", "not_recorded", SYSTEM, data)]
                for seq in timeline.append(conn, [entry])
            ],
        )
        self._on_recorded(entries)

    async def _send(self, notice: Notify) -> None:
        submission = Submission(
            attempt_id=self._ids.attempt(),
            notification_id=self._ids.uuid7(),
            incident_id=notice.incident_id,
            recipient_id=notice.recipient_id,
            channel=notice.channel,
            address=notice.address,
            language=notice.language,
            text=notice.text,
            wording=notice.wording,
            urgency=0,
            planned_at=self._clock.now(),
        )
        for name in self._carriers.order(notice.channel, notice.address, notice.recipient_id):
            provider = self._carriers.named(notice.channel, name)
            if provider is None or await self._accepted(provider, submission):
                return

    async def _accepted(self, provider: ChannelProvider, submission: Submission) -> bool:
        """One carrier after the other until one has it. A call of which nobody knows is not made again."""
        channel, now = submission.channel, self._clock.now()
        self._carriers.counted(channel, provider.name, submission.address, now)
        told = replace(
            submission,
            attempt_id=self._ids.attempt(),
            target=self._carriers.target(provider.name, submission.recipient_id),
        )
        answer = await provider.submit(told, CHANNELS[channel].submit_deadline_s)
        self._carriers.heard(channel, provider.name, submission.address, answer, self._clock.now())
        what = type(answer).__name__
        log.critical("NOT RECORDED: %s by %s to %s: %s", channel.value, provider.name, submission.recipient_id, what)
        return isinstance(answer, Accepted) or (isinstance(answer, Unknown) and channel is Channel.VOICE)

    def _key(self, signal: SignalIn) -> str:
        return f"{signal.device_id}|{signal.code}"

    def _remember(self, key: str, notices: Sequence[Notify]) -> None:
        if len(self._paged) >= keys_kept_max:
            self._paged.clear()
        told = sorted({f"{notice.recipient_id}/{notice.channel.value}" for notice in notices})
        self._paged[key] = _Paged(self._clock.monotonic(), self._clock.now(), told)
