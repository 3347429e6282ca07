"""The callback inbox: store what a provider tells us at once, understand it afterwards, in order of arrival.

Law: ranks only rise, so late, repeated and reordered words change nothing; only a key, a reply or a tap is a
human's act.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.channels.base import ChannelProvider
from alerting.core.attempts import (
    CALL_ENDED,
    FAILED_FOR_GOOD,
    Again,
    TryReason,
    again_after_call,
    of_receipt,
)
from alerting.core.model import AttemptState
from alerting.core.outcomes import CallbackEvent, KeyPress, Receipt, Reply
from alerting.ports import Clock, Conflict, Database, Ids, Priority
from alerting.recorder import Outcome, planned_again, write
from alerting.store import attempts, callbacks, probes, timeline
from alerting.store.attempts import Claimed
from alerting.store.callbacks import CallbackRow, Unfolded
from devices.model import Channel

log = logging.getLogger(__name__)

fold_most = 200
retry_s = 0.25


@dataclass(slots=True)
class Folded:
    """What folding a batch led to, for after the commit."""

    entries: list[tuple[int, timeline.Entry]]
    keys: list[KeyPress]
    replies: list[Reply]
    failed: set[str]
    due: datetime | None
    more: bool


class Inbox:
    """`on_person` gets key presses and replies, one by one, after they were stored."""

    def __init__(
        self,
        *,
        database: Database,
        providers: Mapping[Channel, ChannelProvider],
        clock: Clock,
        ids: Ids,
        wake: Callable[[Connection, str], None],
        on_entries: Callable[[Sequence[tuple[int, timeline.Entry]]], None],
        on_key: Callable[[KeyPress], Awaitable[object]],
        on_reply: Callable[[Reply], Awaitable[object]],
        on_failed: Callable[[str], None],
        wake_at: Callable[[datetime], None],
    ) -> None:
        self._database = database
        self._clock = clock
        self._ids = ids
        self._wake = wake
        self._parsers = {provider.name: provider for provider in providers.values()}
        self._on_entries = on_entries
        self._on_key = on_key
        self._on_reply = on_reply
        self._on_failed = on_failed
        self._wake_at = wake_at
        self._waiting: list[tuple[CallbackRow, asyncio.Future[None]]] = []
        self._storing: asyncio.Task[None] | None = None
        self._arrived = asyncio.Event()

    async def append(self, provider: str, kind: str, attempt_id: str | None, dedupe: str, form: dict[str, str]) -> None:
        """Store one callback; returns when it is committed. What comes in together is committed together."""
        row = CallbackRow(provider, kind, attempt_id, dedupe, form, self._clock.now())
        stored: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, stored))
        if self._storing is None:
            self._storing = asyncio.create_task(self._store(), name="inbox-store")
        await stored

    async def run(self) -> None:
        """Fold whatever is stored, at once when something arrives and at least every second. Until cancelled."""
        while True:
            try:
                while await self.fold():
                    pass
            except (SQLAlchemyError, OSError, Conflict) as fault:
                log.warning("callbacks wait for the database: %s", type(fault).__name__)
                await asyncio.sleep(retry_s)
            try:
                async with asyncio.timeout(1.0):
                    await self._arrived.wait()
            except TimeoutError:
                pass
            self._arrived.clear()

    async def fold(self) -> bool:
        """Fold one batch; True when there may be more."""
        folded = await self._database.write(Priority.CALLBACK, self._fold)
        self._on_entries(folded.entries)
        for key in folded.keys:
            await self._on_key(key)
        for reply in folded.replies:
            await self._on_reply(reply)
        for incident_id in sorted(folded.failed):
            self._on_failed(incident_id)
        if folded.due is not None:
            self._wake_at(folded.due)
        return folded.more

    async def _store(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                rows = [row for row, _ in batch]
                try:
                    await self._database.write(Priority.CALLBACK, partial(callbacks.append, rows=rows))
                except (SQLAlchemyError, OSError, Conflict) as fault:
                    for _, stored in batch:
                        if not stored.done():
                            stored.set_exception(fault)
                    continue
                for _, stored in batch:
                    if not stored.done():
                        stored.set_result(None)
                self._arrived.set()
        finally:
            self._storing = None

    def _fold(self, conn: Connection) -> Folded:
        now = self._clock.now()
        rows = callbacks.unfolded(conn, fold_most)
        events = [event for row in rows for event in self._parse(row)]
        receipts = [event for event in events if isinstance(event, Receipt)]
        known = attempts.load(conn, {receipt.attempt_id for receipt in receipts})
        for receipt in receipts:
            if receipt.attempt_id not in known:
                _of_a_probe(conn, receipt)
        found = [(receipt, known[receipt.attempt_id]) for receipt in receipts if receipt.attempt_id in known]
        outcomes = [self._outcome(receipt, claimed, now) for receipt, claimed in found]
        entries = write(conn, outcomes, self._wake)
        callbacks.mark_folded(conn, [row.id for row in rows], now)
        dues = [o.again.due_at for o in outcomes if o.again is not None and o.again.due_at is not None]
        return Folded(
            entries=entries,
            keys=[event for event in events if isinstance(event, KeyPress)],
            replies=[event for event in events if isinstance(event, Reply)],
            failed={o.incident_id for o in outcomes if o.change.state in FAILED_FOR_GOOD},
            due=min(dues, default=None),
            more=len(rows) == fold_most,
        )

    def _parse(self, row: Unfolded) -> list[CallbackEvent]:
        parser = self._parsers.get(row.provider)
        if parser is None:
            log.warning("a callback of %s has no reader", row.provider)
            return []
        return parser.parse_callback(row.kind, row.attempt_id, row.form)

    def _outcome(self, receipt: Receipt, claimed: Claimed, now: datetime) -> Outcome:
        submission = claimed.submission
        state = of_receipt(receipt.kind)
        change = attempts.Change(
            attempt_id=submission.attempt_id,
            state=state,
            provider_accepted_at=now,
            first_receipt_at=now,
            delivered_at=now if state is AttemptState.DELIVERED else None,
            answered_at=now if state is AttemptState.ANSWERED else None,
            provider_ref=receipt.provider_ref or None,
            error=receipt.error or None,
        )
        data: dict[str, Any] = {
            "notification": submission.notification_id,
            "attempt": submission.attempt_id,
            "recipient": submission.recipient_id,
            "channel": submission.channel.value,
            "receipt": receipt.kind.value,
            "state": state.value,
        }
        if receipt.at is not None:
            data["provider_at"] = receipt.at.isoformat()
        if receipt.error:
            data["error"] = receipt.error
        again = self._redial(receipt, claimed, now)
        if again is not None:
            data["again"] = planned_again(again)
        entry = timeline.Entry(submission.incident_id, now, "provider_receipt", receipt.kind.value, "provider", data)
        return Outcome(change, submission.notification_id, submission.incident_id, entry, again)

    def _redial(self, receipt: Receipt, claimed: Claimed, now: datetime) -> attempts.NewAttempt | None:
        """A call that ended without a key is made again, from the same number, after the carrier's gap."""
        if receipt.kind not in CALL_ENDED or claimed.answered or claimed.submission.channel is not Channel.VOICE:
            return None
        again: Again | None = again_after_call(claimed.number - 1, claimed.redial_max, claimed.redial_gap_s)
        if again is None or claimed.state is AttemptState.TAKEN:
            return None
        return attempts.NewAttempt(
            id=self._ids.attempt(),
            notification_id=claimed.submission.notification_id,
            incident_id=claimed.submission.incident_id,
            number=claimed.number + 1,
            reason=TryReason.REDIAL.value,
            provider="",
            state=AttemptState.PLANNED,
            due_at=now + timedelta(seconds=again.after_s),
            lease_boot=None,
            received_at=None,
            planned_at=now,
        )


def _of_a_probe(conn: Connection, receipt: Receipt) -> None:
    """A message of no incident."""
    if not probes.receive(conn, receipt.attempt_id, of_receipt(receipt.kind), receipt.provider_ref, receipt.error):
        log.warning("a %s receipt for an attempt that nobody made", receipt.kind.value)
