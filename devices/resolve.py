"""From a device to its place and grid, and from there to who is on duty. Pure: never loads, never reads a clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from devices.model import Device, Person, Place, Placement, Role, Shift

GRID_ROLES = frozenset({Role.GRID_WORKER, Role.DEPUTY, Role.NEIGHBOUR_GRID})
"""Roles that people hold for a grid; all others are held for a place (a compound, community, street ...)."""


class UnplacedReason(StrEnum):
    UNKNOWN_DEVICE = "unknown_device"
    UNKNOWN_PLACE = "unknown_place"


@dataclass(frozen=True, slots=True)
class Unplaced:
    """Why a device has no placement. Never a reason to drop or wait: duty without a place answers."""

    reason: UnplacedReason


@dataclass(frozen=True, slots=True)
class RegistrySnapshot:
    """What the registry said at one moment about some devices (or all): enough to place them and to find their duty."""

    devices: Mapping[str, Device] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    """Every place on the paths of these devices."""
    grid_of_place: Mapping[str, str] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    """Nobody who has left, no contact that was opted out of."""
    shifts_by_grid: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)
    shifts_by_place: Mapping[str, tuple[Shift, ...]] = field(default_factory=dict)
    shifts_global: tuple[Shift, ...] = ()
    """For everything: neither grid nor place."""


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


def on_duty(snapshot: RegistrySnapshot, placement: Placement | None, role: Role, now: datetime) -> tuple[Person, ...]:
    """Who stands on this step for this place at `now`, in the order in which they are asked.

    Grid roles come from the grid's shifts, all others from shifts on a place of the path; where nobody stands there, or
    the placement is unknown, from the shifts for everything. Planned shifts before standing ones, then by rank, then
    the nearer place. A person stands once. Who has left is in no snapshot, so never on duty.
    """
    local = [] if placement is None else _local_shifts(snapshot, placement, role)
    return _people(snapshot, local, role, now) or _people(snapshot, snapshot.shifts_global, role, now)


def _chain(snapshot: RegistrySnapshot, place_id: str) -> tuple[Place, ...]:
    own = snapshot.places.get(place_id)
    if own is None:
        return ()
    return tuple(snapshot.places[id_] for id_ in own.path if id_ in snapshot.places)


def _grid(snapshot: RegistrySnapshot, chain: tuple[Place, ...]) -> str | None:
    covering = (snapshot.grid_of_place.get(place.id) for place in reversed(chain))
    return next((grid_id for grid_id in covering if grid_id is not None), None)


def _local_shifts(snapshot: RegistrySnapshot, placement: Placement, role: Role) -> list[Shift]:
    """Nearest place first."""
    if role in GRID_ROLES:
        return list(snapshot.shifts_by_grid.get(placement.grid_id, ())) if placement.grid_id else []
    return [shift for place in reversed(placement.chain) for shift in snapshot.shifts_by_place.get(place.id, ())]


def _people(snapshot: RegistrySnapshot, shifts: Iterable[Shift], role: Role, now: datetime) -> tuple[Person, ...]:
    covering = [shift for shift in shifts if shift.role is role and shift.covers(now)]
    covering.sort(key=_order)  # stable: among equals the nearer place stays first
    people = dict.fromkeys(shift.person_id for shift in covering)
    return tuple(snapshot.people[person_id] for person_id in people if person_id in snapshot.people)


def _order(shift: Shift) -> tuple[bool, int]:
    standing = shift.starts_at is None and shift.ends_at is None
    return standing, shift.rank
