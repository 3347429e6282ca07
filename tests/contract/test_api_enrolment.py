"""One scan puts a device in its place: found or new, within the installer's scope, with its secret shown once."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from api.permissions import Role
from devices.labels import read_code
from tests.contract.api_support import running_api
from tests.contract.devices_support import City, build, commission, faults, imei


@pytest_asyncio.fixture
async def city(migrated_url: str) -> AsyncIterator[City]:
    async with running_api(migrated_url) as api:
        yield await build(api)


@pytest_asyncio.fixture
async def small(migrated_sqlite_url: str) -> AsyncIterator[City]:
    async with running_api(migrated_sqlite_url) as api:
        yield await build(api)


def scan(number: int, place: str = "jd-301", **more: Any) -> dict[str, Any]:
    return {"label": f"IMEI:{imei(number)};SN:S{number:06d}", "place_id": place, **more}


async def test_a_new_device_by_one_scan(city: City) -> None:
    body = scan(1, model="smoke-nb")
    first = await city.post("/enrolments", body, city.mine, Idempotency_Key="e1")
    again = await city.post("/enrolments", body, city.mine, Idempotency_Key="e1")
    assert (first.status, again.status, again.body) == (201, 201, first.body)
    told = first.body
    assert (told["id"], told["username"], len(bytes.fromhex(told["secret"]))) == (imei(1), imei(1), 16)
    assert (told["place"], told["flat_id"]) == ("金鼎小区 3栋 301", city.ids["jd-301"])
    assert read_code(told["label"]) == told["device"]["label"]
    assert told["walk_test"]["path"] == f"/api/v1/devices/{imei(1)}/walk-test"
    assert (told["walk_test"]["seconds"], told["walk_test"]["restores"]) == (180, True)
    device = await city.get(f"/devices/{imei(1)}", city.mine)
    assert device == told["device"]
    assert (device["state"], device["commissioned"], device["model"]) == ("installed", False, "smoke-nb")
    assert (device["kind"], device["supervision_window_s"]) == ("smoke_detector", 86_400)
    assert [(one["kind"], one["value"]) for one in device["identities"]] == [("imei", imei(1)), ("serial", "S000001")]
    assert device["has_credential"]
    assert (await city.get("/flats?under=jd-3", city.mine))["counts"]["to_be_tested"] == 1
    audit = (await city.get("/audit?act=enrol"))["items"]
    assert len(audit) == 1
    assert told["secret"] not in str(audit)
    stored = await city.post("/enrolments", body, city.mine)
    assert faults(stored) == [(409, "#/label", "installed_here")]


async def test_unplaced_stock_goes_to_whoever_holds_it(city: City) -> None:
    row = {"model": "smoke-nb", "identities": [{"kind": "imei", "value": imei(2)}], "id": "stock-0002"}
    assert (await city.made("/box-lists", {"items": [row]}))["created"] == 1
    assert (await city.api.call("GET", "/devices/stock-0002", key=city.mine)).status == 404
    told = await city.made("/enrolments", scan(2), city.mine)
    assert (told["id"], told["device"]["model"]) == ("stock-0002", "smoke-nb")
    assert (await city.get("/devices/stock-0002", city.mine))["place_id"] == city.ids["jd-301"]
    assert [one["value"] for one in told["device"]["identities"]] == [imei(2), "S000002"]
    (stay,) = (await city.get("/devices/stock-0002/placements", city.mine))["items"]
    assert (stay["place"], stay["to_at"], stay["reason"]) == ("金鼎小区 3栋 301", None, "placed")


async def test_what_is_installed_elsewhere_is_named_only_within_scope(city: City) -> None:
    await city.made("/enrolments", scan(3, "jd-302", model="smoke-nb"))
    await city.made("/enrolments", scan(4, "yg-101", model="smoke-nb"))
    mine = await city.post("/enrolments", scan(3), city.mine, Accept_Language="en")
    assert faults(mine) == [(409, "#/label", "installed_elsewhere")]
    assert "金鼎小区 3栋 302" in mine.body["errors"][0]["message"]
    assert "replace" in mine.body["errors"][0]["message"]
    foreign = await city.post("/enrolments", scan(4), city.mine)
    assert faults(foreign) == [(409, "#/label", "installed_out_of_scope")]
    assert "阳光花园" not in foreign.text
    taken = {"kind": "smoke_detector", "place_id": "jd-301", "identities": [{"kind": "imei", "value": imei(4)}]}
    by_hand = await city.post("/devices", {"id": "mine-0001", **taken}, city.mine)
    assert faults(by_hand) == [(409, "#/identities/0/value", "identity_known")]
    known = await city.post("/devices", {"id": "mine-0001", **taken})
    assert faults(known) == [(409, "#/identities/0/value", "identity_taken")]
    assert imei(4) in known.body["errors"][0]["message"]
    outside = await city.post("/enrolments", scan(5, "yg-101", model="smoke-nb"), city.mine)
    assert faults(outside) == [(422, "#/place_id", "unknown_reference")]


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"label": imei(1)[:-1] + str((int(imei(1)[-1]) + 1) % 10)}, "#/label", "imei_check"),
        ({"label": "这是什么"}, "#/label", "label_unknown"),
        ({"label": "some-serial-1"}, "#/label", "label_unknown"),
        ({"label": "x" * 2000}, "#/label", "string_too_long"),
        ({"label": ""}, "#/label", "label_empty"),
        ({"label": "https://gengfu.example/d/00000000"}, "#/label", "label_spare"),
        ({"model": "nothing"}, "#/model", "unknown_reference"),
        ({"model": None}, "#/model", "model_or_kind"),
        ({"place_id": "nowhere"}, "#/place_id", "unknown_reference"),
        ({"id": "abc"}, "#/id", "string_pattern_mismatch"),
    ],
)
async def test_bad_input_names_its_field_and_leaves_nothing(
    small: City, change: dict[str, Any], field: str, code: str
) -> None:
    answer = await small.post("/enrolments", scan(1, model="smoke-nb") | change, Accept_Language="en")
    assert faults(answer) == [(422, field, code)]
    if code == "imei_check":
        assert "(the 15th)" in answer.body["errors"][0]["message"]
    assert (await small.get("/devices"))["items"] == []


async def test_names_that_are_taken(small: City) -> None:
    await small.made("/devices", {"id": "cam-0001", "kind": "camera", "place_id": "jd-302", "state": "installed"})
    clash = await small.post(
        "/enrolments", {"label": "SN:S-1", "place_id": "jd-301", "model": "smoke-nb", "id": "cam-0001"}
    )
    assert faults(clash) == [(409, "#/id", "taken")]
    account = await small.post("/enrolments", scan(1, model="smoke-nb", id="gengfu-service"))
    assert faults(account) == [(409, "#/id", "taken")]
    assert faults(await small.post("/devices", {"id": "gengfu-service", "kind": "camera"})) == [(409, "#/id", "taken")]
    await small.made("/enrolments", scan(1, model="smoke-nb", id="smoke-0001"))
    clash = await small.post("/enrolments", scan(2, model="smoke-nb", id="smoke-0001"))
    assert faults(clash) == [(409, "#/id", "taken")]


async def test_a_device_registered_under_its_imei_is_found_by_it(city: City) -> None:
    await city.made("/devices", {"id": imei(8), "kind": "camera"})
    told = await city.made("/enrolments", {"label": f"IMEI={imei(8)}", "place_id": "jd-301"}, city.mine)
    assert (told["id"], told["device"]["kind"], told["device"]["state"]) == (imei(8), "camera", "installed")
    assert [one["value"] for one in told["device"]["identities"]] == [imei(8)]


async def test_one_scan_of_a_charging_station_makes_its_ports(city: City) -> None:
    body = {"label": f"http://maker.example/q?imei={imei(6)}", "place_id": "shed", "model": "station", "id": "shed-a"}
    told = await city.made("/enrolments", body, city.mine)
    names = [f"shed-a-p{number:02d}" for number in range(1, 5)]
    assert told["ports"] == names
    ports = (await city.get("/devices?parent_id=shed-a", city.mine))["items"]
    assert [(port["id"], port["port"], port["has_credential"]) for port in ports] == [
        (name, number, False) for number, name in enumerate(names, 1)
    ]
    assert {port["place_id"] for port in ports} == {city.ids["shed"]}
    assert faults(await city.post(f"/devices/{names[0]}/credential", None)) == [(409, "#", "is_port")]
    moved = await city.api.call("PATCH", f"/devices/{names[0]}", {"place_id": "jd-301"}, If_Match="*")
    assert faults(moved) == [(409, "#/place_id", "is_port")]
    await commission(city, "shed-a")
    assert {port["commissioned"] for port in (await city.get("/devices?parent_id=shed-a"))["items"]} == {True}
    removed = await city.post("/devices/shed-a/remove", None, city.mine)
    assert (removed.status, removed.body["state"]) == (200, "removed")
    assert {port["state"] for port in (await city.get("/devices?parent_id=shed-a"))["items"]} == {"removed"}
    again = await city.made("/enrolments", body, city.mine)
    assert again["ports"] == names
    assert {port["state"] for port in (await city.get("/devices?parent_id=shed-a"))["items"]} == {"installed"}


async def test_our_own_label_finds_the_device(city: City) -> None:
    told = await city.made("/enrolments", scan(7, model="smoke-nb"))
    assert (await city.post(f"/devices/{told['id']}/remove", None)).status == 200
    back = await city.made("/enrolments", {"label": f"https://x.example/d/{told['label']}", "place_id": "jd-302"})
    assert (back["id"], back["label"], back["place"]) == (told["id"], told["label"], "金鼎小区 3栋 302")
    assert back["secret"] != told["secret"]
    listed = await city.get(f"/devices?label={told['label'].lower()}")
    assert [item["id"] for item in listed["items"]] == [told["id"]]
    stays = (await city.get(f"/devices/{told['id']}/placements"))["items"]
    assert [(stay["place"], stay["reason"]) for stay in stays] == [
        ("金鼎小区 3栋 301", "placed"),
        (None, "removed"),
        ("金鼎小区 3栋 302", "placed"),
    ]


async def test_a_serial_number_that_makers_share_needs_the_model(city: City) -> None:
    for model in ("smoke-nb", "lora"):
        row = {"model": model, "identities": [{"kind": "serial", "value": "A-100200"}], "id": f"of-{model}"}
        await city.made("/box-lists", {"items": [row]})
    unclear = await city.post("/enrolments", {"label": "A-100200", "place_id": "jd-301"})
    assert faults(unclear) == [(409, "#/label", "label_ambiguous")]
    told = await city.made("/enrolments", {"label": "A-100200", "place_id": "jd-301", "model": "lora"})
    assert told["id"] == "of-lora"
    differs = await city.post("/enrolments", {"label": imei(9), "place_id": "jd-301", "model": "lora", "id": "x-0009"})
    assert differs.status == 201
    await city.post("/devices/x-0009/remove", None)
    wrong = await city.post("/enrolments", {"label": imei(9), "place_id": "jd-301", "model": "smoke-nb"})
    assert faults(wrong) == [(409, "#/model", "model_differs")]


async def test_a_lora_label_and_its_dialect(city: City) -> None:
    label = "LW:D0:24E124C0002A0001:24E124136B012345:00000000"
    told = await city.made("/enrolments", {"label": label, "place_id": "jd-301", "model": "lora"})
    (identity,) = told["device"]["identities"]
    assert identity == {"kind": "dev_eui", "value": "24E124136B012345", "dialect": "chirpstack"}
    for text in ("24E124136B012345", "24-e1-24-13-6b-01-23-45"):
        assert len((await city.get(f"/devices?identity={text}"))["items"]) == 1
    assert (await city.get("/devices?identity=24E124136B012346"))["items"] == []


async def test_a_box_list_is_loaded_once_and_every_fault_is_told(city: City) -> None:
    items = [{"model": "smoke-nb", "identities": [{"kind": "imei", "value": imei(n)}]} for n in range(300)]
    first = await city.made("/box-lists", {"items": items})
    again = await city.made("/box-lists", {"items": items})
    assert (first["created"], first["known"], again["created"], again["known"]) == (300, 0, 0, 300)
    assert first["ids"] == again["ids"] == [imei(n) for n in range(300)]
    assert len((await city.get("/devices?state=registered&limit=500"))["items"]) == 300
    bad = [
        {"model": "nothing", "identities": [{"kind": "imei", "value": imei(400)}]},
        {"model": "smoke-nb", "identities": [{"kind": "imei", "value": "123"}]},
        {"model": "smoke-nb", "identities": [{"kind": "imei", "value": imei(401)}]},
        {"model": "smoke-nb", "identities": [{"kind": "imei", "value": imei(401)}]},
        {"model": "lora", "identities": [{"kind": "imei", "value": imei(0)}]},
        {"model": "smoke-nb", "identities": [{"kind": "imei", "value": imei(402)}], "id": imei(1)},
        {"model": "smoke-nb", "identities": [{"kind": "serial", "value": "更夫"}]},
    ]
    refused = await city.post("/box-lists", {"items": bad})
    assert sorted(faults(refused)) == sorted(
        [
            (422, "#/items/0/model", "unknown_reference"),
            (422, "#/items/1/identities/0/value", "imei_length"),
            (422, "#/items/3/identities/0/value", "identity_twice"),
            (422, "#/items/4/model", "model_differs"),
            (422, "#/items/5/id", "taken"),
            (422, "#/items/6/id", "name_needed"),
        ]
    )
    assert len((await city.get("/devices?limit=500"))["items"]) == 300
    scoped = await city.post("/box-lists", {"items": items[:1]}, city.mine)
    assert scoped.status == 403
    viewer = await city.api.call("POST", "/box-lists", {"items": items[:1]}, role=Role.VIEWER)
    assert viewer.status == 403


async def test_replacement_keeps_the_history_of_both(city: City) -> None:
    old = await city.made("/enrolments", scan(20, model="smoke-nb", id="old-0001"))
    await commission(city, "old-0001")
    answer = await city.post("/devices/old-0001/replace", {"label": imei(21)}, city.mine)
    assert answer.status == 201, answer.text
    new = answer.body
    assert (new["id"], new["replaced"], new["place"]) == (imei(21), "old-0001", old["place"])
    assert (new["device"]["model"], new["device"]["state"]) == ("smoke-nb", "installed")
    gone = await city.get("/devices/old-0001", city.mine)
    assert (gone["state"], gone["replaced_by"], gone["has_credential"]) == ("removed", imei(21), False)
    stays = (await city.get("/devices/old-0001/placements", city.mine))["items"]
    assert [(stay["place"], stay["reason"]) for stay in stays] == [(old["place"], "placed"), (None, "replaced")]
    assert (await city.get(f"/devices/{imei(21)}/placements", city.mine))["items"][0]["place"] == old["place"]
    assert (await city.get("/flats/jd-301"))["status"] == "to_be_tested"
    again = await city.post("/devices/old-0001/replace", {"label": imei(22)}, city.mine)
    assert faults(again) == [(409, "#", "no_place_to_take")]
    for body, pointer, code in (
        ({}, "#/label", "one_of_label_id"),
        ({"label": imei(22), "id": "old-0001"}, "#/label", "one_of_label_id"),
        ({"id": "nothing-1"}, "#/id", "unknown_reference"),
    ):
        assert faults(await city.post(f"/devices/{imei(21)}/replace", body)) == [(422, pointer, code)]
    assert faults(await city.post(f"/devices/{imei(21)}/replace", {"id": imei(21)})) == [(409, "#/id", "itself")]
    back = await city.post(f"/devices/{imei(21)}/replace", {"id": "old-0001"}, city.mine)
    assert (back.status, back.body["device"]["state"], back.body["device"]["replaced_by"]) == (201, "installed", None)


async def test_a_replaced_station_takes_its_ports_along(city: City) -> None:
    body = {"label": imei(30), "place_id": "shed", "model": "station", "id": "shed-a"}
    await city.made("/enrolments", body)
    told = (await city.post("/devices/shed-a/replace", {"label": f"IMEI:{imei(31)}"})).body
    assert told["ports"] == [f"{imei(31)}-p{number:02d}" for number in range(1, 5)]
    old = (await city.get("/devices?parent_id=shed-a"))["items"]
    assert [(port["state"], port["replaced_by"]) for port in old] == [("removed", name) for name in told["ports"]]


async def test_outside_his_scope_a_device_is_not_there(city: City) -> None:
    await city.made("/enrolments", scan(40, "yg-101", model="smoke-nb", id="far-0001"))
    for path in ("replace", "remove", "out-of-service", "in-service", "credential", "credential/revoke"):
        body: Any = {"label": imei(41)} if path == "replace" else {"hours": 1, "reason": "x"} if "out" in path else None
        answer = await city.post(f"/devices/far-0001/{path}", body, city.mine)
        assert answer.status == 404, path
    assert (await city.api.call("GET", "/devices/far-0001/placements", key=city.mine)).status == 404
    claim = await city.post("/devices/far-0001/replace", {"id": "far-0001"}, city.mine)
    assert claim.status == 404
    await city.made("/enrolments", scan(42, "jd-301", model="smoke-nb", id="near-0001"))
    steal = await city.post("/devices/near-0001/replace", {"id": "far-0001"}, city.mine)
    assert faults(steal) == [(409, "#/id", "installed_out_of_scope")]
