"""A device that nobody registered: a fire it claims is heard by the control room, anything else is put aside."""

import msgspec
import pytest

from tests.acceptance.both import on_both_databases
from tests.acceptance.outside import add_account
from tests.acceptance.script import Story
from tests.support.mqtt import Probe

pytestmark = pytest.mark.alone

STRANGER = "stranger-01"


@on_both_databases
async def test_an_unknown_device_that_claims_fire_reaches_the_control_room_at_once(story: Story) -> None:
    story.presses("control-room", "1")

    receipt = await _say(story, {"event_id": "s-1", "code": "fire.smoke", "state": "raised"})

    await story.expect_page("control-room", "未登记位置", STRANGER, "火警")
    assert "accepted_at" in receipt
    incident = await story.the_incident()
    assert [overlay["kind"] for overlay in incident["overlays"]] == ["unplaced"]
    (row,) = await story.desk.items("/api/v1/quarantine")
    assert (row["device_key"], row["reason"], row["count"]) == (STRANGER, "unknown_device", 1)


@on_both_databases
async def test_an_unknown_device_with_a_leak_is_put_aside_and_told_so(story: Story) -> None:
    leak = {"event_id": "s-2", "code": "water.leak", "state": "raised"}

    first = await _say(story, leak)
    again = await _say(story, leak)

    assert first["refused"] == again["refused"] == "unknown_device"
    assert await story.desk.items("/api/v1/incidents") == []
    (row,) = await story.desk.items("/api/v1/quarantine")
    assert (row["device_key"], row["reason"], row["count"]) == (STRANGER, "unknown_device", 2)
    assert await story.desk.figure("gengfu_quarantined_total", reason="unknown_device") == 2


@on_both_databases
async def test_what_was_refused_counts_once_the_device_is_registered(story: Story) -> None:
    """The installer registers the device after its first cry: its next one, the same event, is heard."""
    leak = {"event_id": "s-3", "code": "water.leak", "state": "raised"}
    await _say(story, leak)
    status, body = await story.desk.post(
        "/api/v1/devices", {"id": STRANGER, "kind": "water_leak_sensor", "place_id": "jd-hy-pump"}
    )
    assert status == 201, body

    receipt = await _say(story, leak)

    assert "accepted_at" in receipt
    await story.expect_sms("worker-a", "金鼎花园", "水泵房")
    await story.expect_app("worker-a", "金鼎花园", "水泵房")


async def _say(story: Story, event: dict[str, str]) -> dict[str, str]:
    """Publish one event of the stranger; what it hears."""
    account = await add_account(story.stage, STRANGER)
    async with await Probe.connect(story.stage.broker.port, account) as probe:
        await probe.subscribe(f"gengfu/v1/{STRANGER}/down/receipt")
        await probe.publish(f"gengfu/v1/{STRANGER}/up/event", msgspec.json.encode(event))
        heard: dict[str, str] = msgspec.json.decode((await probe.next()).payload)
        return heard
