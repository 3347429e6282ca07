"""What an answer leads to: recorded, passed on to the next carrier, dialled again, hung up, or the next person asked.

Never decides whom to ask; a message is lost only when every carrier of its channel has refused it.
"""

from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime, timedelta
from typing import Any

from alerting.calls import Calls
from alerting.carriers import Carriers
from alerting.channels.base import Accepted, Busy, NotFound, Receipt, Rejected, Scope, Submitted, Unknown
from alerting.core.attempts import (
    FAILED_FOR_GOOD,
    GAVE_UP,
    SUPERSEDED,
    Again,
    TryReason,
    again_after_reconcile,
    again_after_submit,
    of_submitted,
    tries,
    unknown_look_after_s,
)
from alerting.core.model import AttemptState, Reason
from alerting.core.routing import Choice, Go, passes_on
from alerting.core.world import Hastened
from alerting.flights import Flight, InHand
from alerting.hedging import Hedging
from alerting.metrics import Metrics
from alerting.news import News, error_of
from alerting.notes import Hooks, Notes
from alerting.ports import Clock, Ids
from alerting.recorder import Recorder
from alerting.store import attempts
from alerting.store.attempts import Claimed
from devices.model import Channel

Found = Accepted | NotFound | Unknown
passed_max = 4096


class Onward:
    """`submit`: an attempt that is committed as `sending` goes; `spawn`: beside everything else."""

    def __init__(
        self,
        *,
        carriers: Carriers,
        hands: InHand,
        recorder: Recorder,
        clock: Clock,
        ids: Ids,
        metrics: Metrics,
        boot: int,
        hooks: Hooks,
        submit: Callable[[Sequence[Claimed]], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._carriers = carriers
        self._hands = hands
        self._clock = clock
        self._metrics = metrics
        self._hooks = hooks
        self._spawn = spawn
        self._news = News(ids, hands, boot)
        self._notes = Notes(hands, recorder, metrics, hooks, submit=submit, spawn=spawn)
        self._flights: dict[str, Flight] = {}
        self._passed: dict[str, dict[str, datetime]] = {}
        """By message: carriers that were busy, and until when."""
        self._hedging = Hedging(second=self._second, unclear=self._unclear, found=self._found)
        self.calls = Calls(carriers, clock, recorder, self._news, spawn)

    # ---- before it goes ---------------------------------------------------------------------------------------------

    def choose(self, claimed: Claimed, now: datetime) -> Choice:
        """Who takes it now."""
        submission = claimed.submission
        busy = self._passed.get(submission.notification_id)
        return self._carriers.choose(submission, now, prefer=claimed.provider, without=claimed.refused, busy=busy)

    def begin(self, claimed: Claimed) -> Flight:
        """It goes now: it counts, and a call has the line."""
        submission, now = claimed.submission, self._clock.now()
        provider = self._carriers.named(submission.channel, claimed.provider)
        assert provider is not None  # who is not set is never chosen
        self._carriers.counted(submission.channel, provider.name, submission.address, now)
        flight = Flight(claimed, provider, now)
        self.calls.begins(flight)
        self._flights[submission.attempt_id] = flight
        return flight

    def never_began(self, flight: Flight) -> None:
        """The phone was taken after all."""
        self._flights.pop(flight.submission.attempt_id, None)
        self._carriers.lines.free(flight.submission.attempt_id)

    def hedge(self, flight: Flight) -> None:
        """Watch it, where there is a next carrier and somebody is asked."""
        claimed = flight.claimed
        if claimed.asks and self._carriers.others(flight.submission, {flight.provider.name, *claimed.refused}):
            self._spawn(self._hedging.watch(flight))

    def waits(self, claimed: Claimed, why: str, now: datetime) -> None:
        """It stays leased here."""
        change = self._news.goes_on(claimed, now)
        self._notes.write(claimed, self._news.of(claimed, change, why, now, by=claimed.provider))

    def wake_at(self, at: datetime) -> None:
        self._hooks.wake_at(at)

    def forget_old(self, now: datetime) -> None:
        """What another process has settled meanwhile."""
        self._hands.forget_old(now)
        for attempt_id, flight in list(self._flights.items()):
            if flight.answer is not None and not self._hands.is_open(flight.submission):
                del self._flights[attempt_id]

    def over_budget(self, claimed: Claimed) -> None:
        """Every carrier's limit for the number is spent; life safety goes all the same; the next person is asked."""
        self._metrics.budget_refused(claimed.submission.channel.value, claimed.submission.urgency)
        self._hasten(claimed, Reason.BUDGET_SPENT)

    def refused(self, claimed: Claimed, choice: Choice, now: datetime) -> None:
        """Nobody takes it: what is kept for life safety is not for this, or no carrier is left."""
        spent = choice.go is Go.REFUSED
        if spent:
            self._metrics.budget_refused(claimed.submission.channel.value, claimed.submission.urgency)
        reason = choice.why.value if spent else "no_carrier"
        self.dropped(claimed, AttemptState.REJECTED, reason, now)
        self._hands.forget(claimed)
        self._notes.failed(claimed)

    def diverted(self, claimed: Claimed, choice: Choice, now: datetime) -> None:
        """The carrier it was written for cannot take it any more."""
        self._hands.settled(claimed.submission)
        further = self._news.further(claimed, TryReason.FAILOVER, choice.provider, now, None)
        change = attempts.Change(claimed.submission.attempt_id, AttemptState.BUSY, error=choice.why.value)
        outcome = self._news.of(
            claimed, change, choice.why.value or "passed_on", now, by=claimed.provider, again=further, raises=False
        )
        self._notes.follow(claimed, outcome, forget=True)

    # ---- what the carrier says --------------------------------------------------------------------------------------

    def judge(self, flight: Flight, submitted: Submitted) -> None:
        """Its answer, as it comes."""
        now = self._clock.now()
        claimed, submission, name = flight.claimed, flight.submission, flight.provider.name
        self._carriers.heard(submission.channel, name, submission.address, submitted, now)
        self.calls.said(flight, submitted, now)
        state = of_submitted(submitted)
        lives = flight.followed_later or bool(self._hands.asked(claimed))
        again = None if flight.followed and lives else self._again(flight, submitted, now)
        if state is AttemptState.BUSY and again is None and not lives:
            state = AttemptState.EXPIRED
        look = _needs_a_look(flight, state) and again is None
        if look:
            self._hands.unsettled(submission, name, now)
        else:
            self._hands.settled(submission)
            self._flights.pop(submission.attempt_id, None)
        change = attempts.Change(
            attempt_id=submission.attempt_id,
            state=state,
            due_at=now + timedelta(seconds=unknown_look_after_s) if look else None,
            committed_at=self._hands.committed_at(submission.attempt_id),
            submitted_at=flight.started,
            provider_accepted_at=now if isinstance(submitted, Accepted) else None,
            provider_ref=submitted.provider_ref if isinstance(submitted, Accepted) else None,
            error=GAVE_UP if state is AttemptState.EXPIRED else error_of(submitted),
        )
        failed = state in FAILED_FOR_GOOD
        reason = change.error or state.value
        raises = not failed or (again is None and not lives)
        outcome = self._news.of(claimed, change, reason, now, by=name, again=again, raises=raises)
        self._notes.count(claimed, name, state, now)
        self._notes.write(claimed, outcome)
        if failed and raises:
            self._notes.failed(claimed)

    def settled(self, claimed: Claimed, found: Found) -> None:
        """An attempt that nobody could speak of was looked up at its carrier."""
        now = self._clock.now()
        submission, name = claimed.submission, claimed.provider
        self._hands.settled(submission)
        flight = self._flights.pop(submission.attempt_id, None)
        if isinstance(found, Accepted):
            self._has_it(claimed, name, found, now)
            return
        self.calls.looked_up(claimed, found)
        followed = claimed.followed or (flight is not None and flight.followed_later)
        needless = claimed.superseded or (claimed.answered and claimed.asks) or followed
        state, cause = AttemptState.UNKNOWN, "not_found" if isinstance(found, NotFound) else "unsettled"
        if claimed.superseded and isinstance(found, NotFound):
            state, cause = AttemptState.EXPIRED, SUPERSEDED
        again = None
        if not needless and not self._hands.asked(claimed):
            again = self._after_reconcile(claimed, found, now)
        change = attempts.Change(submission.attempt_id, state, error=cause)
        self._notes.write(claimed, self._news.of(claimed, change, cause, now, by=name, again=again))

    def dropped(self, claimed: Claimed, state: AttemptState, reason: str, now: datetime | None = None) -> None:
        """It was not submitted, and is not sent."""
        self._hands.settled(claimed.submission)
        at = now or self._clock.now()
        change = attempts.Change(claimed.submission.attempt_id, state, error=reason)
        raises = not self._hands.asked(claimed)
        self._notes.write(claimed, self._news.of(claimed, change, reason, at, by=claimed.provider, raises=raises))
        self._notes.tell_metrics(claimed, claimed.provider, state)

    def heard_of(self, attempt_id: str) -> None:
        """A carrier calls back, though nobody has stored or read it yet: it has the message, and no other needs it."""
        flight = self._flights.get(attempt_id)
        if flight is not None:
            flight.known.set()

    def received(self, receipt: Receipt, claimed: Claimed) -> bool:
        """A carrier has called back: proof that it has the message. True when a phone is free again."""
        submission, now = claimed.submission, self._clock.now()
        self._carriers.receipt(submission.channel, claimed.provider, now)
        flight = self._flights.get(submission.attempt_id)
        if flight is not None:
            flight.known.set()
        return self.calls.received(receipt, claimed)

    def unwanted(self, incident_id: str) -> None:
        """Somebody goes: nothing of this is passed on, and a call that is just being handed over is hung up."""
        for flight in self._flights.values():
            submission = flight.submission
            if submission.incident_id == incident_id and flight.claimed.asks:
                flight.unwanted = True

    def _has_it(self, claimed: Claimed, name: str, found: Accepted, now: datetime) -> None:
        change = attempts.Change(
            claimed.submission.attempt_id,
            AttemptState.PROVIDER_ACCEPTED,
            provider_accepted_at=now,
            provider_ref=found.provider_ref,
        )
        self._notes.count(claimed, name, AttemptState.PROVIDER_ACCEPTED, now)
        self._notes.write(claimed, self._news.of(claimed, change, "found", now, by=name))
        self.calls.found(claimed, found.provider_ref)

    def _hasten(self, claimed: Claimed, reason: Reason) -> None:
        if claimed.asks and not claimed.answered:
            self._hooks.on_hasten(claimed.submission.incident_id, Hastened(claimed.round, claimed.step, reason))

    # ---- the next carrier -------------------------------------------------------------------------------------------

    def _second(self, flight: Flight) -> None:
        """The first has not accepted it in time."""
        claimed, now = flight.claimed, self._clock.now()
        choice = self._next(claimed, flight.provider.name, now)
        if flight.followed or flight.unwanted or choice.go not in (Go.NOW, Go.ANYWAY):
            return
        flight.followed = True
        self._hands.unsettled(claimed.submission, flight.provider.name, now)
        self.calls.lets_go(claimed)
        further = self._news.further(claimed, TryReason.HEDGE, choice.provider, now, None)
        change = self._news.goes_on(claimed, now)
        self._notes.follow(claimed, self._news.of(claimed, change, "slow", now, by=flight.provider.name, again=further))

    def _unclear(self, flight: Flight) -> None:
        """Nobody can know whether this phone rings: it is left alone for its ring time; the next person is asked."""
        claimed, now = flight.claimed, self._clock.now()
        if flight.followed or flight.unwanted:
            return
        flight.followed = flight.followed_later = True
        ring_s = float(flight.provider.caps.ring_s)
        self._carriers.lines.hold(claimed.submission.attempt_id, ring_s, now)
        choice = self._next(claimed, flight.provider.name, now)
        due_at = now + timedelta(seconds=ring_s)
        further = self._news.further(claimed, TryReason.UNSETTLED, choice.provider or flight.provider.name, now, due_at)
        change = self._news.goes_on(claimed, now)
        self._notes.write(
            claimed, self._news.of(claimed, change, "unclear", now, by=flight.provider.name, again=further)
        )
        self._hasten(claimed, Reason.UNCLEAR)

    def _found(self, flight: Flight, found: Accepted) -> None:
        """The carrier's own list has it."""
        now = self._clock.now()
        flight.known.set()
        self._has_it(flight.claimed, flight.provider.name, found, now)

    def _next(self, claimed: Claimed, current: str, now: datetime) -> Choice:
        """Who else takes it: not who has refused it, has it, or may have it."""
        submission = claimed.submission
        without = {current, *claimed.refused, *self._hands.asked(claimed)}
        busy = self._passed.get(submission.notification_id)
        return self._carriers.choose(submission, now, without=without, busy=busy)

    def _again(self, flight: Flight, submitted: Submitted, now: datetime) -> attempts.NewAttempt | None:
        """The further attempt that an answer leads to: at once by another carrier, or later."""
        claimed, submission, name = flight.claimed, flight.submission, flight.provider.name
        if isinstance(submitted, Rejected):
            return self._after_refusal(claimed, name, submitted, now)
        if isinstance(submitted, Busy):
            passed = self._passed.setdefault(submission.notification_id, {})
            passed[name] = now + timedelta(seconds=submitted.retry_after)
            while len(self._passed) > passed_max:
                del self._passed[next(iter(self._passed))]
            choice = self._next(claimed, name, now)
            if choice.go in (Go.NOW, Go.ANYWAY):
                return self._news.further(claimed, TryReason.FAILOVER, choice.provider, now, None)
        number = tries(claimed.number, self._carriers.number_for(submission))
        again = again_after_submit(
            submitted, submission.channel, number, submission.urgency == 0, endless=_endless(claimed)
        )
        return None if again is None else self._later(claimed, again, name, now)

    def _after_refusal(
        self, claimed: Claimed, name: str, refused: Rejected, now: datetime
    ) -> attempts.NewAttempt | None:
        submission = claimed.submission
        if refused.scope is Scope.NUMBER and submission.channel is not Channel.APP:
            self._hooks.on_number_refused(submission.channel, submission.address, name, refused.reason)
        if not passes_on(refused, submission.channel):
            return None
        choice = self._next(claimed, name, now)
        if choice.go in (Go.NOW, Go.ANYWAY):
            return self._news.further(claimed, TryReason.FAILOVER, choice.provider, now, None)
        if choice.go is Go.WAIT:
            return self._news.further(claimed, TryReason.FAILOVER, choice.provider, now, choice.at)
        return None

    def _after_reconcile(self, claimed: Claimed, found: Found, now: datetime) -> attempts.NewAttempt | None:
        number = tries(claimed.number, self._carriers.number_for(claimed.submission))
        urgent = claimed.submission.urgency <= 1
        again = again_after_reconcile(found, number, urgent, endless=_endless(claimed))
        if again is None:
            return None
        choice = self._next(claimed, claimed.provider, now)
        return self._later(claimed, again, choice.provider or claimed.provider, now)

    def _later(self, claimed: Claimed, again: Again, provider: str, now: datetime) -> attempts.NewAttempt:
        submission = claimed.submission
        unsettled = again.reason is TryReason.UNSETTLED and submission.urgency == 0
        if unsettled and self._carriers.recovery.since(submission.channel, submission.planned_at):
            return self._news.further(claimed, again.reason, provider, now, None)  # it has waited through the outage
        return self._news.further(claimed, again.reason, provider, now, now + timedelta(seconds=again.after_s))


def _needs_a_look(flight: Flight, state: AttemptState) -> bool:
    """Nobody can say whether it went out: its carrier is asked in a moment. No app, nor where a callback said so."""
    return state is AttemptState.UNKNOWN and flight.submission.channel is not Channel.APP and not flight.known.is_set()


def _endless(claimed: Claimed) -> bool:
    """A page of life safety is tried until somebody answers or a newer one takes its place. An app fetches its own."""
    submission = claimed.submission
    return submission.urgency == 0 and claimed.purpose == "page" and submission.channel is not Channel.APP
