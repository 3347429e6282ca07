"""Provider callbacks: verified, stored before anything else, answered fast. What they mean is folded elsewhere."""

import asyncio
import logging
from enum import StrEnum
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import APIRouter, Path, Request, Response

from alerting.core.acts import KeyOutcome
from alerting.store import probes, views
from api.auth import GuardedRoute
from api.deps import Deps, ProviderCallbacks, Spoken, Use
from api.errors import Problem, not_found

log = logging.getLogger("gengfu.api")

router = APIRouter(prefix="/callbacks", tags=["callbacks"], route_class=GuardedRoute)

store_seconds_max = 5.0
"""A callback that cannot be stored in this time gets a 503, so that the provider may send it again."""
voice_seconds_max = 3.0
"""Somebody is listening: after this long he hears `please wait` and the call comes back with his key kept."""
fields_max = 100


class Kind(StrEnum):
    STATUS = "status"
    VOICE = "voice"
    INBOUND = "inbound"


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
    await deps.service.take_callback(provider, Kind.VOICE, attempt_id or None, dedupe, fields)
    digits = callbacks.key(fields)
    outcome: KeyOutcome | None = None
    if digits:
        outcome = await deps.service.key_pressed(attempt_id, digits)
    script = await deps.database.read(
        lambda conn: views.call_script(conn, attempt_id) or probes.call_script(conn, attempt_id)
    )
    return callbacks.after_key(fields, script, outcome)


@router.post("/{provider}/{kind}", include_in_schema=False)
async def callback(provider: Annotated[str, Path(max_length=32)], kind: Kind, request: Request, use: Use) -> Response:
    callbacks = use.callbacks.get(provider)
    if callbacks is None:
        raise not_found()
    query = request.url.query
    form = await _form(request)
    path_and_query = f"{request.url.path}?{query}" if query else request.url.path
    if not callbacks.verify(path_and_query, form, request.headers.get(callbacks.signature_header, "")):
        raise Problem(403, "signature")
    fields = dict(parse_qsl(query)) | form
    if kind is Kind.VOICE:
        answers: VoiceAnswers = request.app.state.voice_answers
        return _response(await answers.make(use, provider, fields) or callbacks.please_wait(fields, None))
    try:
        async with asyncio.timeout(store_seconds_max):
            dedupe = callbacks.dedupe(kind, fields)
            await use.service.take_callback(provider, kind, fields.get("attempt"), dedupe, form)
    except TimeoutError:
        raise Problem(503, "unavailable", headers={"retry-after": "5"}) from None
    return _response(callbacks.nothing_to_say(kind))


async def _form(request: Request) -> dict[str, str]:
    """The posted form; a name that stands twice keeps its last value."""
    try:
        text = (await request.body()).decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=fields_max))
    except ValueError:
        raise Problem(400, "malformed", "http") from None


def _response(spoken: Spoken | None) -> Response:
    if spoken is None:
        return Response(status_code=204)
    return Response(spoken.body, headers={"content-type": f"{spoken.media_type}; charset=utf-8"})
