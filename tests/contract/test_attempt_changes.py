"""Outcomes of attempts on both databases: one batch writes each attempt its own columns, and first words stay."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from alerting.core.model import AttemptState
from alerting.ports import Priority
from alerting.store import attempts, tables
from alerting.store.attempts import Change
from tests.contract.inbox_support import Desk, desk_on

SENT, RANG, BUSY = "abcdefghijk22", "abcdefghijk33", "abcdefghijk44"
NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(seconds=30)


async def row_of(desk: Desk, attempt_id: str) -> Any:
    query = select(tables.attempts).where(tables.attempts.c.id == attempt_id)
    return await desk.database.read(lambda conn: conn.execute(query).one())


async def change(desk: Desk, *changes: Change) -> None:
    await desk.database.write(Priority.ATTEMPT, lambda conn: attempts.change(conn, changes))


async def test_each_of_a_batch_gets_what_it_brings_and_nothing_of_the_others(migrated_url: str) -> None:
    async with desk_on(migrated_url) as desk:
        for attempt_id in (SENT, RANG, BUSY):
            await desk.attempt(attempt_id, state="sending", rank=1, provider_ref=None, provider_accepted_at=None)
        await change(
            desk,
            Change(
                SENT, AttemptState.PROVIDER_ACCEPTED, submitted_at=NOON, provider_accepted_at=NOON, provider_ref="r"
            ),
            Change(RANG, AttemptState.ANSWERED, answered_at=NOON, ended_at=NOON),
            Change(BUSY, AttemptState.BUSY, due_at=LATER),
        )
        sent, rang, busy = [await row_of(desk, each) for each in (SENT, RANG, BUSY)]
    assert (sent.submitted_at, sent.provider_accepted_at, sent.provider_ref) == (NOON, NOON, "r")
    assert (sent.answered_at, sent.ended_at, sent.error, sent.due_at) == (None, None, None, None)
    assert (rang.answered_at, rang.ended_at, rang.submitted_at, rang.provider_ref) == (NOON, NOON, None, None)
    assert (busy.state, busy.due_at, busy.submitted_at, busy.answered_at) == ("busy", LATER, None, None)


async def test_a_word_that_brings_nothing_but_a_state_is_written(migrated_url: str) -> None:
    async with desk_on(migrated_url) as desk:
        await desk.attempt(BUSY, state="sending", rank=1)
        await change(desk, Change(BUSY, AttemptState.BUSY, due_at=LATER))
        assert (await row_of(desk, BUSY)).due_at == LATER


async def test_what_was_told_first_stays(migrated_url: str) -> None:
    async with desk_on(migrated_url) as desk:
        await desk.attempt(SENT, state="sending", rank=1, provider_ref=None)
        for moment, reference in ((NOON, "first"), (LATER, "second")):
            found = Change(SENT, AttemptState.DELIVERED, delivered_at=moment, provider_ref=reference, error="no")
            await change(desk, found)
        row = await row_of(desk, SENT)
    assert (row.delivered_at, row.provider_ref, row.error) == (NOON, "first", "no")
