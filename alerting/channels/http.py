"""One pooled HTTP client for every vendor that we sign for ourselves: a deadline, a bound on what is read, no repeats.

Never raises for what a far side does and never logs an address, a header or a body: they hold numbers and secrets.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec
from aiohttp.abc import AbstractResolver
from yarl import URL

from alerting.channels.base import Busy, Unknown

keepalive_s = 30.0
dns_kept_s = 300
reconnect_s = 1.0
connections_max = 512
answer_bytes_max = 256 * 1024
"""What is longer is no answer of a provider; the rest is not read."""
retry_after_max_s = 60.0
busy_retry_s = 0.4

Trouble = Busy | Unknown


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer: status, headers (any case), at most `answer_bytes_max` bytes."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """See `decoded`."""
        return decoded(self.body)


_decode = msgspec.json.Decoder().decode


def decoded(body: bytes) -> Any:
    """A body as JSON; ValueError for anything else (HTML, cut short, wrong charset, nested too deep)."""
    try:
        return _decode(body)
    except RecursionError:
        raise ValueError("nested too deep") from None
    except ValueError:  # json reads a little more: a byte order mark, other encodings, halves of a letter, NaN
        return _otherwise(body)


def _otherwise(body: bytes) -> Any:
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None


class VendorHttp:
    """Shared by the channels of one vendor account; opened by the first request, inside the running loop."""

    def __init__(
        self, resolver: Callable[[], AbstractResolver] | None = None, connections: int = connections_max
    ) -> None:
        """`resolver`: who looks up names, where not every address may be reached. `connections`: at a time."""
        self._connections = connections
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None
        self._users = 0

    def join(self) -> None:
        """One channel more."""
        self._users += 1

    async def leave(self) -> None:
        """One channel less; the last one closes the pool."""
        self._users -= 1
        if self._users <= 0 and self._session is not None:
            session, self._session = self._session, None
            await session.close()

    @property
    def session(self) -> aiohttp.ClientSession:
        """The pool itself, for a library that takes one (Web Push)."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections,
                    keepalive_timeout=keepalive_s,
                    ttl_dns_cache=dns_kept_s,
                    resolver=None if self._resolver is None else self._resolver(),
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None),  # `exchange` holds the deadline
                auto_decompress=False,  # nothing asks for compression: what comes compressed is no answer
            )
        return self._session

    async def exchange(
        self, method: str, url: str | URL, *, deadline_s: float, headers: Mapping[str, str], body: bytes = b""
    ) -> Answer | Trouble:
        """One request, once. `url` is sent exactly as it stands: it may be part of what was signed.

        Only a connection that was never made is `Busy`: nothing left this machine. 429 is `Busy` too, with its
        Retry-After; 408, 5xx, a cut line, silence and an endless body are `Unknown`. Every other status is an `Answer`.
        """
        sent = {"Accept-Encoding": "identity", **headers}
        address = URL(url, encoded=True)
        try:
            async with (
                asyncio.timeout(deadline_s),
                self.session.request(method, address, data=body or None, headers=sent, allow_redirects=False) as answer,
            ):
                text = await bounded(answer)
        except TimeoutError:
            return Unknown("timeout")
        except aiohttp.ClientConnectorError:
            return Busy(reconnect_s)
        except (aiohttp.ClientError, OSError):
            return Unknown("cut_line")
        if answer.status == 429:
            return Busy(retry_after(answer.headers.get("Retry-After")))
        if answer.status >= 500 or answer.status == 408:
            return Unknown(f"http_{answer.status}")
        return Unknown("unreadable_answer") if text is None else Answer(answer.status, text, answer.headers)


async def bounded(answer: aiohttp.ClientResponse) -> bytes | None:
    """The body, or None when it is longer than an answer can be or compressed unasked."""
    if answer.headers.get("Content-Encoding", "identity") not in ("", "identity"):
        return None
    length = answer.content_length
    if length is not None and length <= answer_bytes_max:
        return await answer.read()  # the parser takes no more than was declared
    text = bytearray()
    async for chunk in answer.content.iter_chunked(16 * 1024):
        text += chunk
        if len(text) > answer_bytes_max:
            return None
    return bytes(text)


def retry_after(header: str | None) -> float:
    """Seconds from a Retry-After header; a date, nonsense or nothing gives our own figure."""
    if header is None or not header.isascii() or not header.replace(".", "", 1).isdecimal():
        return busy_retry_s
    return min(float(header), retry_after_max_s)
