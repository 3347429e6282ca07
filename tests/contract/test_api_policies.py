"""Policies over HTTP: what makes no sense is refused by field and the running version stays; what one would get."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from alerting.core.policy import DEFAULTS, document, parse
from alerting.store import policies
from tests.contract.api_support import Answer, Api, running_api

ALL = ["sms", "voice", "app"]
BODY: dict[str, Any] = {
    "position": 1,
    "match": {"class": "A", "severity": 1},
    "steps": [
        {"after_s": 0, "to": ["grid_worker"], "channels": ALL, "redial": {"gap_s": 65, "max": 2}},
        {"after_s": 30, "to": ["deputy"], "channels": ALL},
    ],
    "loop": {"every_s": 60, "to": ["control_room"]},
    "commands": [{"action": "cut_power"}],
    "told_at_end": ["chair_or_secretary"],
}


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
        yield running


@pytest_asyncio.fixture
async def either(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


def at_field(answer: Answer) -> tuple[int, str]:
    """Status and field of the one error."""
    (error,) = answer.body["errors"]
    return answer.status, error["pointer"]


async def test_what_makes_no_sense_is_refused_by_field_and_the_running_version_stays(either: Api) -> None:
    api = either
    assert (await api.call("PUT", "/policies/fires", BODY)).status == 201
    (running,) = await api.database.read(policies.load)
    step = BODY["steps"][0]
    for change, field in (
        ({"steps": [step, {**step, "after_s": 3}]}, "#/steps/1/after_s"),
        ({"steps": [step, {"after_s": 60, "to": ["grid_worker"], "channels": ["app"]}]}, "#/steps/1"),
        ({"loop": {"every_s": 60, "to": []}}, "#/loop/to"),
        ({"match": {"codes": ["fire.ice"]}}, "#/match/codes/0"),
        ({"match": {"class": "T", "codes": ["fire.smoke"]}}, "#/match/codes/0"),
        ({"commands": [{"action": "explode"}]}, "#/commands/0/action"),
        ({"commands": [{"action": "cut_power"}, {"action": "cut_power"}]}, "#/commands/1/action"),
    ):
        answer = await api.call("PUT", "/policies/fires", BODY | change, If_Match='"1"')
        assert at_field(answer) == (422, field), answer.text
    assert await api.database.read(policies.load) == (running,)


@pytest.mark.parametrize(("language", "words"), [("zh-CN", "请至少间隔 5 秒"), ("en", "give at least 5 s")])
async def test_the_remedy_is_in_the_callers_language(api: Api, language: str, words: str) -> None:
    steps = [BODY["steps"][0], {**BODY["steps"][1], "after_s": 2}]
    answer = await api.call("PUT", "/policies/fires", BODY | {"steps": steps}, Accept_Language=language)
    assert words in answer.body["errors"][0]["message"]


async def test_everything_that_was_put_is_read_again(api: Api) -> None:
    shown = (await api.call("PUT", "/policies/fires", BODY)).body
    assert shown["commands"] == [{"action": "cut_power", "args": {}, "in_test": False}]
    assert shown["told_at_end"] == ["chair_or_secretary"]
    assert (shown["taken_expires_s"], shown["acknowledged_expires_s"]) == (900, 600)
    assert parse("fires", shown).commands == parse("fires", BODY).commands


async def test_the_preview_tells_which_policy_an_incident_would_get(either: Api) -> None:
    api = either
    city = {"kind": "city", "name": "信阳市", "name_en": "Xinyang", "code": "xy"}
    place = (await api.call("POST", "/places", city)).body
    asked = "/policy-preview?code=fire.smoke&place=xy"
    before = (await api.call("GET", asked)).body
    assert before["name"] == "default-A1"
    assert before["position"] == -1
    assert before["steps"] == document(DEFAULTS[0])["steps"]
    await api.call("PUT", "/policies/here", BODY | {"match": {"places": [place["id"]]}, "position": 7})
    after = (await api.call("GET", asked)).body
    assert (after["name"], after["position"], after["version"]) == ("here", 7, 1)
    assert (await api.call("GET", "/policy-preview?code=fire.smoke")).body["name"] == "default-A1"
    by_night = await api.call("GET", "/policy-preview?code=ebike.in_elevator&at=2026-11-27T23:30:00%2B08:00")
    assert by_night.body["name"] == "default-A2-night"
    assert at_field(await api.call("GET", "/policy-preview?code=fire.ice")) == (422, "?code")
    assert at_field(await api.call("GET", "/policy-preview?code=fire.smoke&place=moon")) == (422, "?place")
