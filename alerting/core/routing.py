"""Which carrier takes one message: the first in order that can, the one with room before none at all. Pure.

Law: whatever is full, broken or busy, life safety goes out by somebody; never two carriers at once from here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from alerting.core.budget import Room
from alerting.core.outcomes import Rejected, Scope
from devices.model import Channel

EVERYWHERE = ""
ORDERS: Mapping[Channel, Mapping[str, tuple[str, ...]]] = {
    Channel.SMS: {
        "+86": ("aliyun", "tencent", "twilio"),
        EVERYWHERE: ("twilio", "sns"),
    },
    Channel.VOICE: {
        "+86": ("aliyun", "tencent", "twilio"),
        EVERYWHERE: ("twilio",),
    },
    Channel.APP: {EVERYWHERE: ("stream", "wecom", "webpush", "dingtalk", "feishu")},
}
"""By channel and country calling code: who is tried, in this order, of those that are set."""
Orders = Mapping[Channel, Mapping[str, tuple[str, ...]]]

hedge_after_s = 1.0
"""Not accepted within so long: the next carrier, while the first goes on."""
unclear_after_s = 2.0
"""A call of which nothing is known by then is taken for unclear."""
short_s = 65.0
"""What is full for no longer than this is waited for: a carrier's gap between two calls."""
OPINIONS = frozenset({"opted_out", "number_no_route", "number_barred", "number_blocked"})
"""Refusals of a number that are one carrier's own: another one may reach it."""


FREE = Room()


class Go(StrEnum):
    NOW = "now"
    ANYWAY = "anyway"
    """Every budget is spent: life safety goes all the same, and the next person is asked at once."""
    WAIT = "wait"
    REFUSED = "refused"
    NOBODY = "nobody"
    """No carrier is left that has not refused it."""


class Why(StrEnum):
    """Why it did not simply go to the first; the timeline says so."""

    PLAIN = ""
    BUDGET = "budget_spent"
    BREAKER = "breaker_open"
    RATE = "rate_limit"
    BUSY = "busy"
    GAP = "carrier_gap"


@dataclass(frozen=True, slots=True)
class Option:
    """One carrier, as it stands towards one number now."""

    provider: str
    room: Room = FREE
    passes: bool = True
    """Its breaker is closed."""
    rate_at: datetime | None = None
    """When its account may start one more; None: now."""
    busy_until: datetime | None = None
    """It said so."""

    def busy(self, now: datetime) -> bool:
        return self.busy_until is not None and self.busy_until > now

    def ready(self, now: datetime) -> bool:
        return self.passes and self.room.free and not self.busy(now)


@dataclass(frozen=True, slots=True)
class Choice:
    go: Go
    provider: str = ""
    why: Why = Why.PLAIN
    at: datetime | None = None
    """When to ask again, where it waits."""


def ordered(
    orders: Orders, channel: Channel, address: str, regions: Mapping[str, frozenset[str] | None]
) -> tuple[str, ...]:
    """The carriers for an address: its country's order, those that are set (`regions` has them) and reach it. One that
    the order does not name comes last: better than silence."""
    table = orders.get(channel, {})
    country = max((code for code in table if address.startswith(code)), key=len, default=EVERYWHERE)
    found = dict.fromkeys((*table.get(country, ()), *regions))
    return tuple(name for name in found if name in regions and reaches(regions[name], address))


def reaches(regions: frozenset[str] | None, address: str) -> bool:
    return regions is None or not address.startswith("+") or any(address.startswith(code) for code in regions)


def choose(
    options: Sequence[Option],
    now: datetime,
    *,
    urgency: int,
    prefer: str = "",
    avoid: str = "",
) -> Choice:
    """`prefer` goes first and `avoid` last; the order of `options` decides the rest. Urgency 0 is life safety, 1 what
    follows from it."""
    ranked = sorted(options, key=lambda each: (each.provider != prefer, each.provider == avoid))
    if not ranked:
        return Choice(Go.NOBODY)
    ready = [each for each in ranked if each.ready(now)]
    at_rate = [each for each in ready if each.rate_at is None or each.rate_at <= now]
    if at_rate:
        return Choice(Go.NOW, at_rate[0].provider, _why_not_first(ranked, at_rate[0], now))
    if ready and urgency <= 1:  # its account queues it; ours would make it later still
        return Choice(Go.NOW, ready[0].provider, _why_not_first(ranked, ready[0], now))
    if ready:
        return Choice(Go.WAIT, ready[0].provider, Why.RATE, min(each.rate_at or now for each in ready))
    return _nobody_ready(ranked, now, urgency)


def _nobody_ready(ranked: Sequence[Option], now: datetime, urgency: int) -> Choice:
    shut = [each for each in ranked if not each.passes and each.room.free and not each.busy(now)]
    if shut:
        return Choice(Go.NOW, shut[0].provider, Why.BREAKER)  # never silence
    waits = [(at, each.provider, why) for each in ranked for at, why in _soon(each, now)]
    if waits:
        at, provider, why = min(waits)
        return Choice(Go.WAIT, provider, why, at)
    if urgency == 0:
        roomiest = min(ranked, key=lambda each: (each.room.frees_at or now, ranked.index(each)))
        return Choice(Go.ANYWAY, roomiest.provider, Why.BUDGET)
    return Choice(Go.REFUSED, "", Why.BUDGET)


def _soon(option: Option, now: datetime) -> list[tuple[datetime, Why]]:
    """When this one can take it, if that is soon."""
    if not option.room.free:
        frees = option.room.frees_at
        return [(frees, Why.GAP)] if frees is not None and frees <= now + timedelta(seconds=short_s) else []
    return [(option.busy_until, Why.BUSY)] if option.busy_until is not None and option.busy(now) else []


def _why_not_first(ranked: Sequence[Option], chosen: Option, now: datetime) -> Why:
    first = ranked[0]
    if first is chosen:
        return Why.PLAIN
    if not first.passes:
        return Why.BREAKER
    if not first.room.free:
        return Why.BUDGET
    return Why.BUSY if first.busy(now) else Why.RATE


def passes_on(refused: Rejected, channel: Channel) -> bool:
    """May another carrier take what this one refused? An app carrier knows a person by a name of its own."""
    return channel is Channel.APP or refused.scope is not Scope.NUMBER or refused.reason in OPINIONS


def alternated(order: Sequence[str], last: str, redials: int) -> str:
    """Who dials again: first the same caller number, which then rings through; after that in turn."""
    if redials == 0 or last not in order:
        return last
    return order[(order.index(last) + 1) % len(order)]


def without(options: Sequence[Option], names: Collection[str]) -> list[Option]:
    return [each for each in options if each.provider not in names]
