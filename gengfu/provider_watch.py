"""Looks at every provider account now and then, keeps what it finds for all processes, and says when one is at fault.

Never sends a message and never keeps traffic from an account: that is the breaker's.
"""

import asyncio
import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.carriers import Carriers, CarrierState
from alerting.channels.base import ChannelProvider, Finding, Health, HealthWord
from alerting.ports import Clock, Conflict, Database, Priority
from alerting.store import readiness as store
from alerting.store.readiness import CheckRow, Found
from devices.model import Channel
from gengfu.metrics import PrometheusMetrics

log = logging.getLogger(__name__)

WAKE_CHECK = "gengfu_provider_check"
"""The database's channel on which another process asks for a look now."""
first_after_s = 1.0
every_s = 600.0
again_after_s = 60.0
"""While an account has a fault, so that its end is seen soon."""
tick_s = 2.0
"""So often breakers are looked at, which cost nothing to read."""
check_within_s = 8.0
receipts_within = timedelta(hours=24)
UNCLEAR = frozenset({"timeout", "cut_line", "unreadable_answer", "provider_error", "system_busy", "busy", "not_sent"})
"""Causes of an open breaker that speak of a line or a far side, not of our account."""
NOT_PAGED = frozenset(
    {"voice budget", "night_rule", "callback", "receipts", "sandbox", "rate", "agent", "two_way", "balance"}
)
"""Findings worth putting right by day: messages still go out. A balance that is used up is told as a refusal."""


class ProviderWatch:
    """`carriers`: those of this process. One per process with the worker role."""

    def __init__(self, database: Database, clock: Clock, carriers: Carriers, metrics: PrometheusMetrics) -> None:
        self._database = database
        self._clock = clock
        self._carriers = carriers
        self._metrics = metrics
        self._asked = asyncio.Event()
        self._health: dict[tuple[Channel, str], tuple[datetime, Health]] = {}
        self._kept: dict[tuple[Channel, str], tuple[tuple[str, str, str], ...]] = {}

    def ask(self) -> None:
        """Look now. Instant."""
        self._asked.set()

    async def run(self) -> None:
        """Until cancelled."""
        await asyncio.sleep(first_after_s)
        while True:
            await self._look()
            next_at = self._clock.monotonic() + (every_s if self.fault() is None else again_after_s)
            while self._clock.monotonic() < next_at and not await self._was_asked():
                await self._keep(only_news=True)

    def fault(self) -> str | None:
        """One sentence about accounts that cannot be used, or soon will not be; None: all is well as far as seen."""
        found = list(dict.fromkeys(self._faults()))
        return "; ".join(found) if found else None

    def _faults(self) -> Iterator[str]:
        states = {(state.channel, state.provider): state for state in self._carriers.states(self._clock.now())}
        for provider in self._watched():
            key = (provider.channel, provider.name)
            for finding in _paged(self._health[key][1].findings if key in self._health else ()):
                yield f"{provider.name}: {finding.detail or finding.about}"
            if key in states and refused(states[key]):
                yield f"{provider.name} refuses our account ({states[key].cause})"

    def _watched(self) -> tuple[ChannelProvider, ...]:
        return tuple(provider for provider in self._carriers.all() if provider.name not in ("none", "stream"))

    async def _was_asked(self) -> bool:
        try:
            async with asyncio.timeout(tick_s):
                await self._asked.wait()
        except TimeoutError:
            return False
        self._asked.clear()
        return True

    async def _look(self) -> None:
        """All accounts at once; nothing waits for the slowest but this task."""
        watched = self._watched()
        now = self._clock.now()
        for provider, health in zip(watched, await asyncio.gather(*map(_checked, watched)), strict=True):
            self._health[provider.channel, provider.name] = (now, health)
        await self._keep(only_news=False)

    async def _keep(self, *, only_news: bool) -> None:
        now = self._clock.now()
        states = {(state.channel, state.provider): state for state in self._carriers.states(now)}
        rows = []
        try:
            receipts = (
                {}
                if only_news
                else await self._database.read(lambda conn: store.last_receipts(conn, now - receipts_within))
            )
            for provider in self._watched():
                key = (provider.channel, provider.name)
                if key in self._health:
                    found = self._row(provider, states.get(key), receipts.get(provider.name), now, only_news=only_news)
                    rows += [] if found is None else [found]
            if rows or not only_news:
                await self._database.write(Priority.ADMINISTRATION, lambda conn: self._write(conn, rows))
        except (SQLAlchemyError, OSError, Conflict) as trouble:
            log.warning("what the providers' accounts look like is not kept: %s", type(trouble).__name__)
            return
        self._tell()

    def _write(self, conn: Connection, rows: list[CheckRow]) -> None:
        store.keep_checks(conn, rows)
        kept = {(each.name, each.channel.value) for each in self._watched()}
        store.forget_checks(conn, kept, self._carriers.channels)

    def _row(
        self,
        provider: ChannelProvider,
        state: CarrierState | None,
        receipt_at: datetime | None,
        now: datetime,
        *,
        only_news: bool,
    ) -> CheckRow | None:
        """None: nothing has changed since it was kept."""
        key = (provider.channel, provider.name)
        checked_at, health = self._health[key]
        findings = [*health.findings, *_breaker(state)]
        if provider.caps.receipts:
            heard = receipt_at or (state.receipt_last_at if state else None)
            findings.append(_receipts(heard, now))
        news = tuple((each.about, each.word.value, each.detail) for each in findings if each.about != "receipts")
        if only_news and self._kept.get(key) == news:
            return None
        self._kept[key] = news
        found = tuple(Found(each.about, each.word.value, each.detail, now) for each in findings)
        return CheckRow(provider.name, provider.channel, checked_at, found, health.balance)

    def _tell(self) -> None:
        states = {(state.channel, state.provider): state for state in self._carriers.states(self._clock.now())}
        ready: dict[str, bool] = {}
        for (channel, name), (_, health) in self._health.items():
            state = states.get((channel, name))
            well = not list(_paged(health.findings)) and (state is None or state.breaker == "closed")
            ready[name] = ready.get(name, True) and well
        for name, well in ready.items():
            self._metrics.provider_ready(name, well)


def refused(state: CarrierState) -> bool:
    """Its breaker is open because the account was refused, not because a line is slow."""
    return state.breaker != "closed" and bool(state.cause) and state.cause not in UNCLEAR


async def _checked(provider: ChannelProvider) -> Health:
    try:
        async with asyncio.timeout(check_within_s):
            return await provider.check()
    except TimeoutError:
        return Health((Finding("credentials", HealthWord.UNKNOWN, "It did not answer in time."),))


def _paged(findings: Iterable[Finding]) -> Iterator[Finding]:
    return (each for each in findings if each.word is HealthWord.FAULT and each.about not in NOT_PAGED)


def _breaker(state: CarrierState | None) -> list[Finding]:
    if state is None:
        return []
    if state.breaker == "closed":
        return [Finding("breaker", HealthWord.FINE)]
    why = f"Left alone for now, others carry its messages: {state.cause or 'it does not answer'}."
    return [Finding("breaker", HealthWord.FAULT, why)]


def _receipts(heard: datetime | None, now: datetime) -> Finding:
    if heard is not None and now - heard <= receipts_within:
        return Finding("receipts", HealthWord.FINE)
    return Finding(
        "receipts",
        HealthWord.UNKNOWN,
        "No callback came in the last 24 h: make a test call to a contact, and see that public_url is reachable.",
    )
