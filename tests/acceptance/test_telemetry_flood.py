"""A flood of telemetry stands in front of nobody: a fire in its middle pages at once, and last-seen is written."""

import asyncio
from time import monotonic, sleep

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from devices.store import seen
from tests.acceptance.both import on_both_databases
from tests.acceptance.outside import login
from tests.acceptance.script import PATIENT_LADDER, Story

pytestmark = pytest.mark.alone

FLAT = "jd-hy-3-2-1201-smoke"
CHATTERBOX = "jd-hy-3-1-301-smoke"
messages, flood_s = 20_000, 4.0
"""So long that a busy machine too has the fire in its middle."""


@on_both_databases
async def test_a_fire_in_the_middle_of_a_flood_pages_at_once(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    device = await story.device(FLAT)
    flood = asyncio.create_task(asyncio.to_thread(_flood, story))
    await asyncio.sleep(0.3)
    device.raise_alarm()
    await story.expect_sms("worker-a", "1201")
    assert not flood.done(), "the flood was over before the fire"
    assert not await _last_value(story), "telemetry stood in front of the fire"

    await story.expect_app("worker-a", "1201")
    await story.expect_call("worker-a")
    await flood
    await story.until(lambda: _last_value(story), within_s=30.0)


def _flood(story: Story) -> None:
    """Five thousand messages a second at QoS 0, counted up in their values."""
    account = login(story.stage, CHATTERBOX)
    client = Client(CallbackAPIVersion.VERSION2, client_id=account.username)
    client.username_pw_set(account.username, account.secret)
    client.connect(story.stage.broker.host, story.stage.broker.port)
    client.loop_start()
    started = monotonic()
    for number in range(1, messages + 1):
        client.publish(f"gengfu/v1/{CHATTERBOX}/up/telemetry", b'{"values": {"n": %d}}' % number)
        if number % 100 == 0:
            sleep(max(0.0, started + flood_s * number / messages - monotonic()))
    client.disconnect()
    client.loop_stop()


async def _last_value(story: Story) -> bool:
    """What the device said last has been written."""
    kept = await story.stage.app.database.read(lambda conn: seen.load(conn, [CHATTERBOX]))
    row = kept.get(CHATTERBOX)
    return row is not None and row.values == {"n": messages}
