"""Thousands of worker apps in one process: each holds its own live stream and says "received". Never taps, never waits.

A hand-written HTTP client: ten thousand of a library's would cost more than the service they measure.
"""

import asyncio
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import msgspec

from benchmarks.child import Answer, Handler, serve

posting_connections = 64
"""Over which `received` is posted; a phone would use one of its own."""
signing_in_at_once = 64
sign_in_seconds_max = 60.0
not_a_page = -1


class _Notification(msgspec.Struct):
    notification_id: str
    purpose: str


_read = msgspec.json.Decoder(_Notification).decode


class _Stream(asyncio.Protocol):
    """One live stream: dechunks (RFC 9112, section 7.1) and cuts into frames."""

    def __init__(self, crowd: "Crowd", number: int, key: str) -> None:
        self.online: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.transport: asyncio.Transport | None = None
        self._crowd, self._number, self._key = crowd, number, key
        self._raw = bytearray()
        self._body = bytearray()
        self._head_read = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport = cast("asyncio.Transport", transport)
        head = f"GET /api/v1/stream HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {self._key}\r\n\r\n"
        transport.write(head.encode())

    def data_received(self, data: bytes) -> None:
        self._raw += data
        if not self._head_read:
            head, found, rest = self._raw.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 200 " not in head[:20]:
                self._fail(f"the stream was refused: {bytes(head[:40])!r}")
                return
            self._head_read, self._raw = True, rest
        self._dechunk()
        *frames, rest = self._body.split(b"\n\n")
        self._body = rest
        for frame in frames:
            self._take(frame)

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.streams_lost += 1
        self._fail("the stream ended")

    def _dechunk(self) -> None:
        raw, at = self._raw, 0
        while (end := raw.find(b"\r\n", at)) >= 0:
            size = int(raw[at:end], 16)
            if len(raw) < end + 2 + size + 2:
                break
            self._body += raw[end + 2 : end + 2 + size]
            at = end + 2 + size + 2
        del raw[:at]

    def _take(self, frame: bytearray) -> None:
        if frame.startswith(b"event: notification\ndata: "):
            told = _read(frame[len(b"event: notification\ndata: ") :])
            self._crowd.shown(self._number, self._key, told)
        elif b"event: session\n" in frame and not self.online.done():
            self.online.set_result(None)

    def _fail(self, reason: str) -> None:
        if not self.online.done():
            self.online.set_exception(RuntimeError(reason))
            self.online.exception()


class _Poster(asyncio.Protocol):
    """One keep-alive connection; a request at a time. A server may close it while it is idle."""

    def __init__(self, crowd: "Crowd") -> None:
        self._crowd = crowd
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._asked: _Request | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def post(self, request: "_Request") -> None:
        assert self._transport is not None
        self._asked = request
        self._transport.write(request.data)

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, found, body = self._received.partition(b"\r\n\r\n")
        if not found or len(body) < _length(bytes(head)):
            return
        self._received = bytearray()
        asked, self._asked = self._asked, None
        if asked is not None:
            self._crowd.answered(self, asked, bytes(head[9:12]))

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.closed(self, self._asked)


@dataclass(frozen=True, slots=True)
class _Request:
    number: int
    data: bytes


class Crowd:
    """Commands: `connect`, `wait`, `results`. One process is one crowd: it leaves when it ends."""

    def __init__(self) -> None:
        self.streams_lost = 0
        self._streams: list[_Stream] = []
        self._idle: list[_Poster] = []
        self._open = 0
        self._opening: set[asyncio.Task[None]] = set()
        self._address = ("", 0)
        self._waiting: deque[_Request] = deque()
        self._shown: list[tuple[int, float]] = []
        self._confirmed: list[tuple[int, float]] = []
        self._refused = self._others = 0
        self._progress = asyncio.Event()

    async def connect(self, words: Answer) -> Answer:
        """`keys`: a file, one key per line; the first `count` sign in."""
        host, port = self._address = (words["host"], words["port"])
        keys = (await asyncio.to_thread(Path(words["keys"]).read_text)).splitlines()[: words["count"]]
        loop = asyncio.get_running_loop()
        turns = asyncio.Semaphore(signing_in_at_once)

        async def sign_in(number: int, key: str) -> None:
            async with turns:
                _, stream = await loop.create_connection(lambda: _Stream(self, number, key), host, port)
                self._streams.append(stream)
                await asyncio.wait_for(stream.online, sign_in_seconds_max)

        started = time.monotonic()
        await asyncio.gather(*(sign_in(number, key) for number, key in enumerate(keys)))
        return {"seconds": time.monotonic() - started}

    def shown(self, number: int, key: str, told: _Notification) -> None:
        """A message has come."""
        if told.purpose == "page":
            self._shown.append((number, time.monotonic()))
        else:
            number, self._others = not_a_page, self._others + 1
        data = (
            f"POST /api/v1/notifications/{told.notification_id}/received HTTP/1.1\r\n"
            f"host: bench\r\nauthorization: Bearer {key}\r\ncontent-length: 0\r\n\r\n"
        )
        self._ask(_Request(number, data.encode()))

    def answered(self, poster: _Poster, asked: _Request, status: bytes) -> None:
        """The service knows that it has come."""
        if not status.startswith(b"2"):
            self._refused += 1
        elif asked.number != not_a_page:
            self._confirmed.append((asked.number, time.monotonic()))
        self._take_turn(poster)
        self._progress.set()

    def closed(self, poster: _Poster, asked: _Request | None) -> None:
        """The server has closed a connection; what was asked over it is asked again."""
        self._open -= 1
        if poster in self._idle:
            self._idle.remove(poster)
        if asked is not None:
            self._ask(asked)

    def _ask(self, request: _Request) -> None:
        if self._idle:
            self._idle.pop().post(request)
            return
        self._waiting.append(request)
        if self._open < posting_connections:
            self._open += 1
            task = asyncio.get_running_loop().create_task(self._open_one())
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)

    async def _open_one(self) -> None:
        host, port = self._address
        _, poster = await asyncio.get_running_loop().create_connection(lambda: _Poster(self), host, port)
        self._take_turn(poster)

    def _take_turn(self, poster: _Poster) -> None:
        if self._waiting:
            poster.post(self._waiting.popleft())
        else:
            self._idle.append(poster)

    async def wait(self, words: Answer) -> Answer:
        """Until `count` messages were confirmed, or `seconds` have gone by."""
        with suppress(TimeoutError):
            async with asyncio.timeout(words["seconds"]):
                while len(self._confirmed) < words["count"]:
                    self._progress.clear()
                    await self._progress.wait()
        return {"confirmed": len(self._confirmed)}

    async def results(self, words: Answer) -> Answer:
        return {
            "shown": self._shown,
            "confirmed": self._confirmed,
            "refused": self._refused,
            "others": self._others,
            "streams_lost": self.streams_lost,
        }


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    return 0


def handlers() -> dict[str, Handler]:
    crowd = Crowd()
    return {"connect": crowd.connect, "wait": crowd.wait, "results": crowd.results}


if __name__ == "__main__":
    serve(handlers)
