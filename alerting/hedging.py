"""Not accepted in time: the next carrier, while the first goes on. Never two calls to one phone at once.

A text or an app message may come twice: after one second the next carrier has it too. A call may not: what the first
carrier has is looked up, a callback proves it, and where nobody can know, the phone is left alone for its ring time.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from alerting.channels.base import Accepted, NotFound, Unknown
from alerting.core.routing import hedge_after_s, unclear_after_s
from alerting.flights import Flight
from devices.model import Channel


class Hedging:
    """`second`: send it by the next carrier now. `unclear`: nobody can know whether the phone rings. `found`: the first
    carrier has it, though it has not said so yet."""

    def __init__(
        self,
        *,
        second: Callable[[Flight], None],
        unclear: Callable[[Flight], None],
        found: Callable[[Flight, Accepted], None],
    ) -> None:
        self._second = second
        self._unclear = unclear
        self._found = found

    async def watch(self, flight: Flight) -> None:
        """From the moment at which it is submitted until that is known or the next carrier has it."""
        if await _known(flight, hedge_after_s):
            return
        if flight.submission.channel is Channel.VOICE:
            await self._call(flight)
        else:
            self._second(flight)

    async def _call(self, flight: Flight) -> None:
        caps = flight.provider.caps
        loop = asyncio.get_running_loop()
        ends = loop.time() + unclear_after_s - hedge_after_s
        found = await _looked_up(flight, ends - loop.time()) if caps.finds else None
        if flight.known.is_set():
            return
        if isinstance(found, Accepted):
            self._found(flight, found)
        elif isinstance(found, NotFound):
            self._second(flight)
        elif not await _known(flight, ends - loop.time()):
            (self._second if caps.reports_ringing else self._unclear)(flight)


async def _known(flight: Flight, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(max(0.0, seconds)):
            await flight.known.wait()
    return flight.known.is_set()


async def _looked_up(flight: Flight, seconds: float) -> Accepted | NotFound | Unknown | None:
    """What the carrier's own list says, unless the answer or a callback comes first; None: nothing in time."""
    look = asyncio.ensure_future(flight.provider.reconcile(flight.submission, None))
    known = asyncio.ensure_future(flight.known.wait())
    try:
        await asyncio.wait({look, known}, timeout=max(0.0, seconds), return_when=asyncio.FIRST_COMPLETED)
        return look.result() if look.done() and not look.cancelled() else None
    finally:
        look.cancel()
        known.cancel()
