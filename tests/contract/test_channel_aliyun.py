"""Alibaba Cloud SMS and voice against the emulator: the shared suite, and what only this carrier does."""

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from alerting.channels.base import (
    Accepted,
    Busy,
    ChannelProvider,
    HealthWord,
    NotFound,
    Rejected,
    Scope,
    Submission,
    Unknown,
)
from alerting.channels.http import busy_retry_s
from alerting.channels.providers import TABLE
from alerting.channels.providers.aliyun import build
from alerting.channels.providers.aliyun_settings import AliyunSettings, VoiceKeys
from alerting.core.templates import filled
from devices.model import Channel, Language
from simulators.aliyun import AliyunEmulator, Limit, Registered
from simulators.phone import Answers, Behaviour
from tests.contract.channel_suite import Bench, EmulatorBench, VendorBench, VendorSuite, deadline_s, short_deadline_s
from tests.support.aliyun import (
    account,
    codes,
    key_secret,
    settings_for,
    show_number,
    sign_name,
    submission_of,
    thanks,
)

common_refusals: Mapping[str, Scope] = {
    "isv.MOBILE_NUMBER_ILLEGAL": Scope.NUMBER,
    "isv.TEMPLATE_MISSING_PARAMETERS": Scope.TEXT,
    "isv.INVALID_PARAMETERS": Scope.TEXT,
    "isv.AMOUNT_NOT_ENOUGH": Scope.ACCOUNT,
    "isp.RAM_PERMISSION_DENY": Scope.ACCOUNT,
    "SignatureDoesNotMatch": Scope.ACCOUNT,
    "InvalidAccessKeyId.NotFound": Scope.ACCOUNT,
    "isv.NEVER_HEARD_OF": Scope.ACCOUNT,
}
common_limits: Mapping[str, Busy] = {
    "isv.BUSINESS_LIMIT_CONTROL": Busy(60.0, number_limit=True),
    "Throttling.User": Busy(busy_retry_s),
}


@asynccontextmanager
async def one_of(channel: Channel, settings: AliyunSettings) -> AsyncIterator[ChannelProvider]:
    """One channel of an account; all are closed afterwards, as a server does."""
    providers = build(settings)
    try:
        yield providers[channel]
    finally:
        for provider in providers.values():
            await provider.close()


class AliyunBench(EmulatorBench):
    """A channel against its emulator."""

    limits = common_limits
    template: str

    def __init__(self, provider: ChannelProvider, emulator: AliyunEmulator) -> None:
        super().__init__(provider, emulator)
        self.emulator = emulator

    def submission(self, n: int = 0) -> Submission:
        return submission_of(self.template, n)

    def lag(self, seconds: float) -> None:
        self.emulator.texts.list_lag_s = seconds


class SmsBench(AliyunBench):
    template = "sms_page"
    strange_ref = "999999999999^0"
    refusals: Mapping[str, Scope] = {
        **common_refusals,
        "isv.SMS_TEMPLATE_ILLEGAL": Scope.TEXT,
        "isv.SMS_SIGNATURE_ILLEGAL": Scope.ACCOUNT,
    }

    @property
    def finds(self) -> bool:
        """It must; the suite's other way is not open to it."""
        assert self.provider.caps.finds
        return True

    def owner(self, provider_ref: str) -> str:
        """Alibaba's records show no BizId: what was found without one goes by our own id."""
        mine = [row.attempt for row in self.emulator.ledger.rows if row.sid is not None and row.attempt == provider_ref]
        return provider_ref if mine else super().owner(provider_ref)


class VoiceBench(AliyunBench):
    template = "voice_page"
    strange_ref = "999999999999^0"
    keeps_references = False
    refusals: Mapping[str, Scope] = {
        **common_refusals,
        "isv.TTS_TEMPLATE_ILLEGAL": Scope.TEXT,
        "isv.DISPLAY_NUMBER_ILLEGAL": Scope.ACCOUNT,
    }


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[AliyunEmulator]:
    """Phones that ring out: a call stays."""
    async with account(default_behaviour=Behaviour(answers=Answers.NEVER)) as emulator:
        yield emulator


class AliyunSuite(VendorSuite):
    @pytest.fixture
    def bench(self, own_bench: AliyunBench) -> Bench:
        return own_bench

    @pytest.fixture
    def vendor_bench(self, own_bench: AliyunBench) -> VendorBench:
        return own_bench

    async def test_without_a_registered_wording_nothing_is_sent(self, own_bench: AliyunBench) -> None:
        for submission, reason in (
            (replace(own_bench.submission(), wording=None), "no_template"),
            (replace(own_bench.submission(), address="+8201012345678"), "number_no_route"),
        ):
            answer = await own_bench.provider.submit(submission, deadline_s)
            assert isinstance(answer, Rejected)
            assert answer.reason == reason
        assert own_bench.posts() == 0

    async def test_a_language_without_a_code_is_refused_here(self, emulator: AliyunEmulator) -> None:
        channel = Channel.SMS if isinstance(self, TestSms) else Channel.VOICE
        only = {Language.ZH_CN: codes(channel)[Language.ZH_CN]}
        changes = {"sms_templates" if channel is Channel.SMS else "voice_templates": only}
        async with one_of(channel, settings_for(emulator.base_url, **changes)) as provider:
            name = "sms_page" if channel is Channel.SMS else "voice_page"
            answer = await provider.submit(submission_of(name, language=Language.EN), deadline_s)
            assert answer == Rejected("template_not_set", Scope.TEXT, name)
        assert not emulator.ledger.rows

    async def test_a_wrong_secret_is_the_accounts_fault(self, emulator: AliyunEmulator) -> None:
        channel = Channel.SMS if isinstance(self, TestSms) else Channel.VOICE
        name = "sms_page" if channel is Channel.SMS else "voice_page"
        settings = settings_for(emulator.base_url, access_key_secret="wrong")
        async with one_of(channel, settings) as provider:
            answer = await provider.submit(submission_of(name), deadline_s)
            assert answer == Rejected("credentials", Scope.ACCOUNT, "SignatureDoesNotMatch")
            health = await provider.check()
            assert not health.usable
            assert [each.about for each in health.findings if each.word is HealthWord.FAULT] == ["credentials"]


class TestSms(AliyunSuite):
    @pytest_asyncio.fixture
    async def own_bench(self, emulator: AliyunEmulator) -> AsyncIterator[AliyunBench]:
        async with one_of(Channel.SMS, settings_for(emulator.base_url)) as provider:
            yield SmsBench(provider, emulator)

    async def test_the_person_reads_the_signature_and_the_registered_words(self, own_bench: AliyunBench) -> None:
        emulator = own_bench.emulator
        for language in (Language.ZH_CN, Language.EN):
            submission = submission_of("sms_page", 7, language)
            assert submission.wording is not None
            assert isinstance(await own_bench.provider.submit(submission, deadline_s), Accepted)
            body = f"【{sign_name}】{filled(submission.wording, language)}"
            await emulator.until(lambda phones, body=body: any(sms.body == body for sms in phones.sms))  # type: ignore[misc]

    async def test_an_unapproved_template_is_refused_at_the_check_and_at_sending(self, own_bench: AliyunBench) -> None:
        emulator, code = own_bench.emulator, codes(Channel.SMS)[Language.ZH_CN]["sms_page"]
        health = await own_bench.provider.check()
        assert health.usable
        assert health.balance == "1,234.56 CNY"
        for changed, word in (
            (Registered("别的话${what}"), "other words"),
            (replace(emulator.catalog.texts[code], status=0), "reviewed"),
            (None, "no template of that code"),
        ):
            if changed is None:
                del emulator.catalog.texts[code]
            else:
                emulator.catalog.texts[code] = changed
            (fault,) = [each for each in (await own_bench.provider.check()).findings if each.word is HealthWord.FAULT]
            assert fault.about == "template:sms_page/zh-CN"
            assert word in fault.detail
        answer = await own_bench.provider.submit(own_bench.submission(), deadline_s)
        assert answer == Rejected("template", Scope.TEXT, "isv.SMS_TEMPLATE_ILLEGAL")

    async def test_another_text_to_the_same_phone_is_not_taken_for_it(self, own_bench: AliyunBench) -> None:
        sent, lost = own_bench.submission(), own_bench.submission()
        answer = await own_bench.provider.submit(sent, deadline_s)
        assert isinstance(answer, Accepted)
        assert await own_bench.provider.reconcile(lost, None) == NotFound()
        assert await own_bench.provider.reconcile(lost, answer.provider_ref) == NotFound()
        assert await own_bench.provider.poll(lost, answer.provider_ref) == []

    async def test_a_text_is_found_behind_fifty_others(self, own_bench: AliyunBench) -> None:
        own_bench.take_but_do_not_answer()
        first = own_bench.submission()
        assert isinstance(await own_bench.provider.submit(first, short_deadline_s), Unknown)
        for _ in range(50):
            assert isinstance(await own_bench.provider.submit(own_bench.submission(), deadline_s), Accepted)
        assert await own_bench.provider.reconcile(first, None) == Accepted(first.attempt_id)

    async def test_the_check_sees_a_signature_under_review_and_an_empty_account(self, own_bench: AliyunBench) -> None:
        own_bench.emulator.catalog.signs[sign_name] = Registered("", status=0)
        own_bench.emulator.balance = "0.00"
        found = (await own_bench.provider.check()).findings
        assert {each.about for each in found if each.word is HealthWord.FAULT} == {"signature", "balance"}

    async def test_the_daily_window_is_taught_to_the_ledger(self, emulator: AliyunEmulator) -> None:
        limits = (Limit(2, 86_400.0),)
        async with (
            account(text_limits=limits) as strict,
            one_of(Channel.SMS, settings_for(strict.base_url)) as provider,
        ):
            answers = [await provider.submit(submission_of("sms_page"), deadline_s) for _ in range(3)]
        assert [type(each) for each in answers] == [Accepted, Accepted, Busy]
        assert answers[2] == Busy(86_400.0, number_limit=True)

    async def test_a_receipt_that_is_missing_is_polled(self, emulator: AliyunEmulator) -> None:
        async with account(time_scale=0) as fast, one_of(Channel.SMS, settings_for(fast.base_url)) as provider:
            submission = submission_of("sms_page")
            answer = await provider.submit(submission, deadline_s)
            assert isinstance(answer, Accepted)
            await fast.until(lambda phones: bool(phones.sms))
            (event,) = await provider.poll(submission, answer.provider_ref)
            assert (event.attempt_id, event.kind, event.error) == (submission.attempt_id, "delivered", "")  # type: ignore[union-attr]
            assert await provider.poll(submission_of("sms_page"), answer.provider_ref) == []

    async def test_logs_and_reprs_hold_neither_numbers_nor_secrets(
        self, own_bench: AliyunBench, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        own_bench.refuse("isv.MOBILE_NUMBER_ILLEGAL")
        for n in (1, 2):
            await own_bench.provider.submit(own_bench.submission(n), deadline_s)
        await own_bench.provider.reconcile(own_bench.submission(3), None)
        await own_bench.provider.check()
        written = caplog.text + repr(settings_for("http://127.0.0.1:1"))
        assert "138****0001" in written
        for secret in ("13800000001", "13800000002", "13800000003", key_secret, "callback-key"):
            assert secret not in written


class TestVoice(AliyunSuite):
    @pytest_asyncio.fixture
    async def own_bench(self, emulator: AliyunEmulator) -> AsyncIterator[AliyunBench]:
        async with one_of(Channel.VOICE, settings_for(emulator.base_url)) as provider:
            yield VoiceBench(provider, emulator)

    async def test_the_person_hears_the_registered_words_and_a_key_is_thanked(self, emulator: AliyunEmulator) -> None:
        async with account(time_scale=0) as fast, one_of(Channel.VOICE, settings_for(fast.base_url)) as provider:
            submission = submission_of("voice_page")
            assert submission.wording is not None
            await provider.submit(submission, deadline_s)
            await fast.until(lambda phones: bool(phones.calls) and bool(phones.calls[0].outcome))
            (call,) = fast.phones.calls
        assert [heard.text for heard in call.heard] == [filled(submission.wording, Language.ZH_CN), thanks]
        assert (call.sender, call.pressed, call.outcome) == (show_number, "1", "completed")

    async def test_two_within_a_second_block_each_other_and_say_so(self, own_bench: AliyunBench) -> None:
        submission = own_bench.submission()
        assert isinstance(await own_bench.provider.submit(submission, deadline_s), Accepted)
        again = await own_bench.provider.submit(replace(submission, attempt_id="a" * 13), deadline_s)
        assert isinstance(again, Busy)
        assert again.number_limit
        assert [call.blocked for call in own_bench.emulator.calls.taken.values()] == [True]
        assert own_bench.provider.caps.min_gap_s == 60.0

    async def test_without_keys_no_text_asks_for_one(self, emulator: AliyunEmulator) -> None:
        shared = settings_for(emulator.base_url, show_number=None, voice_keys=VoiceKeys.NONE)
        async with one_of(Channel.VOICE, shared) as provider:
            assert provider.caps.dtmf is False
            assert isinstance(await provider.submit(submission_of("voice_page", 1), deadline_s), Accepted)
            for name in ("voice_household", "voice_check"):
                answer = await provider.submit(submission_of(name, 2), deadline_s)
                assert answer == Rejected("keys_not_offered", Scope.TEXT, name)
        (row,) = emulator.ledger.rows
        assert "无需按键" in row.text
        assert row.sender is None

    async def test_the_record_of_a_call_is_polled_once_it_is_there(self, emulator: AliyunEmulator) -> None:
        changes: list[dict[str, Any]] = [{}, {"show_number": None, "voice_keys": VoiceKeys.TTS}]
        for change in changes:
            silent = Behaviour(answers=Answers.NEVER)
            async with (
                account(time_scale=0, default_behaviour=silent) as fast,
                one_of(Channel.VOICE, settings_for(fast.base_url, **change)) as provider,
            ):
                submission = submission_of("voice_page")
                answer = await provider.submit(submission, deadline_s)
                assert isinstance(answer, Accepted)
                await fast.until(lambda phones: bool(phones.calls) and bool(phones.calls[0].outcome))
                (event,) = await provider.poll(submission, answer.provider_ref)
                assert event.kind == "no_answer"  # type: ignore[union-attr]
                assert await provider.reconcile(submission, answer.provider_ref) == answer
                assert await provider.reconcile(submission, "1^1") == Unknown("not_listed")

    async def test_the_check_tells_what_it_cannot_see(self, own_bench: AliyunBench) -> None:
        health = await own_bench.provider.check()
        assert health.usable
        words = {each.about: each.word for each in health.findings}
        assert words == {"credentials": HealthWord.FINE, "templates": HealthWord.UNKNOWN, "keys": HealthWord.FINE}


async def test_a_refusal_inside_a_200_is_never_an_acceptance(emulator: AliyunEmulator) -> None:
    """The very answer that Alibaba's own client lets pass."""
    emulator.catalog.signs[sign_name] = Registered("", status=2)
    async with one_of(Channel.SMS, settings_for(emulator.base_url)) as provider:
        answer = await provider.submit(submission_of("sms_page"), deadline_s)
    assert answer == Rejected("signature_name", Scope.ACCOUNT, "isv.SMS_SIGNATURE_ILLEGAL")


async def test_nobody_listens_is_busy_because_nothing_was_sent(free_port: int) -> None:
    async with one_of(Channel.SMS, settings_for(f"http://127.0.0.1:{free_port}")) as provider:
        assert isinstance(await provider.submit(submission_of("sms_page"), deadline_s), Busy)


def test_the_table_names_what_builds_it() -> None:
    vendor = TABLE["aliyun"]
    settings = settings_for("http://127.0.0.1:1")
    assert isinstance(settings, vendor.settings)
    assert set(vendor.build(settings)) == {Channel.SMS, Channel.VOICE}
    assert set(vendor.build(replace(settings, voice_templates={}))) == {Channel.SMS}
    assert vendor.callbacks is not None
