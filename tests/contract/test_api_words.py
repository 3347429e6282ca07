"""The catalogue of words over HTTP and in the command line: the same texts and hashes, for any role."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from alerting.core.templates import TEMPLATES, Style, registered, text_hash
from devices.model import Language
from devices.taxonomy import TAXONOMY
from tests.contract.api_support import Api, running_api
from tests.contract.cli_support import Shell

pytest_plugins = ["tests.contract.cli_fixtures"]


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
        yield running


@pytest.mark.parametrize("language", list(Language))
async def test_the_console_reads_every_word_of_a_language(api: Api, language: Language) -> None:
    found = (await api.call("GET", f"/words?language={language.value}")).body
    assert found["language"] == language.value
    assert found["languages"] == [each.value for each in Language]
    assert {hazard["code"] for hazard in found["hazards"]} == set(TAXONOMY)
    smoke = next(hazard for hazard in found["hazards"] if hazard["code"] == "fire.smoke")
    assert smoke["label"] == {Language.ZH_CN: "烟雾报警", Language.EN: "smoke"}[language]
    assert smoke["guidance"]
    page = next(each for each in found["templates"] if each["name"] == "sms_page")
    assert page["texts"]["aliyun"] == registered("sms_page", language, Style.ALIYUN)
    assert page["hashes"]["tencent"] == text_hash("sms_page", language, Style.TENCENT)


async def test_without_a_language_it_is_chinese_and_an_unknown_one_is_refused(api: Api) -> None:
    assert (await api.call("GET", "/words")).body["language"] == "zh-CN"
    assert (await api.call("GET", "/words?language=xx")).status == 422


def test_the_command_prints_each_text_with_its_hash(shell: Shell) -> None:
    (printed,) = [json.loads("".join(shell.ok("templates", "--json")))]
    assert len(printed) == len(TEMPLATES) * len(Language) * len(Style)
    for row in printed:
        language, style = Language(row["language"]), Style(row["vendor"])
        assert row["text"] == registered(row["template"], language, style)
        assert row["hash"] == text_hash(row["template"], language, style)


def test_one_vendor_and_one_language_at_a_time(shell: Shell) -> None:
    lines = shell.ok("templates", "--vendor", "tencent", "--language", "zh-CN")
    assert any("{1}，位置{2}" in line for line in lines)
    assert not any("${" in line or " en " in line for line in lines)
