"""Tencent SMS and voice against the emulator: the shared suite, and what is Tencent's own."""

import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from alerting.carriers import carriers_of
from alerting.channels.base import (
    Accepted,
    Busy,
    ChannelProvider,
    HealthWord,
    Receipt,
    ReceiptKind,
    Rejected,
    Scope,
    Unknown,
    Window,
    Wording,
)
from alerting.channels.http import Answer
from alerting.channels.providers import TABLE
from alerting.channels.providers.tencent_client import read
from alerting.channels.providers.tencent_settings import TencentSettings
from devices.model import Channel, Language
from simulators.emulating import FaultKind
from simulators.phone import Behaviour, PhoneBook, SmsFate
from simulators.tencent import Account, Sign, Template, TencentEmulator, Windows
from tests.contract.channel_suite import Bench, VendorBench, VendorSuite, deadline_s
from tests.contract.tencent_support import (
    TencentBench,
    account,
    callback_key,
    emulated,
    numbers,
    providers,
    secret_key,
    settings_for,
    sign,
    wording,
)

wait_s = 5.0


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[TencentEmulator]:
    async with emulated() as emulator:
        yield emulator


@pytest_asyncio.fixture
async def both(emulator: TencentEmulator) -> AsyncIterator[dict[Channel, ChannelProvider]]:
    async with providers(settings_for(emulator.base_url)) as built:
        yield built


class _Suite(VendorSuite):
    channel: Channel

    @pytest.fixture
    def vendor_bench(self, emulator: TencentEmulator, both: dict[Channel, ChannelProvider]) -> VendorBench:
        return TencentBench(both[self.channel], emulator)

    @pytest.fixture
    def bench(self, vendor_bench: VendorBench) -> Bench:
        return vendor_bench


class TestTencentSms(_Suite):
    channel = Channel.SMS


class TestTencentVoice(_Suite):
    channel = Channel.VOICE


async def test_a_person_reads_the_registered_text_with_its_values(
    emulator: TencentEmulator, both: dict[Channel, ChannelProvider]
) -> None:
    bench = TencentBench(both[Channel.SMS], emulator)
    submission = bench.submission(7)
    assert isinstance(await bench.provider.submit(submission, deadline_s), Accepted)
    await emulator.until(lambda book: bool(book.sms), wait_s)
    shown = emulator.phones.sms[0]
    assert shown.body == f"【{sign}】火警烟感，位置7栋2单元1201，时间03:12，请立即到场。编号A7"
    assert shown.attempt == submission.attempt_id


async def test_a_person_hears_the_registered_text_twice(
    emulator: TencentEmulator, both: dict[Channel, ChannelProvider]
) -> None:
    bench = TencentBench(both[Channel.VOICE], emulator)
    assert isinstance(await bench.provider.submit(bench.submission(3), deadline_s), Accepted)
    await emulator.until(_ended(1), wait_s)
    call = emulator.phones.calls[0]
    assert [heard.text for heard in call.heard] == ["火警烟感，位置3栋2单元1201。确认出发请按一，无法前往请按二。"] * 2
    assert call.pressed == "1"


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.VOICE])
async def test_what_has_no_registered_form_is_refused_without_asking(
    emulator: TencentEmulator, both: dict[Channel, ChannelProvider], channel: Channel
) -> None:
    bench = TencentBench(both[channel], emulator)
    without = replace(bench.submission(), wording=None)
    english = replace(bench.submission(), language=Language.EN)
    other = replace(bench.submission(), wording=Wording(wording(channel).template, {"what": "x"}))
    reasons = []
    for submission in (without, english, other):
        answer = await bench.provider.submit(submission, deadline_s)
        assert isinstance(answer, Rejected)
        assert answer.scope is Scope.TEXT
        reasons.append(answer.reason)
    assert reasons == ["no_template", "template_not_set", "template_variables"]
    assert bench.posts() == 0


async def test_the_refusal_inside_a_200_is_read(
    emulator: TencentEmulator, both: dict[Channel, ChannelProvider]
) -> None:
    """Not by a fault on demand: the account itself refuses."""
    bench = TencentBench(both[Channel.SMS], emulator)
    cases = {
        "sign": ("FailedOperation.SignatureIncorrectOrUnapproved", Scope.ACCOUNT),
        "template": ("FailedOperation.TemplateUnapprovedOrNotExist", Scope.TEXT),
        "opted_out": ("FailedOperation.PhoneNumberInBlacklist", Scope.NUMBER),
    }
    emulator.account.signs = [Sign(sign, status=-1)]
    first = await bench.provider.submit(bench.submission(), deadline_s)
    emulator.account.signs = [Sign(sign)]
    emulator.account.sms_templates[numbers["sms_page"]].status = 1
    second = await bench.provider.submit(bench.submission(), deadline_s)
    emulator.account.sms_templates[numbers["sms_page"]].status = 0
    submission = bench.submission()
    emulator.phones.opted_out.add(submission.address)
    third = await bench.provider.submit(submission, deadline_s)
    told = [(each.code, each.scope) for each in (first, second, third) if isinstance(each, Rejected)]
    assert told == list(cases.values())


def test_an_answer_that_fits_nothing_is_unknown() -> None:
    for body in (b"{}", b"[]", b'{"Response": 7}', b'{"Response": {"Error": {"Code": 7}}}', b"[" * 100_000, b"\xff"):
        assert read(Answer(200, body)) == Unknown("unreadable_answer"), body[:20]


async def test_the_account_s_windows_teach_the_ledger() -> None:
    """10 texts a day, and one call a night until somebody asks for more."""
    evening = datetime(2026, 11, 27, 15, 0, tzinfo=UTC)  # 23:00 in China
    at = [evening]
    async with (
        emulated(clock=lambda: at[0], windows=Windows(texts_a_day=2)) as emulator,
        providers(settings_for(emulator.base_url, clock=lambda: at[0])) as both,
    ):
        sms, voice = TencentBench(both[Channel.SMS], emulator), TencentBench(both[Channel.VOICE], emulator)
        one_phone = sms.submission()
        texts = [
            await sms.provider.submit(replace(one_phone, wording=wording(Channel.SMS, n)), deadline_s) for n in range(3)
        ]
        calls = []
        for minutes in (0, 1, 180, 10 * 60):
            at[0] = evening + timedelta(minutes=minutes)
            calls.append(await voice.provider.submit(voice.submission(), deadline_s))
    assert [type(each) for each in texts] == [Accepted, Accepted, Busy]
    assert texts[2] == Busy(86_400.0, number_limit=True)
    spent = Busy(30.0, number_limit=True)
    assert isinstance(calls[0], Accepted)
    assert calls[1:3] == [spent, spent]
    assert isinstance(calls[3], Accepted), "the night is over"


async def test_caps_say_what_tencent_can(both: dict[Channel, ChannelProvider]) -> None:
    sms, voice = both[Channel.SMS].caps, both[Channel.VOICE].caps
    assert sms.regions == voice.regions == frozenset({"+86"})
    assert (sms.templates, sms.receipts, sms.links, sms.finds) == (True, True, False, False)
    assert (voice.templates, voice.receipts, voice.dtmf) == (True, True, True)
    assert (voice.finds, voice.cancels, voice.reports_ringing) == (False, False, False)
    assert sms.windows == (Window(10, 86_400.0),)
    assert Window(1, 36_000.0, (22, 8)) in voice.windows
    assert (voice.min_gap_s, voice.per_second) == (30.0, 20.0)
    raised = replace(settings_for("http://127.0.0.1:9"), voice_windows=(Window(2, 30.0), Window(50, 86_400.0)))
    async with providers(raised) as more:
        assert more[Channel.VOICE].caps.min_gap_s == 0.0


async def test_a_receipt_that_did_not_come_is_asked_for(
    emulator: TencentEmulator, both: dict[Channel, ChannelProvider]
) -> None:
    bench = TencentBench(both[Channel.SMS], emulator)
    emulator.phones.set("+8613800000002", Behaviour(sms=SmsFate.UNDELIVERED))
    emulator.phones.set("+8613800000003", Behaviour(sms=SmsFate.SENT_ONLY))
    told = {}
    for n in (1, 2, 3):
        submission = bench.submission(n)
        answer = await bench.provider.submit(submission, deadline_s)
        assert isinstance(answer, Accepted)
        if n == 1:
            await emulator.until(lambda book: bool(book.sms), wait_s)
        events = await bench.provider.poll(submission, answer.provider_ref)
        told[n] = [(event.kind, event.error) for event in events if isinstance(event, Receipt)]
        assert all(isinstance(event, Receipt) and event.attempt_id == submission.attempt_id for event in events)
    assert told == {1: [(ReceiptKind.DELIVERED, "")], 2: [(ReceiptKind.FAILED, "MK:0001")], 3: []}


async def test_a_text_is_found_again_where_tencent_gives_our_id_back(
    emulator: TencentEmulator, both: dict[Channel, ChannelProvider]
) -> None:
    bench = TencentBench(both[Channel.SMS], emulator)
    emulator.account.returns_context = True
    bench.spoil(FaultKind.CUT_LINE, accepts=True)
    submission = bench.submission()
    assert isinstance(await bench.provider.submit(submission, deadline_s), Unknown)
    await emulator.until(lambda book: bool(book.sms), wait_s)
    found = await bench.provider.reconcile(submission, None)
    assert isinstance(found, Accepted)
    assert bench.owner(found.provider_ref) == submission.attempt_id
    assert await bench.provider.reconcile(submission, found.provider_ref) == found
    assert isinstance(await bench.provider.reconcile(bench.submission(), None), Unknown), "absence proves nothing"


async def test_a_clock_five_minutes_wrong_is_told_as_such(emulator: TencentEmulator) -> None:
    wrong = settings_for(emulator.base_url, clock=lambda: emulator.clock() + timedelta(minutes=6))
    async with providers(wrong) as both:
        bench = TencentBench(both[Channel.SMS], emulator)
        answer = await bench.provider.submit(bench.submission(), deadline_s)
        health = await both[Channel.SMS].check()
    assert answer == Rejected("clock", Scope.ACCOUNT, "AuthFailure.SignatureExpire")
    assert ("credentials", HealthWord.FAULT) in [(each.about, each.word) for each in health.findings]


async def _findings(of: Account, settings: TencentSettings | None = None) -> dict[str, tuple[HealthWord, str]]:
    async with emulated(of=of) as emulator:
        chosen = (
            settings_for(emulator.base_url)
            if settings is None
            else replace(settings, sms_base_url=emulator.base_url, voice_base_url=emulator.base_url)
        )
        async with providers(chosen) as both:
            found = [finding for each in both.values() for finding in (await each.check()).findings]
        assert not emulator.ledger.rows, "a look sends nothing"
        return {finding.about: (finding.word, finding.detail) for finding in found}


async def test_a_fine_account_has_one_fault_left_the_voice_budget() -> None:
    found = await _findings(account())
    faults = {about: detail for about, (word, detail) in found.items() if word is HealthWord.FAULT}
    assert list(faults) == ["voice budget"]
    assert "not raised" in faults["voice budget"]
    assert found["template:sms_page/zh-CN"][0] is HealthWord.FINE
    assert found["signature"][0] is HealthWord.FINE
    assert found["balance"] == (HealthWord.FINE, "1000 texts left in packages.")
    raised = replace(settings_for(""), voice_windows=(Window(50, 36_000.0, (22, 8)),))
    assert (await _findings(account(), raised))["voice budget"][0] is HealthWord.FINE


async def test_other_words_than_ours_are_named_with_their_template() -> None:
    changed = account()
    changed.sms_templates[numbers["sms_page"]].text = "{1}，地点{2}，时间{3}，请{4}。编号{5}"
    changed.sms_templates[numbers["sms_told"]].status = -1
    del changed.sms_templates[numbers["sms_notice"]]
    changed.signs = [Sign(sign, status=1)]
    changed.package_texts = 0
    found = await _findings(changed)
    for about in ("template:sms_page/zh-CN", "template:sms_told/zh-CN", "template:sms_notice/zh-CN"):
        assert found[about][0] is HealthWord.FAULT, about
    assert "sms_page was approved with other words" in found["template:sms_page/zh-CN"][1]
    assert found["template:sms_code/zh-CN"][0] is HealthWord.FINE
    assert found["signature"][0] is HealthWord.FAULT
    assert found["balance"][0] is HealthWord.FAULT


async def test_a_template_without_a_number_and_one_of_no_use_are_named() -> None:
    settings = settings_for("")
    settings = replace(settings, sms_templates={Language.ZH_CN: {"sms_page": numbers["sms_page"], "invented": "7"}})
    found = await _findings(account(), replace(settings, voice_templates={}))
    assert "tencent.sms_templates.zh-CN.sms_told" in found["template:sms_told/zh-CN"][1]
    assert found["template:invented/zh-CN"][0] is HealthWord.FAULT
    assert found["templates"][0] is not HealthWord.FINE


async def test_a_wrong_key_is_found_on_both_channels() -> None:
    async with (
        emulated() as emulator,
        providers(replace(settings_for(emulator.base_url), secret_key="another")) as both,
    ):
        for provider in both.values():
            words = {each.about: each.word for each in (await provider.check()).findings}
            assert words["credentials"] is HealthWord.FAULT


async def test_numbers_and_secrets_stay_out_of_logs_and_reprs(
    emulator: TencentEmulator, both: dict[Channel, ChannelProvider], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for provider in both.values():
        bench = TencentBench(provider, emulator)
        bench.refuse("FailedOperation.ContainSensitiveWord")
        await provider.submit(bench.submission(), deadline_s)
    assert "ContainSensitiveWord" in caplog.text
    for hidden in ("13800000000", secret_key, callback_key):
        assert hidden not in caplog.text
        assert hidden not in repr(settings_for(emulator.base_url))


async def test_a_look_opens_an_account_again_though_its_voice_budget_is_not_raised() -> None:
    """And does not where the key is wrong: the breaker asks for the account as a whole."""
    started = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
    refused = Rejected("refused", Scope.ACCOUNT, "FailedOperation.Invented")
    passes = {}
    async with emulated() as emulator:
        right = settings_for(emulator.base_url)
        for name, settings in {"right": right, "wrong": replace(right, secret_key="another")}.items():
            async with providers(settings) as both:
                voice = both[Channel.VOICE]
                carriers = carriers_of({Channel.VOICE: (voice,)})
                for _ in range(3):
                    carriers.heard(Channel.VOICE, "tencent", "+8613800000000", refused, started)
                (looked_at,) = carriers.to_look_at(started + timedelta(seconds=16))
                carriers.looked(looked_at, await looked_at.check(), started + timedelta(seconds=17))
                (state,) = carriers.states(started)
                passes[name] = state.breaker
    assert passes == {"right": "closed", "wrong": "open"}


def test_the_table_builds_only_what_is_set() -> None:
    vendor = TABLE["tencent"]
    assert vendor.callbacks is not None
    one = replace(settings_for("http://127.0.0.1:9"), voice_app_id=None)
    assert list(vendor.build(one)) == [Channel.SMS]
    with pytest.raises(ValueError, match="sms_sign_name"):
        replace(one, sms_sign_name="")


def _ended(calls: int) -> Callable[[PhoneBook], bool]:
    def wish(book: PhoneBook) -> bool:
        return sum(bool(call.outcome) for call in book.calls) >= calls

    return wish


def test_the_emulator_fills_templates_as_tencent_does() -> None:
    template = Template("{1}在{2}", variable_chars_max=3)
    assert template.filled(["甲", "{1}"]) == "甲在{1}"
    assert template.problem(["甲"]) == "FailedOperation.TemplateParamSetNotMatchApprovedTemplate"
    assert template.problem(["甲", "乙丙丁戊"]) == "InvalidParameterValue.TemplateParameterLengthLimit"
    assert template.problem(["甲", "乙"]) is None
