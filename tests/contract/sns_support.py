"""An Amazon SNS account for tests: its emulator, its settings, its bench."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from alerting.channels.base import Busy, ChannelProvider, Scope, Submission
from alerting.channels.providers.sns import build
from alerting.channels.providers.sns_settings import SnsSettings
from devices.model import Channel, Language
from gengfu.clock import SystemClock
from simulators.sns import SnsEmulator
from tests.contract.channel_suite import EmulatorBench, make_submission

access_key_id = "AKIAEXAMPLE"
secret_access_key = "secret-that-stays-secret"
region = "ap-southeast-1"
now = SystemClock().now


@asynccontextmanager
async def emulated(*, clock: Callable[[], datetime] = now, in_sandbox: bool = False) -> AsyncIterator[SnsEmulator]:
    """An emulator whose stories take no time."""
    emulator = SnsEmulator(
        clock=clock,
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
        in_sandbox=in_sandbox,
        time_scale=0,
    )
    async with emulator:
        yield emulator


def settings_for(base_url: str | None, clock: Callable[[], datetime] = now) -> SnsSettings:
    return SnsSettings(
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
        now=clock,
        region=region,
        sender_id="GENGFU",
        base_url=base_url,
    )


@asynccontextmanager
async def provider_of(settings: SnsSettings) -> AsyncIterator[ChannelProvider]:
    """The one channel; closed afterwards."""
    provider = build(settings)[Channel.SMS]
    yield provider
    await provider.close()


refusals = {
    "OptedOut": Scope.NUMBER,
    "AuthorizationError": Scope.ACCOUNT,
    "InvalidClientTokenId": Scope.ACCOUNT,
    "KMSDisabled": Scope.ACCOUNT,
    "InvalidParameter": Scope.ACCOUNT,
    "Invented": Scope.ACCOUNT,
}
limits = {"Throttling": Busy(0.4), "KMSThrottling": Busy(0.4), "ThrottlingException": Busy(0.4)}


class SnsBench(EmulatorBench):
    """Nothing of ours travels along: an attempt is known by its text, which no other has."""

    strange_ref = "00000000-0000-0000-0000-000000000000"
    keeps_references = False

    def __init__(self, provider: ChannelProvider, emulator: SnsEmulator) -> None:
        super().__init__(provider, emulator)
        self.refusals = refusals
        self.limits = limits
        self._attempts: dict[str, str] = {}
        self.emulator = emulator

    def submission(self, n: int = 0) -> Submission:
        text = f"FIRE 3-2-1201 kitchen 03:12. Go now. Ref A{n}-{len(self._attempts)}"
        submission = make_submission(Channel.SMS, n, text, f"+6591{n:06d}", Language.EN)
        self._attempts[text] = submission.attempt_id
        return submission

    def arrivals(self) -> list[str]:
        return [self._attempts[row.text] for row in self.emulator.ledger.rows if row.sid is not None]

    def owner(self, provider_ref: str) -> str:
        (text,) = [row.text for row in self.emulator.ledger.rows if row.sid == provider_ref]
        return self._attempts[text]

    def lag(self, seconds: float) -> None:
        """It lists nothing, ever."""
