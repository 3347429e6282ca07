"""Nobody on duty costs no time: the next step is asked at once, and the timeline says why."""

from dataclasses import replace

import pytest
from sqlalchemy import Connection

from alerting.ports import Priority
from devices.store import grids, shifts
from tests.acceptance.both import on_both_databases
from tests.acceptance.script import Story

pytestmark = pytest.mark.alone

UNSTAFFED = "zjs-xf-7-1-402-smoke"
PLACE = ("幸福里", "7栋", "1单元", "4层", "402", "客厅")


@on_both_databases
async def test_a_grid_without_anybody_pages_the_community_at_once(story: Story) -> None:
    story.presses("community-duty", "1")
    (await story.device(UNSTAFFED)).raise_alarm()

    await story.expect_page("community-duty", *PLACE, "火警")

    incident = await story.the_incident()
    skipped = await story.timeline(incident["id"], "step_skipped")
    before_the_community = range(4)  # grid worker, deputy, neighbour grid, chair or secretary
    assert [(entry["data"]["step"], entry["reason"]) for entry in skipped] == [
        (step, "nobody_on_duty") for step in before_the_community
    ]
    assert {entry["at"] for entry in skipped} == {incident["opened_at"]}
    await story.until(lambda: _taken(story))


@on_both_databases
async def test_a_grid_without_anybody_is_helped_by_its_neighbour_at_once(story: Story) -> None:
    def neighbours(conn: Connection) -> None:
        row = grids.get(conn, "zjs-g2")
        assert row is not None
        assert grids.update_one(conn, replace(row, neighbour_ids=("zjs-g1",)))

    await story.stage.app.database.write(Priority.ADMINISTRATION, neighbours)
    story.presses("worker-c", "1")
    (await story.device(UNSTAFFED)).raise_alarm()

    await story.expect_page("worker-c", "Xingfu Lane")

    await story.until(lambda: _taken(story))


@on_both_databases
async def test_nobody_at_all_pages_the_control_room_at_once(story: Story) -> None:
    await _leave_only(story, "s-control")
    (await story.device(UNSTAFFED)).raise_alarm()

    await story.expect_page("control-room", *PLACE, "火警")

    incident = await story.the_incident()
    skipped = await story.timeline(incident["id"], "step_skipped")
    assert [entry["reason"] for entry in skipped] == ["nobody_on_duty"] * 5


@on_both_databases
async def test_not_even_a_control_room_is_said_and_tried_again(story: Story) -> None:
    """The end of the chain has nobody either: it is recorded, and asked again at the loop's pace."""
    await _leave_only(story)
    (await story.device(UNSTAFFED)).raise_alarm()
    await story.until(lambda: story.desk.items("/api/v1/incidents"))
    incident = await story.the_incident()
    skipped = await story.timeline(incident["id"], "step_skipped")
    assert skipped[-1]["reason"] == "nobody_reachable"
    await story.expect_nothing_more()

    await story.stage.app.database.write(
        Priority.ADMINISTRATION,
        lambda conn: shifts.insert_many(
            conn, [shifts.ShiftRow(shift) for shift in story.stage.city.shifts if shift.id == "s-control"]
        ),
    )
    story.clock.pass_time(61)
    await story.expect_page("control-room", *PLACE)


async def _taken(story: Story) -> bool:
    return bool((await story.the_incident())["work"] == "taken")


async def _leave_only(story: Story, *shift_ids: str) -> None:
    """Everybody else has gone home."""
    gone = [shift.id for shift in story.stage.city.shifts if shift.id not in shift_ids]
    await story.stage.app.database.write(
        Priority.ADMINISTRATION, lambda conn: [shifts.remove(conn, shift_id, 1) for shift_id in gone]
    )
