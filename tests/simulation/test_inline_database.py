"""The database of the simulation keeps what the real ones promise: the same tests, as far as it can wait at all."""

import asyncio
import time
from collections.abc import AsyncIterator
from functools import partial

import pytest_asyncio
from sqlalchemy import Connection

from alerting.ports import Priority
from tests.contract import test_database as promises
from tests.contract.database_support import Opened, own
from tests.simulation.inline import InlineDatabase, engine

test_a_write_commits_and_returns_what_the_work_returned = (
    promises.test_a_write_commits_and_returns_what_the_work_returned
)
test_an_error_takes_everything_back = promises.test_an_error_takes_everything_back
test_a_read_cannot_write = promises.test_a_read_cannot_write
test_a_conflict_is_decided_again_from_the_start = promises.test_a_conflict_is_decided_again_from_the_start
test_the_third_conflict_surfaces = promises.test_the_third_conflict_surfaces
test_a_broken_key_surfaces_at_once = promises.test_a_broken_key_surfaces_at_once
test_how_long_the_writer_was_held_is_told = promises.test_how_long_the_writer_was_held_is_told
test_notify_is_part_of_the_transaction_on_both = promises.test_notify_is_part_of_the_transaction_on_both


@pytest_asyncio.fixture
async def opened() -> AsyncIterator[Opened]:
    """A database in memory with the table `notes`."""
    with engine().connect() as connection:
        holds: list[tuple[float, Priority]] = []
        database = InlineDatabase(
            connection,
            monotonic=time.monotonic,
            on_hold=lambda seconds, priority: holds.append((seconds, priority)),
        )
        await database.write(Priority.ADMINISTRATION, own.create_all)
        holds.clear()
        yield Opened("sqlite://", database, holds)


async def test_who_waits_is_let_in_by_priority_then_by_arrival() -> None:
    """As on the real ones; here a pause before each transaction makes the others wait."""
    with engine().connect() as connection:
        database = InlineDatabase(connection, monotonic=time.monotonic, pause_s=lambda: 0.01)
        order: list[str] = []
        wanted = [(Priority.TELEMETRY, "first"), (Priority.ATTEMPT, "attempt"), (Priority.ALARM, "alarm 1")]
        wanted += [(Priority.ALARM, "alarm 2"), (Priority.CALLBACK, "callback")]
        async with asyncio.TaskGroup() as waiting:
            for priority, name in wanted:
                waiting.create_task(database.write(priority, partial(_turn, order, name)))
                await asyncio.sleep(0)
        assert order == ["first", "alarm 1", "alarm 2", "attempt", "callback"]


def _turn(order: list[str], name: str, conn: Connection) -> None:
    order.append(name)
