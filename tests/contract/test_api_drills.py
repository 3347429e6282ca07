"""Drills over HTTP: preview, start, figures, end, and what is refused. Kept apart from what is real."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import select

from alerting.core.model import Reason
from alerting.drills import TIMER
from alerting.ports import Priority
from alerting.store import boots, drills, tables
from api.permissions import Role
from tests.contract.api_support import Answer, Api, running_api

POLICY = {
    "name": "by-hand",
    "version": 1,
    "steps": [{"after_s": 0, "to": ["grid_worker"], "channels": ["sms"]}],
    "loop": {"every_s": 60, "to": ["control_room"]},
}


@pytest_asyncio.fixture
async def api(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


async def made(api: Api, path: str, body: dict[str, Any]) -> Any:
    answer = await api.call("POST", path, body)
    assert answer.status == 201, answer.text
    return answer.body


def fault_of(answer: Answer) -> tuple[int, str, str]:
    (error,) = answer.body["errors"]
    return answer.status, error["pointer"], error["code"]


async def city(api: Api) -> dict[str, str]:
    """One grid with a building and two people, and a second grid beside it."""
    ids = {}
    for code, kind, parent in (("jd", "compound", None), ("b3", "building", "jd"), ("b4", "building", "jd")):
        body = {"kind": kind, "code": code, "name": code, "parent_id": parent}
        ids[code] = (await made(api, "/places", {key: value for key, value in body.items() if value}))["id"]
    for code in ("jia", "yi"):
        ids[code] = (await made(api, "/workers", {"code": code, "name": f"网格员{code}"}))["id"]
        number = {"jia": "13800138000", "yi": "13800138001"}[code]
        await made(api, f"/workers/{ids[code]}/contacts", {"channel": "sms", "address": number})
    grid = {"code": "g1", "name": "一网格", "place_ids": ["b3"], "workers": ["jia", "yi"]}
    ids["g1"] = (await made(api, "/grids", grid))["id"]
    ids["g2"] = (await made(api, "/grids", {"code": "g2", "name": "二网格", "place_ids": ["b4"]}))["id"]
    return ids


async def test_it_asks_the_people_on_duty_marked_and_shows_who_never_answered(api: Api) -> None:
    ids = await city(api)
    drill = await made(api, "/drills", {"grid": "g1", "note": "季度演练", "minutes": 20})
    assert (drill["grid_id"], drill["place_id"], drill["code"]) == (ids["g1"], ids["b3"], "fire.smoke")
    assert (drill["running"], drill["end_reason"]) == (True, None)
    (asked,) = drill["figures"]["asked"]
    assert (asked["recipient_id"], asked["answered"], asked["messages"][0]["channel"]) == (ids["jia"], False, "sms")
    assert drill["figures"]["never_answered"] == [{"recipient_id": ids["jia"], "name": "网格员jia"}]
    (notice,) = (await api.call("GET", "/notifications?purpose=drill")).body["items"]
    assert notice["text"].startswith("演练，火警：")
    listed = (await api.call("GET", "/drills?running=true&grid=g1")).body["items"]
    assert [item["id"] for item in listed] == [drill["id"]]
    assert (await api.call("GET", "/drills?running=false")).body["items"] == []
    assert (await api.call("GET", f"/drills/{drill['id']}")).body["reference"] == drill["reference"]
    assert len(api.service.written) == 1, "handed over after the commit"


async def test_it_stays_out_of_lists_and_gauges_unless_it_is_asked_for(api: Api) -> None:
    await city(api)
    drill = await made(api, "/drills", {"grid": "g1"})
    real = await api.incident()
    assert [item["id"] for item in (await api.call("GET", "/incidents")).body["items"]] == [real]
    (shown,) = (await api.call("GET", "/incidents?drill=true")).body["items"]
    assert (shown["id"], shown["drill_id"]) == (drill["incident_id"], drill["id"])
    assert [overlay["kind"] for overlay in shown["overlays"]] == ["drill"]
    assert (await api.database.read(boots.gauges))[0] == {1: 1}
    answer = await api.call("GET", f"/incidents/{drill['incident_id']}/households")
    assert answer.status == 409 or answer.body.get("items") == [], answer.text


async def test_the_preview_asks_nobody_and_says_who_would_be(api: Api) -> None:
    ids = await city(api)
    steps = (await api.call("GET", "/drills/preview?grid=g1")).body["steps"]
    would = [[each["recipient_id"] for each in step["would_ask"]] for step in steps]
    assert would[:2] == [[ids["jia"]], [ids["yi"]]]
    assert all(each["text"].startswith("演练") for step in steps for each in step["would_ask"])
    assert (await api.call("GET", "/drills")).body["items"] == []
    assert (await api.call("GET", "/notifications")).body["items"] == []
    assert "13800138" not in json.dumps(steps)


async def test_what_is_refused_names_the_field(api: Api) -> None:
    ids = await city(api)
    for body, fault in (
        ({"grid": "nowhere"}, (422, "#/grid", "unknown_reference")),
        ({"grid": "g1", "place": "b4"}, (422, "#/place", "drill_place")),
        ({"grid": "g1", "code": "device.offline"}, (422, "#/code", "drill_code")),
        ({"grid": "g1", "code": "no.such"}, (422, "#/code", "drill_code")),
    ):
        assert fault_of(await api.call("POST", "/drills", body)) == fault
    await made(api, "/grids", {"code": "empty", "name": "空网格"})
    assert fault_of(await api.call("POST", "/drills", {"grid": "empty"})) == (409, "#/grid", "drill_no_place")
    await made(api, "/drills", {"grid": "g1"})
    assert fault_of(await api.call("POST", "/drills", {"grid": "g1"})) == (409, "#/grid", "drill_running")
    await api.incident(grid_id=ids["g2"], reference="R3AL1")
    answer = await api.call("POST", "/drills", {"grid": "g2"}, Accept_Language="en")
    assert fault_of(answer) == (409, "#/grid", "drill_real_alarm")
    assert "R3AL1" in answer.body["errors"][0]["message"]
    assert len((await api.call("GET", "/drills")).body["items"]) == 1


async def test_an_end_tells_everybody_once(api: Api) -> None:
    ids = await city(api)
    drill = await made(api, "/drills", {"grid": "g1"})
    await _reached(api)
    for _ in range(2):
        ended = (await api.call("POST", f"/drills/{drill['id']}/end")).body
        assert (ended["running"], ended["end_reason"]) == (False, "drill_over")
    (told,) = (await api.call("GET", "/notifications?purpose=all_clear")).body["items"]
    assert (told["recipient_id"], told["text"][:4]) == (ids["jia"], "演练结束")
    incident = (await api.call("GET", f"/incidents/{drill['incident_id']}")).body
    assert (incident["work"], incident["due_at"]) == ("closed", None)
    acts = [row["act"] for row in (await api.call("GET", "/audit")).body["items"]]
    assert [act for act in acts if act.endswith("_drill")] == ["end_drill", "start_drill"]
    await made(api, "/drills", {"grid": "g1"})  # and another may begin


async def test_it_ends_by_itself_when_its_time_is_over(api: Api) -> None:
    await city(api)
    drill = await made(api, "/drills", {"grid": "g1", "minutes": 1})
    looked = api.service.drills
    assert not await api.database.read(looked.due)
    looked._clock = _Later(api.deps.clock, timedelta(seconds=61))
    assert await api.database.read(looked.due)
    (written,) = await api.database.write(Priority.ATTEMPT, looked.look)
    assert any(entry.kind == "work" and entry.reason == "drill_over" for _, entry in written.entries)
    assert (await api.call("GET", f"/drills/{drill['id']}")).body["end_reason"] == "drill_over"
    assert not await api.database.read(looked.due)


async def test_a_real_alarm_of_the_grid_ends_it_and_one_of_another_does_not(api: Api) -> None:
    ids = await city(api)
    drill = await made(api, "/drills", {"grid": "g1"})
    await _reached(api)
    await api.incident(grid_id=ids["g2"])
    await api.incident(grid_id=ids["g1"], cls="T", code="device.offline", severity=3)
    assert not await api.database.read(api.service.drills.due)
    await api.incident(grid_id=ids["g1"])
    await api.database.write(Priority.ATTEMPT, api.service.drills.look)
    assert (await api.call("GET", f"/drills/{drill['id']}")).body["end_reason"] == "real_alarm"
    (told,) = (await api.call("GET", "/notifications?purpose=all_clear")).body["items"]
    assert told["text"].startswith("演练中止：本网格有真实警情")


async def test_closing_its_incident_ends_it_without_a_second_word(api: Api) -> None:
    await city(api)
    drill = await made(api, "/drills", {"grid": "g1"})
    closed = {"work": "closed", "closed_at": api.deps.clock.now(), "holds_key": False}
    change = tables.incidents.update().where(tables.incidents.c.id == drill["incident_id"]).values(**closed)
    await api.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(change))
    await api.database.write(Priority.ATTEMPT, api.service.drills.look)
    assert (await api.call("GET", f"/drills/{drill['id']}")).body["end_reason"] == "closed"
    assert (await api.call("GET", "/notifications?purpose=all_clear")).body["items"] == []


async def test_one_that_is_opened_again_ends_by_itself_too(api: Api) -> None:
    ids = await city(api)
    drill = await made(api, "/drills", {"grid": "g1", "minutes": 1})
    await api.call("POST", f"/drills/{drill['id']}/end")
    place = {"zh": "3栋", "en": "B3", "spoken_zh": "三栋", "spoken_en": "B 3"}
    linked = {"drill_id": drill["id"], "linked_to": drill["incident_id"], "grid_id": ids["g1"]}
    again = await api.incident(**linked, policy=POLICY, place_text=place)
    looked = api.service.drills
    assert not await api.database.read(looked.due)
    looked._clock = _Later(api.deps.clock, timedelta(seconds=61))
    assert await api.database.read(looked.due)
    await api.database.write(Priority.ATTEMPT, looked.look)
    assert (await api.call("GET", f"/incidents/{again}")).body["work"] == "closed"
    assert not await api.database.read(looked.due)


async def test_a_repeated_post_starts_one(api: Api) -> None:
    await city(api)
    first, again = [await api.call("POST", "/drills", {"grid": "g1"}, Idempotency_Key="d1") for _ in range(2)]
    assert (first.status, again.status, first.body["id"]) == (201, 201, again.body["id"])
    assert len(api.service.written) == 1


async def test_only_chiefs_start_one(api: Api) -> None:
    await city(api)
    for role in Role:
        answer = await api.call("POST", "/drills", {"grid": "nowhere"}, role=role)
        assert answer.status == (422 if role in (Role.ADMINISTRATOR, Role.SUPERVISOR) else 403), role


async def test_two_ends_at_once_are_one(api: Api) -> None:
    await city(api)
    drill = await made(api, "/drills", {"grid": "g1"})
    ends = api.service.drills
    first = await api.database.write(
        Priority.ATTEMPT, lambda conn: ends.end(conn, drill["id"], TIMER, Reason.DRILL_OVER)
    )
    second = await api.database.write(
        Priority.ATTEMPT, lambda conn: ends.end(conn, drill["id"], TIMER, Reason.REAL_ALARM)
    )
    assert first is not None
    assert second is None
    row = await api.database.read(lambda conn: drills.get(conn, drill["id"]))
    assert row is not None
    assert row.end_reason == "drill_over"


async def _reached(api: Api) -> None:
    """As if the provider had accepted every page."""
    change = tables.notifications.update().values(state="provider_accepted")
    await api.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(change))
    pages = await api.database.read(lambda conn: conn.execute(select(tables.notifications.c.state)).all())
    assert pages


class _Later:
    """A clock that is ahead."""

    def __init__(self, clock: Any, ahead: timedelta) -> None:
        self._clock, self._ahead = clock, ahead

    def now(self) -> Any:
        return self._clock.now() + self._ahead

    def monotonic(self) -> float:
        return float(self._clock.monotonic())
