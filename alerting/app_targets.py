"""Where each app carrier finds a person, all in memory; and what carriers and clients say of it, written together.

Never asks the database while a page is decided on or sent.
"""

import asyncio
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.channels.base import ChannelProvider
from alerting.channels.providers.webpush import WebPush
from alerting.ports import Clock, Conflict, Database, Priority
from devices.model import AppCarrier
from devices.store import subscriptions as store
from devices.store.subscriptions import SubscriptionRow

log = logging.getLogger(__name__)

look_every_s = 5.0
"""Another process may have written: one count, and everything is read only when it has."""
read_anyway_s = 300.0
written_after_s = 1.0
"""So that a storm of pages is a few statements."""

Target = Mapping[str, Any]


@dataclass(slots=True)
class _Said:
    """What is still to be written."""

    sent: set[str] = field(default_factory=set)
    confirmed: set[tuple[str, str]] = field(default_factory=set)
    gone: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.sent or self.confirmed or self.gone)


class AppTargets:
    """`carriers`: those that have an account here; without any, nothing is ever read. For one event loop; `of` may be
    asked from any thread: what is kept for a person is replaced whole."""

    def __init__(self, database: Database, clock: Clock, carriers: Iterable[str] = ()) -> None:
        self._database = database
        self._clock = clock
        self._carriers = frozenset(carriers) & frozenset(each.value for each in AppCarrier)
        self._known: dict[str, dict[str, Target]] = {}
        self._owners: dict[str, str] = {}
        self._read_state: tuple[object, ...] | None = None
        self._read_at = 0.0
        self._changed = asyncio.Event()
        self._said = _Said()
        self._barred: set[str] = set()
        """Gone, and not yet written to be so."""
        self._tasks: list[asyncio.Task[None]] = []
        self._writing: asyncio.Task[None] | None = None

    def of(self, person_id: str) -> Mapping[str, Target]:
        """Carrier -> what goes into `Submission.target`: Web Push `{"subscriptions": [...]}`, work apps
        `{"user_id": ...}`. Instant, from memory."""
        return self._known.get(person_id, {})

    async def start(self) -> None:
        """Read everything, then follow the database."""
        if self._carriers:
            await self.look()
            self._tasks.append(asyncio.create_task(self._follow()))

    async def look(self) -> None:
        """Read again what another state of the table says. What cannot be read stays as it was."""
        try:
            state = await self._database.read(store.state)
            old = self._clock.monotonic() - self._read_at >= read_anyway_s
            if state != self._read_state or old:
                await self._read()
                self._read_state, self._read_at = state, self._clock.monotonic()
        except (SQLAlchemyError, OSError, Conflict) as fault:
            log.warning("subscriptions of apps not read: %s", type(fault).__name__)

    def forget(self) -> None:
        """The registry was written: look at once."""
        self._changed.set()

    def attach(self, providers: Iterable[ChannelProvider]) -> None:
        """Hear from those carriers of this process that tell which subscriptions work."""
        for provider in providers:
            if isinstance(provider, WebPush):
                provider.told = self

    def gone(self, subscription_id: str, reason: str) -> None:
        """Its push service knows it no longer: not used from this moment on. One with another key is left to its
        carrier: the key may be put back."""
        if reason != store.key_changed:
            self._bar(subscription_id)
        self._said.gone.setdefault(subscription_id, reason)
        self._write_soon()

    def sent(self, subscription_id: str) -> None:
        """A message was handed over for it."""
        self._said.sent.add(subscription_id)
        self._write_soon()

    def confirmed(self, person_id: str, subscription_id: str) -> None:
        """His client says that a message came to it. Of somebody else's subscription it says nothing."""
        self._said.confirmed.add((subscription_id, person_id))
        self._write_soon()

    async def close(self) -> None:
        """Write what is left."""
        tasks = [*self._tasks, *([self._writing] if self._writing is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._write()

    def _bar(self, subscription_id: str) -> None:
        self._barred.add(subscription_id)
        person_id = self._owners.pop(subscription_id, None)
        if person_id is not None:
            self._known[person_id] = _without(self._known.get(person_id, {}), subscription_id)

    async def _follow(self) -> None:
        while True:
            try:
                async with asyncio.timeout(look_every_s):
                    await self._changed.wait()
            except TimeoutError:
                pass
            self._changed.clear()
            await self.look()

    async def _read(self) -> None:
        known: dict[str, dict[str, Target]] = {}
        owners: dict[str, str] = {}
        after: str | None = None
        while True:
            last = after
            rows = await self._database.read(lambda conn, after=last: store.live_page(conn, after))  # type: ignore[misc]
            if not rows:
                break
            after = rows[-1].id
            for row in rows:
                if row.carrier.value in self._carriers and row.id not in self._barred:
                    owners[row.id] = row.person_id
                    _add(known.setdefault(row.person_id, {}), row)
        self._known, self._owners = known, owners

    def _write_soon(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_later())

    async def _write_later(self) -> None:
        while self._said:
            await asyncio.sleep(written_after_s)
            await self._write()

    async def _write(self) -> None:
        said, self._said = self._said, _Said()
        if not said:
            return
        now = self._clock.now()

        def work(conn: Connection) -> None:
            store.note_sent(conn, said.sent, now)
            store.note_confirmed(conn, said.confirmed, now)
            store.note_gone(conn, said.gone, now)

        try:
            await self._database.write(Priority.ADMINISTRATION, work)
        except (SQLAlchemyError, OSError, Conflict) as fault:
            log.warning("news of subscriptions not written: %s", type(fault).__name__)
            self._said.gone = said.gone | self._said.gone  # tried again; when it was last used may be forgotten
            return
        self._barred.difference_update(said.gone)  # not read any more; one that lives again must not stay barred


def narrowed(target: Target, subscription_id: str) -> Target:
    """Of a person's browsers this one alone, {} where it is none of them; a work app knows one account of his only."""
    if "subscriptions" not in target:
        return target
    mine = tuple(each for each in target["subscriptions"] if each["id"] == subscription_id)
    return {"subscriptions": mine} if mine else {}


def _add(targets: dict[str, Target], row: SubscriptionRow) -> None:
    carrier = row.carrier.value
    if row.carrier is not AppCarrier.WEBPUSH:
        targets[carrier] = row.target
        return
    listed = targets.get(carrier, {"subscriptions": ()})["subscriptions"]
    targets[carrier] = {"subscriptions": (*listed, {**row.target, "id": row.id})}


def _without(targets: Mapping[str, Target], subscription_id: str) -> dict[str, Target]:
    push = targets.get(AppCarrier.WEBPUSH.value, {"subscriptions": ()})["subscriptions"]
    left = tuple(each for each in push if each["id"] != subscription_id)
    others = {carrier: target for carrier, target in targets.items() if carrier != AppCarrier.WEBPUSH.value}
    return others | ({AppCarrier.WEBPUSH.value: {"subscriptions": left}} if left else {})
