"""What the registry says about who is where and who stands when: plain values of one moment. Decides nothing. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from devices.model import Device, HouseholdContact, Person, Place, Role, Shift

GRID_ROLES = frozenset({Role.GRID_WORKER, Role.DEPUTY, Role.NEIGHBOUR_GRID})
"""Roles that people hold for a grid; all others are held for a place (a building, compound, community, street ...)."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One person's turn in a pattern, by the wall clock of the pattern's zone."""

    day: int
    """0 .. cycle_days - 1: the day of the cycle on which it begins."""
    from_minute: int
    to_minute: int
    """Not after `from_minute`: it ends on the next day."""
    role: Role
    person_id: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Pattern:
    """A rotation of `cycle_days` days (7: weekly) for a grid, a place or, with neither, for everything."""

    id: str
    grid_id: str | None
    place_id: str | None
    timezone: str
    """IANA name."""
    first_day: date
    """Day 0 of the first cycle; nobody stands before it."""
    last_day: date | None
    """The last day on which a slot may begin."""
    cycle_days: int
    slots: tuple[Slot, ...]


@dataclass(frozen=True, slots=True)
class Override:
    """A person stands in for `replaces_id`, or with None for everybody on that step, in [starts_at, ends_at)."""

    id: str
    kind: str
    """`override`: planned; `cover`: somebody said "I cover" 我来顶班."""
    role: Role
    person_id: str
    replaces_id: str | None
    grid_id: str | None
    place_id: str | None
    starts_at: datetime
    ends_at: datetime

    def covers(self, instant: datetime) -> bool:
        return self.starts_at <= instant < self.ends_at


@dataclass(frozen=True, slots=True)
class Leave:
    """Away from [starts_at, ends_at): nowhere on duty."""

    starts_at: datetime
    ends_at: datetime

    def covers(self, instant: datetime) -> bool:
        return self.starts_at <= instant < self.ends_at


@dataclass(frozen=True, slots=True)
class Scoped:
    """All that was planned for one grid, one place or, with neither, for everything."""

    patterns: tuple[Pattern, ...] = ()
    overrides: tuple[Override, ...] = ()


NOTHING_PLANNED = Scoped()


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
    planned_by_grid: Mapping[str, Scoped] = field(default_factory=dict)
    planned_by_place: Mapping[str, Scoped] = field(default_factory=dict)
    planned_global: Scoped = NOTHING_PLANNED
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Grid -> its own people, the primary of the standing duty first."""
    neighbours: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Grid -> the grids that help it, in order."""
    night_rules: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Grid -> local minutes [from, to) in which its standing duty gives way to the community's duty list."""
    leaves: Mapping[str, tuple[Leave, ...]] = field(default_factory=dict)
    households: Mapping[str, tuple[HouseholdContact, ...]] = field(default_factory=dict)
    """Flat -> whom it may reach, who needs help leaving first: only of flats that were asked for."""
    timezone: str = "Asia/Shanghai"
    """Of the deployment: for night rules, volunteers' hours and stewards' nights. Patterns have their own."""
