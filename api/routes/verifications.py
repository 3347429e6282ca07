"""Verification of a contact: a code by SMS, a test call with a key press, a message in the app that must be tapped."""

import secrets
from datetime import datetime, timedelta
from functools import partial

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.channels.mask import masked
from alerting.core.probe_words import check_call, check_wording, code_sms, code_wording, push
from alerting.core.templates import Wording
from alerting.ports import Priority
from alerting.probes import (
    CONTACT,
    Confirmation,
    code_tries_max,
    code_valid_s,
    confirm_code,
    per_hour_max,
    push_text,
    send_within_s,
    too_many,
)
from alerting.store import probes as store
from alerting.store.probes import Probe
from api import audit
from api.auth import GuardedRoute, caller_of, hash_key
from api.deps import Deps, Use
from api.errors import Problem, conflict, language_of, not_found
from api.idempotency import Made, attempt, make_once
from api.pages import answer
from api.permissions import PREFIX
from api.routes.contacts import contact_at
from api.schemas.testing import CodeIn, ConfirmedOut, VerificationOut
from api.words import say
from api.words_testing import CONFIRMATIONS
from devices.model import Channel
from devices.store import people
from devices.store.people import ContactRow, PersonRow
from devices.store.scope import path_of_place

_BASE = f"{PREFIX}/workers/{{id}}/contacts/{{contact_id}}/verification"
router = APIRouter(prefix=_BASE, tags=["workers"], route_class=GuardedRoute)

code_digits = 6
_HOUR_S = 3600


@router.post("", status_code=201, response_model=VerificationOut)
async def ask_verification(id: str, contact_id: str, request: Request, use: Use) -> Response:
    """Send it in the person's language. One number is checked three times an hour at most."""
    code = f"{secrets.randbelow(10**code_digits):0{code_digits}d}"

    def work(conn: Connection) -> Made:
        now = use.clock.now()
        person, contact = _found(conn, request, id, contact_id)
        _must_be_usable(use, person, contact, now)
        if too_many(conn, contact.channel, contact.address, now):
            names = {"count": per_hour_max}
            raise Problem(429, "too_many", "too_many_probes", names=names, headers={"retry-after": str(_HOUR_S)})
        probe = _probe(use, person, contact, code, now)
        store.add(conn, probe)
        use.service.tell_senders(conn)
        path = path_of_place(conn, person.place_id)
        detail = {"person": person.id, "channel": contact.channel.value}
        audit.note(conn, request, use, "ask_verification", "contacts", contact.id, path=path, detail=detail)
        return Made(_shown(probe).model_dump(mode="json"))

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.wake()
    return made.response()


@router.get("", response_model=VerificationOut)
async def read_verification(id: str, contact_id: str, request: Request, use: Use) -> Response:
    """How far the last message got, and whether it verified the contact."""

    def work(conn: Connection) -> VerificationOut:
        _, contact = _found(conn, request, id, contact_id)
        probe = store.newest_of_contact(conn, contact.id, locked=False)
        if probe is None:
            raise not_found()
        return _shown(probe)

    return answer((await use.database.read(work)).model_dump(mode="json"))


@router.post("/confirm", response_model=ConfirmedOut)
async def confirm_verification(id: str, contact_id: str, body: CodeIn, request: Request, use: Use) -> Response:
    """The code of the text, typed by the person or by who registers him; for the app, by the person's own key alone.

    A wrong code is an answer, not an error: `verified` false, with the reason.
    """
    outcome = await use.database.write(
        Priority.ADMINISTRATION,
        lambda conn: attempt(
            conn, partial(_confirm, request=request, deps=use, named=(id, contact_id), code=body.code)
        ),
    )
    if outcome is Confirmation.VERIFIED:
        use.service.registry_changed()
    message = say(CONFIRMATIONS[outcome.value], language_of(request))
    shown = ConfirmedOut(verified=outcome is Confirmation.VERIFIED, outcome=outcome.value, message=message)
    return answer(shown.model_dump(mode="json"))


def _confirm(conn: Connection, *, request: Request, deps: Deps, named: tuple[str, str], code: str) -> Confirmation:
    person, contact = _found(conn, request, *named)
    who, now = caller_of(request), deps.clock.now()
    if contact.channel is Channel.APP and who.person_id != person.id:
        raise Problem(403, "forbidden", "own_app")
    detail = {"person": person.id, "channel": contact.channel.value, "how": "code"}
    path = path_of_place(conn, person.place_id)
    entry = audit.entry_of(who, now, "verify", "contacts", contact.id, path, detail)
    return confirm_code(conn, contact.id, _hashed(deps, contact.id, code), now, entry)


def _found(conn: Connection, request: Request, reference: str, contact_id: str) -> tuple[PersonRow, ContactRow]:
    """One's own contacts, or those of people within the scope; Problem 404."""
    own = caller_of(request).person_id
    person = people.find(conn, reference)
    if person is not None and person.id == own:
        mine = people.contact(conn, person.id, contact_id)
        if mine is not None:
            return person, mine
    return contact_at(conn, request, reference, contact_id)


def _must_be_usable(deps: Deps, person: PersonRow, contact: ContactRow, now: datetime) -> None:
    if contact.channel not in deps.carried:
        voice_alone = contact.channel is Channel.VOICE and Channel.SMS in deps.carried
        raise Problem(503, "unavailable", "no_voice_provider" if voice_alone else "no_sms_provider")
    if contact.opted_out_at is not None:
        raise conflict("#", "opted_out")
    if person.left_at is not None and person.left_at <= now:
        raise conflict("#", "person_left")


def _probe(deps: Deps, person: PersonRow, contact: ContactRow, code: str, now: datetime) -> Probe:
    probe_id, expires_at = deps.ids.attempt(), now + timedelta(seconds=code_valid_s)
    path = f"{PREFIX}/workers/{person.id}/contacts/{contact.id}/verification/confirm"
    send_before = now + timedelta(seconds=send_within_s)
    wording: Wording | None = None
    match contact.channel:
        case Channel.SMS:
            text, wording = code_sms(person.language, code), code_wording(code)
        case Channel.VOICE:
            text, wording = check_call(person.language), check_wording()
        case Channel.APP:
            text, send_before = push_text(probe_id, *push(person.language), code, path, expires_at), expires_at
    return Probe(
        id=probe_id,
        kind=CONTACT,
        channel=contact.channel,
        address=contact.address,
        language=person.language,
        text=text,
        wording=wording,
        created_at=now,
        send_before=send_before,
        expires_at=expires_at,
        contact_id=contact.id,
        person_id=person.id,
        code_hash=None if contact.channel is Channel.VOICE else _hashed(deps, contact.id, code),
    )


def _hashed(deps: Deps, contact_id: str, code: str) -> str:
    """Six digits are soon guessed: hashed under the deployment's secret, a stolen table tells none."""
    return hash_key(deps.secret_key, f"verification {contact_id} {code}")


def _shown(probe: Probe) -> VerificationOut:
    return VerificationOut(
        id=probe.id,
        channel=probe.channel,
        address=probe.address if probe.channel is Channel.APP else masked(probe.address),
        state=probe.state,
        error=probe.error,
        expires_at=probe.expires_at,
        tries_left=max(0, code_tries_max - probe.tries),
        denied=probe.denied_at is not None,
        verified=probe.confirmed_at is not None,
    )
