"""Write what providers answered, in natural batches: whatever has come in makes one transaction.

Never sends. A result is never lost to a failing database: it is tried again until it is written.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.core.attempts import RANK
from alerting.core.model import AttemptState
from alerting.ports import Conflict, Database, Priority
from alerting.store import attempts, notifications, timeline
from alerting.writing import SYSTEM, WAKE_STREAM

log = logging.getLogger(__name__)

retry_s = 0.25
batch_max = 256
gather_s = 0.01
"""Outcomes that nobody waits for gather this long: the three channels of one alarm make one transaction, not three. A
crash meanwhile leaves attempts that are looked up at the provider, as any crash after a POST does."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One attempt's news: the change to its row, the further attempt it leads to, and the timeline's line."""

    change: attempts.Change
    notification_id: str
    incident_id: str
    entry: timeline.Entry | None = None
    again: attempts.NewAttempt | None = None
    raises: bool = True
    """Its state may be the message's: not where another attempt of it lives, or follows a refusal."""


def planned_again(again: attempts.NewAttempt) -> dict[str, Any]:
    """What a timeline entry says of the further attempt that it leads to."""
    due = again.due_at.isoformat() if again.due_at else None
    return {"attempt": again.id, "number": again.number, "reason": again.reason, "due_at": due}


@dataclass(slots=True)
class _Waiting:
    outcome: Outcome
    done: asyncio.Future[bool] | None = field(default=None)


class Recorder:
    """`record` is instant; the write happens behind it. `on_written` gets timeline entries after the commit."""

    def __init__(
        self,
        database: Database,
        on_written: Callable[[Sequence[tuple[int, timeline.Entry]]], None],
        wake: Callable[[Connection, str], None],
    ) -> None:
        self._database = database
        self._on_written = on_written
        self._wake = wake
        self._waiting: list[_Waiting] = []
        self._unwritten: dict[str, int] = {}
        """Outcomes by attempt."""
        self._task: asyncio.Task[None] | None = None

    def record(self, outcome: Outcome) -> None:
        """Take an outcome; it is written as soon as the writer is free."""
        self._take(_Waiting(outcome))

    def record_durably(self, outcome: Outcome) -> asyncio.Future[bool]:
        """Take an outcome at once; done when it is committed: was its further attempt written? Not where there is none,
        or its number was taken."""
        done: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._take(_Waiting(outcome, done))
        return done

    def holds(self, attempt_id: str) -> bool:
        """Its row does not say yet what became of it. Asked from the writer's thread too."""
        return attempt_id in self._unwritten

    async def drained(self) -> None:
        """Wait until everything taken so far is written."""
        while self._task is not None:
            await asyncio.shield(self._task)

    def _take(self, waiting: _Waiting) -> None:
        attempt_id = waiting.outcome.change.attempt_id
        self._unwritten[attempt_id] = self._unwritten.get(attempt_id, 0) + 1
        self._waiting.append(waiting)
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="recorder")

    def _gone(self, batch: Sequence[_Waiting]) -> None:
        """Written; or it cannot be, and the sweep finds what it was about."""
        for waiting in batch:
            attempt_id = waiting.outcome.change.attempt_id
            self._unwritten[attempt_id] -= 1
            if not self._unwritten[attempt_id]:
                del self._unwritten[attempt_id]
            if waiting.done is not None and not waiting.done.done():
                waiting.done.cancel()

    async def _run(self) -> None:
        try:
            while self._waiting:
                if len(self._waiting) < batch_max and not any(waiting.done for waiting in self._waiting):
                    await asyncio.sleep(gather_s)
                batch, self._waiting = self._waiting[:batch_max], self._waiting[batch_max:]
                try:
                    await self._write(batch)
                finally:
                    self._gone(batch)
        finally:
            self._task = None

    async def _write(self, batch: list[_Waiting]) -> None:
        outcomes = [waiting.outcome for waiting in batch]
        urgent = any(outcome.again and outcome.again.state is AttemptState.SENDING for outcome in outcomes)
        while True:
            try:
                entries, made = await self._database.write(
                    Priority.ACCEPTANCE if urgent else Priority.ATTEMPT,
                    lambda conn: write_all(conn, outcomes, self._wake),
                )
                break
            except (SQLAlchemyError, OSError, Conflict) as fault:
                log.warning("attempt outcomes wait for the database: %s", type(fault).__name__)
                await asyncio.sleep(retry_s)
        for waiting in batch:
            if waiting.done is not None and not waiting.done.done():
                again = waiting.outcome.again
                waiting.done.set_result(again is not None and again.id in made)
        self._on_written(entries)


def write(
    conn: Connection, outcomes: Sequence[Outcome], wake: Callable[[Connection, str], None]
) -> list[tuple[int, timeline.Entry]]:
    """One transaction: attempts, the best state of their notifications, further attempts, timeline."""
    return write_all(conn, outcomes, wake)[0]


def write_all(
    conn: Connection, outcomes: Sequence[Outcome], wake: Callable[[Connection, str], None]
) -> tuple[list[tuple[int, timeline.Entry]], set[str]]:
    """The same, with the further attempts that were written."""
    attempts.change(conn, [outcome.change for outcome in outcomes])
    raised: dict[str, AttemptState] = {}
    for outcome in outcomes:
        state = outcome.change.state
        if not outcome.raises:
            continue
        before = raised.get(outcome.notification_id)
        if before is None or RANK[state] > RANK[before]:
            raised[outcome.notification_id] = state
    notifications.raise_states(conn, sorted(raised.items()))
    made = attempts.insert_further(conn, [outcome.again for outcome in outcomes if outcome.again is not None])
    entries = [entry for entry in map(_line, outcomes) if entry is not None]
    if entries:
        wake(conn, WAKE_STREAM)
    return list(zip(timeline.append(conn, entries), entries, strict=True)), made


def _line(outcome: Outcome) -> timeline.Entry | None:
    """Every outcome leaves a line: a person's act and his client's word say by themselves when they happened."""
    change = outcome.change
    at = change.taken_at or change.provider_accepted_at
    if outcome.entry is not None or at is None:
        return outcome.entry
    data = {"notification": outcome.notification_id, "attempt": change.attempt_id}
    return timeline.Entry(
        outcome.incident_id, at, change.state.value, (change.provider_ref or "person_acted")[:32], SYSTEM, data
    )
