"""A drill of a grid from end to end: the real ladder, channels and people, marked in every word; and a real fire in the
middle of one, which pages as if there were none."""

from typing import Any

import pytest

from tests.acceptance.both import on_both_databases
from tests.acceptance.script import LADDER, PATIENT_LADDER, Story

pytestmark = pytest.mark.alone

FLAT = "jd-hy-3-2-1201-smoke"
ROOM = "jd-hy-3-2-1201"
GRID = "jd-g1"


async def _start(story: Story, **body: Any) -> dict[str, Any]:
    status, drill = await story.desk.post("/api/v1/drills", {"grid": GRID, "place": ROOM, **body})
    assert status == 201, drill
    return drill


async def _report(story: Story, drill: dict[str, Any]) -> dict[str, Any]:
    status, report = await story.desk.get(f"/api/v1/drills/{drill['id']}")
    assert status == 200
    return report


@on_both_databases
async def test_a_real_fire_in_the_middle_pages_normally_and_ends_the_drill(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    story.presses("worker-a", "1")
    drill = await _start(story)
    await story.expect_sms("worker-a", "演练，火警：", "1201")
    await story.expect_app("worker-a", "演练，火警：", "1201")
    await story.expect_call("worker-a", "演练。火警", "已记录，这是演练")
    await story.app_took("worker-a")

    (await story.device(FLAT)).raise_alarm()
    text = await story.expect_sms("worker-a", "火警：", "1201")
    assert "演练" not in text.body
    shown = await story.expect_app("worker-a", "火警：", "1201")
    assert "演练" not in shown.title + shown.body
    await story.expect_app("worker-a", "演练中止", "真实警情")
    call = await story.expect_call("worker-a", "火警")
    assert "演练" not in call.words()

    real = await story.the_incident()
    assert (real["drill_id"], real["work"], real["taken_by"]["id"]) == (None, "taken", "worker-a")
    report = await _report(story, drill)
    assert (report["running"], report["end_reason"]) == (False, "real_alarm")
    assert report["figures"]["first_going_s"] is not None
    status, problem = await story.desk.post("/api/v1/drills", {"grid": GRID})
    assert (status, problem["errors"][0]["code"]) == (409, "drill_real_alarm")
    ended = await story.timeline(drill["incident_id"], "work")
    assert [(entry["data"]["work"], entry["reason"]) for entry in ended] == [
        ("taken", "taken"),
        ("closed", "real_alarm"),
    ]


@on_both_databases
async def test_it_climbs_to_who_goes_tells_its_figures_and_ends_by_itself(story: Story) -> None:
    await story.policy(LADDER)
    story.presses("worker-b", "1")
    drill = await _start(story, note="季度演练")
    await story.expect_page("worker-a", "演练，火警：")
    await story.app_took("worker-a")
    await story.expect_page("worker-b", "演练，火警：")
    await story.expect_app("worker-a", "演练，网格员乙已前往")
    await story.app_took("worker-b")
    assert await story.apps["worker-b"].act(drill["incident_id"], "arrive") == 200

    figures = (await _report(story, drill))["figures"]
    asked = {each["name"]: each for each in figures["asked"]}
    assert [each["name"] for each in figures["never_answered"]] == ["网格员甲"]
    assert 1 <= asked["网格员乙"]["going_s"] == figures["first_going_s"] <= figures["on_site_s"]
    assert {message["channel"] for message in asked["网格员甲"]["messages"]} == {"sms", "voice", "app"}
    assert all(message["provider_accepted_s"] is not None for message in asked["网格员甲"]["messages"])

    story.clock.pass_time(15 * 60)
    for person in ("worker-a", "worker-b"):
        await story.expect_app(person, "演练结束")
    report = await _report(story, drill)
    assert (report["running"], report["end_reason"]) == (False, "drill_over")

    assert await story.desk.items("/api/v1/incidents") == []
    assert await story.desk.figure("gengfu_escalations_total", reason="unanswered") == 0
    assert await story.desk.figure("gengfu_drill_escalations_total", reason="unanswered") == 3
    told = {"channel": "sms", "provider": "twilio", "outcome": "provider_accepted"}
    assert await story.desk.figure("gengfu_notifications_total", **told) == 0
    assert await story.desk.figure("gengfu_drill_notifications_total", channel="sms", outcome="provider_accepted") == 2


@on_both_databases
async def test_the_verbs_work_on_it_as_on_a_real_one(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    story.apps["worker-a"].taps = "accept"
    drill = await _start(story)
    incident = {"id": drill["incident_id"]}
    await story.expect_sms("worker-a", "演练")
    await story.expect_app("worker-a", "演练")
    await story.expect_call("worker-a", within_s=8.0)
    await story.app_took("worker-a")

    status, problem = await story.desk.act(incident, "close")
    assert (status, problem["refusal"]) == (409, "not_verified")
    assert (await story.desk.act(incident, "verify", result="drill", how="on_site"))[0] == 200
    await story.expect_app("worker-a", "演练", "解除")
    assert (await story.desk.act(incident, "close"))[0] == 200

    async def over() -> bool:
        return bool((await _report(story, drill))["end_reason"] == "closed")

    await story.until(over)
    await _start(story)  # the next one may begin
    await story.expect_sms("worker-a", "演练")
    await story.expect_app("worker-a", "演练")
    await story.expect_call("worker-a", within_s=8.0)
