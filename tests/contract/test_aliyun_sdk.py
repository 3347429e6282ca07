"""Alibaba's own client as the judge: it signs as we sign, the emulator believes it, and it reads what that answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import pytest
from aiohttp import web
from alibabacloud_dysmsapi20170525 import models as sms_models
from alibabacloud_dysmsapi20170525.client import Client as SmsClient
from alibabacloud_dyvmsapi20170525 import models as voice_models
from alibabacloud_dyvmsapi20170525.client import Client as VoiceClient
from alibabacloud_tea_openapi.utils import Utils
from alibabacloud_tea_openapi.utils_models import Config
from darabonba.request import DaraRequest

from alerting.channels.providers.aliyun_signing import Action, Credentials, authorization, headers
from alerting.core.templates import Style, registered
from devices.model import Channel, Language
from simulators.aliyun import AliyunEmulator
from tests.contract.channel_suite import deadline_s
from tests.contract.test_channel_aliyun import one_of
from tests.support.aliyun import (
    account,
    codes,
    key_id,
    key_secret,
    settings_for,
    show_number,
    sign_name,
    submission_of,
    variables,
)

credentials = Credentials(key_id, key_secret)
number = "13800001234"
moment = datetime(2026, 11, 27, 3, 12, 5, tzinfo=UTC)


@dataclass
class Seen:
    """One request as it came over the line."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Recorder:
    """Answers OK to everything and keeps it."""

    base_url: str = ""
    seen: list[Seen] = field(default_factory=list)

    async def handle(self, request: web.BaseRequest) -> web.Response:
        query = dict(parse_qsl(request.rel_url.raw_query_string, keep_blank_values=True))
        self.seen.append(Seen(request.method, query, request.headers, await request.read()))
        return web.json_response({"Code": "OK", "Message": "OK", "BizId": "1^1", "CallId": "1^1", "RequestId": "R"})


@asynccontextmanager
async def recorder() -> AsyncIterator[Recorder]:
    kept = Recorder()
    runner = web.ServerRunner(web.Server(kept.handle))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    kept.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield kept
    await runner.cleanup()


def config(base_url: str) -> Config:
    return Config(
        access_key_id=key_id,
        access_key_secret=key_secret,
        endpoint=base_url.removeprefix("http://"),
        protocol="HTTP",
    )


def text_request(out_id: str = "abcdefghijk23") -> Any:
    return sms_models.SendSmsRequest(
        phone_numbers=number,
        sign_name=sign_name,
        template_code=codes(Channel.SMS)[Language.ZH_CN]["sms_page"],
        template_param=json.dumps(dict(variables("sms_page")), ensure_ascii=False),
        out_id=out_id,
    )


def ivr_request() -> Any:
    code = codes(Channel.VOICE)[Language.ZH_CN]["voice_page"]
    words = json.dumps(dict(variables("voice_page")), ensure_ascii=False)
    keys = [voice_models.IvrCallRequestMenuKeyMap(key=key) for key in "12"]
    keys.append(voice_models.IvrCallRequestMenuKeyMap(key="3", code=code, tts_params=words))
    return voice_models.IvrCallRequest(
        called_number=number,
        called_show_number=show_number,
        start_code=code,
        start_tts_params=words,
        play_times=2,
        timeout=6000,
        out_id="abcdefghijk23",
        menu_key_map=keys,
    )


async def ask(call: Callable[[Any], Any], request: Any) -> Any:
    """The SDK blocks: beside the loop on which our server answers."""
    return await asyncio.to_thread(call, request)


async def test_what_the_sdk_signs_we_sign_alike() -> None:
    async with recorder() as far_side:
        await ask(SmsClient(config(far_side.base_url)).send_sms, text_request())
        await ask(VoiceClient(config(far_side.base_url)).ivr_call, ivr_request())
        await ask(
            VoiceClient(config(far_side.base_url)).query_call_detail_by_call_id,
            voice_models.QueryCallDetailByCallIdRequest(call_id="1^1 +~*", prod_id=11000000300005, query_date=1),
        )
    assert [seen.headers["x-acs-action"] for seen in far_side.seen] == ["SendSms", "IvrCall", "QueryCallDetailByCallId"]
    for seen in far_side.seen:
        told = seen.headers["Authorization"]
        names = told.split("SignedHeaders=")[1].split(",")[0].split(";")
        signed = {name: seen.headers[name] for name in names}
        assert authorization(credentials, seen.method, seen.query, signed) == told


async def test_our_requests_name_the_same_operation_and_parameters_as_the_sdks() -> None:
    async with recorder() as far_side:
        await ask(VoiceClient(config(far_side.base_url)).ivr_call, ivr_request())
        await ask(SmsClient(config(far_side.base_url)).send_sms, text_request())
        settings = settings_for(far_side.base_url, key_code={})
        for channel, name in ((Channel.VOICE, "voice_page"), (Channel.SMS, "sms_page")):
            async with one_of(channel, settings) as provider:
                await provider.submit(submission_of(name), deadline_s)
    sdk_call, sdk_text, our_call, our_text = far_side.seen
    for sdk, ours in ((sdk_call, our_call), (sdk_text, our_text)):
        assert ours.method == sdk.method
        assert set(ours.query) == set(sdk.query) - {"Format"}
        assert ours.body == sdk.body == b""
        for header in ("x-acs-action", "x-acs-version", "x-acs-content-sha256"):
            assert ours.headers[header] == sdk.headers[header]
        same = set(ours.query) - {"CalledNumber", "PhoneNumbers", "OutId"}
        assert {name: ours.query[name] for name in same} == {name: sdk.query[name] for name in same}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"PhoneNumbers": number, "TemplateParam": '{"what":"火警 A+B/~*%"}', "Empty": ""},
        {"MenuKeyMap.2.Key": "2", "MenuKeyMap.10.Key": "*", "MenuKeyMap.1.Key": "1"},
    ],
)
def test_for_one_date_and_nonce_the_sdks_signer_gives_our_signature(params: Mapping[str, str]) -> None:
    sent = headers(credentials, Action("SendSms", "2017-05-25"), "127.0.0.1:1", params, moment, "nonce-1")
    request = DaraRequest()
    request.method, request.pathname, request.query = "POST", "/", dict(params)
    request.headers = {name: value for name, value in sent.items() if name != "Authorization"}
    payload = sent["x-acs-content-sha256"]
    judged = Utils.get_authorization(request, "ACS3-HMAC-SHA256", payload, key_id, key_secret)
    assert sent["Authorization"] == judged


async def test_the_emulator_believes_the_sdk_and_the_sdk_reads_the_emulator() -> None:
    async with account(time_scale=0) as emulator:
        texts, calls = SmsClient(config(emulator.base_url)), VoiceClient(config(emulator.base_url))
        sent = (await ask(texts.send_sms, text_request())).body
        assert sent.code == "OK"
        await emulator.until(lambda phones: bool(phones.sms))
        listed = (await ask(texts.query_send_details, details_request(emulator, sent.biz_id))).body
        (row,) = listed.sms_send_detail_dtos.sms_send_detail_dto
        assert (row.out_id, row.send_status, row.phone_num) == ("abcdefghijk23", 3, number)
        assert row.content == emulator.phones.sms[0].body

        code = codes(Channel.SMS)[Language.ZH_CN]["sms_page"]
        template = (await ask(texts.query_sms_template, sms_models.QuerySmsTemplateRequest(template_code=code))).body
        assert (template.template_status, template.template_content) == (
            1,
            registered("sms_page", Language.ZH_CN, Style.ALIYUN),
        )
        sign = (await ask(texts.query_sms_sign, sms_models.QuerySmsSignRequest(sign_name=sign_name))).body
        assert sign.sign_status == 1

        called = (await ask(calls.ivr_call, ivr_request())).body
        assert called.code == "OK"
        await emulator.until(lambda phones: bool(phones.calls) and bool(phones.calls[0].outcome))
        asked = voice_models.QueryCallDetailByCallIdRequest(
            call_id=called.call_id, prod_id=11000000300005, query_date=1
        )
        record = (await ask(calls.query_call_detail_by_call_id, asked)).body
        assert json.loads(record.data)["state"] == "200000"


async def test_the_sdk_lets_a_refusal_inside_a_200_pass_as_the_real_one_does() -> None:
    async with account() as emulator:
        emulator.faults.set("error", code="isv.BUSINESS_LIMIT_CONTROL", count=1)
        answer = await ask(SmsClient(config(emulator.base_url)).send_sms, text_request())
    assert (answer.status_code, answer.body.code) == (200, "isv.BUSINESS_LIMIT_CONTROL")


def details_request(emulator: AliyunEmulator, biz_id: str) -> Any:
    day = str(emulator.texts.taken[0].record()["SendDate"])[:10].replace("-", "")
    return sms_models.QuerySendDetailsRequest(
        phone_number=number, send_date=day, page_size=10, current_page=1, biz_id=biz_id
    )
