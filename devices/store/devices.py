"""Queries on devices and their broker credentials. Never sees a secret: only its hash."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from devices.model import Device, DeviceState
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import devices

ROWS_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class DeviceRow:
    device: Device
    created_at: datetime
    has_credential: bool = False
    """It may connect to the broker: it has one, and nobody revoked it. Read only; see `set_credential`."""
    version: int = 1


_USABLE = devices.c.credential_hash.is_not(None) & devices.c.credential_revoked_at.is_(None)
_SELECT = select(
    devices.c.id,
    devices.c.kind,
    devices.c.place_id,
    devices.c.state,
    devices.c.codec,
    devices.c.test_mode_until,
    devices.c.supervision_window_s,
    devices.c.created_at,
    _USABLE,
    devices.c.version,
)


def insert_many(conn: Connection, rows: Iterable[DeviceRow]) -> None:
    """IntegrityError for an id that exists, or a place that does not."""
    values = [
        _values(row.device) | {"id": row.device.id, "created_at": row.created_at, "version": row.version}
        for row in rows
    ]
    if values:
        conn.execute(insert(devices), values)


def get(conn: Connection, device_id: str) -> DeviceRow | None:
    row = conn.execute(_SELECT.where(devices.c.id == device_id)).first()
    return None if row is None else _row(row)


def page(
    conn: Connection,
    after: str | None,
    limit: int,
    *,
    place_id: str | None = None,
    state: DeviceState | None = None,
    within: Scope = EVERYTHING,
) -> list[DeviceRow]:
    """In order of ids, at most 500."""
    query = after_id(_SELECT.where(within.at_place(devices.c.place_id)), devices.c.id, after, limit)
    if place_id is not None:
        query = query.where(devices.c.place_id == place_id)
    if state is not None:
        query = query.where(devices.c.state == state.value)
    return [_row(row) for row in conn.execute(query)]


def update_one(conn: Connection, row: DeviceRow) -> bool:
    """Write the device over its `version`, which goes up by one; False when somebody else was faster."""
    changed = conn.execute(
        update(devices)
        .where(devices.c.id == row.device.id, devices.c.version == row.version)
        .values(**_values(row.device), version=row.version + 1)
    )
    return changed.rowcount == 1


def set_credential(conn: Connection, device_id: str, credential_hash: str) -> bool:
    """Give it a new credential in the place of any other, revoked or not; False for an unknown device."""
    query = update(devices).where(devices.c.id == device_id)
    return conn.execute(query.values(credential_hash=credential_hash, credential_revoked_at=None)).rowcount == 1


def revoke_credential(conn: Connection, device_id: str, now: datetime) -> bool:
    """The first revocation stands. False when it had no credential in force."""
    query = update(devices).where(devices.c.id == device_id, _USABLE)
    return conn.execute(query.values(credential_revoked_at=now)).rowcount == 1


def credentials(conn: Connection) -> list[tuple[str, str]]:
    """(device id, hash) of every device that may connect, in order of ids: what the broker's files are made of."""
    query = select(devices.c.id, devices.c.credential_hash).where(_USABLE, devices.c.state != DeviceState.REMOVED.value)
    rows = conn.execute(query.order_by(devices.c.id).execution_options(yield_per=ROWS_AT_ONCE))
    return [(id_, credential_hash) for id_, credential_hash in rows]


def _values(device: Device) -> dict[str, Any]:
    return {
        "kind": device.kind,
        "codec": device.codec,
        "place_id": device.place_id,
        "state": device.state.value,
        "test_mode_until": device.test_mode_until,
        "supervision_window_s": device.supervision_window_s,
    }


def _row(row: Row[*tuple[Any, ...]]) -> DeviceRow:
    id_, kind, place_id, state, codec, test_mode_until, supervision_window_s, created_at, usable, version = row
    device = Device(id_, kind, place_id, DeviceState(state), codec, test_mode_until, supervision_window_s)
    return DeviceRow(device, created_at, bool(usable), version)
