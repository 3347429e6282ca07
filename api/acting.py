"""One person's act on one incident over HTTP: who may see it, what it names, the act once, its audit row, its refusal.

What an act may do is decided by the core alone.
"""

from collections.abc import Callable, Mapping
from typing import Any

from fastapi import Request, Response
from pydantic import BaseModel
from sqlalchemy import Connection

from alerting.core.acts import Verb
from alerting.core.decisions import Refused
from alerting.core.model import Refusal
from alerting.store import views
from api import audit
from api.auth import Caller
from api.deps import Deps
from api.errors import Problem, language_of, not_found
from api.idempotency import Made, act_once
from api.permissions import PREFIX
from api.words import REFUSALS, SOMEBODY, say
from devices.model import Language
from devices.store.scope import Scope, path_of_place

Detail = dict[str, Any]
Resolve = Callable[[Connection, Scope], Detail]
"""What a body names, as ids: Problem 422 for what the caller may not know of."""


def detail_of(body: BaseModel | None) -> Detail:
    return {} if body is None else body.model_dump(mode="json", exclude_none=True)


async def act_on(
    request: Request,
    deps: Deps,
    who: Caller,
    incident_id: str,
    verb: Verb,
    detail: Mapping[str, Any],
    resolve: Resolve = lambda conn, scope: {},
    also: Callable[[Connection], None] = lambda conn: None,
) -> Response:
    """200 with how the incident stands; 201 for the new one of a reopening. `also` is written with the act."""

    def prepare(conn: Connection) -> Detail | None:
        seen = views.visible(conn, [incident_id], who.sight(conn))
        return {**detail, **resolve(conn, who.scope(conn))} if seen else None

    said = await deps.database.read(prepare)
    if said is None:
        raise not_found()

    def recorded(conn: Connection) -> None:
        path = path_of_place(conn, views.place_of(conn, incident_id))
        audit.note(conn, request, deps, verb.value, "incidents", incident_id, path=path, detail=said)
        also(conn)

    async def work() -> Made:
        done = await deps.service.act(incident_id, verb, who.actor, said, recorded)
        if isinstance(done, Refused):
            raise await _refusal(deps, done, language_of(request))
        body = {"incident_id": done.incident_id, "work": done.work.value, "ack": done.ack.value}
        if verb is not Verb.REOPEN:
            return Made(body, status=200)
        return Made(body, status=201, headers={"location": f"{PREFIX}/incidents/{done.incident_id}"})

    return (await act_once(request, deps, work)).response()


async def _refusal(deps: Deps, refused: Refused, language: Language) -> Problem:
    if refused.reason is Refusal.UNKNOWN_INCIDENT:
        return not_found()
    person_id, name = refused.who, None
    if person_id is not None:
        name = await deps.database.read(lambda conn: views.person_name(conn, person_id))
    return Problem(
        409,
        "refused",
        sentence=REFUSALS[refused.reason.value],
        names={"who": name or person_id or say(SOMEBODY, language)},
        extra={
            "refusal": refused.reason.value,
            "who": {"id": person_id, "name": name or person_id} if person_id else None,
        },
    )
