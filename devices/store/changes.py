"""A device's changes with all that hangs on them: its history, its ports, its credential. Decides nothing: what is
legal says `devices.lifecycle`.
"""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from devices.lifecycle import By, illegal
from devices.model import DeviceState, PlacementReason
from devices.store import devices, flats, placements
from devices.store.devices import DeviceRow

TRIES = 3
"""A test that has passed is not lost because somebody edits the device at the same moment."""


def settle(
    conn: Connection,
    before: DeviceRow,
    after: DeviceRow,
    now: datetime,
    reason: PlacementReason = PlacementReason.MOVED,
) -> bool:
    """Write `after` over `before`; False when somebody else was faster.

    Another place, a removal and a return become rows of its history. A removed device loses its credential. The ports
    of a charging station go where it goes and are what it is.
    """
    if not devices.update_one(conn, after):
        return False
    gone = after.device.state is DeviceState.REMOVED and before.device.state is not DeviceState.REMOVED
    back = before.device.state is DeviceState.REMOVED and after.device.state is not DeviceState.REMOVED
    if gone:
        devices.revoke_credential(conn, before.id, now)
        left = reason if reason is PlacementReason.REPLACED else PlacementReason.REMOVED
        placements.begin(conn, before.id, None, now, left, (before.place_id, before.created_at))
    elif back or before.place_id != after.place_id:
        first = PlacementReason.PLACED if back or before.place_id is None else reason
        placements.begin(conn, before.id, after.place_id, now, first, (before.place_id, before.created_at))
    if _differ(before, after):
        _ports_follow(conn, after, now, reason)
    return True


def set_state(conn: Connection, device_id: str, state: DeviceState, now: datetime) -> bool:
    """What a walk test found: a legal move of the device and its ports, and its flat with it. False when it is unknown
    or the law forbids it; True also for a device that was commissioned before."""
    for _ in range(TRIES):
        before = devices.get(conn, device_id)
        if before is None or illegal(before.device.state, state, By.WALK_TEST) is not None:
            return False
        if settle(conn, before, replace(before, device=replace(before.device, state=state)), now):
            flats.tested(conn, before.place_id)
            return True
    return False


def _differ(before: DeviceRow, after: DeviceRow) -> bool:
    return _carried(before) != _carried(after)


def _carried(row: DeviceRow) -> tuple[object, ...]:
    return row.device.state, row.place_id, row.out_of_service_until, row.out_of_service_reason


def _ports_follow(conn: Connection, station: DeviceRow, now: datetime, reason: PlacementReason) -> None:
    for port in devices.ports_of(conn, station.id):
        device = replace(port.device, state=station.device.state, place_id=station.place_id)
        until, why = station.out_of_service_until, station.out_of_service_reason
        settle(
            conn, port, replace(port, device=device, out_of_service_until=until, out_of_service_reason=why), now, reason
        )
