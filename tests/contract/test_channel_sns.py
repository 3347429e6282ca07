"""Amazon SNS against the emulator: the shared suite, and what is Amazon's own."""

import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from alerting.channels.base import Accepted, ChannelProvider, HealthWord, Rejected, Scope, Unknown
from alerting.channels.http import Answer
from alerting.channels.providers import TABLE
from alerting.channels.providers.sns_client import read
from alerting.channels.providers.sns_settings import CALLING_CODES
from alerting.channels.providers.sns_sms import accepted
from devices.model import Channel
from simulators.sns import SnsEmulator
from tests.contract.channel_suite import Bench, VendorBench, VendorSuite, deadline_s
from tests.contract.sns_support import SnsBench, emulated, provider_of, secret_access_key, settings_for

wait_s = 5.0


@pytest_asyncio.fixture
async def emulator() -> AsyncIterator[SnsEmulator]:
    async with emulated() as emulator:
        yield emulator


@pytest_asyncio.fixture
async def provider(emulator: SnsEmulator) -> AsyncIterator[ChannelProvider]:
    async with provider_of(settings_for(emulator.base_url)) as provider:
        yield provider


class TestSns(VendorSuite):
    @pytest.fixture
    def vendor_bench(self, emulator: SnsEmulator, provider: ChannelProvider) -> VendorBench:
        return SnsBench(provider, emulator)

    @pytest.fixture
    def bench(self, vendor_bench: VendorBench) -> Bench:
        return vendor_bench


async def test_a_person_reads_the_text_under_our_name(emulator: SnsEmulator, provider: ChannelProvider) -> None:
    submission = replace(SnsBench(provider, emulator).submission(), text="火警 3栋&2单元 <1201> 03:12 +A7")
    answer = await provider.submit(submission, deadline_s)
    assert isinstance(answer, Accepted)
    await emulator.until(lambda book: bool(book.sms), wait_s)
    shown = emulator.phones.sms[0]
    assert (shown.to, shown.sender, shown.body) == (submission.address, "GENGFU", submission.text)


async def test_bad_parameters_are_told_apart(emulator: SnsEmulator, provider: ChannelProvider) -> None:
    bench = SnsBench(provider, emulator)
    submission = bench.submission()
    emulator.phones.opted_out.add("+6591000009")
    cases = {
        "number_invalid": replace(submission, address="+0"),
        "opted_out": replace(submission, address="+6591000009"),
        "text_missing": replace(submission, text=""),
    }
    for reason, each in cases.items():
        scope = Scope.TEXT if reason == "text_missing" else Scope.NUMBER
        assert await provider.submit(each, deadline_s) == Rejected(reason, scope, "InvalidParameter")


async def test_a_text_beyond_amazon_s_limit_is_not_sent(emulator: SnsEmulator, provider: ChannelProvider) -> None:
    bench = SnsBench(provider, emulator)
    longest = replace(bench.submission(), text="火" * 533)
    assert isinstance(await provider.submit(longest, deadline_s), Accepted)
    assert await provider.submit(replace(longest, text="火" * 534), deadline_s) == Rejected("text_too_long", Scope.TEXT)
    assert bench.posts() == 1


def test_an_answer_that_fits_nothing_is_unknown() -> None:
    for status, body in (
        (200, b""),
        (200, b"<html><MessageId>1</MessageId></html>"),
        (200, b'{"PublishResponse": {}}'),
        (400, b"<ErrorResponse></ErrorResponse>"),
        (403, b"<html><Code>AccessDenied</Code></html>"),
        (302, b"\xff"),
    ):
        assert read("Publish", Answer(status, body)) == Unknown("unreadable_answer"), body


def test_an_answer_without_a_reference_is_unknown() -> None:
    assert accepted("<PublishResponse><PublishResult/></PublishResponse>") == Unknown("unreadable_answer")


def test_it_goes_everywhere_but_to_the_mainland() -> None:
    caps = TABLE["sns"].build(settings_for(None))[Channel.SMS].caps
    assert caps.regions == CALLING_CODES

    def reaches(number: str) -> bool:
        return any(number.startswith(code) for code in CALLING_CODES)

    assert not reaches("+8613800000000")
    for number in ("+85291234567", "+85362345678", "+886912345678", "+6591234567", "+15551234567", "+81312345678"):
        assert reaches(number), number
    assert (caps.receipts, caps.two_way, caps.templates, caps.finds, caps.links) == (False, False, False, False, True)


async def _words(emulator: SnsEmulator) -> dict[str, HealthWord]:
    async with provider_of(settings_for(emulator.base_url)) as provider:
        health = await provider.check()
    assert not emulator.ledger.rows, "a look sends nothing"
    return {finding.about: finding.word for finding in health.findings}


async def test_a_look_finds_the_sandbox_and_the_spending_limit(emulator: SnsEmulator) -> None:
    fine = dict.fromkeys(("credentials", "sandbox", "spending limit"), HealthWord.FINE)
    assert await _words(emulator) == fine
    emulator.in_sandbox = True
    assert (await _words(emulator))["sandbox"] is HealthWord.FAULT
    emulator.monthly_limit_usd = 1
    assert (await _words(emulator))["spending limit"] is HealthWord.FAULT
    emulator.monthly_limit_usd = None
    assert (await _words(emulator))["spending limit"] is HealthWord.UNKNOWN


async def test_a_key_that_may_only_publish_is_no_fault(emulator: SnsEmulator) -> None:
    emulator.may_ask = False
    words = await _words(emulator)
    assert words.pop("credentials") is HealthWord.FINE
    assert set(words.values()) == {HealthWord.UNKNOWN}


async def test_wrong_keys_and_a_wrong_clock_are_found(emulator: SnsEmulator) -> None:
    settings = settings_for(emulator.base_url)
    wrong = {
        "credentials": replace(settings, secret_access_key="another"),
        "clock": replace(settings, now=lambda: emulator.clock() + timedelta(minutes=20)),
    }
    for reason, each in wrong.items():
        async with provider_of(each) as provider:
            answer = await provider.submit(SnsBench(provider, emulator).submission(), deadline_s)
            assert isinstance(answer, Rejected)
            assert (answer.reason, answer.scope) == (reason, Scope.ACCOUNT)
            assert not (await provider.check()).usable


async def test_numbers_and_secrets_stay_out_of_logs_and_reprs(
    emulator: SnsEmulator, provider: ChannelProvider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bench = SnsBench(provider, emulator)
    bench.refuse("AuthorizationError")
    await provider.submit(bench.submission(), deadline_s)
    assert "AuthorizationError" in caplog.text
    assert "91000000" not in caplog.text
    assert secret_access_key not in caplog.text + repr(settings_for(None))
