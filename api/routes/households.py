"""Household contacts per flat: entered and withdrawn at any time, read by name only while an incident is open there.

Never lists a name or a number outside such an incident, never keeps either in the audit.
"""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from alerting.ports import Conflict, Priority
from alerting.store import households as messages
from api import audit
from api.auth import GuardedRoute, Who, caller_of
from api.deps import Use
from api.errors import Problem, invalid, not_found
from api.idempotency import Made, attempt, make_once
from api.pages import Cursor, Limit, Page, answer, limit_default, page, position
from api.permissions import PREFIX
from api.references import part_of, place_of
from api.registry import Noun, create, put_one, read_one, remove_one, visible
from api.schemas.people import (
    ConsentIn,
    FlatContact,
    FlatOut,
    HouseholdIn,
    HouseholdOut,
    ToCallList,
    ToCallOut,
)
from api.store import acts
from api.store import burning as incidents
from api.words import REFUSALS
from devices.model import PlaceKind
from devices.phones import normalise, without_numbers
from devices.store import households as store
from devices.store.households import HouseholdRow, ToCall
from devices.store.scope import Scope, path_of_place

router = APIRouter(prefix=PREFIX, tags=["households"], route_class=GuardedRoute)

to_call_max = 200
_FLATS = frozenset({PlaceKind.ROOM, PlaceKind.BUILDING})
_ABOVE_BUILDING = frozenset(tuple(PlaceKind)[: tuple(PlaceKind).index(PlaceKind.BUILDING)])


def noun_at(now: datetime) -> Noun[HouseholdIn, HouseholdRow]:
    """Household contacts as the registry handles them, at this moment."""

    def changed(conn: Connection, scope: Scope, body: HouseholdIn, before: HouseholdRow) -> HouseholdRow:
        flat = place_of(conn, scope, body.place_id, "#/place_id")
        if flat.kind not in _FLATS:
            raise invalid("#/place_id", "not_a_flat")
        phone = _number(body.phone)
        row = replace(
            before,
            place_id=flat.id,
            name=body.name,
            relation=body.relation,
            phone=phone,
            verified_at=before.verified_at if phone == before.phone else None,
            result_messages=body.result_messages,
            needs_help_leaving=body.needs_help_leaving,
            language=body.language,
        )
        return _with_consent(row, body, now)

    return Noun(
        name="households",
        model=HouseholdIn,
        get=store.get,
        insert_many=store.insert_many,
        update_one=store.update_one,
        changed=changed,
        shown=_shown,
        version=lambda row: row.version,
        path=lambda conn, row: path_of_place(conn, row.place_id),
        scope_field="place_id",
    )


def _with_consent(row: HouseholdRow, body: ConsentIn, now: datetime) -> HouseholdRow:
    """Consent must be in force when it is entered."""
    if body.consent_at > now:
        raise invalid("#/consent_at", "consent_future")
    if body.consent_until <= now:
        raise invalid("#/consent_until", "past")
    how = without_numbers(body.consent_how)
    return replace(row, consent_at=body.consent_at, consent_until=body.consent_until, consent_how=how)


def _number(phone: str | None) -> str | None:
    if phone is None:
        return None
    number = normalise(phone)
    if number is None:
        raise invalid("#/phone", "phone")
    return number


def _shown(row: HouseholdRow) -> HouseholdOut:
    return HouseholdOut(
        id=row.id,
        place_id=row.place_id,
        relation=row.relation,
        has_phone=row.phone is not None,
        phone_verified=row.verified_at is not None,
        result_messages=row.result_messages,
        consent_at=row.consent_at,
        consent_until=row.consent_until,
        consent_how=row.consent_how,
        version=row.version,
    )


@router.get("/households", response_model=Page[FlatOut])
async def list_flats(
    request: Request,
    use: Use,
    under: Annotated[str | None, Query(max_length=64, description="id or code of a place")] = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Flats that have contacts, in order of ids: how many, and until when each has agreed. No name, no number."""
    after, now = position(cursor), use.clock.now()

    def work(conn: Connection) -> list[tuple[str, list[HouseholdRow]]]:
        scope = caller_of(request).scope(conn)
        return store.flats_page(conn, after, limit + 1, under=part_of(conn, scope, under, "?under"), within=scope)

    def shown(flat: tuple[str, list[HouseholdRow]]) -> FlatOut:
        return _flat_shown(*flat, now)

    return page(await use.database.read(work), limit, shown, lambda flat: flat[0])


def _flat_shown(place_id: str, rows: list[HouseholdRow], now: datetime) -> FlatOut:
    contacts = [
        FlatContact(
            id=row.id,
            relation=row.relation,
            consent_until=row.consent_until,
            in_force=row.in_force(now),
            version=row.version,
        )
        for row in rows
    ]
    in_force = sum(contact.in_force for contact in contacts)
    return FlatOut(place_id=place_id, in_force=in_force, expired=len(contacts) - in_force, contacts=contacts)


@router.post("/households", status_code=201, response_model=HouseholdOut)
async def create_household(body: HouseholdIn, request: Request, use: Use) -> Response:
    """With the person's consent in hand. The answer says that it is kept, not what was said."""
    fresh = HouseholdRow(
        use.ids.uuid7(),
        body.place_id,
        body.name,
        body.relation,
        None,
        body.consent_at,
        body.consent_until,
        body.consent_how,
    )
    return await create(request, use, noun_at(use.clock.now()), body, lambda conn: fresh)


@router.get("/households/{id}", response_model=HouseholdOut)
async def read_household(id: str, request: Request, use: Use) -> Response:
    return await read_one(request, use, noun_at(use.clock.now()), id)


@router.put("/households/{id}", response_model=HouseholdOut)
async def put_household(id: str, body: HouseholdIn, request: Request, use: Use) -> Response:
    """Everything anew: what was there cannot be read, so it cannot be patched."""
    return await put_one(request, use, noun_at(use.clock.now()), id, body)


@router.delete("/households/{id}", status_code=204)
async def withdraw_household(id: str, request: Request, use: Use) -> Response:
    """The person withdraws: name and number are deleted; the audit keeps that there was somebody."""

    def remove(conn: Connection, row: HouseholdRow) -> bool:
        messages.forget(conn, row.id)
        return store.remove(conn, row.id, row.version)

    return await remove_one(request, use, noun_at(use.clock.now()), id, remove)


@router.post("/households/{id}/consent", response_model=HouseholdOut)
async def renew_consent(id: str, body: ConsentIn, request: Request, use: Use) -> Response:
    """The person agrees for longer, or for less."""
    noun = noun_at(use.clock.now())

    def work(conn: Connection) -> Made:
        before = visible(conn, request, noun, id)
        after = _with_consent(before, body, use.clock.now())
        if not store.update_one(conn, after):
            raise Conflict(f"household {id}")
        shown = _shown(replace(after, version=before.version + 1)).model_dump(mode="json")
        detail = audit.changes(_shown(before).model_dump(mode="json"), shown)
        audit.note(conn, request, use, "consent", noun.name, id, path=noun.path(conn, after), detail=detail)
        return Made(shown, status=200)

    return (await make_once(request, use, work)).response()


@router.get("/incidents/{id}/households", response_model=ToCallList)
async def list_to_call(id: str, request: Request, use: Use, who: Who) -> Response:
    """Whom to call while this incident is open, with whole numbers: the contacts of its building (else its place) whose
    consent is in force, who needs help leaving first. The first look of each caller goes into the audit."""
    now = use.clock.now()

    def work(conn: Connection) -> tuple[ToCallList, str | None, bool]:
        found = incidents.burning(conn, id, who.sight(conn))
        if found is None:
            raise not_found()
        if found.closed:
            extra = {"refusal": "already_closed"}
            raise Problem(409, "refused", sentence=REFUSALS["already_closed"], extra=extra)
        if found.pretended:
            raise Problem(409, "refused", "not_for_drills", extra={"refusal": "wrong_state"})
        rows = []
        if found.around is not None:
            rows = store.to_call(conn, found.around, now, to_call_max + 1, within=found.within)
        items = _to_call_shown(conn, rows[:to_call_max])
        shown = ToCallList(incident_id=id, items=items, more=len(rows) > to_call_max)
        return shown, found.path, acts.has_done(conn, who.key_id, "read", "households", id)

    def work_and_note(conn: Connection) -> ToCallList:
        shown, path, noted = work(conn)
        if shown.items and not noted:
            detail = {"contacts": [item.id for item in shown.items]}
            audit.note(conn, request, use, "read", "households", id, path=path, detail=detail)
        return shown

    shown, _, noted = await use.database.read(work)
    if shown.items and not noted:
        shown = await use.database.write(Priority.ACCEPTANCE, lambda conn: attempt(conn, work_and_note))
    return answer(shown.model_dump(mode="json"))


def _to_call_shown(conn: Connection, rows: list[ToCall]) -> list[ToCallOut]:
    known = incidents.names(conn, sorted({id_ for row in rows for id_ in row.flat_path}))
    return [
        ToCallOut(
            id=row.household.id,
            place_id=row.household.place_id,
            address=" ".join(
                known[id_][1] for id_ in row.flat_path if id_ in known and known[id_][0] not in _ABOVE_BUILDING
            ),
            name=row.household.name,
            relation=row.household.relation,
            needs_help_leaving=row.household.needs_help_leaving,
            language=row.household.language,
            phone=row.household.phone,
        )
        for row in rows
    ]
