"""What a message is before and after reading: raw bytes in, an uplink with its readings out, or a reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Scalar = str | int | float | bool | None


class SignalKind(StrEnum):
    """Alarm, supervisory, trouble and restoral as the fire trade uses them (NFPA 72); the rest never pages."""

    ALARM = "alarm"
    SUPERVISORY = "supervisory"
    TROUBLE = "trouble"
    RESTORAL = "restoral"
    TEST = "test"
    TELEMETRY = "telemetry"
    HEARTBEAT = "heartbeat"


class DecodeReason(StrEnum):
    """Why a message went to quarantine or was ignored. The same word stands in log, metric and table."""

    UNKNOWN_TOPIC = "unknown_topic"
    TOO_LARGE = "too_large"
    NOT_UTF8 = "not_utf8"
    NOT_JSON = "not_json"
    TOO_DEEP = "too_deep"
    TOO_MANY_KEYS = "too_many_keys"
    WRONG_SHAPE = "wrong_shape"
    UNKNOWN_CODE = "unknown_code"
    UNKNOWN_DIALECT = "unknown_dialect"
    UNKNOWN_DEVICE = "unknown_device"
    UNKNOWN_PLACE = "unknown_place"
    RETAINED_EVENT = "retained_event"
    POISON = "poison"


@dataclass(frozen=True, slots=True)
class RawMessage:
    """One message as it came in, from MQTT, a webhook, the CLI or a replay from quarantine."""

    topic: str
    payload: bytes
    received_at: datetime
    retained: bool = False
    received_mono: float = 0.0
    """Seconds on the monotonic clock, for durations only."""


@dataclass(frozen=True, slots=True)
class Source:
    """Who sends: a dialect, and for foreign systems the name under which their identities are valid."""

    name: str = "plain"
    dialect: str = "plain"


@dataclass(frozen=True, slots=True)
class Reading:
    signal: SignalKind
    code: str | None = None
    """Taxonomy code such as `fire.smoke`; a restoral carries the code it ends."""
    values: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """What a device says of a command it was sent."""

    command_id: str
    done: bool
    reason: str = ""
    """Why not, in the device's own words."""
    values: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Uplink:
    """A message that could be read. `event_id` is None for telemetry, heartbeats and status."""

    device_key: str
    dialect: str
    codec: str
    readings: tuple[Reading, ...]
    event_id: str | None = None
    observed_at: datetime | None = None
    """The device's own clock: kept, never used for order, dedup or a decision to drop."""
    test: bool = False
    retained: bool = False
    content_hash: str = ""
    """SHA-256 of the event's meaning: an event id used again with other content is a new event, marked."""
    answer: CommandAnswer | None = None
    """It answers a command; then it is no event."""


@dataclass(frozen=True, slots=True)
class DecodeError:
    """A message that could not be read. `claims_fire` is best effort: such a message still raises an incident."""

    reason: DecodeReason
    detail: str
    device_key: str | None = None
    event_id: str | None = None
    claims_fire: bool = False
