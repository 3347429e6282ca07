"""The canary goes the whole way, again and again, and leaves nothing but its own row; stopped, it is missed."""

import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Table, func, select

from alerting.store import tables
from alerting.store.tables_canary import canary
from devices.store.tables import quarantine
from gengfu.application import Application
from gengfu.broker.child import MosquittoChild
from simulators.city import City
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import PATIENT_LADDER, Story, begin

pytestmark = pytest.mark.alone

FLAT = "jd-hy-3-2-1201-smoke"
EVERY_S = 0.5
UNTOUCHED = (tables.events, tables.incidents, tables.timeline, tables.notifications, tables.attempts, quarantine)


async def _ready(story: Story) -> tuple[int, dict[str, Any]]:
    return await story.desk.get("/readyz")


async def _rows(story: Story, table: Table) -> int:
    count = await story.stage.app.database.read(lambda conn: conn.scalar(select(func.count()).select_from(table)))
    return int(count or 0)


async def _heard(story: Story, times: int) -> None:
    async def enough() -> bool:
        return await story.desk.figure("gengfu_canary_seconds_count") >= times

    await story.until(enough)


@on_both_databases
async def test_it_comes_through_and_leaves_no_trace(begin_story: Begin) -> None:
    async with begin_story(canary_every_s=EVERY_S) as story:
        await _heard(story, 4)
        status, told = await _ready(story)
        assert (status, told["parts"]["canary"], told["violations"]) == (200, True, 0)
        assert 0 < told["canary"]["seconds"] < 5
        assert told["canary"]["misses"] == 0
        assert [await _rows(story, table) for table in UNTOUCHED] == [0] * len(UNTOUCHED)
        assert await _rows(story, canary) == 1
        assert await story.desk.figure("gengfu_canary_misses_total") == 0
        assert await story.desk.figure("gengfu_event_to_commit_seconds_count") == 0
        assert await story.desk.items("/api/v1/incidents") == []


@on_both_databases
async def test_a_real_alarm_beside_it_is_told_as_ever(begin_story: Begin) -> None:
    async with begin_story(canary_every_s=EVERY_S) as story:
        await story.policy(PATIENT_LADDER)
        await _heard(story, 1)
        (await story.device(FLAT)).raise_alarm()
        await story.expect_page("worker-a", "1201")
        assert (await story.the_incident())["severity"] == 1
        assert await _rows(story, tables.events) == 1


@on_both_databases
async def test_a_broker_that_stands_still_is_noticed_long_before_its_line_breaks(begin_story: Begin) -> None:
    async with begin_story(canary_every_s=EVERY_S) as story:
        story.faults.expect("canary alarm")
        await _heard(story, 1)
        child = story.stage.broker
        assert isinstance(child, MosquittoChild)
        os.kill(child.pid, signal.SIGSTOP)
        try:

            async def noticed() -> bool:
                status, told = await _ready(story)
                wrong = told["parts"]["canary"]
                return status == 503 and isinstance(wrong, str) and "canary alarms in a row" in wrong

            await story.until(noticed)
            assert (await _ready(story))[1]["parts"]["broker"] is True, "its connection still stands"
            assert await story.desk.figure("gengfu_canary_misses_total") >= 2
        finally:
            os.kill(child.pid, signal.SIGCONT)

        async def well() -> bool:
            return (await _ready(story))[1]["parts"]["canary"] is True

        await story.until(well)


async def test_it_goes_through_the_embedded_broker_too(tmp_path: Path, sqlite_url: str, city: City) -> None:
    async with begin(tmp_path, sqlite_url, city, embedded=True, canary_every_s=EVERY_S) as story:
        await _heard(story, 2)


async def test_it_goes_from_the_gateways_process_to_the_workers(tmp_path: Path, postgres_url: str, city: City) -> None:
    front = frozenset({"gateway", "api"})
    async with begin(tmp_path, postgres_url, city, roles=front, canary_every_s=EVERY_S) as story:
        story.faults.expect("canary alarm")  # the first ones, until the worker's process is there
        config = replace(story.stage.config, gateway=None, http_port=0, instance="worker", roles=frozenset({"worker"}))
        async with Application(config, story.clock):

            async def through() -> bool:
                told = (await _ready(story))[1]["canary"]
                return told["seconds"] is not None and told["misses"] == 0

            await story.until(through)
            await story.judge()
