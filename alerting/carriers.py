"""The carriers of every channel, and what this process knows of each: breakers, budgets, rates, lines. Never sends.

Read from the writer's thread too: what is kept are immutable values, replaced whole.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from alerting.channels.base import Busy, Caps, ChannelProvider, Health, HealthWord, Rejected, Submission, Submitted
from alerting.core import breakers, budget
from alerting.core.breakers import Breaker, BreakerWord
from alerting.core.budget import RESERVE, Bucket, Limits, Spent
from alerting.core.decisions import Notify
from alerting.core.routing import ORDERS, Choice, Option, Orders, choose, ordered
from alerting.lines import Lines
from alerting.recovery import Recovery
from devices.model import Channel

UNCONFIGURED = "none"
incidents_max = 4096
_Key = tuple[Channel, str]


class AppTargets(Protocol):
    """Where the app carriers find a person."""

    def of(self, person_id: str) -> Mapping[str, Mapping[str, Any]]:
        """Carrier name -> what its `Submission.target` holds. Instant, from memory."""
        ...


@dataclass(frozen=True, slots=True)
class CarrierState:
    """One carrier of one channel, as it stands."""

    channel: Channel
    provider: str
    breaker: str
    since: datetime | None
    cause: str
    accepted_last_at: datetime | None
    receipt_last_at: datetime | None


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """What one carrier still lets through to one number; None: it knows no limit."""

    provider: str
    left_for_life_safety: int | None
    left_for_others: int | None
    frees_at: datetime | None


class Carriers:
    """`providers`: what this process sends over. `orders`: who is tried first, by channel and country."""

    def __init__(
        self,
        providers: Mapping[Channel, Sequence[ChannelProvider]],
        *,
        orders: Orders = ORDERS,
        zone: ZoneInfo | None = None,
        targets: AppTargets | None = None,
        readers: Mapping[str, ChannelProvider] | None = None,
        on_breaker: Callable[[CarrierState], None] = lambda state: None,
    ) -> None:
        self._providers = {channel: tuple(each) for channel, each in providers.items() if each}
        self._named = {(c, each.name): each for c, found in self._providers.items() for each in found}
        self._regions = {c: {each.name: caps_of(each).regions for each in s} for c, s in self._providers.items()}
        self._limits = {key: _limits(key[0], caps_of(each)) for key, each in self._named.items()}
        self._orders = orders
        self._zone = zone or ZoneInfo("Asia/Shanghai")
        self._targets = targets
        self._readers = dict(readers or {})
        """Of vendors that another process sends over: their callbacks may be folded here all the same."""
        self.on_breaker = on_breaker
        self._breakers: dict[_Key, Breaker] = {}
        self._buckets: dict[_Key, Bucket] = {}
        self._spent: dict[tuple[Channel, str, str], Spent] = {}
        self._accepted: dict[_Key, datetime] = {}
        self._receipts: dict[_Key, datetime] = {}
        self._calling: dict[str, str] = {}
        self.lines = Lines()
        self.recovery = Recovery()

    # ---- who there is -----------------------------------------------------------------------------------------------

    @property
    def channels(self) -> tuple[Channel, ...]:
        return tuple(self._providers)

    def of(self, channel: Channel) -> tuple[ChannelProvider, ...]:
        return self._providers.get(channel, ())

    def firsts(self) -> Mapping[Channel, str]:
        """The channels that this process sends over, each with its first carrier."""
        return {channel: found[0].name for channel, found in self._providers.items()}

    def named(self, channel: Channel, name: str) -> ChannelProvider | None:
        """The carrier with this name; with none ('' or one that is not set any more), the first of the channel."""
        found = self._named.get((channel, name))
        if found is None and (first := self.of(channel)) and not name:
            return first[0]
        return found

    def by_vendor(self) -> Mapping[str, ChannelProvider]:
        """One provider per vendor: what reads its callbacks, of any of its channels."""
        return self._readers | {each.name: each for channel in reversed(self.channels) for each in self.of(channel)}

    def all(self) -> tuple[ChannelProvider, ...]:
        return tuple(self._named.values())

    def order(self, channel: Channel, address: str, person_id: str = "") -> tuple[str, ...]:
        """Who may take a message to this address, the first choice first. App: those that know the person."""
        names = ordered(self._orders, channel, address, self._regions.get(channel, {}))
        if channel is not Channel.APP or len(names) < 2:
            return names
        known = self._targets.of(person_id) if self._targets is not None else {}
        return tuple(name for index, name in enumerate(names) if index == 0 or name in known)

    def target(self, provider: str, person_id: str) -> Mapping[str, Any]:
        return {} if self._targets is None else self._targets.of(person_id).get(provider, {})

    def caps(self, channel: Channel, name: str) -> Caps:
        provider = self.named(channel, name)
        return Caps() if provider is None else caps_of(provider)

    # ---- who takes it -----------------------------------------------------------------------------------------------

    def choose(
        self,
        submission: Submission,
        now: datetime,
        *,
        prefer: str = "",
        avoid: str = "",
        without: Collection[str] = (),
        busy: Mapping[str, datetime] | None = None,
    ) -> Choice:
        """See `routing.choose`. `without`: who has refused this very message; `busy`: who asked to wait, until when."""
        names = self.order(submission.channel, submission.address, submission.recipient_id)
        options = [self._option(submission, name, now, (busy or {}).get(name)) for name in names if name not in without]
        return choose(options, now, urgency=submission.urgency, prefer=prefer, avoid=avoid)

    def others(self, submission: Submission, without: Collection[str]) -> bool:
        """Is there anybody else for this message?"""
        names = self.order(submission.channel, submission.address, submission.recipient_id)
        return any(name not in without for name in names)

    def number_for(self, submission: Submission) -> int:
        """How many carriers a message may go to."""
        return len(self.order(submission.channel, submission.address, submission.recipient_id))

    def any_name(self, submission: Submission) -> str:
        names = self.order(submission.channel, submission.address, submission.recipient_id)
        return names[0] if names else ""

    def calls(self, incident_id: str, provider: str) -> None:
        """Somebody is called for this incident: the next person's call had better come by another carrier."""
        self._calling.pop(incident_id, None)
        self._calling[incident_id] = provider
        while len(self._calling) > incidents_max:
            del self._calling[next(iter(self._calling))]

    def calling(self, incident_id: str) -> str:
        """Who calls for this incident already; '': nobody yet."""
        return self._calling.get(incident_id, "")

    def pick(self, notice: Notify, now: datetime) -> str:
        """Whom a message is written for. The next person's call had better come by another carrier than the call that
        somebody before him may still get."""
        later = notice.step > 0 or notice.round > 0
        avoid = self.calling(notice.incident_id) if later and notice.channel is Channel.VOICE else ""
        return self.first(notice.channel, notice.address, notice.recipient_id, notice.urgency, now, avoid)

    def first(self, channel: Channel, address: str, person_id: str, urgency: int, now: datetime, avoid: str) -> str:
        """Whom a message that is being written goes to; looked at again before it is sent."""
        names = self.order(channel, address, person_id)
        if len(names) < 2:
            return names[0] if names else ""
        options = [self._room_for(channel, name, address, urgency, now, None) for name in names]
        return choose(options, now, urgency=urgency, avoid=avoid).provider or names[0]

    def _option(self, submission: Submission, name: str, now: datetime, busy_until: datetime | None) -> Option:
        return self._room_for(submission.channel, name, submission.address, submission.urgency, now, busy_until)

    def _room_for(
        self, channel: Channel, name: str, address: str, urgency: int, now: datetime, busy_until: datetime | None
    ) -> Option:
        key, caps, limits = (channel, name), self.caps(channel, name), self._limits[channel, name]
        spent = self._spent.get((channel, name, address)) if limits.any else None
        room = budget.room(spent or Spent(), limits, now, self._zone, life_safety=urgency == 0)
        rate = caps.per_second
        return Option(
            provider=name,
            room=room,
            passes=self._breakers.get(key, _CLOSED).passes,
            rate_at=budget.next_at(self._buckets.get(key), rate, now) if rate else None,
            busy_until=busy_until,
        )

    # ---- what became of it ------------------------------------------------------------------------------------------

    def counted(self, channel: Channel, provider: str, address: str, now: datetime) -> None:
        """One submit is made now: it counts, whatever becomes of it."""
        key = (channel, provider)
        rate = self.caps(channel, provider).per_second
        if rate:
            self._buckets[key] = budget.take(self._buckets.get(key), rate, now)
        if key in self._limits and self._limits[key].any:
            at = (channel, provider, address)
            self._spent[at] = self._spent.get(at, Spent()).counted(now)

    def heard(self, channel: Channel, provider: str, address: str, answer: Submitted, now: datetime) -> None:
        """What a carrier has answered."""
        key = (channel, provider)
        if key not in self._named or (isinstance(answer, Rejected) and answer.reason == "no_provider"):
            return
        if isinstance(answer, Busy) and answer.number_limit:
            at = (channel, provider, address)
            self._spent[at] = self._spent.get(at, Spent()).learned(self._limits[key], answer.retry_after, now)
        self.recovery.heard(channel, provider, answer, now)
        before = self._breakers.get(key, _CLOSED)
        after = breakers.heard(before, answer, now)
        if not isinstance(answer, Busy | Rejected) and after.passes and not after.unclear:
            self._accepted[key] = now
        if after is not before:
            self._set(key, before, after)

    def receipt(self, channel: Channel, provider: str, now: datetime) -> None:
        """A carrier has called back."""
        self._receipts[channel, provider] = now

    def to_look_at(self, now: datetime) -> list[ChannelProvider]:
        """Accounts whose rest is over; each is `looked` at once, and says what was found."""
        found = []
        for key, breaker in list(self._breakers.items()):
            if breakers.may_look(breaker, now):
                self._set(key, breaker, breakers.looking(breaker))
                found.append(self._named[key])
        return found

    def looked(self, provider: ChannelProvider, health: Health, now: datetime) -> None:
        key = (provider.channel, provider.name)
        before = self._breakers.get(key, _CLOSED)
        after = breakers.looked(before, account_answers(health), now)
        self._set(key, before, after)
        if after.passes and not before.passes:
            self.recovery.over(provider.channel, now)

    def _set(self, key: _Key, before: Breaker, after: Breaker) -> None:
        self._breakers[key] = after
        if before.word is not after.word:
            self.on_breaker(self._state(key))

    # ---- what is known ----------------------------------------------------------------------------------------------

    @property
    def counts(self) -> tuple[_Key, ...]:
        """Carriers with limits per number: what the ledger is loaded for."""
        return tuple(key for key, limits in self._limits.items() if limits.any)

    def loaded(self, rows: Sequence[tuple[Channel, str, str, datetime]], now: datetime) -> None:
        """What the database knows of the last day: (channel, provider, address, when), oldest first."""
        found: dict[tuple[Channel, str, str], list[datetime]] = {}
        for channel, provider, address, at in rows:
            found.setdefault((channel, provider, address), []).append(min(at, now))  # no gap lasts until our future
        for at_, times in found.items():
            self._spent[at_] = budget.merged(times, self._spent.get(at_, Spent()), now)

    def forget_old(self, now: datetime) -> None:
        """Numbers that nothing was sent to for a day."""
        since = now - budget.kept
        for at, spent in list(self._spent.items()):
            full = spent.full_until is not None and spent.full_until > now
            if not full and (not spent.at or spent.at[-1] < since):
                self._spent.pop(at, None)

    def states(self, now: datetime) -> tuple[CarrierState, ...]:
        """Every carrier, as it stands."""
        return tuple(self._state(key) for key in self._named)

    def budget(self, channel: Channel, address: str, now: datetime) -> tuple[BudgetLeft, ...]:
        """What each carrier still lets through to this number tonight."""
        found = []
        for name in self.order(channel, address):
            spent, limits = self._spent.get((channel, name, address), Spent()), self._limits[channel, name]
            urgent = budget.room(spent, limits, now, self._zone, life_safety=True)
            others = budget.room(spent, limits, now, self._zone, life_safety=False)
            found.append(BudgetLeft(name, urgent.left, others.left, urgent.frees_at))
        return tuple(found)

    def _state(self, key: _Key) -> CarrierState:
        breaker = self._breakers.get(key, _CLOSED)
        return CarrierState(
            *key, breaker.word.value, breaker.since, breaker.cause, self._accepted.get(key), self._receipts.get(key)
        )


Given = Carriers | Mapping[Channel, ChannelProvider] | Mapping[Channel, Sequence[ChannelProvider]]


def carriers_of(given: Given) -> Carriers:
    """Carriers as they are; or one provider, or several, for each channel."""
    if isinstance(given, Carriers):
        return given
    return Carriers({c: tuple(each) if isinstance(each, Sequence) else (each,) for c, each in given.items()})


def caps_of(provider: ChannelProvider) -> Caps:
    return getattr(provider, "caps", None) or Caps()


def _limits(channel: Channel, caps: Caps) -> Limits:
    return Limits(caps.windows, caps.min_gap_s, RESERVE[channel])


def account_answers(health: Health) -> bool:
    """What stops a whole account is in order, and some of it could be looked at. A template, a budget or a callback
    that is amiss stops some messages only: it would keep a sound account shut for ever."""
    words = [finding.word for finding in health.findings if finding.about in _WHOLE_ACCOUNT]
    return HealthWord.FAULT not in words and (not words or HealthWord.FINE in words)


_WHOLE_ACCOUNT = frozenset({"credentials", "account", "balance", "signature", "trusted_ip"})
_CLOSED = Breaker()
__all__ = ["AppTargets", "BreakerWord", "BudgetLeft", "CarrierState", "Carriers", "Given", "caps_of", "carriers_of"]
