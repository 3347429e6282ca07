"""Duty: the whole ladder of a grid or a place at an instant, each name with its reason. Decides nothing itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute, Who
from api.deps import Use
from api.errors import invalid, language_of
from api.pages import answer
from api.permissions import PREFIX
from api.references import grid_of, place_id_of
from api.schemas.common import Instant
from api.schemas.duty import DutyOut, DutyPerson, DutyStep
from api.words import ON_DUTY, UNTIL, say
from devices.duty.zones import zone
from devices.model import BESIDE, LADDER, Channel, Language, Placement, Role
from devices.resolve import RegistrySnapshot, Stand, place_by_id, standing
from devices.store import marks
from devices.store import snapshot as store
from devices.store.scope import Scope

router = APIRouter(prefix=f"{PREFIX}/duty", tags=["duty"], route_class=GuardedRoute)

Reference = Annotated[str | None, Query(max_length=64, description="id or code")]
years_known = range(2000, 3000)


@router.get("", response_model=DutyOut)
async def read_duty(
    request: Request,
    use: Use,
    who: Who,
    grid: Reference = None,
    place: Reference = None,
    at: Annotated[Instant | None, Query(description="now when absent")] = None,
) -> Response:
    """Who would be asked, in order, and why each. With a grid alone, places are those of its community; give `place`
    to be exact: property desks and building stewards stand for compounds and buildings."""
    if grid is None and place is None:
        raise invalid("?grid", "missing")
    instant = at or use.clock.now()
    if instant.year not in years_known:
        raise invalid("?at", "datetime")
    language = language_of(request)

    def work(conn: Connection) -> DutyOut:
        snapshot, placement = _placed(conn, who.scope(conn), grid, place, instant, use.timezone)
        marked = marks.unreachable_of(conn, snapshot.people)
        steps, beside = (
            [_step(snapshot, placement, role, instant, language, marked) for role in roles]
            for roles in (LADDER, BESIDE)
        )
        return DutyOut(
            grid_id=placement.grid_id,
            place_id=placement.place_id,
            at=instant,
            timezone=use.timezone,
            steps=steps,
            beside=beside,
        )

    return answer((await use.database.read(work)).model_dump(mode="json"))


def _placed(
    conn: Connection, scope: Scope, grid: str | None, place: str | None, instant: datetime, timezone: str
) -> tuple[RegistrySnapshot, Placement]:
    row = None if grid is None else grid_of(conn, scope, grid, "?grid")
    place_id = place_id_of(conn, scope, place, "?place")
    if place_id is None and row is not None:
        place_id = row.community_id or next(iter(row.place_ids), None)
    grid_ids = () if row is None else (row.id,)
    place_ids = () if place_id is None else (place_id,)
    snapshot = store.load(conn, (), instant, place_ids=place_ids, grid_ids=grid_ids, timezone=timezone)
    placement = place_by_id(snapshot, place_id or "", grid_id=None if row is None else row.id)
    return snapshot, placement or Placement("", "", (), None)


def _step(
    snapshot: RegistrySnapshot,
    placement: Placement,
    role: Role,
    instant: datetime,
    language: Language,
    marked: Mapping[str, set[Channel]],
) -> DutyStep:
    stands = standing(snapshot, placement, role, instant)
    shown = [_person(each, snapshot.timezone, language, marked.get(each.person.id, set())) for each in stands]
    if not shown:
        return DutyStep(role=role, reason="nobody_on_duty", people=[])
    reachable = any(person.channels for person in shown)
    return DutyStep(role=role, reason="on_duty" if reachable else "nobody_reachable", people=shown)


def _person(stand: Stand, timezone: str, language: Language, marked: set[Channel]) -> DutyPerson:
    why = say(ON_DUTY[stand.reason.value], language)
    if stand.until is not None:
        why = say(UNTIL, language, why=why, until=f"{stand.until.astimezone(zone(timezone)):%Y-%m-%d %H:%M}")
    return DutyPerson(
        id=stand.person.id,
        name=stand.person.name,
        reason=stand.reason.value,
        why=why,
        source_id=stand.source_id,
        until=stand.until,
        channels=sorted({point.channel for point in stand.person.contacts}),
        unreachable=sorted(marked),
    )
