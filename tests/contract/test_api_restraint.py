"""Maintenance windows and work orders over HTTP, on both databases: limits, scope, state, what they silence."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from api.permissions import Role
from devices.taxonomy import TAXONOMY
from tests.contract.api_support import Answer, Api, running_api
from tests.contract.test_api_registry import at_field, made


@pytest_asyncio.fixture
async def api(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        above = None
        for kind in ("street", "community", "compound", "building", "room"):
            body: dict[str, Any] = {"kind": kind, "code": kind, "name": f"{kind}名"}
            place = await made(running, "/places", body | ({"parent_id": above} if above else {}))
            above = place["id"]
        await made(running, "/places", {"kind": "compound", "code": "other", "name": "别处"})
        for device_id, place_id in (("smoke-0001", "room"), ("smoke-0002", "other")):
            await made(running, "/devices", {"id": device_id, "kind": "smoke_detector", "place_id": place_id})
        yield running


A_WINDOW = {"place_id": "building", "hours": 4, "reason": "更换电池"}


async def test_a_window_is_made_listed_and_ended(api: Api) -> None:
    window = await made(api, "/maintenance-windows", A_WINDOW)
    assert (window["state"], window["reason"], window["silent_incidents"]) == ("running", "更换电池", 0)
    assert window["made_by"]
    read = await api.call("GET", f"/maintenance-windows/{window['id']}", role=Role.VIEWER)
    assert read.body == window
    assert [each["id"] for each in (await api.call("GET", "/maintenance-windows")).body["items"]] == [window["id"]]
    for _ in range(2):
        ended = await api.call("POST", f"/maintenance-windows/{window['id']}/end", role=Role.SUPERVISOR)
        assert (ended.status, ended.body["state"]) == (200, "ended_early")
    assert (await api.call("GET", "/maintenance-windows")).body["items"] == []
    every = (await api.call("GET", "/maintenance-windows?running=false")).body["items"]
    assert [each["state"] for each in every] == ["ended_early"]
    audited = (await api.call("GET", f"/audit?object_id={window['id']}")).body["items"]
    assert [each["act"] for each in audited] == ["end", "begin"]


async def test_a_planned_one_is_planned(api: Api) -> None:
    starts = api.deps.clock.now() + timedelta(days=1)
    until = (starts + timedelta(hours=24)).isoformat()
    body = {"device_id": "smoke-0001", "starts_at": starts.isoformat(), "until": until, "reason": "检修"}
    assert (await made(api, "/maintenance-windows", body))["state"] == "planned"


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"place_id": "community"}, "#/place_id", "window_too_large"),
        ({"place_id": "street"}, "#/place_id", "window_too_large"),
        ({"place_id": "nowhere"}, "#/place_id", "unknown_reference"),
        ({"device_id": "smoke-0001"}, "#/place_id", "place_or_device"),
        ({"place_id": None}, "#/place_id", "place_or_device"),
        ({"place_id": None, "device_id": "smoke-9999"}, "#/device_id", "unknown_reference"),
        ({"hours": 25}, "#/hours", "less_than_equal"),
        ({"hours": None}, "#/hours", "hours_or_until"),
        ({"hours": None, "until": "2099-01-01T00:00:00Z"}, "#/until", "window_length"),
        ({"hours": None, "until": "2001-01-01T00:00:00Z"}, "#/until", "window_length"),
        ({"starts_at": "2001-01-01T00:00:00Z"}, "#/starts_at", "window_start"),
        ({"starts_at": "2099-01-01T00:00:00Z"}, "#/starts_at", "window_start"),
        ({"reason": ""}, "#/reason", "string_too_short"),
    ],
)
async def test_a_window_within_limits_only(api: Api, change: dict[str, Any], pointer: str, code: str) -> None:
    body = {name: value for name, value in (A_WINDOW | change).items() if value is not None}
    assert at_field(await api.call("POST", "/maintenance-windows", body)) == (422, pointer, code)
    english = await api.call("POST", "/maintenance-windows", body, Accept_Language="en")
    assert english.body["errors"][0]["message"].isascii()


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.INSTALLER, Role.ROSTER_PLANNER, Role.AUDITOR, Role.VIEWER])
async def test_supervisors_and_administrators_alone_make_windows(api: Api, role: Role) -> None:
    assert (await api.call("POST", "/maintenance-windows", A_WINDOW, role=role)).status == 403


async def test_of_other_places_nothing_is_seen(api: Api) -> None:
    window = await made(api, "/maintenance-windows", A_WINDOW)
    key = await api.key(Role.SUPERVISOR, place_id=await place_of(api, "other"))
    assert (await api.call("GET", "/maintenance-windows", key=key)).body["items"] == []
    assert (await api.call("GET", f"/maintenance-windows/{window['id']}", key=key)).status == 404
    assert (await api.call("POST", f"/maintenance-windows/{window['id']}/end", key=key)).status == 404
    refused = await api.call("POST", "/maintenance-windows", A_WINDOW, key=key)
    assert at_field(refused)[2] == "unknown_reference"
    own = await api.call("POST", "/maintenance-windows", A_WINDOW | {"place_id": "other"}, key=key)
    assert own.status == 201


def keys(answer: Answer) -> list[tuple[str, list[str]]]:
    return [(each["device_id"], [item["code"] for item in each["items"]]) for each in answer.body["items"]]


async def test_work_orders_by_place_and_device(api: Api) -> None:
    for device_id, code, cls in (
        ("smoke-0001", "device.low_battery", "T"),
        ("smoke-0001", "device.tamper", "T"),
        ("smoke-0002", "lane.blocked", "S"),
        ("smoke-0002", "fire.smoke", "A"),
    ):
        await an_incident(api, device_id, code, cls)
    both = await api.call("GET", "/work-orders", role=Role.INSTALLER)
    assert sorted(keys(both)) == [
        ("smoke-0001", ["device.tamper", "device.low_battery"]),
        ("smoke-0002", ["lane.blocked"]),
    ]
    first = both.body["items"][0]
    assert first["age_s"] >= 0
    below = await api.call("GET", "/work-orders?place_id=compound")
    assert [device for device, _ in keys(below)] == ["smoke-0001"]
    assert [each["kind"] for each in (await items(api, "kind=supervisory"))] == ["supervisory"]
    assert await items(api, "older_than_h=1") == []
    assert [each["code"] for each in await items(api, "code=device.tamper")] == ["device.tamper"]
    page = await api.call("GET", "/work-orders?limit=1")
    following = await api.call("GET", f"/work-orders?limit=1&cursor={page.body['next']}")
    assert keys(page) + keys(following) == keys(both)
    assert following.body["next"] is None
    key = await api.key(Role.VIEWER, place_id=await place_of(api, "other"))
    assert keys(await api.call("GET", "/work-orders", key=key)) == [("smoke-0002", ["lane.blocked"])]


async def items(api: Api, query: str) -> list[dict[str, Any]]:
    orders = (await api.call("GET", f"/work-orders?{query}")).body["items"]
    return [item for order in orders for item in order["items"]]


async def place_of(api: Api, code: str) -> str:
    every = (await api.call("GET", "/places?limit=500")).body["items"]
    return next(str(each["id"]) for each in every if each["code"] == code)


async def an_incident(api: Api, device_id: str, code: str, cls: str) -> None:
    place = (await api.call("GET", f"/devices/{device_id}")).body["place_id"]
    severity = TAXONOMY[code].severity
    await api.incident(
        device_id=device_id, code=code, cls=cls, place_id=place, severity=severity, dedup_key=f"v1:{code}:{device_id}"
    )
