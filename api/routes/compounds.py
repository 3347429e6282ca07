"""Compounds: what a 小区 is, who manages and who supervises it. 三无 is derived, never typed."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute, caller_of
from api.deps import Deps, Use
from api.errors import invalid, language_of
from api.pages import Cursor, Limit, Page, limit_default
from api.permissions import PREFIX
from api.references import part_of, unknown
from api.registry import Noun, list_page, patch_one, put_one, read_one
from api.schemas.common import Patch
from api.schemas.places import CompoundIn, CompoundOut
from api.words import say
from api.words_people import PLACE_KINDS
from devices.model import CompoundType, OrganisationKind, PlaceKind
from devices.store import compounds as store
from devices.store import organisations, places
from devices.store.compounds import CompoundRow
from devices.store.scope import SEPARATOR, Scope

router = APIRouter(prefix=f"{PREFIX}/compounds", tags=["compounds"], route_class=GuardedRoute)

Reference = Annotated[str | None, Query(max_length=64, description="id or code")]


def _changed(conn: Connection, scope: Scope, body: CompoundIn, before: CompoundRow) -> CompoundRow:
    company, unit = OrganisationKind.PROPERTY_COMPANY, OrganisationKind.UNIT
    return replace(
        before,
        type=body.type,
        committee=body.committee,
        property_company_id=_organisation(conn, body.property_company_id, company, "#/property_company_id"),
        supervising_unit_id=_organisation(conn, body.supervising_unit_id, unit, "#/supervising_unit_id"),
        partner_unit_id=_organisation(conn, body.partner_unit_id, unit, "#/partner_unit_id"),
    )


def _organisation(conn: Connection, wanted: str | None, kind: OrganisationKind, pointer: str) -> str | None:
    """The id of an optional organisation of this kind."""
    if wanted is None:
        return None
    found = organisations.find(conn, wanted)
    if found is None:
        unknown(wanted, pointer)
    if found.kind is not kind:
        raise invalid(pointer, "organisation_kind", expected=kind.value)
    return found.id


def _shown(row: CompoundRow) -> CompoundOut:
    return CompoundOut(
        id=row.place_id,
        code=row.code,
        name=row.name,
        type=row.type,
        committee=row.committee,
        property_company_id=row.property_company_id,
        supervising_unit_id=row.supervising_unit_id,
        partner_unit_id=row.partner_unit_id,
        three_without=row.three_without,
        version=row.version,
    )


def _none_is_inserted(conn: Connection, rows: list[CompoundRow]) -> None:
    raise AssertionError("a compound comes with its place")


_COMPOUNDS = Noun(
    name="compounds",
    model=CompoundIn,
    get=store.get,
    insert_many=_none_is_inserted,
    update_one=store.update_one,
    changed=_changed,
    shown=_shown,
    version=lambda row: row.version,
    path=lambda conn, row: SEPARATOR.join(row.path),
)


@router.get("", response_model=Page[CompoundOut])
async def list_compounds(
    request: Request,
    use: Use,
    three_without: Annotated[
        bool | None, Query(description="三无 or not; leaves out those nobody has described")
    ] = None,
    property_company: Reference = None,
    type: CompoundType | None = None,
    under: Reference = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Every place of kind compound, in order of ids."""

    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[CompoundRow]:
        company = _organisation(conn, property_company, OrganisationKind.PROPERTY_COMPANY, "?property_company")
        return store.page(
            conn,
            after,
            count,
            three_without=three_without,
            property_company_id=company,
            type_=type,
            under=part_of(conn, scope, under, "?under"),
            within=scope,
        )

    return await list_page(request, use, _COMPOUNDS, cursor, limit, rows)


@router.get("/{id}", response_model=CompoundOut)
async def read_compound(id: str, request: Request, use: Use) -> Response:
    return await read_one(request, use, _COMPOUNDS, await _compound(request, use, id))


@router.put("/{id}", response_model=CompoundOut)
async def put_compound(id: str, body: CompoundIn, request: Request, use: Use) -> Response:
    """What nobody has described yet has version 0: `If-Match: "0"`."""
    return await put_one(request, use, _COMPOUNDS, await _compound(request, use, id), body)


@router.patch("/{id}", response_model=CompoundOut)
async def patch_compound(id: str, body: Patch, request: Request, use: Use) -> Response:
    return await patch_one(request, use, _COMPOUNDS, await _compound(request, use, id), body)


async def _compound(request: Request, deps: Deps, reference: str) -> str:
    """The id of the place named by id or code; Problem 422 when the caller may see it and it is no compound."""

    def work(conn: Connection) -> str:
        found = places.find(conn, reference)
        if found is None or not caller_of(request).scope(conn).covers(found.path):
            return reference
        if found.kind is not PlaceKind.COMPOUND:
            word = say(PLACE_KINDS[found.kind], language_of(request))
            raise invalid("#", "not_a_compound", value=f"{found.name} ({word})")
        return found.id

    return await deps.database.read(work)
