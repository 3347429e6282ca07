"""A worker's app as a black box: holds the live stream open, says "received", and taps when told to. Never guesses."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp
import msgspec

reconnect_s = 0.2
line_bytes_max = 1 << 20


@dataclass(frozen=True, slots=True)
class Shown:
    """One message on the screen."""

    at: datetime
    notification_id: str
    incident_id: str
    purpose: str
    title: str
    body: str
    map_url: str


@dataclass(slots=True)
class WorkerApp:
    """`async with WorkerApp(...)`: signed in and listening when it is entered.

    `taps`: `accept`, `decline` or None, sent `taps_after_s` seconds after a page. A page that came twice is shown once
    and confirmed twice. `on_event(what, shown)` is told of `shown`, `received`, `tapping` and, once that did something,
    `tapped`.
    """

    base_url: str
    key: str = field(repr=False)
    now: Callable[[], datetime]
    person_id: str = ""
    taps: str | None = None
    taps_after_s: float = 3.0
    confirms: bool = True
    on_event: Callable[[str, Shown], None] | None = None
    shown: list[Shown] = field(default_factory=list)
    timeline: list[dict[str, Any]] = field(default_factory=list)
    last_event_id: str = ""
    _session: aiohttp.ClientSession | None = None
    _listener: asyncio.Task[None] | None = None
    _taps: set[asyncio.Task[None]] = field(default_factory=set)
    _online: asyncio.Event = field(default_factory=asyncio.Event)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def __aenter__(self) -> "WorkerApp":
        headers = {"authorization": f"Bearer {self.key}"}
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=5)
        self._session = aiohttp.ClientSession(self.base_url, headers=headers, timeout=timeout)
        self._listener = asyncio.create_task(self._listen())
        async with asyncio.timeout(10):
            await self._online.wait()
        return self

    async def __aexit__(self, *exc: object) -> None:
        for task in (*self._taps, *([self._listener] if self._listener else [])):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._session is not None:
            await self._session.close()

    async def until(self, seen: Callable[["WorkerApp"], bool], timeout_s: float = 5.0) -> None:
        """Wait until `seen(self)`; TimeoutError after `timeout_s`."""
        async with asyncio.timeout(timeout_s):
            while not seen(self):
                self._changed.clear()
                await self._changed.wait()

    async def act(self, incident_id: str, verb: str, body: dict[str, Any] | None = None) -> int:
        """Press a button; returns the HTTP status."""
        assert self._session is not None
        async with self._session.post(f"/api/v1/incidents/{incident_id}/{verb}", json=body or {}) as answer:
            await answer.read()
            return answer.status

    async def _listen(self) -> None:
        assert self._session is not None
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                headers = {"last-event-id": self.last_event_id} if self.last_event_id else {}
                async with self._session.get("/api/v1/stream", headers=headers, read_bufsize=line_bytes_max) as answer:
                    if answer.status == 200:
                        await self._read(answer)
            await asyncio.sleep(reconnect_s)

    async def _read(self, answer: aiohttp.ClientResponse) -> None:
        event, data = "", b""
        while line := await answer.content.readline():
            line = line.rstrip(b"\r\n")
            if line.startswith(b"event: "):
                event = line[7:].decode()
            elif line.startswith(b"id: "):
                self.last_event_id = line[4:].decode()
            elif line.startswith(b"data: "):
                data += line[6:]
            elif not line and data:
                await self._take(event, data)
                event, data = "", b""

    async def _take(self, event: str, data: bytes) -> None:
        if event == "session":
            self._online.set()
        elif event == "timeline":
            self.timeline.append(msgspec.json.decode(data))
        elif event == "notification":
            await self._show(msgspec.json.decode(data))
        self._changed.set()

    async def _show(self, message: dict[str, Any]) -> None:
        shown = Shown(
            at=self.now(),
            notification_id=message["notification_id"],
            incident_id=message["incident_id"],
            purpose=message["purpose"],
            title=message["title"],
            body=message["body"],
            map_url=message["map_url"],
        )
        again = any(before.notification_id == shown.notification_id for before in self.shown)
        if not again:
            self.shown.append(shown)
            self._tell("shown", shown)
        if self.confirms:
            await self._confirm(shown)
        if self.taps is not None and not again and "accept" in message["actions"]:
            task = asyncio.create_task(self._tap(shown, self.taps))
            self._taps.add(task)
            task.add_done_callback(self._taps.discard)

    async def _confirm(self, shown: Shown) -> None:
        assert self._session is not None
        async with self._session.post(f"/api/v1/notifications/{shown.notification_id}/received") as answer:
            await answer.read()
            if answer.status < 300:
                self._tell("received", shown)

    async def _tap(self, shown: Shown, verb: str) -> None:
        await asyncio.sleep(self.taps_after_s)
        self._tell("tapping", shown)
        if await self.act(shown.incident_id, verb) < 300:
            self._tell("tapped", shown)

    def _tell(self, what: str, shown: Shown) -> None:
        if self.on_event is not None:
            self.on_event(what, shown)
