"""Organisations: property companies and units. Everybody at a desk may read them; they belong to the deployment."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api.auth import GuardedRoute, Who, for_everything
from api.deps import Deps, Use
from api.errors import conflict, not_found
from api.pages import Cursor, Limit, Page, answer, limit_default
from api.permissions import PREFIX
from api.registry import Noun, create, list_page, patch_one, put_one, remove_one
from api.schemas.common import Patch
from api.schemas.places import OrganisationIn, OrganisationOut
from api.versions import etag
from devices.model import OrganisationKind
from devices.store import organisations as store
from devices.store.organisations import OrganisationRow
from devices.store.scope import Scope

router = APIRouter(prefix=f"{PREFIX}/organisations", tags=["organisations"], route_class=GuardedRoute)


def _changed(conn: Connection, scope: Scope, body: OrganisationIn, before: OrganisationRow) -> OrganisationRow:
    holder = store.find(conn, body.code)
    if holder is not None and holder.id != before.id:
        raise conflict("#/code", "taken", value=body.code)
    if body.kind is not before.kind and (count := store.compounds_of(conn, before.id)):
        raise conflict("#/kind", "has_compounds", count=count)
    return replace(before, kind=body.kind, code=body.code, name=body.name, name_en=body.name_en)


def _shown(row: OrganisationRow) -> OrganisationOut:
    return OrganisationOut(
        id=row.id, kind=row.kind, code=row.code, name=row.name, name_en=row.name_en, version=row.version
    )


_ORGANISATIONS = Noun(
    name="organisations",
    model=OrganisationIn,
    get=store.get,
    insert_many=store.insert_many,
    update_one=store.update_one,
    changed=_changed,
    shown=_shown,
    version=lambda row: row.version,
    path=lambda conn, row: None,
)


@router.get("", response_model=Page[OrganisationOut])
async def list_organisations(
    request: Request,
    use: Use,
    kind: OrganisationKind | None = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[OrganisationRow]:
        return store.page(conn, after, count, kind=kind)

    return await list_page(request, use, _ORGANISATIONS, cursor, limit, rows)


@router.post("", status_code=201, response_model=OrganisationOut)
async def create_organisation(body: OrganisationIn, request: Request, use: Use, who: Who) -> Response:
    """As all changes here: for those whose rights cover the whole deployment."""
    await _may_change(use, who)
    fresh = OrganisationRow(use.ids.uuid7(), body.kind, body.code, body.name)
    return await create(request, use, _ORGANISATIONS, body, lambda conn: fresh)


@router.get("/{id}", response_model=OrganisationOut)
async def read_organisation(id: str, use: Use) -> Response:
    row = await use.database.read(lambda conn: store.get(conn, id))
    if row is None:
        raise not_found()
    return answer(_shown(row).model_dump(mode="json"), headers={"etag": etag(row.version)})


@router.put("/{id}", response_model=OrganisationOut)
async def put_organisation(id: str, body: OrganisationIn, request: Request, use: Use, who: Who) -> Response:
    await _may_change(use, who)
    return await put_one(request, use, _ORGANISATIONS, id, body)


@router.patch("/{id}", response_model=OrganisationOut)
async def patch_organisation(id: str, body: Patch, request: Request, use: Use, who: Who) -> Response:
    await _may_change(use, who)
    return await patch_one(request, use, _ORGANISATIONS, id, body)


@router.delete("/{id}", status_code=204)
async def remove_organisation(id: str, request: Request, use: Use, who: Who) -> Response:
    """Refused while a compound names it."""
    await _may_change(use, who)

    def remove(conn: Connection, row: OrganisationRow) -> bool:
        if count := store.compounds_of(conn, row.id):
            raise conflict("#", "has_compounds", count=count)
        return store.remove(conn, row.id, row.version)

    return await remove_one(request, use, _ORGANISATIONS, id, remove)


async def _may_change(deps: Deps, who: Who) -> None:
    await deps.database.read(lambda conn: for_everything(who, conn))
