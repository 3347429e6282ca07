"""Twilio's providers and our callback route against an emulator that nobody here wrote: Vercel's `emulate`, pinned."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import aiohttp
import pytest
import pytest_asyncio

from alerting.channels.base import Accepted, Busy, HealthWord, NotFound, Receipt, ReceiptKind, Rejected, Reply, Scope
from alerting.channels.providers.twilio import build
from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.channels.providers.twilio_sms import TwilioSms
from alerting.channels.providers.twilio_voice import TwilioVoice
from alerting.core.outcomes import CallbackEvent
from api.twilio import TwilioCallbacks
from devices.model import Channel
from tests.contract.api_support import Api, running_api
from tests.contract.channel_suite import make_submission
from tests.contract.test_channel_twilio import script
from tests.support.judges import Start

pytestmark = pytest.mark.timeout(400)  # whoever comes first installs the judges

SID = "AC" + "0" * 32
TOKEN = "twilio_test_auth_token"
SENDER = "+15551234567"
WORKER = "+8613800138000"
deadline_s = 5.0


@dataclass
class Judged:
    """Both providers, the emulator's address, and our API to which it calls back."""

    sms: TwilioSms
    voice: TwilioVoice
    url: str
    api: Api
    settings: TwilioSettings

    async def simulate(self, what: str, **fields: str) -> None:
        """Something happens at a phone."""
        auth = aiohttp.BasicAuth(SID, TOKEN)
        address = f"{self.url}/_twilio/simulate/{what}"
        async with self.api.session.post(address, data=fields, auth=auth) as answer:
            assert answer.status in (200, 201), await answer.text()

    def events(self) -> list[CallbackEvent]:
        """What came through our route, as the provider reads it."""
        return [
            event
            for _, kind, attempt_id, _, form in self.api.service.callbacks
            for event in self.sms.parse_callback(kind, attempt_id, form)
        ]


@pytest_asyncio.fixture
async def judged(start_judge: Start, migrated_sqlite_url: str) -> AsyncIterator[Judged]:
    async with running_api(migrated_sqlite_url) as api:
        number = {"phone_number": SENDER, "sms_url": f"{api.base_url}/callbacks/twilio/inbound"}
        url = start_judge("twilio.mjs", json.dumps({"twilio": {"phone_numbers": [number]}}))
        settings = TwilioSettings(SID, TOKEN, SENDER, public_url=api.base_url, base_url=url, list_lag_s=0.1)
        cast(dict[str, TwilioCallbacks], api.deps.callbacks)["twilio"] = TwilioCallbacks(settings)
        providers = build(settings)
        sms, voice = providers[Channel.SMS], providers[Channel.VOICE]
        assert isinstance(sms, TwilioSms)
        assert isinstance(voice, TwilioVoice)
        yield Judged(sms, voice, url, api, settings)
        for provider in providers.values():
            await provider.close()


def text(n: int = 0) -> Any:
    return make_submission(Channel.SMS, n, f"火警 金鼎小区3栋 编号A{n}", WORKER)


def call(n: int = 0) -> Any:
    return make_submission(Channel.VOICE, n, json.dumps(script), WORKER)


async def test_a_text_goes_out_and_its_signed_callbacks_come_in(judged: Judged) -> None:
    submission = text()
    answer = await judged.sms.submit(submission, deadline_s)
    assert isinstance(answer, Accepted)
    # The first callback came before the answer, as Twilio's may.
    assert judged.events() == [Receipt(submission.attempt_id, ReceiptKind.PROVIDER_ACCEPTED, answer.provider_ref)]
    for word in ("sent", "delivered"):
        await judged.simulate("message-status", MessageSid=answer.provider_ref, Status=word)
    kinds = [event.kind for event in judged.events() if isinstance(event, Receipt)]
    assert kinds == [ReceiptKind.PROVIDER_ACCEPTED, ReceiptKind.SENT, ReceiptKind.DELIVERED]


async def test_a_call_goes_out_and_is_answered_and_ends_without_a_key(judged: Judged) -> None:
    submission = call()
    answer = await judged.voice.submit(submission, deadline_s)
    assert isinstance(answer, Accepted)
    for word in ("ringing", "in-progress", "completed"):
        await judged.simulate("call-status", CallSid=answer.provider_ref, Status=word)
    kinds = [event.kind for event in judged.events() if isinstance(event, Receipt)]
    assert kinds[-3:] == [ReceiptKind.RINGING, ReceiptKind.ANSWERED, ReceiptKind.COMPLETED]
    assert len(judged.events()) == len(kinds), "no key was pressed"


async def test_a_reply_comes_in_signed(judged: Judged) -> None:
    await judged.simulate("inbound-message", To=SENDER, From=WORKER, Body="1 K7F3P")
    (reply,) = judged.events()
    assert isinstance(reply, Reply)
    assert (reply.address, reply.text) == (WORKER, "1 K7F3P")


async def test_what_is_signed_with_another_token_is_refused(judged: Judged) -> None:
    other = replace(judged.settings, auth_token="another")
    cast(dict[str, TwilioCallbacks], judged.api.deps.callbacks)["twilio"] = TwilioCallbacks(other)
    assert isinstance(await judged.sms.submit(text(), deadline_s), Accepted)
    assert judged.events() == []


async def test_poll_reads_what_no_callback_told(judged: Judged) -> None:
    cast(dict[str, TwilioCallbacks], judged.api.deps.callbacks).clear()
    submission, ringing = text(), call(1)
    sent = await judged.sms.submit(submission, deadline_s)
    rang = await judged.voice.submit(ringing, deadline_s)
    assert isinstance(sent, Accepted)
    assert isinstance(rang, Accepted)
    await judged.simulate("message-status", MessageSid=sent.provider_ref, Status="delivered")
    await judged.simulate("call-status", CallSid=rang.provider_ref, Status="no-answer")
    delivered = Receipt(submission.attempt_id, ReceiptKind.DELIVERED, sent.provider_ref)
    assert await judged.sms.poll(submission, sent.provider_ref) == [delivered]
    missed = Receipt(ringing.attempt_id, ReceiptKind.NO_ANSWER, rang.provider_ref)
    assert await judged.voice.poll(ringing, rang.provider_ref) == [missed]
    assert await judged.sms.poll(submission, "SM" + "f" * 32) == []


async def test_an_attempt_without_a_reference_is_found_in_the_list(judged: Judged) -> None:
    submission = text(7)
    answer = await judged.sms.submit(submission, deadline_s)
    assert await judged.sms.reconcile(submission, None) == answer
    assert await judged.sms.reconcile(text(8), None) == NotFound()
    assert await judged.sms.reconcile(submission, "SM" + "f" * 32) == NotFound()


async def test_many_at_once_get_their_own_references(judged: Judged) -> None:
    submissions = [text(n) for n in range(60)]
    answers = await asyncio.gather(*(judged.sms.submit(each, 20.0) for each in submissions))
    references = [answer.provider_ref for answer in answers if isinstance(answer, Accepted)]
    assert len(set(references)) == len(submissions)
    named = {(e.attempt_id, e.provider_ref) for e in judged.events() if isinstance(e, Receipt)}
    assert named == set(zip([each.attempt_id for each in submissions], references, strict=True))


async def test_a_waiting_call_is_taken_back(judged: Judged) -> None:
    answer = await judged.voice.submit(call(), deadline_s)
    assert isinstance(answer, Accepted)
    assert await judged.voice.cancel(answer.provider_ref) is True
    assert await judged.voice.cancel("CA" + "f" * 32) is False


@pytest.mark.parametrize(
    ("changed", "code", "scope"),
    [
        ({"auth_token": "wrong"}, "20003", Scope.ACCOUNT),
        ({"from_number": "+15550000000"}, "21606", Scope.ACCOUNT),
    ],
)
async def test_a_wrong_setting_is_the_accounts_fault(
    judged: Judged, changed: Mapping[str, Any], code: str, scope: Scope
) -> None:
    providers = build(replace(judged.settings, **changed))
    answer = await providers[Channel.SMS].submit(text(), deadline_s)
    assert isinstance(answer, Rejected)
    assert (answer.code, answer.scope) == (code, scope)
    for provider in providers.values():
        await provider.close()


async def test_a_number_that_is_none_is_the_numbers_fault(judged: Judged) -> None:
    answer = await judged.sms.submit(make_submission(Channel.SMS, 1, "火警", "12"), deadline_s)
    assert isinstance(answer, Rejected)
    assert answer.scope is Scope.NUMBER


async def test_nobody_there_is_busy_and_nothing_was_sent(judged: Judged) -> None:
    providers = build(replace(judged.settings, base_url="http://127.0.0.1:9"))
    assert isinstance(await providers[Channel.SMS].submit(text(), deadline_s), Busy)
    for provider in providers.values():
        await provider.close()


async def test_check_believes_the_token_and_not_another(judged: Judged) -> None:
    words = {finding.about: finding.word for finding in (await judged.sms.check()).findings}
    assert words == {
        "credentials": HealthWord.FINE,
        "account": HealthWord.FINE,
        "balance": HealthWord.UNKNOWN,  # the judge has no such page
    }
    providers = build(replace(judged.settings, auth_token="wrong"))
    health = await providers[Channel.SMS].check()
    assert not health.usable
    assert health.findings[0].about == "credentials"
    assert "wrong" not in repr(health)
    for provider in providers.values():
        await provider.close()
