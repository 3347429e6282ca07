"""The emulator as a whole: opens the port, wires routes, phones, drivers and callbacks, and closes them again.

Never listens beyond the given host and never reads a clock of its own.
"""

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from aiohttp import web

from devices.model import Channel
from simulators.emulating.ledger import Ledger
from simulators.emulating.vendor import Served
from simulators.phone import Behaviour, PhoneEvent
from simulators.twilio.app import TwilioRoutes
from simulators.twilio.callbacks import Webhooks, Wires
from simulators.twilio.calls import CallDriver
from simulators.twilio.control import TwilioControl
from simulators.twilio.forms import Order
from simulators.twilio.messages import MessageDriver
from simulators.twilio.running import SoundPace
from simulators.twilio.store import Call, Message, Shelf

error_opted_out = 21610
call_ended_wait_s = 1.0


@dataclass
class Account:
    """How the account itself stands."""

    status: str = "active"
    balance: str = "100.00"
    currency: str = "USD"

    def resource(self, sid: str) -> dict[str, object]:
        """As Twilio shows an account."""
        return {
            "sid": sid,
            "status": self.status,
            "friendly_name": "Emulated",
            "type": "Full",
            "owner_account_sid": sid,
        }

    def balance_resource(self, sid: str) -> dict[str, object]:
        return {"account_sid": sid, "balance": self.balance, "currency": self.currency}


class TwilioEmulator(Served):
    """A Twilio account on a local port; use with `async with`.

    clock: aware UTC time, for resources and the ledger.  port 0: any free one.
    numbers: the account's own senders; None = any.  inbound_url: where replies are posted.
    time_scale, speech_seconds_per_char: see `Pace`; 0 and 0 let every story end at once.
    ledger_path, ledger_fsync: see `Ledger`.  calls_per_second: excess calls queue; None = no limit.
    list_lag_s: a new resource shows up in lists only after this long.
    webhook_timeout_s: Twilio gives a webhook 15 s.  on_event: called for each thing a phone lives through.
    """

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        clock: Callable[[], datetime],
        host: str = "127.0.0.1",
        port: int = 0,
        numbers: frozenset[str] | None = None,
        inbound_url: str | None = None,
        default_behaviour: Behaviour | None = None,
        time_scale: float = 1.0,
        speech_seconds_per_char: float = 0.2,
        ledger_path: Path | None = None,
        ledger_fsync: bool = True,
        calls_per_second: float | None = None,
        list_lag_s: float = 0.0,
        webhook_timeout_s: float = 15.0,
        callback_connections_max: int = 64,
        on_event: Callable[[PhoneEvent], None] | None = None,
    ) -> None:
        self.webhooks = Webhooks(auth_token, webhook_timeout_s, callback_connections_max)
        ledger = Ledger(ledger_path, fsync=ledger_fsync)
        super().__init__(clock, (host, port), ledger, self.webhooks, default_behaviour, on_event)
        self.account_sid = account_sid
        self.account = Account()
        self.numbers = numbers
        self.messages: Shelf[Message] = Shelf(list_lag_s, time.monotonic)
        self.calls: Shelf[Call] = Shelf(list_lag_s, time.monotonic)
        pace = SoundPace(time_scale, speech_seconds_per_char)
        wires = Wires(account_sid, self.webhooks, self.faults, self.phones, pace, self.background, clock)
        self.message_driver = MessageDriver(wires, inbound_url)
        self._call_driver = CallDriver(wires)
        self._routes = TwilioRoutes(self, auth_token)
        self._control = TwilioControl(self)
        self._call_gap_s = 0.0 if calls_per_second is None else 1.0 / calls_per_second
        self._next_call_slot = 0.0

    @property
    def inbound_url(self) -> str | None:
        """Where inbound texts are posted; may be set once the service under test has its port."""
        return self.message_driver.inbound_url

    @inbound_url.setter
    def inbound_url(self, url: str | None) -> None:
        self.message_driver.inbound_url = url

    async def __aenter__(self) -> Self:
        await self.webhooks.start()
        return await super().__aenter__()

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._routes.handle(request)

    def hang_up(self) -> None:
        self._routes.close()

    async def inbound(self, sender: str, to: str, body: str) -> int | None:
        """A person texts the service; the HTTP status of the webhook's answer, None if it gave none."""
        return await self.message_driver.inbound(sender, to, body)

    async def reset(self) -> None:
        """Resources as well. The ledger file stays."""
        await super().reset()
        self.messages.clear()
        self.calls.clear()
        self._next_call_slot = 0.0

    def refusal_code(self, number: str, channel: Channel) -> int | None:
        """Twilio's error code if requests to this number are refused."""
        if channel is Channel.SMS and number in self.phones.opted_out:
            return error_opted_out
        return self.phones.behaviour(number).refused_with

    def admit(self, order: Order, queue_ms: int) -> Message | Call:
        """Take an order into the books."""
        now, monotonic = self.clock(), time.monotonic()
        if order.channel is Channel.SMS:
            message = Message(
                sid="SM" + secrets.token_hex(16),
                account_sid=self.account_sid,
                to=order.to,
                sender=order.sender,
                body=order.body,
                created_at=now,
                created_monotonic=monotonic,
                service_sid=order.service_sid,
                callback=order.callback,
                attempt=order.attempt,
                validity_s=order.seconds,
                status="queued" if order.service_sid is None else "accepted",
            )
            self.messages.add(message)
            return message
        call = Call(
            sid="CA" + secrets.token_hex(16),
            account_sid=self.account_sid,
            to=order.to,
            sender=order.sender,
            created_at=now,
            created_monotonic=monotonic,
            url=order.url,
            method=order.method,
            twiml=order.twiml,
            callback=order.callback,
            attempt=order.attempt,
            ring_s=order.seconds,
            time_limit_s=order.time_limit_s,
            queue_time_ms=queue_ms + self._queue_for_slot(monotonic),
        )
        self.calls.add(call)
        return call

    def carry_out(self, resource: Message | Call) -> asyncio.Task[None]:
        """Send an admitted order on its way; the task ends after the last callback."""
        if isinstance(resource, Message):
            return self.background.spawn(self.message_driver.run(resource))
        return self.background.spawn(self._call_driver.run(resource))

    async def call_ended(self, call: Call) -> None:
        """Give a call that was asked to end the moment it needs."""
        with suppress(TimeoutError):
            await asyncio.wait_for(call.ended.wait(), call_ended_wait_s)

    def _queue_for_slot(self, now: float) -> int:
        if not self._call_gap_s:
            return 0
        start = max(now, self._next_call_slot)
        self._next_call_slot = start + self._call_gap_s
        return int((start - now) * 1000)
