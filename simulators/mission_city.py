"""The plan of the mission's city: exactly so many compounds, grids, workers and stewards. Numbers only; writes no row.

A city of some six million people that does not exist. Everything hangs together by number: building b belongs to grid
b // 2, worker n to the grid that was dealt him, so that rows can be made one by one without holding the city.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from devices.model import Committee, CompoundType

districts = 10
streets = 60
communities = 600
compounds = 3_800
with_property_company = 754
with_owners_committee = 121
with_self_management = 1_466
grids = 18_100
workers = 39_300
stewards = 6_957
devices_max = 2_000_000

buildings_per_grid = 2
buildings = grids * buildings_per_grid
units_per_building = 2
flats_per_floor = 2
property_companies = 94
"""One company serves some eight compounds."""
units = 120
"""Public bodies that supervise or partner compounds."""

_FLOORS = (7, 7, 7, 11, 18)
_WITH_COMPANY = {CompoundType.COMMERCIAL: 70, CompoundType.RESETTLEMENT: 20, CompoundType.STAFF_HOUSING: 10}
_WITHOUT = {
    CompoundType.STAFF_HOUSING: 40,
    CompoundType.COMMERCIAL: 25,
    CompoundType.RESETTLEMENT: 20,
    CompoundType.URBAN_VILLAGE: 15,
}


@dataclass(frozen=True, slots=True)
class Compound:
    """One compound by numbers; all count from 0."""

    number: int
    community: int
    type: CompoundType
    company: int | None
    committee: Committee
    supervising_unit: int | None
    partner_unit: int | None
    grids: range

    @property
    def buildings(self) -> range:
        return range(self.grids.start * buildings_per_grid, self.grids.stop * buildings_per_grid)


@dataclass(frozen=True, slots=True)
class MissionCity:
    """`devices` of 0 to 2,000,000 are dealt evenly to the buildings."""

    devices: int
    seed: int
    compounds: tuple[Compound, ...]
    first_worker: tuple[int, ...]
    """Of each grid, and one more: the end."""
    floors: tuple[int, ...]
    """Of each building."""
    steward_buildings: tuple[int, ...]
    """Steward n answers for this building."""

    def workers_of(self, grid: int) -> range:
        return range(self.first_worker[grid], self.first_worker[grid + 1])

    def devices_of(self, building: int) -> range:
        """The numbers of the devices in this building; those of all buildings together are 0 to `devices`."""
        each, more = divmod(self.devices, buildings)
        first = building * each + min(building, more)
        return range(first, first + each + (building < more))

    def dice(self, what: str) -> random.Random:
        """Dice of its own for each purpose: a stream can be read twice and gives the same rows."""
        return _dice(self.seed, what)


def plan_city(devices: int, seed: int = 1) -> MissionCity:
    """The same numbers, the same city."""
    assert 0 <= devices <= devices_max, devices
    dice = _dice(seed, "plan")
    grid_ends = [0, *accumulate(deal(grids, compounds, 2, dice))]
    community_of = [n for n, count in enumerate(deal(compounds, communities, 3, dice)) for _ in range(count)]
    companies = _companies(dice)
    committees = _committees(companies, dice)
    made = tuple(
        _compound(
            n, community_of[n], companies.get(n), committees.get(n, Committee.NONE), range(*grid_ends[n : n + 2]), dice
        )
        for n in range(compounds)
    )
    return MissionCity(
        devices,
        seed,
        made,
        (0, *accumulate(deal(workers, grids, 2, dice))),
        tuple(dice.choices(_FLOORS, k=buildings)),
        tuple(sorted(dice.sample(range(buildings), stewards))),
    )


def deal(total: int, over: int, least: int, dice: random.Random) -> list[int]:
    """`over` counts that sum up to `total`: each has the least, chance gives the rest."""
    counts = [least] * over
    for lucky in dice.choices(range(over), k=total - least * over):
        counts[lucky] += 1
    return counts


def _dice(seed: int, what: str) -> random.Random:
    return random.Random(f"{seed} {what}")  # noqa: S311 - the same city for the same seed, no secret


def _companies(dice: random.Random) -> dict[int, int]:
    """Which compounds have a property company, and which one: none of the companies without a compound."""
    served = sorted(dice.sample(range(compounds), with_property_company))
    company_of = (n for n, count in enumerate(deal(len(served), property_companies, 1, dice)) for _ in range(count))
    return dict(zip(served, company_of, strict=True))


def _committees(companies: dict[int, int], dice: random.Random) -> dict[int, Committee]:
    """Owners' committees where a company can be hired, self-management where there is none."""
    without: Sequence[int] = [n for n in range(compounds) if n not in companies]
    owners = dice.sample(sorted(companies), with_owners_committee)
    selves = dice.sample(without, with_self_management)
    return dict.fromkeys(owners, Committee.OWNERS) | dict.fromkeys(selves, Committee.SELF_MANAGEMENT)


def _compound(
    number: int, community: int, company: int | None, committee: Committee, of_grids: range, dice: random.Random
) -> Compound:
    """A third of the staff's compounds have a supervising unit, half of those that run themselves a partner."""
    weights = _WITHOUT if company is None else _WITH_COMPANY
    kind = dice.choices(list(weights), weights=list(weights.values()))[0]
    supervising = dice.randrange(units) if kind is CompoundType.STAFF_HOUSING and dice.random() < 1 / 3 else None
    partner = dice.randrange(units) if committee is Committee.SELF_MANAGEMENT and dice.random() < 1 / 2 else None
    return Compound(number, community, kind, company, committee, supervising, partner, of_grids)
