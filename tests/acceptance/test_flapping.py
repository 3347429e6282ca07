"""A detector that comes and goes: paged once, counted from then on, one work order, and nobody else is silenced."""

from tests.acceptance.both import on_both_databases
from tests.acceptance.script import PATIENT_LADDER, Story

FLAT = "jd-hy-3-2-1201-smoke"
NEXT_DOOR = "jd-hy-3-2-1202-smoke"


@on_both_databases
async def test_it_pages_once_and_gets_one_work_order(story: Story) -> None:
    await story.policy({**PATIENT_LADDER, "match": {"class": "A"}})
    device = await story.device(FLAT)
    device.raise_alarm()
    await story.expect_page("worker-a", "火警：", "1201")
    for _ in range(6):
        await device.settled(device.restore())
        await device.settled(device.raise_alarm())

    async def two() -> bool:
        return len(await story.desk.items("/api/v1/incidents")) == 2

    await story.until(two)
    await story.expect_app("property-desk", "反复报警", "1201")
    incidents = {each["code"]: each for each in await story.desk.items("/api/v1/incidents")}
    fire, order = incidents["fire.smoke"], incidents["device.flapping"]
    assert (order["class"], order["severity"], order["device_id"]) == ("T", 3, FLAT)
    assert "flapping" in [overlay["kind"] for overlay in fire["overlays"]]
    told = [*await story.timeline(fire["id"], "signal"), *await story.timeline(fire["id"], "condition")]
    assert 6 <= len(told) <= 8, "six told before it was known to flap, then at most one a minute"

    (await story.device(NEXT_DOOR)).raise_alarm()
    await story.expect_page("worker-a", "火警扩大：", "1202", "首发1201客厅")
