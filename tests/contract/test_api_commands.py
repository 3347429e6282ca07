"""Who may be made to do what, and commands by hand: over HTTP, on both databases, refusals on record."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from api.permissions import Role
from tests.contract.api_support import Answer, running_api
from tests.contract.devices_support import City, build, faults

CUT = {"action": "cut_power", "reason": "现场冒烟，先断电"}
STATION, DETECTOR = "charger-0001", "smoke-0001"


@pytest_asyncio.fixture
async def city(migrated_url: str) -> AsyncIterator[City]:
    async with running_api(migrated_url) as api:
        city = await build(api)
        model = {"code": "cutter", "maker": "Maker", "model": "C9", "kind": "charging_station"}
        await city.made("/models", model | {"actions": ["cut_power"]})
        for id_, kind, more in ((STATION, "charging_station", {"model": "cutter"}), (DETECTOR, "smoke_detector", {})):
            await city.made("/devices", {"id": id_, "kind": kind, "place_id": "shed", **more})
        yield city


async def put(city: City, device_id: str, body: Any, **options: Any) -> Answer:
    return await city.api.call("PUT", f"/devices/{device_id}/actions", body, **options)


async def permit(city: City, device_id: str = STATION) -> None:
    answer = await put(city, device_id, {"cut_power": {"permitted": True}})
    assert answer.status == 200, answer.text


async def command(city: City, device_id: str = STATION, body: Any = None, **options: Any) -> Answer:
    return await city.api.call("POST", f"/devices/{device_id}/commands", body or CUT, **options)


async def listed(city: City, query: str = "") -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = (await city.get(f"/commands{query}"))["items"]
    return items


async def audited(city: City, device_id: str = STATION) -> list[dict[str, Any]]:
    rows = (await city.get(f"/audit?object_id={device_id}"))["items"]
    return [row for row in rows if row["act"] not in ("create", "placed")]


async def test_nothing_is_permitted_until_somebody_permits_it(city: City) -> None:
    before = await city.get(f"/devices/{STATION}/actions")
    nobody = {"permitted": False, "permitted_by": None, "permitted_at": None}
    assert before["cut_power"] == {"declared": True, **nobody}, "its model can"
    assert before["sound_siren"] == {"declared": False, **nobody}
    await permit(city)
    after = (await city.get(f"/devices/{STATION}/actions"))["cut_power"]
    assert (after["permitted"], after["permitted_at"] is not None) == (True, True)
    (row,) = [row for row in await audited(city) if row["act"] == "actions"]
    assert set(row["detail"]) == {"cut_power"}
    forbidden = await put(city, STATION, {"cut_power": {"permitted": False}})
    assert forbidden.body["cut_power"] == {"declared": True, **nobody}


async def test_what_was_never_declared_cannot_be_permitted(city: City) -> None:
    refused = await put(city, DETECTOR, {"cut_power": {"permitted": True}})
    assert faults(refused) == [(409, "#/cut_power/permitted", "action_not_declared")]
    assert "PUT /devices/smoke-0001/actions" in refused.body["errors"][0]["message"]
    both = await put(city, DETECTOR, {"cut_power": {"declared": True, "permitted": True}})
    assert (both.body["cut_power"]["declared"], both.body["cut_power"]["permitted"]) == (True, True)
    undeclared = await put(city, DETECTOR, {"cut_power": {"declared": False}})
    assert (undeclared.body["cut_power"]["declared"], undeclared.body["cut_power"]["permitted"]) == (False, False)


@pytest.mark.parametrize("role", [Role.INSTALLER, Role.OPERATOR, Role.SUPERVISOR])
async def test_only_an_administrator_permits(city: City, role: Role) -> None:
    assert (await put(city, STATION, {"cut_power": {"permitted": True}}, role=role)).status == 403


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPERVISOR])
async def test_by_hand_it_is_committed_audited_and_listed(city: City, role: Role) -> None:
    await permit(city)
    incident = await city.api.incident(place_id=city.ids["shed"])
    asked = await command(city, body=CUT | {"incident": incident, "args": {"port": 3}}, role=role)
    assert asked.status == 202, asked.text
    made = asked.body
    assert asked.headers["location"] == f"/api/v1/commands/{made['id']}"
    assert (made["state"], made["args"], made["incident_id"]) == ("planned", {"port": 3}, incident)
    assert made["asked_why"] == CUT["reason"]
    assert await city.get(f"/commands/{made['id']}") == made
    assert [each["id"] for each in await listed(city, f"?device={STATION}&incident={incident}&state=planned")] == [
        made["id"]
    ]
    assert await listed(city, "?state=done") == []
    (row,) = [row for row in await audited(city) if row["act"] == "command"]
    assert (row["detail"]["command"], row["detail"]["why"]) == (made["id"], CUT["reason"])
    timeline = (await city.get(f"/incidents/{incident}/timeline"))["items"]
    (line,) = [entry for entry in timeline if entry["kind"] == "command"]
    assert (line["reason"], line["data"]["why"]) == ("commanded", CUT["reason"])
    (written,) = city.api.service.written
    assert written.commanded, "whoever holds the broker's connection is woken"


async def test_one_key_is_one_command(city: City) -> None:
    await permit(city)
    first = await command(city, Idempotency_Key="k-1")
    again = await command(city, Idempotency_Key="k-1")
    assert (first.status, again.status, again.body) == (202, 202, first.body)
    assert len(await listed(city)) == 1
    other = await command(city, body=CUT | {"reason": "另一个原因"}, Idempotency_Key="k-1")
    assert other.status == 422


@pytest.mark.parametrize(
    ("device_id", "status", "code", "reason"),
    [(DETECTOR, 409, "action_not_declared", "not_declared"), (STATION, 403, "action_not_permitted", "not_permitted")],
)
async def test_a_refusal_names_the_remedy_and_is_on_record(
    city: City, device_id: str, status: int, code: str, reason: str
) -> None:
    incident = await city.api.incident(place_id=city.ids["shed"])
    refused = await command(city, device_id, CUT | {"incident": incident}, role=Role.OPERATOR)
    assert faults(refused) == [(status, "#/action", code)]
    for language, word in (("zh-CN", "管理员"), ("en", "administrator")):
        said = await command(city, device_id, CUT, role=Role.OPERATOR, Accept_Language=language)
        assert word in said.body["errors"][0]["message"]
    rows = [row for row in await audited(city, device_id) if row["act"] == "command_refused"]
    assert [row["detail"]["refused"] for row in rows] == [reason] * 3
    newest = (await listed(city, "?state=refused"))[-1]
    assert (newest["reason"], newest["id"]) == (reason, refused.body["command"])
    timeline = (await city.get(f"/incidents/{incident}/timeline"))["items"]
    assert [(e["kind"], e["reason"]) for e in timeline] == [("command_refused", reason)]
    assert not any(written.commanded for written in city.api.service.written)


async def test_what_cannot_be_commanded_says_why(city: City) -> None:
    await permit(city)
    assert faults(await command(city, body=CUT | {"incident": "nowhere"})) == [(422, "#/incident", "unknown_reference")]
    assert faults(await command(city, body={"action": "open_door", "reason": "x"}))[0][:2] == (422, "#/action")
    assert (await command(city, body={"action": "cut_power"})).status == 422, "a reason is compulsory"
    assert (await command(city, body=CUT | {"expires_s": 1})).status == 422
    assert (await command(city, "nobody-0001")).status == 404
    assert (await city.post(f"/devices/{STATION}/remove", None)).status == 200
    assert faults(await command(city)) == [(409, "#", "removed_not_commanded")]


async def test_outside_his_scope_there_is_nothing(city: City) -> None:
    await permit(city)
    made = (await command(city)).body
    elsewhere = await city.api.key(Role.SUPERVISOR, place_id=city.ids["yg"])
    here = await city.api.key(Role.SUPERVISOR, place_id=city.ids["jd"])
    assert (await command(city, key=elsewhere)).status == 404
    assert (await city.api.call("GET", f"/commands/{made['id']}", key=elsewhere)).status == 404
    assert (await city.api.call("GET", "/commands", key=elsewhere)).body["items"] == []
    assert (await city.api.call("GET", f"/devices/{STATION}/actions", key=elsewhere)).status == 404
    assert [each["id"] for each in (await city.api.call("GET", "/commands", key=here)).body["items"]] == [made["id"]]


async def test_a_worker_and_a_viewer_command_nothing(city: City) -> None:
    await permit(city)
    for role in (Role.VIEWER, Role.GRID_WORKER, Role.INSTALLER, Role.AUDITOR):
        assert (await command(city, role=role)).status == 403
    assert await listed(city) == []
