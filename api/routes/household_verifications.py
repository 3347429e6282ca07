"""Verification of a household's number: a check call on which 1 is pressed. Only a verified number is called when the
flat's detector speaks. Shows no number, not even masked.
"""

from datetime import timedelta

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.core.probe_words import check_call, check_wording
from alerting.probes import HOUSEHOLD, code_valid_s, per_hour_max, send_within_s, too_many
from alerting.store import probes
from alerting.store.probes import Probe
from api import audit
from api.auth import GuardedRoute
from api.deps import Use
from api.errors import Problem, conflict, not_found
from api.idempotency import Made, make_once
from api.pages import answer
from api.permissions import PREFIX
from api.registry import visible
from api.routes.households import noun_at
from api.schemas.people import HouseholdCheckOut
from devices.model import Channel

router = APIRouter(prefix=f"{PREFIX}/households/{{id}}/verification", tags=["households"], route_class=GuardedRoute)

_HOUR_S = 3600


@router.post("", status_code=201, response_model=HouseholdCheckOut)
async def ask_household(id: str, request: Request, use: Use) -> Response:
    """Call the number now, in the person's language: 1 says that it is right. Three times an hour at most."""
    if Channel.VOICE not in use.carried:
        raise Problem(503, "unavailable", "no_voice_provider")
    noun = noun_at(use.clock.now())

    def work(conn: Connection) -> Made:
        row, now = visible(conn, request, noun, id), use.clock.now()
        if row.phone is None:
            raise conflict("#", "no_phone")
        if not row.in_force(now):
            raise conflict("#", "consent_over")
        if too_many(conn, Channel.VOICE, row.phone, now):
            names = {"count": per_hour_max}
            raise Problem(429, "too_many", "too_many_probes", names=names, headers={"retry-after": str(_HOUR_S)})
        probe = Probe(
            id=use.ids.attempt(),
            kind=HOUSEHOLD,
            channel=Channel.VOICE,
            address=row.phone,
            language=row.language,
            text=check_call(row.language),
            wording=check_wording(),
            created_at=now,
            send_before=now + timedelta(seconds=send_within_s),
            expires_at=now + timedelta(seconds=code_valid_s),
            contact_id=row.id,
            person_id=row.id,
        )
        probes.add(conn, probe)
        use.service.tell_senders(conn)
        audit.note(conn, request, use, "ask_verification", noun.name, row.id, path=noun.path(conn, row))
        return Made(_shown(probe).model_dump(mode="json"))

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.wake()
    return made.response()


@router.get("", response_model=HouseholdCheckOut)
async def read_household_check(id: str, request: Request, use: Use) -> Response:
    """How far the last check call got."""
    noun = noun_at(use.clock.now())

    def work(conn: Connection) -> HouseholdCheckOut:
        row = visible(conn, request, noun, id)
        probe = probes.newest_of_contact(conn, row.id, locked=False)
        if probe is None:
            raise not_found()
        return _shown(probe)

    return answer((await use.database.read(work)).model_dump(mode="json"))


def _shown(probe: Probe) -> HouseholdCheckOut:
    return HouseholdCheckOut(
        state=probe.state,
        error=probe.error,
        expires_at=probe.expires_at,
        denied=probe.denied_at is not None,
        verified=probe.confirmed_at is not None,
    )
