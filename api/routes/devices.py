"""Devices: register, list, read, change, and give or revoke a broker credential. The secret is shown once and never
stored."""

from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from alerting.ports import Conflict
from api import audit
from api.auth import GuardedRoute, caller_of
from api.deps import Deps, Use
from api.device_views import device_secret, free_identities, gateway_of, identities_in, model_of, shown
from api.errors import conflict, invalid
from api.idempotency import Made, fresh_nonce, make_once, nonce_key
from api.pages import Cursor, Limit, Page, answer, limit_default
from api.permissions import PREFIX
from api.references import place_id_of, place_of
from api.registry import Noun, create, list_page, patch_one, put_one, read_one, visible
from api.schemas.common import Patch
from api.schemas.devices import CredentialOut, DeviceFields, DeviceIn, DeviceOut, PlacementOut, PlacementsOut
from devices.identities import IdentityFault, normal
from devices.labels import read_code
from devices.lifecycle import By, illegal
from devices.model import Device, DeviceState, IdentityKind
from devices.store import changes, identities, placements
from devices.store import devices as store
from devices.store.devices import DeviceRow, Wanted
from devices.store.scope import EVERYTHING, SEPARATOR, Scope, path_of_place

router = APIRouter(prefix=f"{PREFIX}/devices", tags=["devices"], route_class=GuardedRoute)

Filter = Annotated[str | None, Query(max_length=128)]
Place = Annotated[str | None, Query(max_length=64, description="id or code")]


def noun(use: Deps) -> Noun[DeviceFields, DeviceRow]:
    """Devices as they are at this moment: out of service ends by itself."""
    now = use.clock.now()

    def update_one(conn: Connection, row: DeviceRow) -> bool:
        before = store.get(conn, row.id)
        return before is not None and changes.settle(conn, before, row, now)

    return Noun(
        name="devices",
        model=DeviceFields,
        get=store.get,
        insert_many=store.insert_many,
        update_one=update_one,
        changed=partial(_changed, use),
        shown=lambda row: shown(row, now),
        version=lambda row: row.version,
        path=lambda conn, row: path_of_place(conn, row.place_id),
        scope_field="place_id",
    )


def _changed(use: Deps, conn: Connection, scope: Scope, body: DeviceFields, before: DeviceRow) -> DeviceRow:
    model = None if body.model is None else model_of(conn, body.model, "#/model")
    named = identities_in(body.identities, model.dialect if model else "plain", "#/identities")
    free_identities(conn, scope, before.id, named, before.identities, "#/identities")
    device = Device(
        id=before.id,
        kind=body.kind,
        place_id=place_id_of(conn, scope, body.place_id, "#/place_id"),
        state=before.device.state,
        codec=body.codec,
        test_mode_until=body.test_mode_until,
        supervision_window_s=body.supervision_window_s,
    )
    after = replace(
        before,
        device=device,
        model_id=model.id if model else None,
        model=model.code if model else None,
        gateway_id=gateway_of(conn, scope, before.id, body.gateway_id, before.gateway_id),
        identities=named,
    )
    return _in_state(use, before, after, body.state)


def _in_state(use: Deps, before: DeviceRow, after: DeviceRow, wanted: DeviceState | None) -> DeviceRow:
    """Under the law of states; Problem 409 where it forbids."""
    seen = before.state_at(use.clock.now())
    moved = before.place_id != after.place_id
    if before.parent_id is not None and (moved or wanted not in (None, seen)):
        raise conflict("#/place_id" if moved else "#/state", "is_port", station=before.parent_id)
    if wanted not in (None, seen):
        if (why := illegal(seen, wanted, By.EDIT)) is not None:
            raise conflict("#/state", why, device=before.id)
        return after.moved(wanted, after.place_id)
    if moved and before.commissioned:
        return replace(after, device=replace(after.device, state=DeviceState.INSTALLED))
    return after


@router.get("", response_model=Page[DeviceOut])
async def list_devices(
    request: Request,
    use: Use,
    place_id: Place = None,
    under: Place = None,
    state: DeviceState | None = None,
    commissioned: Annotated[bool | None, Query(description="false: 未验收, without what was removed")] = None,
    model: Place = None,
    identity: Filter = None,
    label: Filter = None,
    parent_id: Filter = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    """In order of ids. `under`: anywhere below a place; `identity`: whose IMEI, DevEUI or serial number this is."""

    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[DeviceRow]:
        wanted = Wanted(
            place_id=place_id_of(conn, scope, place_id, "?place_id"),
            under=EVERYTHING
            if under is None
            else Scope((SEPARATOR.join(place_of(conn, scope, under, "?under").path),)),
            state=state,
            commissioned=commissioned,
            model_id=None if model is None else model_of(conn, model, "?model").id,
            label=None if label is None else _code(label),
            parent_id=parent_id,
            ids=None if identity is None else _holders(conn, identity),
        )
        return store.page(conn, after, count, within=scope, wanted=wanted, now=use.clock.now())

    return await list_page(request, use, noun(use), cursor, limit, rows)


def _code(label: str) -> str:
    code = read_code(label)
    if code is None:
        raise invalid("?label", "label_check")
    return code


def _holders(conn: Connection, text: str) -> list[str]:
    """The devices that have this identity in whatever spelling."""
    spellings = {text.strip().replace("\0", "")}
    for kind in (IdentityKind.IMEI, IdentityKind.DEV_EUI):
        value = normal(kind, text)
        if not isinstance(value, IdentityFault):
            spellings.add(value)
    return sorted({device_id for _, device_id in identities.named(conn, spellings)})


@router.post("", status_code=201, response_model=DeviceOut)
async def register_device(body: DeviceIn, request: Request, use: Use) -> Response:
    """It can speak once it has a credential. An installer in front of it uses `enrolments` instead."""

    def fresh(conn: Connection) -> DeviceRow:
        if body.id in use.accounts or store.get(conn, body.id) is not None:
            raise conflict("#/id", "taken", value=body.id)
        return DeviceRow(Device(body.id, body.kind, None, DeviceState.REGISTERED), use.clock.now())

    return await create(request, use, noun(use), body, fresh)


@router.get("/{id}", response_model=DeviceOut)
async def read_device(id: str, request: Request, use: Use) -> Response:
    return await read_one(request, use, noun(use), id)


@router.put("/{id}", response_model=DeviceOut)
async def put_device(id: str, body: DeviceFields, request: Request, use: Use) -> Response:
    return await put_one(request, use, noun(use), id, body)


@router.patch("/{id}", response_model=DeviceOut)
async def patch_device(id: str, body: Patch, request: Request, use: Use) -> Response:
    return await patch_one(request, use, noun(use), id, body)


@router.get("/{id}/placements", response_model=PlacementsOut)
async def list_placements(id: str, request: Request, use: Use) -> Response:
    """Where it hung, and from when to when. A place outside the caller's scope stands there without its name."""

    def work(conn: Connection) -> list[dict[str, Any]]:
        row = visible(conn, request, noun(use), id)
        scope = caller_of(request).scope(conn)
        stays = placements.history(conn, id, row.place_id, row.created_at)
        mine = {stay.place_id for stay in stays if stay.place_id and scope.covers(path_of_place(conn, stay.place_id))}
        words = placements.words(conn, mine)
        return [
            PlacementOut(
                place_id=stay.place_id if stay.place_id in mine else None,
                place=words.get(stay.place_id or ""),
                from_at=stay.from_at,
                to_at=stay.to_at,
                reason=stay.reason,
            ).model_dump(mode="json")
            for stay in stays
        ]

    return answer({"items": await use.database.read(work)})


@router.post("/{id}/credential", status_code=201, response_model=CredentialOut)
async def give_credential(id: str, request: Request, use: Use) -> Response:
    """A new MQTT secret of 128 bits in the place of any other. A repeat with its Idempotency-Key shows it again."""
    nonce = fresh_nonce()
    hashed = use.hash_credential(device_secret(use, nonce))

    def work(conn: Connection) -> Made:
        row = visible(conn, request, noun(use), id)
        if row.parent_id is not None:
            raise conflict("#", "is_port", station=row.parent_id)
        if row.device.state is DeviceState.REMOVED:
            raise conflict("#", "is_removed")
        if not store.set_credential(conn, id, hashed):
            raise Conflict(f"device {id}")
        path = path_of_place(conn, row.place_id)
        audit.note(conn, request, use, "give_credential", "devices", id, path=path)
        return Made({"username": id, nonce_key: nonce})

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.registry_changed()
    return answer({"username": id, "secret": device_secret(use, made.body[nonce_key])}, made.status)


@router.post("/{id}/credential/revoke", response_model=DeviceOut)
async def revoke_credential(id: str, request: Request, use: Use) -> Response:
    """The broker cuts it within five seconds. Revoking twice changes nothing."""

    def work(conn: Connection) -> Made:
        row = visible(conn, request, noun(use), id)
        if store.revoke_credential(conn, id, use.clock.now()):
            path = path_of_place(conn, row.place_id)
            audit.note(conn, request, use, "revoke_credential", "devices", id, path=path)
        after = store.get(conn, id)
        assert after is not None, "devices are never deleted"
        return Made(shown(after, use.clock.now()).model_dump(mode="json"), 200)

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.registry_changed()
    return made.response()
