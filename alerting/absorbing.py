"""Take callbacks in fast: into the database, or into the local spool when that takes longer than a sender waits.

Nobody is answered before his callback is durable in one of the two. Never understands one.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from sqlalchemy.exc import DataError, SQLAlchemyError

from alerting.ports import Clock, Conflict, Database, Priority
from alerting.spool import Spool
from alerting.store import callbacks
from alerting.store.callbacks import CallbackRow

log = logging.getLogger(__name__)

patience_s = 0.12
"""Some providers wait 700 ms in all; 200 ms is what we promise them, and a disk wants its share."""
waiting_most = 20_000
batch_most = 1_000
drain_again_s = 0.5
attempt_chars = 13
FAULTS = (SQLAlchemyError, OSError, Conflict)
"""A TimeoutError is an OSError."""


@dataclass(slots=True)
class _Waiting:
    rows: list[CallbackRow]
    stored: asyncio.Future[None]
    given_up: bool = False


class Absorber:
    """`arrived` is set whenever something new lies in the database."""

    def __init__(self, database: Database, clock: Clock, spool: Spool, arrived: asyncio.Event) -> None:
        self._database = database
        self._clock = clock
        self._spool = spool
        self._arrived = arrived
        self._waiting: list[_Waiting] = []
        self._waiting_rows = 0
        self._storing: asyncio.Task[None] | None = None
        self._batch_since: float | None = None

    async def take(self, rows: Sequence[CallbackRow]) -> None:
        """Durable when this returns. Without a spool it waits for the database and raises what that raises."""
        if not rows:
            return
        kept = [_storable(row) for row in rows]
        if self._spool.usable and self._is_stalled():
            await self._spool.keep(kept)
            return
        each = _Waiting(kept, asyncio.get_running_loop().create_future())
        each.stored.add_done_callback(_seen)
        self._waiting.append(each)
        self._waiting_rows += len(kept)
        if self._storing is None:
            self._storing = asyncio.create_task(self._store(), name="inbox-store")
        if not self._spool.usable:
            await each.stored
            return
        late = asyncio.get_running_loop().call_later(patience_s, _settle, each.stored, TimeoutError())
        try:
            await each.stored
        except FAULTS:
            each.given_up = True
            await self._spool.keep(kept)
        finally:
            late.cancel()

    async def run(self) -> None:
        """Empty the spool into the database, oldest first, whenever that works. Until cancelled."""
        while True:
            await self._spool.arrived.wait()
            try:
                await self._spool.drain(self._write)
            except FAULTS as fault:
                log.warning("spooled callbacks wait for the database: %s", type(fault).__name__)
            await asyncio.sleep(drain_again_s)

    async def close(self) -> None:
        """What was taken is written, or lies in the spool."""
        if self._storing is not None:
            await asyncio.wait((self._storing,), timeout=patience_s)
        await self._spool.close()

    def _is_stalled(self) -> bool:
        if self._waiting_rows >= waiting_most:
            return True
        return self._batch_since is not None and self._clock.monotonic() - self._batch_since > patience_s

    async def _store(self) -> None:
        try:
            while self._waiting:
                batch = [each for each in self._waiting[:batch_most] if not each.given_up]
                self._waiting = self._waiting[batch_most:]
                self._waiting_rows = sum(len(each.rows) for each in self._waiting)
                self._batch_since = self._clock.monotonic()
                fault: Exception | None = None
                try:
                    await self._write_all([row for each in batch for row in each.rows])
                except FAULTS as error:
                    fault = error
                for each in batch:
                    _settle(each.stored, fault)
        finally:
            self._storing = self._batch_since = None

    async def _write(self, rows: Sequence[CallbackRow]) -> None:
        """From the spool. One that no database takes must not hold up all behind it."""
        try:
            await self._write_all(rows)
        except DataError:
            for row in rows:
                try:
                    await self._write_all([row])
                except DataError:
                    log.exception("a callback of %s cannot be stored", row.provider)

    async def _write_all(self, rows: Sequence[CallbackRow]) -> None:
        await self._database.write(Priority.CALLBACK, partial(callbacks.append, rows=rows))
        self._arrived.set()


def _settle(stored: "asyncio.Future[None]", fault: Exception | None) -> None:
    if stored.done():
        return
    if fault is None:
        stored.set_result(None)
    else:
        stored.set_exception(fault)


def _seen(stored: "asyncio.Future[None]") -> None:
    """Nobody waits for one that went into the spool meanwhile."""
    if not stored.cancelled():
        stored.exception()


def _storable(row: CallbackRow) -> CallbackRow:
    """Without what a database refuses; an id that is none of ours is none."""
    attempt_id = row.attempt_id if row.attempt_id and len(row.attempt_id) <= attempt_chars else None
    return CallbackRow(
        row.provider, row.kind, attempt_id and _clean(attempt_id), row.dedupe, _cleaned(row.form), row.received_at
    )


def _cleaned(form: Mapping[str, Any]) -> Mapping[str, Any]:
    """Nearly every form is clean: one look at all of it, and only then at each value."""
    try:
        clean = b"\\u0000" not in msgspec.json.encode(form)
    except (ValueError, TypeError):  # half a character, or nothing that JSON knows
        clean = False
    return form if clean else _clean(form)


def _clean(value: Any) -> Any:
    """Neither NUL nor half a character."""
    if isinstance(value, str):
        if value.isascii() and "\0" not in value:
            return value
        return value.encode("utf-8", "replace").decode().replace("\0", "")
    if isinstance(value, Mapping):
        return {_clean(str(key)): _clean(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(each) for each in value]
    return value
