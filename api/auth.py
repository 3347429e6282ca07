"""Who may come in: an API key or a session, and the route class that refuses everything the table does not allow."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import Connection

from api.callers import Caller
from api.errors import Problem
from api.permissions import Grant, Role, allowed
from api.rings import KEY_CHARS, KEY_PREFIX, KeyRing, Ring, hash_key, new_secret, stale_seconds_max
from api.sessions import SessionRing, check_csrf, token_of

__all__ = [
    "KEY_CHARS",
    "KEY_PREFIX",
    "Caller",
    "Grant",
    "GuardedRoute",
    "KeyRing",
    "SessionRing",
    "Who",
    "admit",
    "caller_of",
    "for_everything",
    "hash_key",
    "new_secret",
    "secret_of",
    "stale_seconds_max",
]

_CALLER = "gengfu.caller"


def key_of(request: Request) -> str:
    """The key in the Authorization header, "" without one. Nowhere else: addresses end up in logs."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def secret_of(request: Request) -> tuple[Ring[Any], str]:
    """What the request shows, and where that is found. A key goes before a cookie. Problem 401 for neither."""
    deps = request.app.state.deps
    if key := key_of(request):
        return deps.keys, key
    if token := token_of(request):
        return deps.sessions, token
    raise Problem(401, "unauthorized", "no_key")


async def admit(request: Request, roles: frozenset[Role]) -> Caller:
    """The caller, when his role may; Problem 401 or 403 otherwise."""
    ring, secret = secret_of(request)
    caller: Caller | None = await ring.find(secret)
    by_session = isinstance(ring, SessionRing)
    if caller is None:
        raise Problem(401, "unauthorized", "bad_session" if by_session else "bad_key")
    if by_session:
        check_csrf(request, request.app.state.deps.secret_key, secret)
    admitted = caller.admitted(roles)
    if admitted is None:
        needed = ", ".join(sorted(role.value for role in roles))
        held = ", ".join(sorted({grant.role.value for grant in caller.grants})) or "-"
        raise Problem(403, "forbidden", "role", names={"role": held, "roles": needed})
    request.scope[_CALLER] = admitted
    return admitted


class GuardedRoute(APIRoute):
    """A route that looks itself up in the permission table when it is built and admits before it reads a body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        inner = super().get_route_handler()
        method = next(iter(self.methods or ()))
        roles = allowed(method, self.path_format)
        if roles is None:
            return inner

        async def guarded(request: Request) -> Response:
            await admit(request, roles)
            return await inner(request)

        return guarded


def caller_of(request: Request) -> Caller:
    """Whom `admit` let in."""
    caller: Caller = request.scope[_CALLER]
    return caller


def for_everything(who: Caller, conn: Connection) -> None:
    """Problem 403 for a caller bound to a part of the place tree: this concerns the whole deployment."""
    if not who.scope(conn).everything:
        raise Problem(403, "forbidden", "whole_deployment")


async def _caller(request: Request) -> Caller:
    return caller_of(request)  # a coroutine function: FastAPI runs plain ones in a thread


Who = Annotated[Caller, Depends(_caller)]
