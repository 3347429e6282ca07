"""Tencent's own SDK as the judge: what it signs we sign alike, our emulator takes it, and it reads our emulator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models as sms_models
from tencentcloud.sms.v20210111.sms_client import SmsClient
from tencentcloud.vms.v20200902 import models as vms_models
from tencentcloud.vms.v20200902.vms_client import VmsClient

from alerting.channels.base import Accepted
from alerting.channels.providers.tencent_signing import Action, Credentials, headers
from devices.model import Channel
from simulators.tencent import Account, TencentEmulator
from tests.contract.channel_suite import deadline_s
from tests.contract.tencent_support import (
    TencentBench,
    account,
    now,
    numbers,
    providers,
    secret_id,
    secret_key,
    settings_for,
    sign,
)

wait_s = 5.0
number = "+8613800000000"
region = "ap-guangzhou"


class Recording(TencentEmulator):
    """Keeps every request as it came in."""

    def __init__(self, of: Account) -> None:
        super().__init__(clock=now, account=of, time_scale=0, speech_seconds_per_char=0)
        self.seen: list[tuple[dict[str, str], bytes]] = []

    async def answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        self.seen.append(({name.lower(): value for name, value in request.headers.items()}, body))
        return await super().answer(request, body)


@asynccontextmanager
async def recording() -> AsyncIterator[Recording]:
    async with Recording(account()) as emulator:
        yield emulator


def _client(kind: Any, emulator: TencentEmulator, key: str = secret_key) -> Any:
    endpoint = emulator.base_url.removeprefix("http://")
    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=endpoint, reqTimeout=5))
    return kind(Credential(secret_id, key), region, profile)


def _filled(request: Any, **fields: object) -> Any:
    for name, value in fields.items():
        setattr(request, name, value)
    return request


def _text(**fields: object) -> Any:
    whole: dict[str, object] = {
        "PhoneNumberSet": [number],
        "SmsSdkAppId": "1400006666",
        "SignName": sign,
        "TemplateId": numbers["sms_page"],
        "TemplateParamSet": ["火警烟感", "3栋2单元1201", "03:12", "立即到场", "A7K2"],
        "SessionContext": "abcdefghij234",
    }
    return _filled(sms_models.SendSmsRequest(), **(whole | fields))


def _call(**fields: object) -> Any:
    whole: dict[str, object] = {
        "CalledNumber": number,
        "VoiceSdkAppid": "1400007777",
        "TemplateId": numbers["voice_page"],
        "TemplateParamSet": ["火警烟感", "3栋2单元1201"],
        "SessionContext": "abcdefghij234",
    }
    return _filled(vms_models.SendTtsVoiceRequest(), **(whole | fields))


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.VOICE])
async def test_the_sdk_s_signature_is_ours(channel: Channel) -> None:
    async with recording() as emulator:
        if channel is Channel.SMS:
            await asyncio.to_thread(_client(SmsClient, emulator).SendSms, _text())
        else:
            await asyncio.to_thread(_client(VmsClient, emulator).SendTtsVoice, _call())
        sent, body = emulator.seen[0]
    service = "sms" if channel is Channel.SMS else "vms"
    action = Action(service, sent["x-tc-action"], sent["x-tc-version"], region)
    at = datetime.fromtimestamp(int(sent["x-tc-timestamp"]), UTC)
    ours = headers(Credentials(secret_id, secret_key), action, sent["host"], body, at)
    for name, value in ours.items():
        assert sent[name.lower()] == value, name


async def test_the_sdk_and_the_product_ask_alike() -> None:
    """The same fields under the same names, whatever their order."""
    async with recording() as emulator, providers(settings_for(emulator.base_url)) as both:
        for channel in (Channel.SMS, Channel.VOICE):
            bench = TencentBench(both[channel], emulator)
            assert isinstance(await bench.provider.submit(bench.submission(), deadline_s), Accepted)
        models = (sms_models.SendSmsRequest, vms_models.SendTtsVoiceRequest)
        for (_, body), model in zip(emulator.seen, models, strict=True):
            read = model()
            read.from_json_string(body.decode())  # warns of a field that the SDK does not know
            assert read.SessionContext


async def test_the_sdk_reads_what_the_emulator_says_of_texts() -> None:
    async with recording() as emulator:
        client = _client(SmsClient, emulator)
        told = await asyncio.to_thread(client.SendSms, _text())
        status = told.SendStatusSet[0]
        assert (status.Code, status.PhoneNumber, status.SessionContext) == ("Ok", number, "abcdefghij234")
        assert status.SerialNo == emulator.ledger.rows[0].sid
        refused = await asyncio.to_thread(client.SendSms, _text(PhoneNumberSet=["+8610"]))
        assert refused.SendStatusSet[0].Code == "InvalidParameterValue.IncorrectPhoneNumber"
        await emulator.until(lambda book: bool(book.sms), wait_s)
        since = int(now().timestamp()) - 60
        asked = _filled(
            sms_models.PullSmsSendStatusByPhoneNumberRequest(),
            BeginTime=since,
            EndTime=since + 120,
            Offset=0,
            Limit=10,
            PhoneNumber=number,
            SmsSdkAppId="1400006666",
        )
        reports = (await asyncio.to_thread(client.PullSmsSendStatusByPhoneNumber, asked)).PullSmsSendStatusSet
        assert [(row.SerialNo, row.ReportStatus) for row in reports] == [(status.SerialNo, "SUCCESS")]


async def test_the_sdk_reads_what_the_emulator_says_of_an_account() -> None:
    async with recording() as emulator:
        client = _client(SmsClient, emulator)
        wanted = int(numbers["sms_page"])
        listed = await asyncio.to_thread(
            client.DescribeSmsTemplateList,
            _filled(sms_models.DescribeSmsTemplateListRequest(), International=0, TemplateIdSet=[wanted]),
        )
        assert [row.TemplateId for row in listed.DescribeTemplateStatusSet] == [wanted]
        signs = await asyncio.to_thread(
            client.DescribeSmsSignList,
            _filled(sms_models.DescribeSmsSignListRequest(), International=0, Limit=10, Offset=0),
        )
        assert [row.SignName for row in signs.DescribeSignListStatusSet] == [sign]
        packages = await asyncio.to_thread(
            client.SmsPackagesStatistics,
            _filled(
                sms_models.SmsPackagesStatisticsRequest(),
                SmsSdkAppId="1400006666",
                Limit=1,
                Offset=0,
                BeginTime="2024010100",
                EndTime="2026010100",
            ),
        )
        assert packages.SmsPackagesStatisticsSet[0].PackageAmount == 2_000


async def test_the_sdk_reads_what_the_emulator_says_of_calls() -> None:
    async with recording() as emulator:
        client = _client(VmsClient, emulator)
        told = await asyncio.to_thread(client.SendTtsVoice, _call())
        assert told.SendStatus.CallId == emulator.ledger.rows[0].sid
        assert told.SendStatus.SessionContext == "abcdefghij234"
        with pytest.raises(TencentCloudSDKException) as refused:
            await asyncio.to_thread(client.SendTtsVoice, _call(CalledNumber="+8610"))
        assert refused.value.get_code() == "InvalidParameterValue.CalledNumberVerifyFail"


async def test_the_emulator_refuses_wrong_keys() -> None:
    async with recording() as emulator:
        for key, id_, code in (
            ("another", secret_id, "AuthFailure.SignatureFailure"),
            (secret_key, "AKIDother", "AuthFailure.SecretIdNotFound"),
        ):
            client = _client(SmsClient, emulator, key)
            client.credential = Credential(id_, key)
            with pytest.raises(TencentCloudSDKException) as refused:
                await asyncio.to_thread(client.SendSms, _text())
            assert refused.value.get_code() == code
        assert not emulator.ledger.rows


async def test_the_emulator_refuses_a_body_that_was_not_signed() -> None:
    async with recording() as emulator:
        await asyncio.to_thread(_client(SmsClient, emulator).SendSms, _text())
        sent, body = emulator.seen[0]
        kept = {
            name: sent[name] for name in sent if name.startswith("x-tc") or name in ("authorization", "content-type")
        }
        async with aiohttp.ClientSession() as session:
            codes = []
            for changed in (body, body.replace(b"+8613800000000", b"+8613800000009")):
                async with session.post(f"{emulator.base_url}/", data=changed, headers=kept) as answer:
                    codes.append((await answer.json())["Response"].get("Error", {}).get("Code"))
        assert codes == [None, "AuthFailure.SignatureFailure"]
        assert [row.to for row in emulator.ledger.rows] == [number, number]
