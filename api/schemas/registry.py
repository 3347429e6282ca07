"""Bodies of grids and shifts. References may be ids or codes."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from api.errors import FieldFault
from api.schemas.common import Body, Code, Instant, LatinName, Name, Reference, Shown, example
from devices.model import Role
from devices.resolve import GRID_ROLES

places_per_grid_max = 1000
workers_per_grid_max = 100
neighbours_per_grid_max = 20

_WALL = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


def _wall(text: str) -> str:
    if _WALL.fullmatch(text) is None:
        raise FieldFault("wall_time")
    return text


WallTime = Annotated[str, AfterValidator(_wall)]
"""Local wall clock, 00:00 to 24:00 (the end of the day)."""


def minute_of(wall: str) -> int:
    """Minute of the day, 0 to 1439; 24:00 is the next day's 0."""
    return (int(wall[:2]) * 60 + int(wall[3:])) % 1440


def wall_of(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


class NightRule(Body):
    """Local wall clock, such as 22:00 to 07:00: in it the community's duty list is asked before the grid's own people,
    where only standing duty holds the grid."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_by_name=True, serialize_by_alias=True)

    from_: WallTime = Field(alias="from")
    to: WallTime

    @model_validator(mode="after")
    def _two_times(self) -> Self:
        if self.from_ == self.to:
            raise FieldFault("night_rule", "to")
        return self


class GridIn(Body):
    """A grid and the places it covers; a device belongs to the grid of the nearest covered place above it.

    `workers`: its own people; without a roster the first is asked first, the others are deputies. `neighbours`: the
    grids that help it, in order.
    """

    model_config = example({"code": "zjs-01", "name": "周家山一网格", "name_en": "Grid 1", "place_ids": ["xinyang"]})

    code: Code
    name: Name
    name_en: LatinName = ""
    community_id: Reference | None = None
    place_ids: Annotated[tuple[Reference, ...], Field(max_length=places_per_grid_max)] = ()
    workers: Annotated[tuple[Reference, ...], Field(max_length=workers_per_grid_max)] = ()
    neighbours: Annotated[tuple[Reference, ...], Field(max_length=neighbours_per_grid_max)] = ()
    night_rule: NightRule | None = None


class GridOut(Shown):
    id: str
    code: str
    name: str
    name_en: str
    community_id: str | None
    place_ids: list[str]
    workers: list[str]
    neighbours: list[str]
    night_rule: NightRule | None
    version: int


def one_scope(role: Role, grid_id: str | None, place_id: str | None) -> None:
    """FieldFault unless somebody of this role may stand for this grid, this place or, with neither, for everything."""
    if role is Role.HOUSEHOLD:
        raise FieldFault("household_role", "role")
    if grid_id is not None and place_id is not None:
        raise FieldFault("one_scope", "place_id")
    if role in GRID_ROLES and place_id is not None:
        raise FieldFault("role_takes_grid", "place_id")
    if role not in GRID_ROLES and grid_id is not None:
        raise FieldFault("role_takes_place", "grid_id")


class ShiftIn(Body):
    """One person on one step, for a grid, a place, or with neither for everything. No times: standing duty."""

    model_config = example({"role": "grid_worker", "person_id": "worker-jia", "grid_id": "zjs-01"})

    role: Role
    person_id: Reference
    grid_id: Reference | None = None
    place_id: Reference | None = None
    starts_at: Instant | None = None
    ends_at: Instant | None = None
    rank: Annotated[int, Field(ge=0, le=1000)] = 0

    @model_validator(mode="after")
    def _scope_and_period(self) -> Self:
        one_scope(self.role, self.grid_id, self.place_id)
        if self.starts_at is not None and self.ends_at is not None and self.ends_at <= self.starts_at:
            raise FieldFault("period", "ends_at")
        return self


class ShiftOut(Shown):
    id: str
    role: Role
    person_id: str
    grid_id: str | None
    place_id: str | None
    starts_at: Instant | None
    ends_at: Instant | None
    rank: int
    version: int
