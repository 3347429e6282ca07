"""Devices: register, read, change, and give a broker credential. The secret is shown once and never stored."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api import audit
from api.auth import GuardedRoute
from api.deps import Deps, Use
from api.errors import conflict
from api.idempotency import Made, fresh_nonce, make_once, nonce_key, secret_from
from api.pages import Cursor, Limit, Page, answer, limit_default
from api.permissions import PREFIX
from api.references import place_id_of
from api.registry import Noun, create, list_page, patch_one, put_one, read_one, visible
from api.schemas.common import Patch
from api.schemas.registry import CredentialOut, DeviceFields, DeviceIn, DeviceOut
from devices.model import Device, DeviceState
from devices.store import devices as store
from devices.store.devices import DeviceRow
from devices.store.scope import Scope, path_of_place

router = APIRouter(prefix=f"{PREFIX}/devices", tags=["devices"], route_class=GuardedRoute)

secret_bytes = 16


def _changed(conn: Connection, scope: Scope, body: DeviceFields, before: DeviceRow) -> DeviceRow:
    device = Device(
        id=before.device.id,
        kind=body.kind,
        place_id=place_id_of(conn, scope, body.place_id, "#/place_id"),
        state=body.state,
        codec=body.codec,
        test_mode_until=body.test_mode_until,
        supervision_window_s=body.supervision_window_s,
    )
    return replace(before, device=device)


def _shown(row: DeviceRow) -> DeviceOut:
    device = row.device
    return DeviceOut(
        id=device.id,
        kind=device.kind,
        place_id=device.place_id,
        codec=device.codec,
        state=device.state,
        test_mode_until=device.test_mode_until,
        supervision_window_s=device.supervision_window_s,
        has_credential=row.has_credential,
        created_at=row.created_at,
        version=row.version,
    )


_DEVICES = Noun(
    name="devices",
    model=DeviceFields,
    get=store.get,
    insert_many=store.insert_many,
    update_one=store.update_one,
    changed=_changed,
    shown=_shown,
    version=lambda row: row.version,
    path=lambda conn, row: path_of_place(conn, row.device.place_id),
    scope_field="place_id",
)


@router.get("", response_model=Page[DeviceOut])
async def list_devices(
    request: Request,
    use: Use,
    place_id: Annotated[str | None, Query(max_length=64, description="id or code")] = None,
    state: DeviceState | None = None,
    cursor: Cursor = None,
    limit: Limit = limit_default,
) -> Response:
    def rows(conn: Connection, after: str | None, count: int, scope: Scope) -> list[DeviceRow]:
        place = place_id_of(conn, scope, place_id, "?place_id")
        return store.page(conn, after, count, place_id=place, state=state, within=scope)

    return await list_page(request, use, _DEVICES, cursor, limit, rows)


@router.post("", status_code=201, response_model=DeviceOut)
async def register_device(body: DeviceIn, request: Request, use: Use) -> Response:
    """It can speak once it has a credential."""

    def fresh(conn: Connection) -> DeviceRow:
        if store.get(conn, body.id) is not None:
            raise conflict("#/id", "taken", value=body.id)
        return DeviceRow(Device(body.id, body.kind, None, body.state), use.clock.now())

    return await create(request, use, _DEVICES, body, fresh)


@router.get("/{id}", response_model=DeviceOut)
async def read_device(id: str, request: Request, use: Use) -> Response:
    return await read_one(request, use, _DEVICES, id)


@router.put("/{id}", response_model=DeviceOut)
async def put_device(id: str, body: DeviceFields, request: Request, use: Use) -> Response:
    return await put_one(request, use, _DEVICES, id, body)


@router.patch("/{id}", response_model=DeviceOut)
async def patch_device(id: str, body: Patch, request: Request, use: Use) -> Response:
    return await patch_one(request, use, _DEVICES, id, body)


@router.post("/{id}/credential", status_code=201, response_model=CredentialOut)
async def give_credential(id: str, request: Request, use: Use) -> Response:
    """A new MQTT secret of 128 bits in the place of any other. A repeat with its Idempotency-Key shows it again."""
    nonce = fresh_nonce()
    hashed = use.hash_credential(_secret(use, nonce))

    def work(conn: Connection) -> Made:
        path = path_of_place(conn, visible(conn, request, _DEVICES, id).device.place_id)
        store.set_credential(conn, id, hashed)
        audit.note(conn, request, use, "give_credential", "devices", id, path=path)
        return Made({"username": id, nonce_key: nonce})

    made = await make_once(request, use, work)
    if made.fresh:
        use.service.registry_changed()
    return answer({"username": id, "secret": _secret(use, made.body[nonce_key])}, made.status)


def _secret(deps: Deps, nonce: str) -> str:
    return secret_from(deps, nonce)[:secret_bytes].hex()
