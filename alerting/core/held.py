"""Alarms that wait: one from a device in test mode is held for a while before it pages. Pure.

Law: what waits has a due time; restored in time, or settled by a passed walk test, it never pages; everything else
pages, and at once where two rooms of a building speak and not every one of them is a tester's step.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from alerting.core.model import Reason
from devices.model import PlaceKind, Placement


@dataclass(frozen=True, slots=True)
class Held:
    """One alarm that waits. `id` and `reference` become the incident's, should it open one."""

    id: str
    reference: str
    device_id: str
    code: str
    building_id: str
    room_id: str
    received_at: datetime
    observed_at: datetime | None
    due_at: datetime
    """Not restored by then, it pages."""


def room_of(placement: Placement) -> str:
    """The room; without one (stairwell, shed, roof) the device's own place."""
    room = placement.at(PlaceKind.ROOM)
    return (room or placement.chain[-1]).id


def building_of(placement: Placement) -> str:
    """Within what two rooms are compared: the building, else the compound, else the device's own place."""
    building = placement.at(PlaceKind.BUILDING) or placement.at(PlaceKind.COMPOUND)
    return (building or placement.chain[-1]).id


def at_once(held: Iterable[Held], steps: Collection[str]) -> set[str]:
    """Ids of those that may not wait: two rooms of one building, not all of them a tester's step now.

    `steps`: devices whose walk test is running.
    """
    by_building: dict[str, list[Held]] = {}
    for each in held:
        by_building.setdefault(each.building_id, []).append(each)
    return {
        each.id
        for together in by_building.values()
        if len({one.room_id for one in together}) > 1 and any(one.device_id not in steps for one in together)
        for each in together
    }


def why_no_longer(each: Held, held: Mapping[str, Held], steps: Collection[str], now: datetime) -> Reason | None:
    """Why this one pages now; None while it may wait."""
    if each.due_at <= now:
        return Reason.NOT_RESTORED
    return Reason.TWO_ROOMS if each.id in at_once(held.values(), steps) else None
