"""Receipts that never came are asked for: at the right ages, a few times, through the inbox, and never of the wrong."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest_asyncio

from alerting.channels.base import CallbackEvent, Caps, Receipt, ReceiptKind, Submission
from alerting.polling import Polling, app_gaps_s, call_gaps_s, sms_gaps_s
from devices.model import Channel
from gengfu.clock import SystemClock
from tests.contract.inbox_support import Desk, Vendor, desk_on

SMS, CALL = "smsaaaaaaaaaa", "callaaaaaaaaa"


class Turned(SystemClock):
    """A clock that stands still, `ahead_s` seconds after it was made: looking takes no time."""

    ahead_s = 0.0

    def __init__(self) -> None:
        super().__init__()
        self._made = super().now()

    def now(self) -> datetime:
        return self._made + timedelta(seconds=self.ahead_s)


class Bench:
    """A desk, both carriers of the vendor, and a hand on the clock."""

    def __init__(self, desk: Desk, clock: Turned) -> None:
        self.desk = desk
        self.clock = clock
        self.sms, self.voice = Vendor(Channel.SMS), Vendor(Channel.VOICE)
        self.polling = self.fresh()

    def fresh(self) -> Polling:
        """As after a start."""
        providers = {Channel.SMS: self.sms, Channel.VOICE: self.voice}
        return Polling(self.desk.database, providers, self.clock, self.desk.inbox.take)

    async def at(self, *moments_s: float) -> None:
        """Looks at these moments."""
        for moment_s in moments_s:
            self.clock.ahead_s = moment_s
            await self.polling.run_once()


@pytest_asyncio.fixture
async def bench(migrated_url: str) -> AsyncIterator[Bench]:
    clock = Turned()
    async with desk_on(migrated_url, clock=clock) as desk:
        yield Bench(desk, clock)


async def test_a_text_is_asked_about_at_its_ages_and_then_no_more(bench: Bench) -> None:
    await bench.desk.attempt(SMS, Channel.SMS)
    asked = []
    for moment_s in range(200):
        before = len(bench.sms.polled)
        await bench.at(float(moment_s))
        if len(bench.sms.polled) > before:
            asked.append(moment_s)
    assert [abs(each - gap_s) <= 1 for each, gap_s in zip(asked, sms_gaps_s, strict=True)] == [True] * len(sms_gaps_s)
    assert asked[0] >= 10 - 1


async def test_a_call_is_asked_about_after_it_may_have_rung(bench: Bench) -> None:
    await bench.desk.attempt(CALL, state="sent", rank=6)
    await bench.at(1.0, 15.0, bench.voice.caps.ring_s + call_gaps_s[0] - 2)
    assert bench.voice.polled == []
    await bench.at(bench.voice.caps.ring_s + call_gaps_s[0] + 1)
    assert bench.voice.polled == [CALL]


async def test_what_has_its_receipt_or_never_was_accepted_is_not_asked_about(bench: Bench) -> None:
    await bench.desk.attempt("delivered0000", Channel.SMS, state="delivered", rank=8)
    await bench.desk.attempt("answered00000", state="answered", rank=9)
    await bench.desk.attempt("sms-with-sent", Channel.SMS, state="sent", rank=6)
    await bench.desk.attempt("unknown000000", Channel.SMS, state="unknown", rank=3, provider_accepted_at=None)
    await bench.desk.attempt("noreference00", Channel.SMS, provider_ref=None)
    await bench.desk.attempt("anothers00000", Channel.SMS, provider="somebody")
    await bench.at(1.0, 11.0, 31.0, 61.0, 91.0, 120.0)
    assert (bench.sms.polled, bench.voice.polled) == ([], [])


async def test_what_is_learnt_goes_through_the_inbox_once(bench: Bench) -> None:
    await bench.desk.attempt(SMS, Channel.SMS)
    bench.sms.knows = [Receipt(SMS, ReceiptKind.DELIVERED, f"ref-{SMS}")]
    await bench.at(1.0, 11.0)
    bench.polling = bench.fresh()
    await bench.at(12.0, 31.0)
    assert len(await bench.desk.stored()) == 1, "told twice, stored once"
    await bench.desk.fold()
    assert await bench.desk.state(SMS) == "delivered"


async def test_that_it_was_accepted_is_no_news(bench: Bench) -> None:
    await bench.desk.attempt(SMS, Channel.SMS)
    bench.sms.knows = [Receipt(SMS, ReceiptKind.PROVIDER_ACCEPTED, "x")]
    await bench.at(1.0, 11.0)
    assert bench.sms.polled == [SMS]
    assert await bench.desk.stored() == []


async def test_after_a_start_what_was_missed_is_asked_about(bench: Bench) -> None:
    await bench.desk.attempt(SMS, Channel.SMS)
    await bench.at(20.0)
    assert bench.sms.polled == [SMS]


async def test_a_carrier_without_receipts_is_never_asked(bench: Bench) -> None:
    await bench.desk.attempt(SMS, Channel.SMS)
    bench.sms.caps = replace(bench.sms.caps, receipts=False)
    bench.polling = bench.fresh()
    await bench.at(1.0, 11.0, 31.0)
    assert bench.sms.polled == []


async def test_one_that_does_not_answer_holds_up_no_other(bench: Bench) -> None:
    silent = Silent(Channel.VOICE)
    bench.voice = silent
    bench.polling = bench.fresh()
    await bench.desk.attempt(SMS, Channel.SMS)
    await bench.desk.attempt(CALL, provider_accepted_at=SystemClock().now() - timedelta(seconds=20))
    bench.clock.ahead_s = 11.0
    looking = asyncio.create_task(bench.polling.run_once())
    async with asyncio.timeout(5):
        while not (bench.sms.polled and silent.polled):  # noqa: ASYNC110 - the carriers send no events
            await asyncio.sleep(0.01)
    looking.cancel()


class Silent(Vendor):
    """Answers no question."""

    caps = Caps(receipts=True)

    async def poll(self, submission: Submission, provider_ref: str) -> list[CallbackEvent]:
        self.polled.append(submission.attempt_id)
        await asyncio.Event().wait()
        return []


async def test_a_work_app_is_asked_whether_it_was_read_and_our_own_stream_is_not(bench: Bench) -> None:
    await bench.desk.attempt("appaaaaaaaaaa", Channel.APP, provider="feishu")
    await bench.desk.attempt("appbbbbbbbbbb", Channel.APP, provider="stream")
    feishu, stream = Vendor(Channel.APP), Vendor(Channel.APP)
    feishu.name, stream.name = "feishu", "stream"
    polling = Polling(bench.desk.database, {Channel.APP: (feishu, stream)}, bench.clock, bench.desk.inbox.take)
    for moment_s in (1.0, app_gaps_s[0] - 10, app_gaps_s[0] + 10):
        bench.clock.ahead_s = moment_s
        await polling.run_once()
    assert (len(feishu.polled), len(stream.polled)) == (1, 0)
