"""What a vendor tells its customer: each resource's callbacks in order, and one client that posts them.

Never decides what happened.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

import aiohttp
import msgspec
from yarl import URL

from devices.model import Channel
from simulators.emulating.faults import FaultBoard, FaultKind
from simulators.emulating.running import Background

troubles_max = 1_000
WordT = TypeVar("WordT")


class CallbackLine(Generic[WordT]):
    """The callbacks of one resource: in order, one at a time, unless a fault says otherwise."""

    def __init__(
        self,
        channel: Channel,
        number: str,
        faults: FaultBoard,
        background: Background,
        send: Callable[[WordT], Awaitable[object]],
    ) -> None:
        self._channel = channel
        self._number = number
        self._faults = faults
        self._background = background
        self._send = send
        self._waiting: deque[WordT] = deque()
        self._held: list[WordT] = []
        self._drain_task: asyncio.Task[None] | None = None

    def post(self, word: WordT) -> None:
        """Queue one callback."""
        fault = self._faults.take_for_callback(self._channel, self._number)
        if fault is FaultKind.LOST_CALLBACK:
            return
        if fault is FaultKind.REORDERED_CALLBACK and not self._held:
            self._held.append(word)
            return
        self._waiting.append(word)
        if fault is FaultKind.DOUBLED_CALLBACK:
            self._waiting.append(word)
        self._release()

    def finish(self) -> None:
        """No more will come: send what a fault still holds back."""
        self._release()

    async def drained(self) -> None:
        """Wait until all queued callbacks have gone out."""
        while self._drain_task is not None and not self._drain_task.done():
            await asyncio.wait((self._drain_task,))

    def _release(self) -> None:
        self._waiting.extend(self._held)
        self._held.clear()
        if self._waiting and (self._drain_task is None or self._drain_task.done()):
            self._drain_task = self._background.spawn(self._drain())

    async def _drain(self) -> None:
        while self._waiting:
            await self._send(self._waiting.popleft())


@dataclass(frozen=True, slots=True)
class PostAnswer:
    """What the customer's server said."""

    status: int
    body: bytes


class Poster:
    """One shared client that posts to the customer. While `hold` is on, everything waits."""

    def __init__(self, timeout_s: float) -> None:
        self.sent = 0
        self.answers: deque[PostAnswer] = deque(maxlen=troubles_max)
        self.troubles: deque[str] = deque(maxlen=troubles_max)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._session: aiohttp.ClientSession | None = None
        self._open = asyncio.Event()
        self._open.set()

    def hold(self, held: bool) -> None:
        """Hold callbacks back, or let them all go."""
        if held:
            self._open.clear()
        else:
            self._open.set()

    async def post_json(self, url: str, value: object, headers: Mapping[str, str] | None = None) -> PostAnswer | None:
        """Post a JSON body; see `post`."""
        return await self.post(url, msgspec.json.encode(value), {"Content-Type": "application/json", **(headers or {})})

    async def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> PostAnswer | None:
        """Post once, to exactly this address; None (and a line in `troubles`) when no usable answer came."""
        await self._open.wait()
        if self._session is None:
            self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), timeout=self._timeout)
        try:
            target = URL(url, encoded=True)
            async with self._session.post(target, data=body, headers=headers, allow_redirects=False) as response:
                answer = PostAnswer(response.status, await response.read())
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as error:
            self.troubles.append(f"{url}: {type(error).__name__} {error}")
            return None
        self.sent += 1
        self.answers.append(answer)
        if answer.status >= 300:
            self.troubles.append(f"{url}: answered {answer.status}")
            return None
        return answer

    async def close(self) -> None:
        """Close the client."""
        if self._session is not None:
            await self._session.close()
            self._session = None
