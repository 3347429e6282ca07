"""An access token that expires: fetched once for all who need it, kept, and fetched anew when it is refused.

Never shows a token, and never lets trouble with it pass for trouble with a message: without a token nothing was sent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from alerting.channels.base import Busy, Rejected, Unknown

fetch_timeout_s = 5.0
early_s = 300.0
"""A token is fetched anew this long before it ends; when that fails, the old one serves until then."""
retry_s = 0.4


@dataclass(frozen=True, slots=True)
class Fresh:
    """A token as the vendor gave it."""

    value: str = field(repr=False)
    lives_s: float


Failed = Rejected | Busy | Unknown
Told = dict[str, Any]
"""A vendor's answer that refuses nothing."""
Fetched = Fresh | Failed
Fetch = Callable[[float], Awaitable[Fetched]]
"""(deadline in seconds): ask the vendor once."""


class AccessToken:
    """One account's token, for any number of sends at once."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._held: Fresh | None = None
        self._fetched_at = 0.0
        self._fetching: asyncio.Task[Fetched] | None = None

    async def get(self, deadline_s: float) -> str | Rejected | Busy:
        """The token; `Busy` when it did not come in time. A fetch that was begun goes on for the next one."""
        now = asyncio.get_running_loop().time()
        held = self._held
        if held is not None and now < self._fetched_at + held.lives_s - min(early_s, held.lives_s / 2):
            return held.value
        if self._fetching is None or self._fetching.done():
            self._fetching = asyncio.create_task(self._renew(), name="access-token")
        fetching = self._fetching
        await asyncio.wait((fetching,), timeout=max(0.0, deadline_s))
        got = fetching.result() if fetching.done() and not fetching.cancelled() else Unknown("timeout")
        if isinstance(got, Fresh):
            return got.value
        if held is not None and self._held is held and now < self._fetched_at + held.lives_s:
            return held.value
        match got:
            case Rejected() | Busy():
                return got
            case Unknown():
                return Busy(retry_s)

    def forget(self, value: str) -> None:
        """The vendor refused this one; a newer one that came meanwhile is kept."""
        if self._held is not None and self._held.value == value:
            self._held = None

    async def close(self) -> None:
        """Stop a fetch under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.wait((self._fetching,))

    async def _renew(self) -> Fetched:
        got = await self._fetch(fetch_timeout_s)
        if isinstance(got, Fresh):
            self._held, self._fetched_at = got, asyncio.get_running_loop().time()
        return got


async def with_token(
    token: AccessToken, deadline_s: float, stale: frozenset[str], ask: Callable[[str, float], Awaitable[Told | Failed]]
) -> Told | Failed:
    """`ask(token, deadline)` within `deadline_s`, the token included; once more, and only once, when the token was
    refused with one of the codes in `stale`: then certainly nothing was taken."""
    loop = asyncio.get_running_loop()
    ends = loop.time() + deadline_s
    held = await token.get(deadline_s)
    if not isinstance(held, str):
        return held
    answer = await ask(held, ends - loop.time())
    if not isinstance(answer, Rejected) or answer.code not in stale:
        return answer
    token.forget(held)
    held = await token.get(ends - loop.time())
    return await ask(held, ends - loop.time()) if isinstance(held, str) else held
