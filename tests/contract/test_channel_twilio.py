"""Twilio SMS and voice against the emulator: the shared suite, and the traps of the SDK."""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
import pytest_asyncio

from alerting.channels.base import Accepted, Busy, ChannelProvider, Rejected, Scope, Submission, Unknown
from alerting.channels.providers import TABLE
from alerting.channels.providers.twilio import build
from alerting.channels.providers.twilio_settings import TwilioSettings
from devices.model import Channel
from gengfu.clock import SystemClock
from simulators.twilio import Answers, Behaviour, FaultKind, TwilioEmulator
from tests.contract.channel_suite import Bench, EmulatorBench, VendorBench, VendorSuite, deadline_s, make_submission

account_sid = "AC" + "0" * 32
auth_token = "token-that-stays-secret"
sender = "+15551234567"
slow_s = 2.0
script = {
    "language": "zh-CN",
    "say": "火警。金鼎小区，三栋，二单元。",
    "keys": "确认出发请按一。",
    "recorded": "已记录。",
    "declined": "已转派。",
    "missed": "未确认。",
    "wait": "请稍候。",
}


def settings_for(base_url: str) -> TwilioSettings:
    return TwilioSettings(
        account_sid=account_sid,
        auth_token=auth_token,
        from_number=sender,
        public_url="http://127.0.0.1:9",  # nobody listens: these tests need no callbacks
        base_url=base_url,
        list_lag_s=0.15,
    )


def sms_text(n: int) -> str:
    return f"火警 金鼎小区3栋2单元 12:0{n % 10} 编号A{n}"


def voice_text(n: int) -> str:
    return json.dumps(script | {"say": f"火警。{n}栋。"})


class TwilioBench(EmulatorBench):
    """A Twilio channel against its emulator."""

    strange_ref = "XX" + "0" * 32
    refusals: Mapping[str, Scope] = {
        "21211": Scope.NUMBER,
        "21614": Scope.NUMBER,
        "21610": Scope.NUMBER,
        "21408": Scope.ACCOUNT,
        "21606": Scope.ACCOUNT,
        "30007": Scope.TEXT,
        "29999": Scope.ACCOUNT,
    }

    def __init__(self, provider: ChannelProvider, emulator: TwilioEmulator) -> None:
        super().__init__(provider, emulator)
        self.emulator = emulator
        self._text = sms_text if provider.channel is Channel.SMS else voice_text

    @property
    def finds(self) -> bool:
        """Both channels must; the suite's other way is not open to them."""
        assert self.provider.caps.finds
        return True

    def submission(self, n: int = 0) -> Submission:
        return make_submission(self.provider.channel, n, self._text(n), f"+86138000{n:05d}")

    def lag(self, seconds: float) -> None:
        self.emulator.messages.lag_s = self.emulator.calls.lag_s = seconds


class TwilioSuite(VendorSuite):
    """What both channels share beyond the contract."""

    @pytest.fixture
    def bench(self, emulator_bench: TwilioBench) -> Bench:
        return emulator_bench

    @pytest.fixture
    def vendor_bench(self, emulator_bench: TwilioBench) -> VendorBench:
        return emulator_bench

    async def test_a_refused_callback_address_does_not_silence_the_page(self, emulator_bench: TwilioBench) -> None:
        bench = emulator_bench
        bench.emulator.faults.set(FaultKind.ERROR, code=21609, count=1)
        answer = await bench.provider.submit(bench.submission(), deadline_s)
        assert isinstance(answer, Accepted)
        assert [row.attempt for row in bench.emulator.ledger.rows][1] is None
        assert bench.posts() == 2


@asynccontextmanager
async def one_of(channel: Channel, settings: TwilioSettings) -> AsyncIterator[ChannelProvider]:
    """One channel of an account; all are closed afterwards, as a server does."""
    providers = build(settings)
    try:
        yield providers[channel]
    finally:
        for provider in providers.values():
            await provider.close()


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[TwilioEmulator]:
    """Phones that ring out: a call stays until it is taken back."""
    clock = SystemClock()
    emulator = TwilioEmulator(
        account_sid=account_sid,
        auth_token=auth_token,
        clock=clock.now,
        default_behaviour=Behaviour(answers=Answers.NEVER),
    )
    async with emulator:
        yield emulator


class TestSms(TwilioSuite):
    @pytest_asyncio.fixture
    async def emulator_bench(self, emulator: TwilioEmulator) -> AsyncIterator[TwilioBench]:
        async with one_of(Channel.SMS, settings_for(emulator.base_url)) as provider:
            yield TwilioBench(provider, emulator)

    async def test_a_text_has_a_short_life_and_our_sender(self, emulator_bench: TwilioBench) -> None:
        await emulator_bench.provider.submit(emulator_bench.submission(), deadline_s)
        (message,) = emulator_bench.emulator.messages._by_sid.values()
        assert (message.validity_s, message.sender, message.body) == (120, sender, sms_text(0))

    async def test_another_text_to_the_same_phone_is_not_taken_for_it(self, emulator_bench: TwilioBench) -> None:
        submission = emulator_bench.submission()
        assert isinstance(await emulator_bench.provider.submit(submission, deadline_s), Accepted)
        other = replace(submission, text=submission.text + "!")
        assert not isinstance(await emulator_bench.provider.reconcile(other, None), Accepted)


class TestVoice(TwilioSuite):
    @pytest_asyncio.fixture
    async def emulator_bench(self, emulator: TwilioEmulator) -> AsyncIterator[TwilioBench]:
        async with one_of(Channel.VOICE, settings_for(emulator.base_url)) as provider:
            yield TwilioBench(provider, emulator)

    async def test_a_ringing_call_is_taken_back(self, emulator_bench: TwilioBench) -> None:
        answer = await emulator_bench.provider.submit(emulator_bench.submission(), deadline_s)
        assert isinstance(answer, Accepted)
        assert await emulator_bench.provider.cancel(answer.provider_ref) is True
        call = emulator_bench.emulator.calls.get(answer.provider_ref)
        assert call is not None
        assert call.status == "canceled"
        assert await emulator_bench.provider.cancel(answer.provider_ref) is False

    async def test_a_running_call_is_hung_up(self, emulator_bench: TwilioBench) -> None:
        emulator = emulator_bench.emulator
        emulator.phones.default = Behaviour(answers=Answers.VOICEMAIL, answers_after_s=0)
        answer = await emulator_bench.provider.submit(emulator_bench.submission(), deadline_s)
        assert isinstance(answer, Accepted)
        await emulator.until(lambda phones: bool(phones.calls) and bool(phones.calls[0].heard))
        assert await emulator_bench.provider.cancel(answer.provider_ref) is True
        assert emulator.phones.calls[0].outcome == "completed"

    async def test_the_queue_of_the_account_is_told(self, emulator_bench: TwilioBench) -> None:
        emulator_bench.emulator.faults.set(FaultKind.QUEUE_TIME, seconds=5)
        answer = await emulator_bench.provider.submit(emulator_bench.submission(), deadline_s)
        assert isinstance(answer, Accepted)
        assert answer.queue_ms == 5000

    async def test_two_calls_to_one_phone_cannot_be_told_apart(self, emulator_bench: TwilioBench) -> None:
        submission = emulator_bench.submission()
        for _ in range(2):
            await emulator_bench.provider.submit(submission, deadline_s)
        assert isinstance(await emulator_bench.provider.reconcile(submission, None), Unknown)

    async def test_what_is_no_script_is_refused_before_anything_is_sent(self, emulator_bench: TwilioBench) -> None:
        for text in ("火警", "[]", json.dumps(script | {"language": "tlh"}), json.dumps(script | {"say": "长" * 4000})):
            answer = await emulator_bench.provider.submit(replace(emulator_bench.submission(), text=text), deadline_s)
            assert isinstance(answer, Rejected)
            assert answer.scope is Scope.TEXT
        assert emulator_bench.posts() == 0


async def test_nobody_listens_is_busy_because_nothing_was_sent(emulator: TwilioEmulator, free_port: int) -> None:
    async with one_of(Channel.SMS, settings_for(f"http://127.0.0.1:{free_port}")) as provider:
        bench = TwilioBench(provider, emulator)
        assert isinstance(await provider.submit(bench.submission(), deadline_s), Busy)


async def test_wrong_token_is_the_accounts_fault(emulator: TwilioEmulator) -> None:
    async with one_of(Channel.SMS, replace(settings_for(emulator.base_url), auth_token="wrong")) as provider:
        answer = await provider.submit(TwilioBench(provider, emulator).submission(), deadline_s)
        assert answer == Rejected("credentials", Scope.ACCOUNT, "20003")


async def test_two_hundred_at_once_do_not_queue_behind_each_other(emulator: TwilioEmulator) -> None:
    """aiohttp's own pool holds 100 connections: with it the second hundred would wait for the first."""
    emulator.faults.set(FaultKind.SLOW, seconds=slow_s)
    async with one_of(Channel.SMS, settings_for(emulator.base_url)) as provider:
        bench = TwilioBench(provider, emulator)
        started = time.monotonic()
        answers = await asyncio.gather(*(provider.submit(bench.submission(n), 10.0) for n in range(200)))
        assert time.monotonic() - started < 2 * slow_s
        assert all(isinstance(answer, Accepted) for answer in answers)


async def test_edge_in_the_environment_does_not_lead_away_from_a_local_address(
    emulator: TwilioEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "singapore")
    async with one_of(Channel.SMS, settings_for(emulator.base_url)) as provider:
        answer = await provider.submit(TwilioBench(provider, emulator).submission(), deadline_s)
        assert isinstance(answer, Accepted)


async def test_channels_share_one_pool_and_the_last_one_closes_it(emulator: TwilioEmulator) -> None:
    providers = build(settings_for(emulator.base_url))
    sms, voice = providers[Channel.SMS], providers[Channel.VOICE]
    bench = TwilioBench(voice, emulator)
    emulator.faults.set(FaultKind.SLOW, seconds=0.2)
    under_way = asyncio.create_task(voice.submit(bench.submission(), deadline_s))
    await asyncio.sleep(0.05)
    await sms.close()
    await sms.close()
    assert isinstance(await under_way, Accepted)
    await voice.close()


async def test_logs_and_reprs_hold_neither_numbers_nor_secrets(
    emulator: TwilioEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = settings_for(emulator.base_url)
    async with one_of(Channel.SMS, settings) as provider:
        bench = TwilioBench(provider, emulator)
        emulator.faults.set(FaultKind.ERROR, code=21211, count=1)
        await provider.submit(bench.submission(1), deadline_s)
        await provider.submit(bench.submission(2), deadline_s)
        await provider.reconcile(bench.submission(3), None)
    written = caplog.text + repr(settings)
    assert "138****0001" in written
    assert "number_invalid" in written
    for secret in ("13800000001", "13800000002", "13800000003", auth_token):
        assert secret not in written


def test_the_table_names_what_builds_twilio() -> None:
    vendor = TABLE["twilio"]
    settings = settings_for("http://127.0.0.1:1")
    assert isinstance(settings, vendor.settings)
    assert set(vendor.build(settings)) == {Channel.SMS, Channel.VOICE}
    assert set(vendor.build(replace(settings, from_number="MG" + "0" * 32))) == {Channel.SMS}
