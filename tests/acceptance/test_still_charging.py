"""A charging point is too hot and charges on: half a minute later everybody who was asked hears 仍在充电, once."""

from alerting.seen import flush_every_s
from tests.acceptance.both import on_both_databases
from tests.acceptance.script import PATIENT_LADDER, Story

CHARGER = "jd-hy-shed-charger-1"


@on_both_databases
async def test_still_charging_is_told_once_and_whoever_comes_next_hears_it_too(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    device = await story.device(CHARGER)
    await device.settled(device.raise_alarm("charge.overheat"))
    await story.expect_page("worker-a", "充电过温：", "充电车棚")
    device.tell(rssi=-60, values={"charging": True, "current_a": 4.6})
    await story.expect_nothing_more(flush_every_s + 1)

    story.clock.pass_time(30)
    await story.expect_page("worker-a", "充电过温：", "充电车棚", "仍在充电")
    incident = await story.the_incident()
    assert {"still_charging", "escalated"} <= {overlay["kind"] for overlay in incident["overlays"]}
    story.clock.pass_time(30)
    await story.expect_nothing_more(1.0)

    story.clock.pass_time(241)  # the ladder's own time has not moved
    await story.expect_page("worker-b", "充电过温：", "仍在充电")


@on_both_databases
async def test_what_was_told_before_the_alarm_or_says_that_it_stopped_changes_nothing(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    device = await story.device(CHARGER)
    device.tell(rssi=-60, values={"charging": True, "current_a": 4.6})
    await story.expect_nothing_more(flush_every_s + 1)
    await device.settled(device.raise_alarm("charge.overheat"))
    await story.expect_page("worker-a", "充电过温：", "充电车棚")
    story.clock.pass_time(31)
    await story.expect_nothing_more(1.0)
    assert (await story.the_incident())["overlays"] == []
