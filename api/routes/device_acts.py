"""What people do to a device that hangs: take it out of service for a while, take it down, put another in its place."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection

from alerting.ports import Conflict
from api import audit
from api.auth import GuardedRoute
from api.deps import Deps, Use
from api.device_views import model_of, shown
from api.enrolling import Wish, replace_device
from api.errors import conflict, invalid
from api.idempotency import Made, make_once
from api.permissions import PREFIX
from api.registry import visible
from api.routes.devices import noun
from api.routes.enrolments import enrolled_once, in_these, with_secret
from api.schemas.devices import DeviceOut, EnrolmentOut, OutOfServiceIn, ReplaceIn
from devices.lifecycle import By, illegal, out_of_service_max
from devices.model import DeviceState, PlacementReason
from devices.store import changes
from devices.store import devices as store
from devices.store.devices import DeviceRow
from devices.store.scope import path_of_place

router = APIRouter(prefix=f"{PREFIX}/devices/{{id}}", tags=["devices"], route_class=GuardedRoute)


@router.post("/out-of-service", response_model=DeviceOut)
async def take_out_of_service(id: str, body: OutOfServiceIn, request: Request, use: Use) -> Response:
    """停用 until an instant, for a reason. It still pages: only people's expectation of it rests."""
    now = use.clock.now()
    until = now + timedelta(hours=body.hours) if body.hours is not None else body.until
    assert until is not None, "the body has one of them"
    if until <= now:
        raise invalid("#/until", "past")
    if until > now + out_of_service_max:
        raise invalid("#/until", "too_far", days=out_of_service_max.days)

    def paused(row: DeviceRow) -> DeviceRow:
        return replace(row, out_of_service_until=until, out_of_service_reason=body.reason)

    return await _act(request, use, id, "out_of_service", DeviceState.OUT_OF_SERVICE, By.PAUSE, paused)


@router.post("/in-service", response_model=DeviceOut)
async def put_in_service(id: str, request: Request, use: Use) -> Response:
    """Before its time: it is again what it was."""

    def resumed(row: DeviceRow) -> DeviceRow:
        return replace(row, out_of_service_until=None, out_of_service_reason=None)

    return await _act(request, use, id, "in_service", None, By.RESUME, resumed)


@router.post("/remove", response_model=DeviceOut)
async def remove_device(id: str, request: Request, use: Use) -> Response:
    """Taken down: its credential is revoked, its ports go with it, its history stays."""

    def removed(row: DeviceRow) -> DeviceRow:
        return row.moved(DeviceState.REMOVED, row.place_id)

    return await _act(request, use, id, "remove", DeviceState.REMOVED, By.REMOVAL, removed)


@router.post("/replace", status_code=201, response_model=EnrolmentOut)
async def replace_in_place(id: str, body: ReplaceIn, request: Request, use: Use) -> Response:
    """Another device takes the place of this one, which is removed. Both keep their history."""
    if (body.label is None) == (body.id is None):
        raise invalid("#/label", "one_of_label_id")

    def work(conn: Connection, now: datetime) -> Made:
        old = visible(conn, request, noun(use), id)
        model = None if body.model is None else model_of(conn, body.model, "#/model")
        wish = Wish(old.place_id or "", body.label, body.id, model)
        made = replace_device(conn, in_these(request, use, conn, now), old, wish)
        gone = store.get(conn, id)
        assert gone is not None, "devices are never deleted"
        detail = audit.changes(*(shown(row, now).model_dump(mode="json") for row in (old, gone)))
        path = path_of_place(conn, old.place_id)
        audit.note(conn, request, use, "replace", "devices", id, path=path, detail=detail)
        return enrolled_once(request, use, conn, now, made, replaced=id)

    return await with_secret(request, use, work)


async def _act(
    request: Request,
    use: Deps,
    id: str,
    act: str,
    target: DeviceState | None,
    by: By,
    done: Callable[[DeviceRow], DeviceRow],
) -> Response:
    """One act under the law of states. `target` None: what it was before."""
    now = use.clock.now()

    def work(conn: Connection) -> Made:
        before = visible(conn, request, noun(use), id)
        if before.parent_id is not None:
            raise conflict("#", "is_port", station=before.parent_id)
        if (why := illegal(before.state_at(now), target or before.device.state, by)) is not None:
            raise conflict("#", why, device=id)
        if not changes.settle(conn, before, done(before), now, PlacementReason.REMOVED):
            raise Conflict(f"device {id}")
        after = store.get(conn, id)
        assert after is not None, "devices are never deleted"
        old, new = (shown(row, now).model_dump(mode="json") for row in (before, after))
        path = path_of_place(conn, before.place_id)
        audit.note(conn, request, use, act, "devices", id, path=path, detail=audit.changes(old, new))
        return Made(new, 200)

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.registry_changed()
    return made.response()
