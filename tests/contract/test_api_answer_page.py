"""The short answer page: a look answers nothing, a form does; without script, in both languages, for nobody else."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from alerting.store.households import ResultRow
from gengfu.clock import SystemClock
from tests.contract.api_support import Api, running_api

TOKEN = "abcdefghij012345"


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as api:
        now = SystemClock().now()
        api.service.results[TOKEN] = ResultRow("i-1", "h-1", "hash", now, now + timedelta(days=7))
        yield api


async def ask(
    api: Api, method: str, token: str = TOKEN, data: Any = None, language: str = "zh-CN"
) -> tuple[int, str, aiohttp.ClientResponse]:
    headers = {"accept-language": language}
    async with api.session.request(method, f"{api.base_url}/a/{token}", data=data, headers=headers) as answer:
        return answer.status, await answer.text(), answer


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh-CN", ("满意吗", "满意", "不满意", "lang=zh-CN")), ("en", ("Are you satisfied", "Not satisfied", "lang=en"))],
)
async def test_a_look_asks_and_answers_nothing(api: Api, language: str, words: tuple[str, ...]) -> None:
    for _ in range(3):  # link previews, the person, a second look
        status, page, answer = await ask(api, "GET", language=language)
        assert status == 200
        assert all(word in page for word in words)
    assert api.service.rated == []
    assert "<script" not in page
    assert "form-action 'self'" in answer.headers["content-security-policy"]
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert answer.headers["referrer-policy"] == "no-referrer", "the token is in the address"


async def test_a_form_answers_and_the_last_one_counts(api: Api) -> None:
    for choice, pressed in (("satisfied", "value=satisfied"), ("not_satisfied", "value=not_satisfied")):
        status, page, _ = await ask(api, "POST", data={"answer": choice})
        assert status == 200
        assert "谢谢" in page
        assert f"{pressed} aria-pressed=true" in page
    assert api.service.rated == [(TOKEN, True), (TOKEN, False)]


@pytest.mark.parametrize("data", [None, {}, {"answer": "yes"}, {"answer": ""}, {"other": "satisfied"}, b"\xff\xfe"])
async def test_a_form_that_says_nothing_records_nothing(api: Api, data: Any) -> None:
    status, page, _ = await ask(api, "POST", data=data)
    assert status == 422
    assert "<form method=post>" in page
    assert api.service.rated == []


@pytest.mark.parametrize("token", ["nobody-has-this-0", "a", "x" * 64])
async def test_a_strangers_token_and_an_old_one_say_the_same(api: Api, token: str) -> None:
    for method, data in (("GET", None), ("POST", {"answer": "satisfied"}), ("POST", {"answer": "?"})):
        status, page, _ = await ask(api, method, token, data)
        assert status == 404
        assert "此链接无效或已过期" in page
    assert api.service.rated == []


async def test_no_token_no_page(api: Api) -> None:
    assert (await ask(api, "GET", ""))[0] == 404
    assert (await ask(api, "GET", "x" * 65))[0] == 422


async def test_the_page_names_nobody_and_no_place(api: Api) -> None:
    _, page, _ = await ask(api, "GET")
    for hidden in ("i-1", "h-1", TOKEN, "hash"):
        assert hidden not in page
