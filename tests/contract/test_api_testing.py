"""Alarm tests, test sessions and verifications over HTTP: who may, what is refused and why, what is audited."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import select, update

from alerting.ports import Priority
from alerting.store.tables_testing import probes, walk_tests
from api.permissions import Role
from devices.model import Channel
from devices.store import audit, test_mode
from devices.store.tables import contact_points
from gengfu.clock import SystemClock
from tests.contract.api_support import Answer, Api, running_api, serving

WALK = "/devices/smoke-0001/walk-test"


@pytest_asyncio.fixture
async def either(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        await furnish(running)
        yield running


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
        await furnish(running)
        yield running


async def made(api: Api, path: str, body: dict[str, Any]) -> Any:
    answer = await api.call("POST", path, body)
    assert answer.status == 201, answer.text
    return answer.body


async def furnish(api: Api) -> None:
    """Two compounds with a detector each, and one that hangs nowhere."""
    await made(api, "/places", {"kind": "city", "name": "信阳市", "code": "xy"})
    for code in ("jd", "dg"):
        await made(api, "/places", {"kind": "compound", "name": f"{code}小区", "code": code, "parent_id": "xy"})
        await made(api, "/places", {"kind": "room", "name": "301", "code": f"{code}-301", "parent_id": code})
    for id_, place in (("smoke-0001", "jd-301"), ("smoke-0002", "dg-301"), ("smoke-0003", None)):
        await made(api, "/devices", {"id": id_, "kind": "smoke_detector", "place_id": place})


def refusal(answer: Answer) -> tuple[int, str, str]:
    (error,) = answer.body["errors"]
    return answer.status, error["pointer"], error["code"]


async def acts(api: Api, object_id: str) -> list[str]:
    rows = await api.database.read(lambda conn: audit.page(conn, None, 50, object_id=object_id))
    return [row.entry.act for row in rows]


async def installer_of(api: Api, code: str) -> str:
    place = (await api.call("GET", "/places?parent_id=xy")).body["items"]
    (wanted,) = [each["id"] for each in place if each["code"] == code]
    return await api.key(Role.INSTALLER, place_id=wanted)


async def test_an_installer_starts_watches_and_aborts(either: Api) -> None:
    api = either
    assert (await api.call("GET", WALK)).status == 404
    started = await api.call("POST", WALK, role=Role.INSTALLER)
    assert (started.status, started.body["state"], started.body["criteria"]) == (
        201,
        "running",
        {"limit_s": 180, "restores": True, "signal_dbm_min": None},
    )
    device = (await api.call("GET", "/devices/smoke-0001")).body
    assert (device["test_mode"], device["test_mode_until"]) == (True, started.body["ends_at"])
    assert refusal(await api.call("POST", WALK)) == (409, "#", "walk_test_running")
    assert (await api.call("GET", WALK, role=Role.VIEWER)).body == started.body
    assert (await api.call("POST", WALK, role=Role.VIEWER)).status == 403
    assert (await api.call("DELETE", WALK)).body["state"] == "aborted"
    assert (await api.call("DELETE", WALK)).status == 404
    assert (await api.call("GET", "/devices/smoke-0001")).body["test_mode"] is False
    assert await acts(api, "smoke-0001") == ["abort_walk_test", "start_walk_test", "create"]


async def test_a_repeated_start_is_one_test(either: Api) -> None:
    first = await either.call("POST", WALK, {}, Idempotency_Key="t1")
    again = await either.call("POST", WALK, {}, Idempotency_Key="t1")
    assert (first.status, first.body) == (again.status, again.body)


async def test_limits_of_the_model_are_frozen_into_the_test(api: Api) -> None:
    model = {"code": "nb-1", "maker": "x", "model": "y", "kind": "heat_detector", "dialect": "plain"}
    await made(api, "/models", model | {"restores": False, "walk_test_s": 300, "signal_dbm_min": -110})
    await api.call("PATCH", "/devices/smoke-0001", {"model": "nb-1"}, If_Match="*")
    body = (await api.call("POST", WALK)).body
    assert body["criteria"] == {"limit_s": 300, "restores": False, "signal_dbm_min": -110}
    assert [lack["code"] for lack in body["missing"]] == ["no_alarm", "no_signal"]


async def test_what_cannot_be_tested(api: Api) -> None:
    assert refusal(await api.call("POST", "/devices/smoke-0003/walk-test")) == (409, "#", "no_place")
    assert (await api.call("POST", "/devices/none/walk-test")).status == 404
    removed = await api.call("POST", "/devices/smoke-0002/remove", {})
    assert removed.status == 200, removed.text
    assert refusal(await api.call("POST", "/devices/smoke-0002/walk-test"))[2] in ("device_removed", "no_place")


async def test_outside_his_part_of_the_tree_there_is_no_device(api: Api) -> None:
    key = await installer_of(api, "dg")
    await api.call("POST", WALK)
    for method in ("POST", "GET", "DELETE"):
        assert (await api.call(method, WALK, key=key)).status == 404
    assert (await api.call("GET", f"{WALK}/events", key=key)).status == 404
    assert (await api.call("POST", "/devices/smoke-0002/walk-test", key=key)).status == 201


async def test_no_real_call_to_whom_an_alarm_may_call(api: Api) -> None:
    await made(api, "/workers", {"code": "jia", "name": "网格员甲"})
    await made(api, "/workers/jia/contacts", {"channel": "voice", "address": "13800138000"})
    await made(api, "/grids", {"code": "g1", "name": "一网格", "place_ids": ["dg"]})
    await made(api, "/shifts", {"role": "grid_worker", "person_id": "jia", "grid_id": "g1"})
    asked = await api.call("POST", WALK, {"real_call_to": "138 0013 8000"})
    assert refusal(asked) == (409, "#/real_call_to", "on_roster")
    assert (await api.call("GET", WALK)).status == 404, "a refused start leaves nothing"
    assert refusal(await api.call("POST", WALK, {"real_call_to": "110"})) == (422, "#/real_call_to", "phone")
    allowed = await api.call("POST", WALK, {"real_call_to": "13900139000"})
    assert [each["address"] for each in allowed.body["real_messages"]] == ["139****9000"] * 2
    assert api.service.wakes == 1
    assert "13900139000" not in allowed.text


@pytest.mark.parametrize(
    ("carried", "word"), [((Channel.APP,), "GENGFU_TWILIO__ACCOUNT_SID"), ((Channel.APP, Channel.SMS), "FROM_NUMBER")]
)
async def test_without_a_provider_it_names_the_setting(api: Api, carried: tuple[Channel, ...], word: str) -> None:
    await made(api, "/workers", {"code": "jia", "name": "网格员甲"})
    contact = await made(api, "/workers/jia/contacts", {"channel": "voice", "address": "13800138000"})
    async with serving(replace(api.deps, carried=frozenset(carried))) as url:
        bare = replace(api, base_url=url)
        for path, body in (
            (WALK, {"real_call_to": "13900139000"}),
            (f"/workers/jia/contacts/{contact['id']}/verification", None),
        ):
            answer = await bare.call("POST", path, body, Accept_Language="en")
            assert answer.status == 503
            assert word in answer.body["detail"]


async def test_a_session_names_devices_and_ends(either: Api) -> None:
    api = either
    session = await made(api, "/test-sessions", {"device_ids": ["smoke-0001", "smoke-0003"], "minutes": 30})
    assert [each["id"] for each in session["devices"]] == ["smoke-0001", "smoke-0003"]
    assert all(each["test_mode"] for each in session["devices"])
    assert (await api.call("GET", "/devices/smoke-0001")).body["test_mode_until"] == session["ends_at"]
    listed = (await api.call("GET", "/test-sessions", role=Role.VIEWER)).body["items"]
    assert [each["id"] for each in listed] == [session["id"]]
    ended = await api.call("POST", f"/test-sessions/{session['id']}/end", role=Role.INSTALLER)
    again = await api.call("POST", f"/test-sessions/{session['id']}/end")
    assert (ended.status, ended.body["running"], again.body) == (200, False, ended.body)
    assert not any(each["test_mode"] for each in ended.body["devices"])
    assert (await api.call("GET", "/test-sessions")).body["items"] == []
    assert len((await api.call("GET", "/test-sessions?running=false")).body["items"]) == 1
    assert await acts(api, session["id"]) == ["end", "start"]


async def test_a_place_takes_only_what_is_not_commissioned(either: Api) -> None:
    api = either
    await made(api, "/devices", {"id": "smoke-0004", "kind": "smoke_detector", "place_id": "jd-301"})
    await api.database.write(Priority.ADMINISTRATION, lambda conn: _commission(conn, "smoke-0004"))
    session = await made(api, "/test-sessions", {"place_id": "jd"})
    assert [each["id"] for each in session["devices"]] == ["smoke-0001"]
    await api.database.write(Priority.ADMINISTRATION, lambda conn: _commission(conn, "smoke-0001"))
    assert refusal(await api.call("POST", "/test-sessions", {"place_id": "jd"})) == (
        409,
        "#/place_id",
        "nothing_to_test",
    )


def _commission(conn: Any, device_id: str) -> None:
    assert test_mode.commission(conn, device_id, SystemClock().now())


@pytest.mark.parametrize(
    ("body", "status", "pointer", "code"),
    [
        ({}, 422, "#/device_ids", "one_choice"),
        ({"device_ids": ["smoke-0001"], "place_id": "jd"}, 422, "#/device_ids", "one_choice"),
        ({"device_ids": ["smoke-0001", "none-0001"]}, 422, "#/device_ids/1", "unknown_reference"),
        ({"place_id": "none"}, 422, "#/place_id", "unknown_reference"),
        ({"place_id": "jd", "minutes": 481}, 422, "#/minutes", "less_than_equal"),
        ({"place_id": "jd", "minutes": 0}, 422, "#/minutes", "greater_than_equal"),
    ],
)
async def test_a_session_that_cannot_be(api: Api, body: Any, status: int, pointer: str, code: str) -> None:
    assert refusal(await api.call("POST", "/test-sessions", body)) == (status, pointer, code)


async def test_sessions_of_others_are_not_there(api: Api) -> None:
    key = await installer_of(api, "dg")
    other = await made(api, "/test-sessions", {"device_ids": ["smoke-0001"]})
    for body in ({"device_ids": ["smoke-0001"]}, {"place_id": "jd"}):
        assert refusal(await api.call("POST", "/test-sessions", body, key=key))[2] == "unknown_reference"
    assert (await api.call("GET", f"/test-sessions/{other['id']}", key=key)).status == 404
    assert (await api.call("POST", f"/test-sessions/{other['id']}/end", key=key)).status == 404
    mine = await api.call("POST", "/test-sessions", {"place_id": "dg"}, key=key)
    assert mine.status == 201, mine.text
    seen = (await api.call("GET", "/test-sessions", key=key)).body["items"]
    assert [each["id"] for each in seen] == [mine.body["id"]]


async def verification(api: Api, channel: str = "sms") -> str:
    await made(api, "/workers", {"code": "jia", "name": "网格员甲"})
    body = {"channel": channel} if channel == "app" else {"channel": channel, "address": "13800138000"}
    contact = await made(api, "/workers/jia/contacts", body)
    return f"/workers/jia/contacts/{contact['id']}/verification"


async def code_of(api: Api) -> str:
    text = await api.database.read(lambda conn: conn.scalar(select(probes.c.text)))
    return "".join(each for each in str(text).partition("验证码")[2][:6])


async def test_a_code_verifies_once_and_is_kept_hashed(either: Api) -> None:
    api = either
    path = await verification(api)
    assert (await api.call("GET", path)).status == 404
    asked = await api.call("POST", path)
    assert (asked.status, asked.body["state"], asked.body["verified"]) == (201, "planned", False)
    assert api.service.wakes == 1
    code = await code_of(api)
    assert code not in asked.text
    right = await api.call("POST", f"{path}/confirm", {"code": code}, Accept_Language="en")
    assert (right.status, right.body) == (200, {"verified": True, "outcome": "verified", "message": "Verified."})
    assert (await api.call("GET", path)).body["verified"] is True
    (contact,) = (await api.call("GET", "/workers/jia/contacts")).body["items"]
    assert contact["verified_at"] is not None
    assert await acts(api, contact["id"]) == ["verify", "ask_verification", "create"]


async def test_five_wrong_codes_close_it(either: Api) -> None:
    api = either
    path = await verification(api)
    await api.call("POST", path)
    code = await code_of(api)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    outcomes = [(await api.call("POST", f"{path}/confirm", {"code": wrong})).body["outcome"] for _ in range(6)]
    assert outcomes == ["wrong"] * 5 + ["too_many_tries"]
    assert (await api.call("POST", f"{path}/confirm", {"code": code})).body["outcome"] == "too_many_tries"
    assert (await api.call("GET", path)).body["tries_left"] == 0


async def test_a_code_expires_and_one_that_was_never_asked_for_is_none(api: Api) -> None:
    path = await verification(api)
    assert (await api.call("POST", f"{path}/confirm", {"code": "123456"})).body["outcome"] == "nothing_asked"
    await api.call("POST", path)
    code = await code_of(api)
    past = api.deps.clock.now() - timedelta(seconds=1)
    await api.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(update(probes).values(expires_at=past)))
    assert (await api.call("POST", f"{path}/confirm", {"code": code})).body["outcome"] == "expired"
    bad = await api.call("POST", f"{path}/confirm", {"code": "12345"})
    assert refusal(bad) == (422, "#/code", "string_pattern_mismatch")


async def test_one_code_does_not_fit_another_contact(api: Api) -> None:
    path = await verification(api)
    other = await made(api, "/workers/jia/contacts", {"channel": "sms", "address": "13900139000"})
    await api.call("POST", path)
    code = await code_of(api)
    wrong = await api.call("POST", f"/workers/jia/contacts/{other['id']}/verification/confirm", {"code": code})
    assert wrong.body["outcome"] == "nothing_asked"


async def test_who_may_ask_and_confirm(api: Api) -> None:
    path = await verification(api)
    jia = (await api.call("GET", "/workers")).body["items"][0]["id"]
    own, stranger = await api.key(Role.GRID_WORKER, jia), await api.key(Role.GRID_WORKER, "somebody")
    bound = await api.key(Role.ROSTER_PLANNER, place_id=(await api.call("GET", "/places")).body["items"][0]["id"])
    assert (await api.call("POST", path, key=own)).status == 201
    code = await code_of(api)
    for key in (stranger, bound):  # `jia` belongs to no place: only who sees everything sees him
        assert (await api.call("POST", path, key=key)).status == 404
        assert (await api.call("POST", f"{path}/confirm", {"code": code}, key=key)).status == 404
    assert (await api.call("POST", path, role=Role.OPERATOR)).status == 403
    assert (await api.call("POST", f"{path}/confirm", {"code": code}, key=own)).body["verified"] is True


async def test_a_contact_that_is_not_used_is_not_checked(api: Api) -> None:
    path = await verification(api)
    now = api.deps.clock.now()
    await api.database.write(
        Priority.ADMINISTRATION, lambda conn: conn.execute(update(contact_points).values(opted_out_at=now))
    )
    assert refusal(await api.call("POST", path))[2] == "opted_out"
    await api.database.write(
        Priority.ADMINISTRATION, lambda conn: conn.execute(update(contact_points).values(opted_out_at=None))
    )
    jia = (await api.call("GET", "/workers")).body["items"][0]["id"]
    left = await api.call("PATCH", f"/workers/{jia}", {"left_at": "2020-01-01T00:00:00Z"}, If_Match="*")
    assert left.status == 200, left.text
    assert refusal(await api.call("POST", path))[2] == "person_left"


async def test_a_test_row_survives_its_device_leaving_its_place(api: Api) -> None:
    await api.call("POST", WALK)
    await api.call("PATCH", "/devices/smoke-0001", {"place_id": "dg-301"}, If_Match="*")
    rows = await api.database.read(lambda conn: conn.scalar(select(walk_tests.c.state)))
    assert rows == "running"
    assert (await api.call("GET", WALK)).status == 200
