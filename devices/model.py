"""The registry's values: places, grids, people, duty shifts, devices. Never needs a clock or a database."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class PlaceKind(StrEnum):
    """Levels of the administrative tree, largest first. Any level below community may be absent."""

    CITY = "city"
    DISTRICT = "district"
    STREET = "street"
    COMMUNITY = "community"
    COMPOUND = "compound"
    BUILDING = "building"
    UNIT = "unit"
    FLOOR = "floor"
    ROOM = "room"
    PART = "part"
    """A shared part 公共部位 (lift, bicycle shed, stairwell) or a part of a room; hangs under any level."""


class PersonKind(StrEnum):
    WORKER = "worker"
    DESK = "desk"
    HOUSEHOLD = "household"
    VOLUNTEER = "volunteer"


class Channel(StrEnum):
    SMS = "sms"
    VOICE = "voice"
    APP = "app"


class Role(StrEnum):
    """The steps of the escalation, in their order: who stands on each."""

    GRID_WORKER = "grid_worker"
    DEPUTY = "deputy"
    NEIGHBOUR_GRID = "neighbour_grid"
    CHAIR_OR_SECRETARY = "chair_or_secretary"
    COMMUNITY_DUTY = "community_duty"
    STREET_DUTY = "street_duty"
    CONTROL_ROOM = "control_room"


class DeviceState(StrEnum):
    REGISTERED = "registered"
    INSTALLED = "installed"
    COMMISSIONED = "commissioned"
    OUT_OF_SERVICE = "out_of_service"
    REMOVED = "removed"


class Language(StrEnum):
    ZH_CN = "zh-CN"
    EN = "en"


@dataclass(frozen=True, slots=True)
class Place:
    """One node of the tree. `name` is printed verbatim (3栋 or 3号楼); `name_en` is its short Latin name or code."""

    id: str
    kind: PlaceKind
    name: str
    name_en: str
    path: tuple[str, ...]
    """Ids from the root down to and including this place."""
    lat: float | None = None
    """WGS-84 degrees."""
    lon: float | None = None


@dataclass(frozen=True, slots=True)
class Device:
    id: str
    """Also the MQTT username and the topic segment: `[A-Za-z0-9_-]{4,64}`."""
    kind: str
    """smoke_detector, camera, charging_station, ... : words for people, never a rule."""
    place_id: str | None
    state: DeviceState
    codec: str = "gengfu_plain"
    test_mode_until: datetime | None = None
    supervision_window_s: int | None = None


@dataclass(frozen=True, slots=True)
class ContactPoint:
    channel: Channel
    address: str
    """E.164 number for sms and voice; the person's own id for app."""


@dataclass(frozen=True, slots=True)
class Person:
    id: str
    kind: PersonKind
    name: str
    """Shown to people; a role in examples (网格员甲)."""
    name_en: str
    language: Language
    contacts: tuple[ContactPoint, ...] = ()

    def contact(self, channel: Channel) -> ContactPoint | None:
        return next((point for point in self.contacts if point.channel == channel), None)


@dataclass(frozen=True, slots=True)
class Shift:
    """One person on one step for a grid, a place (community, street ...) or, with neither, for everything.

    `starts_at` / `ends_at` None means standing duty 常设值守: always on.
    """

    id: str
    role: Role
    person_id: str
    grid_id: str | None
    place_id: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    rank: int = 0
    """Order among people of the same step; lowest first."""

    def covers(self, instant: datetime) -> bool:
        starts = self.starts_at is None or self.starts_at <= instant
        return starts and (self.ends_at is None or instant < self.ends_at)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a device is. `chain` runs from the city down to its own place; empty when the place is unknown."""

    device_id: str
    device_kind: str
    chain: tuple[Place, ...]
    grid_id: str | None

    def at(self, kind: PlaceKind) -> Place | None:
        """The deepest place of this kind on the way to the device."""
        return next((place for place in reversed(self.chain) if place.kind == kind), None)

    @property
    def place_id(self) -> str | None:
        return self.chain[-1].id if self.chain else None
