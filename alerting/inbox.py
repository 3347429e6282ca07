"""The callback inbox: store what a provider tells us at once, understand it afterwards, in order of arrival.

Law: ranks only rise, so late, repeated and reordered words change nothing; only a key, a reply or a tap is a
human's act.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard

from sqlalchemy import Connection

from alerting.absorbing import FAULTS, Absorber
from alerting.carriers import Given, carriers_of
from alerting.channels.base import Stored
from alerting.core import polled
from alerting.core.attempts import FAILED_FOR_GOOD, LINE_FREE, of_receipt
from alerting.core.model import AttemptState
from alerting.core.outcomes import CallbackEvent, KeyPress, Receipt, Reply
from alerting.ports import Clock, Database, Ids, Priority
from alerting.recorder import Outcome, planned_again, write
from alerting.redialling import redial
from alerting.spool import Spool
from alerting.store import attempts, callbacks, probes, timeline
from alerting.store.attempts import Claimed
from alerting.store.callbacks import CallbackRow, Unfolded

log = logging.getLogger(__name__)

fold_most = 200
storm_rows, gather_s = 32, 0.05
"""After a batch of so many, folding lets this much come in: each of its transactions keeps those waiting who store."""
retry_s = 0.25
look_again_s = 1.0
"""Callbacks about attempts that nobody has written yet, and acts that a database refused, are looked at this often."""
early_s = 60.0
"""How long a callback may be ahead of what it is about."""
act_tries_s = 600.0
waiting_most = 2_000

Human = KeyPress | Reply


@dataclass(slots=True)
class Folded:
    """What folding a batch led to, for after the commit."""

    entries: list[tuple[int, timeline.Entry]]
    humans: list[tuple[int, Human]]
    """With the rows that told of them: they are folded once the act is done."""
    receipts: list[tuple[Receipt, Claimed]]
    ended: list[str]
    """Calls of no incident that are over: their phones are free."""
    failed: set[str]
    due: datetime | None
    last: int
    """The last row that was looked at; 0: there was none."""
    more: bool
    count: int


class Inbox:
    """`on_person` gets key presses and replies, one by one, after they were stored."""

    def __init__(
        self,
        *,
        database: Database,
        providers: Given,
        clock: Clock,
        ids: Ids,
        wake: Callable[[Connection, str], None],
        on_entries: Callable[[Sequence[tuple[int, timeline.Entry]]], None],
        on_key: Callable[[KeyPress], Awaitable[object]],
        on_reply: Callable[[Reply], Awaitable[object]],
        on_failed: Callable[[str], None],
        wake_at: Callable[[datetime], None],
        spool: Spool | None = None,
        on_receipts: Callable[[Sequence[tuple[Receipt, Claimed]]], None] = lambda receipts: None,
        on_arrival: Callable[[str], None] = lambda attempt_id: None,
    ) -> None:
        self._on_arrival = on_arrival
        """Before anything is stored: a carrier that calls back about an attempt has it."""
        self._carriers = carriers_of(providers)
        self._on_receipts = on_receipts
        self._database = database
        self._clock = clock
        self._ids = ids
        self._wake = wake
        self._readers = self._carriers.by_vendor()
        """Any one carrier of a vendor reads the callbacks of all."""
        self._on_entries = on_entries
        self._on_key = on_key
        self._on_reply = on_reply
        self._on_failed = on_failed
        self._wake_at = wake_at
        self._arrived = asyncio.Event()
        self._spool = spool or Spool(None)
        self.absorber = Absorber(database, clock, self._spool, self._arrived)
        self._waiting: dict[int, datetime] = {}
        """Rows that could not be folded yet, and when they were first looked at."""
        self._acting: dict[int, datetime] = {}
        """Rows whose act could not be carried out yet, and since when."""
        self._after = 0
        """Rows up to here have been looked at in this second."""
        self._looked_mono: float | None = None
        self._more = False
        self._storm = False

    async def append(
        self, provider: str, kind: str, attempt_id: str | None, dedupe: str, form: Mapping[str, Any]
    ) -> None:
        """Take one callback; it is durable when this returns. What comes in together is committed together."""
        await self._came([CallbackRow(provider, kind, attempt_id, dedupe, form, self._clock.now())])

    async def take_words(self, provider: str, words: Sequence[Stored]) -> None:
        """The same for everything that one callback says, in its order."""
        now = self._clock.now()
        await self._came(
            [CallbackRow(provider, word.kind, word.attempt_id, word.dedupe, word.form, now) for word in words]
        )

    async def _came(self, rows: Sequence[CallbackRow]) -> None:
        for row in rows:
            if row.attempt_id:
                self._on_arrival(row.attempt_id)
        await self.take(rows)

    async def take(self, rows: Sequence[CallbackRow]) -> None:
        """Several, in this order, called back or asked for."""
        await self.absorber.take(rows)

    async def run(self) -> None:
        """Fold whatever is stored, at once when something arrives and at least every second. Until cancelled."""
        while True:
            try:
                while await self.fold():
                    pass
            except FAULTS as fault:
                log.warning("callbacks wait for the database: %s", type(fault).__name__)
                await asyncio.sleep(retry_s)
            if self._storm:
                await asyncio.sleep(gather_s)
            try:
                async with asyncio.timeout(look_again_s):
                    await self._arrived.wait()
            except TimeoutError:
                pass
            self._arrived.clear()

    async def fold(self) -> bool:
        """Fold one batch; True when there may be more."""
        now = self._clock.monotonic()
        if not self._more and (self._looked_mono is None or now - self._looked_mono >= look_again_s):
            self._after, self._looked_mono = 0, now
        self._more = False
        folded = await self._database.write(Priority.CALLBACK, self._fold)
        self._after, self._more = folded.last or self._after, folded.more
        self._storm = folded.count >= storm_rows
        self._on_receipts(folded.receipts)
        for probe_id in folded.ended:
            self._carriers.lines.free(probe_id)
        self._on_entries(folded.entries)
        for incident_id in sorted(folded.failed):
            self._on_failed(incident_id)
        if folded.due is not None:
            self._wake_at(folded.due)
        await self._act(folded.humans)
        return folded.more

    async def _act(self, humans: Sequence[tuple[int, Human]]) -> None:
        """Each act first, then its row is folded: a database that fails in between loses no key."""
        done = []
        for row_id, event in humans:
            if await self._acted(row_id, event):
                done.append(row_id)
        if done:
            now = self._clock.now()
            await self._database.write(Priority.CALLBACK, lambda conn: callbacks.mark_folded(conn, done, now))
            for row_id in done:
                self._acting.pop(row_id, None)

    async def _acted(self, row_id: int, event: Human) -> bool:
        try:
            if isinstance(event, KeyPress):
                await self._on_key(event)
            else:
                await self._on_reply(event)
        except FAULTS as fault:
            since = self._acting.setdefault(row_id, self._clock.now())
            log.warning("a person's answer waits for the database: %s", type(fault).__name__)
            return (self._clock.now() - since).total_seconds() > act_tries_s
        except Exception:  # one answer that breaks something must not stop all that come after it
            log.exception("a person's answer could not be carried out")
        return True

    def _fold(self, conn: Connection) -> Folded:
        now = self._clock.now()
        rows = callbacks.unfolded(conn, fold_most, self._after)
        named = _named(conn, rows)
        told = [(row, event) for row in rows for event in self._parse(row, named)]
        receipts = [(row, event) for row, event in told if isinstance(event, Receipt)]
        known = attempts.load(conn, {receipt.attempt_id for _, receipt in receipts})
        early = {row.id for row in rows if row.attempt_id is None and named.get(row.id) == ""}
        early |= {
            row.id for row, receipt in receipts if receipt.attempt_id not in known and not _of_a_probe(conn, receipt)
        }
        outcomes = [
            self._outcome(receipt, known[receipt.attempt_id], now)
            for _, receipt in receipts
            if receipt.attempt_id in known
        ]
        entries = write(conn, outcomes, self._wake)
        kept = self._kept(rows, early, now)
        humans = [(row.id, event) for row, event in told if _is_an_act(event) and row.id not in kept]
        kept |= {row_id for row_id, _ in humans}
        callbacks.mark_folded(conn, [row.id for row in rows if row.id not in kept], now)
        dues = [o.again.due_at for o in outcomes if o.again is not None and o.again.due_at is not None]
        return Folded(
            entries=entries,
            humans=humans,
            receipts=[(receipt, known[receipt.attempt_id]) for _, receipt in receipts if receipt.attempt_id in known],
            ended=[
                receipt.attempt_id
                for _, receipt in receipts
                if receipt.kind in LINE_FREE and receipt.attempt_id not in known
            ],
            failed={o.incident_id for o in outcomes if o.change.state in FAILED_FOR_GOOD},
            due=min(dues, default=None),
            last=rows[-1].id if rows else 0,
            more=len(rows) == fold_most,
            count=len(rows),
        )

    def _kept(self, rows: Sequence[Unfolded], early: set[int], now: datetime) -> set[int]:
        """Those of them that are looked at again: what they are about may be written any moment."""
        kept = set()
        for row in rows:
            if row.id not in early:
                self._waiting.pop(row.id, None)
                continue
            since = self._waiting.setdefault(row.id, now)
            if (now - since).total_seconds() < early_s and len(self._waiting) <= waiting_most:
                kept.add(row.id)
            else:
                self._waiting.pop(row.id)
                log.warning("a %s callback of %s about an attempt that nobody made", row.kind, row.provider)
        return kept

    def _parse(self, row: Unfolded, named: Mapping[int, str]) -> list[CallbackEvent]:
        attempt_id = row.attempt_id or named.get(row.id)
        if attempt_id == "":
            return []
        if row.kind == polled.POLLED:
            return polled.read(attempt_id, row.form)
        reader = self._readers.get(row.provider)
        if reader is None:
            log.warning("a callback of %s has no reader", row.provider)
            return []
        try:
            return reader.parse_callback(row.kind, attempt_id, row.form)
        except Exception:  # one callback that a reader stumbles over must not stop all behind it
            log.exception("a callback of %s cannot be read", row.provider)
            return []

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
            ended_at=now if receipt.kind in LINE_FREE else None,
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
        again = redial(receipt, claimed, now, self._ids, self._carriers)
        if again is not None:
            data["again"] = planned_again(again)
        entry = timeline.Entry(submission.incident_id, now, "provider_receipt", receipt.kind.value, "provider", data)
        return Outcome(change, submission.notification_id, submission.incident_id, entry, again)


def _named(conn: Connection, rows: Sequence[Unfolded]) -> dict[int, str]:
    """The attempts of rows that know only the provider's own reference, by row; "" where we do not know it (yet)."""
    bare = {
        row.id: str(row.form["provider_ref"]) for row in rows if not row.attempt_id and row.form.get("provider_ref")
    }
    found = callbacks.attempts_by_reference(conn, set(bare.values()))
    return {row.id: found.get((row.provider, bare[row.id]), "") for row in rows if row.id in bare}


def _is_an_act(event: CallbackEvent) -> TypeGuard[Human]:
    """A person did something: a key or a text. Silence on a call is none."""
    return isinstance(event, Reply) or (isinstance(event, KeyPress) and bool(event.digits))


def _of_a_probe(conn: Connection, receipt: Receipt) -> bool:
    """A message of no incident; False: of nothing at all."""
    return probes.receive(conn, receipt.attempt_id, of_receipt(receipt.kind), receipt.provider_ref, receipt.error)
