"""Drills 演练: start, watch, end, and see beforehand who would be asked. Never decides whom to ask."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from alerting.core.drill_figures import figures
from alerting.core.drills import CODE_DEFAULT, Order, Rehearsed
from alerting.core.model import Reason
from alerting.drills import Refused
from alerting.ports import Priority
from alerting.store import drills as store
from alerting.store.drills import DrillRow
from alerting.writing import Written
from api import audit
from api.auth import GuardedRoute, caller_of
from api.deps import Deps, Use
from api.errors import conflict, invalid, not_found
from api.idempotency import Made, make_once
from api.pages import Cursor, Limit, Page, answer, limit_default, page, position
from api.permissions import PREFIX
from api.references import grid_of, place_of
from api.schemas.drills import (
    AlarmCode,
    DrillAsked,
    DrillFigures,
    DrillIn,
    DrillMessage,
    DrillOut,
    DrillPreview,
    DrillReport,
    DrillStep,
    NeverAnswered,
    WouldAsk,
)
from api.store.references import covering
from devices.store.places import PlaceRow
from devices.store.scope import Scope, path_of_grid

router = APIRouter(prefix=f"{PREFIX}/drills", tags=["drills"], route_class=GuardedRoute)

Word = Annotated[str | None, Query(max_length=64)]


@router.post("", status_code=201, response_model=DrillReport)
async def start_drill(body: DrillIn, request: Request, use: Use) -> Response:
    """Ask the people on duty now, by the real ladder and channels, every text marked 演练 or DRILL.

    Households are never asked and devices never commanded. It ends by itself, and at once for a real alarm.
    """
    started: list[Written] = []

    def work(conn: Connection) -> Made:
        started.clear()  # the transaction may be run again
        scope = caller_of(request).scope(conn)
        order = _order(conn, scope, request, use, body, "#/")
        made = use.service.drills.start(conn, order)
        if isinstance(made, Refused):
            raise conflict("#/grid", made.reason.value, reference=made.reference)
        row, written = made
        started.append(written)
        detail = {"grid": row.grid_id, "code": row.code, "ends_at": row.ends_at.isoformat(), "note": row.note}
        audit.note(
            conn, request, use, "start_drill", "drills", row.id, path=path_of_grid(conn, row.grid_id), detail=detail
        )
        headers = {"location": f"{PREFIX}/drills/{row.id}"}
        return Made(_report(conn, row).model_dump(mode="json"), headers=headers)

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.drills.running = True
        use.service.drills.after(started[-1])
    return made.response()


@router.get("", response_model=Page[DrillOut])
async def list_drills(
    request: Request,
    use: Use,
    running: bool | None = None,
    grid: Word = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Newest first."""
    after = position(cursor)

    def work(conn: Connection) -> list[DrillOut]:
        scope = caller_of(request).scope(conn)
        grid_id = None if grid is None else grid_of(conn, scope, grid, "?grid").id
        rows = store.page(conn, after, limit + 1, running=running, grid_id=grid_id, within=scope)
        names = store.references_of(conn, [row.incident_id for row in rows])
        return [DrillOut(**_shown(row, names.get(row.incident_id))) for row in rows]

    return page(await use.database.read(work), limit, lambda one: one, lambda one: one.id)


@router.get("/preview", response_model=DrillPreview)
async def preview_drill(
    request: Request,
    use: Use,
    grid: Annotated[str, Query(min_length=1, max_length=64)],
    code: AlarmCode = CODE_DEFAULT,
    place: Word = None,
) -> Response:
    """Whom a drill would ask now, step by step, and with which words. Nobody is asked, nothing is written."""

    def work(conn: Connection) -> DrillPreview:
        body = DrillIn(grid=grid, code=code, place=place)
        order = _order(conn, caller_of(request).scope(conn), request, use, body, "?")
        steps = [_step(each) for each in use.service.drills.rehearse(conn, order)]
        return DrillPreview(grid_id=order.grid_id, place_id=order.place_id, code=order.code, steps=steps)

    return answer((await use.database.read(work)).model_dump(mode="json"))


@router.get("/{id}", response_model=DrillReport)
async def read_drill(id: str, request: Request, use: Use) -> Response:
    """With its figures: who was asked, how soon each thing came about, who never answered."""

    def work(conn: Connection) -> DrillReport:
        return _report(conn, _one(conn, request, id))

    return answer((await use.database.read(work)).model_dump(mode="json"))


@router.post("/{id}/end", response_model=DrillReport)
async def end_drill(id: str, request: Request, use: Use) -> Response:
    """End it before its time; everybody who was asked hears so. Ending twice changes nothing."""

    def work(conn: Connection) -> tuple[DrillReport, Written | None]:
        row = _one(conn, request, id)
        written = use.service.drills.end(conn, row.id, caller_of(request).actor, Reason.DRILL_OVER)
        if written is not None:
            audit.note(conn, request, use, "end_drill", "drills", id, path=path_of_grid(conn, row.grid_id))
        return _report(conn, _one(conn, request, id)), written

    ended, written = await use.database.write(Priority.ACCEPTANCE, work)
    if written is not None:
        use.service.drills.after(written)
    return answer(ended.model_dump(mode="json"))


def _order(conn: Connection, scope: Scope, request: Request, use: Deps, body: DrillIn, front: str) -> Order:
    """What is asked for, within the caller's scope; Problem names the field. `front`: where its fields stand."""
    grid = grid_of(conn, scope, body.grid, f"{front}grid")
    if body.place is not None:
        place = place_of(conn, scope, body.place, f"{front}place")
        if _grid_around(conn, place) != grid.id:
            raise invalid(f"{front}place", "drill_place", grid=grid.code)
        place_id = place.id
    elif grid.place_ids:
        place_id = grid.place_ids[0]
    else:
        raise conflict(f"{front}grid", "drill_no_place")
    return Order(
        id=use.ids.uuid7(),
        incident_id=use.ids.uuid7(),
        reference=use.ids.reference(),
        code=body.code,
        grid_id=grid.id,
        place_id=place_id,
        by=caller_of(request).actor,
        minutes=body.minutes,
        note=body.note or "",
    )


def _grid_around(conn: Connection, place: PlaceRow) -> str | None:
    """The grid that covers the nearest covered place at or above this one."""
    found = covering(conn, place.path)
    return next((found[each][0] for each in reversed(place.path) if each in found), None)


def _one(conn: Connection, request: Request, drill_id: str) -> DrillRow:
    row = store.get(conn, drill_id, caller_of(request).scope(conn))
    if row is None:
        raise not_found()
    return row


def _shown(row: DrillRow, reference: str | None) -> dict[str, object]:
    return {
        "id": row.id,
        "incident_id": row.incident_id,
        "reference": reference,
        "grid_id": row.grid_id,
        "place_id": row.place_id,
        "code": row.code,
        "note": row.note,
        "started_at": row.started_at,
        "ends_at": row.ends_at,
        "started_by": row.started_by_name,
        "running": row.ended_at is None,
        "ended_at": row.ended_at,
        "end_reason": row.end_reason,
    }


def _report(conn: Connection, row: DrillRow) -> DrillReport:
    reference = store.references_of(conn, [row.incident_id]).get(row.incident_id)
    found = figures(row.started_at, store.sent(conn, row.incident_id), store.deeds(conn, row.incident_id))
    asked = [
        DrillAsked(
            recipient_id=each.recipient_id,
            name=each.name,
            going_s=each.going_s,
            declined_s=each.declined_s,
            answered=each.answered,
            messages=[
                DrillMessage(**{name: getattr(message, name) for name in DrillMessage.model_fields})
                for message in each.messages
            ],
        )
        for each in found.asked
    ]
    shown = DrillFigures(
        asked=asked,
        never_answered=[NeverAnswered(recipient_id=one.recipient_id, name=one.name) for one in found.never_answered],
        first_going_s=found.first_going_s,
        on_site_s=found.on_site_s,
    )
    return DrillReport(**_shown(row, reference), figures=shown)


def _step(each: Rehearsed) -> DrillStep:
    return DrillStep(
        step=each.step,
        after_s=each.after_s,
        to=[role.value for role in each.to],
        would_ask=[
            WouldAsk(
                recipient_id=page.recipient_id,
                name=page.recipient_name,
                channel=page.channel.value,
                language=page.language.value,
                text=page.text,
            )
            for page in each.pages
        ],
    )
