"""Provider callbacks: verified, stored before anything else, answered fast. What they mean is folded elsewhere."""

import asyncio
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from hashlib import sha256
from typing import Annotated
from urllib.parse import unquote_plus

from fastapi import APIRouter, Path, Request, Response
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from alerting.channels.base import CallbackRequest, Callbacks, Spoken, Stored
from alerting.core.acts import KeyOutcome
from alerting.ports import Conflict
from alerting.spool import NotKept
from alerting.store import probes, views
from api.auth import GuardedRoute
from api.deps import Deps, ProviderCallbacks, Use
from api.errors import Problem, language_of, not_found
from api.middleware import missing_headers

log = logging.getLogger("gengfu.api")

router = APIRouter(prefix="/callbacks", tags=["callbacks"], route_class=GuardedRoute)

store_seconds_max = 5.0
"""A callback that cannot be stored in this time gets a 503, so that the provider may send it again."""
voice_seconds_max = 3.0
"""Somebody is listening: after this long he hears `please wait` and the call comes back with his key kept."""
fields_max = 100
body_bytes_max = 64 * 1024
dedupe_chars_max = 128
name_chars_max = 32
Name = Annotated[str, Path(max_length=name_chars_max)]
_PATH = re.compile(r"/callbacks/([^/]+)/([^/]+)")
_METHODS = frozenset({"GET", "HEAD", "POST"})
_nothing = Response(status_code=204)


class Kind(StrEnum):
    STATUS = "status"
    VOICE = "voice"
    INBOUND = "inbound"


KINDS = frozenset(each.value for each in Kind)


class VoiceAnswers:
    """Answers to calls that are still being made: a call that comes back waits for the same one; none is cut off."""

    def __init__(self) -> None:
        self._making: dict[str, asyncio.Task[Spoken]] = {}

    async def make(self, deps: Deps, provider: str, fields: dict[str, str]) -> Spoken | None:
        """The answer; None when it takes longer than `voice_seconds_max` (the work goes on) or failed."""
        callbacks = deps.callbacks[provider]
        key = f"{provider} {fields.get('attempt')} {callbacks.dedupe(Kind.VOICE, fields)}"
        task = self._making.get(key)
        if task is None:
            task = asyncio.create_task(_voice(deps, provider, callbacks, fields))
            self._making[key] = task
            task.add_done_callback(lambda done: self._done(key, done))
        done, _ = await asyncio.wait((task,), timeout=voice_seconds_max)
        return task.result() if done and task.exception() is None else None

    def _done(self, key: str, task: "asyncio.Task[Spoken]") -> None:
        self._making.pop(key, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("voice callback not answered: %s", type(error).__name__, exc_info=error)

    async def close(self) -> None:
        """Stop what is still being made."""
        tasks = list(self._making.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def _voice(deps: Deps, provider: str, callbacks: ProviderCallbacks, fields: dict[str, str]) -> Spoken:
    """Store, then decide on the key, then find the words."""
    attempt_id = fields.get("attempt", "")
    dedupe = callbacks.dedupe(Kind.VOICE, fields)
    await deps.service.take_callbacks(provider, [_bounded(Stored(Kind.VOICE, attempt_id or None, dedupe, fields))])
    digits = callbacks.key(fields)
    outcome: KeyOutcome | None = None
    if digits:
        outcome = await deps.service.key_pressed(attempt_id, digits)
    script = await deps.database.read(
        lambda conn: views.call_script(conn, attempt_id) or probes.call_script(conn, attempt_id)
    )
    return callbacks.after_key(fields, script, outcome)


@router.post("/{provider}/{kind}", include_in_schema=False)
async def callback(provider: Name, kind: Name, request: Request, use: Use) -> Response:
    """What a provider tells us: verified, stored, answered."""
    return await _answer(request.scope, request.receive, provider, kind, use)


@router.get("/{provider}/{kind}", include_in_schema=False)
async def check(provider: Name, kind: Name, request: Request, use: Use) -> Response:
    """Some vendors ask an address whether it is theirs before they use it, or say what they have to say like this."""
    return await _answer(request.scope, request.receive, provider, kind, use)


class Hot:
    """Both routes before every other layer, three times as fast: providers call back in storms, and some wait 700 ms in
    all. It bounds the body and sets the security headers itself; everything else passes on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" and not scope.get("root_path") else None
        if found is None or scope["method"] not in _METHODS:
            await self._app(scope, receive, send)
            return
        try:
            response = await _answer(scope, receive, found[1], found[2], scope["app"].state.deps)
        except Problem as problem:
            response = problem.response(language_of(Request(scope)))
        except Conflict:
            response = Problem(503, "unavailable", headers={"retry-after": "1"}).response(language_of(Request(scope)))
        except ClientDisconnect:
            return  # nobody is there to be answered, and nothing was stored
        except Exception:
            await _send(Problem(500, "internal").response(language_of(Request(scope))), scope, send)
            raise  # the server logs it
        await _send(response, scope, send)


async def _send(response: Response, scope: Scope, send: Send) -> None:
    headers = [*response.raw_headers, *missing_headers(scope, response.raw_headers)]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": response.body})


async def _answer(scope: Scope, receive: Receive, provider: str, kind: str, use: Deps) -> Response:
    if max(len(provider), len(kind)) > name_chars_max:
        raise not_found()
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    body = b""
    if scope["method"] == "POST":
        body = await _body(scope, receive, use, provider)
        if provider in use.callbacks and kind in KINDS:
            return await _dialogue(scope, use, provider, Kind(kind), headers, body)
    return await _told(scope, use, provider, kind, headers, body)


async def _told(scope: Scope, use: Deps, provider: str, kind: str, headers: Mapping[str, str], body: bytes) -> Response:
    """Any vendor without a dialogue."""
    callbacks = use.vendor_callbacks.get(provider)
    if callbacks is None:
        raise not_found()
    query = _query(scope)
    asked = CallbackRequest(
        method=scope["method"],
        kind=kind,
        path_and_query=_path_and_query(scope, query),
        query=dict(_pairs(query)),
        headers=headers,
        body=body,
    )
    if not _verified(callbacks, asked, use):
        use.count_callback(provider, "forged")
        raise Problem(403, "signature")
    try:
        words = callbacks.read(asked)
    except Exception as fault:  # noqa: BLE001 - whatever a body makes a reader stumble over, it is the body's fault
        if type(fault) is LookupError:
            raise not_found() from None
        use.count_callback(provider, "malformed")
        raise Problem(400, "malformed", "http") from None
    await _store(use, provider, words)
    return _response(callbacks.answer(asked))


async def _dialogue(
    scope: Scope, use: Deps, provider: str, kind: Kind, headers: Mapping[str, str], body: bytes
) -> Response:
    """A vendor who asks what a call is to say next."""
    callbacks = use.callbacks[provider]
    form, query = _form(body, use, provider), _query(scope)
    if not callbacks.verify(_path_and_query(scope, query), form, headers):
        use.count_callback(provider, "forged")
        raise Problem(403, "signature")
    fields = dict(_pairs(query)) | form
    if kind is Kind.VOICE:
        answers: VoiceAnswers = scope["app"].state.voice_answers
        spoken = await answers.make(use, provider, fields)
        use.count_callback(provider, "stored" if spoken else "slow")
        return _response(spoken or callbacks.please_wait(fields, None))
    await _store(use, provider, [Stored(kind, fields.get("attempt"), callbacks.dedupe(kind, fields), form)])
    return _response(callbacks.nothing_to_say(kind))


async def _store(use: Deps, provider: str, words: Sequence[Stored]) -> None:
    try:
        async with asyncio.timeout(store_seconds_max):
            await use.service.take_callbacks(provider, [_bounded(word) for word in words])
    except (TimeoutError, NotKept):
        use.count_callback(provider, "not_kept")
        raise Problem(503, "unavailable", headers={"retry-after": "5"}) from None
    use.count_callback(provider, "stored")


async def _body(scope: Scope, receive: Receive, use: Deps, provider: str) -> bytes:
    """What was posted, never unpacked, never more than `body_bytes_max` of it in memory."""
    if provider not in use.callbacks and provider not in use.vendor_callbacks:
        raise not_found()
    for name, value in scope["headers"]:
        if name == b"content-encoding" and value.strip().lower() not in (b"", b"identity"):
            use.count_callback(provider, "encoded")
            raise Problem(415, "encoded", headers={"connection": "close"})
    text, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk, more = message.get("body", b""), message.get("more_body", False)
        text = text + chunk if text else chunk
        if len(text) > body_bytes_max:
            use.count_callback(provider, "too_large")
            raise Problem(413, "too_large", names={"bytes": body_bytes_max}, headers={"connection": "close"})
    return text


def _verified(callbacks: Callbacks, asked: CallbackRequest, use: Deps) -> bool:
    """What makes the check itself stumble was not sent by the vendor."""
    try:
        return callbacks.verify(asked, use.clock.now())
    except Exception as fault:  # noqa: BLE001 - as above
        log.warning("a callback could not be verified: %s", type(fault).__name__)
        return False


def _form(body: bytes, use: Deps, provider: str) -> dict[str, str]:
    """The posted form; a name that stands twice keeps its last value."""
    try:
        return dict(_pairs(body.decode("ascii")))
    except ValueError:
        use.count_callback(provider, "malformed")
        raise Problem(400, "malformed", "http") from None


def _pairs(text: str) -> list[tuple[str, str]]:
    """As `urllib.parse.parse_qsl`, blank values kept; most parts hold nothing to decode."""
    if text.count("&") >= fields_max:
        raise ValueError("too many fields")
    parts = [part.partition("=") for part in text.split("&") if part]
    return [(_decoded(name), _decoded(value)) for name, _, value in parts]


def _decoded(text: str) -> str:
    return unquote_plus(text, errors="replace") if "%" in text or "+" in text else text


def _bounded(word: Stored) -> Stored:
    if len(word.dedupe) <= dedupe_chars_max:
        return word
    return replace(word, dedupe=sha256(word.dedupe.encode()).hexdigest())


def _query(scope: Scope) -> str:
    """Without a fragment: what is not signed is not believed."""
    text: str = scope["query_string"].decode("latin-1")
    return text.partition("#")[0] if "#" in text else text


def _path_and_query(scope: Scope, query: str) -> str:
    return f"{scope['path']}?{query}" if query else scope["path"]


def _response(spoken: Spoken | None) -> Response:
    if spoken is None:
        return _nothing
    return Response(spoken.body, headers={"content-type": f"{spoken.media_type}; charset=utf-8"})
