"""A made-up city of any size for benchmarks: same numbers and seed, same city. Never written to disk."""

import random

from devices.model import Device, DeviceState, Language, Person, PersonKind, Place, PlaceKind, Role, Shift
from simulators.city_file import City, Grid, contacts

buildings_per_compound = 20
compounds_per_community = 10
_CENTRE = (32.13, 114.06)
_SPREAD_DEGREES = 0.05
_KIND_WEIGHTS = {
    "smoke_detector": 55,
    "water_leak_sensor": 15,
    "gas_detector": 12,
    "charging_station": 8,
    "heat_detector": 5,
    "camera": 5,
}


def generate_city(devices: int, buildings: int, workers: int, seed: int = 1) -> City:
    """A city with exactly these numbers of devices, buildings and grid workers.

    Each worker has a grid of his own and stands in for the next one; buildings are dealt out to the grids one by
    one, so a grid has none where there are more workers than buildings. Each device has a room of its own; building
    n holds devices n, n + buildings ... Beside the grid workers there are one duty officer per community, one per
    street and a control room. Ids: `sim-000001`, `b-000001`, `w-000001`; numbers cannot be dialled.
    """
    assert devices >= 0
    assert buildings > 0
    assert workers > 0
    dice = random.Random(seed)  # noqa: S311 - the same city for the same seed, no secret
    root = Place("city", PlaceKind.CITY, "模拟市", "Sim City", ("city",), *_CENTRE)
    street = Place("street", PlaceKind.STREET, "模拟街道", "Sim Street", (*root.path, "street"), *_CENTRE)
    communities = _communities(buildings, street)
    compounds = _compounds(buildings, communities)
    houses = _buildings(buildings, compounds, dice)
    kinds = dice.choices(list(_KIND_WEIGHTS), weights=list(_KIND_WEIGHTS.values()), k=devices)
    rooms = [_room(number, houses[number % buildings], buildings) for number in range(devices)]
    people = _people(workers, len(communities))
    return City(
        "模拟市",
        "Sim City",
        (root, street, *communities, *compounds, *houses, *rooms),
        _grids(houses, workers),
        people,
        _shifts(workers, communities),
        tuple(
            Device(f"sim-{number + 1:06d}", kind, rooms[number].id, DeviceState.COMMISSIONED)
            for number, kind in enumerate(kinds)
        ),
    )


def _below(parent: Place, place_id: str, kind: PlaceKind, name: str, name_en: str) -> Place:
    return Place(place_id, kind, name, name_en, (*parent.path, place_id), parent.lat, parent.lon)


def _communities(buildings: int, street: Place) -> list[Place]:
    count = -(-buildings // (buildings_per_compound * compounds_per_community))
    return [
        _below(street, f"q-{n + 1:04d}", PlaceKind.COMMUNITY, f"模拟{n + 1}社区", f"Comm {n + 1}") for n in range(count)
    ]


def _compounds(buildings: int, communities: list[Place]) -> list[Place]:
    count = -(-buildings // buildings_per_compound)
    return [
        _below(
            communities[n // compounds_per_community],
            f"c-{n + 1:05d}",
            PlaceKind.COMPOUND,
            f"模拟{n + 1}小区",
            f"Court {n + 1}",
        )
        for n in range(count)
    ]


def _buildings(count: int, compounds: list[Place], dice: random.Random) -> list[Place]:
    made = []
    for n in range(count):
        compound = compounds[n // buildings_per_compound]
        number = n % buildings_per_compound + 1
        place_id = f"b-{n + 1:06d}"
        lat = round(_CENTRE[0] + dice.uniform(-_SPREAD_DEGREES, _SPREAD_DEGREES), 6)
        lon = round(_CENTRE[1] + dice.uniform(-_SPREAD_DEGREES, _SPREAD_DEGREES), 6)
        path = (*compound.path, place_id)
        made.append(Place(place_id, PlaceKind.BUILDING, f"{number}栋", f"B{number}", path, lat, lon))
    return made


def _room(number: int, building: Place, buildings: int) -> Place:
    order = number // buildings
    name = f"{order // 4 + 1}0{order % 4 + 1}"
    return _below(building, f"r-{number + 1:06d}", PlaceKind.ROOM, name, name)


def _grids(houses: list[Place], workers: int) -> tuple[Grid, ...]:
    return tuple(
        Grid(
            f"g-{n + 1:06d}",
            f"模拟第{n + 1}网格",
            f"Grid {n + 1}",
            None,
            tuple(house.id for house in houses[n::workers]),
        )
        for n in range(workers)
    )


def _people(workers: int, communities: int) -> tuple[Person, ...]:
    made = [_person(n, f"w-{n + 1:06d}", f"网格员{n + 1}", f"Worker {n + 1}") for n in range(workers)]
    made += [
        _person(workers + n, f"d-{n + 1:04d}", f"社区值班员{n + 1}", f"Community duty {n + 1}")
        for n in range(communities)
    ]
    last = workers + communities
    made.append(_person(last, "street-duty", "街道值班室", "Street duty", PersonKind.DESK))
    made.append(_person(last + 1, "control-room", "消防控制室", "Control room", PersonKind.DESK))
    return tuple(made)


def _person(number: int, person_id: str, name: str, name_en: str, kind: PersonKind = PersonKind.WORKER) -> Person:
    """`+86 10` and nine digits: one too many for Beijing, so no network can carry it."""
    phone = f"+8610{number + 1:09d}"
    return Person(person_id, kind, name, name_en, Language.ZH_CN, contacts(person_id, phone, app=True))


def _shifts(workers: int, communities: list[Place]) -> tuple[Shift, ...]:
    made = []
    for n in range(workers):
        grid = f"g-{n + 1:06d}"
        own, next_one = f"w-{n + 1:06d}", f"w-{(n + 1) % workers + 1:06d}"
        made.append(Shift(f"sw-{n + 1:06d}", Role.GRID_WORKER, own, grid, None, None, None))
        if workers > 1:
            made.append(Shift(f"sd-{n + 1:06d}", Role.DEPUTY, next_one, grid, None, None, None))
    for n, community in enumerate(communities):
        duty = f"d-{n + 1:04d}"
        made.append(Shift(f"sc-{n + 1:04d}", Role.COMMUNITY_DUTY, duty, None, community.id, None, None))
    made.append(Shift("s-street", Role.STREET_DUTY, "street-duty", None, "street", None, None))
    made.append(Shift("s-control", Role.CONTROL_ROOM, "control-room", None, None, None, None))
    return tuple(made)
