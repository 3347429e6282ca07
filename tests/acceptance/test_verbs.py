"""What people do beyond going there: time on site, races, shelf, acknowledgement, hand-over, reports, reopening."""

import asyncio
from typing import Any

import pytest

from alerting.core.model import Settings
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import PATIENT_LADDER, Story

pytestmark = pytest.mark.alone

FLAT = "jd-hy-3-2-1201-smoke"
PUMP = "jd-hy-pump-leak"
SMS_ONLY: dict[str, Any] = {
    "steps": [
        {"after_s": 0, "to": ["grid_worker"], "channels": ["sms"]},
        {"after_s": 300, "to": ["deputy"], "channels": ["sms"]},
    ],
    "loop": {"every_s": 600, "to": ["community_duty"]},
}
"""Short stories: one text for each page."""
TOGETHER: dict[str, Any] = {
    **PATIENT_LADDER,
    "steps": [
        {"after_s": 0, "to": ["grid_worker", "deputy"], "channels": ["sms", "app"]},
        {"after_s": 300, "to": ["community_duty"], "channels": ["sms"]},
    ],
}


@on_both_databases
async def test_an_acceptance_that_never_arrives_lets_the_ladder_go_on(story: Story) -> None:
    await story.policy({**SMS_ONLY, "taken_expires_s": 60})
    (await story.device(FLAT)).raise_alarm()
    await story.expect_sms("worker-a", "1201")
    incident = await story.the_incident()
    async with await story.desk_of("worker-a") as own:
        assert (await own.act(incident, "accept"))[0] == 200

    story.clock.pass_time(55)
    await story.expect_nothing_more(1.2)
    assert (await story.the_incident())["work"] == "taken"
    story.clock.pass_time(6)

    await story.expect_sms("worker-a", "1201", within_s=2.0)
    assert (await story.the_incident())["work"] == "dispatched"
    story.clock.pass_time(301)
    await story.expect_sms("worker-b", "1201", within_s=2.0)
    expired = await story.timeline(incident["id"], "work")
    assert [entry["reason"] for entry in expired] == ["taken", "taken_expired"]


@on_both_databases
async def test_a_reply_and_a_tap_within_milliseconds_have_one_winner_and_the_other_is_told(begin_story: Begin) -> None:
    async with begin_story(core=Settings(sms_two_way=True)) as story:
        await story.policy(TOGETHER)
        (await story.device(FLAT)).raise_alarm()
        for person in ("worker-b", "worker-a"):
            page = await story.expect_sms(person, "1201")
            await story.expect_app(person, "1201")
            await story.app_took(person)
        incident = await story.the_incident()
        reference = str(incident["reference"])
        async with await story.desk_of("worker-b") as other:
            reply = story.stage.emulator.inbound(page.to, page.sender, f"1 {reference}")
            _, (status, answer) = await asyncio.gather(reply, other.act(incident, "accept"))
        await story.until(lambda: _work(story, "taken"))
        taken_by = (await story.the_incident())["taken_by"]
        if status == 200:
            assert taken_by == {"id": "worker-b", "name": "网格员乙"}
            await story.expect_app("worker-a", "网格员乙已前往")
        else:
            assert (status, answer["refusal"]) == (409, "already_taken")
            assert answer["who"] == taken_by == {"id": "worker-a", "name": "网格员甲"}
            await story.expect_app("worker-b", "网格员甲已前往")
        works = [entry["actor"] for entry in await story.timeline(incident["id"], "work")]
        assert works == [taken_by["id"]], "one winner"


@on_both_databases
async def test_a_shelf_rests_the_ladder_until_its_end_and_then_everybody_is_asked_again(story: Story) -> None:
    await story.policy(SMS_ONLY)
    (await story.device(PUMP)).raise_alarm("water.leak")
    await story.expect_sms("worker-a", "水泵房")
    incident = await story.the_incident()
    status, problem = await story.desk.act(incident, "shelve", reason="物业在场", minutes=481)
    assert (status, problem["refusal"]) == (409, "shelf_limit")

    assert (await story.desk.act(incident, "shelve", reason="物业在场", minutes=20))[0] == 200
    listed = await story.desk.items("/api/v1/incidents?shelved=true")
    assert [each["id"] for each in listed] == [incident["id"]]
    assert [overlay["kind"] for overlay in listed[0]["overlays"]] == ["shelved"]
    story.clock.pass_time(1190)
    await story.expect_nothing_more(1.2)
    story.clock.pass_time(10)

    await story.expect_sms("worker-a", "水泵房", within_s=2.0)
    assert await story.desk.items("/api/v1/incidents?shelved=true") == []
    (ended,) = await story.timeline(incident["id"], "unshelved")
    assert ended["reason"] == "shelf_ended"
    story.clock.pass_time(301)
    await story.expect_sms("worker-b", "水泵房", within_s=2.0)


@on_both_databases
async def test_a_fire_is_never_shelved(story: Story) -> None:
    await story.policy(SMS_ONLY)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_sms("worker-a", "1201")
    status, problem = await story.desk.act(await story.the_incident(), "shelve", reason="稍后处理", minutes=1)
    assert (status, problem["refusal"]) == (409, "shelf_severity")
    story.clock.pass_time(301)
    await story.expect_sms("worker-b", "1201")


@on_both_databases
async def test_an_acknowledgement_silences_its_room_until_it_expires_and_ends_no_ladder(story: Story) -> None:
    steps = [
        {"after_s": 0, "to": ["grid_worker", "control_room"], "channels": ["sms"]},
        {"after_s": 300, "to": ["deputy", "control_room"], "channels": ["sms"]},
    ]
    loop = {"every_s": 3600, "to": ["community_duty", "control_room"]}
    await story.policy({"steps": steps, "loop": loop, "acknowledged_expires_s": 700})
    (await story.device(FLAT)).raise_alarm()
    await story.expect_sms("worker-a", "1201")
    await story.expect_sms("property-desk", "1201")
    incident = await story.the_incident()

    assert (await story.desk.act(incident, "acknowledge"))[1]["ack"] == "acknowledged"
    story.clock.pass_time(301)
    await story.expect_sms("worker-b", "1201", within_s=2.0)
    await story.expect_nothing_more(1.2)
    story.clock.pass_time(395)
    await story.expect_nothing_more(1.2)
    story.clock.pass_time(5)

    await story.expect_sms("property-desk", "1201", within_s=2.0)
    shown = await story.the_incident()
    assert (shown["ack"], shown["acknowledged_until"]) == ("none", None)
    (ended,) = await story.timeline(incident["id"], "acknowledgement_ended")
    assert ended["reason"] == "ack_expired"


@on_both_databases
async def test_a_desk_of_the_control_room_that_presses_one_has_seen_it_and_a_worker_is_still_asked(
    story: Story,
) -> None:
    await story.policy(
        {**SMS_ONLY, "steps": [{"after_s": 0, "to": ["control_room"], "channels": ["voice"]}, *SMS_ONLY["steps"][1:]]}
    )
    story.presses("property-desk", "1", answers_after_s=0.2)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_call("property-desk")
    await story.until(lambda: _ack(story, "acknowledged"))
    assert await _work(story, "dispatched")
    story.clock.pass_time(301)
    await story.expect_sms("worker-b", "1201", within_s=2.0)


@on_both_databases
async def test_sent_handed_over_called_again_and_raised_by_hand(story: Story) -> None:
    await story.policy(SMS_ONLY)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_sms("worker-a", "1201")
    incident = await story.the_incident()

    assert (await story.desk.act(incident, "call-again"))[0] == 200
    await story.expect_sms("worker-a", "1201")
    assert (await story.desk.act(incident, "escalate"))[0] == 200
    await story.expect_sms("worker-b", "1201")
    assert (await story.desk.act(incident, "dispatch", worker="worker-c"))[0] == 200
    await story.expect_page("worker-c", "1201")
    assert (await story.desk.act(incident, "transfer", to="jd-g2"))[0] == 200
    await story.expect_sms("worker-b", "1201")
    shown = await story.the_incident()
    assert (shown["grid_id"], shown["work"]) == ("jd-g2", "dispatched")
    assert {overlay["kind"] for overlay in shown["overlays"]} == {"escalated", "transferred"}
    assert (await story.desk.act(incident, "transfer", to="community"))[0] == 200
    await story.expect_sms("community-duty", "1201")
    assert (await story.desk.act(incident, "silence"))[0] == 200
    kinds = [entry["kind"] for entry in await story.timeline(incident["id"]) if entry["actor"] != "gengfu"]
    wanted = ["called_again", "escalated", "dispatched", "transferred", "transferred", "silenced"]
    assert [kind for kind in kinds if kind in wanted] == wanted


@on_both_databases
async def test_a_telephone_report_joins_the_fire_that_a_device_reported(story: Story) -> None:
    await story.policy(SMS_ONLY)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_sms("worker-a", "1201")
    incident = await story.the_incident()

    body = {"place": "jd-hy-3-2-1201", "code": "fire.smoke", "via": "telephone", "note": "邻居来电，看见浓烟"}
    status, answer = await story.desk.post("/api/v1/incidents", body)

    assert (status, answer["joined"], answer["id"]) == (200, True, incident["id"])
    await story.expect_sms("worker-a", "火警已确认", "1201")
    assert "confirmed" in {overlay["kind"] for overlay in (await story.the_incident())["overlays"]}
    (told,) = await story.timeline(incident["id"], "raised")
    assert (told["data"]["note"], told["data"]["raised_via"]) == (body["note"], "telephone")
    assert len(await story.desk.items("/api/v1/incidents")) == 1
    await story.expect_nothing_more(0.5)


@on_both_databases
async def test_a_call_for_help_pages_like_an_alarm_and_a_device_joins_it(story: Story) -> None:
    await story.policy(SMS_ONLY)
    body = {"place": "jd-hy-3-2-1201-l", "code": "fire.smoke", "via": "resident", "note": "家中起火"}
    status, answer = await story.desk.post("/api/v1/incidents", body)

    assert (status, answer["joined"], answer["raised_via"]) == (201, False, "resident")
    await story.expect_sms("worker-a", "1201", "火警", within_s=3.0)
    device = await story.device(FLAT)
    await device.settled(device.raise_alarm())
    await story.expect_sms("worker-a", "火警已确认", "1201")
    incident = await story.the_incident()
    assert (incident["id"], incident["signals"]) == (answer["id"], 2)


@on_both_databases
async def test_reopening_makes_a_linked_incident_and_whoever_was_paged_hears_of_the_end_once(story: Story) -> None:
    await story.policy({**SMS_ONLY, "told_at_end": ["street_duty"]})
    (await story.device(FLAT)).raise_alarm()
    await story.expect_sms("worker-a", "1201")
    first = await story.the_incident()
    result = {"result": "false_alarm", "cause": "做饭油烟", "how": "phone"}

    assert (await story.desk.act(first, "verify", **result))[0] == 200
    await story.expect_sms("worker-a", "警情解除")
    await story.expect_sms("street-duty", "警情解除")
    unseen = await story.desk.items("/api/v1/incidents?unseen=true")
    assert [each["id"] for each in unseen] == [first["id"]]
    assert await story.desk.figure("gengfu_incidents_marked_total", overlay="unseen") == 1
    assert (await story.desk.act(first, "close"))[0] == 200
    await story.expect_nothing_more(0.5)
    assert (await story.desk.act(first, "evaluate", score=2, note="应到场"))[1]["work"] == "evaluated"

    status, again = await story.desk.act(first, "reopen", reason="再次冒烟")
    assert (status, again["work"]) == (201, "dispatched")
    await story.expect_sms("worker-a", "1201", "火警")
    _, second = await story.desk.get(f"/api/v1/incidents/{again['incident_id']}")
    _, closed = await story.desk.get(f"/api/v1/incidents/{first['id']}")
    assert second["linked"]["reopens"]["id"] == first["id"]
    assert [each["id"] for each in closed["linked"]["reopened_by"]] == [second["id"]]
    assert (closed["work"], closed["evaluated"]["score"]) == ("evaluated", 2)
    status, problem = await story.desk.act(first, "reopen", reason="又一次")
    assert (status, problem["refusal"]) == (409, "same_open")
    async with await story.desk_of("worker-a") as own:
        assert (await own.act({"id": second["id"]}, "accept"))[0] == 200


async def _work(story: Story, work: str) -> bool:
    return bool((await story.the_incident())["work"] == work)


async def _ack(story: Story, ack: str) -> bool:
    return bool((await story.the_incident())["ack"] == ack)
