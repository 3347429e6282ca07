"""Incidents: list, read, timeline, and the acts of people. What an act may do is decided by the core alone."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from alerting.core.acts import Verb
from alerting.core.decisions import Refused
from alerting.core.model import Ack, Condition, Refusal, Work
from alerting.store import views
from api import audit
from api.auth import Caller, GuardedRoute, Who
from api.deps import Deps, Use
from api.errors import Problem, language_of, not_found
from api.idempotency import Made, act_once
from api.pages import Cursor, Limit, Page, answer, limit_default, number_position, page, position
from api.permissions import PREFIX
from api.schemas.incidents import (
    CloseIn,
    DeclineIn,
    DoneOut,
    EmptyIn,
    IncidentOut,
    NoteIn,
    OverlayOut,
    TakenBy,
    TimelineOut,
    VerifyIn,
)
from api.words import REFUSALS, SOMEBODY, say
from devices.model import Language
from devices.store.scope import path_of_place

router = APIRouter(prefix=f"{PREFIX}/incidents", tags=["incidents"], route_class=GuardedRoute)

Word = Annotated[str | None, Query(max_length=64)]


@router.get("", response_model=Page[IncidentOut])
async def list_incidents(
    use: Use,
    who: Who,
    open: bool | None = None,
    work: Annotated[list[Work] | None, Query()] = None,
    condition: Condition | None = None,
    ack: Ack | None = None,
    severity_max: Annotated[int | None, Query(ge=1, le=5)] = None,
    code: Word = None,
    grid_id: Word = None,
    place_id: Word = None,
    device_id: Word = None,
    reference: Word = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Newest first. A worker sees what he was paged for, who is bound to a place what happens there."""
    wanted = views.IncidentFilter(
        open=open,
        work=tuple(word.value for word in work or ()),
        condition=condition,
        ack=ack,
        severity_max=severity_max,
        code=code,
        grid_id=grid_id,
        place_id=place_id,
        device_id=device_id,
        reference=reference,
    )
    after = position(cursor)
    rows = await use.database.read(lambda conn: views.incidents_page(conn, wanted, after, limit + 1, who.sight(conn)))
    return page(rows, limit, shown, lambda view: view.id)


@router.get("/{id}", response_model=IncidentOut)
async def read_incident(id: str, use: Use, who: Who) -> Response:
    view = await use.database.read(lambda conn: views.incident(conn, id, who.sight(conn)))
    if view is None:
        raise not_found()
    return answer(shown(view).model_dump(mode="json", by_alias=True))


@router.get("/{id}/timeline", response_model=Page[TimelineOut])
async def read_timeline(id: str, use: Use, who: Who, cursor: Cursor = None, limit: Limit = limit_default) -> Response:
    """Everything that happened, in order, each with its reason."""
    after = number_position(cursor)

    def work(conn: Any) -> list[views.TimelineEntry] | None:
        return views.timeline_page(conn, id, after, limit + 1) if views.visible(conn, [id], who.sight(conn)) else None

    entries = await use.database.read(work)
    if entries is None:
        raise not_found()
    return page(entries, limit, entry_shown, lambda entry: entry.seq)


@router.post("/{id}/acknowledge", response_model=DoneOut)
async def acknowledge(id: str, request: Request, use: Use, who: Who, body: EmptyIn | None = None) -> Response:
    """The room has seen it: its own sound stops. Nobody is stopped from being paged."""
    return await _act(request, use, who, id, Verb.ACKNOWLEDGE, {})


@router.post("/{id}/accept", response_model=DoneOut)
async def accept(id: str, request: Request, use: Use, who: Who, body: EmptyIn | None = None) -> Response:
    """I am going. This stops the ladder."""
    return await _act(request, use, who, id, Verb.ACCEPT, {})


@router.post("/{id}/decline", response_model=DoneOut)
async def decline(id: str, request: Request, use: Use, who: Who, body: DeclineIn | None = None) -> Response:
    """I cannot go: the next person is asked at once."""
    return await _act(request, use, who, id, Verb.DECLINE, _detail(body))


@router.post("/{id}/arrive", response_model=DoneOut)
async def arrive(id: str, request: Request, use: Use, who: Who, body: EmptyIn | None = None) -> Response:
    return await _act(request, use, who, id, Verb.ARRIVE, {})


@router.post("/{id}/verify", response_model=DoneOut)
async def verify(id: str, request: Request, use: Use, who: Who, body: VerifyIn) -> Response:
    """What it was. Fire and gas need this before they can be closed."""
    return await _act(request, use, who, id, Verb.VERIFY, _detail(body))


@router.post("/{id}/close", response_model=DoneOut)
async def close(id: str, request: Request, use: Use, who: Who, body: CloseIn | None = None) -> Response:
    return await _act(request, use, who, id, Verb.CLOSE, _detail(body))


@router.post("/{id}/note", response_model=DoneOut)
async def note(id: str, request: Request, use: Use, who: Who, body: NoteIn) -> Response:
    return await _act(request, use, who, id, Verb.NOTE, _detail(body))


def _detail(body: DeclineIn | VerifyIn | CloseIn | NoteIn | None) -> dict[str, Any]:
    return {} if body is None else body.model_dump(mode="json", exclude_none=True)


async def _act(
    request: Request, deps: Deps, who: Caller, incident_id: str, verb: Verb, detail: dict[str, Any]
) -> Response:
    if not await deps.database.read(lambda conn: views.visible(conn, [incident_id], who.sight(conn))):
        raise not_found()

    def recorded(conn: Connection) -> None:
        path = path_of_place(conn, views.place_of(conn, incident_id))
        audit.note(conn, request, deps, verb.value, "incidents", incident_id, path=path, detail=detail)

    async def work() -> Made:
        done = await deps.service.act(incident_id, verb, who.actor, detail, recorded)
        if isinstance(done, Refused):
            raise await _refusal(deps, done, language_of(request))
        return Made({"incident_id": done.incident_id, "work": done.work.value, "ack": done.ack.value}, status=200)

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


def shown(view: views.IncidentView) -> IncidentOut:
    row = dict(view.row)
    taken_by = row.pop("taken_by")
    return IncidentOut.model_validate(
        {
            **row,
            "class_": row["cls"],
            "taken_by": TakenBy(id=taken_by, name=view.taken_by_name) if taken_by else None,
            "overlays": [OverlayOut(kind=item.kind, at=item.at, detail=item.detail) for item in view.overlays],
        }
    )


def entry_shown(entry: views.TimelineEntry) -> TimelineOut:
    return TimelineOut(
        seq=entry.seq,
        incident_id=entry.incident_id,
        at=entry.at,
        kind=entry.kind,
        reason=entry.reason,
        actor=entry.actor,
        data=entry.data,
    )
