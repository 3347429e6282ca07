"""An installer tests alarms: what is restored calls nobody, what is not calls people, through restarts too."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from alerting.core.held import Held
from alerting.core.model import Settings
from alerting.ports import Priority
from alerting.store import held
from devices.model import DeviceState
from devices.store import devices
from devices.store.devices import DeviceRow
from gengfu.application import Application
from simulators.phone import Behaviour
from tests.acceptance.both import Begin, on_both_databases
from tests.acceptance.script import PATIENT_LADDER, Story, begin

FLAT, SAME_ROOM, NEXT_FLAT = "jd-hy-3-2-1201-smoke", "jd-hy-3-2-1201-heat", "jd-hy-3-2-1202-smoke"
ELSEWHERE = "zjs-ch-1-1-501-smoke"
INSTALLER = "+8613800138000"
"""The installer's own; the emulator is the only network that carries it."""
hold_s = Settings().test_hold_s
margin_s = 15
"""So long before and after the due time of what is held: a busy machine is late too."""


def walk_test(device_id: str) -> str:
    return f"/api/v1/devices/{device_id}/walk-test"


async def state(story: Story, device_id: str, state: DeviceState) -> None:
    """The registry says so of the device."""

    def work(conn: Any) -> None:
        row = devices.get(conn, device_id)
        assert isinstance(row, DeviceRow)
        assert devices.update_one(conn, row.moved(state, row.place_id))

    await story.stage.app.database.write(Priority.ADMINISTRATION, work)


async def session(story: Story, *device_ids: str) -> dict[str, Any]:
    status, body = await story.desk.post("/api/v1/test-sessions", {"device_ids": list(device_ids)})
    assert status == 201, body
    return body


async def shown(story: Story, device_id: str) -> dict[str, Any]:
    status, body = await story.desk.get(walk_test(device_id))
    assert status == 200, body
    return body


async def ended(story: Story, device_id: str) -> dict[str, Any]:
    async def over() -> bool:
        return bool((await shown(story, device_id))["state"] != "running")

    await story.until(over, within_s=6.0)
    return await shown(story, device_id)


@on_both_databases
async def test_restored_in_time_it_passes_calls_nobody_and_commissions(begin_story: Begin) -> None:
    async with begin_story() as story:
        await story.policy(PATIENT_LADDER)
        await state(story, FLAT, DeviceState.INSTALLED)
        device = await story.device(FLAT)
        status, body = await story.desk.post(walk_test(FLAT))
        assert (status, body["state"], body["alarm"]) == (201, "running", None), body

        await device.settled(device.raise_alarm(values={"smoke_db_per_m": 0.4, "rssi": -71}))
        seen = await shown(story, FLAT)
        assert seen["alarm"]["code"] == "fire.smoke"
        assert 0 <= seen["alarm"]["seconds"] < 10
        assert seen["held"]["outcome"] is None
        assert (seen["signal"]["dbm"], seen["signal"]["enough"]) == (-71, None)
        assert [lack["code"] for lack in seen["missing"]] == ["not_restored"]
        calls = {call["channel"]: call for call in seen["would_call"]["calls"]}
        assert {call["name"] for call in calls.values()} == {"网格员甲"}
        assert calls["sms"]["address"] == "100****0001"
        assert calls["sms"]["text"].startswith("火警：金鼎花园3栋2单元12层1201客厅")
        assert "确认出发请按一" in calls["voice"]["text"]

        await device.settled(device.restore())
        seen = await shown(story, FLAT)
        assert (seen["state"], seen["held"]["outcome"], seen["missing"]) == ("passed", "test_restored", [])
        assert seen["restored"]["seconds"] >= seen["alarm"]["seconds"]
        _, listed = await story.desk.get(f"/api/v1/devices/{FLAT}")
        assert (listed["state"], listed["test_mode"]) == ("commissioned", False)
        story.clock.pass_time(hold_s + margin_s)
        await story.expect_nothing_more(1.2)
        assert await story.desk.items("/api/v1/incidents") == []
        acts = [entry["act"] for entry in await story.desk.items("/api/v1/audit") if entry["object_id"] == FLAT]
        assert {"start_walk_test", "commission"} <= set(acts)


@on_both_databases
async def test_not_restored_it_pages_and_says_that_it_may_be_a_test(begin_story: Begin) -> None:
    async with begin_story() as story:
        await story.policy(PATIENT_LADDER)
        testing = await session(story, FLAT)
        device = await story.device(FLAT)
        await device.settled(device.raise_alarm())
        _, seen = await story.desk.get(f"/api/v1/test-sessions/{testing['id']}")
        assert seen["devices"][0]["held_due_at"] is not None
        story.clock.pass_time(hold_s - margin_s)
        await story.expect_nothing_more(1.2)
        story.clock.pass_time(margin_s)

        await story.expect_page("worker-a", "1201", "疑似测试", "火警")
        incident = await story.the_incident()
        assert [overlay["kind"] for overlay in incident["overlays"]] == ["test"]
        (opened,) = await story.timeline(incident["id"], "opened")
        (line,) = await story.timeline(incident["id"], "held")
        assert (opened["reason"], line["reason"]) == ("not_restored", "not_restored")
        assert line["data"]["device"] == FLAT


@on_both_databases
async def test_two_rooms_at_once_page_at_once(begin_story: Begin) -> None:
    async with begin_story() as story:
        await story.policy(PATIENT_LADDER)
        await session(story, FLAT, NEXT_FLAT, ELSEWHERE)
        far = await story.device(ELSEWHERE)
        await far.settled(far.raise_alarm())
        first = await story.device(FLAT)
        await first.settled(first.raise_alarm())
        await story.expect_nothing_more(1.2)

        second = await story.device(NEXT_FLAT)
        await second.settled(second.raise_alarm())

        await _both_rooms(story)
        incident = await story.the_incident()
        assert incident["signals"] == 2
        assert {entry["reason"] for entry in await story.timeline(incident["id"], "held")} == {"two_rooms"}
        await far.settled(far.restore())


@on_both_databases
async def test_two_rooms_that_two_processes_held_are_found_by_the_sweep(begin_story: Begin) -> None:
    """Neither process saw the other's row when it decided."""
    async with begin_story() as story:
        await story.policy(PATIENT_LADDER)
        await session(story, FLAT, NEXT_FLAT)
        device = await story.device(FLAT)
        await device.settled(device.raise_alarm())
        database, now = story.stage.app.database, story.clock.now()
        building, room = "jd-hy-3", "jd-hy-3-2-1202"
        other = Held(
            story.stage.ids.uuid7(),
            "K7F3P",
            NEXT_FLAT,
            "fire.smoke",
            building,
            room,
            now,
            now,
            now + timedelta(minutes=3),
        )
        await database.write(Priority.ALARM, lambda conn: held.insert(conn, [other]))

        await _both_rooms(story)
        incident = await story.the_incident()
        assert {entry["reason"] for entry in await story.timeline(incident["id"], "held")} == {"two_rooms"}


async def _both_rooms(story: Story) -> None:
    """The first room, and that it spreads to the second, in whichever order the two texts come."""
    texts = [(await story.expect_page("worker-a", "疑似测试", "火警")).body for _ in range(2)]
    assert sorted("火警扩大" in text for text in texts) == [False, True], texts


@on_both_databases
async def test_two_testers_steps_are_no_two_rooms(begin_story: Begin) -> None:
    async with begin_story() as story:
        for device_id in (FLAT, NEXT_FLAT):
            assert (await story.desk.post(walk_test(device_id)))[0] == 201
        both = [await story.device(device_id) for device_id in (FLAT, NEXT_FLAT)]
        for device in both:
            await device.settled(device.raise_alarm())
        await story.expect_nothing_more(1.2)
        for device in both:
            await device.settled(device.restore())
        assert [(await shown(story, each.id))["state"] for each in both] == ["passed", "passed"]


@on_both_databases
async def test_a_real_alarm_beside_the_test_pages_at_once(begin_story: Begin) -> None:
    async with begin_story() as story:
        await story.policy(PATIENT_LADDER)
        await session(story, FLAT)
        tested, real = await story.device(FLAT), await story.device(SAME_ROOM)
        await tested.settled(tested.raise_alarm())
        real.raise_alarm()

        sms = await story.expect_sms("worker-a", "1201", "火警")
        assert "测试" not in sms.body
        await story.expect_app("worker-a")
        await story.expect_call("worker-a")
        await story.expect_sms("worker-a", "扩大")
        await story.expect_app("worker-a", "扩大")
        await story.expect_call("worker-a")
        incident = await story.the_incident()
        (line,) = await story.timeline(incident["id"], "held")
        assert line["reason"] == "beside_alarm"


@pytest.mark.parametrize("down_s", [0, hold_s + margin_s])
async def test_a_restart_forgets_neither_the_alarm_nor_its_time(
    tmp_path: Any, database_url: str, city: Any, down_s: int
) -> None:
    async with begin(tmp_path / "stage", database_url, city) as story:
        await story.policy(PATIENT_LADDER)
        await session(story, FLAT)
        device = await story.device(FLAT)
        await device.settled(device.raise_alarm())
        await story.sign_out(*[person.id for person in city.people])
        await device.stop()
        await story.stage.app.__aexit__()
        story.clock.pass_time(down_s)

        async with Application(story.stage.config, story.clock) as again:
            story.stage.app = again
            if not down_s:
                await story.expect_nothing_more(1.2)
                story.clock.pass_time(hold_s)
            await story.expect_sms("worker-a", "1201", "疑似测试")
            await story.expect_call("worker-a")
            incident = await story.the_incident()
            assert incident["due_at"] is not None
            await story.judge()


@on_both_databases
async def test_a_test_that_hears_nothing_fails_with_its_reasons_and_can_be_watched_live(begin_story: Begin) -> None:
    async with begin_story() as story:
        await state(story, FLAT, DeviceState.INSTALLED)
        assert (await story.desk.post(walk_test(FLAT)))[0] == 201
        status, problem = await story.desk.post(walk_test(FLAT))
        assert (status, problem["errors"][0]["code"]) == (409, "walk_test_running")
        assert story.desk._session is not None
        async with story.desk._session.get(f"{walk_test(FLAT)}/events") as live:
            assert live.status == 200
            first = await asyncio.wait_for(live.content.readuntil(b"\n\n"), 5)
            assert b"event: walk_test" in first
            story.clock.pass_time(181)
            rest = await asyncio.wait_for(live.content.read(), 5)  # the stream ends with the test
        assert b'"failed"' in rest
        seen = await ended(story, FLAT)
        assert [lack["code"] for lack in seen["missing"]] == ["no_alarm", "not_restored"]
        assert all(lack["zh"] and lack["en"] for lack in seen["missing"])
        _, listed = await story.desk.get(f"/api/v1/devices/{FLAT}")
        assert (listed["state"], listed["test_mode"]) == ("installed", False)


@on_both_databases
async def test_one_real_text_and_call_per_compound_and_day(begin_story: Begin) -> None:
    async with begin_story() as story:
        phones = story.stage.emulator.phones
        phones.set(INSTALLER, Behaviour(keys="1"))
        status, body = await story.desk.post(walk_test(FLAT), {"real_call_to": INSTALLER})
        assert status == 201, body

        def came() -> bool:
            inbox = phones.inbox(INSTALLER)
            return bool(inbox.sms) and bool(inbox.calls) and inbox.calls[0].outcome != ""

        await story.until(came)
        (sms,), (call,) = phones.inbox(INSTALLER).sms, phones.inbox(INSTALLER).calls
        story.claim(sms.sid, call.sid)
        assert sms.body.startswith("测试，火警：金鼎花园3栋2单元12层1201客厅")
        assert call.words().startswith("测试。火警。")
        assert call.pressed == "1"
        assert "已记录，这是演练" in call.words()
        real = (await shown(story, FLAT))["real_messages"]
        assert {(each["channel"], each["address"]) for each in real} == {
            ("sms", "138****8000"),
            ("voice", "138****8000"),
        }

        await story.desk.delete(walk_test(FLAT))
        status, problem = await story.desk.post(walk_test(NEXT_FLAT), {"real_call_to": INSTALLER})
        assert (status, problem["errors"][0]["code"]) == (409, "used_today")
        assert (await story.desk.get(walk_test(NEXT_FLAT)))[0] == 404, "a refused start leaves no test behind"
        assert (await story.desk.post(walk_test(ELSEWHERE), {"real_call_to": INSTALLER}))[0] == 201
        await story.until(lambda: len(phones.inbox(INSTALLER).calls) == 2)
        await story.until(lambda: phones.inbox(INSTALLER).calls[1].outcome != "")
        story.claim(
            *(sms.sid for sms in phones.inbox(INSTALLER).sms), *(call.sid for call in phones.inbox(INSTALLER).calls)
        )
