"""A customer of the Twilio emulator: the real SDK on one side, a webhook server that checks signatures on the other."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from aiohttp import web
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from simulators.phone import Behaviour, PhoneEvent
from simulators.twilio import TwilioEmulator

account_sid = "AC" + "1" * 32
auth_token = "token-of-the-test"
sender = "+15550100"
start = datetime(2026, 11, 23, 3, 12, 9, 500_000, tzinfo=UTC)
patience_s = 5.0


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook received: path with query, form fields, whether the SDK's validator accepts its signature."""

    path: str
    form: dict[str, str]
    genuine: bool


@dataclass(slots=True)
class Customer:
    """Receives webhooks; `answers` maps a path (without query) to a TwiML document, everything else gets 204."""

    answers: dict[str, str] = field(default_factory=dict)
    hooks: list[Hook] = field(default_factory=list)
    base_url: str = ""
    _arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        raw = await request.post()
        form = {name: str(value) for name, value in raw.items()}
        url = f"{self.base_url}{request.path_qs}"
        genuine = RequestValidator(auth_token).validate(url, form, request.headers.get("X-Twilio-Signature", ""))
        async with self._arrived:
            self.hooks.append(Hook(request.path_qs, form, genuine))
            self._arrived.notify_all()
        document = self.answers.get(request.path)
        if document is None:
            return web.Response(status=204)
        return web.Response(text=document, content_type="text/xml")

    def to(self, path: str) -> list[Hook]:
        """The hooks received at one path."""
        return [hook for hook in self.hooks if hook.path.split("?")[0] == path]

    async def until(self, path: str, count: int) -> list[Hook]:
        """Wait for so many hooks at one path."""
        async with self._arrived, asyncio.timeout(patience_s):
            await self._arrived.wait_for(lambda: len(self.to(path)) >= count)
        return self.to(path)


@dataclass(frozen=True, slots=True)
class Stage:
    """An emulator, the SDK pointed at it, and a webhook server."""

    emulator: TwilioEmulator
    client: Client
    customer: Customer


@asynccontextmanager
async def listening() -> AsyncIterator[Customer]:
    """A customer's webhook server on a free port."""
    customer = Customer()
    runner = web.ServerRunner(web.Server(customer.handle, access_log=None), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    customer.base_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield customer
    finally:
        await runner.cleanup()


@asynccontextmanager
async def stage(
    *,
    behaviour: Behaviour | None = None,
    time_scale: float = 0.0,
    speech_seconds_per_char: float = 0.2,
    numbers: frozenset[str] | None = None,
    ledger_path: Path | None = None,
    calls_per_second: float | None = None,
    list_lag_s: float = 0.0,
    on_event: Callable[[PhoneEvent], None] | None = None,
) -> AsyncIterator[Stage]:
    """Everything needed for one story; by default nothing waits."""
    emulator = TwilioEmulator(
        account_sid=account_sid,
        auth_token=auth_token,
        clock=lambda: start,
        numbers=numbers,
        default_behaviour=behaviour,
        time_scale=time_scale,
        speech_seconds_per_char=speech_seconds_per_char,
        ledger_path=ledger_path,
        calls_per_second=calls_per_second,
        list_lag_s=list_lag_s,
        webhook_timeout_s=patience_s,
        on_event=on_event,
    )
    async with listening() as customer, emulator, AsyncTwilioHttpClient() as http:
        client = Client(account_sid, auth_token, http_client=http)
        client.api.base_url = emulator.base_url
        emulator.inbound_url = f"{customer.base_url}/inbound"
        yield Stage(emulator, client, customer)
