"""Chased until a human says "I am going": each step at its time, each way to answer, and what does not count."""

from datetime import datetime
from typing import Any

import pytest

from alerting.core.model import Settings
from simulators.phone import Behaviour
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import LADDER, PATIENT_LADDER, Story

pytestmark = pytest.mark.alone

FLAT = "jd-hy-3-2-1201-smoke"
BOTH_AT_ONCE: dict[str, Any] = {
    **PATIENT_LADDER,
    "steps": [{"after_s": 0, "to": ["grid_worker", "deputy"], "channels": ["sms", "app"]}],
}
late_s_max = 1.0
"""A step comes this long after its due time at most."""


@on_both_databases
async def test_unanswered_it_climbs_step_by_step_in_time(story: Story) -> None:
    await story.policy(LADDER)
    (await story.device(FLAT)).raise_alarm()

    texts = [await story.expect_page(person, "1201") for person in ("worker-a", "worker-b", "community-duty")]

    incident = await story.the_incident()
    opened = datetime.fromisoformat(incident["opened_at"])
    for step, text in enumerate(texts):
        assert step <= (text.at - opened).total_seconds() <= step + late_s_max
    planned = await story.timeline(incident["id"], "planned")
    reasons = {entry["data"]["step"]: entry["reason"] for entry in planned}
    assert reasons == {0: "first_signal", 1: "unanswered", 2: "unanswered"}
    assert "escalated" in [overlay["kind"] for overlay in incident["overlays"]]
    assert await story.desk.figure("gengfu_escalations_total", reason="unanswered") == 6


@on_both_databases
async def test_key_2_asks_the_next_person_at_once(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    story.presses("worker-a", "2")
    (await story.device(FLAT)).raise_alarm()

    await story.expect_sms("worker-a", "1201")
    await story.expect_app("worker-a", "1201")
    await story.expect_call("worker-a", "已转派")
    await story.expect_page("worker-b", "1201")

    incident = await story.the_incident()
    assert incident["work"] == "dispatched"
    (note,) = await story.timeline(incident["id"], "note")
    assert (note["reason"], note["actor"]) == ("declined", "worker-a")


@on_both_databases
async def test_a_reply_text_takes_it(begin_story: Begin) -> None:
    async with begin_story(core=Settings(sms_two_way=True)) as story:
        await story.policy(PATIENT_LADDER)
        story.behaves("worker-a", Behaviour(keys="", reply="1"))
        (await story.device(FLAT)).raise_alarm()

        await story.expect_sms("worker-a", "1201", "出发回复1")
        await story.expect_app("worker-a", "1201")
        await story.expect_call("worker-a")
        await _taken(story, "worker-a", "sms")


@on_both_databases
async def test_a_tap_in_the_app_takes_it_and_the_phone_stops_ringing(begin_story: Begin) -> None:
    async with begin_story(time_scale=0.2) as story:  # it would ring for five seconds
        await story.policy(PATIENT_LADDER)
        story.apps["worker-a"].taps = "accept"
        story.apps["worker-a"].taps_after_s = 0.1
        (await story.device(FLAT)).raise_alarm()

        await story.expect_sms("worker-a", "1201")
        await story.expect_app("worker-a", "1201")
        call = await story.expect_call("worker-a", within_s=3.0)
        await _taken(story, "worker-a", "app")
        assert call.outcome == "canceled"


@on_both_databases
async def test_whoever_comes_second_is_told_who_goes(story: Story) -> None:
    await story.policy(BOTH_AT_ONCE)
    (await story.device(FLAT)).raise_alarm()
    for person in ("worker-a", "worker-b"):
        await story.expect_sms(person, "1201")
        await story.expect_app(person, "1201")
    incident = await story.the_incident()
    await story.app_took("worker-b")  # else the update comes by SMS, as it should

    assert await story.apps["worker-a"].act(incident["id"], "accept") == 200
    await story.expect_app("worker-b", "网格员甲已前往")
    await _taken(story, "worker-a", "app")
    status, problem = await _accept_as(story, "worker-b", incident["id"])

    assert status == 409
    assert problem["refusal"] == "already_taken"
    assert problem["who"] == {"id": "worker-a", "name": "网格员甲"}
    assert "网格员甲" in problem["detail"]


@on_both_databases
async def test_an_acknowledgement_of_the_room_stops_nobody(story: Story) -> None:
    await story.policy(LADDER)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_sms("worker-a", "1201")
    incident = await story.the_incident()

    status, done = await story.desk.act(incident, "acknowledge")

    assert (status, done["ack"], done["work"]) == (200, "acknowledged", "dispatched")
    await story.expect_app("worker-a", "1201")
    await story.expect_call("worker-a")
    await story.expect_page("worker-b", "1201")
    await story.expect_page("community-duty", "1201")


@on_both_databases
async def test_taken_and_nothing_came_of_it_asks_again(story: Story) -> None:
    await story.policy({**PATIENT_LADDER, "taken_expires_s": 30})
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "1201")
    incident = await story.the_incident()
    assert await story.apps["worker-a"].act(incident["id"], "accept") == 200

    story.clock.pass_time(27)
    await story.expect_nothing_more(1.2)
    story.clock.pass_time(2)

    await story.expect_page("worker-a", "1201")
    assert (await story.the_incident())["work"] == "dispatched"
    planned = await story.timeline(incident["id"], "planned")
    assert [entry["reason"] for entry in planned] == ["first_signal"] * 3 + ["taken_expired"] * 3


@on_both_databases
async def test_a_phone_that_rang_out_is_rung_again_after_the_gap(story: Story) -> None:
    step = {"after_s": 0, "to": ["grid_worker"], "channels": ["voice"], "redial": {"gap_s": 60, "max": 1}}
    await story.policy({"steps": [step], "loop": {"every_s": 600, "to": ["control_room"]}})
    (await story.device(FLAT)).raise_alarm()
    first = await story.expect_call("worker-a")
    await story.expect_nothing_more(1.2)

    story.presses("worker-a", "1")
    story.clock.pass_time(60)

    second = await story.expect_call("worker-a", "已记录")
    assert second.sender == first.sender
    await _taken(story, "worker-a", "voice")


async def _taken(story: Story, person: str, via: str) -> None:
    async def so() -> bool:
        incident = await story.the_incident()
        return bool(incident["taken_by"] and incident["taken_by"]["id"] == person)

    await story.until(so)
    incident = await story.the_incident()
    (work,) = await story.timeline(incident["id"], "work")
    assert (work["reason"], work["data"]["via"]) == ("taken", via)


async def _accept_as(story: Story, person: str, incident_id: str) -> tuple[int, dict[str, Any]]:
    async with await story.desk_of(person) as desk:
        return await desk.post(f"/api/v1/incidents/{incident_id}/accept")
