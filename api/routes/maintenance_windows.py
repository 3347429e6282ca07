"""Maintenance windows: begin, list, end early. What one silences is decided by the core alone."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from alerting.core.maintenance import window_hours_max
from alerting.ports import Priority
from alerting.store import maintenance as store
from alerting.store.maintenance import WindowRow
from api import audit
from api.auth import GuardedRoute, caller_of
from api.deps import Use
from api.errors import invalid, not_found
from api.idempotency import Made, attempt, make_once
from api.pages import Cursor, Limit, Page, answer, limit_default, page, position
from api.permissions import PREFIX
from api.references import place_of, unknown
from api.schemas.restraint import WindowIn, WindowOut, WindowState
from devices.model import PlaceKind
from devices.store import test_mode
from devices.store.scope import SEPARATOR, Scope

router = APIRouter(prefix=f"{PREFIX}/maintenance-windows", tags=["maintenance"], route_class=GuardedRoute)

TOO_LARGE = frozenset({PlaceKind.CITY, PlaceKind.DISTRICT, PlaceKind.STREET, PlaceKind.COMMUNITY})
planned_days_max = 30
past_minutes_max = 5


@router.post("", status_code=201, response_model=WindowOut)
async def begin_window(body: WindowIn, request: Request, use: Use) -> Response:
    """Signals below it page nobody while it runs, but for class A, severity 1. It ends by itself."""

    def work(conn: Connection) -> Made:
        now, who = use.clock.now(), caller_of(request)
        starts, ends = _period(body, now)
        place_id, path = _where(conn, who.scope(conn), body)
        made_by, name = who.key_id[:64], who.name[:64]
        row = WindowRow(use.ids.uuid7(), place_id, body.device_id, starts, ends, None, body.reason, made_by, name, now)
        store.add(conn, row)
        document = _shown(conn, row, now).model_dump(mode="json")
        audit.note(conn, request, use, "begin", "maintenance-windows", row.id, path=path, detail=document)
        return Made(document, headers={"location": f"{PREFIX}/maintenance-windows/{row.id}"})

    return (await make_once(request, use, work)).response()


@router.get("", response_model=Page[WindowOut])
async def list_windows(
    request: Request,
    use: Use,
    running: Annotated[bool, Query(description="false: those that are over too")] = True,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Newest first: those that run or are to come."""
    after, now = position(cursor), use.clock.now()

    def work(conn: Connection) -> list[WindowOut]:
        within = caller_of(request).scope(conn)
        rows = store.page(conn, after, limit + 1, now, over=not running, within=within)
        return [_shown(conn, row, now) for row in rows]

    return page(await use.database.read(work), limit, lambda one: one, lambda one: one.id)


@router.get("/{id}", response_model=WindowOut)
async def read_window(id: str, request: Request, use: Use) -> Response:
    def work(conn: Connection) -> WindowOut:
        return _shown(conn, _row(conn, request, id), use.clock.now())

    return answer((await use.database.read(work)).model_dump(mode="json"))


@router.post("/{id}/end", response_model=WindowOut)
async def end_window(id: str, request: Request, use: Use) -> Response:
    """Before its time: what is still active is announced at once. Ending twice changes nothing."""

    def work(conn: Connection) -> WindowOut:
        now, row = use.clock.now(), _row(conn, request, id)
        if store.end(conn, row, now):
            path = store.path_of(conn, row)
            audit.note(conn, request, use, "end", "maintenance-windows", id, path=path)
        return _shown(conn, _row(conn, request, id), now)

    ended = await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    use.service.wake()
    return answer(ended.model_dump(mode="json"))


def _period(body: WindowIn, now: datetime) -> tuple[datetime, datetime]:
    starts = body.starts_at or now
    if not now - timedelta(minutes=past_minutes_max) <= starts <= now + timedelta(days=planned_days_max):
        raise invalid("#/starts_at", "window_start", days=planned_days_max)
    ends = starts + timedelta(hours=body.hours) if body.hours is not None else body.until
    assert ends is not None
    if not timedelta() < ends - max(starts, now) or ends - starts > timedelta(hours=window_hours_max):
        raise invalid("#/hours" if body.hours is not None else "#/until", "window_length", hours=window_hours_max)
    return starts, ends


def _where(conn: Connection, scope: Scope, body: WindowIn) -> tuple[str | None, str | None]:
    """(place, path for the audit); the device or place must be known to the caller, and no community or larger."""
    if body.place_id is not None:
        place = place_of(conn, scope, body.place_id, "#/place_id")
        if place.kind in TOO_LARGE:
            raise invalid("#/place_id", "window_too_large")
        return place.id, SEPARATOR.join(place.path)
    assert body.device_id is not None
    if not test_mode.known(conn, [body.device_id], scope):
        unknown(body.device_id, "#/device_id")
    return None, store.path_of_device(conn, body.device_id)


def _row(conn: Connection, request: Request, window_id: str) -> WindowRow:
    row = store.get(conn, window_id, caller_of(request).scope(conn))
    if row is None:
        raise not_found()
    return row


def _shown(conn: Connection, row: WindowRow, now: datetime) -> WindowOut:
    return WindowOut(
        id=row.id,
        place_id=row.place_id,
        device_id=row.device_id,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        state=_state(row, now),
        reason=row.reason,
        made_by=row.made_by_name,
        created_at=row.created_at,
        silent_incidents=store.silent(conn, [row]),
    )


def _state(row: WindowRow, now: datetime) -> WindowState:
    if row.ended_at is not None:
        return WindowState.ENDED_EARLY
    if now < row.starts_at:
        return WindowState.PLANNED
    return WindowState.RUNNING if now < row.ends_at else WindowState.OVER
