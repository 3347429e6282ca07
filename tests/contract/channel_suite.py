"""The behaviour that every channel provider shares, judged from the far side: what arrived there, and how often."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from alerting.channels.base import (
    Accepted,
    Busy,
    ChannelProvider,
    NotFound,
    Rejected,
    Scope,
    Submission,
    Unknown,
    Wording,
)
from devices.model import Channel, Language
from gengfu.clock import RandomIds, SystemClock
from simulators.emulating import FaultBoard, FaultKind, Ledger, Outcome

deadline_s = 2.0
short_deadline_s = 0.4
deadline_slack_s = 2.0
concurrent_submits = 100
busy_max_s = 60.0
lag_s = 0.1
lag_tries_max = 5
_ids = RandomIds()
_now = SystemClock().now


def make_submission(
    channel: Channel,
    n: int,
    text: str,
    address: str,
    language: Language = Language.ZH_CN,
    planned: datetime | None = None,
    *,
    wording: Wording | None = None,
    target: Mapping[str, object] | None = None,
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
        wording=wording,
        target=target or {},
    )


class Bench(ABC):
    """A provider under test and a hand on its far side."""

    provider: ChannelProvider

    @property
    def finds(self) -> bool:
        """Can it look an attempt up without a reference? Where not, no test may see it claim that it did."""
        return self.provider.caps.finds

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


async def found_again(bench: Bench, submission: Submission) -> None:
    """What the far side took is found by a provider that can look, and never made up by one that cannot."""
    found = await bench.provider.reconcile(submission, None)
    if not bench.finds:
        assert isinstance(found, NotFound | Unknown)
        return
    assert isinstance(found, Accepted)
    assert bench.owner(found.provider_ref) == submission.attempt_id


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
        await found_again(bench, submission)

    async def test_lost_is_not_found(self, bench: Bench) -> None:
        other = bench.submission(1)
        assert isinstance(await bench.provider.submit(other, deadline_s), Accepted)
        bench.go_silent()
        submission = bench.submission(2)
        assert isinstance(await bench.provider.submit(submission, short_deadline_s), Unknown)
        found = await bench.provider.reconcile(submission, None)
        assert found == NotFound() or (not bench.finds and isinstance(found, Unknown))

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


class VendorBench(Bench):
    """A provider over HTTP: the hands that spoil requests and answers on its far side."""

    refusals: Mapping[str, Scope]
    """The vendor's codes, of each scope it knows, and one that nobody knows (`Scope.ACCOUNT`)."""
    limits: Mapping[str, Busy] = {}
    """Codes that say "not now" in the vendor's own shape, and what each must be read as."""
    strange_ref: str
    """A well-formed reference that the vendor never gave."""
    keeps_references = True
    """The vendor can be asked what became of a reference."""

    @abstractmethod
    def posts(self) -> int:
        """Create requests seen, whatever became of them."""

    @abstractmethod
    def refuse(self, code: str) -> None:
        """The next one is refused with this code, in the vendor's own shape."""

    @abstractmethod
    def busy(self, retry_after: str) -> None:
        """The next one gets a 429 with this Retry-After."""

    @abstractmethod
    def spoil(self, kind: FaultKind, *, accepts: bool = False) -> None:
        """The next answer is spoilt; accepts: the request is carried out all the same."""

    @abstractmethod
    def reads_down(self, kind: FaultKind) -> None:
        """From now on queries get this, and nothing else is wrong."""

    @abstractmethod
    def lag(self, seconds: float) -> None:
        """What is taken can be found only after so long."""


class Faulty(Protocol):
    """An emulator of ours."""

    @property
    def faults(self) -> FaultBoard: ...

    @property
    def ledger(self) -> Ledger: ...


class EmulatorBench(VendorBench):
    """A channel against one of our emulators: everything but `submission`, `refusals`, `strange_ref` and `lag`."""

    def __init__(self, provider: ChannelProvider, emulator: Faulty) -> None:
        self.provider = provider
        self._far_side = emulator

    def posts(self) -> int:
        return len(self._far_side.ledger.rows)

    def arrivals(self) -> list[str]:
        rows = self._far_side.ledger.rows
        return [row.attempt or "" for row in rows if row.outcome is Outcome.PROVIDER_ACCEPTED]

    def owner(self, provider_ref: str) -> str:
        attempts = [row.attempt for row in self._far_side.ledger.rows if row.sid == provider_ref]
        assert len(attempts) == 1
        return attempts[0] or ""

    def go_silent(self) -> None:
        self._far_side.faults.set(FaultKind.SILENCE)

    def take_but_do_not_answer(self) -> None:
        self._far_side.faults.set(FaultKind.ACCEPT_THEN_TIME_OUT, count=1)

    async def settle(self) -> None:
        return

    def refuse(self, code: str) -> None:
        self._far_side.faults.set(FaultKind.ERROR, code=code, count=1)

    def busy(self, retry_after: str) -> None:
        self._far_side.faults.set(FaultKind.STATUS_429, retry_after=retry_after, count=1)

    def spoil(self, kind: FaultKind, *, accepts: bool = False) -> None:
        self._far_side.faults.set(kind, count=1, accepts=accepts)

    def reads_down(self, kind: FaultKind) -> None:
        self._far_side.faults.clear()
        self._far_side.faults.set(kind, reads=True)


spoilt_kinds = (
    FaultKind.STATUS_500,
    FaultKind.CUT_LINE,
    FaultKind.HTML,
    FaultKind.HUGE,
    FaultKind.COMPRESSED,
)


class VendorSuite(ChannelSuite):
    """Providers over HTTP. What depends on a capability asks `provider.caps` and judges both ways."""

    async def test_refusals_carry_their_scope(self, vendor_bench: VendorBench) -> None:
        bench = vendor_bench
        assert Scope.ACCOUNT in bench.refusals.values()
        for code, scope in bench.refusals.items():
            bench.refuse(code)
            answer = await bench.provider.submit(bench.submission(), deadline_s)
            assert isinstance(answer, Rejected), code
            assert (answer.scope, answer.code) == (scope, code)
        assert bench.posts() == len(bench.refusals)
        assert bench.arrivals() == []

    async def test_limits_of_the_vendor_are_busy(self, vendor_bench: VendorBench) -> None:
        bench = vendor_bench
        for code, expected in bench.limits.items():
            bench.refuse(code)
            assert await bench.provider.submit(bench.submission(), deadline_s) == expected, code
        assert bench.posts() == len(bench.limits)
        assert bench.arrivals() == []

    async def test_busy_says_when(self, vendor_bench: VendorBench) -> None:
        vendor_bench.busy("3")
        answer = await vendor_bench.provider.submit(vendor_bench.submission(), deadline_s)
        assert answer == Busy(3.0)
        assert vendor_bench.posts() == 1

    async def test_a_garbage_retry_after_gives_our_own_figure(self, vendor_bench: VendorBench) -> None:
        for garbage in ("soon", "-5", "1e999", "Wed, 21 Oct 2026 07:28:00 GMT"):
            vendor_bench.busy(garbage)
            answer = await vendor_bench.provider.submit(vendor_bench.submission(), deadline_s)
            assert isinstance(answer, Busy)
            assert 0 < answer.retry_after <= busy_max_s, garbage

    async def test_spoilt_answers_are_unknown_and_never_repeated(self, vendor_bench: VendorBench) -> None:
        bench = vendor_bench
        for expected, kind in enumerate(spoilt_kinds, start=1):
            bench.spoil(kind)
            answer = await bench.provider.submit(bench.submission(), deadline_s)
            assert isinstance(answer, Unknown), kind
            assert bench.posts() == expected, f"{kind}: the request was repeated"

    async def test_taken_with_a_spoilt_answer_is_found_again(self, vendor_bench: VendorBench) -> None:
        bench = vendor_bench
        for n, kind in enumerate(spoilt_kinds):
            bench.spoil(kind, accepts=True)
            submission = bench.submission(n)
            assert isinstance(await bench.provider.submit(submission, deadline_s), Unknown), kind
            await found_again(bench, submission)

    async def test_reconcile_knows_nothing_while_the_provider_is_down(self, vendor_bench: VendorBench) -> None:
        bench = vendor_bench
        for kind in (FaultKind.STATUS_500, FaultKind.STATUS_429, FaultKind.CUT_LINE, FaultKind.HTML):
            bench.reads_down(kind)
            if bench.finds:
                assert isinstance(await bench.provider.reconcile(bench.submission(), None), Unknown), kind
            if bench.keeps_references:
                found = await bench.provider.reconcile(bench.submission(), bench.strange_ref)
                assert isinstance(found, Unknown), kind

    async def test_reconcile_by_reference(self, vendor_bench: VendorBench) -> None:
        bench = vendor_bench
        submission = bench.submission()
        answer = await bench.provider.submit(submission, deadline_s)
        assert isinstance(answer, Accepted)
        found = await bench.provider.reconcile(submission, answer.provider_ref)
        strange = await bench.provider.reconcile(submission, bench.strange_ref)
        if not bench.keeps_references:
            assert found == answer or isinstance(found, NotFound | Unknown)
            assert not isinstance(strange, Accepted)
            return
        assert found == answer
        assert strange == NotFound()

    async def test_a_list_that_lags_is_read_twice(self, vendor_bench: VendorBench) -> None:
        bench = vendor_bench
        bench.lag(lag_s)
        for n in range(lag_tries_max):
            bench.take_but_do_not_answer()
            submission = bench.submission(n)
            started = time.monotonic()
            assert isinstance(await bench.provider.submit(submission, lag_s / 2), Unknown)
            met = time.monotonic() - started < lag_s
            if submission.attempt_id not in bench.arrivals():
                continue  # our own deadline was too short for this machine
            await found_again(bench, submission)
            if met or not bench.finds:
                return
        raise AssertionError("too slow to meet the lag, each time")

    async def test_polling_says_nothing_while_the_provider_is_down(self, vendor_bench: VendorBench) -> None:
        bench = vendor_bench
        answer = await bench.provider.submit(bench.submission(), deadline_s)
        assert isinstance(answer, Accepted)
        for kind in (FaultKind.STATUS_500, FaultKind.STATUS_429, FaultKind.CUT_LINE, FaultKind.HTML):
            bench.reads_down(kind)
            assert await bench.provider.poll(bench.submission(), answer.provider_ref) == [], kind

    async def test_a_look_at_the_account_sends_nothing_and_survives_an_outage(self, vendor_bench: VendorBench) -> None:
        bench = vendor_bench
        await bench.provider.check()
        for kind in (FaultKind.STATUS_500, FaultKind.CUT_LINE, FaultKind.HTML):
            bench.reads_down(kind)
            await bench.provider.check()
        assert bench.posts() == 0
