"""A worker without our app taps the link in his text: he goes, the deputy's phone stops and is told who goes."""

import re
from typing import Any

import aiohttp
from sqlalchemy import Connection, update

from alerting.ports import Priority
from devices.model import Channel
from devices.store.tables import contact_points, people
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import Story

FLAT = "jd-hy-3-2-1201-smoke"
ABROAD = "+85291234567"
POLICY: dict[str, Any] = {
    "steps": [
        {"after_s": 0, "to": ["grid_worker"], "channels": ["sms"]},
        {"after_s": 60, "to": ["deputy"], "channels": ["sms", "voice"]},
    ],
    "loop": {"every_s": 600, "to": ["control_room"]},
}


async def goes_abroad(story: Story, person: str) -> None:
    """His number is one to which a text may carry a link, and he reads English."""
    story.numbers[person] = ABROAD

    def work(conn: Connection) -> None:
        mine = contact_points.c.person_id == person
        phones = contact_points.c.channel.in_([Channel.SMS.value, Channel.VOICE.value])
        conn.execute(update(contact_points).where(mine, phones).values(address=ABROAD))
        conn.execute(update(people).where(people.c.id == person).values(language="en"))

    await story.stage.app.database.write(Priority.ADMINISTRATION, work)
    story.stage.app.registry_changed()


@on_both_databases
async def test_one_tap_takes_it_and_the_deputys_phone_stops(begin_story: Begin) -> None:
    async with begin_story(time_scale=0.2) as story:  # phones would ring for five seconds
        await one_tap(story)


async def one_tap(story: Story) -> None:
    await goes_abroad(story, "worker-a")
    await story.policy(POLICY)
    (await story.device(FLAT)).raise_alarm()
    text = await story.expect_sms("worker-a", "1201", "/a/")
    story.clock.pass_time(60)
    await story.expect_sms("worker-b", "1201")
    (link,) = re.findall(r"https?://\S+/a/[\w-]{22}", text.body)
    incident = await story.the_incident()

    async with aiohttp.ClientSession() as browser:
        for _ in range(2):  # a link preview, then the person
            async with browser.get(link) as answer:
                page = await answer.text()
                assert answer.status == 200
        assert "I am going" in page
        assert (await story.the_incident())["work"] == "dispatched", "a look takes nothing"
        for _ in range(2):  # a tap, and the page loaded again
            async with browser.post(link, data={"answer": "going"}) as answer:
                assert "Recorded: you are going" in await answer.text()
        taken = await story.the_incident()
        assert (taken["work"], taken["taken_by"]["id"]) == ("taken", "worker-a")
        call = await story.expect_call("worker-b")
        assert (call.pressed, call.outcome) == ("", "canceled")
        await story.expect_sms("worker-b", "前往")
        assert (await story.desk.act(incident, "verify", result="false_alarm", how="on_site", cause="做饭油烟"))[
            0
        ] == 200
        async with browser.get(link) as answer:
            assert "It is over" in await answer.text()
    for person in ("worker-a", "worker-b"):
        await story.expect_sms(person)
    (line, _) = await story.timeline(incident["id"], "work")  # then the result
    assert (line["actor"], line["reason"], line["data"]["via"]) == ("worker-a", "taken", "link")
    stored = [each["text"] for each in await story.desk.items("/api/v1/notifications")]
    assert link.rpartition("/")[2] not in "".join(stored), "whoever reads the list cannot answer for him"


async def reached(story: Story, person: str) -> bool:
    """It is written that the carrier has taken the text to this person: what is still being sent is not sent again."""
    pages = await story.desk.items(f"/api/v1/notifications?recipient_id={person}")
    return any(attempt["state"] not in ("planned", "sending") for page in pages for attempt in page["attempts"])


@on_both_databases
async def test_who_cannot_go_passes_it_on_and_may_ask_to_be_told_again(story: Story) -> None:
    await goes_abroad(story, "worker-a")
    await story.policy({**POLICY, "steps": [{**step, "channels": ["sms"]} for step in POLICY["steps"]]})
    (await story.device(FLAT)).raise_alarm()
    text = await story.expect_sms("worker-a", "/a/")
    (link,) = re.findall(r"https?://\S+/a/[\w-]{22}", text.body)
    await story.until(lambda: reached(story, "worker-a"))  # no thumb is as quick as a carrier's answer is written
    async with aiohttp.ClientSession() as browser:
        async with browser.post(link, data={"answer": "again"}) as answer:
            assert "contacted again" in await answer.text()
        story.clock.pass_time(21)
        again = await story.expect_sms("worker-a", "/a/")
        assert again.body == text.body
        async with browser.post(link, data={"answer": "cannot"}) as answer:
            assert "you cannot go" in await answer.text()
    await story.expect_sms("worker-b", "1201")
    assert (await story.the_incident())["verified"] is None
