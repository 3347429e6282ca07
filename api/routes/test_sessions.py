"""Test sessions: devices in test mode for a while, by name or those of a place that are not commissioned."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from alerting import walk_tests
from alerting.ports import Priority
from alerting.store import test_sessions as store
from alerting.store.test_sessions import Member, SessionRow
from alerting.walk_tests import session_devices_max
from api import audit
from api.auth import GuardedRoute, caller_of
from api.deps import Use
from api.errors import conflict, invalid, not_found
from api.idempotency import Made, attempt, make_once
from api.pages import Cursor, Limit, Page, answer, limit_default, page, position
from api.permissions import PREFIX
from api.references import place_of, unknown
from api.schemas.testing import TestedDevice, TestSessionIn, TestSessionOut
from devices.store import test_mode
from devices.store.scope import SEPARATOR, Scope

router = APIRouter(prefix=f"{PREFIX}/test-sessions", tags=["testing"], route_class=GuardedRoute)

named_in_audit_max = 50


@router.post("", status_code=201, response_model=TestSessionOut)
async def start_test_session(body: TestSessionIn, request: Request, use: Use) -> Response:
    """It ends by itself. An alarm of these devices pages only when it is not restored in time."""

    def work(conn: Connection) -> Made:
        now, who = use.clock.now(), caller_of(request)
        scope = who.scope(conn)
        place = None if body.place_id is None else place_of(conn, scope, body.place_id, "#/place_id")
        chosen = _named(conn, scope, body) if place is None else _below(conn, SEPARATOR.join(place.path))
        row = SessionRow(
            use.ids.uuid7(),
            None if place is None else place.id,
            now,
            now + timedelta(minutes=body.minutes),
            who.key_id[:64],
            who.name[:64],
        )
        walk_tests.begin_session(conn, row, chosen)
        path = None if place is None else SEPARATOR.join(place.path)
        detail = {"devices": len(chosen), "named": list(chosen[:named_in_audit_max]), "minutes": body.minutes}
        audit.note(conn, request, use, "start", "test-sessions", row.id, path=path, detail=detail)
        headers = {"location": f"{PREFIX}/test-sessions/{row.id}"}
        return Made(_shown(row, store.members(conn, [row.id])[row.id], now).model_dump(mode="json"), headers=headers)

    return (await make_once(request, use, work)).response()


@router.get("", response_model=Page[TestSessionOut])
async def list_test_sessions(
    request: Request,
    use: Use,
    running: Annotated[bool, Query(description="false: those that have ended too")] = True,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Newest first, with their devices."""
    after, now = position(cursor), use.clock.now()

    def work(conn: Connection) -> list[TestSessionOut]:
        scope = caller_of(request).scope(conn)
        rows = store.page(conn, after, limit + 1, now, running=running, within=scope)
        members = store.members(conn, [row.id for row in rows])
        return [_shown(row, members[row.id], now) for row in rows]

    return page(await use.database.read(work), limit, lambda one: one, lambda one: one.id)


@router.get("/{id}", response_model=TestSessionOut)
async def read_test_session(id: str, request: Request, use: Use) -> Response:
    return answer(
        (await use.database.read(lambda conn: _one(conn, request, id, use.clock.now()))).model_dump(mode="json")
    )


@router.post("/{id}/end", response_model=TestSessionOut)
async def end_test_session(id: str, request: Request, use: Use) -> Response:
    """Before its time. Ending twice changes nothing; what is held keeps its time."""

    def work(conn: Connection) -> TestSessionOut:
        now = use.clock.now()
        _one(conn, request, id, now)
        if walk_tests.end_session(conn, id, now):
            audit.note(conn, request, use, "end", "test-sessions", id)
        return _one(conn, request, id, now)

    ended = await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    return answer(ended.model_dump(mode="json"))


def _named(conn: Connection, scope: Scope, body: TestSessionIn) -> Sequence[str]:
    wanted = tuple(dict.fromkeys(body.device_ids))
    known = test_mode.known(conn, wanted, scope)
    for index, device_id in enumerate(body.device_ids):
        if device_id not in known:
            unknown(device_id, f"#/device_ids/{index}")
    return wanted


def _below(conn: Connection, path: str) -> Sequence[str]:
    """Never a commissioned device: those still page."""
    found = test_mode.not_commissioned_below(conn, path, session_devices_max + 1)
    if not found:
        raise conflict("#/place_id", "nothing_to_test")
    if len(found) > session_devices_max:
        raise invalid("#/place_id", "too_many_devices", most=session_devices_max)
    return found


def _one(conn: Connection, request: Request, session_id: str, now: datetime) -> TestSessionOut:
    row = store.get(conn, session_id, caller_of(request).scope(conn))
    if row is None:
        raise not_found()
    return _shown(row, store.members(conn, [row.id])[row.id], now)


def _shown(row: SessionRow, members: Sequence[Member], now: datetime) -> TestSessionOut:
    return TestSessionOut(
        id=row.id,
        place_id=row.place_id,
        started_at=row.started_at,
        ends_at=row.ends_at,
        ended_at=row.ended_at,
        running=row.ended_at is None and row.ends_at > now,
        started_by=row.started_by_name,
        devices=[
            TestedDevice(
                id=member.device_id,
                place_id=member.place_id,
                test_mode=member.test_mode_until is not None and member.test_mode_until > now,
                test_mode_until=member.test_mode_until,
                held_due_at=member.held_due_at,
            )
            for member in members
        ],
    )
