"""The watchdog's process: look, judge, tell, remember, for ever. Holds no rule and touches no database."""

import asyncio
import logging
import signal
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp

from devices.model import Language
from gengfu.watchdog import keeping
from gengfu.watchdog.judging import Kind, Message, Rules, Seen, State, judge, paged
from gengfu.watchdog.looking import look
from gengfu.watchdog.sending import Account, Sender
from gengfu.watchdog.words import speech_of, text_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Watch:
    """Everything one watchdog needs to know."""

    url: str
    folder: Path
    account: Account
    rules: Rules
    every_s: float
    instance: str = "gengfu"
    language: Language = Language.ZH_CN
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    ping_url: str | None = field(default=None, repr=False)
    ping_every_s: float = 60.0
    tls: ssl.SSLContext | bool = True


class Watchdog:
    """`now` gives aware UTC, `monotonic` seconds."""

    def __init__(self, watch: Watch, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
        self._watch = watch
        self._now = now
        self._monotonic = monotonic
        self._state = keeping.load(watch.folder)
        self._kept: State | None = None
        self._pinged_at: float | None = None

    async def run(self) -> None:
        """Until cancelled."""
        watch = self._watch
        async with aiohttp.ClientSession() as session, Sender(watch.account) as sender:
            while True:
                began = self._monotonic()
                seen = await look(session, watch.url, watch.tls)
                await self._tell(sender, seen)
                self._keep()
                if seen.cause is None and self._state.trouble is None:
                    await self._ping(session)
                await asyncio.sleep(max(0.05, watch.every_s - (self._monotonic() - began)))

    async def _tell(self, sender: Sender, seen: Seen) -> None:
        watch, before = self._watch, self._state
        known = keeping.take_acknowledgement(watch.folder)
        judged = judge(before, seen, self._now(), watch.rules, acknowledged=known)
        self._state = judged.state
        if seen.cause is not None and before.wrong_since is None:
            log.warning("the service is not well: %s %s", seen.cause, ", ".join(seen.parts))
        for message in judged.messages:
            log.warning("telling the administrator on call: %s %s", message.kind, message.cause)
            accepted = await send(sender, watch, message)
            self._state = paged(self._state, message, self._now(), watch.rules, accepted=accepted)

    def _keep(self) -> None:
        if self._state == self._kept:
            return
        try:
            keeping.save(self._watch.folder, self._state)
            self._kept = self._state
        except OSError as fault:
            log.error("what the watchdog knows cannot be written: %s", fault.strerror or fault)

    async def _ping(self, session: aiohttp.ClientSession) -> None:
        """Tell the dead man's switch outside that all is well; its silence is what it reports."""
        watch, now = self._watch, self._monotonic()
        if watch.ping_url is None or (self._pinged_at is not None and now - self._pinged_at < watch.ping_every_s):
            return
        self._pinged_at = now
        try:
            async with session.get(watch.ping_url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
                if answer.status >= 400:
                    log.warning("the dead man's switch answers %d", answer.status)
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            log.warning("the dead man's switch cannot be reached: %s", type(fault).__name__)


async def send(sender: Sender, watch: Watch, message: Message) -> bool:
    """One message as text, and as call where it asks for one. Was any accepted?"""
    text = text_of(message, watch.language, watch.instance, watch.zone)
    speech = speech_of(message, watch.language) if message.call else ""
    return await sender.tell(message.phones, text, speech, watch.language)


async def send_test(watch: Watch) -> bool:
    """A text and a call that say that they are a test, to every number."""
    async with Sender(watch.account) as sender:
        return await send(sender, watch, Message(Kind.TEST, watch.rules.phones, True))


async def run(watch: Watch, now: Callable[[], datetime], monotonic: Callable[[], float]) -> None:
    """Watch until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    watching = asyncio.create_task(Watchdog(watch, now, monotonic).run())
    stopped = asyncio.create_task(stopping.wait())
    log.info("watching %s", watch.url)
    done, pending = await asyncio.wait({watching, stopped}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    if watching in done:
        watching.result()
