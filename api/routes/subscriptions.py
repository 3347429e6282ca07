"""Where apps find a person: browsers he subscribed in, and his user ids in work apps. Shows no endpoint, no key."""

from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.channels.providers.webpush_subscription import auth_fault, endpoint_fault, key_fault, service_of
from alerting.ports import Priority
from api import audit
from api.auth import GuardedRoute, caller_of
from api.deps import Deps, Use
from api.errors import Problem, invalid, not_found
from api.idempotency import Made, attempt, make_once
from api.pages import Page, answer
from api.permissions import PREFIX
from api.routes.contacts import person_at
from api.schemas.subscriptions import PushKeyOut, PushSubscription, SubscriptionIn, SubscriptionOut
from devices.model import AppCarrier
from devices.store import people
from devices.store import subscriptions as store
from devices.store.people import PersonRow
from devices.store.scope import path_of_place
from devices.store.subscriptions import SubscriptionRow

router = APIRouter(prefix=f"{PREFIX}/workers/{{id}}/subscriptions", tags=["workers"], route_class=GuardedRoute)
key_router = APIRouter(prefix=f"{PREFIX}/webpush", tags=["workers"], route_class=GuardedRoute)


@router.get("", response_model=Page[SubscriptionOut])
async def list_subscriptions(id: str, request: Request, use: Use) -> Response:
    """All of them, those that are gone too, the oldest first. A worker reads his own."""
    rows = await use.database.read(lambda conn: store.of_person(conn, _person(conn, request, id).id))
    return answer({"items": [_shown(row).model_dump(mode="json") for row in rows], "next": None})


@router.post("", status_code=201, response_model=SubscriptionOut)
async def create_subscription(id: str, body: SubscriptionIn, request: Request, use: Use) -> Response:
    """Subscribe, or renew: the same browser or user keeps its id. A browser belongs to who subscribed in it last. One
    user of each work app and eight browsers a person: the one heard of longest ago makes room."""
    target = _target(use, body)

    def work(conn: Connection) -> Made:
        person = _person(conn, request, id)
        row = SubscriptionRow(use.ids.uuid7(), person.id, body.carrier, target, body.label, use.clock.now())
        row, removed = store.add_or_renew(conn, row)
        for each in removed:
            _note(conn, request, use, "remove", each)
        _note(conn, request, use, "create", row)
        return Made(_shown(row).model_dump(mode="json"))

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.registry_changed()
    return made.response()


@router.delete("/{subscription_id}", status_code=204)
async def remove_subscription(id: str, subscription_id: str, request: Request, use: Use) -> Response:
    """Nothing is sent there any more."""

    def work(conn: Connection) -> None:
        person = _person(conn, request, id)
        row = store.one(conn, person.id, subscription_id)
        if row is None or not store.remove(conn, person.id, row.id):
            raise not_found()
        _note(conn, request, use, "remove", row)

    await use.database.write(Priority.ADMINISTRATION, lambda conn: attempt(conn, work))
    use.service.registry_changed()
    return Response(status_code=204)


@key_router.get("/key", response_model=PushKeyOut)
async def push_key(use: Use) -> Response:
    """What a browser subscribes with. 503 where Web Push is not set up."""
    return answer(PushKeyOut(public_key=_push_key(use)).model_dump(mode="json"))


def _person(conn: Connection, request: Request, reference: str) -> PersonRow:
    """Oneself, or a person within the scope; Problem 404."""
    person = people.find(conn, reference)
    if person is not None and person.id == caller_of(request).person_id:
        return person
    return person_at(conn, request, reference)


def _push_key(use: Deps) -> str:
    if use.webpush is None:
        raise Problem(503, "unavailable", "no_webpush")
    return use.webpush.public_key


def _target(use: Deps, body: SubscriptionIn) -> dict[str, Any]:
    """What the carrier's provider gets; Problem 422 for what it could not use."""
    if body.subscription is None:
        return {"user_id": body.user_id}
    key = _push_key(use)
    _check(body.subscription, allow_private=use.webpush is not None and use.webpush.allow_private)
    keys = {"p256dh": body.subscription.keys.p256dh, "auth": body.subscription.keys.auth}
    return {"endpoint": body.subscription.endpoint, "keys": keys, "key": key}


def _check(push: PushSubscription, allow_private: bool) -> None:
    fault = endpoint_fault(push.endpoint, allow_private)
    if fault is not None:
        raise invalid("#/subscription/endpoint", fault)
    if key_fault(push.keys.p256dh):
        raise invalid("#/subscription/keys/p256dh", "push_key")
    if auth_fault(push.keys.auth):
        raise invalid("#/subscription/keys/auth", "push_auth")


def _shown(row: SubscriptionRow) -> SubscriptionOut:
    push = row.carrier is AppCarrier.WEBPUSH
    return SubscriptionOut(
        id=row.id,
        carrier=row.carrier,
        where=service_of(row.target["endpoint"]) if push else row.target["user_id"],
        label=row.label,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
        last_sent_at=row.last_sent_at,
        gone_at=row.gone_at,
        gone_reason=row.gone_reason,
    )


def _note(conn: Connection, request: Request, use: Deps, act: str, row: SubscriptionRow) -> None:
    person = people.get(conn, row.person_id)
    path = None if person is None else path_of_place(conn, person.place_id)
    detail = {"person": row.person_id, "carrier": row.carrier.value, "where": _shown(row).where, "label": row.label}
    audit.note(conn, request, use, act, "subscriptions", row.id, path=path, detail=detail)
