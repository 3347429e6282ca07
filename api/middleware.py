"""Plain ASGI layers around every route: a limit on bodies, security headers. Never looks at what a request means."""

import re
from collections.abc import Callable, Iterable

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.deps import ImportDesk
from api.errors import Problem, language_of
from api.permissions import PREFIX
from devices.bulk.files import import_bytes_max

body_bytes_max = 1 << 20
body_bytes_max_at = {f"{PREFIX}/imports": import_bytes_max}
"""Routes that take whole files, and stream them."""
_REGISTRY = re.compile(
    rf"{PREFIX}/("
    r"(places|grids|workers|households|shifts|devices|models|organisations|compounds|enrolments|box-lists)(/[^/]+)?"
    r"|workers/[^/]+/contacts|devices/[^/]+/(remove|replace)"
    r")"
)
"""What an import may not meet half-way. Duty, alarm tests and incidents go on."""
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000")


def missing_headers(scope: Scope, headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The security headers that an answer does not set itself."""
    wanted = (*SECURITY_HEADERS, _HSTS) if scope["scheme"] == "https" else SECURITY_HEADERS
    present = {name for name, _ in headers}
    return [header for header in wanted if header[0] not in present]


class SecurityHeaders:
    """Adds each header that the route has not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                message["headers"] = headers + missing_headers(scope, headers)
            await send(message)

        await self._app(scope, receive, with_headers)


class RegistryGuard:
    """While an import is being written piece by piece, other changes of the registry are asked to come back."""

    def __init__(self, app: ASGIApp, desk: Callable[[], ImportDesk | None]) -> None:
        self._app = app
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        desk = self._desk()
        changing = scope["type"] == "http" and scope["method"] not in _SAFE and _REGISTRY.fullmatch(scope["path"])
        if desk is None or not changing:
            await self._app(scope, receive, send)
        elif desk.closed:
            problem = Problem(503, "importing", headers={"retry-after": "10"})
            await problem.response(language_of(Request(scope)))(scope, receive, send)
        else:
            with desk.writing():
                await self._app(scope, receive, send)


class BodyLimit:
    """Refuses bodies above `body_bytes_max`, or the route's own limit: at once where the length is declared, else while
    it comes in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = body_bytes_max_at.get(scope["path"], body_bytes_max)
        if _declared(scope) > most:
            problem = Problem(413, "too_large", names={"bytes": most}, headers={"connection": "close"})
            await problem.response(language_of(Request(scope)))(scope, receive, send)
            return
        got = 0

        async def counted() -> Message:
            nonlocal got
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)


def _declared(scope: Scope) -> int:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return 0
