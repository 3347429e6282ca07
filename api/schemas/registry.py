"""Bodies of places, grids, people, contacts, shifts and devices. References may be ids or codes."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from api.errors import FieldFault
from api.schemas.common import Body, Code, DeviceId, Instant, LatinName, Name, Reference, Shown, example
from devices.model import Channel, DeviceState, Language, PersonKind, PlaceKind, Role
from devices.resolve import GRID_ROLES

places_per_grid_max = 1000


class PlaceIn(Body):
    """One node of the tree. `name` is printed verbatim; without `name_en` English texts use the code."""

    model_config = example({"kind": "city", "code": "xinyang", "name": "信阳市", "name_en": "Xinyang"})

    kind: PlaceKind
    name: Name
    name_en: LatinName = ""
    code: Code | None = None
    parent_id: Reference | None = None
    lat: Annotated[float | None, Field(ge=-90, le=90, allow_inf_nan=False, description="WGS-84 degrees")] = None
    lon: Annotated[float | None, Field(ge=-180, le=180, allow_inf_nan=False)] = None

    @model_validator(mode="after")
    def _both_coordinates(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise FieldFault("coordinates", "lat" if self.lat is None else "lon")
        return self


class PlaceOut(Shown):
    id: str
    kind: PlaceKind
    code: str | None
    name: str
    name_en: str
    parent_id: str | None
    path: list[str]
    lat: float | None
    lon: float | None
    version: int


class GridIn(Body):
    """A grid and the places it covers; a device belongs to the grid of the nearest covered place above it."""

    model_config = example({"code": "zjs-01", "name": "周家山一网格", "name_en": "Grid 1", "place_ids": ["xinyang"]})

    code: Code
    name: Name
    name_en: LatinName = ""
    community_id: Reference | None = None
    place_ids: Annotated[tuple[Reference, ...], Field(max_length=places_per_grid_max)] = ()


class GridOut(Shown):
    id: str
    code: str
    name: str
    name_en: str
    community_id: str | None
    place_ids: list[str]
    version: int


class PersonIn(Body):
    model_config = example({"code": "worker-jia", "name": "网格员甲", "name_en": "Grid worker A"})

    code: Code
    name: Name
    name_en: Annotated[str, Field(max_length=64)] = ""
    kind: PersonKind = PersonKind.WORKER
    language: Language = Language.ZH_CN
    left_at: Instant | None = None
    place_id: Annotated[Reference | None, Field(description="Where the person belongs; decides who may see it")] = None


class PersonOut(Shown):
    id: str
    kind: PersonKind
    code: str
    name: str
    name_en: str
    language: Language
    left_at: Instant | None
    place_id: str | None
    version: int


class ContactIn(Body):
    """`address`: a telephone number for sms and voice (13800138000 is read as +86); app takes none."""

    model_config = example({"channel": "sms", "address": "13800138000"})

    channel: Channel
    address: Annotated[str | None, Field(max_length=32)] = None


class ContactOut(Shown):
    """Numbers are masked: 138****8000."""

    id: str
    channel: Channel
    address: str
    verified_at: Instant | None
    opted_out_at: Instant | None


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
        if self.grid_id is not None and self.place_id is not None:
            raise FieldFault("one_scope", "place_id")
        if self.role in GRID_ROLES and self.place_id is not None:
            raise FieldFault("role_takes_grid", "place_id")
        if self.role not in GRID_ROLES and self.grid_id is not None:
            raise FieldFault("role_takes_place", "grid_id")
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


class DeviceFields(Body):
    """What may change of a device."""

    model_config = example({"kind": "smoke_detector", "place_id": "xinyang", "state": "installed"})

    kind: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[a-z0-9_]+$")]
    place_id: Reference | None = None
    codec: Annotated[str, Field(min_length=1, max_length=64)] = "gengfu_plain"
    state: DeviceState = DeviceState.REGISTERED
    test_mode_until: Instant | None = None
    supervision_window_s: Annotated[int | None, Field(ge=10, le=31_536_000)] = None


class DeviceIn(DeviceFields):
    """`id` is the device's own name: its MQTT username and topic segment. It never changes."""

    model_config = example({"id": "smoke-0001", "kind": "smoke_detector", "place_id": "xinyang"})

    id: DeviceId


class DeviceOut(Shown):
    id: str
    kind: str
    place_id: str | None
    codec: str
    state: DeviceState
    test_mode_until: Instant | None
    supervision_window_s: int | None
    has_credential: bool
    created_at: Instant
    version: int


class CredentialOut(Shown):
    """Shown once."""

    username: str
    secret: str


class DutyPerson(Shown):
    id: str
    name: str
    reason: str
    """`planned_shift` or `standing_duty`."""
    shift_id: str
    until: Instant | None
    channels: list[Channel]
    """How the person can be reached; empty: nobody will be rung."""


class DutyStep(Shown):
    role: Role
    reason: str
    """`on_duty`, `nobody_on_duty` or `nobody_reachable`: the latter two are skipped at zero wait."""
    people: list[DutyPerson]


class DutyOut(Shown):
    """The ladder at an instant, in the order people are asked."""

    grid_id: str | None
    place_id: str | None
    at: Instant
    steps: list[DutyStep]
