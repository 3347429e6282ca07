"""The behaviour that every channel provider shares, judged from the far side: what arrived there, and how often."""

import asyncio
import time
from abc import ABC, abstractmethod
from datetime import datetime

from alerting.channels.base import Accepted, Busy, ChannelProvider, NotFound, Rejected, Scope, Submission, Unknown
from devices.model import Channel, Language
from gengfu.clock import RandomIds, SystemClock
from simulators.twilio import FaultKind, Outcome, TwilioEmulator

deadline_s = 2.0
short_deadline_s = 0.4
deadline_slack_s = 0.5
concurrent_submits = 100
_ids = RandomIds()
_now = SystemClock().now


def make_submission(
    channel: Channel,
    n: int,
    text: str,
    address: str,
    language: Language = Language.ZH_CN,
    planned: datetime | None = None,
) -> Submission:
    """Attempt number `n`, for a recipient of its own."""
    return Submission(
        attempt_id=_ids.attempt(),
        notification_id=f"notification-{n}",
        incident_id="incident-1",
        recipient_id=f"worker-{n}",
        channel=channel,
        address=address,
        language=language,
        text=text,
        urgency=0,
        planned_at=planned or _now(),
    )


class Bench(ABC):
    """A provider under test and a hand on its far side."""

    provider: ChannelProvider

    @abstractmethod
    def submission(self, n: int = 0) -> Submission: ...

    @abstractmethod
    def arrivals(self) -> list[str]:
        """Attempt ids that reached the far side and were taken there."""

    @abstractmethod
    def owner(self, provider_ref: str) -> str:
        """The attempt to which the far side gave this reference."""

    @abstractmethod
    def go_silent(self) -> None:
        """From now on the far side neither takes nor answers."""

    @abstractmethod
    def take_but_do_not_answer(self) -> None:
        """The next one is taken, and the answer never comes in time."""

    @abstractmethod
    async def settle(self) -> None:
        """Let what is still on its way arrive."""


class ChannelSuite:
    """Every provider."""

    async def test_accepted_with_a_reference_and_taken_once(self, bench: Bench) -> None:
        submission = bench.submission()
        answer = await bench.provider.submit(submission, deadline_s)
        assert isinstance(answer, Accepted)
        assert bench.owner(answer.provider_ref) == submission.attempt_id
        assert bench.arrivals() == [submission.attempt_id]

    async def test_silence_is_unknown_and_the_deadline_is_kept(self, bench: Bench) -> None:
        bench.go_silent()
        started = time.monotonic()
        answer = await bench.provider.submit(bench.submission(), short_deadline_s)
        assert time.monotonic() - started < short_deadline_s + deadline_slack_s
        assert isinstance(answer, Unknown)

    async def test_taken_without_an_answer_is_found_again(self, bench: Bench) -> None:
        bench.take_but_do_not_answer()
        submission = bench.submission()
        assert isinstance(await bench.provider.submit(submission, short_deadline_s), Unknown)
        await bench.settle()
        found = await bench.provider.reconcile(submission, None)
        assert isinstance(found, Accepted)
        assert bench.owner(found.provider_ref) == submission.attempt_id

    async def test_lost_is_not_found(self, bench: Bench) -> None:
        other = bench.submission(1)
        assert isinstance(await bench.provider.submit(other, deadline_s), Accepted)
        bench.go_silent()
        submission = bench.submission(2)
        assert isinstance(await bench.provider.submit(submission, short_deadline_s), Unknown)
        assert await bench.provider.reconcile(submission, None) == NotFound()

    async def test_concurrent_submits_get_their_own_references(self, bench: Bench) -> None:
        submissions = [bench.submission(n) for n in range(concurrent_submits)]
        answers = await asyncio.gather(*(bench.provider.submit(each, 10.0) for each in submissions))
        owners = [bench.owner(answer.provider_ref) for answer in answers if isinstance(answer, Accepted)]
        assert owners == [each.attempt_id for each in submissions]
        assert sorted(bench.arrivals()) == sorted(owners)

    async def test_unknown_callback_words_say_nothing(self, bench: Bench) -> None:
        for kind in ("status", "voice", "inbound", "nonsense"):
            assert bench.provider.parse_callback(kind, None, {}) == []
        assert bench.provider.parse_callback("status", "A1", {"MessageStatus": "astonished"}) == []
        assert bench.provider.parse_callback("status", "A1", {"CallStatus": 7}) == []

    async def test_nothing_to_cancel(self, bench: Bench) -> None:
        assert await bench.provider.cancel("no-such-reference") is False

    async def test_closing_twice_does_nothing(self, bench: Bench) -> None:
        await bench.provider.submit(bench.submission(), deadline_s)
        await bench.provider.close()
        await bench.provider.close()


class EmulatorBench(Bench):
    """A Twilio channel against the emulator."""

    def __init__(self, provider: ChannelProvider, emulator: TwilioEmulator, texts: "Texts") -> None:
        self.provider = provider
        self.emulator = emulator
        self._texts = texts

    def submission(self, n: int = 0) -> Submission:
        channel = self.provider.channel
        return make_submission(channel, n, self._texts(n), f"+86138000{n:05d}")

    def posts(self) -> int:
        """Create requests seen, whatever became of them."""
        return len(self.emulator.ledger.rows)

    def arrivals(self) -> list[str]:
        rows = self.emulator.ledger.rows
        return [row.attempt or "" for row in rows if row.outcome is Outcome.PROVIDER_ACCEPTED]

    def owner(self, provider_ref: str) -> str:
        attempts = [row.attempt for row in self.emulator.ledger.rows if row.sid == provider_ref]
        assert len(attempts) == 1
        return attempts[0] or ""

    def go_silent(self) -> None:
        self.emulator.faults.set(FaultKind.SILENCE)

    def take_but_do_not_answer(self) -> None:
        self.emulator.faults.set(FaultKind.ACCEPT_THEN_TIME_OUT, count=1)

    async def settle(self) -> None:
        return


class Texts(ABC):
    """The text of attempt number n."""

    @abstractmethod
    def __call__(self, n: int) -> str: ...


class PhoneSuite(ChannelSuite):
    """Providers over HTTP."""

    async def test_refusals_carry_their_scope(self, emulator_bench: EmulatorBench) -> None:
        bench = emulator_bench
        refusals = {21211: Scope.NUMBER, 21614: Scope.NUMBER, 21610: Scope.NUMBER, 21408: Scope.ACCOUNT}
        refusals |= {21606: Scope.ACCOUNT, 30007: Scope.TEXT, 29999: Scope.ACCOUNT}
        for code, scope in refusals.items():
            bench.emulator.faults.set(FaultKind.ERROR, code=code, count=1)
            answer = await bench.provider.submit(bench.submission(), deadline_s)
            assert isinstance(answer, Rejected)
            assert (answer.scope, answer.code) == (scope, str(code))
        assert bench.posts() == len(refusals)
        assert bench.arrivals() == []

    async def test_busy_says_when(self, emulator_bench: EmulatorBench) -> None:
        emulator_bench.emulator.faults.set(FaultKind.STATUS_429, seconds=3, count=1)
        answer = await emulator_bench.provider.submit(emulator_bench.submission(), deadline_s)
        assert answer == Busy(3.0)
        assert emulator_bench.posts() == 1

    async def test_spoilt_answers_are_unknown_and_never_repeated(self, emulator_bench: EmulatorBench) -> None:
        bench = emulator_bench
        for expected, kind in enumerate((FaultKind.STATUS_500, FaultKind.CUT_LINE, FaultKind.HTML), start=1):
            bench.emulator.faults.set(kind, count=1)
            answer = await bench.provider.submit(bench.submission(), deadline_s)
            assert isinstance(answer, Unknown), kind
            assert bench.posts() == expected, f"{kind}: the request was repeated"

    async def test_taken_with_a_spoilt_answer_is_found_again(self, emulator_bench: EmulatorBench) -> None:
        bench = emulator_bench
        for n, kind in enumerate((FaultKind.STATUS_500, FaultKind.CUT_LINE, FaultKind.HTML)):
            bench.emulator.faults.set(kind, count=1, accepts=True)
            submission = bench.submission(n)
            assert isinstance(await bench.provider.submit(submission, deadline_s), Unknown)
            found = await bench.provider.reconcile(submission, None)
            assert isinstance(found, Accepted), kind
            assert bench.owner(found.provider_ref) == submission.attempt_id

    async def test_reconcile_knows_nothing_while_the_provider_is_down(self, emulator_bench: EmulatorBench) -> None:
        bench = emulator_bench
        for kind in (FaultKind.STATUS_500, FaultKind.STATUS_429, FaultKind.CUT_LINE, FaultKind.HTML):
            bench.emulator.faults.clear()
            bench.emulator.faults.set(kind, reads=True)
            assert isinstance(await bench.provider.reconcile(bench.submission(), None), Unknown), kind
            assert isinstance(await bench.provider.reconcile(bench.submission(), "XX1"), Unknown), kind

    async def test_reconcile_by_reference(self, emulator_bench: EmulatorBench) -> None:
        bench = emulator_bench
        submission = bench.submission()
        answer = await bench.provider.submit(submission, deadline_s)
        assert isinstance(answer, Accepted)
        assert await bench.provider.reconcile(submission, answer.provider_ref) == answer
        assert await bench.provider.reconcile(submission, "XX" + "0" * 32) == NotFound()

    async def test_a_list_that_lags_is_read_twice(self, emulator_bench: EmulatorBench) -> None:
        bench = emulator_bench
        bench.emulator.messages.lag_s = bench.emulator.calls.lag_s = 0.1
        bench.take_but_do_not_answer()
        submission = bench.submission()
        started = time.monotonic()
        assert isinstance(await bench.provider.submit(submission, 0.05), Unknown)
        assert time.monotonic() - started < 0.1, "too slow to meet the lag"
        assert isinstance(await bench.provider.reconcile(submission, None), Accepted)

    async def test_a_refused_callback_address_does_not_silence_the_page(self, emulator_bench: EmulatorBench) -> None:
        bench = emulator_bench
        bench.emulator.faults.set(FaultKind.ERROR, code=21609, count=1)
        answer = await bench.provider.submit(bench.submission(), deadline_s)
        assert isinstance(answer, Accepted)
        assert [row.attempt for row in bench.emulator.ledger.rows][1] is None
        assert bench.posts() == 2
