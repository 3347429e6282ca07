"""The steering face below /_emulator/: what another process sets and reads; never part of a vendor's API.

No authentication: an emulator listens on loopback.
"""

from collections.abc import Awaitable, Callable
from dataclasses import fields
from typing import Any, Protocol, TypeVar

import msgspec
from aiohttp import web

from simulators.emulating.faults import Fault, FaultBoard
from simulators.emulating.ledger import Ledger
from simulators.phone import Behaviour, PhoneBook

wait_s_max = 60.0
T = TypeVar("T")
Route = Callable[[web.BaseRequest], Awaitable[object]]


class Steered(Protocol):
    """What can be steered of an emulator."""

    phones: PhoneBook
    faults: FaultBoard
    ledger: Ledger

    async def until(self, wish: Callable[[PhoneBook], bool], timeout_s: float = 5.0) -> None: ...

    def hold_callbacks(self, held: bool) -> None: ...

    async def reset(self) -> None: ...


class ControlRoutes:
    """JSON in, JSON out; 400 with {"error": ...} for what cannot be read.

    GET inbox?number=&sms=N&calls=N&wait_s=S   received so far; waits for N texts and N ended calls
    GET requests                               create requests, as in the ledger
    GET faults, POST faults, DELETE faults     see `Fault`
    POST phones                                {"number": null = the default, "behaviours": [...]} or flat
    POST callbacks                             {"held": bool}
    POST reset
    """

    def __init__(self, emulator: Steered) -> None:
        self._steered = emulator
        self.table: dict[tuple[str, str], Route] = {
            ("GET", "inbox"): self._inbox,
            ("GET", "requests"): self._requests,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._set_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("POST", "phones"): self._phones,
            ("POST", "callbacks"): self._callbacks,
            ("POST", "reset"): self._reset,
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request below /_emulator/."""
        route = self.table.get((request.method, request.path.removeprefix("/_emulator/")))
        if route is None:
            return _answer({"error": "no such control"}, 404)
        try:
            return _answer(await route(request))
        except ValueError as error:  # msgspec's errors are ValueErrors
            return _answer({"error": str(error)}, 400)
        except TimeoutError:
            return _answer({"error": "it did not arrive in time"}, 408)

    async def _inbox(self, request: web.BaseRequest) -> object:
        query = request.query
        number = query.get("number")
        sms, calls = int(query.get("sms", 0)), int(query.get("calls", 0))

        def arrived(book: PhoneBook) -> bool:
            inbox = book.inbox(number)
            return len(inbox.sms) >= sms and sum(bool(call.outcome) for call in inbox.calls) >= calls

        if sms or calls:
            await self._steered.until(arrived, min(wait_s_max, float(query.get("wait_s", 5))))
        return self._steered.phones.inbox(number)

    async def _requests(self, request: web.BaseRequest) -> object:
        return list(self._steered.ledger.rows)

    async def _faults(self, request: web.BaseRequest) -> object:
        return self._steered.faults.armed()

    async def _set_fault(self, request: web.BaseRequest) -> object:
        fault = _build(Fault, await json_object(request))
        self._steered.faults.arm(fault)
        return fault

    async def _clear_faults(self, request: web.BaseRequest) -> object:
        self._steered.faults.clear(request.query.get("channel"))
        return self._steered.faults.armed()

    async def _phones(self, request: web.BaseRequest) -> object:
        wish = await json_object(request)
        number = wish.pop("number", None)
        parts = wish.pop("behaviours", None) or [wish]
        behaviours = [_build(Behaviour, part) for part in parts]
        if number is None:
            self._steered.phones.default = behaviours[-1]
        else:
            self._steered.phones.set(str(number), *behaviours)
        return behaviours

    async def _callbacks(self, request: web.BaseRequest) -> object:
        held = bool((await json_object(request)).get("held"))
        self._steered.hold_callbacks(held)
        return {"held": held}

    async def _reset(self, request: web.BaseRequest) -> object:
        await self._steered.reset()
        return {}


async def json_object(request: web.BaseRequest) -> dict[str, Any]:
    """The body; ValueError when it is none."""
    return msgspec.json.decode(await request.read(), type=dict[str, Any])


def _answer(body: object, status: int = 200) -> web.Response:
    return web.Response(body=msgspec.json.encode(body), status=status, content_type="application/json")


def _build(of: type[T], wish: dict[str, Any]) -> T:
    known = {field.name for field in fields(of)}  # type: ignore[arg-type]
    if unknown := set(wish) - known:
        raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    return msgspec.convert(wish, of)
