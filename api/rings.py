"""Secrets that open the API, and where they are found: a known one costs no read of the database, revocations are
looked up every few seconds. Never keeps a secret, only keyed hashes.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import Connection

from alerting.ports import Clock, Database, Priority
from api.callers import Caller
from api.permissions import Grant
from api.store import keys as store
from api.store.keys import ApiKey

log = logging.getLogger("gengfu.api")

KEY_PREFIX = "gf_"
SECRET_CHARS = 43
"""32 random bytes in url-safe characters."""
KEY_CHARS = len(KEY_PREFIX) + SECRET_CHARS
stale_seconds_max = 5.0
"""A revocation takes hold within this time."""
revoked_margin = timedelta(seconds=60)
"""Covers clocks of other processes that run behind, and revocations that commit slowly."""
used_every = timedelta(hours=1)
used_batch_max = 100
known_max = 100_000
unknown_max = 1_000

T = TypeVar("T")


def new_secret(prefix: str = KEY_PREFIX) -> str:
    """A fresh key, 256 random bits. It is shown once and stored only as its hash."""
    return prefix + secrets.token_urlsafe(32)


def hash_key(secret_key: str, key: str) -> str:
    """HMAC-SHA256 of a key under the deployment's secret, 64 hex digits: a stolen table opens nothing."""
    return hmac.digest(secret_key.encode(), key.encode(), hashlib.sha256).hex()


class Ring(ABC, Generic[T]):
    """What a kind of secret opens. `T` is what is kept of one: immutable, and looked at again for each request."""

    prefix: str

    def __init__(self, database: Database, clock: Clock, secret_key: str) -> None:
        self._database = database
        self._clock = clock
        self._secret = secret_key
        self._known: dict[str, T] = {}
        self._unknown: dict[str, float] = {}
        self._used: set[str] = set()
        self._watched: dict[str, set[Callable[[], None]]] = {}
        self._told: dict[str, datetime] = {}
        self._checked = clock.monotonic()
        self._checking: asyncio.Task[None] | None = None
        self._noting: asyncio.Task[None] | None = None
        self._watching: asyncio.Task[None] | None = None

    @abstractmethod
    def _load(self, conn: Connection, hashed: str) -> T | None:
        """What stands under this hash."""

    @abstractmethod
    def _changed(self, conn: Connection, since: datetime) -> Iterable[tuple[str, datetime]]:
        """Hashes whose rows were ended or changed at or after this time, and when."""

    @abstractmethod
    def _valid(self, found: T, now: datetime) -> bool: ...

    @abstractmethod
    def _seen(self, found: T, now: datetime) -> T | None:
        """The same with its last use noted; None when that was noted recently enough."""

    @abstractmethod
    def _write_seen(self, conn: Connection, seen: Mapping[str, T], now: datetime) -> None: ...

    @abstractmethod
    def _caller(self, found: T) -> Caller: ...

    async def find(self, secret: str) -> Caller | None:
        """The caller with this secret, None when it opens nothing (any more)."""
        found = await self.opened(secret)
        return None if found is None else self._caller(found)

    async def opened(self, secret: str) -> T | None:
        """What the secret opens, as far as it is valid now."""
        if len(secret) != len(self.prefix) + SECRET_CHARS or not (secret.startswith(self.prefix) and secret.isascii()):
            return None
        if self._clock.monotonic() - self._checked >= stale_seconds_max:
            await self._check_changes()
        hashed = hash_key(self._secret, secret)
        found = self._known.get(hashed)
        if found is not None and not self._valid(found, self._clock.now()):
            del self._known[hashed]  # another process may have noted a later use
            found = None
        if found is None:
            found = await self._look_up(hashed)
        if found is None or not self._valid(found, self._clock.now()):
            return None
        self._used.add(hashed)
        return found

    def forget(self, hashed: str) -> None:
        """This process has just ended or changed it: it is read again, and who watches it is told."""
        self._known.pop(hashed, None)
        for gone in tuple(self._watched.get(hashed, ())):
            gone()

    @contextmanager
    def watching(self, secret: str, gone: Callable[[], None]) -> Iterator[None]:
        """Call `gone` as soon as what the secret opens is ended or changed."""
        hashed = hash_key(self._secret, secret)
        self._watched.setdefault(hashed, set()).add(gone)
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            watchers = self._watched[hashed]
            watchers.discard(gone)
            if not watchers:
                del self._watched[hashed]

    async def close(self) -> None:
        """Let go of what runs in the background."""
        for task in (self._checking, self._noting, self._watching):
            if task is not None and not task.done():
                task.cancel()
                await asyncio.wait([task])

    async def _watch(self) -> None:
        """While somebody listens and nobody asks, look for him."""
        try:
            while self._watched:
                await asyncio.sleep(stale_seconds_max)
                try:
                    await self._check_changes()
                except Exception as fault:  # noqa: BLE001 - the top of a loop that must outlive a database's bad moment
                    log.warning("changed rights not looked up: %s", type(fault).__name__)
        finally:
            self._watching = None

    async def _look_up(self, hashed: str) -> T | None:
        now = self._clock.monotonic()
        if now - self._unknown.get(hashed, -stale_seconds_max) < stale_seconds_max:
            return None
        found = await self._database.read(lambda conn: self._load(conn, hashed))
        if found is None or not self._valid(found, self._clock.now()):
            if len(self._unknown) >= unknown_max:
                self._unknown.clear()
            self._unknown[hashed] = now
            return None
        if len(self._known) >= known_max:
            self._known.clear()
        self._unknown.pop(hashed, None)
        self._known[hashed] = found
        return found

    async def _check_changes(self) -> None:
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
        changed = dict(await self._database.read(lambda conn: list(self._changed(conn, since))))
        told, self._told = self._told, changed
        for hashed in (hashed for hashed, at in changed.items() if told.get(hashed) != at):
            self.forget(hashed)
        self._checked = started
        if self._noting is None or self._noting.done():
            self._noting = asyncio.create_task(self._note_use(now))
            self._noting.add_done_callback(_log_failure)

    async def _note_use(self, now: datetime) -> None:
        """When each was last used, behind everybody else's writes and for nobody to wait for."""
        used, self._used = self._used, set()
        fresh: dict[str, T] = {}
        for hashed in used:
            found = self._known.get(hashed)
            seen = None if found is None else self._seen(found, now)
            if seen is None:
                continue
            if len(fresh) == used_batch_max:
                self._used.add(hashed)
                continue
            fresh[hashed] = seen
        if not fresh:
            return
        self._known |= fresh
        await self._database.write(Priority.ADMINISTRATION, lambda conn: self._write_seen(conn, fresh, now))


def _log_failure(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("last use not recorded: %s", type(error).__name__)


class KeyRing(Ring[ApiKey]):
    """API keys."""

    prefix = KEY_PREFIX

    def _load(self, conn: Connection, hashed: str) -> ApiKey | None:
        return store.by_hash(conn, hashed)

    def _changed(self, conn: Connection, since: datetime) -> Iterable[tuple[str, datetime]]:
        return store.revoked_since(conn, since)

    def _valid(self, found: ApiKey, now: datetime) -> bool:
        return found.valid(now)

    def _seen(self, found: ApiKey, now: datetime) -> ApiKey | None:
        if found.last_used_at is not None and now - found.last_used_at < used_every:
            return None
        return replace(found, last_used_at=now)

    def _write_seen(self, conn: Connection, seen: Mapping[str, ApiKey], now: datetime) -> None:
        store.used(conn, [key.id for key in seen.values()], now)

    def _caller(self, found: ApiKey) -> Caller:
        grant = Grant(found.role, found.place_id)
        return Caller(found.id, found.person_name or found.name, (grant,), found.person_id)
