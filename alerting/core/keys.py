"""Under which key an incident takes signals: typed, versioned, written and read in this one place. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from devices.model import PlaceKind, Placement
from devices.taxonomy import Hazard

key_version = 1
"""Counts up when what a key means changes; open incidents of an older version then take no new signals."""

FOLDED_BY_BUILDING = frozenset({"fire", "gas"})
"""Families whose signals of one building are one incident."""


class Anchor(StrEnum):
    """What the last part of a key names."""

    BUILDING = "building"
    """The building, else the nearest place: of a family."""
    DEVICE = "device"
    PLACE = "place"
    """Where a person says it is, where no device speaks."""
    UNPLACED = "unplaced"
    """Nobody knows the place: a device, or whatever else is known."""


_WRITTEN = {Anchor.BUILDING: "", Anchor.DEVICE: "", Anchor.PLACE: "place:", Anchor.UNPLACED: "unplaced:"}


@dataclass(frozen=True, slots=True)
class DedupKey:
    what: str
    """A family (`fire`), or a code (`water.leak`)."""
    anchor: Anchor
    where: str
    version: int = key_version

    def __str__(self) -> str:
        return f"v{self.version}:{self.what}:{_WRITTEN[self.anchor]}{self.where}"


def parse(text: str) -> DedupKey:
    """What a key says; raises ValueError where it is none."""
    version, _, rest = text.partition(":")
    what, _, where = rest.partition(":")
    if not (version[:1] == "v" and version[1:].isdecimal() and what and where):
        raise ValueError(f"no dedup key: {text!r}")
    marked = next((anchor for anchor in (Anchor.PLACE, Anchor.UNPLACED) if where.startswith(_WRITTEN[anchor])), None)
    if marked is not None and where != _WRITTEN[marked]:
        return DedupKey(what, marked, where.removeprefix(_WRITTEN[marked]), int(version[1:]))
    return DedupKey(what, Anchor.DEVICE if "." in what else Anchor.BUILDING, where, int(version[1:]))


def key_of(hazard: Hazard, placement: Placement | None, device_id: str, said: str = "") -> DedupKey:
    """By building for fire and gas, by device for the rest; by place where a person speaks (`device_id` empty).

    `said`: where nothing places it, what the person gave.
    """
    placed = placement is not None and bool(placement.chain)
    if hazard.family in FOLDED_BY_BUILDING:
        if placement is None or not placed:
            return DedupKey(hazard.family, Anchor.UNPLACED, device_id or said)
        building = placement.at(PlaceKind.BUILDING)
        return DedupKey(hazard.family, Anchor.BUILDING, building.id if building else placement.chain[-1].id)
    if device_id:
        return DedupKey(hazard.code, Anchor.DEVICE, device_id)
    if placement is None or not placed:
        return DedupKey(hazard.code, Anchor.UNPLACED, said)
    return DedupKey(hazard.code, Anchor.PLACE, placement.chain[-1].id)


def dedup_key(hazard: Hazard, placement: Placement | None, device_id: str, said: str = "") -> str:
    return str(key_of(hazard, placement, device_id, said))
