"""A message that breaks the transaction is put aside with its cause; its neighbours commit and page."""

import asyncio

from simulators.device import Habits
from tests.acceptance.both import on_both_databases
from tests.acceptance.outside import execute, nothing_can_be_committed
from tests.acceptance.script import PATIENT_LADDER, Story

FLAT = "jd-hy-3-2-1201-smoke"
OTHER_FLAT = "jd-dg-5-1-201-smoke"
LEAK = "jd-hy-pump-leak"
SQLITE = """
CREATE TRIGGER poison BEFORE INSERT ON events WHEN NEW.event_id = 'poison'
BEGIN SELECT RAISE(ABORT, 'this row breaks every transaction'); END;
"""
POSTGRESQL = """
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE 'this row breaks every transaction' USING ERRCODE = 'check_violation'; END $$;
CREATE TRIGGER poison BEFORE INSERT ON events FOR EACH ROW WHEN (NEW.event_id = 'poison') EXECUTE FUNCTION poison();
"""


@on_both_databases
async def test_poison_is_put_aside_and_its_neighbours_commit(story: Story, database_url: str) -> None:
    await story.policy(PATIENT_LADDER)
    await execute(database_url, SQLITE, POSTGRESQL)
    story.faults.expect("cannot commit", "put aside")
    devices = [await story.device(device_id, Habits()) for device_id in (FLAT, LEAK, OTHER_FLAT)]
    before, sick, after = devices
    async with nothing_can_be_committed(database_url):
        first = before.raise_alarm()
        poison = sick.send({"event_id": "poison", "code": "water.leak", "state": "raised"})
        last = after.raise_alarm()
        await asyncio.sleep(0.3)

    await before.settled(first)
    await after.settled(last)
    assert (await sick.settled(poison)).refused == "poison"
    await story.expect_page("worker-a", "1201")
    await story.expect_page("worker-b", "201")
    assert len(await story.desk.items("/api/v1/incidents")) == 2
    (row,) = await story.desk.items("/api/v1/quarantine")
    assert (row["device_key"], row["reason"]) == (LEAK, "poison")
    assert await story.desk.figure("gengfu_quarantined_total", reason="poison") == 1


@on_both_databases
async def test_a_fire_that_is_poison_is_told_from_memory(story: Story, database_url: str) -> None:
    await story.policy(PATIENT_LADDER)
    await execute(database_url, SQLITE, POSTGRESQL)
    story.faults.expect("put aside", "NOT RECORDED")
    device = await story.device(FLAT)

    event_id = device.send({"event_id": "poison", "code": "fire.smoke", "state": "raised"})

    assert (await device.settled(event_id)).refused == "poison"
    await story.expect_page("worker-a", "1201", "未记录")
    assert await story.desk.items("/api/v1/incidents") == []
