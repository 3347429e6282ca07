"""A fire that grows: another room, a camera, a caller. Everybody hears where it is now and where it began 首发."""

from typing import Any

from tests.acceptance.both import on_both_databases
from tests.acceptance.script import PATIENT_LADDER, Story

FLAT = "jd-hy-3-2-1201-smoke"
KITCHEN = "jd-hy-3-2-1201-heat"
NEXT_DOOR = "jd-hy-3-2-1202-smoke"
DOWNSTAIRS = "jd-hy-3-2-1101-smoke"
CAMERA = "jd-hy-3-2-lift-cam"


@on_both_databases
async def test_a_second_room_and_a_second_floor_are_told_and_a_repeat_is_not(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    first = await story.device(FLAT)
    first.raise_alarm()
    await story.expect_page("worker-a", "火警：", "12层", "1201")

    first.raise_alarm()  # the same detector again
    await story.expect_nothing_more()

    (await story.device(NEXT_DOOR)).raise_alarm()
    await story.expect_page("worker-a", "火警扩大：", "12层", "1202", "首发1201客厅")
    (await story.device(DOWNSTAIRS)).raise_alarm()
    await story.expect_page("worker-a", "火警扩大：", "11层", "1101", "首发12层1201客厅")

    incident = await story.the_incident()
    assert _kinds(incident) >= {"spreading"}
    assert [entry["reason"] for entry in await story.timeline(incident["id"], "signal")] == [
        "repeat",
        "spreading",
        "spreading",
    ]


@on_both_databases
async def test_who_goes_keeps_his_time_and_hears_that_it_spreads(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    story.presses("worker-a", "1")
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "1201")
    await _work(story, "taken")
    before = (await story.the_incident())["due_at"]

    (await story.device(DOWNSTAIRS)).raise_alarm()
    await story.expect_page("worker-a", "火警扩大：", "1101", "首发12层1201客厅")
    incident = await story.the_incident()
    assert (incident["work"], incident["taken_by"]["id"], incident["due_at"]) == ("taken", "worker-a", before)


@on_both_databases
async def test_a_camera_that_sees_flames_confirms_the_smoke(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "火警：", "1201")

    (await story.device(CAMERA)).raise_alarm(code="fire.flame")
    await story.expect_page("worker-a", "火警已确认并扩大：", "电梯", "首发12层1201客厅")
    incident = await story.the_incident()
    assert _kinds(incident) >= {"spreading", "confirmed"}
    (planned,) = {
        entry["reason"] for entry in await story.timeline(incident["id"], "planned") if entry["data"]["round"] == 1
    }
    assert planned == "confirmed"


@on_both_databases
async def test_two_sensors_of_one_room_are_two_kinds_and_confirm_nothing(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "火警：", "1201")
    (await story.device(KITCHEN)).raise_alarm()
    await story.expect_page("worker-a", "火警扩大：", "1201", "厨房", "温度火警", "首发客厅")
    assert "confirmed" not in _kinds(await story.the_incident())


def _kinds(incident: dict[str, Any]) -> set[str]:
    return {overlay["kind"] for overlay in incident["overlays"]}


async def _work(story: Story, work: str) -> None:
    async def so() -> bool:
        return bool((await story.the_incident())["work"] == work)

    await story.until(so)
