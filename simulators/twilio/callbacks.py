"""Webhooks: signs and sends what the provider tells its customer, each resource's callbacks in order.

Never decides what happened; that is the work of the drivers. Signature rule: Twilio, "Validating requests".
"""

import asyncio
import base64
import hashlib
import hmac
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urldefrag, urlencode
from uuid import uuid4

import aiohttp
from yarl import URL

from simulators.phone import PhoneBook
from simulators.twilio.faults import Channel, FaultBoard, FaultKind
from simulators.twilio.running import Background, Pace
from simulators.twilio.store import Callback

troubles_max = 1_000
connect_retries = 1  # Twilio's default: one more try when the connection cannot be made, none after an answer


def signature(auth_token: str, url: str, params: Mapping[str, str]) -> str:
    """X-Twilio-Signature: base64 of HMAC-SHA1 over the whole address and the sorted form fields."""
    signed = url + "".join(name + params[name] for name in sorted(params))
    return base64.b64encode(hmac.new(auth_token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the customer's server said."""

    status: int
    content_type: str
    text: str


class Webhooks:
    """One shared client for everything the provider sends. While `hold` is on, status callbacks wait."""

    def __init__(self, auth_token: str, timeout_s: float, connections_max: int) -> None:
        self.sent = 0
        self.troubles: deque[str] = deque(maxlen=troubles_max)
        self._auth_token = auth_token
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._connections_max = connections_max
        self._session: aiohttp.ClientSession | None = None
        self._open = asyncio.Event()
        self._open.set()

    async def start(self) -> None:
        """Open the client; needs a running loop."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections_max),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=self._timeout,
            headers={"User-Agent": "TwilioProxy/1.1", "Accept": "*/*"},
        )

    async def close(self) -> None:
        """Close the client."""
        if self._session is not None:
            await self._session.close()

    def hold(self, held: bool) -> None:
        """Hold status callbacks back, or let them all go."""
        if held:
            self._open.clear()
        else:
            self._open.set()

    async def gate(self) -> None:
        """Wait until callbacks are let go."""
        await self._open.wait()

    async def fetch(self, url: str, params: Mapping[str, str], method: str = "POST") -> Answer | None:
        """Send one signed request; None (and a line in `troubles`) when no usable answer came."""
        token = str(uuid4())
        for tries_left in range(connect_retries, -1, -1):
            try:
                answer = await self._request(url, params, method, token)
            except aiohttp.ClientConnectorError as error:
                if tries_left == 0:
                    self.troubles.append(f"{url}: {error}")
            except (aiohttp.ClientError, TimeoutError, ValueError) as error:
                self.troubles.append(f"{url}: {type(error).__name__} {error}")
                return None
            else:
                self.sent += 1
                if answer.status >= 300:
                    self.troubles.append(f"{url}: answered {answer.status}")
                    return None
                return answer
        return None

    async def _request(self, url: str, params: Mapping[str, str], method: str, token: str) -> Answer:
        assert self._session is not None, "start() first"
        address = urldefrag(url).url
        body: bytes | None = None
        headers = {"I-Twilio-Idempotency-Token": token}
        if method == "GET":
            address += ("&" if "?" in address else "?") + urlencode(params)
            headers["X-Twilio-Signature"] = signature(self._auth_token, address, {})
        else:
            body = urlencode(params).encode()
            headers["X-Twilio-Signature"] = signature(self._auth_token, address, params)
            headers["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8"
        target = URL(address, encoded=True)  # exactly as given: the signature covers every character
        async with self._session.request(method, target, data=body, headers=headers, allow_redirects=False) as response:
            return Answer(response.status, response.content_type, await response.text(errors="replace"))


class CallbackLine:
    """The status callbacks of one resource: in order, one at a time, unless a fault says otherwise."""

    __slots__ = ("_callback", "_channel", "_drain_task", "_held", "_number", "_waiting", "_wires")

    def __init__(self, wires: "Wires", channel: Channel, number: str, callback: Callback) -> None:
        self._wires = wires
        self._channel = channel
        self._number = number
        self._callback = callback
        self._waiting: deque[Mapping[str, str]] = deque()
        self._held: Mapping[str, str] | None = None
        self._drain_task: asyncio.Task[None] | None = None

    def post(self, params: Mapping[str, str]) -> None:
        """Queue one callback."""
        fault = self._wires.faults.take_for_callback(self._channel, self._number)
        if fault is FaultKind.LOST_CALLBACK:
            return
        if fault is FaultKind.REORDERED_CALLBACK and self._held is None:
            self._held = params
            return
        self._waiting.append(params)
        if fault is FaultKind.DOUBLED_CALLBACK:
            self._waiting.append(params)
        self._release()

    def finish(self) -> None:
        """No more will come: send what a fault still holds back."""
        self._release()

    async def drained(self) -> None:
        """Wait until all queued callbacks have gone out."""
        while self._drain_task is not None and not self._drain_task.done():
            await asyncio.wait((self._drain_task,))

    def _release(self) -> None:
        if self._held is not None:
            self._waiting.append(self._held)
            self._held = None
        if self._waiting and (self._drain_task is None or self._drain_task.done()):
            self._drain_task = self._wires.background.spawn(self._drain())

    async def _drain(self) -> None:
        while self._waiting:
            await self._wires.webhooks.gate()
            await self._wires.webhooks.fetch(self._callback.url, self._waiting.popleft(), self._callback.method)


@dataclass(frozen=True, slots=True)
class Wires:
    """What the drivers of messages and calls share."""

    account_sid: str
    webhooks: Webhooks
    faults: FaultBoard
    phones: PhoneBook
    pace: Pace
    background: Background
    clock: Callable[[], datetime]

    def line(self, channel: Channel, number: str, callback: Callback | None) -> CallbackLine | None:
        """The callback line of one new resource; None when nobody asked for callbacks."""
        return None if callback is None else CallbackLine(self, channel, number, callback)
