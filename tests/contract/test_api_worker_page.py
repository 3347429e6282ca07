"""A worker's answer page: a look answers nothing, a form does, in the person's language, with no number on it."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from alerting.answer_links import AnswerLinks
from alerting.core.model import PlaceText, Purpose, Work
from alerting.link_answers import Choice, Sheet, Standing, Told
from alerting.store.answer_pages import Asked
from devices.model import Language
from gengfu.clock import RandomIds, SystemClock
from tests.contract.api_support import Api, running_api

LINKS = AnswerLinks("a secret of the test", "https://gengfu.test")
PLACE = PlaceText(
    "阳光小区3栋2单元1201厨房", "Sunshine B3-2-1201 kitchen", "三栋二单元", "building three", lat=32.1, lon=114.0
)
TOKEN = LINKS.worker_token(RandomIds().uuid7())


def sheet(**changes: Any) -> Sheet:
    asked = Asked(
        notification_id="n-1",
        incident_id="i-1",
        recipient_id="worker-1",
        name="网格员甲",
        purpose=Purpose.PAGE,
        language=Language.ZH_CN,
        planned_at=SystemClock().now(),
        code="fire.smoke",
        reference="K7F3P",
        place=PLACE,
        opened_at=SystemClock().now() - timedelta(minutes=1),
        work=Work.DISPATCHED,
        taken_by=None,
        who_goes="",
        drill=False,
    )
    standing, told = changes.pop("standing", Standing.OPEN), changes.pop("told", None)
    return Sheet(replace(asked, **changes), standing, told)


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as api:
        api.service.sheets[TOKEN] = sheet()
        yield api


async def ask(api: Api, method: str, data: Any = None, token: str = TOKEN) -> tuple[int, str, Any]:
    async with api.session.request(method, f"{api.base_url}/a/{token}", data=data) as answer:
        return answer.status, await answer.text(), answer


@pytest.mark.parametrize(
    ("language", "words"),
    [
        (
            Language.ZH_CN,
            ("阳光小区3栋2单元1201厨房", "我去", "我去不了", "再次呼叫我", "K7F3P", "打开地图", "lang=zh-CN"),
        ),
        (Language.EN, ("Sunshine B3-2-1201 kitchen", "I am going", "I cannot go", "Call me again", "K7F3P", "lang=en")),
    ],
)
async def test_a_look_shows_everything_and_answers_nothing(
    api: Api, language: Language, words: tuple[str, ...]
) -> None:
    api.service.sheets[TOKEN] = sheet(language=language)
    for _ in range(3):  # link previews, the person, a second look
        status, page, answer = await ask(api, "GET")
        assert status == 200
        for word in words:
            assert word in page
    assert api.service.tapped == []
    assert "viewport" in page
    assert "<script" not in page
    assert not re.search(r"<(img|link|iframe|script|object)\b|@import|url\(", page), "it loads nothing"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert (answer.headers["cache-control"], answer.headers["x-robots-tag"]) == ("no-store", "noindex")
    assert answer.headers["referrer-policy"] == "no-referrer", "the token is in the address"


async def test_each_button_is_one_tap(api: Api) -> None:
    for choice in Choice:
        assert (await ask(api, "POST", {"answer": choice.value}))[0] == 200
    assert api.service.tapped == [(TOKEN, choice) for choice in Choice]


@pytest.mark.parametrize(
    "data", [None, {}, {"answer": "yes"}, {"answer": "verify"}, {"answer": "false_alarm"}, b"\xff"]
)
async def test_a_form_that_chooses_nothing_changes_nothing(api: Api, data: Any) -> None:
    status, page, _ = await ask(api, "POST", data)
    assert (status, "<form method=post>" in page) == (422, True)
    assert api.service.tapped == []


_another = AnswerLinks("another secret").worker_token(
    "0197f3a0-0000-7000-8000-00000000000a"
)  # the same in every process


@pytest.mark.parametrize("token", [_another, "_" * 22, "a" * 22])
async def test_a_strangers_token_is_nobodys(api: Api, token: str) -> None:
    for method, data in (("GET", None), ("POST", {"answer": "going"})):
        status, page, _ = await ask(api, method, data, token)
        assert (status, "此链接无效或已过期" in page) == (404, True)


@pytest.mark.parametrize(
    ("shown", "says", "buttons"),
    [
        (sheet(standing=Standing.YOURS, told=Told.GOING), "已记录：您去", ["cannot"]),
        (sheet(standing=Standing.TAKEN, who_goes="网格员乙", told=Told.NOT_NOW), "网格员乙正在前往", []),
        (sheet(standing=Standing.OVER), "无需再去", []),
        (sheet(told=Told.DECLINED), "正在通知下一位", ["going", "again"]),
        (sheet(told=Told.AGAIN), "会尽快再次联系您", ["going", "cannot", "again"]),
        (sheet(told=Told.NOT_AGAIN), "不能再次联系", ["going", "cannot", "again"]),
    ],
)
async def test_the_page_says_how_it_stands(api: Api, shown: Sheet, says: str, buttons: list[str]) -> None:
    api.service.sheets[TOKEN] = shown
    _, page, _ = await ask(api, "GET")
    assert says in page
    assert re.findall(r"value=(\w+)", page) == buttons


async def test_no_number_and_no_id_stands_on_it(api: Api) -> None:
    api.service.sheets[TOKEN] = sheet(standing=Standing.TAKEN, who_goes="网格员乙")
    _, page, _ = await ask(api, "GET")
    for hidden in ("n-1", "i-1", "worker-1", TOKEN, "tel:"):
        assert hidden not in page
    words = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page)
    assert not re.search(r"\d{7,}", words)


async def test_what_a_place_is_called_is_text(api: Api) -> None:
    name = "<script>alert(1)</script>"
    api.service.sheets[TOKEN] = sheet(place=replace(PLACE, zh=name, en=name), reference='"><b>x')
    _, page, _ = await ask(api, "GET")
    assert "<script" not in page
    assert "<b>x" not in page


async def test_a_drill_says_so(api: Api) -> None:
    api.service.sheets[TOKEN] = sheet(drill=True)
    assert "演练" in (await ask(api, "GET"))[1]
