"""People who are told: workers, desks, households, volunteers, and how to reach them. Never shows a whole number."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.channels.mask import masked
from api import audit
from api.auth import GuardedRoute, caller_of
from api.deps import Use
from api.errors import conflict, invalid, not_found
from api.idempotency import Made, make_once
from api.pages import Cursor, Limit, Page, answer, limit_default
from api.permissions import PREFIX
from api.references import place_id_of
from api.registry import Noun, create, list_page, patch_one, put_one, read_one
from api.schemas.common import Patch
from api.schemas.registry import ContactIn, ContactOut, PersonIn, PersonOut
from devices.model import Channel, PersonKind
from devices.phones import normalise
from devices.store import people as store
from devices.store.people import ContactRow, PersonRow
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
    )


def _shown(row: PersonRow) -> PersonOut:
    return PersonOut(
        id=row.id,
        kind=row.kind,
        code=row.code,
        name=row.name,
        name_en=row.name_en,
        language=row.language,
        left_at=row.left_at,
        place_id=row.place_id,
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
    request: Request, use: Use, kind: PersonKind | None = None, cursor: Cursor = None, limit: Limit = limit_default
) -> Response:
    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[PersonRow]:
        return store.page(conn, after, count, kind=kind, within=scope)

    return await list_page(request, use, _PEOPLE, cursor, limit, rows)


@router.post("", status_code=201, response_model=PersonOut)
async def create_person(body: PersonIn, request: Request, use: Use) -> Response:
    fresh = PersonRow(use.ids.uuid7(), body.kind, body.code, body.name, body.name_en, body.language)
    return await create(request, use, _PEOPLE, body, lambda conn: fresh)


@router.get("/{id}", response_model=PersonOut)
async def read_person(id: str, request: Request, use: Use) -> Response:
    return await read_one(request, use, _PEOPLE, id)


@router.put("/{id}", response_model=PersonOut)
async def put_person(id: str, body: PersonIn, request: Request, use: Use) -> Response:
    """Who has left (`left_at`) is never on duty and never rung."""
    return await put_one(request, use, _PEOPLE, id, body)


@router.patch("/{id}", response_model=PersonOut)
async def patch_person(id: str, body: Patch, request: Request, use: Use) -> Response:
    return await patch_one(request, use, _PEOPLE, id, body)


@router.get("/{id}/contacts", response_model=Page[ContactOut])
async def list_contacts(id: str, request: Request, use: Use) -> Response:
    """All of them in the order in which they are tried; numbers are masked."""

    rows = await use.database.read(lambda conn: store.contacts(conn, _person(conn, request, id).id))
    return answer({"items": [_contact_shown(row).model_dump(mode="json") for row in rows], "next": None})


@router.post("/{id}/contacts", status_code=201, response_model=ContactOut)
async def create_contact(id: str, body: ContactIn, request: Request, use: Use) -> Response:
    """Numbers are read as people write them and kept as E.164. The worker may be named by id or by code."""

    def work(conn: Connection) -> Made:
        person = _person(conn, request, id)
        address = _address(body, person.id)
        known = {(row.channel, row.address) for row in store.contacts(conn, person.id)}
        if (body.channel, address) in known:
            raise conflict("#/address", "taken", value=body.address or body.channel.value)
        row = ContactRow(use.ids.uuid7(), person.id, body.channel, address)
        store.add_contacts(conn, [row])
        shown = _contact_shown(row).model_dump(mode="json")
        path = path_of_place(conn, person.place_id)
        audit.note(conn, request, use, "create", "contacts", row.id, path=path, detail={"person": person.id, **shown})
        return Made(shown)

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.registry_changed()
    return made.response()


def _person(conn: Connection, request: Request, reference: str) -> PersonRow:
    """By id or by code, within the caller's scope; Problem 404."""
    found = store.find(conn, reference)
    if found is None or not caller_of(request).scope(conn).covers(path_of_place(conn, found.place_id)):
        raise not_found()
    return found


def _address(body: ContactIn, person_id: str) -> str:
    if body.channel is Channel.APP:
        if body.address is not None:
            raise invalid("#/address", "app_address")
        return person_id
    if body.address is None:
        raise invalid("#/address", "address_missing")
    number = normalise(body.address)
    if number is None:
        raise invalid("#/address", "phone")
    return number


def _contact_shown(row: ContactRow) -> ContactOut:
    return ContactOut(
        id=row.id,
        channel=row.channel,
        address=row.address if row.channel is Channel.APP else masked(row.address),
        verified_at=row.verified_at,
        opted_out_at=row.opted_out_at,
    )
