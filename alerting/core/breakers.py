"""When a carrier's account is left alone for a while: a value per account, and what each answer makes of it. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from alerting.core.outcomes import Accepted, Busy, Rejected, Scope, Submitted, Unknown

refused_max = 3
unclear_max = 5
within = timedelta(seconds=30)
rests = timedelta(seconds=15)
AT_ONCE = frozenset(
    {
        *("credentials", "clock", "account", "account_inactive", "account_suspended", "account_limit"),
        *("balance", "not_subscribed", "permission", "app_permission", "app_id", "interface"),
        *("address_not_allowed", "signature_name", "sender_unregistered", "trial_account"),
    }
)
"""Refusals that no repetition cures."""


class BreakerWord(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"
    """Its rest is over: the account is looked at, and what is found decides."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """One account on one channel."""

    word: BreakerWord = BreakerWord.CLOSED
    since: datetime | None = None
    cause: str = ""
    refused: tuple[datetime, ...] = ()
    unclear: tuple[datetime, ...] = ()

    @property
    def passes(self) -> bool:
        """May ordinary traffic go there?"""
        return self.word is BreakerWord.CLOSED

    def over_at(self) -> datetime | None:
        """When its rest ends; None while it is closed."""
        return None if self.since is None or self.passes else self.since + rests


def heard(breaker: Breaker, answer: Submitted, now: datetime) -> Breaker:
    """After an answer of this account to any message."""
    if isinstance(answer, Accepted):
        return breaker if breaker == Breaker() else Breaker(since=now if not breaker.passes else breaker.since)
    if isinstance(answer, Busy) or (isinstance(answer, Rejected) and answer.scope is not Scope.ACCOUNT):
        return breaker  # it answers, and speaks of this message only
    since = now - within
    refused = tuple(at for at in breaker.refused if at > since)
    unclear = tuple(at for at in breaker.unclear if at > since)
    if isinstance(answer, Unknown):
        unclear, cause, at_once = (*unclear, now), answer.cause, False
    else:
        refused, cause, at_once = (*refused, now), answer.reason, answer.reason in AT_ONCE
    kept = replace(breaker, refused=refused[-refused_max:], unclear=unclear[-unclear_max:])
    if at_once or len(refused) >= refused_max or len(unclear) >= unclear_max:
        return Breaker(BreakerWord.OPEN, now, cause[:64])
    return kept if breaker.passes else replace(kept, word=BreakerWord.OPEN, since=now, cause=cause[:64])


def may_look(breaker: Breaker, now: datetime) -> bool:
    """Its rest is over: a cheap look at the account decides."""
    over = breaker.over_at()
    return breaker.word is BreakerWord.OPEN and over is not None and now >= over


def looking(breaker: Breaker) -> Breaker:
    return replace(breaker, word=BreakerWord.HALF_OPEN)


def looked(breaker: Breaker, fine: bool, now: datetime) -> Breaker:
    """What the look found. Somebody's message may have closed it meanwhile."""
    if breaker.word is not BreakerWord.HALF_OPEN:
        return breaker
    return Breaker(since=now) if fine else replace(breaker, word=BreakerWord.OPEN, since=now)
