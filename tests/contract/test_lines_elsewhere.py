"""Several processes on one PostgreSQL: a phone whose call has ended is free in each of them, whoever was told. The test
calls every sweep and the clock stands still, so nothing frees a line by itself."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select

from alerting.carriers import Carriers
from alerting.channels.base import Submission, Submitted
from alerting.core.outcomes import ReceiptKind
from alerting.metrics import NoMetrics
from alerting.notes import Hooks
from alerting.outbox import Dispatcher
from alerting.ports import Priority
from alerting.recorder import Recorder
from alerting.store import boots
from alerting.store.tables import attempts
from devices.model import Channel
from gengfu.clock import RandomIds, SystemClock
from gengfu.database import RunningDatabase, open_database
from tests.contract.inbox_support import VENDOR, Desk, Vendor, desk_on

NUMBER = "+8613800138000"
FIRST, SECOND = "first-attempt", "second-attemp"
patience_s = 20.0
PLANNED: dict[str, Any] = {"state": "planned", "rank": 0, "provider_ref": None, "provider_accepted_at": None}


class Standing(SystemClock):
    """Its hands do not move: no line ends because its time is over."""

    def __init__(self) -> None:
        self._stands = super().now()

    def now(self):  # type: ignore[no-untyped-def]
        return self._stands


class Dialling(Vendor):
    """Keeps what it was given; each call is accepted at once and rings until somebody says otherwise."""

    def __init__(self) -> None:
        super().__init__(Channel.VOICE)
        self.dialled: list[str] = []

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        self.dialled.append(submission.attempt_id)
        return await super().submit(submission, deadline_s)


@dataclass
class Sender:
    """One process that sends, without a ticker: it looks when it is told to."""

    dispatcher: Dispatcher
    recorder: Recorder
    carriers: Carriers
    vendor: Dialling

    async def looks(self) -> None:
        """One sweep, and all that follows from it is done and written."""
        await self.dispatcher.sweep()
        async with asyncio.timeout(patience_s):
            while tasks := set(self.dispatcher._tasks):
                await asyncio.wait(tasks)
        await self.recorder.drained()

    def holds(self, attempt_id: str) -> bool:
        return self.carriers.lines.of(attempt_id) is not None


async def sender_on(database: RunningDatabase, clock: SystemClock) -> Sender:
    vendor = Dialling()
    carriers = Carriers({Channel.VOICE: [vendor]}, orders={})
    recorder = Recorder(database, lambda entries: None, lambda conn, word: None)
    boot = await database.write(Priority.ADMINISTRATION, lambda conn: boots.begin(conn, clock.now(), "sender"))
    dispatcher = Dispatcher(
        database=database,
        recorder=recorder,
        carriers=carriers,
        clock=clock,
        ids=RandomIds(),
        metrics=NoMetrics(),
        boot=boot,
        hooks=Hooks(on_failed=lambda incident_id: None, wake_at=lambda due: None),
    )
    return Sender(dispatcher, recorder, carriers, vendor)


@pytest_asyncio.fixture
async def elsewhere(migrated_postgres_url: str, tmp_path: Path) -> AsyncIterator[Desk]:
    """The other process: its own connections, its own carriers, and the inbox that providers call back to."""
    async with desk_on(migrated_postgres_url, tmp_path) as desk:
        yield desk


@pytest_asyncio.fixture
async def sender(migrated_postgres_url: str, elsewhere: Desk) -> AsyncIterator[Sender]:
    clock = Standing()
    database = open_database(migrated_postgres_url, monotonic=clock.monotonic)
    sender = await sender_on(database, clock)
    yield sender
    await sender.dispatcher.stop()
    await database.close()


async def to_dial(desk: Desk, attempt_id: str) -> None:
    """A call to the one phone, of a fire of its own, that is due."""
    await desk.attempt(attempt_id, due_at=SystemClock().now() - timedelta(minutes=1), **PLANNED)


async def ended_at(desk: Desk, attempt_id: str) -> Any:
    query = select(attempts.c.ended_at).where(attempts.c.id == attempt_id)
    return await desk.database.read(lambda conn: conn.scalar(query))


@pytest.mark.parametrize("ends", [ReceiptKind.NO_ANSWER, ReceiptKind.COMPLETED, ReceiptKind.CANCELED])
async def test_a_phone_is_free_once_another_process_has_folded_that_its_call_has_ended(
    sender: Sender, elsewhere: Desk, ends: ReceiptKind
) -> None:
    await to_dial(elsewhere, FIRST)
    await sender.looks()
    assert sender.vendor.dialled == [FIRST]
    await to_dial(elsewhere, SECOND)
    for _ in range(3):
        await sender.looks()
    assert sender.vendor.dialled == [FIRST], "one phone, one call"
    assert sender.holds(FIRST)

    await elsewhere.inbox.append(VENDOR, "voice", FIRST, "ringing", {"word": ReceiptKind.RINGING.value})
    await elsewhere.fold()
    await sender.looks()
    assert sender.vendor.dialled == [FIRST], "it rings: that frees nothing"

    await elsewhere.inbox.append(VENDOR, "voice", FIRST, "end", {"word": ends.value})
    await elsewhere.fold()
    assert await ended_at(elsewhere, FIRST) is not None
    assert sender.holds(FIRST), "nobody has told this process"
    await sender.looks()
    assert not sender.holds(FIRST)
    assert sender.vendor.dialled == [FIRST, SECOND]
    assert sender.holds(SECOND)


async def test_what_ended_on_another_phone_frees_this_one_not(sender: Sender, elsewhere: Desk) -> None:
    await to_dial(elsewhere, FIRST)
    await sender.looks()
    await to_dial(elsewhere, SECOND)
    await elsewhere.attempt("third-attempt", ended_at=SystemClock().now())
    await sender.looks()
    assert sender.vendor.dialled == [FIRST]
    assert sender.holds(FIRST)
