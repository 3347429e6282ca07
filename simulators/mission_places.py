"""Rows of the mission's city: its places, grids' buildings and devices, parents first. Names follow a pattern, no more.

One row names every level above it, as the import files do, and carries facts of the last place it names.
"""

import random
from collections.abc import Iterator
from functools import cache
from itertools import cycle
from typing import NamedTuple

from devices.model import CompoundType, DeviceState
from simulators import mission_city
from simulators.mission_city import Compound, MissionCity

CITY = "模拟市"
prefix = "SIM-"
"""Of every code, so that the city never takes the place of something that exists."""
_CENTRE = (32.13, 114.06)
_HANZI = "一二三四五六七八九十"
_SUFFIX = {
    CompoundType.COMMERCIAL: ("花园", "Garden"),
    CompoundType.STAFF_HOUSING: ("家属院", "Yard"),
    CompoundType.RESETTLEMENT: ("安置小区", "Court"),
    CompoundType.URBAN_VILLAGE: ("村", "Village"),
}
_UNITS = range(1, mission_city.units_per_building + 1)
_KITCHEN = ("gas_detector", "gas_detector", "water_leak_sensor", "gas_detector", "heat_detector")
Slot = tuple[tuple[str, str, str, str], str]
"""Unit, floor, room and part, and the kind of device."""


class PlaceRow(NamedTuple):
    """Named like the columns of the sheet. Empty text is an empty cell; a device hangs at the row's last level."""

    city: str = ""
    district: str = ""
    street: str = ""
    community: str = ""
    compound: str = ""
    building: str = ""
    unit: str = ""
    floor: str = ""
    room: str = ""
    part: str = ""
    grid: str = ""
    device: str = ""
    kind: str = ""
    state: str = ""
    name_en: str = ""
    code: str = ""
    lat: str = ""
    lon: str = ""
    compound_type: str = ""
    property_company: str = ""
    committee: str = ""
    supervising_unit: str = ""
    partner_unit: str = ""


_BLANK = PlaceRow()
_AFTER_STATE = _BLANK[PlaceRow._fields.index("state") + 1 :]


def place_rows(city: MissionCity) -> Iterator[PlaceRow]:
    """City, districts, streets, communities; then each compound with its buildings, each with its devices."""
    yield from _upper()
    points, dealt = city.dice("points"), city.dice("devices")
    for compound in city.compounds:
        levels = _levels(compound)
        centre = _near(_CENTRE, 0.3, points)
        yield _compound(compound, levels, _shown(centre))
        word = "栋" if compound.type is CompoundType.COMMERCIAL else "号楼"
        for number, building in enumerate(compound.buildings, 1):
            own = (*levels, f"{number}{word}")
            yield _building(building, own, f"B{number}", _shown(_near(centre, 0.002, points)))
            yield from _devices(city, building, own, dealt)


def _building(building: int, own: tuple[str, ...], name_en: str, point: tuple[str, str]) -> PlaceRow:
    grid = grid_code(building // mission_city.buildings_per_grid)
    return _row(own, grid=grid, name_en=name_en, code=building_code(building), lat=point[0], lon=point[1])


def _devices(city: MissionCity, building: int, own: tuple[str, ...], dice: random.Random) -> Iterator[PlaceRow]:
    devices, slots = city.devices_of(building), _slots(city.floors[building])
    for device, slot in zip(devices, sorted(dice.sample(range(len(slots)), len(devices))), strict=True):
        where, kind = slots[slot]
        facts = ("", device_id(device), kind, DeviceState.COMMISSIONED.value)
        yield PlaceRow._make((*own, *where, *facts, *_AFTER_STATE))


def places_total(city: MissionCity) -> int:
    """How many rows `place_rows` gives."""
    upper = 1 + mission_city.districts + mission_city.streets + mission_city.communities
    return upper + mission_city.compounds + mission_city.buildings + city.devices


def grid_code(grid: int) -> str:
    return f"{prefix}G{grid + 1:05d}"


def compound_code(compound: int) -> str:
    return f"{prefix}C{compound + 1:04d}"


def building_code(building: int) -> str:
    return f"{prefix}B{building + 1:05d}"


def community_code(community: int) -> str:
    return f"{prefix}Q{community + 1:03d}"


def street_code(street: int) -> str:
    return f"{prefix}S{street + 1:02d}"


def device_id(device: int) -> str:
    """As `gengfu simulate fleet` names its devices."""
    return f"sim-{device + 1:06d}"


@cache
def community_levels(community: int) -> tuple[str, str, str, str]:
    """The names from the city down to this community."""
    street = street_of(community)
    district = f"模拟{_HANZI[_district_of(street)]}区"
    return CITY, district, f"模拟{street + 1:02d}街道", f"模拟{community + 1:03d}社区"


def street_of(community: int) -> int:
    return community * mission_city.streets // mission_city.communities


def _district_of(street: int) -> int:
    return street * mission_city.districts // mission_city.streets


def _row(levels: tuple[str, ...], **facts: str) -> PlaceRow:
    return PlaceRow._make((*levels, *_BLANK[len(levels) :]))._replace(**facts)


def _levels(compound: Compound) -> tuple[str, str, str, str, str]:
    name = f"模拟{compound.number + 1:04d}{_SUFFIX[compound.type][0]}"
    return *community_levels(compound.community), name


def _upper() -> Iterator[PlaceRow]:
    """Each level when it is first named."""
    centre = {"lat": f"{_CENTRE[0]:.6f}", "lon": f"{_CENTRE[1]:.6f}"}
    seen: set[tuple[str, ...]] = set()
    for community in range(mission_city.communities):
        levels = community_levels(community)
        street = street_of(community)
        district = _district_of(street)
        words = (
            ("SIM", "Sim City"),
            (f"{prefix}D{district + 1:02d}", f"District {district + 1}"),
            (street_code(street), f"Street {street + 1}"),
            (community_code(community), f"Comm {community + 1}"),
        )
        for depth, (code, name_en) in enumerate(words, 1):
            if levels[:depth] not in seen:
                seen.add(levels[:depth])
                yield _row(levels[:depth], name_en=name_en, code=code, **centre)


def _compound(compound: Compound, levels: tuple[str, ...], point: tuple[str, str]) -> PlaceRow:
    number = compound.number + 1
    return _row(
        levels,
        name_en=f"{_SUFFIX[compound.type][1]} {number}",
        code=compound_code(compound.number),
        lat=point[0],
        lon=point[1],
        compound_type=compound.type,
        property_company="" if compound.company is None else f"模拟物业公司{compound.company + 1:02d}",
        committee=compound.committee,
        supervising_unit=_unit(compound.supervising_unit),
        partner_unit=_unit(compound.partner_unit),
    )


def _unit(number: int | None) -> str:
    return "" if number is None else f"模拟单位{number + 1:03d}"


def _near(point: tuple[float, float], degrees: float, dice: random.Random) -> tuple[float, float]:
    return point[0] + dice.uniform(-degrees, degrees), point[1] + dice.uniform(-degrees, degrees)


def _shown(point: tuple[float, float]) -> tuple[str, str]:
    return f"{point[0]:.6f}", f"{point[1]:.6f}"


@cache
def _slots(floors: int) -> tuple[Slot, ...]:
    """Where devices hang in a building of so many floors, and of which model: more than are ever dealt to one."""
    shared = [(("", "", "", "充电间"), "charging_station")]
    shared += [((f"{unit}单元", "", "", "电梯"), "camera") for unit in _UNITS]
    kitchen = cycle(_KITCHEN)
    flats = []
    for unit in _UNITS:
        for floor in range(1, floors + 1):
            for flat in range(1, mission_city.flats_per_floor + 1):
                room = (f"{unit}单元", f"{floor}层", f"{floor}{flat:02d}")
                flats += [((*room, ""), "smoke_detector"), ((*room, "厨房"), next(kitchen))]
    return *shared, *flats
