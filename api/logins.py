"""Signing in and out: password against hash, a fresh session, a row in the audit. Never says which half was wrong."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fastapi import Request
from sqlalchemy import Connection

from alerting.ports import Clock, Database, Priority
from api.errors import Problem
from api.passwords import Busy, Passwords, Verdict
from api.rings import hash_key
from api.sessions import caller_from, lifetimes, new_token
from api.store import sessions as sessions_store
from api.store import users as users_store
from api.store.sessions import Session
from api.store.users import User
from api.throttle import Throttle, network_of, window_s
from devices.audit import AuditEntry
from devices.store import audit as audit_store

failures_audited_max = 30
"""Failed sign-ins written to the audit per window; the next that is written says how many were not."""
login_chars_max = 64
address_chars_max = 64


@dataclass(frozen=True, slots=True)
class SignedIn:
    token: str
    session: Session
    lives: timedelta


class Logins:
    """All that decides on passwords in this process; throttles are counted per process."""

    def __init__(self, database: Database, clock: Clock, secret_key: str) -> None:
        self.passwords = Passwords()
        self._database = database
        self._clock = clock
        self._secret = secret_key
        self._by_login = Throttle(clock.monotonic)
        self._by_network = Throttle(clock.monotonic)
        self._audited_since = clock.monotonic()
        self._audited = 0
        self._not_audited = 0

    async def sign_in(self, login: str, password: str, address: str, previous: str) -> SignedIn:
        """A session under a new token; `previous`, the token that the browser had, opens nothing any more.

        Problem 401 for a wrong login or password (the same words, the same work), 429 after too many of them.
        """
        login, address = login.strip().lower(), address[:address_chars_max]
        user = await self._database.read(lambda conn: users_store.by_login(conn, login))
        standing = user if user is not None and user.disabled_at is None else None
        verdict = await self._guess(login, address, password, standing)
        if standing is None or not verdict.right:
            await self._note_failure(login if user is not None else "", user, address)
            raise Problem(401, "unauthorized", "bad_login")
        return await self._begin(standing, address, verdict, hash_key(self._secret, previous) if previous else "")

    async def confirm(self, user: User, password: str, address: str) -> bool:
        """Is this the password of somebody who is signed in? Throttled like signing in."""
        return (await self._guess(user.login, address, password, user)).right

    async def _guess(self, login: str, address: str, password: str, user: User | None) -> Verdict:
        keys = ((self._by_login, login[:login_chars_max]), (self._by_network, network_of(address)))
        wait = max(throttle.wait_s(key) for throttle, key in keys)
        if wait:
            raise Problem(429, "throttled", names={"seconds": wait}, headers={"retry-after": str(wait)})
        for throttle, key in keys:
            throttle.count(key)
        try:
            verdict = await self.passwords.verify(password, user.password_hash if user else None)
        except Busy:
            for throttle, key in keys:
                throttle.give_back(key)
            raise Problem(503, "unavailable", headers={"retry-after": "1"}) from None
        if verdict.right:
            self._by_login.clear(keys[0][1])
            self._by_network.give_back(keys[1][1])
        return verdict

    async def _begin(self, user: User, address: str, verdict: Verdict, previous: str) -> SignedIn:
        now, token = self._clock.now(), new_token()
        _, lives = lifetimes(user.grants)
        hashed = hash_key(self._secret, token)

        def work(conn: Connection) -> Session | None:
            fresh = users_store.get(conn, user.id)
            if fresh is None or fresh.disabled_at is not None or fresh.password_hash != user.password_hash:
                return None  # disabled, or another password, while this one was being verified
            if verdict.stronger is not None:
                users_store.strengthen(conn, user.id, user.password_hash, verdict.stronger)
            if previous:
                sessions_store.end(conn, previous, now)
            sessions_store.add(conn, hashed, user.id, address, now, now + lives)
            audit_store.record(conn, _entry(now, user, "login", address))
            return sessions_store.by_hash(conn, hashed)

        session = await self._database.write(Priority.CALLBACK, work)
        if session is None:
            raise Problem(401, "unauthorized", "bad_login")
        return SignedIn(token, session, lives)

    async def sign_out(self, request: Request, token: str) -> bool:
        """End the session of this token; False when it had ended."""
        now, hashed = self._clock.now(), hash_key(self._secret, token)

        def work(conn: Connection) -> bool:
            session = sessions_store.by_hash(conn, hashed)
            if session is None or not sessions_store.end(conn, hashed, now):
                return False
            who = caller_from(session)
            audit_store.record(conn, AuditEntry(now, who.key_id, who.name, who.via, "logout", "sessions", who.key_id))
            return True

        return await self._database.write(Priority.CALLBACK, work)

    async def _note_failure(self, login: str, user: User | None, address: str) -> None:
        """One row, without what was typed where no such user exists: people type passwords into the wrong field."""
        if self._clock.monotonic() - self._audited_since >= window_s:
            self._audited_since, self._audited = self._clock.monotonic(), 0
        if self._audited >= failures_audited_max:
            self._not_audited += 1
            return
        self._audited += 1
        left_out, self._not_audited = self._not_audited, 0
        now = self._clock.now()
        detail = {"address": address, "login": login} | ({"not_recorded": left_out} if left_out else {})
        object_id = user.id if user is not None else "unknown"
        entry = AuditEntry(now, object_id, login or "-", "session", "login_failed", "sessions", object_id, None, detail)
        await self._database.write(Priority.ADMINISTRATION, lambda conn: audit_store.record(conn, entry))


def _entry(now: datetime, user: User, act: str, address: str) -> AuditEntry:
    return AuditEntry(now, user.id, user.name, "session", act, "sessions", user.id, None, {"address": address})
