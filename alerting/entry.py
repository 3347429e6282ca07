"""The one way in: raw batch in, verdict per message out, everything committed in between. Never parses, never sends.

Law: a fire that is not committed in time is paged from memory; a message that breaks the transaction is found by
halving, put aside with its cause, and the rest commits; nothing is acknowledged before the commit.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError, SQLAlchemyError, StatementError

from alerting.aftermath import Aftermath
from alerting.deciding import Decided, Deciding
from alerting.emergency import Emergency
from alerting.metrics import Metrics
from alerting.ports import Clock, Conflict, Database, Ids, Priority
from alerting.reading import Input, read, urgency
from alerting.seen import LastSeen
from alerting.verdicts import Outcome, Prepared, Verdict
from devices import decode
from devices.signals import CommandAnswer, DecodeReason, RawMessage, Source, Uplink
from devices.store import quarantine

log = logging.getLogger(__name__)

emergency_after_s = 2.0
retry_s_first = 0.1
retry_s_max = 1.0


class AlarmEntry:
    """`alerting.verdicts.Entry` for MQTT, webhooks and replay alike."""

    def __init__(
        self,
        *,
        database: Database,
        deciding: Deciding,
        aftermath: Aftermath,
        emergency: Emergency,
        last_seen: LastSeen,
        clock: Clock,
        ids: Ids,
        metrics: Metrics,
        on_answer: Callable[[str, CommandAnswer], Awaitable[None]],
        checkpoint: Callable[[str], None] = lambda point: None,
    ) -> None:
        self._database = database
        self._deciding = deciding
        self._aftermath = aftermath
        self._emergency = emergency
        self._last_seen = last_seen
        self._clock = clock
        self._ids = ids
        self._metrics = metrics
        self._on_answer = on_answer
        self._checkpoint = checkpoint

    def prepare(self, raw: RawMessage, source: Source | None = None) -> Prepared:
        """Read one message; pure."""
        uplink = decode(raw, source) if source is not None else decode(raw)
        return Prepared(raw, uplink, urgency(uplink))

    def seen(self, batch: Sequence[Prepared]) -> None:
        """Telemetry and heartbeats: last seen, behind everything else."""
        self._last_seen.take(batch)

    async def handle(self, batch: Sequence[Prepared]) -> Sequence[Verdict]:
        """Decide and commit; one verdict per message, in order."""
        verdicts: dict[int, Verdict] = {}
        inputs: list[tuple[int, Input]] = []
        for index, prepared in enumerate(batch):
            early = self._without_deciding(prepared)
            if early is not None:
                verdicts[index] = early
            else:
                inputs.append((index, read(prepared, self._ids)))
        if inputs:
            for (index, _), verdict in zip(inputs, await self._commit_in_time([i for _, i in inputs]), strict=True):
                verdicts[index] = verdict
        for prepared in batch:
            if isinstance(prepared.uplink, Uplink) and prepared.uplink.answer is not None:
                await self._answered(prepared.uplink.device_key, prepared.uplink.answer)
        self._heard(batch, verdicts)
        self._count(batch, verdicts)
        return [verdicts[index] for index in range(len(batch))]

    def _without_deciding(self, prepared: Prepared) -> Verdict | None:
        uplink = prepared.uplink
        if not isinstance(uplink, Uplink):
            return None
        if uplink.event_id is None:
            self._last_seen.take([prepared])
            return Verdict(Outcome.SEEN, "seen")
        if uplink.retained:
            self._metrics.ignored(DecodeReason.RETAINED_EVENT.value)
            return Verdict(Outcome.IGNORED, DecodeReason.RETAINED_EVENT.value)
        return None

    async def _answered(self, device_id: str, answer: CommandAnswer) -> None:
        """Durable when this returns. A database that is away raises, and the message comes again; what no database
        keeps is put off with its cause, or it would stand in front of everything."""
        try:
            await self._on_answer(device_id, answer)
        except (SQLAlchemyError, ValueError, TypeError, LookupError) as fault:
            if isinstance(fault, SQLAlchemyError) and not _is_data_fault(fault):
                raise
            log.error("an answer to command %s cannot be kept", answer.command_id, exc_info=fault)
            self._metrics.ignored("command_answer_unkept")

    async def _commit_in_time(self, inputs: list[Input]) -> list[Verdict]:
        """Commit, however long the database takes; page fires from memory when it takes too long."""
        signals = [signal for item in inputs for signal in item.signals]
        loop = asyncio.get_running_loop()
        too_late = loop.call_later(emergency_after_s, self._emergency.page, signals)
        try:
            return await self._commit_stubbornly(inputs)
        finally:
            too_late.cancel()

    async def _commit_stubbornly(self, inputs: list[Input]) -> list[Verdict]:
        pause = retry_s_first
        while True:
            try:
                return await self._commit(inputs)
            except (SQLAlchemyError, OSError, Conflict, TimeoutError) as fault:
                if _is_data_fault(fault):
                    return await self._halve(inputs, fault)
                log.error("cannot commit %d messages, will try again: %s", len(inputs), type(fault).__name__)
            except (ValueError, TypeError, AssertionError, LookupError, ArithmeticError) as fault:
                return await self._halve(inputs, fault)
            await asyncio.sleep(pause)
            pause = min(2 * pause, retry_s_max)

    async def _commit(self, inputs: list[Input]) -> list[Verdict]:
        self._checkpoint("before_commit")
        decided = await self._database.write(Priority.ALARM, lambda conn: self._deciding.batch(conn, inputs))
        self._committed(inputs, decided)
        return decided.verdicts

    async def _halve(self, inputs: list[Input], fault: Exception) -> list[Verdict]:
        """One message of these breaks the transaction: find it, put it aside with its cause, commit the rest."""
        if len(inputs) > 1:
            middle = len(inputs) // 2
            first = await self._commit_stubbornly(inputs[:middle])
            return first + await self._commit_stubbornly(inputs[middle:])
        culprit = inputs[0]
        log.error("a message breaks the deciding transaction; put aside", exc_info=fault)
        self._emergency.page(list(culprit.signals))
        await self._put_aside(culprit, fault)
        now = self._clock.now()
        return [
            Verdict(Outcome.QUARANTINED, DecodeReason.POISON.value, culprit.refused(DecodeReason.POISON.value, now))
        ]

    async def _put_aside(self, culprit: Input, fault: Exception) -> None:
        row = culprit.as_quarantined(DecodeReason.POISON.value, f"{type(fault).__name__}: {fault}")
        now = self._clock.now()
        await self._database.write(Priority.ALARM, lambda conn: quarantine.add(conn, [row], now))

    def _committed(self, inputs: Sequence[Input], decided: Decided) -> None:
        self._aftermath.of(decided.written)
        self._emergency.committed(inputs, decided.written)
        now = self._clock.monotonic()
        for item in inputs:
            if item.raw.received_mono and item.canary_at is None:
                self._metrics.event_committed(now - item.raw.received_mono)

    def _heard(self, batch: Sequence[Prepared], verdicts: dict[int, Verdict]) -> None:
        """An event is a sign of life too, the second time as well."""
        for index, prepared in enumerate(batch):
            known = verdicts[index].outcome in (Outcome.COMMITTED, Outcome.DUPLICATE)
            if known and isinstance(prepared.uplink, Uplink) and not prepared.uplink.retained:
                self._last_seen.heard(prepared.uplink.device_key, prepared.raw.received_at)

    def _count(self, batch: Sequence[Prepared], verdicts: dict[int, Verdict]) -> None:
        for index in range(len(batch)):
            if verdicts[index].outcome is Outcome.QUARANTINED:
                self._metrics.quarantined(verdicts[index].reason)


def _is_data_fault(fault: BaseException) -> bool:
    """Is it the data's fault (then one message is to blame) rather than the database's state?"""
    if isinstance(fault, DataError | IntegrityError | ProgrammingError):
        return True
    return type(fault) is StatementError
