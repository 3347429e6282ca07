"""Write down what became of an attempt, and see to what follows once that is committed. Never decides what follows."""

from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from alerting.core.attempts import TryReason
from alerting.core.model import AttemptState
from alerting.core.world import Hastened
from alerting.flights import InHand
from alerting.metrics import Metrics
from alerting.recorder import Outcome, Recorder
from alerting.store.attempts import Claimed
from devices.model import Channel

_FROM_THE_FIRST = (TryReason.FIRST.value, TryReason.FAILOVER.value, TryReason.HEDGE.value)
"""What the product figure measures: from the event to the first carrier that has it."""


def _nothing(*_: object) -> None:
    return


@dataclass(frozen=True, slots=True)
class Hooks:
    """Who else is told. `on_number_refused(channel, address, provider, reason)`: this number cannot receive there."""

    on_failed: Callable[[str], None]
    wake_at: Callable[[datetime], None]
    on_hasten: Callable[[str, Hastened], None] = _nothing
    on_number_refused: Callable[[Channel, str, str, str], None] = _nothing
    on_number_reached: Callable[[Channel, str], None] = _nothing
    """(channel, address): something came through to this number."""


class Notes:
    """`submit`: an attempt that is committed as `sending` goes; `spawn`: beside everything else."""

    def __init__(
        self,
        hands: InHand,
        recorder: Recorder,
        metrics: Metrics,
        hooks: Hooks,
        *,
        submit: Callable[[Sequence[Claimed]], None],
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._hands = hands
        self._recorder = recorder
        self._metrics = metrics
        self._hooks = hooks
        self._submit = submit
        self._spawn = spawn

    def write(self, claimed: Claimed, outcome: Outcome) -> None:
        again = outcome.again
        if again is not None and again.state is AttemptState.SENDING:
            self.follow(claimed, outcome)
            return
        self._recorder.record(outcome)
        if again is not None and again.due_at is not None:
            self._spawn(self._wake_after_commit(again.due_at))

    def follow(self, claimed: Claimed, outcome: Outcome, *, forget: bool = False) -> None:
        """The further attempt goes as soon as it is committed; not where its number was taken meanwhile."""
        further = outcome.again
        assert further is not None
        submission = replace(claimed.submission, attempt_id=further.id, planned_at=further.planned_at)
        refused = claimed.refused
        if outcome.change.state is AttemptState.REJECTED:
            refused = refused | {outcome.entry.actor if outcome.entry else claimed.provider}
        following = replace(
            claimed,
            submission=submission,
            number=further.number,
            newest=further.number,
            reason=further.reason,
            provider=further.provider,
            state=AttemptState.SENDING,
            provider_ref=None,
            refused=refused,
        )
        self._metrics.passed_on(submission.channel.value, further.provider, further.reason)
        self._hands.unsettled(submission, further.provider, further.planned_at)  # others leave this carrier to it

        committed = self._recorder.record_durably(outcome)

        async def commit() -> None:
            try:
                if await committed:
                    self._submit([following])
                else:
                    self._hands.settled(submission)
            finally:
                if forget:
                    self._hands.forget(claimed)

        self._spawn(commit())

    async def _wake_after_commit(self, due_at: datetime) -> None:
        await self._recorder.drained()
        self._hooks.wake_at(due_at)

    def failed(self, claimed: Claimed) -> None:
        async def after() -> None:
            await self._recorder.drained()
            self._hooks.on_failed(claimed.submission.incident_id)

        self._spawn(after())

    def count(self, claimed: Claimed, name: str, state: AttemptState, now: datetime) -> None:
        submission = claimed.submission
        self.tell_metrics(claimed, name, state)
        if claimed.drill or state is not AttemptState.PROVIDER_ACCEPTED or claimed.received_at is None:
            return
        if claimed.reason in _FROM_THE_FIRST and self._hands.first_reached(submission.notification_id):
            seconds = (now - claimed.received_at).total_seconds()
            self._metrics.provider_accepted(seconds, submission.channel.value, claimed.severity)

    def tell_metrics(self, claimed: Claimed, name: str, state: AttemptState) -> None:
        channel = claimed.submission.channel.value
        if claimed.drill:
            self._metrics.drill_notification(channel, state.value)
        else:
            self._metrics.notification(channel, name, state.value)
