"""Nothing can be committed: the fire is told from memory, marked so; the device hears nothing until it is durable."""

import asyncio

from tests.acceptance.both import on_both_databases
from tests.acceptance.outside import nothing_can_be_committed
from tests.acceptance.script import PATIENT_LADDER, Story, patience_s

FLAT = "jd-hy-3-2-1201-smoke"
LEAK = "jd-hy-pump-leak"
from_memory_s = 2.0 + patience_s
"""Two seconds of trying, and the ways of a message."""


@on_both_databases
async def test_a_fire_that_cannot_be_committed_is_told_from_memory(story: Story, database_url: str) -> None:
    await story.policy(PATIENT_LADDER)
    story.faults.expect("cannot commit", "NOT RECORDED")
    story.troubles_expected = True
    device = await story.device(FLAT)
    async with nothing_can_be_committed(database_url):
        event_id = device.raise_alarm()
        await story.expect_sms("worker-a", "金鼎花园", "1201", "未记录", within_s=from_memory_s)
        await story.expect_app("worker-a", "1201", "未记录")
        await asyncio.sleep(0.3)
        assert device.pending == (event_id,)
        assert await story.desk.items("/api/v1/incidents") == []

    await device.settled(event_id)
    await story.expect_call("worker-a")
    recorded = await story.expect_page("worker-a", "1201")
    assert "未记录" not in recorded.body
    incident = await story.the_incident()
    await story.until(lambda: story.timeline(incident["id"], "emergency"))
    (entry,) = await story.timeline(incident["id"], "emergency")
    assert entry["reason"] == "not_recorded"
    assert entry["data"]["told"] == ["worker-a/app", "worker-a/sms", "worker-a/voice"]
    assert await story.desk.figure("gengfu_emergencies_total") == 1


@on_both_databases
async def test_a_leak_waits_for_the_database_and_pages_once(story: Story, database_url: str) -> None:
    story.faults.expect("cannot commit")
    device = await story.device(LEAK)
    async with nothing_can_be_committed(database_url):
        event_id = device.raise_alarm()
        await story.expect_nothing_more(2.5)
        assert device.pending == (event_id,)

    await device.settled(event_id)
    await story.expect_sms("worker-a", "水泵房")
    await story.expect_app("worker-a", "水泵房")
