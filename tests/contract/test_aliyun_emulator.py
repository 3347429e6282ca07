"""The emulator itself: it believes nothing that is not signed, replays nothing, keeps windows, fails on demand."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from alerting.channels.providers.aliyun_signing import Action, Credentials, canonical_query, headers
from devices.model import Channel, Language
from gengfu.clock import RandomIds, SystemClock
from simulators.aliyun import AliyunEmulator, Limit
from simulators.aliyun.limits import Limits
from simulators.emulating import FaultKind, Outcome
from tests.support.aliyun import account, codes, key_id, key_secret, show_number, sign_name

nonce = RandomIds().attempt
now = SystemClock().now
text = {
    "PhoneNumbers": "13800001234",
    "SignName": sign_name,
    "TemplateCode": codes(Channel.SMS)[Language.ZH_CN]["sms_code"],
    "TemplateParam": '{"code":"123456"}',
    "OutId": "abcdefghijk23",
}
call = {
    "CalledNumber": "13800001234",
    "CalledShowNumber": show_number,
    "TtsCode": codes(Channel.VOICE)[Language.ZH_CN]["voice_check"],
    "PlayTimes": "1",
    "OutId": "abcdefghijk23",
}


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[AliyunEmulator]:
    async with account(time_scale=0) as emulator:
        yield emulator


async def post(url: str, sent: dict[str, str], body: bytes = b"") -> tuple[int, dict[str, Any]]:
    async with aiohttp.ClientSession() as session, session.post(url, headers=sent, data=body or None) as answer:
        return answer.status, await answer.json()


async def ask(
    emulator: AliyunEmulator,
    action: str,
    params: dict[str, str],
    *,
    secret: str = key_secret,
    version: str = "2017-05-25",
    at: datetime | None = None,
    once: str | None = None,
    changes: dict[str, str] | None = None,
) -> tuple[int, dict[str, Any]]:
    """One signed question; `changes` come after the signature."""
    host = emulator.base_url.removeprefix("http://")
    sent = headers(Credentials(key_id, secret), Action(action, version), host, params, at or now(), once or nonce())
    return await post(f"{emulator.base_url}/?{canonical_query(params)}", sent | (changes or {}))


async def test_an_unsigned_or_tampered_request_reaches_no_product(emulator: AliyunEmulator) -> None:
    status, unsigned = await post(f"{emulator.base_url}/?Action=SendSms", {})
    assert (status, unsigned["Code"]) == (400, "IncompleteSignature")
    for changes in ({"x-acs-action": "SingleCallByTts"}, {"x-acs-signature-nonce": "other"}):
        assert (await ask(emulator, "SendSms", text, changes=changes))[1]["Code"] == "SignatureDoesNotMatch"
    assert (await ask(emulator, "SendSms", text, secret="wrong"))[1]["Code"] == "SignatureDoesNotMatch"
    sent = headers(Credentials(key_id, key_secret), Action("SendSms", "2017-05-25"), "127.0.0.1", text, now(), nonce())
    stolen = f"{emulator.base_url}/?{canonical_query(text | {'PhoneNumbers': '13900000000'})}"
    assert (await post(stolen, sent))[1]["Code"] == "SignatureDoesNotMatch"
    assert (await post(f"{emulator.base_url}/?{canonical_query(text)}", sent, b"more"))[1]["Code"] in (
        "SignatureDoesNotMatch",
        "IncompleteSignature",
    )
    assert not emulator.ledger.rows


async def test_a_nonce_counts_once(emulator: AliyunEmulator) -> None:
    assert (await ask(emulator, "SendSms", text, once="n1"))[1]["Code"] == "OK"
    status, again = await ask(emulator, "SendSms", text, once="n1")
    assert (status, again["Code"]) == (400, "SignatureNonceUsed")
    assert len(emulator.ledger.rows) == 1


async def test_a_clock_that_is_wrong_is_told(emulator: AliyunEmulator) -> None:
    for offset in (timedelta(minutes=-16), timedelta(minutes=16)):
        assert (await ask(emulator, "SendSms", text, at=now() + offset))[1]["Code"] == "InvalidTimeStamp.Expired"
    assert (await ask(emulator, "SendSms", text, at=now() - timedelta(minutes=14)))[1]["Code"] == "OK"


async def test_strange_operations_and_versions(emulator: AliyunEmulator) -> None:
    assert (await ask(emulator, "SendSmss", text))[1]["Code"] == "InvalidAction.NotFound"
    assert (await ask(emulator, "SendSms", text, version="2018-05-01"))[1]["Code"] == "InvalidVersion"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"PhoneNumbers": "+8613800001234"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"PhoneNumbers": "01012345678"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ({"SignName": "别人"}, "isv.SMS_SIGNATURE_ILLEGAL"),
        ({"TemplateCode": "SMS_0"}, "isv.SMS_TEMPLATE_ILLEGAL"),
        ({"TemplateParam": "{}"}, "isv.TEMPLATE_MISSING_PARAMETERS"),
        ({"TemplateParam": "{"}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": '{"code":123456}'}, "isv.INVALID_JSON_PARAM"),
        ({"TemplateParam": '{"code":"' + "1" * 36 + '"}'}, "isv.PARAM_LENGTH_LIMIT"),
        ({"TemplateParam": '{"code":"https://x.cn"}'}, "isv.PARAM_NOT_SUPPORT_URL"),
    ],
)
async def test_texts_that_alibaba_refuses_inside_a_200(
    emulator: AliyunEmulator, changes: dict[str, str], code: str
) -> None:
    status, answer = await ask(emulator, "SendSms", text | changes)
    assert (status, answer["Code"]) == (200, code)
    assert [row.outcome for row in emulator.ledger.rows] == [Outcome.REFUSED]
    assert emulator.phones.sms == []


@pytest.mark.parametrize(
    ("action", "changes", "code"),
    [
        ("SingleCallByTts", {"CalledNumber": "138"}, "isv.MOBILE_NUMBER_ILLEGAL"),
        ("SingleCallByTts", {"CalledShowNumber": "02188888888"}, "isv.DISPLAY_NUMBER_ILLEGAL"),
        ("SingleCallByTts", {"TtsCode": "TTS_0"}, "isv.TTS_TEMPLATE_ILLEGAL"),
        ("SingleCallByTts", {"OutId": "sixteen-bytes-id"}, "isv.INVALID_PARAMETERS"),
        ("SingleCallByTts", {"PlayTimes": "4"}, "isv.INVALID_PARAMETERS"),
        ("IvrCall", {"CalledShowNumber": ""}, "isv.DISPLAY_NUMBER_ILLEGAL"),
        ("IvrCall", {}, "isv.TTS_TEMPLATE_ILLEGAL"),
    ],
)
async def test_calls_that_alibaba_refuses(
    emulator: AliyunEmulator, action: str, changes: dict[str, str], code: str
) -> None:
    assert (await ask(emulator, action, call | changes))[1]["Code"] == code
    assert not emulator.phones.calls


async def test_a_shared_number_needs_no_caller(emulator: AliyunEmulator) -> None:
    without = {name: value for name, value in call.items() if name != "CalledShowNumber"}
    assert (await ask(emulator, "SingleCallByTts", without))[1]["Code"] == "OK"


def test_windows_by_minute_hour_and_day() -> None:
    limits = Limits((Limit(1, 60.0), Limit(5, 3_600.0), Limit(20, 86_400.0)))
    assert limits.ask("a", 0.0) is None
    assert limits.ask("b", 1.0) is None
    broken = limits.ask("a", 59.0)
    assert broken is not None
    assert broken.message == "触发分钟级流控Permits:1"
    assert limits.ask("a", 119.5) is None  # a refused one counts too
    for minute in range(2, 4):
        assert limits.ask("a", 120.0 + 61.0 * minute) is None
    assert (limits.ask("a", 500.0) or Limit(0, 0)).message == "触发小时级流控Permits:5"


async def test_every_fault_keeps_its_count_and_shows_in_the_ledger(emulator: AliyunEmulator) -> None:
    emulator.faults.set(FaultKind.ERROR, code="isv.OUT_OF_SERVICE", count=1)
    emulator.faults.set(FaultKind.STATUS_429, retry_after="soon", count=1)
    emulator.faults.set(FaultKind.STATUS_500, count=1)
    answers = [await ask(emulator, "SendSms", text) for _ in range(4)]
    assert [(status, answer["Code"]) for status, answer in answers] == [
        (200, "isv.OUT_OF_SERVICE"),
        (429, "Throttling.User"),
        (500, "InternalError"),
        (200, "OK"),
    ]
    rows = emulator.ledger.rows
    assert [row.outcome for row in rows] == [*[Outcome.FAULTED] * 3, Outcome.PROVIDER_ACCEPTED]
    assert {row.attempt for row in rows} == {"abcdefghijk23"}


async def test_another_process_steers_it(emulator: AliyunEmulator) -> None:
    base = f"{emulator.base_url}/_emulator"
    async with aiohttp.ClientSession() as session:
        async with session.post(f"{base}/faults", json={"kind": "error", "code": "isv.X", "count": 1}) as answer:
            assert answer.status == 200
        assert (await ask(emulator, "SendSms", text))[1]["Code"] == "isv.X"
        assert (await ask(emulator, "SendSms", text))[1]["Code"] == "OK"
        async with session.get(f"{base}/inbox", params={"number": "+8613800001234", "sms": "1"}) as answer:
            (sms,) = (await answer.json())["sms"]
        assert sms["body"].startswith(f"【{sign_name}】")
        async with session.get(f"{base}/requests") as answer:
            assert [row["code"] for row in await answer.json()] == ["isv.X", None]
        async with session.post(f"{base}/faults", json={"knid": "error"}) as answer:
            assert answer.status == 400
        async with session.post(f"{base}/reset") as answer:
            assert answer.status == 200
    assert not emulator.ledger.rows


async def test_it_runs_as_a_process_of_its_own(tmp_path: Path) -> None:
    registered = tmp_path / "registered.json"
    registered.write_text(json.dumps({"signs": [sign_name], "texts": {text["TemplateCode"]: "验证码${code}"}}))
    command = ["-m", "simulators.aliyun", "--time-scale", "0", "--registered", str(registered)]
    process = await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            told = json.loads(await process.stdout.readline())
        base_url, keys = told["base_url"], Credentials(told["access_key_id"], told["access_key_secret"])
        sent = headers(keys, Action("SendSms", "2017-05-25"), base_url.removeprefix("http://"), text, now(), nonce())
        assert (await post(f"{base_url}/?{canonical_query(text)}", sent))[1]["Code"] == "OK"
    finally:
        process.terminate()
        await process.wait()
