"""Where a device is, whose grid that is, and who is asked: every way a city may be incomplete."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest

from devices.model import (
    LADDER,
    Device,
    DeviceState,
    Language,
    Person,
    PersonKind,
    Place,
    PlaceKind,
    Placement,
    Role,
    Shift,
)
from devices.resolve import RegistrySnapshot, Unplaced, UnplacedReason, on_duty, place_by_id, place_device

NOW = datetime(2025, 11, 1, 16, 0, tzinfo=UTC)  # midnight in Xinyang
HOUR = timedelta(hours=1)
LEVELS = tuple(PlaceKind)[:9]
"""City to room."""


def tree(kinds: Sequence[PlaceKind]) -> dict[str, Place]:
    """One branch; a place's id is its kind."""
    path = tuple(kind.value for kind in kinds)
    return {
        kind.value: Place(kind.value, kind, kind.value, kind.value, path[: depth + 1])
        for depth, kind in enumerate(kinds)
    }


def person(id_: str) -> Person:
    return Person(id_, PersonKind.WORKER, "网格员甲", "Grid worker A", Language.ZH_CN)


def shift(
    id_: str,
    role: Role = Role.GRID_WORKER,
    *,
    who: str | None = None,
    grid: str | None = None,
    place: str | None = None,
    hours: tuple[float | None, float | None] = (None, None),
    rank: int = 0,
) -> Shift:
    starts, ends = (None if hour is None else NOW + hour * HOUR for hour in hours)
    return Shift(id_, role, who or id_, grid, place, starts, ends, rank)


def city(
    kinds: Sequence[PlaceKind] = LEVELS,
    *,
    covered: dict[str, str] | None = None,
    shifts: Sequence[Shift] = (),
    left: Sequence[str] = (),
) -> RegistrySnapshot:
    """A device `smoke-1` at the end of one branch; `covered` maps places to grids."""
    by_grid: dict[str, tuple[Shift, ...]] = {}
    by_place: dict[str, tuple[Shift, ...]] = {}
    for each in shifts:
        if each.grid_id is not None:
            by_grid[each.grid_id] = (*by_grid.get(each.grid_id, ()), each)
        if each.place_id is not None:
            by_place[each.place_id] = (*by_place.get(each.place_id, ()), each)
    return RegistrySnapshot(
        devices={"smoke-1": Device("smoke-1", "smoke_detector", kinds[-1].value, DeviceState.COMMISSIONED)},
        places=tree(kinds),
        grid_of_place=covered or {},
        people={each.person_id: person(each.person_id) for each in shifts if each.person_id not in left},
        shifts_by_grid=by_grid,
        shifts_by_place=by_place,
        shifts_global=tuple(each for each in shifts if each.grid_id is None and each.place_id is None),
    )


def placed(snapshot: RegistrySnapshot) -> Placement:
    placement = place_device(snapshot, "smoke-1")
    assert isinstance(placement, Placement)
    return placement


def asked(snapshot: RegistrySnapshot, role: Role, now: datetime = NOW) -> list[str]:
    return [each.id for each in on_duty(snapshot, placed(snapshot), role, now)]


@pytest.mark.parametrize("missing", LEVELS[4:])
def test_any_level_below_the_community_may_be_absent(missing: PlaceKind) -> None:
    kinds = [kind for kind in LEVELS if kind is not missing]
    placement = placed(city(kinds, covered={"community": "grid"}))
    assert [place.kind for place in placement.chain] == kinds
    assert placement.at(missing) is None
    assert placement.grid_id == "grid"
    assert placement.place_id == kinds[-1].value


@pytest.mark.parametrize("level", LEVELS)
def test_shared_parts_hang_under_any_level(level: PlaceKind) -> None:
    kinds = [*LEVELS[: LEVELS.index(level) + 1], PlaceKind.PART]
    placement = placed(city(kinds, covered={level.value: "grid"}))
    assert placement.chain[-1].kind is PlaceKind.PART
    assert placement.chain[-2].kind is level
    assert placement.grid_id == "grid"


@pytest.mark.parametrize(
    ("covered", "grid"),
    [
        ({}, None),
        ({"city": "whole"}, "whole"),
        ({"community": "far", "building": "near"}, "near"),
        ({"room": "own", "building": "far"}, "own"),
        ({"elsewhere": "other"}, None),
    ],
)
def test_the_nearest_covered_place_gives_the_grid(covered: dict[str, str], grid: str | None) -> None:
    assert placed(city(covered=covered)).grid_id == grid


def test_why_a_device_has_no_placement() -> None:
    bare = Device("bare", "smoke_detector", None, DeviceState.REGISTERED)
    lost = Device("lost", "smoke_detector", "demolished", DeviceState.REGISTERED)
    snapshot = RegistrySnapshot(devices={"bare": bare, "lost": lost})
    assert place_device(snapshot, "nobody") == Unplaced(UnplacedReason.UNKNOWN_DEVICE)
    assert place_device(snapshot, "bare") == Unplaced(UnplacedReason.UNKNOWN_PLACE)
    assert place_device(snapshot, "lost") == Unplaced(UnplacedReason.UNKNOWN_PLACE)


def test_a_place_found_earlier_keeps_its_grid() -> None:
    snapshot = city(covered={"building": "new"})
    assert place_by_id(snapshot, "room", "smoke-1", "old") == Placement(
        "smoke-1", "smoke_detector", tuple(snapshot.places.values()), "old"
    )
    fresh = place_by_id(snapshot, "room")
    assert fresh is not None
    assert fresh.grid_id == "new"
    assert place_by_id(snapshot, "demolished", "smoke-1", "old") == Placement("smoke-1", "smoke_detector", (), "old")
    assert place_by_id(snapshot, "demolished") is None


@pytest.mark.parametrize("role", [Role.GRID_WORKER, Role.DEPUTY, Role.NEIGHBOUR_GRID])
def test_grid_roles_come_from_the_grid(role: Role) -> None:
    shifts = [
        shift("mine", role, grid="grid"),
        shift("other", role, grid="other"),
        shift("odd", role, place="building"),
    ]
    assert asked(city(covered={"building": "grid"}, shifts=shifts), role) == ["mine"]
    assert asked(city(covered={}, shifts=shifts), role) == []


@pytest.mark.parametrize("role", [Role.CHAIR_OR_SECRETARY, Role.COMMUNITY_DUTY, Role.STREET_DUTY, Role.CONTROL_ROOM])
def test_other_roles_come_from_places_on_the_path(role: Role) -> None:
    shifts = [
        shift("far", role, place="street"),
        shift("near", role, place="compound"),
        shift("elsewhere", role, place="another"),
        shift("odd", role, grid="grid"),
    ]
    assert asked(city(covered={"building": "grid"}, shifts=shifts), role) == ["near", "far"]


@pytest.mark.parametrize("role", LADDER)
def test_who_stands_for_everything_is_asked_where_nobody_else_stands(role: Role) -> None:
    everywhere = shift("everywhere", role)
    local = shift("local", role, grid="grid", place="community")
    ended = shift("ended", role, grid="grid", place="community", hours=(-2, -1))
    covered = {"community": "grid"}
    assert asked(city(covered=covered, shifts=[everywhere]), role) == ["everywhere"]
    assert asked(city(covered=covered, shifts=[everywhere, ended]), role) == ["everywhere"]
    assert asked(city(covered=covered, shifts=[everywhere, local]), role) == ["local"]


def test_an_unknown_placement_asks_only_who_stands_for_everything() -> None:
    role = Role.CONTROL_ROOM
    shifts = [shift("everywhere", role), shift("city", role, place="city")]
    people = on_duty(city(shifts=shifts), None, role, NOW)
    assert [each.id for each in people] == ["everywhere"]
    assert on_duty(city(shifts=shifts), None, Role.GRID_WORKER, NOW) == ()


def test_order_planned_then_rank_then_nearer() -> None:
    role = Role.COMMUNITY_DUTY
    shifts = [
        shift("standing", role, place="room"),
        shift("planned-second", role, place="room", hours=(-1, 1), rank=2),
        shift("planned-first", role, place="city", hours=(-1, 1), rank=1),
        shift("open-ended", role, place="street", hours=(-1, None), rank=3),
        shift("standing-later", role, place="compound", rank=1),
        shift("standing-nearer", role, place="building", rank=1),
    ]
    assert asked(city(shifts=shifts), role) == [
        "planned-first",
        "planned-second",
        "open-ended",
        "standing",
        "standing-nearer",
        "standing-later",
    ]


def test_a_person_is_asked_once_at_the_earliest_turn() -> None:
    shifts = [
        shift("a", who="jia", grid="grid", rank=2),
        shift("b", who="yi", grid="grid", rank=1),
        shift("c", who="jia", grid="grid", hours=(-1, 1)),
    ]
    assert asked(city(covered={"room": "grid"}, shifts=shifts), Role.GRID_WORKER) == ["jia", "yi"]


def test_who_has_left_is_not_asked() -> None:
    shifts = [shift("gone", grid="grid"), shift("here", grid="grid", rank=1)]
    assert asked(city(covered={"room": "grid"}, shifts=shifts, left=["gone"]), Role.GRID_WORKER) == ["here"]


@pytest.mark.parametrize(
    ("seconds", "people"),
    [(-3600.001, []), (-3600, ["night"]), (0, ["night"]), (3599.999, ["night"]), (3600, [])],
)
def test_a_shift_has_its_start_and_not_its_end(seconds: float, people: list[str]) -> None:
    snapshot = city(covered={"room": "grid"}, shifts=[shift("night", grid="grid", hours=(-1, 1))])
    assert asked(snapshot, Role.GRID_WORKER, NOW + timedelta(seconds=seconds)) == people


@pytest.mark.parametrize("offset", [-11, 0, 5.75, 8, 14])
def test_the_time_zone_of_now_changes_nothing(offset: float) -> None:
    snapshot = city(covered={"room": "grid"}, shifts=[shift("night", grid="grid", hours=(0, 1))])
    elsewhere = timezone(timedelta(hours=offset))
    assert asked(snapshot, Role.GRID_WORKER, NOW.astimezone(elsewhere)) == ["night"]
    assert asked(snapshot, Role.GRID_WORKER, (NOW + HOUR).astimezone(elsewhere)) == []
