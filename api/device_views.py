"""What the routes of devices share: how a device is shown, references to models, identities in bodies. Never writes."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NoReturn

from sqlalchemy import Connection

from api.deps import Deps
from api.errors import conflict, invalid
from api.idempotency import secret_from
from api.references import unknown
from api.schemas.devices import DeviceOut, IdentityIn, IdentityOut
from devices.identities import Identity, IdentityFault, normal
from devices.model import DeviceState
from devices.store import devices, identities, models
from devices.store.devices import DeviceRow
from devices.store.models import ModelRow
from devices.store.scope import Scope, path_of_place

secret_bytes = 16


def shown(row: DeviceRow, now: datetime) -> DeviceOut:
    device = row.device
    lasting = row.out_of_service_until is not None and row.out_of_service_until > now
    return DeviceOut(
        id=device.id,
        kind=device.kind,
        place_id=device.place_id,
        codec=device.codec,
        state=row.state_at(now),
        commissioned=row.commissioned,
        test_mode=device.test_mode_until is not None and device.test_mode_until > now,
        test_mode_until=device.test_mode_until,
        supervision_window_s=device.supervision_window_s,
        model=row.model,
        gateway_id=row.gateway_id,
        identities=[IdentityOut(kind=one.kind, value=one.value, dialect=one.dialect) for one in row.identities],
        parent_id=row.parent_id,
        port=row.port,
        label=row.label,
        out_of_service_until=row.out_of_service_until if lasting else None,
        out_of_service_reason=row.out_of_service_reason if lasting else None,
        replaced_by=row.replaced_by,
        has_credential=row.has_credential,
        created_at=row.created_at,
        version=row.version,
    )


def model_of(conn: Connection, wanted: str, pointer: str) -> ModelRow:
    """The model; Problem 422 naming `pointer`. Models belong to everybody, so there is no scope to it."""
    found = models.find(conn, wanted)
    if found is None:
        unknown(wanted, pointer)
    return found


def gateway_of(conn: Connection, scope: Scope, own_id: str, wanted: str | None, kept: str | None) -> str | None:
    """The gateway; Problem 422 for one that is none, unknown to the caller, or that speaks through another itself."""
    if wanted in (None, kept):
        return wanted
    row = devices.get(conn, wanted or "")
    if row is None or row.device.state is DeviceState.REMOVED or not may_see(conn, scope, row):
        unknown(wanted or "", "#/gateway_id")
    if row.id == own_id or row.gateway_id is not None:
        raise invalid("#/gateway_id", "not_a_gateway", value=row.id)
    return row.id


def identities_in(bodies: Sequence[IdentityIn], dialect: str, pointer: str) -> tuple[Identity, ...]:
    """The identities of a body as they are kept; Problem 422 naming the value that is none."""
    kept: dict[Identity, None] = {}
    for index, body in enumerate(bodies):
        value = normal(body.kind, body.value)
        if isinstance(value, IdentityFault):
            faulty(f"{pointer}/{index}/value", value)
        kept[Identity(body.kind, value, body.dialect or dialect)] = None
    return tuple(kept)


def faulty(pointer: str, fault: IdentityFault) -> NoReturn:
    raise invalid(pointer, fault.code, **fault.names)


def free_identities(
    conn: Connection, scope: Scope, own_id: str, wanted: Iterable[Identity], kept: Iterable[Identity], pointer: str
) -> None:
    """Problem 409 for an identity that another device has, with that device's name only within the caller's scope."""
    known = set(kept)
    for index, identity in enumerate(wanted):
        others = () if identity in known else identities.holders(conn, identity)
        if other := next((each for each in others if each != own_id), None):
            code = _taken_code(conn, scope, other)
            raise conflict(f"{pointer}/{index}/value", code, value=identity.value, device=other)


def _taken_code(conn: Connection, scope: Scope, device_id: str) -> str:
    row = devices.get(conn, device_id)
    named = row is not None and may_see(conn, scope, row)
    return "identity_taken" if named else "identity_known"


def may_see(conn: Connection, scope: Scope, row: DeviceRow) -> bool:
    return scope.everything or scope.covers(path_of_place(conn, row.place_id))


def device_secret(deps: Deps, nonce: str) -> str:
    """128 bits for the broker, the same for the same nonce."""
    return secret_from(deps, nonce)[:secret_bytes].hex()
