"""A place on loopback that hears one vendor's callbacks as our own route does: verify, read, answer."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Protocol

from aiohttp import web

from alerting.channels.base import CallbackRequest, Callbacks, Spoken, Stored


class Clock(Protocol):
    def now(self) -> datetime: ...


class Listener:
    """What came in, callback by callback."""

    def __init__(self, callbacks: Callbacks, clock: Clock) -> None:
        self.stored: list[Sequence[Stored]] = []
        self.refused = 0
        self.url = ""
        self._callbacks = callbacks
        self._clock = clock

    async def hear(self, request: web.BaseRequest) -> web.Response:
        asked = CallbackRequest(
            request.method,
            request.path.rsplit("/", 1)[-1],
            request.path_qs,
            dict(request.query),
            {name.lower(): value for name, value in request.headers.items()},
            await request.read(),
        )
        if not self._callbacks.verify(asked, self._clock.now()):
            self.refused += 1
            return web.Response(status=403)
        if words := self._callbacks.read(asked):
            self.stored.append(words)
        spoken = self._callbacks.answer(asked)
        return web.Response(status=204) if spoken is None else _said(spoken)


def _said(spoken: Spoken) -> web.Response:
    return web.Response(text=spoken.body, content_type=spoken.media_type)


@asynccontextmanager
async def listening(callbacks: Callbacks, clock: Clock, path: str) -> AsyncIterator[Listener]:
    listener = Listener(callbacks, clock)
    runner = web.ServerRunner(web.Server(listener.hear, access_log=None), shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    listener.url = f"http://127.0.0.1:{runner.addresses[0][1]}{path}"
    yield listener
    await runner.cleanup()
