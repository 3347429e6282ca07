"""Bodies of patterns, overrides, leave, cover, and of what is said about duty. References may be ids or codes."""

from datetime import date
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from alerting.core.readiness import What
from api.errors import FieldFault
from api.schemas.common import Body, Instant, Name, Reference, Shown, example
from api.schemas.registry import WallTime, one_scope
from devices.duty.zones import is_zone
from devices.model import Channel, Role

slots_per_pattern_max = 500
cycle_days_max = 366
cover_hours_max = 168

Note = Annotated[str | None, Field(max_length=200)]


def _zone(name: str) -> str:
    if not is_zone(name):
        raise FieldFault("timezone", value=name)
    return name


def _day(day: date) -> date:
    if not 2000 <= day.year <= 2999:
        raise FieldFault("day")
    return day


Zone = Annotated[str, Field(max_length=64), AfterValidator(_zone)]
"""IANA name."""
Day = Annotated[date, AfterValidator(_day)]


class SlotIn(Body):
    """One person's turn: from one wall time to another; a `to` that is not later ends on the next day."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, serialize_by_alias=True)

    day: Annotated[int, Field(ge=0, lt=cycle_days_max, description="0: the first day of the cycle")]
    from_: WallTime = Field(alias="from")
    to: WallTime
    role: Role = Role.GRID_WORKER
    person_id: Reference
    rank: Annotated[int, Field(ge=0, le=1000)] = 0


class PatternIn(Body):
    """A rotation of `cycle_days` days (7: weekly) from `first_day` on; several people may stand at once. Without
    `timezone`: the deployment's."""

    model_config = example(
        {
            "name": "平日轮班",
            "grid_id": "zjs-01",
            "first_day": "2026-01-05",
            "cycle_days": 7,
            "slots": [
                {"day": 0, "from": "08:00", "to": "20:00", "person_id": "worker-jia"},
                {"day": 0, "from": "20:00", "to": "08:00", "person_id": "worker-jia"},
            ],
        }
    )

    name: Name
    grid_id: Reference | None = None
    place_id: Reference | None = None
    timezone: Zone | None = None
    first_day: Day
    last_day: Day | None = None
    cycle_days: Annotated[int, Field(ge=1, le=cycle_days_max)]
    slots: Annotated[tuple[SlotIn, ...], Field(max_length=slots_per_pattern_max)]

    @model_validator(mode="after")
    def _stands(self) -> Self:
        if self.last_day is not None and self.last_day < self.first_day:
            raise FieldFault("last_day", "last_day")
        if not self.slots:
            raise FieldFault("too_short", "slots", min_length=1)
        for number, slot in enumerate(self.slots):
            if slot.day >= self.cycle_days:
                raise FieldFault("slot_day", "slots", number, "day", last=self.cycle_days - 1)
            if slot.role is Role.HOUSEHOLD:
                raise FieldFault("household_role", "slots", number, "role")
            one_scope(slot.role, self.grid_id, self.place_id)
        return self


class SlotOut(Shown):
    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)

    day: int
    from_: str = Field(alias="from")
    to: str
    role: Role
    person_id: str
    rank: int


class PatternOut(Shown):
    id: str
    name: str
    grid_id: str | None
    place_id: str | None
    timezone: str
    first_day: date
    last_day: date | None
    cycle_days: int
    slots: list[SlotOut]
    version: int


class _Period(Body):
    starts_at: Instant
    ends_at: Instant

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> Self:
        if self.ends_at <= self.starts_at:
            raise FieldFault("period", "ends_at")
        return self


class OverrideIn(_Period):
    """Somebody stands in for `replaces_id`, or without it for everybody on that step."""

    model_config = example(
        {
            "grid_id": "zjs-01",
            "person_id": "worker-jia",
            "starts_at": "2026-05-01T08:00:00+08:00",
            "ends_at": "2026-05-01T20:00:00+08:00",
        }
    )

    role: Role = Role.GRID_WORKER
    grid_id: Reference | None = None
    place_id: Reference | None = None
    person_id: Reference
    replaces_id: Reference | None = None
    note: Note = None

    @model_validator(mode="after")
    def _scope(self) -> Self:
        one_scope(self.role, self.grid_id, self.place_id)
        return self


class OverrideOut(Shown):
    id: str
    kind: str
    """`override`, or `cover` for one that somebody took upon himself."""
    role: Role
    grid_id: str | None
    place_id: str | None
    person_id: str
    replaces_id: str | None
    starts_at: Instant
    ends_at: Instant
    note: str | None
    version: int


class LeaveIn(_Period):
    """While away a person is nowhere on duty; the next one stands."""

    model_config = example(
        {
            "person_id": "worker-jia",
            "starts_at": "2025-05-01T00:00:00+08:00",
            "ends_at": "2025-05-06T00:00:00+08:00",
        }
    )

    person_id: Reference
    note: Note = None


class LeaveOut(Shown):
    id: str
    person_id: str
    starts_at: Instant
    ends_at: Instant
    note: str | None
    version: int


class CoverIn(Body):
    """I cover 我来顶班: from now on, for some hours or until a time. A planner names whom."""

    model_config = example({"grid": "zjs-01", "hours": 8, "person_id": "worker-jia"})

    grid: Reference
    hours: Annotated[float | None, Field(gt=0, le=cover_hours_max, allow_inf_nan=False)] = None
    until: Instant | None = None
    person_id: Reference | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if (self.hours is None) == (self.until is None):
            raise FieldFault("hours_or_until", "hours" if self.hours is None else "until")
        return self


class DutyPerson(Shown):
    id: str
    name: str
    reason: str
    """`planned_shift`, `pattern`, `override`, `cover`, `standing_duty`, `night_rule` or `neighbour_on_duty`."""
    why: str
    """The same as a sentence in the caller's language."""
    source_id: str
    """The shift, pattern or override; for a member or a neighbour the grid."""
    until: Instant | None
    """When this turn is over by plan; null: until further notice."""
    channels: list[Channel]
    """How the person can be reached; empty: nobody will be rung."""
    unreachable: list[Channel]
    """Those of `channels` on which a carrier says that he cannot be reached; they are tried all the same."""


class DutyStep(Shown):
    role: Role
    reason: str
    """`on_duty`, `nobody_on_duty` or `nobody_reachable`: the latter two are skipped at zero wait."""
    people: list[DutyPerson]


class DutyOut(Shown):
    """The ladder at an instant, in the order people are asked, and the posts `beside` it."""

    grid_id: str | None
    place_id: str | None
    at: Instant
    timezone: str
    steps: list[DutyStep]
    beside: list[DutyStep]


class GapOut(Shown):
    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)

    from_: Instant = Field(alias="from")
    to: Instant


class Unverified(Shown):
    """Stands for the grid or belongs to it, and nobody has proved that he can be reached."""

    id: str
    name: str


class NotReady(Shown):
    """Stands for the grid or belongs to it, and something is known to be wrong with how he is reached."""

    id: str
    name: str
    faults: list[What]


class GridOutlook(Shown):
    grid_id: str
    code: str
    name: str
    gaps: int
    gap_minutes: int
    gap_list: list[GapOut]
    unverified: int
    unverified_list: list[Unverified]
    not_ready: int
    not_ready_list: list[NotReady]
    """`readiness/workers/{id}` says what to do."""


class OutlookTotals(Shown):
    """Of this page; `grids_in_scope` of all pages."""

    grids_in_scope: int
    grids: int
    grids_with_gaps: int
    gaps: int
    gap_minutes: int
    people_unverified: int
    people_not_ready: int


class DutyReport(Shown):
    model_config = ConfigDict(frozen=True, validate_by_name=True, serialize_by_alias=True)

    from_: Instant = Field(alias="from")
    to: Instant
    totals: OutlookTotals
    items: list[GridOutlook]
    next: str | None
