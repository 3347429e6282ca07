"""People who are told: workers, desks, volunteers. Household contacts are not among them; see households."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute
from api.deps import Use
from api.errors import conflict
from api.pages import Cursor, Limit, Page, limit_default
from api.permissions import PREFIX
from api.references import part_of, place_id_of
from api.registry import Noun, create, list_page, serve_one
from api.schemas.people import Hours, PersonIn, PersonOut
from devices.model import PersonKind
from devices.store import people as store
from devices.store.people import PersonRow
from devices.store.scope import Scope, path_of_place

router = APIRouter(prefix=f"{PREFIX}/workers", tags=["workers"], route_class=GuardedRoute)


def _changed(conn: Connection, scope: Scope, body: PersonIn, before: PersonRow) -> PersonRow:
    holder = store.find(conn, body.code)
    if holder is not None and holder.id != before.id:
        raise conflict("#/code", "taken", value=body.code)
    return replace(
        before,
        kind=body.kind,
        code=body.code,
        name=body.name,
        name_en=body.name_en,
        language=body.language,
        left_at=body.left_at,
        place_id=place_id_of(conn, scope, body.place_id, "#/place_id"),
        hours=None if body.hours is None else (_minute(body.hours.from_), _minute(body.hours.to)),
        night_calls_consent_at=body.night_calls_consent_at,
    )


def _minute(time_of_day: str) -> int:
    hours, minutes = time_of_day.split(":")
    return int(hours) * 60 + int(minutes)


def _time_of_day(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _shown(row: PersonRow) -> PersonOut:
    hours = None if row.hours is None else tuple(map(_time_of_day, row.hours))
    return PersonOut(
        id=row.id,
        kind=row.kind,
        code=row.code,
        name=row.name,
        name_en=row.name_en,
        language=row.language,
        left_at=row.left_at,
        place_id=row.place_id,
        hours=None if hours is None else Hours.model_validate({"from": hours[0], "to": hours[1]}),
        night_calls_consent_at=row.night_calls_consent_at,
        version=row.version,
    )


_PEOPLE = Noun(
    name="workers",
    model=PersonIn,
    get=store.get,
    insert_many=store.insert_many,
    update_one=store.update_one,
    changed=_changed,
    shown=_shown,
    version=lambda row: row.version,
    path=lambda conn, row: path_of_place(conn, row.place_id),
    scope_field="place_id",
)


@router.get("", response_model=Page[PersonOut])
async def list_people(
    request: Request,
    use: Use,
    kind: PersonKind | None = None,
    under: Annotated[str | None, Query(max_length=64, description="id or code of a place: who belongs there")] = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[PersonRow]:
        below = part_of(conn, scope, under, "?under")
        return store.page(conn, after, count, kind=kind, under=below, within=scope)

    return await list_page(request, use, _PEOPLE, cursor, limit, rows)


@router.post("", status_code=201, response_model=PersonOut)
async def create_person(body: PersonIn, request: Request, use: Use) -> Response:
    fresh = PersonRow(use.ids.uuid7(), body.kind, body.code, body.name, body.name_en, body.language)
    return await create(request, use, _PEOPLE, body, lambda conn: fresh)


serve_one(router, _PEOPLE, PersonOut)
