"""The steering face below /_emulator/: what another process sets and reads; never part of Twilio's API.

No authentication: the emulator listens on loopback.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from aiohttp import web

from simulators.phone import Behaviour, PhoneBook
from simulators.twilio.app import json_response
from simulators.twilio.faults import Fault

if TYPE_CHECKING:
    from simulators.twilio.emulator import TwilioEmulator

wait_s_max = 60.0
T = TypeVar("T")
Route = Callable[[web.BaseRequest], Awaitable[object]]


class ControlRoutes:
    """JSON in, JSON out; 400 with {"error": ...} for what cannot be read.

    GET inbox?number=&sms=N&calls=N&wait_s=S   received so far; waits for N texts and N ended calls
    GET requests                               create requests, as in the ledger
    GET usage                                  CPU seconds of this process, counters, troubles
    GET faults, POST faults, DELETE faults     see `Fault`
    POST phones                                {"number": null = the default, "behaviours": [...]} or flat
    POST inbound                               {"from", "to", "body"}
    POST inbound-url                           {"url"}
    POST callbacks                             {"held": bool}
    POST reset
    """

    def __init__(self, emulator: "TwilioEmulator") -> None:
        self._emulator = emulator
        self._table: dict[tuple[str, str], Route] = {
            ("GET", "inbox"): self._inbox,
            ("GET", "requests"): self._requests,
            ("GET", "usage"): self._usage,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._set_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "phones"): self._phones,
            ("POST", "inbound"): self._inbound,
            ("POST", "inbound-url"): self._inbound_url,
            ("POST", "callbacks"): self._callbacks,
            ("POST", "reset"): self._reset,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request below /_emulator/."""
        route = self._table.get((request.method, request.path.removeprefix("/_emulator/")))
        if route is None:
            return json_response({"error": "no such control"}, 404)
        try:
            return json_response(await route(request))
        except ValueError as error:  # msgspec's errors are ValueErrors
            return json_response({"error": str(error)}, 400)
        except TimeoutError:
            return json_response({"error": "it did not arrive in time"}, 408)

    async def _inbox(self, request: web.BaseRequest) -> object:
        query = request.query
        number = query.get("number")
        sms, calls = int(query.get("sms", 0)), int(query.get("calls", 0))

        def arrived(book: PhoneBook) -> bool:
            inbox = book.inbox(number)
            return len(inbox.sms) >= sms and sum(bool(call.outcome) for call in inbox.calls) >= calls

        if sms or calls:
            await self._emulator.until(arrived, min(wait_s_max, float(query.get("wait_s", 5))))
        return self._emulator.phones.inbox(number)

    async def _requests(self, request: web.BaseRequest) -> object:
        return list(self._emulator.ledger.rows)

    async def _usage(self, request: web.BaseRequest) -> object:
        emulator = self._emulator
        return {
            "cpu_seconds": time.process_time(),
            "messages": len(emulator.messages),
            "calls": len(emulator.calls),
            "webhooks_sent": emulator.webhooks.sent,
            "troubles": list(emulator.webhooks.troubles),
        }

    async def _faults(self, request: web.BaseRequest) -> object:
        return self._emulator.faults.armed()

    async def _set_fault(self, request: web.BaseRequest) -> object:
        fault = _build(Fault, await _object(request))
        self._emulator.faults.arm(fault)
        return fault

    async def _clear_faults(self, request: web.BaseRequest) -> object:
        self._emulator.faults.clear(request.query.get("channel"))
        return self._emulator.faults.armed()

    async def _phones(self, request: web.BaseRequest) -> object:
        wish = await _object(request)
        number = wish.pop("number", None)
        parts = wish.pop("behaviours", None) or [wish]
        behaviours = [_build(Behaviour, part) for part in parts]
        if number is None:
            self._emulator.phones.default = behaviours[-1]
        else:
            self._emulator.phones.set(str(number), *behaviours)
        return behaviours

    async def _inbound(self, request: web.BaseRequest) -> object:
        wish = await _object(request)
        values = [str(wish.get(name) or "") for name in ("from", "to", "body")]
        if not values[0] or not values[1]:
            raise ValueError("from and to are needed")
        return {"status": await self._emulator.inbound(*values)}

    async def _inbound_url(self, request: web.BaseRequest) -> object:
        url = (await _object(request)).get("url")
        self._emulator.inbound_url = None if url is None else str(url)
        return {"url": self._emulator.inbound_url}

    async def _callbacks(self, request: web.BaseRequest) -> object:
        held = bool((await _object(request)).get("held"))
        self._emulator.webhooks.hold(held)
        return {"held": held}

    async def _reset(self, request: web.BaseRequest) -> object:
        await self._emulator.reset()
        return {}


async def _object(request: web.BaseRequest) -> dict[str, Any]:
    return msgspec.json.decode(await request.read(), type=dict[str, Any])


def _build(of: type[T], wish: dict[str, Any]) -> T:
    known = {field.name for field in fields(of)}  # type: ignore[arg-type]
    if unknown := set(wish) - known:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return msgspec.convert(wish, of)
