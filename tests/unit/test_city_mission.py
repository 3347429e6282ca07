"""The mission's city: exact counts whatever the number of devices, one city per seed, and everything hangs together."""

import hashlib
from collections import Counter
from collections.abc import Iterable

import pytest

from devices import phones
from devices.bulk.columns import COLUMNS, Sheet
from devices.model import Committee, PersonKind, Role
from simulators import mission_city
from simulators.city import load_city
from simulators.city_rows import grid_rows_of, person_rows_of, place_rows_of, shift_rows_of
from simulators.mission_city import MissionCity, plan_city
from simulators.mission_people import (
    GridRow,
    PersonRow,
    ShiftRow,
    grid_rows,
    people_rows,
    people_total,
    shift_rows,
    shifts_total,
)
from simulators.mission_places import PlaceRow, place_rows, places_total

few = 300


@pytest.fixture(scope="module")
def city() -> MissionCity:
    return plan_city(few)


@pytest.fixture(scope="module")
def places(city: MissionCity) -> list[PlaceRow]:
    return list(place_rows(city))


@pytest.fixture(scope="module")
def people(city: MissionCity) -> list[PersonRow]:
    return list(people_rows(city))


@pytest.fixture(scope="module")
def grids(city: MissionCity) -> list[GridRow]:
    return list(grid_rows(city))


@pytest.fixture(scope="module")
def shifts(city: MissionCity) -> list[ShiftRow]:
    return list(shift_rows(city))


@pytest.mark.parametrize(("devices", "seed"), [(0, 1), (few, 1), (20_000, 7), (2_000_000, 1)])
def test_the_counts_of_the_mission_hold_for_any_number_of_devices(devices: int, seed: int) -> None:
    city = plan_city(devices, seed)
    assert len(city.compounds) == 3_800
    assert sum(each.company is not None for each in city.compounds) == 754
    committees = Counter(each.committee for each in city.compounds)
    assert committees == {Committee.OWNERS: 121, Committee.SELF_MANAGEMENT: 1_466, Committee.NONE: 2_213}
    assert [grid for each in city.compounds for grid in each.grids] == list(range(18_100))
    assert [worker for grid in range(18_100) for worker in city.workers_of(grid)] == list(range(39_300))
    assert len(set(city.steward_buildings)) == 6_957
    dealt = [device for each in range(mission_city.buildings) for device in city.devices_of(each)]
    assert dealt == list(range(devices))


def test_rows_have_the_counts_of_the_plan(
    city: MissionCity,
    places: list[PlaceRow],
    people: list[PersonRow],
    grids: list[GridRow],
    shifts: list[ShiftRow],
) -> None:
    compounds = [row for row in places if row.compound and not row.building]
    assert len({row.compound for row in compounds}) == len(compounds) == 3_800
    assert sum(bool(row.property_company) for row in compounds) == 754
    assert Counter(row.committee for row in compounds)["owners"] == 121
    assert Counter(row.committee for row in compounds)["self_management"] == 1_466
    assert len({row.device for row in places if row.device}) == few
    assert len(places) == places_total(city)
    assert len({row.code for row in grids}) == len(grids) == 18_100
    assert len({row.code for row in people}) == len(people) == people_total(city)
    assert sum(row.name.startswith("网格员") for row in people) == 39_300
    assert sum(row.name.startswith("楼栋长") for row in people) == 6_957
    assert len(shifts) == shifts_total(city)


def test_the_largest_city_has_room_for_every_device() -> None:
    """Its fullest building is one of seven floors."""
    city = plan_city(mission_city.devices_max)
    rows = place_rows(city)
    head = [next(rows) for _ in range(5_000)]
    fullest = max(Counter(row[:6] for row in head if row.device).values())
    assert fullest == -(-mission_city.devices_max // mission_city.buildings)
    where = [(*row[:10], row.kind) for row in head if row.device]
    assert len(set(where)) == len(where)


def test_one_company_serves_many_compounds(places: list[PlaceRow]) -> None:
    served = Counter(row.property_company for row in places if row.property_company)
    assert len(served) == mission_city.property_companies
    assert max(served.values()) > 1


def test_the_same_seed_is_the_same_city_and_another_is_another() -> None:
    assert _digest(plan_city(few, 3)) == _digest(plan_city(few, 3))
    assert _digest(plan_city(few, 3)) != _digest(plan_city(few, 4))


def test_a_stream_can_be_read_twice(city: MissionCity, places: list[PlaceRow]) -> None:
    assert list(place_rows(city)) == places


def test_more_devices_leave_everything_else_as_it_was(places: list[PlaceRow]) -> None:
    more = place_rows(plan_city(2 * few))
    assert [row for row in more if not row.device] == [row for row in places if not row.device]


def test_parents_stand_before_their_children(places: list[PlaceRow]) -> None:
    seen: set[tuple[str, ...]] = set()
    for row in places:
        if row.code:
            levels = tuple(filter(None, row[:10]))
            assert len(levels) == 1 or levels[:-1] in seen
            assert levels not in seen
            seen.add(levels)


def test_every_building_has_one_grid_of_its_own_compound(
    city: MissionCity, places: list[PlaceRow], grids: list[GridRow]
) -> None:
    covering = {row.code: row.grid for row in places if row.building and row.code}
    assert set(covering.values()) == {row.code for row in grids}
    assert all(row.grid == "" for row in places if row.device)  # a device has its building's
    compound_of = {row.grid: row.compound for row in places if row.grid}
    neighbours = [(row.code, each) for row in grids for each in row.neighbours.split()]
    assert neighbours
    assert all(compound_of[own] == compound_of[other] for own, other in neighbours)


def test_every_grid_has_its_own_workers_and_everybody_is_known(
    places: list[PlaceRow], people: list[PersonRow], grids: list[GridRow], shifts: list[ShiftRow]
) -> None:
    known, codes = {row.code for row in people}, {row.code for row in places if row.code}
    members = [each for row in grids for each in row.workers.split()]
    assert len(set(members)) == len(members) == 39_300
    assert all(len(row.workers.split()) >= 2 for row in grids)
    assert set(members) | {row.person for row in shifts} == known
    assert {row.place for row in shifts} - {""} <= codes
    assert {row.place for row in people} - {""} <= codes
    assert {row.community for row in grids} <= codes


def test_who_stands_for_what(places: list[PlaceRow], shifts: list[ShiftRow]) -> None:
    kind_of = {row.code: row for row in places if row.code}
    on = Counter(row.role for row in shifts)
    assert on[Role.BUILDING_STEWARD] == 6_957
    assert on[Role.PROPERTY_DESK] == 754
    assert on[Role.CHAIR_OR_SECRETARY] == 1_466 + mission_city.communities
    assert on[Role.COMMUNITY_DUTY] == 3 * mission_city.communities
    assert on[Role.STREET_DUTY] == mission_city.streets
    assert on[Role.CONTROL_ROOM] == 1
    desks = {row.place for row in shifts if row.role == Role.PROPERTY_DESK}
    assert desks == {code for code, row in kind_of.items() if row.property_company}
    chairs = {row.place for row in shifts if row.role == Role.CHAIR_OR_SECRETARY and row.rank == "0"}
    assert chairs == {code for code, row in kind_of.items() if row.committee == "self_management"}


def test_telephones_are_taken_by_the_registry_and_belong_to_nobody(people: list[PersonRow]) -> None:
    numbers = [row.phone for row in people]
    assert len(set(numbers)) == len(numbers)
    assert all(number.startswith("+86100") for number in numbers)  # Beijing, then the prefix of long-distance calls
    assert all(phones.normalise(number) == number for number in numbers[::97])
    assert {row.kind for row in people} <= set(PersonKind)


def test_every_field_is_a_column_of_its_sheet() -> None:
    fields = {
        Sheet.PLACES: PlaceRow._fields,
        Sheet.PEOPLE: PersonRow._fields,
        Sheet.GRIDS: GridRow._fields,
        Sheet.SHIFTS: ShiftRow._fields,
    }
    for sheet, names in fields.items():
        assert set(names) <= {column.name for column in COLUMNS[sheet]}


def test_the_street_of_the_demonstration_has_the_same_rows() -> None:
    street = load_city()
    places = list(place_rows_of(street))
    assert [row.code for row in places if row.code] == [place.id for place in street.places]
    assert [row.device for row in places if row.device] == [device.id for device in street.devices]
    kitchen = next(row for row in places if row.code == "jd-hy-3-2-1201-k")
    assert [*kitchen[:10]] == [*_kitchen]
    people = list(person_rows_of(street))
    assert [row.code for row in people] == [person.id for person in street.people]
    assert all(phones.normalise(row.phone) == row.phone for row in people if row.phone)
    assert {row.grid for row in places} - {""} == {row.code for row in grid_rows_of(street)}
    assert len(list(shift_rows_of(street))) == len(street.shifts)


_kitchen = (
    *("信阳市", "浉河区", "金牛山街道", "金鼎社区", "金鼎花园"),
    *("3栋", "2单元", "12层", "1201", "厨房"),
)


def _digest(city: MissionCity) -> str:
    streams: tuple[Iterable[tuple[str, ...]], ...] = (
        place_rows(city),
        people_rows(city),
        grid_rows(city),
        shift_rows(city),
    )
    digest = hashlib.sha256()
    for stream in streams:
        for row in stream:
            digest.update("\t".join(row).encode())
    return digest.hexdigest()
