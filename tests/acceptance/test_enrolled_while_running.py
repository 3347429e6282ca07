"""A device enrolled over HTTP while a demonstration runs gets in, speaks and is heard; revoked, it is cut off."""

import asyncio
import time

from simulators.device import VirtualDevice
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import EAGER, Story

BODY = {"id": "newcomer-01", "kind": "water_leak_sensor", "place_id": "jd-hy-pump"}
cut_seconds_max = 5.0


@on_both_databases
async def test_with_mosquitto(begin_story: Begin) -> None:
    async with begin_story() as story:
        await _enrolled_heard_and_revoked(story)


@on_both_databases
async def test_with_the_embedded_broker(begin_story: Begin) -> None:
    async with begin_story(embedded=True) as story:
        story.faults.expect("client_connected_cb")  # amqtt's own words when a client that it refused hangs up first
        await _enrolled_heard_and_revoked(story)


async def _enrolled_heard_and_revoked(story: Story) -> None:
    other = await story.device("jd-hy-3-2-1201-smoke")
    status, body = await story.desk.post("/api/v1/devices", BODY)
    assert status == 201, body
    status, login = await story.desk.post(f"/api/v1/devices/{BODY['id']}/credential")
    assert status == 201, login
    now = story.clock.now
    device = VirtualDevice(
        login["username"], BODY["kind"], story.stage.broker_address(), login["secret"], now, habits=EAGER
    )
    await device.start(timeout_s=cut_seconds_max)
    await device.settled(device.raise_alarm())
    await story.expect_sms("worker-a", "水泵房")
    await story.expect_app("worker-a", "水泵房")

    began = time.monotonic()
    status, body = await story.desk.post(f"/api/v1/devices/{BODY['id']}/credential/revoke")
    assert status == 200, body
    await story.until(lambda: not device.connected, cut_seconds_max)
    assert time.monotonic() - began < cut_seconds_max
    await story.until(lambda: device.refused is not None)
    await asyncio.sleep(0.5)
    assert not device.connected
    assert other.connected
    await device.stop()
