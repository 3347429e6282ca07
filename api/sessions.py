"""Sessions of people who signed in: a random token in a cookie, everything else on the server. Never trusts a cookie
for more than finding its row; a request that changes something also proves that our own page sent it.
"""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from fastapi import Request, Response
from sqlalchemy import Connection

from api.callers import Caller
from api.errors import Problem
from api.permissions import Grant, Role
from api.rings import Ring, hash_key, new_secret
from api.store import sessions as store
from api.store.sessions import Session

COOKIE = "__Host-gengfu"
"""The prefix makes browsers insist on Secure, Path=/ and no Domain: no neighbour on the host can plant one."""
TOKEN_PREFIX = "gs_"  # noqa: S105 - what every token begins with
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
desk_idle_max = timedelta(hours=2)
desk_lives = timedelta(hours=24)
"""A duty of the control room: whoever comes next signs in himself."""
worker_idle_max = timedelta(days=30)
worker_lives = timedelta(days=90)
"""A telephone in a pocket must go on ringing."""
seen_every = timedelta(minutes=5)


def new_token() -> str:
    """A fresh session token, 256 random bits."""
    return new_secret(TOKEN_PREFIX)


def lifetimes(grants: Collection[Grant]) -> tuple[timedelta, timedelta]:
    """(idle, absolute) for somebody with these grants."""
    worker = bool(grants) and all(grant.role is Role.GRID_WORKER for grant in grants)
    return (worker_idle_max, worker_lives) if worker else (desk_idle_max, desk_lives)


def caller_from(session: Session) -> Caller:
    return Caller(session.user_id, session.name, session.grants, session.person_id, "session")


class SessionRing(Ring[Session]):
    """Sessions by their tokens."""

    prefix = TOKEN_PREFIX

    def forget_user(self, hashes: Iterable[str]) -> None:
        """A user was changed here: all his sessions are read again."""
        for hashed in hashes:
            self.forget(hashed)

    def _load(self, conn: Connection, hashed: str) -> Session | None:
        return store.by_hash(conn, hashed)

    def _changed(self, conn: Connection, since: datetime) -> Iterable[tuple[str, datetime]]:
        return store.changed_since(conn, since)

    def _valid(self, found: Session, now: datetime) -> bool:
        idle, _ = lifetimes(found.grants)
        alive = found.ended_at is None and found.disabled_at is None
        return alive and now < found.expires_at and now - found.last_seen_at < idle

    def _seen(self, found: Session, now: datetime) -> Session | None:
        return replace(found, last_seen_at=now) if now - found.last_seen_at >= seen_every else None

    def _write_seen(self, conn: Connection, seen: Mapping[str, Session], now: datetime) -> None:
        store.seen(conn, list(seen), now)

    def _caller(self, found: Session) -> Caller:
        return caller_from(found)


def token_of(request: Request) -> str:
    """The session token in our cookie, "" without one."""
    return request.cookies.get(COOKIE, "")


def set_cookie(response: Response, token: str, lives: timedelta) -> None:
    seconds = int(lives.total_seconds())
    response.set_cookie(COOKIE, token, max_age=seconds, path="/", secure=True, httponly=True, samesite="strict")


def clear_cookie(response: Response) -> None:
    response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")


def csrf_token(secret_key: str, token: str) -> str:
    """What our own page sends back in a header: bound to the session, useless for any other."""
    bound = "csrf " + hash_key(secret_key, token)
    return hmac.digest(secret_key.encode(), bound.encode(), hashlib.sha256).hex()


def check_origin(request: Request) -> None:
    """Problem 403 for a request that the browser says another site made. Other programs send neither header."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        foreign = site not in ("same-origin", "none")
    else:
        origin = request.headers.get("origin")
        foreign = origin is not None and urlsplit(origin).netloc != request.headers.get("host", "")
    if foreign:
        raise Problem(403, "forbidden", "cross_site")


def check_csrf(request: Request, secret_key: str, token: str) -> None:
    """Problem 403 for an unsafe method that did not come from our own page in this session."""
    if request.method in SAFE_METHODS:
        return
    check_origin(request)
    sent = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(sent.encode(), csrf_token(secret_key, token).encode()):
        raise Problem(403, "forbidden", "csrf")
