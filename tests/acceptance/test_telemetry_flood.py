"""A flood of telemetry stands in front of nobody: a fire in its middle pages at once, and last-seen is written."""

import asyncio
from datetime import datetime

from tests.acceptance.outside import login
from tests.acceptance.script import PATIENT_LADDER, Story
from tests.support.mqtt import Probe

FLAT = "jd-hy-3-2-1201-smoke"
CHATTERBOX = "jd-hy-3-1-301-smoke"
messages = 5_000
paged_within_s = 1.0


async def test_a_fire_in_the_middle_of_a_flood_pages_at_once(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    device = await story.device(FLAT)
    async with await Probe.connect(story.stage.broker.port, login(story.stage, CHATTERBOX)) as probe:
        topic = f"gengfu/v1/{CHATTERBOX}/up/telemetry"
        flood = asyncio.create_task(asyncio.to_thread(probe.flood, topic, b'{"values": {"t": 21.5}}', messages))
        await asyncio.sleep(0.05)
        event_id = device.raise_alarm()
        text = await story.expect_sms("worker-a", "1201")
        published = device.events[event_id].published_at
        assert published is not None
        assert (text.at - published).total_seconds() <= paged_within_s
        await flood
        flooded_at = story.clock.now()

        await story.expect_app("worker-a", "1201")
        await story.expect_call("worker-a")
        await story.until(lambda: _seen(story, not_before=flooded_at), 5.0)
    assert await story.desk.figure("gengfu_incidents_open", severity="1") in (0, 1)


async def _seen(story: Story, not_before: datetime) -> bool:
    (row,) = [d for d in await story.desk.items("/api/v1/devices") if d["id"] == CHATTERBOX]
    return bool(row["last_seen_at"])
