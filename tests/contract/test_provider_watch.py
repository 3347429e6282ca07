"""What is known of a provider's account: looked at against the emulator, kept for all processes, one sentence."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from alerting.carriers import Carriers
from alerting.channels.base import Accepted, Rejected, Scope, Unknown
from alerting.channels.providers import twilio
from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.store import readiness as store
from alerting.store.readiness import CheckRow
from devices.model import Channel
from gengfu import provider_watch
from gengfu.clock import SystemClock
from gengfu.metrics import PrometheusMetrics
from gengfu.provider_watch import ProviderWatch
from simulators.twilio import TwilioEmulator
from tests.contract.registry_support import Registry

pytest_plugins = ["tests.contract.registry_fixtures"]

SID = "AC" + "1" * 32
CLOCK = SystemClock()


@asynccontextmanager
async def watching(
    registry: Registry, token: str = "right"
) -> AsyncIterator[tuple[ProviderWatch, Carriers, TwilioEmulator]]:
    """A watch over one Twilio account, whose token we know or not."""
    async with TwilioEmulator(account_sid=SID, auth_token="right", clock=CLOCK.now, time_scale=0) as emulator:
        settings = TwilioSettings(SID, token, "+15005550006", "http://127.0.0.1:9", base_url=emulator.base_url)
        providers = twilio.build(settings)
        carriers = Carriers({channel: (provider,) for channel, provider in providers.items()})
        watch = ProviderWatch(registry.database, CLOCK, carriers, METRICS)
        running = asyncio.create_task(watch.run())
        try:
            yield watch, carriers, emulator
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            for provider in carriers.all():
                await provider.close()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first look at once, and breakers looked at often."""
    monkeypatch.setattr(provider_watch, "first_after_s", 0.0)
    monkeypatch.setattr(provider_watch, "tick_s", 0.02)


METRICS = PrometheusMetrics()


async def kept(registry: Registry, about: str, word: str) -> CheckRow:
    """Wait until the row of the texts says so."""
    began = time.monotonic()
    while True:
        for row in await registry.read(store.checks):
            if row.channel is Channel.SMS and (about, word) in {(each.about, each.word) for each in row.findings}:
                return row
        assert time.monotonic() - began < 10, await registry.read(store.checks)
        await asyncio.sleep(0.02)


def ready() -> float | None:
    return METRICS.registry.get_sample_value("gengfu_provider_ready", {"provider": "twilio"})


async def test_an_account_in_order_is_kept_as_such(registry: Registry) -> None:
    async with watching(registry) as (watch, _, _):
        row = await kept(registry, "credentials", "fine")
        found = {each.about: each.word for each in row.findings}
        assert found == {
            "credentials": "fine",
            "account": "fine",
            "balance": "fine",
            "breaker": "fine",
            "receipts": "unknown",
        }, "no callback was ever seen: nobody knows"
        assert row.balance == "100.00 USD"
        assert watch.fault() is None
        assert ready() == 1


async def test_a_wrong_token_is_a_fault_and_a_low_balance_one_for_the_day(registry: Registry) -> None:
    async with watching(registry, token="wrong") as (watch, _, _):
        await kept(registry, "credentials", "fault")
        assert "GENGFU_TWILIO__ACCOUNT_SID" in (watch.fault() or "")
        assert "wrong" not in (watch.fault() or "")
        assert ready() == 0
    async with watching(registry) as (watch, _, emulator):
        await kept(registry, "credentials", "fine")
        emulator.account.balance = "1.20"
        watch.ask()
        row = await kept(registry, "balance", "fault")
        assert row.balance == "1.20 USD"
        assert "top it up" in {each.about: each.detail for each in row.findings}["balance"]
        assert watch.fault() is None, "it still sends: for the day, not for the administrator's night"


async def test_a_breaker_opened_by_a_refusal_is_told_at_once_and_one_opened_by_a_slow_line_only_shown(
    registry: Registry,
) -> None:
    async with watching(registry) as (watch, carriers, _):
        await kept(registry, "breaker", "fine")
        for _ in range(5):
            carriers.heard(Channel.SMS, "twilio", "+86138", Unknown("timeout"), CLOCK.now())
        await kept(registry, "breaker", "fault")
        assert watch.fault() is None, "others carry its messages, and it is no matter of our account"
        carriers.heard(Channel.SMS, "twilio", "+86138", Accepted("SM1"), CLOCK.now())
        await kept(registry, "breaker", "fine")
        carriers.heard(Channel.SMS, "twilio", "+86138", Rejected("credentials", Scope.ACCOUNT, "20003"), CLOCK.now())
        assert watch.fault() == "twilio refuses our account (credentials)"
        await kept(registry, "breaker", "fault")
        assert ready() == 0


async def test_a_vendor_that_is_configured_no_longer_is_forgotten(registry: Registry) -> None:
    await registry.write(lambda conn: store.keep_checks(conn, [CheckRow("sns", Channel.SMS, CLOCK.now(), ())]))
    async with watching(registry):
        await kept(registry, "credentials", "fine")
        assert {row.provider for row in await registry.read(store.checks)} == {"twilio"}
