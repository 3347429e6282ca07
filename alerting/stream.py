"""The live stream's hub: who listens, what each may see, which page was received. Every frame is encoded once.

Never waits for a slow client, never stores an entry: whoever was cut off replays from the database.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Self

frames_waiting_max = 8_192
"""A client with more frames waiting is closed; one batch of the service stays far below."""
idle_s = 15.0
idle_comment = b":\n\n"
receipts_kept_max = 10_000


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """One thing to tell, already committed. `data` is JSON."""

    seq: int | None
    """Commit order, the stream's `id`; None for what is not replayed."""
    event: str
    data: bytes
    grid_id: str | None = None
    person_ids: frozenset[str] = frozenset()
    """Sessions of these persons see it too, whatever their grids."""
    incident_id: str | None = None
    """What it tells of. Sessions bound to places see nothing that tells of no incident."""


Sees = Callable[[Sequence[str]], Awaitable[frozenset[str]]]
"""Those of these incidents that a session may see, asked each time anew: rights and places change."""
incidents_asked_max = 500


def encode(entry: StreamEntry) -> bytes:
    """The entry as a frame of `text/event-stream` (WHATWG HTML, section 9.2)."""
    head = b"" if entry.seq is None else b"id: %d\n" % entry.seq
    data = entry.data if b"\n" not in entry.data else entry.data.replace(b"\n", b"\ndata: ")
    return b"%sevent: %s\ndata: %s\n\n" % (head, entry.event.encode(), data)


class Ended(StrEnum):
    """Why a subscription is over."""

    LEFT = "left"
    SLOW = "slow"
    SHUTDOWN = "shutdown"


@dataclass(slots=True)
class HubCounters:
    """Totals since the start, for the metrics."""

    opened: int = 0
    closed_slow: int = 0
    frames: int = 0
    """Encoded, not multiplied by their readers."""
    pushed: int = 0
    out_of_order: int = 0


class Subscription:
    """One session. Iterate for chunks of bytes (all that waits, joined); the iteration ends when the session does.

    grids: None sees everything, a set what happens in these grids; a worker's session has the empty set.
    sees: a session bound to places: of everything, what tells of the incidents that this lets through.
    """

    def __init__(
        self,
        hub: "Hub",
        session_id: str,
        person_id: str | None,
        grids: frozenset[str] | None,
        sees: Sees | None = None,
    ) -> None:
        self.sees = sees
        self.session_id = session_id
        self.person_id = person_id
        self.grids = grids
        self.ended: Ended | None = None
        self._hub = hub
        self._frames: deque[tuple[int, bytes, str | None]] = deque()
        self._replayed = 0
        self._wake = asyncio.Event()

    def replayed(self, seq: int) -> None:
        """Entries up to this one were sent from the database: leave them out. Subscribe first, then read, then call."""
        self._replayed = max(self._replayed, seq)

    async def next(self, wait_s: float = idle_s) -> bytes | None:
        """The next chunk; a comment when nothing came for `wait_s` seconds (proxies stay awake); None at the end."""
        while self.ended is None:
            if waiting := self._take():
                if chunk := b"".join(await self._sifted(waiting)):
                    return chunk
                continue
            self._wake.clear()
            try:
                async with asyncio.timeout(wait_s):
                    await self._wake.wait()
            except TimeoutError:
                return idle_comment
        return None

    def close(self) -> None:
        """The client has left."""
        self._hub.drop(self, Ended.LEFT)

    def offer(self, seq: int | None, frame: bytes, incident_id: str | None = None) -> bool:
        """The hub's side: queue one frame. False when too many wait."""
        if len(self._frames) >= frames_waiting_max:
            return False
        self._frames.append((seq or 0, frame, incident_id))
        self._wake.set()
        return True

    def end(self, reason: Ended) -> None:
        """The hub's side: no more frames, and those that wait are dropped."""
        self.ended = reason
        self._frames.clear()
        self._wake.set()

    def _take(self) -> list[tuple[str | None, bytes]]:
        waiting, self._frames = self._frames, deque()
        return [(incident, frame) for seq, frame, incident in waiting if not seq or seq > self._replayed]

    async def _sifted(self, waiting: Sequence[tuple[str | None, bytes]]) -> list[bytes]:
        """The frames that this session may see, in their order. What is his own names no incident here."""
        if self.sees is None:
            return [frame for _, frame in waiting]
        asked = sorted({incident for incident, _ in waiting if incident is not None})
        seen: set[str | None] = {None}
        for start in range(0, len(asked), incidents_asked_max):
            seen |= await self.sees(asked[start : start + incidents_asked_max])
        return [frame for incident, frame in waiting if incident in seen]

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        chunk = await self.next()
        if chunk is None:
            raise StopAsyncIteration
        return chunk


class Hub:
    """All live sessions of this process. Every method but waiting ones returns at once; use it on one event loop."""

    def __init__(self, new_session_id: Callable[[], str]) -> None:
        self.counters = HubCounters()
        self.last_seq = 0
        self._new_session_id = new_session_id
        self._sessions: dict[str, Subscription] = {}
        self._everywhere: set[Subscription] = set()
        self._bound: set[Subscription] = set()
        self._by_grid: dict[str, set[Subscription]] = {}
        self._by_person: dict[str, set[Subscription]] = {}
        self._awaited: dict[str, set[asyncio.Future[str]]] = {}
        self._received: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    def subscribe(self, person_id: str | None, grids: frozenset[str] | None, sees: Sees | None = None) -> Subscription:
        """Open a session; its first frame `session` tells the client the id to post with what it received."""
        subscription = Subscription(self, self._new_session_id(), person_id, grids, sees)
        self._sessions[subscription.session_id] = subscription
        for members in self._places(subscription, create=True):
            members.add(subscription)
        self.counters.opened += 1
        hello = b'{"session_id":"%s"}' % subscription.session_id.encode()
        subscription.offer(None, encode(StreamEntry(None, "session", hello)))
        return subscription

    @property
    def watched(self) -> bool:
        """Somebody follows everything, or a grid: a control room."""
        return bool(self._everywhere or self._bound or self._by_grid)

    def sessions_of(self, person_id: str) -> tuple[str, ...]:
        """Session ids of one person."""
        return tuple(sorted(each.session_id for each in self._by_person.get(person_id, ())))

    def publish(self, entries: Sequence[StreamEntry]) -> None:
        """Tell committed entries to all who may see them, in ascending seq.

        An entry below one that was already told (another process committed first) goes out without an id, so that no
        client's Last-Event-ID moves back; whoever publishes takes care that replays find it.
        """
        for entry in sorted(entries, key=lambda entry: entry.seq or 0):
            if entry.seq is not None and entry.seq <= self.last_seq:
                self.counters.out_of_order += 1
                entry = replace(entry, seq=None)
            elif entry.seq is not None:
                self.last_seq = entry.seq
            self._send(entry, self._audience(entry))

    def push(self, person_id: str, event: str, data: bytes) -> int:
        """Send one message to all sessions of a person; how many there are."""
        sessions = self._by_person.get(person_id)
        if not sessions:
            return 0
        self.counters.pushed += 1
        return self._send(StreamEntry(None, event, data), list(sessions))

    async def until_received(self, notification_id: str, deadline_s: float) -> str | None:
        """Wait for the client's word; the id of the session that gave it, None when it did not come in time."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        waiting = self._awaited.setdefault(notification_id, set())
        waiting.add(future)
        try:
            # Not `asyncio.timeout`: it may cancel in the very moment in which the word has come, and lose it.
            await asyncio.wait((future,), timeout=deadline_s)
            return future.result() if future.done() else None
        finally:
            waiting.discard(future)
            if not waiting:
                self._awaited.pop(notification_id, None)

    def received(self, notification_id: str, session_id: str) -> bool:
        """A client posted `notifications/{id}/received`. True when a submit waits for it and will say so; False when
        it comes late, again, or for another process: the caller records it himself."""
        self._received.pop(notification_id, None)
        self._received[notification_id] = session_id
        if len(self._received) > receipts_kept_max:
            del self._received[next(iter(self._received))]
        pending = [each for each in self._awaited.get(notification_id, ()) if not each.done()]
        for each in pending:
            each.set_result(session_id)
        return bool(pending)

    def receipt_of(self, notification_id: str) -> str | None:
        """The session that received it, as far as this process remembers."""
        return self._received.get(notification_id)

    def drop(self, subscription: Subscription, reason: Ended) -> None:
        """End a session; a second call does nothing."""
        if self._sessions.pop(subscription.session_id, None) is None:
            return
        for members in self._places(subscription, create=False):
            members.discard(subscription)
        self._forget_empty(subscription)
        self.counters.closed_slow += reason is Ended.SLOW
        subscription.end(reason)

    def close(self) -> None:
        """End all sessions, so that the server can stop."""
        for subscription in list(self._sessions.values()):
            self.drop(subscription, Ended.SHUTDOWN)

    def _audience(self, entry: StreamEntry) -> Iterable[Subscription]:
        audience = set(self._everywhere)
        if entry.incident_id is not None:
            audience |= self._bound
        if entry.grid_id is not None:
            audience |= self._by_grid.get(entry.grid_id, set())
        for person_id in entry.person_ids:
            audience |= {each for each in self._by_person.get(person_id, ()) if each.sees is None or entry.incident_id}
        return audience

    def _send(self, entry: StreamEntry, audience: Iterable[Subscription]) -> int:
        frame: bytes | None = None
        reached = 0
        for subscription in audience:
            if frame is None:
                frame = encode(entry)
                self.counters.frames += 1
            if subscription.offer(entry.seq, frame, entry.incident_id):
                reached += 1
            else:
                self.drop(subscription, Ended.SLOW)
        return reached

    def _places(self, subscription: Subscription, *, create: bool) -> list[set[Subscription]]:
        """The sets in which a session stands."""
        everything = self._everywhere if subscription.sees is None else self._bound
        places = [everything] if subscription.grids is None else []
        keyed = [(self._by_grid, grid) for grid in subscription.grids or ()]
        if subscription.person_id is not None:
            keyed.append((self._by_person, subscription.person_id))
        for index, key in keyed:
            members = index.setdefault(key, set()) if create else index.get(key)
            if members is not None:
                places.append(members)
        return places

    def _forget_empty(self, subscription: Subscription) -> None:
        for grid in subscription.grids or ():
            if not self._by_grid.get(grid):
                self._by_grid.pop(grid, None)
        person_id = subscription.person_id
        if person_id is not None and not self._by_person.get(person_id):
            self._by_person.pop(person_id, None)
