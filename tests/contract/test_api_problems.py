"""Errors, limits, headers, health: what every caller meets."""

import io
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from api.middleware import body_bytes_max
from api.permissions import Role
from tests.contract.api_support import NOT_VERIFIED, Api, running_api


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
        yield running


async def test_a_validation_error_names_each_field_and_the_remedy_in_chinese_by_default(api: Api) -> None:
    answer = await api.call("POST", "/places", {"kind": "castle", "name": "", "lat": 999, "nickname": "x"})
    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == "zh-CN"
    assert (answer.body["type"], answer.body["title"]) == ("urn:gengfu:problem:invalid", "请求内容有误")
    errors = {error["pointer"]: error for error in answer.body["errors"]}
    assert set(errors) == {"#/kind", "#/name", "#/lat", "#/nickname"}
    assert "'city', 'district'" in errors["#/kind"]["message"]
    assert errors["#/name"]["message"] == "至少 1 个字符。"
    assert errors["#/lat"]["message"].startswith("不得大于 90")
    assert errors["#/nickname"]["message"] == "未知字段，请删除或检查拼写。"


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("en-GB,en;q=0.9", "en"),
        ("fr, zh;q=0.4, en;q=0.5", "en"),
        ("en;q=0.1, zh-TW", "zh-CN"),
        ("fr", "zh-CN"),
        ("en;q=x", "zh-CN"),
    ],
)
async def test_the_callers_language(api: Api, accept: str, language: str) -> None:
    answer = await api.call("POST", "/places", {"kind": "city"}, Accept_Language=accept)
    assert answer.headers["content-language"] == language
    expected = {"en": "Required: send this field.", "zh-CN": "必填，请提供此字段。"}
    assert answer.body["errors"] == [{"pointer": "#/name", "code": "missing", "message": expected[language]}]


async def test_malformed_json_is_400_with_the_position(api: Api) -> None:
    headers = {"Authorization": f"Bearer {await api.token(Role.ADMINISTRATOR)}", "Content-Type": "application/json"}
    async with api.session.post(f"{api.base_url}/api/v1/places", data=b'{"kind": ', headers=headers) as response:
        problem = await response.json(content_type="application/problem+json")
    assert response.status == 400
    assert problem["errors"][0]["code"] == "json_invalid"


async def test_query_errors_point_at_the_query(api: Api) -> None:
    answer = await api.call("GET", "/incidents?limit=501&work=asleep&cursor=%00", Accept_Language="en")
    assert answer.status == 422
    assert {error["pointer"] for error in answer.body["errors"]} == {"?limit", "?work.0"}
    answer = await api.call("GET", "/incidents?cursor=***")
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "?cursor")


async def test_unknown_paths_and_methods_are_problems(api: Api) -> None:
    missing = await api.call("GET", "/castles")
    assert (missing.status, missing.body["type"]) == (404, "urn:gengfu:problem:not_found")
    wrong = await api.call("DELETE", "/places")
    assert (wrong.status, wrong.body["type"]) == (405, "urn:gengfu:problem:method")
    assert wrong.headers["allow"]


async def test_a_crash_shows_nothing_of_the_inside(api: Api) -> None:
    async def broken() -> dict[str, bool | str]:
        raise RuntimeError("password=hunter2")

    api.service.ready = broken  # type: ignore[method-assign]
    async with api.session.get(f"{api.base_url}/readyz") as response:
        text = await response.text()
    assert response.status == 500
    assert response.content_type == "application/problem+json"
    assert "hunter2" not in text
    assert "RuntimeError" not in text


async def test_large_bodies_are_refused_declared_or_not(api: Api) -> None:
    headers = {"Authorization": f"Bearer {await api.token(Role.ADMINISTRATOR)}", "Content-Type": "application/json"}
    url = f"{api.base_url}/api/v1/places"
    async with api.session.post(url, data=io.BytesIO(b"x" * (body_bytes_max + 1)), headers=headers) as response:
        assert response.status == 413
        assert (await response.json(content_type=None))["type"] == "urn:gengfu:problem:too_large"

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b" " * 32_768

    try:
        async with api.session.post(url, data=chunks(), headers=headers) as response:
            assert response.status == 413
    except aiohttp.ClientConnectionError:
        pass  # the server may hang up on the rest of such a body


async def test_every_answer_carries_the_security_headers(api: Api) -> None:
    for path in ("/healthz", "/api/v1/incidents", "/nowhere"):
        async with api.session.get(api.base_url + path) as response:
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["cache-control"] == "no-store"
            assert "default-src 'none'" in response.headers["content-security-policy"]


async def test_health_readiness_and_metrics(api: Api) -> None:
    assert (await api.call("GET", "/healthz", role=None)).body == {"status": "ok"}
    async with api.session.get(f"{api.base_url}/readyz") as response:
        assert (response.status, (await response.json())["ready"]) == (200, True)
    api.service.parts["broker"] = "connection refused by the broker"
    async with api.session.get(f"{api.base_url}/readyz") as response:
        parts = (await response.json())["parts"]
    assert (response.status, parts["broker"]) == (503, "connection refused by the broker")
    async with api.session.get(f"{api.base_url}/metrics") as response:
        assert "gengfu_notifications_total 1.0" in await response.text()


async def test_no_documentation_pages_are_served(api: Api) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        async with api.session.get(api.base_url + path) as response:
            assert response.status == 404


async def test_a_refused_act_is_409_with_the_word(api: Api) -> None:
    incident_id = await api.incident()
    api.service.refusal = NOT_VERIFIED
    answer = await api.call("POST", f"/incidents/{incident_id}/close", {}, Accept_Language="en")
    assert (answer.status, answer.body["refusal"], answer.body["who"]) == (409, "not_verified", None)
    assert answer.body["detail"] == "It must be verified before it is closed."
