"""A device that is gone, on real parts: its last will, a minute's patience, one trouble, and nobody's phone rings."""

import asyncio
from typing import Any

from gengfu.application import Application
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import Story

FLAT = "jd-hy-3-2-1201-smoke"
GRACE_S, WILL_S = 180, 60


async def _troubles(story: Story) -> list[dict[str, Any]]:
    return await story.desk.items("/api/v1/incidents?code=device.offline")


@on_both_databases
async def test_a_device_that_loses_power_is_a_trouble_until_it_is_back(story: Story) -> None:
    device = await story.device(FLAT)
    device.tell(rssi=-70)
    await story.expect_nothing_more(4.0)  # it is watched from the first sweep on
    story.clock.pass_time(GRACE_S)
    await device.kill()
    await story.expect_nothing_more(4.0)  # last seen is written every three seconds
    assert await _troubles(story) == []

    story.clock.pass_time(WILL_S)
    await story.until(lambda: _troubles(story), within_s=15.0)
    (trouble,) = await _troubles(story)
    assert (trouble["class"], trouble["device_id"], trouble["condition"]) == ("T", FLAT, "active")
    await story.until(lambda: _offline(story, 1), within_s=15.0)
    phones = story.stage.emulator.phones
    assert not phones.calls
    assert not phones.sms

    back = await story.device(FLAT)
    back.tell(rssi=-70)
    await asyncio.sleep(4.0)
    story.clock.pass_time(20)
    await story.until(lambda: _restored(story), within_s=15.0)
    story.claim(*(shown.notification_id for app in story.apps.values() for shown in app.shown))


@on_both_databases
async def test_a_service_that_starts_finds_nobody_offline(begin_story: Begin) -> None:
    """Hours pass while it is down; every device of the city has been silent for longer than it may."""
    async with begin_story() as story:
        device = await story.device(FLAT)
        device.tell(rssi=-70)
        await story.expect_nothing_more(4.0)
        story.clock.pass_time(200_000)
        await story.stage.app.__aexit__()
        async with Application(story.stage.config, story.clock) as again:
            story.stage.app = again
            story.clock.pass_time(GRACE_S + 60)
            await story.expect_nothing_more(3.0)
            assert await _troubles(story) == []


async def _restored(story: Story) -> bool:
    return [each["condition"] for each in await _troubles(story)] == ["restored"]


async def _offline(story: Story, number: int) -> bool:
    return await story.desk.figure("gengfu_devices_offline") == number
