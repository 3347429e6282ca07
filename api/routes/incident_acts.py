"""What people do with an incident, one address for each verb. Never decides what an act may do."""

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.core.acts import Verb
from alerting.core.verbs_asking import LEVELS
from alerting.core.verbs_result import How
from api.acting import act_on, detail_of
from api.auth import GuardedRoute, Who
from api.deps import Use
from api.errors import Problem
from api.permissions import PREFIX
from api.references import grid_id_of, person_id_of
from api.schemas.acts import CallAgainIn, DispatchIn, EvaluateIn, ReopenIn, ShelveIn, TransferIn
from api.schemas.incidents import CloseIn, DeclineIn, DoneOut, EmptyIn, NoteIn, VerifyIn
from devices.store.scope import Scope

router = APIRouter(prefix=f"{PREFIX}/incidents", tags=["incidents"], route_class=GuardedRoute)


@router.post("/{id}/acknowledge", response_model=DoneOut)
async def acknowledge(id: str, request: Request, use: Use, who: Who, body: EmptyIn | None = None) -> Response:
    """The room has seen it: its own sound and paging stop until it expires. Nobody else is stopped from being paged."""
    return await act_on(request, use, who, id, Verb.ACKNOWLEDGE, {})


@router.post("/{id}/accept", response_model=DoneOut)
async def accept(id: str, request: Request, use: Use, who: Who, body: EmptyIn | None = None) -> Response:
    """I am going. This stops the ladder, until the time on site runs out. At severity 1 the control room's desk stays:
    its acceptance is an acknowledgement."""
    return await act_on(request, use, who, id, Verb.ACCEPT, {})


@router.post("/{id}/decline", response_model=DoneOut)
async def decline(id: str, request: Request, use: Use, who: Who, body: DeclineIn | None = None) -> Response:
    """I cannot go: the next person is asked at once."""
    return await act_on(request, use, who, id, Verb.DECLINE, detail_of(body))


@router.post("/{id}/arrive", response_model=DoneOut)
async def arrive(id: str, request: Request, use: Use, who: Who, body: EmptyIn | None = None) -> Response:
    return await act_on(request, use, who, id, Verb.ARRIVE, {})


@router.post("/{id}/verify", response_model=DoneOut)
async def verify(id: str, request: Request, use: Use, who: Who, body: VerifyIn) -> Response:
    """What it was. Fire and gas need this before they can be closed. A worker records what he saw on site."""
    if who.own_only and body.how is not How.ON_SITE:
        raise Problem(403, "forbidden", "on_site_only")
    return await act_on(request, use, who, id, Verb.VERIFY, detail_of(body))


@router.post("/{id}/dispatch", response_model=DoneOut)
async def dispatch(id: str, request: Request, use: Use, who: Who, body: DispatchIn) -> Response:
    """This person is paged now, on all his channels; the ladder goes on until somebody accepts."""

    def resolve(conn: Connection, scope: Scope) -> dict[str, object]:
        return {"worker": person_id_of(conn, scope, body.worker, "#/worker")}

    return await act_on(request, use, who, id, Verb.DISPATCH, {}, resolve)


@router.post("/{id}/transfer", response_model=DoneOut)
async def transfer(id: str, request: Request, use: Use, who: Who, body: TransferIn) -> Response:
    """To another grid, `community` or `street`: its duty is paged at once, in a new round."""

    def resolve(conn: Connection, scope: Scope) -> dict[str, object]:
        return {} if body.to in LEVELS else {"to": grid_id_of(conn, scope, body.to, "#/to")}

    return await act_on(request, use, who, id, Verb.TRANSFER, detail_of(body), resolve)


@router.post("/{id}/escalate", response_model=DoneOut)
async def escalate(id: str, request: Request, use: Use, who: Who, body: EmptyIn | None = None) -> Response:
    """The next step now. Where somebody goes already, it is help for him."""
    return await act_on(request, use, who, id, Verb.ESCALATE, {})


@router.post("/{id}/call-again", response_model=DoneOut)
async def call_again(id: str, request: Request, use: Use, who: Who, body: CallAgainIn | None = None) -> Response:
    """The people of the current step are paged again now, or one of all who were paged."""

    def resolve(conn: Connection, scope: Scope) -> dict[str, object]:
        wanted = body.recipient if body is not None else None
        return {} if wanted is None else {"recipient": person_id_of(conn, scope, wanted, "#/recipient")}

    return await act_on(request, use, who, id, Verb.CALL_AGAIN, {}, resolve)


@router.post("/{id}/silence", response_model=DoneOut)
async def silence(id: str, request: Request, use: Use, who: Who, body: EmptyIn | None = None) -> Response:
    """The horn of this room, and nothing else."""
    return await act_on(request, use, who, id, Verb.SILENCE, {})


@router.post("/{id}/shelve", response_model=DoneOut)
async def shelve(id: str, request: Request, use: Use, who: Who, body: ShelveIn) -> Response:
    """暂停提醒至. Severity 1 never; 2 for 30 minutes, 3 for 8 hours, 4 and 5 for a day at most; else 15 minutes."""
    return await act_on(request, use, who, id, Verb.SHELVE, detail_of(body))


@router.post("/{id}/unshelve", response_model=DoneOut)
async def unshelve(id: str, request: Request, use: Use, who: Who, body: EmptyIn | None = None) -> Response:
    """Everybody is asked again now."""
    return await act_on(request, use, who, id, Verb.UNSHELVE, {})


@router.post("/{id}/close", response_model=DoneOut)
async def close(id: str, request: Request, use: Use, who: Who, body: CloseIn | None = None) -> Response:
    return await act_on(request, use, who, id, Verb.CLOSE, detail_of(body))


@router.post("/{id}/evaluate", response_model=DoneOut)
async def evaluate(id: str, request: Request, use: Use, who: Who, body: EvaluateIn) -> Response:
    """How it was handled, after it is closed. Once."""
    return await act_on(request, use, who, id, Verb.EVALUATE, detail_of(body))


@router.post("/{id}/reopen", response_model=DoneOut, status_code=201)
async def reopen(id: str, request: Request, use: Use, who: Who, body: ReopenIn) -> Response:
    """A new, linked incident of the same place and kind, which pages like a first alarm; the closed one stays so."""
    return await act_on(request, use, who, id, Verb.REOPEN, detail_of(body))


@router.post("/{id}/note", response_model=DoneOut)
async def note(id: str, request: Request, use: Use, who: Who, body: NoteIn) -> Response:
    return await act_on(request, use, who, id, Verb.NOTE, detail_of(body))
