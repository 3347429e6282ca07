"""Organisations and what a compound is, over HTTP, on both databases: 三无 is derived, one company serves many."""

import itertools
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from api.permissions import Role
from devices.model import COMPOUND_TYPES, Committee, CompoundType
from tests.contract.api_support import Answer, Api, running_api


@pytest_asyncio.fixture
async def api(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        for code, kind, name, parent in (
            ("jns", "street", "金牛山街道", None),
            ("wx", "street", "五星街道", None),
            ("jd", "compound", "金鼎小区", "jns"),
            ("yg", "compound", "阳光花园", "wx"),
            ("jd-1", "building", "1栋", "jd"),
        ):
            await made(running, "/places", {"kind": kind, "name": name, "code": code, "parent_id": parent})
        for code, kind in (("wuye", "property_company"), ("wuye-2", "property_company"), ("danwei", "unit")):
            await made(running, "/organisations", {"kind": kind, "code": code, "name": f"单位{code}"})
        yield running


async def made(api: Api, path: str, body: dict[str, Any], **options: Any) -> Any:
    answer = await api.call("POST", path, body, **options)
    assert answer.status == 201, answer.text
    return answer.body


def at_field(answer: Answer) -> tuple[int, str, str]:
    (error,) = answer.body["errors"]
    return answer.status, error["pointer"], error["code"]


def codes(answer: Answer) -> list[str]:
    return sorted(item["code"] for item in answer.body["items"])


async def organisation(api: Api, code: str) -> Any:
    return next(item for item in (await api.call("GET", "/organisations")).body["items"] if item["code"] == code)


async def test_a_compound_nobody_has_described(api: Api) -> None:
    read = await api.call("GET", "/compounds/jd")
    assert (read.status, read.headers["etag"]) == (200, '"0"')
    assert (read.body["type"], read.body["committee"], read.body["three_without"]) == (None, None, None)
    assert codes(await api.call("GET", "/compounds")) == ["jd", "yg"]
    assert codes(await api.call("GET", "/compounds?three_without=true")) == []
    assert codes(await api.call("GET", "/compounds?three_without=false")) == []


async def test_described_changed_and_read_again(api: Api) -> None:
    company, unit = await organisation(api, "wuye"), await organisation(api, "danwei")
    body = {
        "type": "staff_housing",
        "committee": "self_management",
        "property_company_id": "wuye",
        "supervising_unit_id": "danwei",
        "partner_unit_id": unit["id"],
    }
    assert (await api.call("PUT", "/compounds/jd", body)).status == 428
    put = await api.call("PUT", "/compounds/jd", body, If_Match='"0"')
    assert (put.status, put.body["version"], put.body["three_without"]) == (200, 1, False)
    assert (put.body["property_company_id"], put.body["partner_unit_id"]) == (company["id"], unit["id"])
    assert (await api.call("PUT", "/compounds/jd", body, If_Match='"0"')).status == 412
    patched = await api.call("PATCH", f"/compounds/{put.body['id']}", {"type": "old"}, If_Match='"1"')
    assert (patched.body["type"], patched.body["committee"], patched.body["version"]) == ("old", "self_management", 2)
    assert (await api.call("GET", "/compounds/jd")).body == patched.body


async def test_three_without_is_what_has_nobody(api: Api) -> None:
    for company, committee, unit in itertools.product((None, "wuye"), Committee, (None, "danwei")):
        body = {"committee": committee.value, "property_company_id": company, "supervising_unit_id": unit}
        put = await api.call("PUT", "/compounds/jd", body | {"partner_unit_id": "danwei"}, If_Match="*")
        expected = company is None and committee is Committee.NONE and unit is None
        assert put.body["three_without"] is expected, body
        listed = codes(await api.call("GET", f"/compounds?three_without={str(expected).lower()}"))
        assert listed == ["jd"]
        assert codes(await api.call("GET", f"/compounds?three_without={str(not expected).lower()}")) == []
    typed = await api.call("PATCH", "/compounds/jd", {"three_without": True}, If_Match="*")
    assert at_field(typed) == (422, "#/three_without", "extra_forbidden")


async def test_one_company_serves_many_compounds(api: Api) -> None:
    for code in ("jd", "yg"):
        body = {"committee": "none", "property_company_id": "wuye", "type": "commercial"}
        assert (await api.call("PUT", f"/compounds/{code}", body, If_Match="*")).status == 200
    assert codes(await api.call("GET", "/compounds?property_company=wuye")) == ["jd", "yg"]
    assert codes(await api.call("GET", "/compounds?property_company=wuye-2")) == []
    assert codes(await api.call("GET", "/compounds?property_company=wuye&under=wx&type=commercial")) == ["yg"]
    assert codes(await api.call("GET", "/compounds?type=old")) == []
    company = await organisation(api, "wuye")
    path = f"/organisations/{company['id']}"
    assert at_field(await api.call("DELETE", path, If_Match="*")) == (409, "#", "has_compounds")
    assert at_field(await api.call("PATCH", path, {"kind": "unit"}, If_Match="*")) == (409, "#/kind", "has_compounds")
    for code in ("jd", "yg"):
        await api.call("PATCH", f"/compounds/{code}", {"property_company_id": None}, If_Match="*")
    assert (await api.call("DELETE", path, If_Match="*")).status == 204
    assert (await api.call("GET", path)).status == 404


async def test_what_cannot_stand(api: Api) -> None:
    for reference in ("jd-1", "jns"):
        for method in ("GET", "PUT", "PATCH"):
            answer = await api.call(method, f"/compounds/{reference}", {"committee": "none"}, If_Match="*")
            assert at_field(answer) == (422, "#", "not_a_compound"), (method, answer.text)
    assert (await api.call("GET", "/compounds/none")).status == 404
    for change, field, code in (
        ({"property_company_id": "danwei"}, "#/property_company_id", "organisation_kind"),
        ({"partner_unit_id": "wuye"}, "#/partner_unit_id", "organisation_kind"),
        ({"supervising_unit_id": "none"}, "#/supervising_unit_id", "unknown_reference"),
        ({"type": "castle"}, "#/type", "enum"),
        ({"committee": None}, "#/committee", "enum"),
    ):
        answer = await api.call("PUT", "/compounds/jd", {"committee": "none"} | change, If_Match="*")
        assert at_field(answer) == (422, field, code), answer.text


async def test_scope_of_compounds(api: Api) -> None:
    street = (await api.call("GET", "/places?kind=street")).body["items"][0]
    assert street["code"] == "jns"
    key = await api.key(Role.ROSTER_PLANNER, place_id=street["id"])
    assert codes(await api.call("GET", "/compounds", key=key)) == ["jd"]
    assert (await api.call("GET", "/compounds/yg", key=key)).status == 404
    assert (await api.call("PUT", "/compounds/yg", {"committee": "none"}, key=key, If_Match="*")).status == 404
    assert (await api.call("PUT", "/compounds/jd", {"committee": "none"}, key=key, If_Match="*")).status == 200
    assert (await api.call("PUT", "/compounds/jd", {"committee": "none"}, role=Role.INSTALLER)).status == 403


async def test_organisations_are_read_by_all_and_written_by_who_sees_everything(api: Api) -> None:
    street = (await api.call("GET", "/places?kind=street")).body["items"][0]
    planner = await api.key(Role.ROSTER_PLANNER, place_id=street["id"])
    listed = await api.call("GET", "/organisations?kind=unit", key=planner)
    assert codes(listed) == ["danwei"]
    path = f"/organisations/{listed.body['items'][0]['id']}"
    read = await api.call("GET", path, key=planner)
    assert (read.status, read.headers["etag"]) == (200, '"1"')
    body = {"kind": "unit", "code": "danwei-2", "name": "单位乙"}
    for method, target in (
        ("POST", "/organisations"),
        ("PUT", path),
        ("PATCH", path),
        ("DELETE", path),
    ):
        assert (await api.call(method, target, body, key=planner, If_Match="*")).status == 403, method
    assert at_field(await api.call("POST", "/organisations", body | {"code": "wuye"})) == (409, "#/code", "taken")
    put = await api.call("PUT", path, body, role=Role.ROSTER_PLANNER, If_Match='"1"')
    assert (put.status, put.body["code"], put.body["version"]) == (200, "danwei-2", 2)
    assert (await api.call("GET", "/organisations/none")).status == 404


def test_every_type_has_its_label() -> None:
    assert set(COMPOUND_TYPES) == set(CompoundType)
    assert len({label for labels in COMPOUND_TYPES.values() for label in labels}) == 2 * len(CompoundType)
