"""Queries on devices and their broker credentials. Never sees a secret: only its hash."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, insert, not_, or_, select, true, update

from devices.identities import Identity
from devices.lifecycle import shown_state
from devices.model import Device, DeviceState
from devices.store import credentials as broker_accounts
from devices.store import identities
from devices.store.lists import one_of
from devices.store.pages import after_id
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import devices, places
from devices.store.tables_devices import device_models

ROWS_AT_ONCE = 5_000
FEW_PLACES = 10_000


@dataclass(frozen=True, slots=True)
class DeviceRow:
    device: Device
    """`state` is the stored one; `shown_state` says what people see."""
    created_at: datetime
    has_credential: bool = False
    """It may connect to the broker: it has one, and nobody revoked it. Read only; see `set_credential`."""
    version: int = 1
    model_id: str | None = None
    model: str | None = None
    """The model's code. Read only."""
    parent_id: str | None = None
    """A charging station's port: the station, which speaks for it."""
    port: int | None = None
    label: str | None = None
    """The code on its printed label."""
    out_of_service_until: datetime | None = None
    out_of_service_reason: str | None = None
    replaced_by: str | None = None
    gateway_id: str | None = None
    """The radio gateway through which it speaks: silent behind a silent one, it is no trouble of its own."""
    identities: tuple[Identity, ...] = ()

    @property
    def id(self) -> str:
        return self.device.id

    @property
    def place_id(self) -> str | None:
        return self.device.place_id

    @property
    def commissioned(self) -> bool:
        """Its alarm was seen to come through where it hangs. Out of service for a while takes nothing of that away."""
        return self.device.state is DeviceState.COMMISSIONED

    def state_at(self, now: datetime) -> DeviceState:
        """As people see it."""
        return shown_state(self.device.state, self.out_of_service_until, now)

    def moved(self, state: DeviceState, place_id: str | None) -> "DeviceRow":
        """In another state, at a place, and not out of service."""
        device = replace(self.device, state=state, place_id=place_id)
        return replace(self, device=device, out_of_service_until=None, out_of_service_reason=None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which devices of a list; None: any."""

    place_id: str | None = None
    under: Scope = EVERYTHING
    """At a place or anywhere below it."""
    state: DeviceState | None = None
    """As people see it at `now`."""
    commissioned: bool | None = None
    """False leaves out what was removed: nobody will test it."""
    model_id: str | None = None
    label: str | None = None
    parent_id: str | None = None
    ids: Sequence[str] | None = None


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
    devices.c.model_id,
    device_models.c.code,
    devices.c.parent_id,
    devices.c.port,
    devices.c.label,
    devices.c.out_of_service_until,
    devices.c.out_of_service_reason,
    devices.c.replaced_by,
    devices.c.gateway_id,
).select_from(devices.outerjoin(device_models, device_models.c.id == devices.c.model_id))


def insert_many(conn: Connection, rows: Iterable[DeviceRow]) -> None:
    """IntegrityError for an id, label or identity that exists, or a place that does not."""
    rows = list(rows)
    values = [
        _values(row) | {"id": row.device.id, "created_at": row.created_at, "version": row.version} for row in rows
    ]
    if values:
        conn.execute(insert(devices), values)
        identities.add_many(conn, ((row.id, identity) for row in rows for identity in row.identities))


def get(conn: Connection, device_id: str) -> DeviceRow | None:
    return next(iter(_rows(conn, _SELECT.where(devices.c.id == device_id))), None)


def by_label(conn: Connection, code: str) -> DeviceRow | None:
    """The device with this code on its label."""
    return next(iter(_rows(conn, _SELECT.where(devices.c.label == code))), None)


def existing(conn: Connection, device_ids: Iterable[str]) -> set[str]:
    """Those of these ids that a device has."""
    return set(conn.scalars(select(devices.c.id).where(one_of(devices.c.id, "ids")), {"ids": list(device_ids)}))


def ports_of(conn: Connection, device_id: str) -> list[DeviceRow]:
    """The ports of a charging station, in their order."""
    return _rows(conn, _SELECT.where(devices.c.parent_id == device_id).order_by(devices.c.port))


def page(
    conn: Connection,
    after: str | None,
    limit: int,
    *,
    place_id: str | None = None,
    state: DeviceState | None = None,
    within: Scope = EVERYTHING,
    wanted: Wanted | None = None,
    now: datetime | None = None,
) -> list[DeviceRow]:
    """In order of ids, at most 500. With `now`, `state` is what people see then; without it what is stored."""
    wanted = wanted or Wanted(place_id=place_id, state=state)
    query = after_id(_SELECT.where(_inside(conn, within)), devices.c.id, after, limit)
    if wanted.ids is not None:
        return _rows(conn, query.where(one_of(devices.c.id, "ids")), {"ids": list(wanted.ids)})
    return _rows(conn, query.where(_inside(conn, wanted.under), *_conditions(wanted, now)))


def _inside(conn: Connection, scope: Scope) -> ColumnElement[bool]:
    """Devices at or below these places. Few places: by way of them, so that a building costs a building. Many: in order
    of ids, where the next hundred of them are never far, instead of sorting a city for each page."""
    if scope.everything:
        return true()
    below = select(places.c.id).where(scope.on_path(places.c.path))
    few = conn.scalar(select(func.count()).select_from(below.limit(FEW_PLACES).subquery())) or 0
    return devices.c.place_id.in_(below) if few < FEW_PLACES else scope.at_place(devices.c.place_id)


def _conditions(wanted: Wanted, now: datetime | None) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (devices.c.place_id, wanted.place_id),
        (devices.c.model_id, wanted.model_id),
        (devices.c.label, wanted.label),
        (devices.c.parent_id, wanted.parent_id),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.commissioned is not None:
        settled = (DeviceState.COMMISSIONED.value, DeviceState.REMOVED.value)
        is_commissioned = devices.c.state == DeviceState.COMMISSIONED.value
        conditions.append(is_commissioned if wanted.commissioned else devices.c.state.not_in(settled))
    if wanted.state is not None:
        conditions.append(_in_state(wanted.state, now))
    return conditions


def _in_state(state: DeviceState, now: datetime | None) -> ColumnElement[bool]:
    stored = devices.c.state == state.value
    if now is None or state is DeviceState.REMOVED:
        return stored
    lying_over = and_(
        devices.c.out_of_service_until.is_not(None),
        devices.c.out_of_service_until > now,
        devices.c.state != DeviceState.REMOVED.value,
    )
    return or_(stored, lying_over) if state is DeviceState.OUT_OF_SERVICE else and_(stored, not_(lying_over))


def update_one(conn: Connection, row: DeviceRow) -> bool:
    """Write the device over its `version`, which goes up by one; False when somebody else was faster.

    IntegrityError for a label or identity that another device has.
    """
    own = devices.c.id == row.device.id, devices.c.version == row.version
    was = conn.scalar(select(devices.c.state).where(*own))
    changed = conn.execute(update(devices).where(*own).values(**_values(row), version=row.version + 1))
    if changed.rowcount != 1:
        return False
    if (was == DeviceState.REMOVED.value) is not (row.device.state is DeviceState.REMOVED):
        broker_accounts.count_up(conn)
    if set(identities.of(conn, [row.id]).get(row.id, ())) != set(row.identities):
        identities.put(conn, row.id, row.identities)
    return True


def set_label(conn: Connection, device_id: str, code: str) -> None:
    """The code of a device that had none. IntegrityError for one in use. No new version: nobody edits it."""
    conn.execute(update(devices).where(devices.c.id == device_id, devices.c.label.is_(None)).values(label=code))


def set_replaced_by(conn: Connection, device_id: str, other_id: str | None) -> None:
    """Which device took the place of one that was removed."""
    conn.execute(update(devices).where(devices.c.id == device_id).values(replaced_by=other_id))


def set_credential(conn: Connection, device_id: str, credential_hash: str) -> bool:
    """Give it a new credential in the place of any other, revoked or not; False for an unknown device."""
    query = update(devices).where(devices.c.id == device_id)
    given = conn.execute(query.values(credential_hash=credential_hash, credential_revoked_at=None)).rowcount == 1
    if given:
        broker_accounts.count_up(conn)
    return given


def revoke_credential(conn: Connection, device_id: str, now: datetime) -> bool:
    """The first revocation stands. False when it had no credential in force."""
    query = update(devices).where(devices.c.id == device_id, _USABLE)
    revoked = conn.execute(query.values(credential_revoked_at=now)).rowcount == 1
    if revoked:
        broker_accounts.count_up(conn)
    return revoked


def credentials(conn: Connection) -> list[tuple[str, str]]:
    """(device id, hash) of every device that may connect, in order of ids: what the broker's files are made of."""
    query = select(devices.c.id, devices.c.credential_hash).where(_USABLE, devices.c.state != DeviceState.REMOVED.value)
    rows = conn.execute(query.order_by(devices.c.id).execution_options(yield_per=ROWS_AT_ONCE))
    return [(id_, credential_hash) for id_, credential_hash in rows]


def _values(row: DeviceRow) -> dict[str, Any]:
    device = row.device
    return {
        "kind": device.kind,
        "codec": device.codec,
        "place_id": device.place_id,
        "state": device.state.value,
        "test_mode_until": device.test_mode_until,
        "supervision_window_s": device.supervision_window_s,
        "model_id": row.model_id,
        "parent_id": row.parent_id,
        "port": row.port,
        "label": row.label,
        "out_of_service_until": row.out_of_service_until,
        "out_of_service_reason": row.out_of_service_reason,
        "replaced_by": row.replaced_by,
        "gateway_id": row.gateway_id,
    }


def _rows(conn: Connection, query: Select[Any], values: dict[str, Any] | None = None) -> list[DeviceRow]:
    """With their identities: one query for all of them."""
    found = conn.execute(query, values or {}).fetchall()
    named = identities.of(conn, [row[0] for row in found]) if found else {}
    return [_row(row, named.get(row[0], ())) for row in found]


def _row(row: Row[*tuple[Any, ...]], named: tuple[Identity, ...]) -> DeviceRow:
    id_, kind, place_id, state, codec, test_mode_until, supervision_window_s, created_at, usable, version = row[:10]
    device = Device(id_, kind, place_id, DeviceState(state), codec, test_mode_until, supervision_window_s)
    model_id, model, parent_id, port, label, out_until, out_reason, replaced_by, gateway_id = row[10:]
    return DeviceRow(
        device,
        created_at,
        bool(usable),
        version,
        model_id,
        model,
        parent_id,
        port,
        label,
        out_until,
        out_reason,
        replaced_by,
        gateway_id,
        named,
    )
