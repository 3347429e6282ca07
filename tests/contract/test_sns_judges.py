"""SNS judged by software that is not ours: botocore signs, boto3 reads our emulator, moto takes what we send."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials as BotoCredentials
from botocore.exceptions import ClientError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sns.models import sns_backends
from werkzeug.serving import make_server

from alerting.channels.base import Accepted, HealthWord, Rejected, Scope
from alerting.channels.providers.sns_signing import content_type, headers
from simulators.sns import SnsEmulator
from tests.contract.sns_support import (
    SnsBench,
    access_key_id,
    emulated,
    now,
    provider_of,
    region,
    secret_access_key,
    settings_for,
)

wait_s = 5.0
moto_account = "123456789012"


@pytest.mark.parametrize("host", ["sns.ap-southeast-1.amazonaws.com", "127.0.0.1:4566"])
def test_botocore_s_signature_is_ours(host: str) -> None:
    body = b"Action=Publish&Version=2010-03-31&PhoneNumber=%2B6591234567&Message=%E7%81%AB%E8%AD%A6"
    moment = now()
    ours = headers(settings_for(None).credentials, host, body, moment)
    judged = AWSRequest("POST", f"https://{host}/", headers={"Content-Type": content_type}, data=body)
    for _ in range(3):  # botocore reads its own clock: once in a while between our second and the next
        SigV4Auth(BotoCredentials(access_key_id, secret_access_key), "sns", region).add_auth(judged)
        if judged.headers["X-Amz-Date"] == ours["X-Amz-Date"]:
            break
        ours = headers(settings_for(None).credentials, host, body, now())
    assert judged.headers["X-Amz-Date"] == ours["X-Amz-Date"]
    assert judged.headers["Authorization"] == ours["Authorization"]


def _boto(emulator: SnsEmulator, secret: str = secret_access_key) -> Any:
    return boto3.client(
        "sns",
        region_name=region,
        endpoint_url=emulator.base_url,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret,
        config=Config(retries={"max_attempts": 0}),
    )


async def test_boto3_sends_through_the_emulator_and_reads_it() -> None:
    async with emulated() as emulator:
        client = _boto(emulator)
        told = await asyncio.to_thread(
            client.publish,
            PhoneNumber="+6591234567",
            Message="火警 A7 & more",
            MessageAttributes={"AWS.SNS.SMS.SenderID": {"DataType": "String", "StringValue": "GENGFU"}},
        )
        assert told["MessageId"] == emulator.ledger.rows[0].sid
        await emulator.until(lambda book: bool(book.sms), wait_s)
        assert (emulator.phones.sms[0].body, emulator.phones.sms[0].sender) == ("火警 A7 & more", "GENGFU")
        assert await asyncio.to_thread(client.get_sms_sandbox_account_status) | {"ResponseMetadata": None} == {
            "IsInSandbox": False,
            "ResponseMetadata": None,
        }
        limits = await asyncio.to_thread(client.get_sms_attributes)
        assert limits["attributes"]["MonthlySpendLimit"] == "100"


async def test_boto3_reads_the_emulator_s_refusals() -> None:
    async with emulated() as emulator:
        with pytest.raises(ClientError) as refused:
            await asyncio.to_thread(_boto(emulator).publish, PhoneNumber="+0", Message="x")
        assert refused.value.response["Error"]["Code"] == "InvalidParameter"
        with pytest.raises(ClientError) as forged:
            await asyncio.to_thread(_boto(emulator, "another").publish, PhoneNumber="+6591234567", Message="x")
        assert forged.value.response["Error"]["Code"] == "SignatureDoesNotMatch"


cold_s = 30.0
"""moto imports what it needs at its first request, which takes seconds on a busy machine."""


@pytest.fixture
def moto() -> Iterator[str]:
    """moto's server, only its SNS, on loopback; nothing kept from the test before."""
    sns_backends.reset()
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join(wait_s)
    server.server_close()


async def test_moto_takes_our_texts_and_keeps_them(moto: str) -> None:
    async with emulated() as emulator, provider_of(settings_for(moto)) as provider:
        bench = SnsBench(provider, emulator)
        submissions = [bench.submission(n) for n in range(5)]
        answers = await asyncio.gather(*(provider.submit(each, cold_s) for each in submissions))
        bad = await provider.submit(replace(submissions[0], address="+65-9123"), cold_s)
        words = {finding.about: finding.word for finding in (await provider.check()).findings}
    kept = sns_backends[moto_account][region].sms_messages
    assert [kept[each.provider_ref] for each in answers if isinstance(each, Accepted)] == [
        (each.address, each.text) for each in submissions
    ]
    assert bad == Rejected("number_invalid", Scope.NUMBER, "InvalidParameter")
    assert words["credentials"] is HealthWord.FINE
