"""Who can be reached, and over whom: readiness of workers and of providers' accounts. Changes only what people say of
their own phones; nobody is called less for what stands here."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from alerting.ports import Priority
from alerting.store import readiness as store
from api import audit
from api.auth import GuardedRoute, Who, caller_of, for_everything
from api.deps import Deps, Use
from api.errors import Problem, invalid, language_of, not_found
from api.idempotency import attempt
from api.pages import Cursor, Limit, answer, cursor_at, limit_default, position
from api.permissions import PREFIX
from api.readiness_views import providers_shown, worker_shown
from api.references import grid_of, part_of
from api.routes.contacts import person_at
from api.schemas.readiness import (
    CheckAsked,
    GuideDoneIn,
    ProvidersReadiness,
    SaidOut,
    TapIn,
    WorkerReadiness,
    WorkerReadinessPage,
)
from api.store.acts import done_since
from api.store.readiness import facts_of, workers_page
from devices.store import marks, people
from devices.store.people import PersonRow
from devices.store.scope import EVERYTHING, path_of_place

router = APIRouter(prefix=f"{PREFIX}/readiness", tags=["readiness"], route_class=GuardedRoute)

checks_gap = timedelta(minutes=1)
receipts_within = timedelta(days=30)


@router.get("/workers", response_model=WorkerReadinessPage)
async def list_readiness(
    request: Request,
    use: Use,
    who: Who,
    grid: Annotated[str | None, Query(max_length=64, description="id or code: its own workers")] = None,
    place: Annotated[str | None, Query(max_length=64, description="id or code: who belongs at or below it")] = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Workers who have not left, in order of ids. `fault`: known to be wrong; `unknown`: nobody has proved it."""
    now, after = use.clock.now(), position(cursor)

    def work(conn: Connection) -> tuple[list[tuple[str, str, str]], list[WorkerReadiness]]:
        scope = who.scope(conn)
        grid_id = None if grid is None else grid_of(conn, scope, grid, "?grid").id
        below = EVERYTHING if place is None else part_of(conn, scope, place, "?place")
        found = workers_page(conn, after, limit + 1, now=now, grid_id=grid_id, under=below, within=scope)
        return found, _shown(conn, request, use, found[:limit], now)

    rows, shown = await use.database.read(work)
    following = cursor_at(rows[limit - 1][0]) if len(rows) > limit else None
    page = WorkerReadinessPage(not_ready=sum(not each.ready for each in shown), items=shown, next=following)
    return answer(page.model_dump(mode="json"))


@router.get("/workers/{id}", response_model=WorkerReadiness)
async def read_readiness(id: str, request: Request, use: Use) -> Response:
    """One worker, by id or by code."""
    now = use.clock.now()
    shown = await use.database.read(lambda conn: _one(conn, request, use, person_at(conn, request, id), now))
    return answer(shown.model_dump(mode="json"))


@router.get("/me", response_model=WorkerReadiness)
async def read_own(request: Request, use: Use) -> Response:
    """The caller's own."""
    now = use.clock.now()
    shown = await use.database.read(lambda conn: _one(conn, request, use, _myself(conn, request), now))
    return answer(shown.model_dump(mode="json"))


@router.post("/me/contact-card", response_model=SaidOut)
async def card_saved(request: Request, use: Use) -> Response:
    """He has saved our contact card. Asked for again when he gets a new number."""
    return await _said(request, use, "save_contact_card", marks.card_saved, {})


@router.post("/me/phone-guide", response_model=SaidOut)
async def guide_done(body: GuideDoneIn, request: Request, use: Use) -> Response:
    """His phone is set up as the guide of its brand asks."""
    return await _said(request, use, "follow_phone_guide", marks.guide_done, {"brand": body.brand})


@router.post("/me/self-test", response_model=SaidOut)
async def tap(body: TapIn, request: Request, use: Use) -> Response:
    """He tapped the daily self-test message of one phone. Asking again with the same id is harmless."""
    now = use.clock.now()

    def work(conn: Connection) -> None:
        person = _myself(conn, request)
        if not store.tap_self_test(conn, person.id, body.test_id, now):
            raise invalid("#/test_id", "no_self_test")
        path = path_of_place(conn, person.place_id)
        audit.note(conn, request, use, "tap_self_test", "workers", person.id, path=path)

    await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    return answer(SaidOut(at=now).model_dump(mode="json"))


@router.get("/providers", response_model=ProvidersReadiness)
async def read_providers(request: Request, use: Use) -> Response:
    """What the last look at each account found: every ten minutes, and at once when one refuses us."""
    since = use.clock.now() - receipts_within

    def work(conn: Connection) -> ProvidersReadiness:
        rows, accepted, receipts = store.checks(conn), store.last_accepted(conn), store.last_receipts(conn, since)
        items = providers_shown(rows, accepted, receipts, language_of(request))
        return ProvidersReadiness(ready=all(item.ready for item in items), items=items)

    return answer((await use.database.read(work)).model_dump(mode="json"))


@router.post("/providers/check", response_model=CheckAsked)
async def check_providers(request: Request, use: Use, who: Who) -> Response:
    """Have every account looked at now; the result comes into GET within seconds. Once a minute at most."""
    now = use.clock.now()
    checks = use.checks
    if checks is None:
        raise Problem(503, "unavailable", "no_provider_checks")

    def work(conn: Connection) -> None:
        for_everything(who, conn)
        if done_since(conn, "check_providers", "readiness", "providers", now - checks_gap):
            wait = {"retry-after": str(int(checks_gap.total_seconds()))}
            raise Problem(429, "too_many", "checked_lately", headers=wait)
        audit.note(conn, request, use, "check_providers", "readiness", "providers")
        checks.tell(conn)

    await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    checks.wake()
    return answer(CheckAsked(asked_at=now).model_dump(mode="json"))


def _one(conn: Connection, request: Request, deps: Deps, person: PersonRow, now: datetime) -> WorkerReadiness:
    shown = _shown(conn, request, deps, [(person.id, person.code, person.name)], now)
    if not shown:
        raise not_found()
    return shown[0]


def _shown(
    conn: Connection, request: Request, deps: Deps, rows: Sequence[tuple[str, str, str]], now: datetime
) -> list[WorkerReadiness]:
    named = {person_id: (code, name) for person_id, code, name in rows}
    language = language_of(request)
    return [
        worker_shown(facts, *named[facts.person_id], deps.readiness, now, language)
        for facts in facts_of(conn, named, lambda channel, address: deps.budget(channel, address, now))
    ]


def _myself(conn: Connection, request: Request) -> PersonRow:
    """Whom the caller's key or login belongs to; Problem 404."""
    person_id = caller_of(request).person_id
    person = None if person_id is None else people.get(conn, person_id)
    if person is None:
        raise Problem(404, "not_found", "not_a_worker")
    return person


async def _said(
    request: Request,
    deps: Deps,
    act: str,
    note: Callable[[Connection, str, datetime], int],
    detail: dict[str, str],
) -> Response:
    now = deps.clock.now()

    def work(conn: Connection) -> None:
        person = _myself(conn, request)
        note(conn, person.id, now)
        path = path_of_place(conn, person.place_id)
        audit.note(conn, request, deps, act, "workers", person.id, path=path, detail=detail)

    await deps.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    return answer(SaidOut(at=now).model_dump(mode="json"))
