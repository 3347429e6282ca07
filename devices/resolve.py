"""From a device to its place and grid, and from there to who is on duty. Pure: never loads, never reads a clock."""

from dataclasses import dataclass
from enum import StrEnum

from devices.duty.plan import GRID_ROLES, RegistrySnapshot
from devices.duty.standing import Stand, Why, on_duty, standing
from devices.model import Place, Placement

__all__ = [
    "GRID_ROLES",
    "RegistrySnapshot",
    "Stand",
    "Unplaced",
    "UnplacedReason",
    "Why",
    "on_duty",
    "place_by_id",
    "place_device",
    "standing",
]


class UnplacedReason(StrEnum):
    UNKNOWN_DEVICE = "unknown_device"
    UNKNOWN_PLACE = "unknown_place"


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Why a device has no placement. Never a reason to drop or wait: duty without a place answers."""

    reason: UnplacedReason


def place_device(snapshot: RegistrySnapshot, device_id: str) -> Placement | Unplaced:
    """The device's chain of places from the city down, and the grid that covers the deepest covered place on it."""
    device = snapshot.devices.get(device_id)
    if device is None:
        return Unplaced(UnplacedReason.UNKNOWN_DEVICE)
    if device.place_id is None:
        return Unplaced(UnplacedReason.UNKNOWN_PLACE)
    chain = _chain(snapshot, device.place_id)
    if not chain:
        return Unplaced(UnplacedReason.UNKNOWN_PLACE)
    return Placement(device.id, device.kind, chain, _grid(snapshot, chain))


def place_by_id(
    snapshot: RegistrySnapshot, place_id: str, device_id: str = "", grid_id: str | None = None
) -> Placement | None:
    """The same for a place that was found earlier (an open incident's), keeping the grid found then.

    A place that is gone from the registry leaves the grid's duty; None when neither place nor grid is known.
    """
    chain = _chain(snapshot, place_id)
    if not chain and grid_id is None:
        return None
    device = snapshot.devices.get(device_id)
    return Placement(device_id, device.kind if device else "", chain, grid_id or _grid(snapshot, chain))


def _chain(snapshot: RegistrySnapshot, place_id: str) -> tuple[Place, ...]:
    own = snapshot.places.get(place_id)
    if own is None:
        return ()
    return tuple(snapshot.places[id_] for id_ in own.path if id_ in snapshot.places)


def _grid(snapshot: RegistrySnapshot, chain: tuple[Place, ...]) -> str | None:
    covering = (snapshot.grid_of_place.get(place.id) for place in reversed(chain))
    return next((grid_id for grid_id in covering if grid_id is not None), None)
