"""A fire in a flat whose household agreed to be called: it rings beside the worker, has two keys, and stops nobody."""

import re
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from alerting.answer_links import AnswerLinks, hashed
from alerting.core.model import Settings
from alerting.ports import Priority
from alerting.store.households import ResultRow, add_results
from simulators.phone import Behaviour
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import SILENT, Story

pytestmark = pytest.mark.alone

FLAT, ROOM = "jd-hy-3-2-1201-smoke", "jd-hy-3-2-1201"
NAME, NUMBER, ABROAD = "住户某", "+8613956785678", "+85291234567"
# The end of its number as a person would read it ("*5678", "尾号5678"), not four digits inside an id or an instant.
TAIL = re.compile(rf"(?<![0-9A-Za-z_.:-]){NUMBER[-4:]}(?![0-9A-Za-z_.:-])")
ALL = ["sms", "voice", "app"]
POLICY: dict[str, Any] = {
    "steps": [
        {"after_s": 0, "to": ["grid_worker", "household"], "channels": ALL},
        {"after_s": 300, "to": ["deputy"], "channels": ALL},
        {"after_s": 600, "to": ["community_duty"], "channels": ALL},
    ],
    "loop": {"every_s": 600, "to": ["control_room"]},
}


async def at_home(story: Story, keys: str, *, number: str = NUMBER, **changes: Any) -> str:
    """Register the household, verify its number by a check call; on the next call it presses these keys."""
    now = story.clock.now()
    story.numbers["household"] = number
    body = {
        "place_id": ROOM,
        "name": NAME,
        "relation": "owner",
        "phone": number,
        "consent_at": (now - timedelta(days=1)).isoformat(),
        "consent_until": (now + timedelta(days=365)).isoformat(),
        "consent_how": "paper",
    }
    status, made = await story.desk.post("/api/v1/households", body | changes)
    assert status == 201, made
    story.presses("household", "1", answers_after_s=0.2)
    status, _ = await story.desk.post(f"/api/v1/households/{made['id']}/verification")
    assert status == 201
    await story.expect_call("household", "号码验证" if changes.get("language") != "en" else "number check")
    assert (await story.desk.get(f"/api/v1/households/{made['id']}"))[1]["phone_verified"] is True
    story.presses("household", keys, answers_after_s=0.2)
    household_id: str = made["id"]
    return household_id


async def overlays(story: Story) -> set[str]:
    return {overlay["kind"] for overlay in (await story.the_incident())["overlays"]}


async def until_marked(story: Story, mark: str) -> None:
    async def so() -> bool:
        return mark in await overlays(story)

    await story.until(so)


@on_both_databases
async def test_no_fire_is_shown_and_the_worker_still_gets_everything(story: Story) -> None:
    await at_home(story, "2")
    await story.policy(POLICY)
    (await story.device(FLAT)).raise_alarm()

    await story.expect_page("worker-a", "1201")
    call = await story.expect_call("household", "社区消防值班系统", "烟雾报警", "没有着火请按二", "仍会上门查看")
    assert call.pressed == "2"
    await until_marked(story, "household_no_fire")

    incident = await story.the_incident()
    assert (incident["work"], incident["condition"], incident["verified"]) == ("dispatched", "active", None)
    story.clock.pass_time(300)
    await story.expect_sms("worker-b", "1201", "住户称未着火")
    await story.expect_app("worker-b", "住户称未着火")
    await story.expect_call("worker-b")
    await nobody_reads_its_name(story, incident["id"])


@on_both_databases
async def test_fire_is_confirmed_and_everybody_hears_it_at_once(story: Story) -> None:
    await at_home(story, "1")
    await story.policy(POLICY)
    (await story.device(FLAT)).raise_alarm()

    await story.expect_page("worker-a", "1201")
    call = await story.expect_call("household", "已通知值班人员", "幺幺九")
    assert call.pressed == "1"
    for person in ("worker-a", "worker-b"):  # whoever was asked, and the next step with him
        await story.expect_sms(person, "火警已确认", "1201", "住户确认起火或求助")
        await story.expect_app(person, "住户确认起火或求助")
        await story.expect_call(person)

    assert {"confirmed", "household_confirmed"} <= await overlays(story)
    incident = await story.the_incident()
    assert incident["work"] == "dispatched"
    (asked,) = await story.desk.items("/api/v1/notifications?purpose=household")
    for key in ("1", "2"):  # a replay after a crash, a second thought: said once is said
        await story.stage.app.service.households.pressed(asked["attempts"][0]["id"], key, "voice")
    (note,) = await story.timeline(incident["id"], "note")
    assert (note["reason"], note["data"]["name"]) == ("household_confirmed", "住户（业主）")
    await nobody_reads_its_name(story, incident["id"])


@on_both_databases
async def test_it_is_called_again_once_and_never_a_third_time(story: Story) -> None:
    await at_home(story, "")
    await story.policy({**POLICY, "steps": [{**POLICY["steps"][0], "redial": {"gap_s": 65, "max": 3}}]})
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "1201")
    await story.expect_call("household")
    story.presses("worker-a", "1")
    await story.expect_nothing_more(1.2)

    story.clock.pass_time(66)
    await story.expect_call("worker-a", "已记录")
    await story.expect_call("household")  # somebody goes, and it may burn all the same
    await story.expect_nothing_more(1.2)
    story.clock.pass_time(66)
    await story.expect_nothing_more(1.5)


@on_both_databases
async def test_after_closing_it_hears_what_it_was_and_says_whether_it_is_satisfied(story: Story) -> None:
    await at_home(story, "2", number=ABROAD, language="en", result_messages=True)
    await story.policy(POLICY)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "1201")
    await story.expect_call("household", "Community fire watch", "two for no fire")
    incident = await story.the_incident()
    await story.app_took("worker-a")
    status, _ = await story.desk.act(incident, "verify", result="false_alarm", how="on_site", cause="做饭油烟")
    assert status == 200
    await story.expect_app("worker-a", "警情已解除")
    await story.expect_nothing_more()
    assert (await story.desk.act(incident, "close"))[0] == 200

    text = await story.expect_sms("household", "a false alarm", "Satisfied?", "/a/")
    link = text.body.split()[-1]
    await told_by_link(story, incident["id"], link)


async def look_at(story: Story, incident_id: str, days: int) -> int:
    """What a link answers that somebody was given and that ends so many days from now."""
    app, now = story.stage.app, story.clock.now().replace(microsecond=0)
    until, person = now + timedelta(days=days), f"somebody-{days}"
    links = AnswerLinks(app.config.secret_key, app.http_url)
    token = links.token(incident_id, person, until)
    row = ResultRow(incident_id, person, hashed(token), now, until)
    await app.database.write(Priority.CALLBACK, lambda conn: add_results(conn, [row]))
    async with aiohttp.ClientSession() as browser, browser.get(links.link(token)) as answer:
        return answer.status


async def told_by_link(story: Story, incident_id: str, link: str) -> None:
    """A look answers nothing; a tap does, and the last one counts."""

    async def satisfaction() -> Any:
        return (await story.desk.get(f"/api/v1/incidents/{incident_id}"))[1]["satisfaction"]

    async with aiohttp.ClientSession(headers={"accept-language": "en"}) as browser:
        async with browser.get(link) as answer:
            assert answer.status == 200
            assert "Are you satisfied" in await answer.text()
        assert await satisfaction() == {"asked": 1, "satisfied": 0, "not_satisfied": 0}
        for choice, expected in (("satisfied", (1, 0)), ("satisfied", (1, 0)), ("not_satisfied", (0, 1))):
            async with browser.post(link, data={"answer": choice}) as answer:
                assert answer.status == 200
            asked = {"asked": 1, "satisfied": expected[0], "not_satisfied": expected[1]}
            assert await satisfaction() == asked
        async with browser.post(link[:-1] + "~", data={"answer": "satisfied"}) as answer:
            assert answer.status == 404
    said = [entry["data"]["satisfied"] for entry in await story.timeline(incident_id, "satisfaction")]
    assert said == [True, False]
    texts = [item["text"] for item in await story.desk.items("/api/v1/notifications?purpose=result")]
    assert link.rpartition("/")[2] not in "".join(texts), "the token is for the household alone"
    assert [await look_at(story, incident_id, days) for days in (1, 0)] == [200, 404], "a link ends by itself"


@on_both_databases
async def test_a_mainland_number_gets_no_link(story: Story) -> None:
    await at_home(story, "2", result_messages=True)
    await story.policy(POLICY)
    incident = await one_false_alarm(story)
    text = await story.expect_sms("household", "误报", "1201")
    assert "http" not in text.body
    assert "回复" not in text.body, "no reply reaches us, so none is asked for"
    assert (await story.desk.get(f"/api/v1/incidents/{incident}"))[1]["satisfaction"]["asked"] == 1


@on_both_databases
async def test_with_replies_a_mainland_number_is_asked_for_one(begin_story: Begin) -> None:
    async with begin_story(core=Settings(sms_two_way=True)) as story:
        await at_home(story, "2", result_messages=True)
        await story.policy(POLICY)
        story.behaves("household", Behaviour(keys="2", answers_after_s=0.2, reply="1"))
        incident = await one_false_alarm(story)
        await story.expect_sms("household", "满意回复1，不满意回复2")

        async def satisfied() -> bool:
            found = (await story.desk.get(f"/api/v1/incidents/{incident}"))[1]["satisfaction"]
            return bool(found == {"asked": 1, "satisfied": 1, "not_satisfied": 0})

        await story.until(satisfied)


async def one_false_alarm(story: Story) -> str:
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "1201")
    await story.expect_call("household", "仍会上门查看")
    incident = await story.the_incident()
    await story.app_took("worker-a")
    assert (await story.desk.act(incident, "verify", result="false_alarm", how="on_site", cause="油烟"))[0] == 200
    await story.expect_app("worker-a", "警情已解除")
    assert (await story.desk.act(incident, "close"))[0] == 200
    incident_id: str = incident["id"]
    return incident_id


async def nobody_reads_its_name(story: Story, incident_id: str) -> None:
    """Neither name nor number in anything that the API says of the incident, nor in any text to others."""
    shown = [
        await story.timeline(incident_id),
        await story.desk.items("/api/v1/notifications?limit=200"),
        await story.desk.get(f"/api/v1/incidents/{incident_id}"),
        [text.body for text in story.stage.emulator.phones.sms],
        [call.words() for call in story.stage.emulator.phones.calls],
    ]
    for hidden in (NAME, NUMBER, NUMBER[3:]):
        assert hidden not in str(shown)
    assert not TAIL.search(str(shown)), TAIL.search(str(shown))


@on_both_databases
async def test_fire_after_a_result_was_recorded_is_an_incident_of_its_own(story: Story) -> None:
    """The key came while somebody at a desk called it a false alarm: it is not lost with the incident."""
    await at_home(story, "")
    story.behaves("household", SILENT)
    await story.policy(POLICY)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page("worker-a", "1201")
    await story.expect_call("household")
    first = await story.the_incident()
    await story.app_took("worker-a")
    assert (await story.desk.act(first, "verify", result="false_alarm", how="video", cause="油烟"))[0] == 200
    await story.expect_app("worker-a", "警情已解除")

    (asked,) = await story.desk.items("/api/v1/notifications?purpose=household")
    for _ in range(2):
        await story.stage.app.service.answers.key_pressed(asked["attempts"][0]["id"], "1")

    await story.expect_page("worker-a", "1201")
    fresh, old = await story.desk.items("/api/v1/incidents")
    assert (old["id"], old["work"]) == (first["id"], "verified")
    assert (fresh["raised_via"], fresh["work"], fresh["code"]) == ("resident", "dispatched", "fire.smoke")
