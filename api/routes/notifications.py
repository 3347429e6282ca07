"""Notifications: who was told what, by which attempts; and the hot route by which a client says `I have it`."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from alerting.answer_links import without_links
from alerting.channels.mask import masked
from alerting.channels.providers import TABLE as VENDORS
from alerting.core.chips import ORDER, Chip, chip_of, receipt_of
from alerting.core.instants import milliseconds
from alerting.core.model import AttemptState, Purpose
from alerting.store import views
from api.auth import GuardedRoute, Who, admit
from api.deps import Deps, Use
from api.errors import Problem, language_of, not_found
from api.pages import Cursor, Limit, Page, limit_default, page, position
from api.permissions import PREFIX, ROUTES
from api.schemas.incidents import AttemptOut, NotificationOut
from devices.model import Channel

router = APIRouter(prefix=f"{PREFIX}/notifications", tags=["notifications"], route_class=GuardedRoute)

Id = Annotated[str | None, Query(max_length=64)]

_OF_HOUSEHOLDS = frozenset({Purpose.HOUSEHOLD.value, Purpose.RESULT.value})
"""Their numbers stand in no list, not even masked."""
subscription_chars_max = 36
RECEIVED_PATH = f"{PREFIX}/notifications/{{id}}/received"
_RECEIVED_ROLES = ROUTES[f"POST {RECEIVED_PATH}"]


@router.get("", response_model=Page[NotificationOut])
async def list_notifications(
    use: Use,
    who: Who,
    incident_id: Id = None,
    recipient_id: Id = None,
    channel: Channel | None = None,
    state: AttemptState | None = None,
    purpose: Purpose | None = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """Newest first, each with its attempts. A worker sees his own, who is bound to a place those of its incidents."""
    recipient = (who.person_id or "") if who.own_only else recipient_id
    wanted = views.NotificationFilter(incident_id, recipient, channel, state, purpose)
    after = position(cursor)
    rows = await use.database.read(
        lambda conn: views.notifications_page(conn, wanted, after, limit + 1, who.sight(conn))
    )
    now = use.clock.now()
    return page(rows, limit, lambda view: _shown(view, now), lambda view: view.id)


def _shown(view: views.NotificationView, now: datetime) -> NotificationOut:
    row: dict[str, Any] = dict(view.row)
    if row["purpose"] in _OF_HOUSEHOLDS:
        row |= {"address": "", "text": without_links(row["text"])}
    elif row["channel"] != Channel.APP.value:
        row["address"] = masked(row["address"])
    tried = [
        AttemptOut.model_validate({**attempt, **_chip(attempt, now), "milliseconds": milliseconds(attempt)})
        for attempt in view.attempts
    ]
    best = max(tried, key=lambda each: ORDER.index(Chip(each.chip)), default=None)
    far = {"chip": best.chip, "receipt": best.receipt} if best else {"chip": Chip.QUEUED.value, "receipt": None}
    return NotificationOut.model_validate({**row, **far, "recipient_name": view.recipient_name, "attempts": tried})


def _chip(attempt: Mapping[str, Any], now: datetime) -> dict[str, str | None]:
    accepted_at = attempt["provider_accepted_at"]
    state = AttemptState(attempt["state"])
    chip = chip_of(state, accepted_at, attempt["delivered_at"], attempt["answered_at"])
    vendor = VENDORS.get(attempt["provider"])
    gives = vendor is None or vendor.receipts
    word = receipt_of(chip, gives, accepted_at, attempt["first_receipt_at"], now)
    return {"chip": chip.value, "receipt": None if word is None else word.value}


class Received:
    """`POST notifications/{id}/received[?subscription=ID]`: 204, or 404 for a notification that is not this person's.

    Plain ASGI: ten thousand of these come within seconds of a storm.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except Problem as problem:
            response = problem.response(language_of(request))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        caller = await admit(request, _RECEIVED_ROLES)
        if caller.person_id is None:
            raise Problem(403, "forbidden", "no_person")
        deps: Deps = request.app.state.deps
        if not await deps.service.received(request.path_params["id"], caller.person_id):
            raise not_found()
        if subscription := request.query_params.get("subscription", "")[:subscription_chars_max]:
            deps.push_seen(caller.person_id, subscription)
        return Response(status_code=204)
