"""Patterns 排班规律: weekly and n-day rotations. Which slot covers an instant is the resolver's to say."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute
from api.deps import Use
from api.errors import conflict
from api.pages import Cursor, Limit, Page, limit_default
from api.permissions import PREFIX
from api.references import grid_id_of, person_of, place_id_of
from api.registry import Noun, create, list_page, serve_one
from api.schemas.duty import PatternIn, PatternOut, SlotIn, SlotOut
from api.schemas.registry import minute_of, wall_of
from devices.duty.plan import Pattern, Slot
from devices.store import patterns as store
from devices.store.patterns import PatternRow
from devices.store.scope import Scope, path_of_grid, path_of_place

router = APIRouter(prefix=f"{PREFIX}/patterns", tags=["patterns"], route_class=GuardedRoute)

Reference = Annotated[str | None, Query(max_length=64, description="id or code")]


def _changed(conn: Connection, scope: Scope, body: PatternIn, before: PatternRow) -> PatternRow:
    pattern = Pattern(
        id=before.pattern.id,
        grid_id=grid_id_of(conn, scope, body.grid_id, "#/grid_id"),
        place_id=place_id_of(conn, scope, body.place_id, "#/place_id"),
        timezone=body.timezone or before.pattern.timezone,
        first_day=body.first_day,
        last_day=body.last_day,
        cycle_days=body.cycle_days,
        slots=_slots(conn, scope, body),
    )
    _alone(conn, pattern)
    return replace(before, pattern=pattern, name=body.name)


def _slots(conn: Connection, scope: Scope, body: PatternIn) -> tuple[Slot, ...]:
    known: dict[str, str] = {}
    for index, slot in enumerate(body.slots):
        if slot.person_id not in known:
            known[slot.person_id] = person_of(conn, scope, slot.person_id, f"#/slots/{index}/person_id").id
    return tuple(_slot(slot, known[slot.person_id]) for slot in body.slots)


def _slot(slot: SlotIn, person_id: str) -> Slot:
    return Slot(slot.day, minute_of(slot.from_), minute_of(slot.to), slot.role, person_id, slot.rank)


def _alone(conn: Connection, pattern: Pattern) -> None:
    """No two rotations of one step at once: people would stand twice and nobody would know why."""
    roles = {slot.role for slot in pattern.slots}
    for row in store.of_scope(conn, pattern.grid_id, pattern.place_id):
        other = row.pattern
        shared = other.id != pattern.id and roles & {slot.role for slot in other.slots}
        ended = other.last_day is not None and other.last_day < pattern.first_day
        later = pattern.last_day is not None and pattern.last_day < other.first_day
        if shared and not ended and not later:
            raise conflict("#/first_day", "pattern_overlap", other=row.name)


def _shown(row: PatternRow) -> PatternOut:
    pattern = row.pattern
    return PatternOut(
        id=pattern.id,
        name=row.name,
        grid_id=pattern.grid_id,
        place_id=pattern.place_id,
        timezone=pattern.timezone,
        first_day=pattern.first_day,
        last_day=pattern.last_day,
        cycle_days=pattern.cycle_days,
        slots=[_slot_shown(slot) for slot in pattern.slots],
        version=row.version,
    )


def _slot_shown(slot: Slot) -> SlotOut:
    begins, ends = wall_of(slot.from_minute), wall_of(slot.to_minute)
    return SlotOut(from_=begins, to=ends, day=slot.day, role=slot.role, person_id=slot.person_id, rank=slot.rank)


def _path(conn: Connection, row: PatternRow) -> str | None:
    pattern = row.pattern
    return path_of_grid(conn, pattern.grid_id) if pattern.grid_id else path_of_place(conn, pattern.place_id)


_PATTERNS = Noun(
    name="patterns",
    model=PatternIn,
    get=store.get,
    insert_many=store.insert_many,
    update_one=store.update_one,
    changed=_changed,
    shown=_shown,
    version=lambda row: row.version,
    path=_path,
    scope_field="grid_id",
)


@router.get("", response_model=Page[PatternOut])
async def list_patterns(
    request: Request,
    use: Use,
    grid_id: Reference = None,
    place_id: Reference = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[PatternRow]:
        grid, place = grid_id_of(conn, scope, grid_id, "?grid_id"), place_id_of(conn, scope, place_id, "?place_id")
        return store.page(conn, after, count, grid_id=grid, place_id=place, within=scope)

    return await list_page(request, use, _PATTERNS, cursor, limit, rows)


@router.post("", status_code=201, response_model=PatternOut)
async def create_pattern(body: PatternIn, request: Request, use: Use) -> Response:
    empty = Pattern(use.ids.uuid7(), None, None, use.timezone, body.first_day, None, body.cycle_days, ())
    return await create(request, use, _PATTERNS, body, lambda conn: PatternRow(empty, body.name))


serve_one(router, _PATTERNS, PatternOut, store.remove)
