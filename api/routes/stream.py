"""The live stream (SSE): first what was missed, then what happens. Never buffers and never waits for a slow client."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import closing
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Header, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from alerting.aftermath import stream_entry
from alerting.store import views
from alerting.store.timeline import Entry
from alerting.store.views import TimelineEntry, Unreceived
from alerting.stream import Sees, StreamEntry, Subscription, encode
from api.auth import Caller, GuardedRoute, Who, secret_of
from api.deps import Deps, Use
from api.errors import invalid
from api.permissions import PREFIX
from api.rings import Ring

router = APIRouter(prefix=f"{PREFIX}/stream", tags=["stream"], route_class=GuardedRoute)

replay_page = 500
unreceived_max = 100
reconnect_ms = 2_000
expiry_check_seconds = 15.0
"""How long a stream outlives the expiry of its key or session; a revocation or another right ends it at once here, and
within five seconds in other processes."""
_HEADERS = {"cache-control": "no-store, no-transform", "x-accel-buffering": "no"}
seq_digits_max = 18


@router.get("", response_class=StreamingResponse)
async def stream(
    request: Request,
    use: Use,
    who: Who,
    last_event_id: Annotated[str | None, Header(description="Replay what came after this `id`")] = None,
) -> StreamingResponse:
    """Events `session`, `timeline` (with `id`) and, for people, `notification`: a page to confirm by `received`.

    Staff see what happens within their scope, a worker his own pages and the incidents he was paged for. A comment
    comes every 15 s. After a reconnection, pages that nobody answered and that this person's client has not confirmed
    are sent again.
    """
    after = _sequence(last_event_id)
    return EventStream(_frames(use, who, after, *secret_of(request)))


class EventStream(StreamingResponse):
    """Ends its frames, and with them the session, however the connection ends."""

    media_type = "text/event-stream"

    def __init__(self, frames: AsyncGenerator[bytes, None]) -> None:
        super().__init__(frames, headers=_HEADERS)
        self._frames = frames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            await self._frames.aclose()


def _sequence(text: str | None) -> int | None:
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= seq_digits_max):
        raise invalid("Last-Event-ID", "last_event_id")
    return int(text)


async def _frames(
    deps: Deps, who: Caller, after: int | None, ring: Ring[Any], secret: str
) -> AsyncGenerator[bytes, None]:
    checked = deps.clock.monotonic()
    grids: frozenset[str] | None = frozenset() if who.own_only else None
    subscription = deps.hub.subscribe(
        who.person_id, grids, None if who.everywhere or who.own_only else _sees(deps, who)
    )
    with ring.watching(secret, subscription.close), closing(subscription):
        yield b"retry: %d\n\n" % reconnect_ms
        if after is not None:
            async for chunk in _replay(deps, who, subscription, after):
                yield chunk
        if who.person_id is not None:
            yield await _unreceived(deps, who.person_id)
        async for chunk in subscription:
            yield chunk
            if deps.clock.monotonic() - checked >= expiry_check_seconds:
                checked = deps.clock.monotonic()
                if await ring.find(secret) is None:
                    return


def _sees(deps: Deps, who: Caller) -> Sees:
    """For a session bound to places: the incidents within its scope, as the place tree stands when they are told."""

    async def sees(incident_ids: Sequence[str]) -> frozenset[str]:
        return await deps.database.read(lambda conn: views.visible(conn, incident_ids, who.sight(conn)))

    return sees


async def _replay(deps: Deps, who: Caller, subscription: Subscription, after: int) -> AsyncIterator[bytes]:
    while True:
        entries = await deps.database.read(
            lambda conn, last=after: views.timeline_after(conn, last, replay_page, who.sight(conn))  # type: ignore[misc]
        )
        if entries:
            after = entries[-1].seq
            subscription.replayed(after)
            yield b"".join(encode(timeline_event(entry)) for entry in entries)
        if len(entries) < replay_page:
            return


def timeline_event(entry: TimelineEntry) -> StreamEntry:
    """A stored entry as the stream told it when it was new."""
    return stream_entry(
        entry.seq, Entry(entry.incident_id, entry.at, entry.kind, entry.reason, entry.actor, entry.data or {})
    )


async def _unreceived(deps: Deps, person_id: str) -> bytes:
    pages = await deps.database.read(lambda conn: views.unreceived(conn, person_id, unreceived_max))
    return b"".join(encode(StreamEntry(None, "notification", _page(page))) for page in pages)


def _page(page: Unreceived) -> bytes:
    """As the app channel sends it."""
    message = msgspec.json.decode(page.text, type=dict[str, object])
    return msgspec.json.encode(message | {"notification_id": page.notification_id, "incident_id": page.incident_id})
