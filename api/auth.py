"""Who is calling: API keys, their cache, and the route class that refuses everything the table does not allow."""

import asyncio
import hashlib
import hmac
import logging
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import Connection

from alerting.core.model import Actor
from alerting.ports import Clock, Database, Priority
from api.errors import Problem
from api.permissions import Role, allowed
from api.store import keys as store
from api.store.keys import ApiKey
from devices.store.scope import EVERYTHING, Scope, of_places

log = logging.getLogger("gengfu.api")

KEY_PREFIX = "gf_"
KEY_CHARS = 46
"""`gf_` and 32 random bytes in 43 url-safe characters."""
stale_seconds_max = 5.0
"""A revocation takes hold within this time."""
revoked_margin = timedelta(seconds=60)
"""Covers clocks of other processes that run behind, and revocations that commit slowly."""
used_every = timedelta(hours=1)
used_batch_max = 100
known_keys_max = 100_000
unknown_keys_max = 1_000


def new_secret() -> str:
    """A fresh key, 256 random bits. It is shown once and stored only as its hash."""
    return KEY_PREFIX + secrets.token_urlsafe(32)


def hash_key(secret_key: str, key: str) -> str:
    """HMAC-SHA256 of a key under the deployment's secret, 64 hex digits: a stolen table opens nothing."""
    return hmac.digest(secret_key.encode(), key.encode(), hashlib.sha256).hex()


@dataclass(frozen=True, slots=True)
class Grant:
    """A role below one node of the place tree; without a place, everywhere."""

    role: Role
    place_id: str | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request this is. On a route, `grants` are those that opened it."""

    key_id: str
    """Of the API key or of the login."""
    name: str
    grants: tuple[Grant, ...]
    person_id: str | None
    via: str = "key"
    """How it came in, for the audit: `key` or `session`."""

    @property
    def own_only(self) -> bool:
        """May see only what he was paged for."""
        return all(grant.role is Role.GRID_WORKER for grant in self.grants)

    @property
    def actor(self) -> Actor:
        via = "app" if self.own_only else "console"
        return Actor(id=self.person_id or self.key_id, name=self.name, via=via, person_id=self.person_id)

    def admitted(self, roles: frozenset[Role]) -> "Caller | None":
        """The caller with those of his grants that open a route for these roles; None when none does."""
        opening = tuple(grant for grant in self.grants if grant.role in roles)
        return replace(self, grants=opening) if opening else None

    def scope(self, conn: Connection) -> Scope:
        """What he may see on this route. A grid worker's own incidents are limited by `own_only` instead."""
        if self.own_only:
            return EVERYTHING
        return of_places(conn, (grant.place_id for grant in self.grants if grant.role is not Role.GRID_WORKER))


class KeyRing:
    """Finds keys. A known key costs no read of the database: only revocations are looked up, every few seconds."""

    def __init__(self, database: Database, clock: Clock, secret_key: str) -> None:
        self._database = database
        self._clock = clock
        self._secret = secret_key
        self._known: dict[str, ApiKey] = {}
        self._unknown: dict[str, float] = {}
        self._used: set[str] = set()
        self._checked = clock.monotonic()
        self._checking: asyncio.Task[None] | None = None
        self._noting: asyncio.Task[None] | None = None

    async def find(self, key: str) -> Caller | None:
        """The caller with this key, None when it opens nothing (any more)."""
        if len(key) != KEY_CHARS or not key.startswith(KEY_PREFIX) or not key.isascii():
            return None
        if self._clock.monotonic() - self._checked >= stale_seconds_max:
            await self._check_revocations()
        key_hash = hash_key(self._secret, key)
        found = self._known.get(key_hash)
        if found is None:
            found = await self._look_up(key_hash)
        if found is None or not found.valid(self._clock.now()):
            return None
        self._used.add(key_hash)
        grant = Grant(found.role, found.place_id)
        return Caller(found.id, found.person_name or found.name, (grant,), found.person_id)

    def forget(self, key_hash: str) -> None:
        """This process has just revoked it."""
        self._known.pop(key_hash, None)

    async def close(self) -> None:
        """Let go of what runs in the background."""
        for task in (self._checking, self._noting):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait([task])

    async def _look_up(self, key_hash: str) -> ApiKey | None:
        now = self._clock.monotonic()
        if now - self._unknown.get(key_hash, -stale_seconds_max) < stale_seconds_max:
            return None
        found = await self._database.read(lambda conn: store.by_hash(conn, key_hash))
        if found is None:
            if len(self._unknown) >= unknown_keys_max:
                self._unknown.clear()
            self._unknown[key_hash] = now
            return None
        if len(self._known) >= known_keys_max:
            self._known.clear()
        self._unknown.pop(key_hash, None)
        self._known[key_hash] = found
        return found

    async def _check_revocations(self) -> None:
        """One look for all who wait; none of them is answered from a state older than the limit."""
        if self._checking is None:
            self._checking = asyncio.create_task(self._check())
            self._checking.add_done_callback(self._check_done)
        await asyncio.shield(self._checking)

    def _check_done(self, task: "asyncio.Task[None]") -> None:
        self._checking = None

    async def _check(self) -> None:
        now, started = self._clock.now(), self._clock.monotonic()
        since = now - revoked_margin - timedelta(seconds=started - self._checked)
        for key_hash in await self._database.read(lambda conn: store.revoked_since(conn, since)):
            self._known.pop(key_hash, None)
        self._checked = started
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note_use(now))
            self._noting.add_done_callback(_log_failure)

    async def _note_use(self, now: datetime) -> None:
        """`last_used_at`, behind everybody else's writes and for nobody to wait for."""
        used, self._used = self._used, set()
        fresh: dict[str, str] = {}
        for key_hash in used:
            key = self._known.get(key_hash)
            if key is None or (key.last_used_at is not None and now - key.last_used_at < used_every):
                continue
            if len(fresh) == used_batch_max:
                self._used.add(key_hash)
                continue
            fresh[key_hash] = key.id
        if not fresh:
            return
        for key_hash in fresh:
            self._known[key_hash] = replace(self._known[key_hash], last_used_at=now)
        ids = list(fresh.values())
        await self._database.write(Priority.ADMINISTRATION, lambda conn: store.used(conn, ids, now))


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("last use of keys not recorded: %s", type(error).__name__)


_CALLER = "gengfu.caller"


def key_of(request: Request) -> str:
    """The key in the Authorization header, "" without one. Nowhere else: addresses end up in logs."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def admit(request: Request, roles: frozenset[Role]) -> Caller:
    """The caller, when his role may; Problem 401 or 403 otherwise."""
    key = key_of(request)
    if not key:
        raise Problem(401, "unauthorized", "no_key")
    keys: KeyRing = request.app.state.deps.keys
    caller = await keys.find(key)
    if caller is None:
        raise Problem(401, "unauthorized", "bad_key")
    admitted = caller.admitted(roles)
    if admitted is None:
        needed = ", ".join(sorted(role.value for role in roles))
        held = ", ".join(sorted(grant.role.value for grant in caller.grants))
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
