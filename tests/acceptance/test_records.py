"""The records: each incident can be built again from its timeline, and each message has its chain of instants."""

import asyncio
from typing import Any

from simulators.emulating.faults import FaultKind
from simulators.phone import Behaviour
from tests.acceptance.both import on_both_databases
from tests.acceptance.rebuilding import as_served, rebuilt
from tests.acceptance.script import LADDER, PATIENT_LADDER, Story

FLAT, ABOVE = "jd-hy-3-2-1201-smoke", "jd-hy-3-2-1202-smoke"
settled_s = 1.2
looks_most = 5


async def _agree(story: Story) -> dict[str, Any]:
    """The incident as it is served is the incident as its records tell it.

    Two requests are two moments: a word that comes in between is looked at again. What is missing never agrees.
    """
    for _ in range(looks_most):
        await asyncio.sleep(settled_s)
        incident = await story.the_incident()
        notifications = await story.desk.items(f"/api/v1/notifications?incident_id={incident['id']}&limit=500")
        told, served = rebuilt(await story.timeline(incident["id"])), as_served(incident, notifications)
        if told == served:
            return incident
    raise AssertionError(f"as the records tell it: {told}\nas it is served: {served}")


def _claim_all(story: Story) -> None:
    phones = story.stage.emulator.phones
    story.claim(*(text.sid for text in phones.sms), *(call.sid for call in phones.calls))
    story.claim(*(shown.notification_id for app in story.apps.values() for shown in app.shown))


@on_both_databases
async def test_from_the_alarm_to_the_end(story: Story) -> None:
    """Two steps, a call answered with 1, on site, restored, acknowledged, verified, closed: all agree at every halt."""
    await story.policy(LADDER)
    story.presses("worker-b", "1")
    device = await story.device(FLAT)
    device.raise_alarm()
    await story.expect_page("worker-a", "1201")
    await _agree(story)
    await story.until(lambda: any(shown for shown in story.apps["worker-a"].shown[1:]))
    incident = await _agree(story)
    assert (incident["work"], incident["taken_by"]["id"]) == ("taken", "worker-b")

    device.restore("fire.smoke")
    assert (await story.desk.act(incident, "acknowledge"))[0] == 200
    async with await story.desk_of("worker-b") as worker:
        assert (await worker.act(incident, "arrive"))[0] == 200
    await _agree(story)
    body = {"result": "false_alarm", "cause": "做饭油烟", "how": "on_site"}
    assert (await story.desk.act(incident, "verify", **body))[0] == 200
    assert (await story.desk.act(incident, "close"))[0] == 200
    incident = await _agree(story)
    assert (incident["work"], incident["condition"], incident["due_at"]) == ("closed", "restored", None)
    _claim_all(story)


@on_both_databases
async def test_what_was_not_sent_and_what_was_tried_again(story: Story) -> None:
    """Busy, refused, undelivered, cancelled because somebody goes: each message's last state stands in the records."""
    await story.policy(PATIENT_LADDER)
    await story.sign_out("worker-a")
    story.stage.emulator.faults.set(FaultKind.STATUS_429, channel="sms", seconds=3.0)
    story.behaves("worker-a", Behaviour(keys="1", answers_after_s=30.0))
    (await story.device(FLAT)).raise_alarm()
    await story.until(lambda: len(story.stage.emulator.ledger.rows) >= 2)
    await _agree(story)
    async with await story.desk_of("worker-a") as worker:
        assert (await worker.act(await story.the_incident(), "accept"))[0] == 200
    story.stage.emulator.faults.clear()
    incident = await _agree(story)
    canceled = await story.timeline(incident["id"], "canceled")
    assert canceled
    assert {entry["reason"] for entry in canceled} <= {"taken", "answered"}
    await asyncio.sleep(3.0)
    await _agree(story)
    _claim_all(story)


@on_both_databases
async def test_each_message_has_its_instants(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    story.presses("worker-a", "1")
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "1201")
    await story.until(lambda: _chains_end(story))
    incident = await story.the_incident()
    listed = await story.desk.items(f"/api/v1/notifications?incident_id={incident['id']}")
    chains = {each["channel"]: each["attempts"][0] for each in listed if each["purpose"] == "page"}
    for channel, last in (("sms", "delivered"), ("voice", "taken"), ("app", "provider_accepted")):
        attempt = chains[channel]
        assert attempt["clock"] == "trusted"
        names = ["observed_at", "received_at", "committed_at", "submitted_at", "provider_accepted_at", f"{last}_at"]
        instants = [attempt[name] for name in names]
        assert None not in instants, (channel, attempt)
        assert instants == sorted(instants), (channel, attempt)
        assert 0 < attempt["milliseconds"]["committed"] <= attempt["milliseconds"][last] < 5_000
    assert chains["voice"]["answered_at"] <= chains["voice"]["taken_at"]
    _claim_all(story)


async def _chains_end(story: Story) -> bool:
    """The last receipts are in."""
    listed = await story.desk.items("/api/v1/notifications?purpose=page")
    found = {each["channel"]: each["state"] for each in listed}
    return (found.get("sms"), found.get("voice")) == ("delivered", "taken")
