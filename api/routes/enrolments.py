"""Enrolments 扫码安装: one scan puts a device in its place and gives its credential; and a supplier's box list. The
secret is shown once and never stored."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from api import audit
from api.auth import GuardedRoute, caller_of, for_everything
from api.boxes import Stocked, stock
from api.deps import Deps, Use
from api.device_views import device_secret, model_of, shown
from api.enrolling import Circumstances, Enrolled, Wish, enrol
from api.idempotency import Made, fresh_nonce, make_once, nonce_key
from api.pages import answer
from api.permissions import PREFIX
from api.references import place_of
from api.schemas.devices import BoxListIn, BoxListOut, EnrolmentIn, EnrolmentOut, WalkTestDue
from devices.labels import grouped
from devices.store import devices as store
from devices.store import placements
from devices.store.models import WALK_TEST_S
from devices.store.scope import path_of_place

router = APIRouter(prefix=PREFIX, tags=["enrolment"], route_class=GuardedRoute)


@router.post("/enrolments", status_code=201, response_model=EnrolmentOut)
async def enrol_device(body: EnrolmentIn, request: Request, use: Use) -> Response:
    """Find the scanned device, or register it; it hangs here from now on, 未验收 until its walk test has passed."""

    def work(conn: Connection, now: datetime) -> Made:
        at = in_these(request, use, conn, now)
        place = place_of(conn, at.scope, body.place_id, "#/place_id")
        model = None if body.model is None else model_of(conn, body.model, "#/model")
        made = enrol(conn, at, Wish(place.id, body.label, body.id, model, body.kind))
        return enrolled_once(request, use, conn, now, made, replaced=None)

    return await with_secret(request, use, work)


def in_these(request: Request, use: Deps, conn: Connection, now: datetime) -> Circumstances:
    who = caller_of(request)
    return Circumstances(who.scope(conn), now, who.name, use.accounts)


def enrolled_once(
    request: Request, use: Deps, conn: Connection, now: datetime, made: Enrolled, replaced: str | None
) -> Made:
    """The answer without its secret, and the audit's row."""
    row, model = made.row, made.model
    document = {
        "id": row.id,
        "username": row.id,
        "device": shown(row, now).model_dump(mode="json"),
        "ports": list(made.ports),
        "place": placements.words(conn, [row.place_id] if row.place_id else []).get(row.place_id or "", ""),
        "label": grouped(row.label or ""),
        "flat_id": made.flat_id,
        "walk_test": WalkTestDue(
            path=f"{PREFIX}/devices/{row.id}/walk-test",
            seconds=model.walk_test_s if model else WALK_TEST_S,
            restores=model.restores if model else True,
            signal_dbm_min=model.signal_dbm_min if model else None,
        ).model_dump(mode="json"),
        "replaced": replaced,
    }
    path = path_of_place(conn, row.place_id)
    audit.note(conn, request, use, "enrol", "devices", row.id, path=path, detail=document)
    return Made(document, headers={"location": f"{PREFIX}/devices/{row.id}"})


async def with_secret(request: Request, use: Deps, work: Callable[[Connection, datetime], Made]) -> Response:
    """Do the work once, with a new credential for the device it made; a repeat shows the same answer."""
    nonce, now = fresh_nonce(), use.clock.now()
    hashed = use.hash_credential(device_secret(use, nonce))

    def transaction(conn: Connection) -> Made:
        made = work(conn, now)
        store.set_credential(conn, made.body["id"], hashed)
        made.body["device"]["has_credential"] = True
        return Made(made.body | {nonce_key: nonce}, made.status, made.headers)

    made = await make_once(request, use, transaction)
    if made.fresh:
        use.service.registry_changed()
    document: dict[str, Any] = dict(made.body)
    document["secret"] = device_secret(use, document.pop(nonce_key))
    return answer(document, made.status, made.headers)


@router.post("/box-lists", status_code=201, response_model=BoxListOut)
async def preload(body: BoxListIn, request: Request, use: Use) -> Response:
    """Stock of the whole deployment: registered, without a place, found by any installer who scans it. All or nothing;
    the same list again changes nothing."""

    def work(conn: Connection) -> Made:
        for_everything(caller_of(request), conn)
        done: Stocked = stock(conn, body.items, use.clock.now(), use.accounts)
        if done.created:
            audit.note(
                conn, request, use, "preload", "devices", done.created[0], detail={"created": list(done.created)}
            )
        document = BoxListOut(created=len(done.created), known=len(done.ids) - len(done.created), ids=list(done.ids))
        return Made(document.model_dump(mode="json"))

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.registry_changed()
    return made.response()
