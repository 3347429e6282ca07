"""The body of a vendor emulator: a port on loopback, phones, faults, a ledger, stories that go on after the answer.

A vendor adds its addresses, checks and shapes. Never listens beyond the given host, never reads a clock of its own.
"""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, MutableSequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Protocol, Required, Self, TypedDict

import msgspec
from aiohttp import web

from devices.model import Channel
from simulators.emulating.callbacks import Poster
from simulators.emulating.control import ControlRoutes
from simulators.emulating.faults import Fault, FaultBoard, FaultKind
from simulators.emulating.ledger import Ledger, LedgerRow, Outcome
from simulators.emulating.mishaps import Mishaps
from simulators.emulating.running import Background, Pace
from simulators.phone import Behaviour, PhoneBook, PhoneEvent

early_answer_seconds_max = 5.0
listen_backlog = 1_024
request_bytes_max = 1024 * 1024


def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """A JSON answer."""
    return web.Response(body=msgspec.json.encode(body), status=status, headers=headers, content_type="application/json")


@dataclass(frozen=True, slots=True)
class Order:
    """One create request, as far as it can be read; fields as in `LedgerRow`."""

    channel: Channel
    to: str | None
    sender: str | None = None
    text: str = ""
    attempt: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """The vendor took it: its reference, its answer, and what happens afterwards (None: nothing)."""

    ref: str
    answer: web.Response
    story: Coroutine[object, object, None] | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The vendor refused it: its code and its answer."""

    code: str | int
    answer: web.Response


class Outgoing(Protocol):
    """What carries callbacks to the customer."""

    @property
    def troubles(self) -> MutableSequence[str]: ...

    def hold(self, held: bool) -> None: ...

    async def close(self) -> None: ...


class Served(ABC):
    """Use with `async with`. After the block, a crash of a background task is raised as an ExceptionGroup."""

    _control: ControlRoutes

    def __init__(
        self,
        clock: Callable[[], datetime],
        address: tuple[str, int],
        ledger: Ledger,
        outgoing: Outgoing,
        default_behaviour: Behaviour | None,
        on_event: Callable[[PhoneEvent], None] | None,
    ) -> None:
        self.clock = clock
        self.phones = PhoneBook(clock, default_behaviour, on_event)
        self.faults = FaultBoard()
        self.ledger = ledger
        self.background = Background()
        self._outgoing = outgoing
        self._address = address
        self._runner: web.ServerRunner | None = None

    @abstractmethod
    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        """Any request but those of the steering face."""

    @abstractmethod
    def hang_up(self) -> None:
        """Let go of the requests that a fault still holds."""

    @property
    def base_url(self) -> str:
        """`http://host:port`, for the client's base URL."""
        return f"http://{self._address[0]}:{self._address[1]}"

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=1.0)
        await self._runner.setup()
        host, port = self._address
        await web.TCPSite(self._runner, host, port, backlog=listen_backlog).start()
        self._address = (host, self._runner.addresses[0][1])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        await self.background.cancel()
        if self._runner is not None:
            await self._runner.cleanup()
        await self._outgoing.close()
        self.ledger.close()
        if self.background.crashes:
            raise BaseExceptionGroup("the emulator's own tasks crashed", self.background.crashes)

    async def until(self, wish: Callable[[PhoneBook], bool], timeout_s: float = 5.0) -> None:
        """Wait for what shall arrive at the phones; raises TimeoutError."""
        await self.phones.until(wish, timeout_s)

    def hold_callbacks(self, held: bool) -> None:
        """Hold callbacks back, or let them all go."""
        self._outgoing.hold(held)

    async def reset(self) -> None:
        """Forget inboxes, faults, behaviours, rows; running stories end. Vendors forget their own things too."""
        await self.background.cancel()
        self.faults.clear()
        self.phones.reset()
        self.ledger.rows.clear()
        self._outgoing.troubles.clear()
        self._outgoing.hold(False)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path.startswith("/_emulator/"):
            return await self._control.handle(request)
        return await self.respond(request)


class General(TypedDict, total=False):
    """What every emulator takes; see `VendorEmulator`."""

    clock: Required[Callable[[], datetime]]
    host: str
    port: int
    default_behaviour: Behaviour | None
    time_scale: float
    speech_seconds_per_char: float
    ledger_path: Path | None
    callback_timeout_s: float
    on_event: Callable[[PhoneEvent], None] | None


class VendorEmulator(Served):
    """One vendor on a local port; use with `async with`. port 0: any free one.

    time_scale, speech_seconds_per_char: see `Pace`; 0 and 0 let every story end at once.
    callback_timeout_s: how long the vendor waits for our answer to a callback.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        host: str = "127.0.0.1",
        port: int = 0,
        default_behaviour: Behaviour | None = None,
        time_scale: float = 1.0,
        speech_seconds_per_char: float = 0.2,
        ledger_path: Path | None = None,
        callback_timeout_s: float = 5.0,
        on_event: Callable[[PhoneEvent], None] | None = None,
    ) -> None:
        self.poster = Poster(callback_timeout_s)
        ledger = Ledger(ledger_path, fsync=False)
        super().__init__(clock, (host, port), ledger, self.poster, default_behaviour, on_event)
        self.pace = Pace(time_scale, speech_seconds_per_char)
        self.mishaps = Mishaps(self.faults, self.fault_answer)
        self._control = ControlRoutes(self)

    @abstractmethod
    async def answer(self, request: web.BaseRequest, body: bytes) -> web.StreamResponse:
        """Any request of the vendor's API."""

    @abstractmethod
    def fault_answer(self, fault: Fault) -> web.StreamResponse:
        """The vendor's own shape of `error` (with `fault.code`), `status_429` and `status_500`."""

    async def respond(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self.answer(request, await request.read())

    def hang_up(self) -> None:
        self.mishaps.close()

    async def create(
        self, request: web.BaseRequest, order: Order, take: Callable[[], Taken | Refused]
    ) -> web.StreamResponse:
        """One create request: faults, `take`, one ledger row, the story, the answer. Calls `take` at most once."""
        faults, fatal = await self.mishaps.meet(order.channel, order.to)
        if fatal is not None and not fatal.takes_the_request:
            code = fatal.code if fatal.kind is FaultKind.ERROR else None
            self._record(order, Outcome.FAULTED, faults, code=code)
            return await self.mishaps.misbehave(request, fatal)
        taken = take()
        if isinstance(taken, Refused):
            self._record(order, Outcome.REFUSED, faults, code=taken.code)
            return taken.answer
        self._record(order, Outcome.PROVIDER_ACCEPTED, faults, sid=taken.ref)
        if taken.story is not None:
            way = self.background.spawn(taken.story)
            if any(fault.kind is FaultKind.CALLBACK_BEFORE_ANSWER for fault in faults):
                await asyncio.wait((way,), timeout=early_answer_seconds_max)
        return taken.answer if fatal is None else await self.mishaps.misbehave(request, fatal)

    async def spoil_read(
        self, request: web.BaseRequest, channel: Channel, number: str | None
    ) -> web.StreamResponse | None:
        """For queries: the spoilt answer when a fault with `reads` is armed."""
        _, fatal = await self.mishaps.meet(channel, number, read=True)
        return None if fatal is None else await self.mishaps.misbehave(request, fatal)

    def _record(
        self,
        order: Order,
        outcome: Outcome,
        faults: list[Fault],
        *,
        sid: str | None = None,
        code: int | str | None = None,
    ) -> None:
        row = LedgerRow(
            kind=order.channel,
            outcome=outcome,
            at=self.clock(),
            monotonic=time.monotonic(),
            to=order.to,
            sender=order.sender,
            text=order.text,
            attempt=order.attempt,
            sid=sid,
            code=code,
            faults=tuple(fault.kind for fault in faults),
        )
        self.ledger.append(row)
