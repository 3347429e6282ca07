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


_LEVELS = tuple(PlaceKind)


def hangs_under(child: PlaceKind, parent: PlaceKind) -> bool:
    """Whether a place of one kind may stand directly below another: levels may be skipped, never turned round.

    A part 部位 hangs under anything, another part too; nothing else hangs under a part.
    """
    return child is PlaceKind.PART or _LEVELS.index(parent) < _LEVELS.index(child)


class PersonKind(StrEnum):
    WORKER = "worker"
    DESK = "desk"
    HOUSEHOLD = "household"
    VOLUNTEER = "volunteer"


class PictureKind(StrEnum):
    """What a picture of a place shows: its plan 平面图 or its door 入户门."""

    PLAN = "plan"
    DOOR = "door"


class OrganisationKind(StrEnum):
    """A property company 物业公司, or a unit 单位 that supervises or supports compounds."""

    PROPERTY_COMPANY = "property_company"
    UNIT = "unit"


class CompoundType(StrEnum):
    """Labels in `COMPOUND_TYPES`."""

    COMMERCIAL = "commercial"
    STAFF_HOUSING = "staff_housing"
    RESETTLEMENT = "resettlement"
    URBAN_VILLAGE = "urban_village"
    OLD = "old"
    PUBLIC_HOUSING = "public_housing"
    OTHER = "other"


COMPOUND_TYPES: dict[CompoundType, tuple[str, str]] = {
    CompoundType.COMMERCIAL: ("商品房", "commercial housing"),
    CompoundType.STAFF_HOUSING: ("家属院", "staff housing"),
    CompoundType.RESETTLEMENT: ("安置小区", "resettlement housing"),
    CompoundType.URBAN_VILLAGE: ("城中村", "urban village"),
    CompoundType.OLD: ("老旧小区", "old compound"),
    CompoundType.PUBLIC_HOUSING: ("保障房", "public housing"),
    CompoundType.OTHER: ("其他", "other"),
}
"""Chinese and English label of each type."""


class Committee(StrEnum):
    """Who speaks for the owners: 业委会, 自管委, or nobody."""

    OWNERS = "owners"
    SELF_MANAGEMENT = "self_management"
    NONE = "none"


class Relation(StrEnum):
    """What a household contact is to the flat: 业主, 租户, 紧急联系人."""

    OWNER = "owner"
    TENANT = "tenant"
    EMERGENCY_CONTACT = "emergency_contact"


class Channel(StrEnum):
    SMS = "sms"
    VOICE = "voice"
    APP = "app"


class AppCarrier(StrEnum):
    """What brings a message to a person's app without an open page, and needs to know where to find him."""

    WEBPUSH = "webpush"
    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"


class Role(StrEnum):
    """Posts that people stand on: the steps of the escalation in their order, then the posts beside it."""

    GRID_WORKER = "grid_worker"
    DEPUTY = "deputy"
    NEIGHBOUR_GRID = "neighbour_grid"
    CHAIR_OR_SECRETARY = "chair_or_secretary"
    COMMUNITY_DUTY = "community_duty"
    STREET_DUTY = "street_duty"
    CONTROL_ROOM = "control_room"
    PROPERTY_DESK = "property_desk"
    """The duty desk of a property company, or a micro fire station 微型消防站: for a compound or a building."""
    BUILDING_STEWARD = "building_steward"
    """楼栋长: for a building; stands only where no property desk does, at night only with consent to night calls."""
    HOUSEHOLD = "household"
    """The contacts of the flat in which the device is, with their consent: on no roster, and nobody of the ladder."""


LADDER = (
    Role.GRID_WORKER,
    Role.DEPUTY,
    Role.NEIGHBOUR_GRID,
    Role.CHAIR_OR_SECRETARY,
    Role.COMMUNITY_DUTY,
    Role.STREET_DUTY,
    Role.CONTROL_ROOM,
)
"""The steps of the escalation, in the order in which they are asked."""
BESIDE = (Role.PROPERTY_DESK, Role.BUILDING_STEWARD)
"""Posts that are no step of their own; a policy may name them on any step."""
POSTS = (*LADDER, *BESIDE)
"""What a roster may name: all but the household."""


class DeviceState(StrEnum):
    REGISTERED = "registered"
    INSTALLED = "installed"
    COMMISSIONED = "commissioned"
    OUT_OF_SERVICE = "out_of_service"
    REMOVED = "removed"


class IdentityKind(StrEnum):
    """What kind of name a device has besides our own."""

    IMEI = "imei"
    DEV_EUI = "dev_eui"
    SERIAL = "serial"
    OTHER = "other"


class FlatStatus(StrEnum):
    """How an installer left a flat 入户状态. A flat that nobody visited has none."""

    INSTALLED = "installed"
    NOBODY_HOME = "nobody_home"
    REFUSED = "refused"
    TO_BE_TESTED = "to_be_tested"


class PlacementReason(StrEnum):
    """Why a device came to, or left, a place."""

    PLACED = "placed"
    MOVED = "moved"
    REPLACED = "replaced"
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
    left_at: datetime | None = None
    """From then on never on duty."""
    hours: tuple[int, int] | None = None
    """Volunteers: local minutes of the day [from, to) in which they may be asked; may wrap midnight."""
    night_calls: bool = False
    """A building steward's recorded consent to be called at night."""

    def contact(self, channel: Channel) -> ContactPoint | None:
        return next((point for point in self.contacts if point.channel == channel), None)


@dataclass(frozen=True, slots=True)
class HouseholdContact:
    """How a contact person of a flat is reached. Without the name: whoever calls needs none, so that none can leak."""

    person_id: str
    place_id: str
    """The flat: a room, or a building that is one home."""
    relation: Relation
    phone: str
    """E.164, verified."""
    language: Language
    needs_help_leaving: bool
    result_messages: bool
    """Agreed to hear by text how it ended."""
    consent_at: datetime
    consent_until: datetime

    def in_force(self, now: datetime) -> bool:
        return self.consent_at <= now < self.consent_until


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
