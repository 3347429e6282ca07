"""Queries on devices under test: test mode, criteria of the model, commissioned by a passed test. Decides nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select, union_all, update

from devices.model import DeviceState
from devices.store import changes
from devices.store.scope import EVERYTHING, Scope
from devices.store.tables import contact_points, devices, places, shifts
from devices.store.tables_devices import device_models
from devices.store.tables_duty import grid_members, overrides, pattern_slots

_IN_USE = devices.c.state != DeviceState.REMOVED.value


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test needs to know of a device and its model. A device without a model has the defaults."""

    device_id: str
    state: DeviceState
    place_id: str | None
    path: str | None
    limit_s: int | None
    restores: bool | None
    signal_dbm_min: int | None


_TESTED = (
    select(
        devices.c.id,
        devices.c.state,
        devices.c.place_id,
        places.c.path,
        device_models.c.walk_test_s,
        device_models.c.restores,
        device_models.c.signal_dbm_min,
    )
    .select_from(
        devices.outerjoin(places, places.c.id == devices.c.place_id).outerjoin(
            device_models, device_models.c.id == devices.c.model_id
        )
    )
    .order_by(devices.c.id)
)


def get(conn: Connection, device_id: str) -> Tested | None:
    found = conn.execute(_TESTED.where(devices.c.id == device_id)).first()
    if found is None:
        return None
    id_, state, place_id, path, limit_s, restores, signal_dbm_min = found
    restoring = None if restores is None else bool(restores)
    return Tested(id_, DeviceState(state), place_id, path, limit_s, restoring, signal_dbm_min)


def known(conn: Connection, device_ids: Sequence[str], within: Scope = EVERYTHING) -> set[str]:
    """Which of these devices are in use, within the scope."""
    query = select(devices.c.id).where(devices.c.id.in_(device_ids), _IN_USE, within.at_place(devices.c.place_id))
    return set(conn.scalars(query))


def not_commissioned_below(conn: Connection, path: str, most: int) -> list[str]:
    """Devices at or below this place whose alarm nobody has seen come through yet, in order of ids."""
    wanted = (DeviceState.REGISTERED.value, DeviceState.INSTALLED.value)
    query = select(devices.c.id).join(places, places.c.id == devices.c.place_id)
    query = query.where(Scope((path,)).on_path(places.c.path), devices.c.state.in_(wanted))
    return list(conn.scalars(query.order_by(devices.c.id).limit(most)))


def set_until(conn: Connection, device_ids: Iterable[str], until: datetime | None) -> None:
    """In test mode until then; None: no longer."""
    for device_id in device_ids:
        query = update(devices).where(devices.c.id == device_id)
        conn.execute(query.values(test_mode_until=until, version=devices.c.version + 1))


def until(conn: Connection, device_id: str) -> datetime | None:
    """How long a device is in test mode."""
    return conn.scalar(select(devices.c.test_mode_until).where(devices.c.id == device_id))


def on_a_roster(conn: Connection, number: str) -> bool:
    """Is this the number of somebody who may be called for an alarm: any shift, grid, pattern or cover names him?"""
    rosters = union_all(
        select(shifts.c.person_id),
        select(grid_members.c.person_id),
        select(pattern_slots.c.person_id),
        select(overrides.c.person_id),
    )
    query = select(contact_points.c.id).where(
        contact_points.c.address == number, contact_points.c.person_id.in_(rosters)
    )
    return conn.execute(query.limit(1)).first() is not None


def commission(conn: Connection, device_id: str, now: datetime) -> bool:
    """Its alarm was seen to come through: commissioned 已验收, its ports and its flat with it. False where its state
    cannot become so (removed)."""
    return changes.set_state(conn, device_id, DeviceState.COMMISSIONED, now)
