"""Devices over HTTP after their enrolment: models, states, lists, history, flats, labels. On both databases."""

import re
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio

from api.permissions import Role
from devices.labels import read_code
from tests.contract.api_support import running_api
from tests.contract.devices_support import City, TurnedClock, build, commission, faults, imei


@pytest_asyncio.fixture
async def city(migrated_url: str) -> AsyncIterator[City]:
    async with running_api(migrated_url) as api:
        yield await build(api)


async def enrolled(city: City, number: int, place: str, **more: Any) -> str:
    body = {"label": imei(number), "place_id": place, "model": "smoke-nb", **more}
    return str((await city.made("/enrolments", body))["id"])


async def ids(city: City, query: str, key: str | None = None) -> list[str]:
    return [item["id"] for item in (await city.get(f"/devices?{query}", key))["items"]]


async def test_models_are_read_by_all_and_written_by_who_sees_everything(city: City) -> None:
    listed = (await city.get("/models?kind=charging_station", city.mine))["items"]
    assert [(model["code"], model["ports"]) for model in listed] == [("station", 4)]
    model = listed[0]
    assert (await city.get(f"/models/{model['id']}", city.mine)) == model
    body = {"code": "new", "maker": "M", "model": "N", "kind": "camera"}
    assert (await city.post("/models", body, city.mine)).status == 403
    changed = await city.api.call("PATCH", f"/models/{model['id']}", {"ports": 8}, key=city.mine, If_Match="*")
    assert changed.status == 403
    viewer = await city.api.call("POST", "/models", body, role=Role.VIEWER)
    assert viewer.status == 403
    patched = await city.api.call("PATCH", f"/models/{model['id']}", {"ports": 8}, If_Match='"1"')
    assert (patched.status, patched.headers["etag"], patched.body["ports"]) == (200, '"2"', 8)
    for change, field, code in (
        ({"dialect": "telegraph"}, "#/dialect", "enum"),
        ({"codec": "telegraph"}, "#/codec", "enum"),
        ({"ports": 65}, "#/ports", "less_than_equal"),
        ({"walk_test_s": 0}, "#/walk_test_s", "greater_than_equal"),
        ({"kind": "Smoke!"}, "#/kind", "string_pattern_mismatch"),
    ):
        assert faults(await city.post("/models", body | change)) == [(422, field, code)]
    assert faults(await city.post("/models", body | {"code": "station"})) == [(409, "#/code", "taken")]


async def test_a_state_by_hand_follows_the_law(city: City) -> None:
    await enrolled(city, 1, "jd-301", id="smoke-0001")
    for state, code in (("commissioned", "needs_walk_test"), ("out_of_service", "needs_period")):
        refused = await city.api.call("PATCH", "/devices/smoke-0001", {"state": state}, If_Match="*")
        assert faults(refused) == [(409, "#/state", code)]
        made = await city.post("/devices", {"id": "smoke-0009", "kind": "smoke_detector", "state": state})
        assert faults(made) == [(409, "#/state", code)]
    await commission(city, "smoke-0001")
    same = await city.api.call("PATCH", "/devices/smoke-0001", {"supervision_window_s": 60}, If_Match="*")
    assert (same.status, same.body["state"], same.body["supervision_window_s"]) == (200, "commissioned", 60)
    put = await city.api.call(
        "PUT", "/devices/smoke-0001", {"kind": "smoke_detector", "place_id": "jd-301"}, If_Match="*"
    )
    assert (put.status, put.body["state"]) == (200, "commissioned")
    stock = await city.api.call("PATCH", "/devices/smoke-0001", {"state": "registered"}, If_Match="*")
    assert faults(stock) == [(409, "#/state", "remove_first")]
    moved = await city.api.call("PATCH", "/devices/smoke-0001", {"place_id": "jd-302"}, If_Match="*")
    assert (moved.status, moved.body["state"], moved.body["commissioned"]) == (200, "installed", False)
    assert (await city.post("/devices/smoke-0001/remove", None)).body["state"] == "removed"
    assert faults(await city.post("/devices/smoke-0001/remove", None)) == [(409, "#", "is_removed")]
    assert faults(await city.post("/devices/smoke-0001/credential", None)) == [(409, "#", "is_removed")]
    back = await city.api.call("PATCH", "/devices/smoke-0001", {"state": "registered"}, If_Match="*")
    assert (back.status, back.body["state"]) == (200, "registered")
    stays = (await city.get("/devices/smoke-0001/placements"))["items"]
    assert [(stay["place_id"] and stay["place"], stay["reason"]) for stay in stays] == [
        ("金鼎小区 3栋 301", "placed"),
        ("金鼎小区 3栋 302", "moved"),
        (None, "removed"),
        ("金鼎小区 3栋 302", "placed"),
    ]
    assert all(one["to_at"] == other["from_at"] for one, other in pairwise(stays))


async def test_out_of_service_takes_a_reason_and_ends_by_itself(migrated_url: str) -> None:
    clock = TurnedClock()
    async with running_api(migrated_url, clock) as api:
        city = await build(api)
        await enrolled(city, 1, "jd-301", id="smoke-0001")
        await commission(city, "smoke-0001")
        path = "/devices/smoke-0001/out-of-service"
        later = (clock.now() + timedelta(days=91)).isoformat()
        for body, field, code in (
            ({"hours": 8}, "#/reason", "missing"),
            ({"reason": "装修"}, "#/until", "one_end"),
            ({"reason": "装修", "hours": 8, "until": later}, "#/until", "one_end"),
            ({"reason": "装修", "until": later}, "#/until", "too_far"),
            ({"reason": "装修", "until": "2020-01-01T00:00:00Z"}, "#/until", "past"),
            ({"reason": "装修", "hours": 90 * 24 + 1}, "#/hours", "less_than_equal"),
        ):
            assert faults(await city.post(path, body)) == [(422, field, code)]
        out = await city.post(path, {"hours": 8, "reason": "装修，断电"}, city.mine)
        assert (out.status, out.body["state"], out.body["commissioned"]) == (200, "out_of_service", True)
        assert out.body["out_of_service_reason"] == "装修，断电"
        assert await ids(city, "state=out_of_service") == ["smoke-0001"]
        assert await ids(city, "state=commissioned") == []
        patched = await city.api.call("PATCH", "/devices/smoke-0001", {"supervision_window_s": 60}, If_Match="*")
        assert (patched.status, patched.body["state"]) == (200, "out_of_service")
        longer = await city.post(path, {"hours": 24, "reason": "还没修好"})
        assert longer.body["out_of_service_reason"] == "还没修好"
        clock.ahead = timedelta(hours=24, seconds=1)
        ended = await city.get("/devices/smoke-0001")
        assert (ended["state"], ended["out_of_service_until"]) == ("commissioned", None)
        assert await ids(city, "state=out_of_service") == []
        assert await ids(city, "state=commissioned") == ["smoke-0001"]
        assert faults(await city.post("/devices/smoke-0001/in-service", None)) == [(409, "#", "not_out_of_service")]
        await city.post(path, {"hours": 1, "reason": "装修"})
        early = await city.post("/devices/smoke-0001/in-service", None)
        assert (early.status, early.body["state"]) == (200, "commissioned")
        await city.made("/devices", {"id": "stock-0001", "kind": "smoke_detector"})
        stock = await city.post("/devices/stock-0001/out-of-service", {"hours": 1, "reason": "x"})
        assert faults(stock) == [(409, "#", "not_installed")]
        acts = [row["act"] for row in (await city.get("/audit?object_id=smoke-0001"))["items"]]
        assert acts.count("out_of_service") == 3
        assert acts.count("in_service") == 1


async def test_lists_are_narrowed_by_what_installers_ask(city: City) -> None:
    for number, place in enumerate(("jd-301", "jd-302", "shed", "yg-101")):
        await enrolled(city, number, place, id=f"dev-000{number}")
    await city.made("/devices", {"id": "stock-0001", "kind": "camera"})
    await commission(city, "dev-0000")
    await city.post("/devices/dev-0001/remove", None)
    assert await ids(city, "under=jd") == ["dev-0000", "dev-0001", "dev-0002"]
    assert await ids(city, "under=jd-3&commissioned=true") == ["dev-0000"]
    assert await ids(city, "under=jd&commissioned=false") == ["dev-0002"]
    assert await ids(city, "commissioned=false") == ["dev-0002", "dev-0003", "stock-0001"]
    assert await ids(city, "model=smoke-nb&state=removed") == ["dev-0001"]
    assert await ids(city, f"identity={imei(3)}") == ["dev-0003"]
    assert await ids(city, f"identity={imei(3)}", city.mine) == []
    assert await ids(city, "commissioned=false", city.mine) == ["dev-0002"]
    foreign = await city.api.call("GET", "/devices?under=yg", key=city.mine)
    assert faults(foreign) == [(422, "?under", "unknown_reference")]
    assert faults(await city.api.call("GET", "/devices?label=12345678")) == [(422, "?label", "label_check")]
    assert faults(await city.api.call("GET", "/devices?model=none")) == [(422, "?model", "unknown_reference")]


async def test_identities_belong_to_one_device(city: City) -> None:
    named = [{"kind": "imei", "value": f"{imei(1)[:6]} {imei(1)[6:]}"}, {"kind": "serial", "value": "A1"}]
    device = await city.made("/devices", {"id": "dev-0001", "kind": "camera", "identities": named, "model": "lora"})
    assert device["identities"] == [
        {"kind": "imei", "value": imei(1), "dialect": "chirpstack"},
        {"kind": "serial", "value": "A1", "dialect": "chirpstack"},
    ]
    same_serial = {"id": "dev-0002", "kind": "camera", "identities": [{"kind": "serial", "value": "A1"}]}
    assert (await city.post("/devices", same_serial)).status == 201, "another dialect, another maker"
    other = {"id": "dev-0003", "kind": "camera", "identities": [{"kind": "imei", "value": imei(1)}]}
    assert faults(await city.post("/devices", other)) == [(409, "#/identities/0/value", "identity_taken")]
    wrong = {"id": "dev-0003", "kind": "camera", "identities": [{"kind": "imei", "value": "861234567890120"}]}
    assert faults(await city.post("/devices", wrong)) == [(422, "#/identities/0/value", "imei_check")]
    patched = await city.api.call("PATCH", "/devices/dev-0001", {"kind": "siren"}, If_Match="*")
    assert (patched.status, patched.body["identities"]) == (200, device["identities"])
    freed = await city.api.call("PATCH", "/devices/dev-0001", {"identities": []}, If_Match="*")
    assert freed.body["identities"] == []
    assert (await city.post("/devices", other)).status == 201


async def test_a_credential_is_revoked_once(city: City) -> None:
    await enrolled(city, 1, "jd-301", id="smoke-0001")
    first = await city.post("/devices/smoke-0001/credential/revoke", None, city.mine)
    again = await city.post("/devices/smoke-0001/credential/revoke", None, city.mine)
    assert (first.status, first.body["has_credential"], again.status) == (200, False, 200)
    rows = (await city.get("/audit?act=revoke_credential"))["items"]
    assert len(rows) == 1


async def test_from_door_to_door(city: City) -> None:
    start = await city.get("/flats?under=jd-3", city.mine)
    assert [(flat["name"], flat["status"]) for flat in start["items"]] == [("301", None), ("302", None)]
    assert start["counts"] == {
        "installed": 0,
        "nobody_home": 0,
        "refused": 0,
        "to_be_tested": 0,
        "not_visited": 2,
    }
    body = {"status": "nobody_home", "note": "下午再来"}
    first = await city.api.call("PUT", "/flats/jd-301", body, key=city.mine)
    assert (first.status, first.headers["etag"], first.body["place"]) == (201, '"1"', "金鼎小区 3栋 301")
    assert (await city.api.call("PUT", "/flats/jd-301", body, key=city.mine)).status == 428
    second = await city.api.call("PUT", "/flats/jd-301", {"status": "refused"}, key=city.mine, If_Match='"1"')
    assert (second.status, second.body["status"], second.body["note"]) == (200, "refused", None)
    assert (await city.api.call("PUT", "/flats/jd-301", body, key=city.mine, If_Match='"1"')).status == 412
    await enrolled(city, 1, "jd-302", id="smoke-0001")
    await enrolled(city, 2, "jd-302", id="smoke-0002")
    assert (await city.get("/flats?under=jd&status=to_be_tested", city.mine))["items"][0]["name"] == "302"
    await commission(city, "smoke-0001")
    assert (await city.get("/flats/jd-302"))["status"] == "to_be_tested", "one device of two"
    await commission(city, "smoke-0002")
    assert (await city.get("/flats/jd-302"))["status"] == "installed"
    assert (await city.get("/flats?under=jd"))["counts"]["installed"] == 1
    page = await city.get("/flats?under=xy&limit=2")
    rest = await city.get(f"/flats?under=xy&limit=2&cursor={page['next']}")
    assert [flat["name"] for flat in page["items"] + rest["items"]] == ["301", "302", "101"]
    assert (await city.get("/flats?under=yg&status=not_visited"))["items"][0]["name"] == "101"
    assert faults(await city.api.call("PUT", "/flats/shed", body)) == [(422, "id", "not_a_flat")]
    assert (await city.api.call("PUT", "/flats/yg-101", body, key=city.mine)).status == 404
    assert (await city.api.call("GET", "/flats/yg-101", key=city.mine)).status == 404
    assert faults(await city.api.call("GET", "/flats?under=yg", key=city.mine)) == [
        (422, "?under", "unknown_reference")
    ]
    assert (await city.api.call("GET", "/flats")).status == 422


async def test_labels_are_given_once_and_printed(city: City) -> None:
    for number in range(26):
        place = "jd-301" if number % 2 else "shed"
        await city.made("/devices", {"id": f"dev-{number:04d}", "kind": "smoke_detector", "place_id": place})
    bare = await city.api.call("GET", "/labels?under=jd")
    assert faults(bare) == [(409, "?under", "without_label")]
    given = await city.made("/labels", {"under": "jd"}, city.mine)
    codes = [item["label"] for item in given["items"]]
    assert (given["made"], len(set(codes))) == (26, 26)
    assert all(read_code(item["text"]) == item["label"] for item in given["items"])
    again = await city.made("/labels", {"device_ids": ["dev-0003"]}, city.mine)
    assert (again["made"], again["items"][0]["label"]) == (0, codes[3])
    async with city.api.session.get(
        f"{city.api.base_url}/api/v1/labels?under=jd", headers={"Authorization": f"Bearer {city.mine}"}
    ) as response:
        assert (response.status, response.content_type, response.headers["gengfu-pages"]) == (
            200,
            "application/pdf",
            "2",
        )
        content = await response.read()
    pages = [zlib.decompress(part) for part in re.findall(rb"stream\n(.*?)\nendstream", content, re.DOTALL)]
    text = b"".join(pages).decode("latin-1")
    assert all(f"({code[:4]}-)" in text and f"({code[4:]})" in text for code in codes)
    assert "(smoke detector)" in text
    svg = await city.api.call("GET", "/labels?device_id=dev-0003&format=svg&sheet=50x30", key=city.mine)
    assert (svg.status, svg.headers["content-type"]) == (200, "image/svg+xml")
    assert 'width="50mm" height="30mm"' in svg.text
    assert codes[3][4:] in svg.text
    assert "301" not in svg.text.split("<text")[-1]
    for query, field, code in (
        ("under=jd&format=svg&page=3", "?page", "less_than_equal"),
        ("device_id=none", "?device_id.0", "unknown_reference"),
        ("", "?under", "missing"),
        ("under=yg-101", "?under", "no_labels"),
        ("under=jd&address=javascript:1", "?address", "string_pattern_mismatch"),
        ("under=jd&sheet=a3", "?sheet", "enum"),
    ):
        assert faults(await city.api.call("GET", f"/labels?{query}")) == [(422, field, code)]
    await city.made("/devices", {"id": "far-0001", "kind": "camera", "place_id": "yg-101"})
    for body, pointer in (({"device_ids": ["dev-0001", "far-0001"]}, "#/device_ids/1"), ({"under": "yg"}, "#/under")):
        assert faults(await city.post("/labels", body, city.mine)) == [(422, pointer, "unknown_reference")]


@pytest.mark.parametrize("path", ["/labels?under=jd", "/flats?under=jd", "/models", "/devices"])
async def test_field_workers_do_not_read_the_registry(city: City, path: str) -> None:
    assert (await city.api.call("GET", path, role=Role.GRID_WORKER)).status == 403


@pytest.mark.parametrize("text", ["%00", "a%00b", "%F0%9F%94%A5", "x" * 128])
async def test_any_text_in_a_filter_finds_nothing_and_breaks_nothing(city: City, text: str) -> None:
    assert await ids(city, f"identity={text}") == []
    for query in (f"model={text}", f"label={text}", f"under={text}"):
        assert (await city.api.call("GET", f"/devices?{query}")).status == 422
    for path in ("flats", "models", "devices"):
        assert (await city.api.call("GET", f"/{path}/{text}")).status in (404, 422)


async def test_any_text_in_a_body_is_a_device_or_a_named_field(city: City) -> None:
    await enrolled(city, 1, "jd-301", id="smoke-0001")
    for text in ("\0", "a\0b", "\ud83d", "🔥", "'; --", "\u202e"):
        for path, body in (
            ("/enrolments", {"label": text, "place_id": "jd-301", "model": "smoke-nb"}),
            ("/enrolments", {"label": imei(5), "place_id": text}),
            ("/devices/smoke-0001/out-of-service", {"hours": 1, "reason": text}),
            ("/models", {"code": "x", "maker": text, "model": "M", "kind": "camera"}),
            ("/box-lists", {"items": [{"model": "lora", "identities": [{"kind": "other", "value": text}]}]}),
        ):
            answer = await city.post(path, body)
            assert answer.status in (200, 201, 400, 409, 422), (path, text, answer.text)
        flat = await city.api.call("PUT", "/flats/jd-302", {"status": "refused", "note": text}, If_Match="*")
        assert flat.status in (200, 201, 400, 422), (text, flat.text)


async def test_a_device_names_its_gateway(city: City) -> None:
    for id_ in ("gate-0001", "gate-0002"):
        await city.made("/devices", {"id": id_, "kind": "radio_gateway", "place_id": "jd"})
    made = await city.made("/devices", {"id": "lora-0001", "kind": "smoke_detector", "gateway_id": "gate-0001"})
    assert made["gateway_id"] == "gate-0001"
    patched = await city.api.call("PATCH", "/devices/lora-0001", {"gateway_id": "gate-0002"}, If_Match="*")
    assert (patched.status, patched.body["gateway_id"]) == (200, "gate-0002")
    kept = await city.api.call("PATCH", "/devices/lora-0001", {"kind": "heat_detector"}, If_Match="*")
    assert kept.body["gateway_id"] == "gate-0002"

    for wanted, code in (
        ("gate-0009", "unknown_reference"),
        ("lora-0001", "not_a_gateway"),
    ):
        refused = await city.api.call("PATCH", "/devices/lora-0001", {"gateway_id": wanted}, If_Match="*")
        assert faults(refused) == [(422, "#/gateway_id", code)]
    behind = await city.api.call("PATCH", "/devices/gate-0001", {"gateway_id": "lora-0001"}, If_Match="*")
    assert faults(behind) == [(422, "#/gateway_id", "not_a_gateway")], "a gateway speaks for itself"
    await city.made("/devices", {"id": "gate-far", "kind": "radio_gateway", "place_id": "yg"})
    mine = {"id": "lora-0002", "kind": "smoke_detector", "place_id": "jd", "gateway_id": "gate-far"}
    foreign = await city.post("/devices", mine, city.mine)
    assert faults(foreign) == [(422, "#/gateway_id", "unknown_reference")]
