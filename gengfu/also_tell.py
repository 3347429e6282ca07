"""Tells "also tell" lists through Apprise of severity-1 incidents that open, are taken and close: a courtesy.

It reads what was committed, seconds later, with a short queue and a thread of its own for each list: whatever a list
does, no page waits for it. Handed over is all that is ever known; nothing is delivered by it.
"""

import asyncio
import logging
import queue
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.core.languages import PACKS, named
from alerting.core.model import PlaceText
from alerting.ports import Conflict, Database
from alerting.store import news, timeline
from alerting.store.news import News
from devices.model import Language
from gengfu.settings_also_tell import AlsoTellOptions, Event, plugin_of

if TYPE_CHECKING:
    from gengfu.settings_model import Settings

log = logging.getLogger(__name__)

look_every_s = 2.0
read_most = 100
queue_max = 50
socket_timeout_s = 5.0
"""Of each Apprise plugin, to connect and to read. One that keeps to no time-out fills its own queue, no more."""

Send = Callable[[str, str], bool]
"""(title, body): True when it was handed over. Blocks."""

_EVENTS: Mapping[str, Event] = {"": "opened", "taken": "taken", "closed": "closed"}
"""By what `News` calls them."""


@dataclass(slots=True)
class Counters:
    """Of one list, since the start."""

    handed_over: int = 0
    refused: int = 0
    dropped: int = 0


@dataclass(slots=True)
class TellList:
    """One list and its thread, which ends with the process whatever Apprise does."""

    name: str
    events: Sequence[Event]
    send: Send
    counters: Counters = field(default_factory=Counters)
    _waiting: "queue.Queue[tuple[str, str] | None]" = field(default_factory=lambda: queue.Queue(queue_max))

    def start(self) -> None:
        threading.Thread(target=self._run, name=f"also-tell-{self.name}", daemon=True).start()

    def offer(self, title: str, body: str) -> None:
        """Never waits."""
        try:
            self._waiting.put_nowait((title, body))
        except queue.Full:
            self.counters.dropped += 1
            log.warning("also tell %s: its queue is full, %d dropped so far", self.name, self.counters.dropped)

    def stop(self) -> None:
        """What waits is dropped; one that is under way is left to itself."""
        while True:
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                break
        self._waiting.put_nowait(None)

    def _run(self) -> None:
        while (message := self._waiting.get()) is not None:
            if self._sent(*message):
                self.counters.handed_over += 1
            else:
                self.counters.refused += 1
                log.warning("also tell %s: not handed over", self.name)

    def _sent(self, title: str, body: str) -> bool:
        try:
            return self.send(title, body)
        except Exception as fault:  # noqa: BLE001 - a worker's top: 180 plugins of another project may raise anything
            log.warning("also tell %s: %s", self.name, type(fault).__name__)
            return False


class AlsoTell:
    """`run` looks for what was committed after `begin`, until cancelled."""

    def __init__(self, database: Database, lists: Sequence[TellList], language: Language, zone: ZoneInfo) -> None:
        self._database = database
        self._lists = lists
        self._language = language
        self._zone = zone
        self._last = 0

    async def begin(self) -> None:
        """Nothing from before is told."""
        self._last = await self._database.read(timeline.last)
        for each in self._lists:
            each.start()

    async def run(self) -> None:
        while True:
            try:
                while await self.look():
                    pass
            except (SQLAlchemyError, OSError, Conflict) as fault:
                log.warning("also tell waits for the database: %s", type(fault).__name__)
            await asyncio.sleep(look_every_s)

    async def look(self) -> bool:
        """Tell what is new; True when there may be more."""
        after = self._last
        found, until = await self._database.read(lambda conn: _read(conn, after))
        for each in found:
            self._tell(each)
        full = len(found) == read_most
        self._last = found[-1].seq if full else until
        return full

    def close(self) -> None:
        for each in self._lists:
            each.stop()

    def _tell(self, told: News) -> None:
        event = _EVENTS.get(told.work)
        listening = [each for each in self._lists if event in each.events]
        if event is None or not listening:
            return
        body = said(told, event, self._language, self._zone)
        for each in listening:
            each.offer(PACKS[self._language].product, body)


def said(told: News, event: Event, language: Language, zone: ZoneInfo) -> str:
    """One line."""
    pack = PACKS[language]
    words, chat = pack.words, pack.chat
    place = PlaceText(told.place.get("zh", ""), told.place.get("en", ""), "", "")
    line = {"opened": chat.opened, "taken": chat.taken, "closed": chat.closed}[event].format(
        label=pack.labels.get(told.code, told.code),
        place=named(place, language),
        time=f"{told.at.astimezone(zone):%H:%M}",
        reference=told.reference,
        who=told.who or words.somebody,
    )
    return f"{words.drill}{words.mark_end}{line}" if told.drill else line


def _read(conn: Connection, after: int) -> tuple[list[News], int]:
    until = timeline.last(conn)
    return (news.between(conn, after, until, read_most) if until > after else []), max(until, after)


def list_of(options: AlsoTellOptions) -> TellList:
    """Apprise is loaded here, and nowhere without a list."""
    plugin = plugin_of(options.url.get_secret_value())
    plugin.socket_connect_timeout = plugin.socket_read_timeout = socket_timeout_s
    return TellList(options.name, options.events, lambda title, body: bool(plugin.notify(body=body, title=title)))


@asynccontextmanager
async def also_telling(database: Database, settings: "Settings") -> AsyncIterator[AlsoTell | None]:
    """In the background, as long as the block lasts; nothing at all without a list."""
    if not settings.also_tell:
        yield None
        return
    lists = [await asyncio.to_thread(list_of, options) for options in settings.also_tell]
    telling = AlsoTell(database, lists, settings.language, settings.zone)
    await telling.begin()
    task = asyncio.create_task(telling.run(), name="also-tell")
    try:
        yield telling
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        telling.close()
