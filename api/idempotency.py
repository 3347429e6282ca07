"""`Idempotency-Key`: the same POST twice has one effect and one answer. Never remembers a failure or a secret."""

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeVar

from fastapi import Request, Response
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from alerting.ports import Conflict, Priority
from api.auth import caller_of
from api.deps import Deps
from api.errors import Problem, invalid
from api.pages import answer
from api.store import idempotency as store
from api.store.idempotency import Remembered

T = TypeVar("T")

key_chars_max = 128
unfinished_for = timedelta(seconds=60)
"""A request that has not answered for this long was cut off; its key may be taken over."""
remembered_for = timedelta(days=2)
forgotten_per_request_max = 50
nonce_key = "_nonce"
"""Field of a remembered answer from which its one-time secret can be made again, with the deployment's secret only."""


@dataclass(frozen=True, slots=True)
class Made:
    """What a POST made: status, body, headers derived from it."""

    body: dict[str, Any]
    status: int = 201
    headers: dict[str, str] = field(default_factory=dict)
    fresh: bool = True
    """False: this is the remembered answer, nothing was written."""

    def response(self) -> Response:
        return answer(self.body, self.status, self.headers)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request with its Idempotency-Key, if it has one."""

    key: str | None
    api_key_id: str
    route: str
    body_hash: str


async def ticket(request: Request) -> Ticket:
    """Read the header and hash the body; Problem 422 for a key that is no token."""
    key = request.headers.get("idempotency-key")
    if key is not None and not (1 <= len(key) <= key_chars_max and key.isascii() and key.isprintable()):
        raise invalid("Idempotency-Key", "idempotency_key")
    route = f"{request.method} {request.url.path}"[:128]
    # Keyed: a body may hold a password, and a plain hash of it would be one to guess at.
    body_hash = hmac.digest(request.app.state.deps.secret_key.encode(), await request.body(), hashlib.sha256).hex()
    return Ticket(key, caller_of(request).key_id, route, body_hash)


async def make_once(request: Request, deps: Deps, work: Callable[[Connection], Made]) -> Made:
    """Run `work` and remember its answer in ONE transaction: a repeat can neither double nor miss it."""
    asked = await ticket(request)
    now = deps.clock.now()

    def transaction(conn: Connection) -> Made:
        if asked.key is None:
            return attempt(conn, work)
        known = store.find(conn, asked.key, asked.api_key_id)
        if known is not None and known.created_at >= now - remembered_for:
            return _again(asked, known)
        store.forget_before(conn, now - remembered_for, forgotten_per_request_max)
        store.forget(conn, asked.key, asked.api_key_id)
        made = attempt(conn, work)
        row = Remembered(asked.route, asked.body_hash, made.status, {"body": made.body, "headers": made.headers}, now)
        try:
            store.add(conn, asked.key, asked.api_key_id, row)
        except IntegrityError as error:
            raise Conflict from error
        return made

    return await deps.database.write(Priority.ADMINISTRATION, transaction)


def attempt(conn: Connection, work: Callable[[Connection], T]) -> T:
    """Where another writer took the same name in between, look again: the second look names the field."""
    try:
        return work(conn)
    except IntegrityError as error:
        raise Conflict from error


def _again(asked: Ticket, known: Remembered) -> Made:
    if (known.route, known.body_hash) != (asked.route, asked.body_hash):
        raise Problem(422, "key_reused")
    if known.status is None or known.response is None:
        raise Problem(409, "in_progress", headers={"retry-after": "1"})
    return Made(known.response["body"], known.status, known.response["headers"], fresh=False)


async def act_once(request: Request, deps: Deps, work: Callable[[], Awaitable[Made]]) -> Made:
    """Claim the key, act through the service (which has its own transaction), remember the answer.

    Cut off in between, the key is free again after `unfinished_for`; acts of people are harmless twice.
    """
    asked = await ticket(request)
    if asked.key is None:
        return await work()
    key, now = asked.key, deps.clock.now()

    def claim(conn: Connection) -> Made | None:
        known = store.find(conn, key, asked.api_key_id)
        if known is not None:
            cut_off = known.status is None and known.created_at < now - unfinished_for
            if not cut_off and known.created_at >= now - remembered_for:
                return _again(asked, known)
            store.forget(conn, key, asked.api_key_id)
        try:
            store.add(conn, key, asked.api_key_id, Remembered(asked.route, asked.body_hash, None, None, now))
        except IntegrityError as error:
            raise Conflict from error
        return None

    known = await deps.database.write(Priority.ACCEPTANCE, claim)
    if known is not None:
        return known
    try:
        made = await work()
    except BaseException:
        await deps.database.write(Priority.CALLBACK, lambda conn: store.forget(conn, key, asked.api_key_id))
        raise
    remembered = {"body": made.body, "headers": made.headers}
    await deps.database.write(
        Priority.CALLBACK, lambda conn: store.answer(conn, key, asked.api_key_id, made.status, remembered)
    )
    return made


def fresh_nonce() -> str:
    """What a one-time secret is made from: 256 random bits."""
    return secrets.token_hex(32)


def secret_from(deps: Deps, nonce: str) -> bytes:
    """32 bytes made from a nonce and the deployment's secret, so that a repeat can show the same secret again."""
    return hmac.digest(deps.secret_key.encode(), f"one-time {nonce}".encode(), hashlib.sha256)
