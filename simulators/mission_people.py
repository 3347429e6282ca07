"""Rows of the mission's city: grids, people and who stands on which step. People have a role and a number, no name.

**Telephones.** The registry only takes numbers that can exist, and no living person's may stand in a made-up city. So
all are +86 10 03nn nnnn: by their pattern numbers of Beijing, but no subscriber's number of mainland China begins with
0, the prefix of long-distance calls: whoever dials one reaches nobody. The 3 keeps clear of the carriers' service
numbers (10010, 10086 ...), in case a network stops reading after five digits.
"""

from collections.abc import Iterator
from itertools import chain
from typing import NamedTuple

from devices.model import Channel, Committee, Language, PersonKind, Role
from simulators import mission_city
from simulators.mission_city import MissionCity
from simulators.mission_places import (
    building_code,
    community_code,
    community_levels,
    compound_code,
    grid_code,
    prefix,
    street_code,
)

duty_per_community = 3
night = "22:00-07:00"
phones_max = 1_000_000


class GridRow(NamedTuple):
    """Named like the columns of the sheet, as all of these; several values in one cell have a space between them."""

    code: str
    name: str
    name_en: str
    community: str
    workers: str = ""
    """The first is its primary."""
    neighbours: str = ""
    night: str = ""


class PersonRow(NamedTuple):
    code: str
    name: str
    name_en: str
    kind: str
    place: str
    """Code of the place he belongs to; empty: the whole city."""
    phone: str
    language: str
    channels: str


class ShiftRow(NamedTuple):
    role: str
    person: str
    grid: str = ""
    place: str = ""
    rank: str = ""


class _Post(NamedTuple):
    """People of one kind: the role they stand on, their names, and the beginning of their codes."""

    role: Role
    kind: PersonKind
    name: str
    name_en: str
    code: str

    def code_of(self, number: int) -> str:
        return f"{prefix}{self.code}{number + 1:05d}"

    def person(self, number: int, place: str, phone: str) -> PersonRow:
        name, name_en = f"{self.name}{number + 1:05d}", f"{self.name_en} {number + 1:05d}"
        return PersonRow(
            self.code_of(number), name, name_en, self.kind.value, place, phone, Language.ZH_CN.value, _CHANNELS
        )


_CHANNELS = " ".join(Channel)
_WORKER = _Post(Role.GRID_WORKER, PersonKind.WORKER, "网格员", "Grid worker", "W")
_STEWARD = _Post(Role.BUILDING_STEWARD, PersonKind.VOLUNTEER, "楼栋长", "Steward", "L")
_PROPERTY = _Post(Role.PROPERTY_DESK, PersonKind.DESK, "物业值班室", "Property desk", "P")
_CHAIR = _Post(Role.CHAIR_OR_SECRETARY, PersonKind.WORKER, "自管委主任", "Chair", "Z")
_SECRETARY = _Post(Role.CHAIR_OR_SECRETARY, PersonKind.WORKER, "社区书记", "Secretary", "J")
_DUTY = _Post(Role.COMMUNITY_DUTY, PersonKind.WORKER, "社区值班员", "Community duty", "D")
_STREET = _Post(Role.STREET_DUTY, PersonKind.DESK, "街道值班室", "Street desk", "T")
_CONTROL = _Post(Role.CONTROL_ROOM, PersonKind.DESK, "消防控制室", "Control room", "X")


class _Stand(NamedTuple):
    """One person on one post beside the grids' own workers."""

    post: _Post
    number: int
    place: str
    rank: int = 0


def grid_rows(city: MissionCity) -> Iterator[GridRow]:
    """Each with its workers and its neighbours in the compound; every second community has the night rule."""
    for compound in city.compounds:
        community = community_code(compound.community)
        short = community_levels(compound.community)[-1].removesuffix("社区")
        for grid in compound.grids:
            others = [each for each in (grid + 1, grid - 1) if each in compound.grids]
            yield GridRow(
                grid_code(grid),
                f"{short}第{grid + 1}网格",
                f"Grid {grid + 1}",
                community,
                " ".join(map(_WORKER.code_of, city.workers_of(grid))),
                " ".join(map(grid_code, others)),
                night if compound.community % 2 else "",
            )


def no_telephones() -> Iterator[str]:
    """Different numbers that look like telephones and are none."""
    return (f"+861003{number:06d}" for number in range(1, phones_max))


def people_rows(city: MissionCity) -> Iterator[PersonRow]:
    """The grids' workers, then everybody who stands for a building, a compound, a community, a street or all."""
    phones = no_telephones()
    for compound in city.compounds:
        place = community_code(compound.community)
        for worker in chain.from_iterable(map(city.workers_of, compound.grids)):
            yield _WORKER.person(worker, place, next(phones))
    for stand in _stands(city):
        yield stand.post.person(stand.number, stand.place, next(phones))


def shift_rows(city: MissionCity) -> Iterator[ShiftRow]:
    """Standing duty of all who are no grid worker: these stand by belonging to their grid."""
    for stand in _stands(city):
        yield ShiftRow(stand.post.role.value, stand.post.code_of(stand.number), "", stand.place, str(stand.rank))


def people_total(city: MissionCity) -> int:
    """How many rows `people_rows` gives."""
    return mission_city.workers + shifts_total(city)


def shifts_total(city: MissionCity) -> int:
    """How many rows `shift_rows` gives."""
    return sum(1 for _ in _stands(city))


def _stands(city: MissionCity) -> Iterator[_Stand]:
    """A building may have its steward, a compound its property desk or chair; a community has a whole duty list."""
    for steward, building in enumerate(city.steward_buildings):
        yield _Stand(_STEWARD, steward, building_code(building))
    for compound in city.compounds:
        if compound.company is not None:
            yield _Stand(_PROPERTY, compound.number, compound_code(compound.number))
        if compound.committee is Committee.SELF_MANAGEMENT:
            yield _Stand(_CHAIR, compound.number, compound_code(compound.number))
    for community in range(mission_city.communities):
        place = community_code(community)
        yield _Stand(_SECRETARY, community, place, 1)  # after the chair, where the compound has one
        for rank in range(duty_per_community):
            yield _Stand(_DUTY, community * duty_per_community + rank, place, rank)
    for street in range(mission_city.streets):
        yield _Stand(_STREET, street, street_code(street))
    yield _Stand(_CONTROL, 0, "")
