"""The detector falls silent: the condition is restored, the incident stays until a person says what it was."""

from tests.acceptance.both import on_both_databases
from tests.acceptance.script import PATIENT_LADDER, Story

FLAT = "jd-hy-3-2-1201-smoke"
RESULT = {"result": "false_alarm", "cause": "做饭油烟", "how": "on_site"}


@on_both_databases
async def test_restored_it_stays_until_verified_and_closed(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    story.presses("worker-a", "1")
    device = await story.device(FLAT)
    device.raise_alarm()
    await story.expect_page("worker-a", "1201")

    await device.settled(device.restore())

    incident = await story.the_incident()
    assert (incident["condition"], incident["work"]) == ("restored", "taken")
    status, problem = await story.desk.act(incident, "close")
    assert (status, problem["refusal"]) == (409, "not_verified")
    assert (await story.the_incident())["work"] == "taken"

    assert await story.apps["worker-a"].act(incident["id"], "arrive") == 200
    await story.app_took("worker-a")  # else the all clear comes by SMS, as it should
    status, done = await story.desk.act(incident, "verify", **RESULT)
    assert (status, done["work"]) == (200, "verified")
    await story.expect_app("worker-a", "警情已解除")
    status, done = await story.desk.act(incident, "close", text="已通知住户")
    assert (status, done["work"]) == (200, "closed")
    status, problem = await story.desk.act(incident, "close")
    assert (status, problem["refusal"]) == (409, "already_closed")

    works = [entry["data"]["work"] for entry in await story.timeline(incident["id"], "work")]
    assert works == ["taken", "on_site", "verified", "closed"]
    (verified,) = [e for e in await story.timeline(incident["id"], "work") if e["data"]["work"] == "verified"]
    assert {key: verified["data"][key] for key in RESULT} == RESULT


@on_both_databases
async def test_a_restoral_silences_nobody(story: Story) -> None:
    """Nobody has answered yet: smoke that drifted away may come back, somebody must look."""
    await story.policy(PATIENT_LADDER)
    device = await story.device(FLAT)
    device.raise_alarm()
    await story.expect_page("worker-a", "1201")
    await device.settled(device.restore())

    story.clock.pass_time(300)

    await story.expect_page("worker-b", "1201")


@on_both_databases
async def test_closed_and_raised_again_is_a_new_incident(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    device = await story.device(FLAT)
    device.raise_alarm()
    await story.expect_page("worker-a", "1201")
    first = await story.the_incident()
    await device.settled(device.restore())
    await story.app_took("worker-a")
    await story.desk.act(first, "verify", **RESULT)
    await story.expect_app("worker-a", "警情已解除")
    await story.desk.act(first, "close")

    device.raise_alarm()

    await story.expect_page("worker-a", "1201")
    incidents = await story.desk.items("/api/v1/incidents")
    assert sorted(incident["work"] for incident in incidents) == ["closed", "dispatched"]
    assert len({incident["reference"] for incident in incidents}) == 2


@on_both_databases
async def test_a_closed_incident_asks_nobody(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "1201")
    incident = await story.the_incident()
    await story.app_took("worker-a")
    await story.desk.act(incident, "verify", **RESULT)
    await story.expect_app("worker-a", "警情已解除")
    await story.desk.act(incident, "close")

    story.clock.pass_time(7200)
    await story.expect_nothing_more(1.2)
