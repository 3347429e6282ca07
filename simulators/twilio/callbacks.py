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

from devices.model import Channel
from simulators.emulating.callbacks import CallbackLine, troubles_max
from simulators.emulating.faults import FaultBoard
from simulators.emulating.running import Background
from simulators.phone import PhoneBook
from simulators.twilio.running import SoundPace
from simulators.twilio.store import Callback

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


@dataclass(frozen=True, slots=True)
class Wires:
    """What the drivers of messages and calls share."""

    account_sid: str
    webhooks: Webhooks
    faults: FaultBoard
    phones: PhoneBook
    pace: SoundPace
    background: Background
    clock: Callable[[], datetime]

    def line(self, channel: Channel, number: str, callback: Callback | None) -> CallbackLine[Mapping[str, str]] | None:
        """The callback line of one new resource; None when nobody asked for callbacks."""
        if callback is None:
            return None

        async def send(params: Mapping[str, str]) -> None:
            await self.webhooks.gate()
            await self.webhooks.fetch(callback.url, params, callback.method)

        return CallbackLine(channel, number, self.faults, self.background, send)
