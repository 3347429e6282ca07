"""What readiness and routing read of a Twilio account: its limits, its health, receipts that are asked for."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from aiohttp import web

from alerting.carriers import account_answers
from alerting.channels.base import Accepted, HealthWord, Receipt, ReceiptKind
from alerting.channels.providers.twilio import build
from devices.model import Channel
from gengfu.clock import SystemClock
from simulators.twilio import TwilioEmulator
from tests.contract.channel_suite import deadline_s, make_submission
from tests.contract.test_channel_twilio import account_sid, auth_token, one_of, settings_for
from tests.unit.test_twilio_client import server

WORKER = "+8613800138000"


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[TwilioEmulator]:
    async with TwilioEmulator(account_sid=account_sid, auth_token=auth_token, clock=SystemClock().now) as emulator:
        yield emulator


@pytest.mark.parametrize(
    ("status", "balance", "faults"),
    [
        ("active", "100.00", set()),
        ("suspended", "100.00", {"account"}),
        ("closed", "100.00", {"account"}),
        ("active", "1.20", {"balance"}),
        ("active", "-3", {"balance"}),
    ],
)
async def test_check_tells_what_would_stop_the_next_fire(
    emulator: TwilioEmulator, status: str, balance: str, faults: set[str]
) -> None:
    emulator.account.status, emulator.account.balance = status, balance
    async with one_of(Channel.SMS, settings_for(emulator.base_url)) as provider:
        health = await provider.check()
    assert {finding.about for finding in health.findings if finding.word is HealthWord.FAULT} == faults
    assert health.balance == f"{balance} USD"
    assert health.usable is not bool(faults)
    assert emulator.phones.sms == [], "nobody is disturbed"


async def test_check_does_not_raise_when_nobody_answers() -> None:
    async with one_of(Channel.SMS, settings_for("http://127.0.0.1:9")) as provider:
        health = await provider.check()
    assert [finding.word for finding in health.findings] == [HealthWord.UNKNOWN]
    assert health.usable, "not knowing is no fault"


async def test_check_names_the_wrong_credentials(emulator: TwilioEmulator) -> None:
    settings = replace(settings_for(emulator.base_url), auth_token="not-the-token")
    async with one_of(Channel.VOICE, settings) as provider:
        health = await provider.check()
    assert [(each.about, each.word) for each in health.findings] == [("credentials", HealthWord.FAULT)]
    assert "not-the-token" not in repr(health)


@pytest.mark.parametrize(("status", "body"), [(404, '{"code":20404}'), (404, "<html>"), (403, "{}"), (200, "{}")])
async def test_a_stand_in_without_an_account_page_is_no_fault(status: int, body: str) -> None:
    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=status, text=body, content_type="application/json")

    async with server(handle) as base_url, one_of(Channel.SMS, settings_for(base_url)) as provider:
        health = await provider.check()
    assert HealthWord.UNKNOWN in {finding.word for finding in health.findings}
    assert health.usable, [finding.detail for finding in health.findings]
    assert account_answers(health), "its breaker may close again"


async def test_poll_reads_the_fate_of_a_text(emulator: TwilioEmulator) -> None:
    async with one_of(Channel.SMS, settings_for(emulator.base_url)) as provider:
        submission = make_submission(Channel.SMS, 1, "火警", WORKER)
        answer = await provider.submit(submission, deadline_s)
        assert isinstance(answer, Accepted)
        message = emulator.messages.get(answer.provider_ref)
        assert message is not None
        message.status = "delivered"
        told = await provider.poll(submission, answer.provider_ref)
        assert told == [Receipt(submission.attempt_id, ReceiptKind.DELIVERED, answer.provider_ref)]
        assert await provider.poll(submission, "SM" + "0" * 32) == []


def test_caps_follow_the_settings() -> None:
    settings = replace(settings_for("http://127.0.0.1:9"), two_way=True, calls_per_second=5.0, ring_s=18)
    providers = build(settings)
    sms, voice = providers[Channel.SMS].caps, providers[Channel.VOICE].caps
    assert (sms.two_way, sms.receipts, sms.links, sms.finds) == (True, True, True, True)
    assert (voice.per_second, voice.ring_s, voice.dtmf, voice.cancels, voice.reports_ringing) == (
        5.0,
        18,
        True,
        True,
        True,
    )
    assert build(settings_for("http://127.0.0.1:9"))[Channel.VOICE].caps.per_second == 1.0, "one until Twilio approves"
