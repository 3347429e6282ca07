"""Events on both databases: what is new, what is a repeat, and an event id that was used before with other content."""

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from alerting.ports import Priority
from alerting.store import events
from alerting.store.events import EventKey, EventRow
from gengfu.database import RunningDatabase, migrate, open_database

NOW = datetime(2026, 11, 23, 3, 12, tzinfo=UTC)
ONE = EventRow("smoke-0001", "boot-7-1", "aa", "fire.smoke", "alarm", {}, None, NOW, False)
OTHER = replace(ONE, content_hash="bb")


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[RunningDatabase]:
    migrate.upgrade(database_url)
    database = open_database(database_url, monotonic=time.monotonic)
    yield database
    await database.close()


async def insert(database: RunningDatabase, *rows: EventRow) -> dict[EventKey, bool]:
    return await database.write(Priority.ALARM, lambda conn: events.insert_new(conn, rows))


async def test_a_repeat_is_not_new_and_other_content_is_new_and_marked(database: RunningDatabase) -> None:
    assert await insert(database, ONE) == {ONE.key: False}
    assert await insert(database, ONE) == {}
    assert await insert(database, ONE, OTHER) == {OTHER.key: True}
    assert await insert(database, replace(OTHER, device_id="smoke-0002")) == {("smoke-0002", "boot-7-1", "bb"): False}
    assert await insert(database, replace(OTHER, event_id="boot-7-2")) == {("smoke-0001", "boot-7-2", "bb"): False}
    assert await insert(database) == {}


async def test_both_in_one_batch_are_marked(database: RunningDatabase) -> None:
    rest = replace(ONE, event_id="boot-7-2")
    assert await insert(database, ONE, OTHER, rest) == {ONE.key: True, OTHER.key: True, rest.key: False}
