"""How a person is reached: numbers and apps. Shows a number masked, and whole only to who says why, within a limit."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.channels.mask import masked
from alerting.ports import Priority
from api import audit
from api.auth import GuardedRoute, caller_of
from api.deps import Deps, Use
from api.errors import Problem, conflict, invalid, not_found
from api.idempotency import Made, attempt, make_once
from api.pages import Page, answer
from api.permissions import PREFIX
from api.schemas.people import ContactIn, ContactOut, RevealIn, RevealOut, UnreachableOut
from api.schemas.readiness import WhiteListIn
from api.store.acts import acts_since
from devices.model import Channel
from devices.phones import normalise, without_numbers
from devices.store import marks
from devices.store import people as store
from devices.store.people import ContactRow, PersonRow
from devices.store.scope import path_of_place

router = APIRouter(prefix=f"{PREFIX}/workers/{{id}}/contacts", tags=["workers"], route_class=GuardedRoute)

reveals_per_hour_max = 30
_HOUR = timedelta(hours=1)


@router.get("", response_model=Page[ContactOut])
async def list_contacts(id: str, request: Request, use: Use) -> Response:
    """All of them in the order in which they are tried; numbers are masked."""
    rows = await use.database.read(lambda conn: store.contacts(conn, person_at(conn, request, id).id))
    return answer({"items": [contact_shown(row).model_dump(mode="json") for row in rows], "next": None})


@router.post("", status_code=201, response_model=ContactOut)
async def create_contact(id: str, body: ContactIn, request: Request, use: Use) -> Response:
    """Numbers are read as people write them and kept as E.164. The worker may be named by id or by code."""

    def work(conn: Connection) -> Made:
        person = person_at(conn, request, id)
        address = _address(body, person.id)
        known = {(row.channel, row.address) for row in store.contacts(conn, person.id)}
        row = ContactRow(use.ids.uuid7(), person.id, body.channel, address)
        shown = contact_shown(row).model_dump(mode="json")
        if (body.channel, address) in known:
            raise conflict("#/address", "taken", value=shown["address"])
        store.add_contacts(conn, [row])
        _note(conn, request, use, "create", person, row)
        return Made(shown)

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.registry_changed()
    return made.response()


@router.delete("/{contact_id}", status_code=204)
async def remove_contact(id: str, contact_id: str, request: Request, use: Use) -> Response:
    def work(conn: Connection) -> None:
        person, row = contact_at(conn, request, id, contact_id)
        store.remove_contact(conn, person.id, row.id)
        _note(conn, request, use, "remove", person, row)

    await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    use.service.registry_changed()
    return Response(status_code=204)


@router.post("/{contact_id}/opt-out", response_model=ContactOut)
async def opt_out(id: str, contact_id: str, request: Request, use: Use) -> Response:
    """Kept, and never used from now on. Asked again, it keeps the time of the first."""

    def changed(row: ContactRow) -> ContactRow:
        return row if row.opted_out_at else replace(row, opted_out_at=use.clock.now())

    return await _set_opt_out(request, use, id, contact_id, "opt_out", changed)


@router.post("/{contact_id}/opt-in", response_model=ContactOut)
async def opt_in(id: str, contact_id: str, request: Request, use: Use) -> Response:
    """The person wants to be reached here again."""
    return await _set_opt_out(request, use, id, contact_id, "opt_in", lambda row: replace(row, opted_out_at=None))


@router.post("/{contact_id}/white-list", response_model=ContactOut)
async def white_list(id: str, contact_id: str, body: WhiteListIn, request: Request, use: Use) -> Response:
    """Write down that a vendor's white list has this number, so that its daily limit cannot swallow a fire call."""

    def work(conn: Connection) -> ContactRow:
        person, row = contact_at(conn, request, id, contact_id)
        known = use.readiness.white_lists
        if body.vendor not in known:
            raise invalid("#/vendor", "unknown_vendor", value=body.vendor, known=", ".join(known) or "-")
        if row.channel is Channel.APP:
            raise invalid("#", "no_white_list")
        marks.whitelist(conn, row.id, body.vendor, use.clock.now() if body.listed else None)
        after = contact_at(conn, request, id, contact_id)[1]
        _note(conn, request, use, "white_list", person, after)
        return after

    row = await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    return answer(contact_shown(row).model_dump(mode="json"))


@router.post("/{contact_id}/reveal", response_model=RevealOut)
async def reveal(id: str, contact_id: str, body: RevealIn, request: Request, use: Use) -> Response:
    """The whole number, for a reason that goes into the audit; a caller may ask 30 times an hour."""

    def work(conn: Connection) -> ContactRow:
        person, row = contact_at(conn, request, id, contact_id)
        # The note first: it takes the end of the chain, so that of two who ask at once the second counts the first.
        _note(conn, request, use, "reveal", person, row, reason=without_numbers(body.reason))
        times = acts_since(conn, caller_of(request).key_id, "reveal", use.clock.now() - _HOUR)
        if len(times) > reveals_per_hour_max:
            wait = int((times[0] + _HOUR - use.clock.now()).total_seconds()) + 1
            headers = {"retry-after": str(max(1, wait))}
            names = {"count": reveals_per_hour_max}
            raise Problem(429, "too_many", "too_many_reveals", names=names, headers=headers)
        return row

    row = await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    return answer(RevealOut(id=row.id, channel=row.channel, address=row.address).model_dump(mode="json"))


def person_at(conn: Connection, request: Request, reference: str) -> PersonRow:
    """The person of a path, by id or by code, within the caller's scope; Problem 404."""
    found = store.find(conn, reference)
    if found is None or not caller_of(request).scope(conn).covers(path_of_place(conn, found.place_id)):
        raise not_found()
    return found


def contact_at(conn: Connection, request: Request, reference: str, contact_id: str) -> tuple[PersonRow, ContactRow]:
    """One contact point of the person of a path; Problem 404."""
    person = person_at(conn, request, reference)
    row = store.contact(conn, person.id, contact_id)
    if row is None:
        raise not_found()
    return person, row


def contact_shown(row: ContactRow) -> ContactOut:
    return ContactOut(
        id=row.id,
        channel=row.channel,
        address=row.address if row.channel is Channel.APP else masked(row.address),
        verified_at=row.verified_at,
        opted_out_at=row.opted_out_at,
        unreachable=_unreachable(row.marks),
        whitelisted=dict(row.marks.whitelisted),
        card_saved_at=row.marks.card_saved_at,
        guide_done_at=row.marks.guide_done_at,
    )


def _unreachable(said: marks.Marks) -> UnreachableOut | None:
    if said.unreachable_since is None:
        return None
    return UnreachableOut(
        since=said.unreachable_since,
        reason=said.unreachable_reason or "",
        provider=said.unreachable_provider or "",
    )


async def _set_opt_out(
    request: Request,
    deps: Deps,
    person_ref: str,
    contact_id: str,
    act: str,
    changed: Callable[[ContactRow], ContactRow],
) -> Response:
    def work(conn: Connection) -> ContactRow:
        person, before = contact_at(conn, request, person_ref, contact_id)
        after = changed(before)
        if after != before:
            store.opt_out_contact(conn, after.id, after.opted_out_at)
            _note(conn, request, deps, act, person, after)
        return after

    row = await deps.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    deps.service.registry_changed()
    return answer(contact_shown(row).model_dump(mode="json"))


def _note(
    conn: Connection, request: Request, deps: Deps, act: str, person: PersonRow, row: ContactRow, **more: str
) -> None:
    """In the audit under the contact's id, with the masked number."""
    detail = {"person": person.id, **contact_shown(row).model_dump(mode="json"), **more}
    audit.note(conn, request, deps, act, "contacts", row.id, path=path_of_place(conn, person.place_id), detail=detail)


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
