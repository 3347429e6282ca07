"""Carries out the faults that meet a request. Never decides which do: that is the board's."""

import asyncio
import gzip
from collections.abc import Callable
from contextlib import suppress
from functools import cache

from aiohttp import web

from devices.model import Channel
from simulators.emulating.faults import Fault, FaultBoard, FaultKind, passing_kinds

huge_chunk = b'{"a":' * 16_384
huge_chunks = 256  # 20 MiB: more than anybody should read
_html_page = "<html><body><h1>Welcome</h1><p>Please log in to the network.</p></body></html>"
_bomb_bytes = 32 * 1024 * 1024
Shape = Callable[[Fault], web.StreamResponse]


class Mishaps:
    """shape: the vendor's own error answer to a fault of kind `error`, `status_429` or `status_500`."""

    def __init__(self, board: FaultBoard, shape: Shape) -> None:
        self._board = board
        self._shape = shape
        self._closing = asyncio.Event()

    def close(self) -> None:
        """Let silent requests end."""
        self._closing.set()

    async def meet(
        self, channel: Channel, number: str | None, *, read: bool = False
    ) -> tuple[list[Fault], Fault | None]:
        """Use up the faults for this request and wait out slowness; the second one, if any, decides the answer."""
        faults = self._board.take_for_request(channel, number, read=read)
        fatal: Fault | None = None
        for fault in faults:
            if fault.kind is FaultKind.SLOW:
                await self._sleep(fault.seconds)
            elif fault.kind not in passing_kinds:
                fatal = fault
        return faults, fatal

    async def misbehave(self, request: web.BaseRequest, fault: Fault) -> web.StreamResponse:
        """The spoilt answer, or none at all."""
        match fault.kind:
            case FaultKind.STATUS_429 | FaultKind.STATUS_500 | FaultKind.ERROR:
                return self._shape(fault)
            case FaultKind.HTML:
                return web.Response(text=_html_page, content_type="text/html")
            case FaultKind.COMPRESSED:
                return web.Response(body=_bomb(), content_type="application/json", headers={"Content-Encoding": "gzip"})
            case FaultKind.HUGE:
                return await self._pour(request)
            case FaultKind.SILENCE | FaultKind.ACCEPT_THEN_TIME_OUT:
                await self._closing.wait()
            case _:
                pass
        if request.transport is not None:
            request.transport.abort()
        return web.Response()  # goes nowhere: the line is cut

    async def _pour(self, request: web.BaseRequest) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        with suppress(ConnectionError):  # the reader has had enough
            await answer.prepare(request)
            for _ in range(huge_chunks):
                await answer.write(huge_chunk)
        return answer

    async def _sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return


@cache
def _bomb() -> bytes:
    return gzip.compress(b" " * _bomb_bytes)
