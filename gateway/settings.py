"""What the gateway is told at start: broker, account, filters, bounds. Values; never reads an environment."""

import ssl
from dataclasses import dataclass, field
from enum import StrEnum

from paho.mqtt.enums import MQTTProtocolVersion

from gateway import topics
from gateway.topics import UpKind


class Lane(StrEnum):
    ALARM = "alarm"
    """Persistent session, QoS 1, acknowledged after the commit."""
    TELEMETRY = "telemetry"
    """Clean session, QoS 0: what is not read in time is gone, and counted."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One subscription. `required`: without the broker's consent to it the lane is not up."""

    topic: str
    qos: int
    required: bool = True


OWN_ALARM_FILTERS = (
    Filter(topics.up_filter(UpKind.EVENT), 1),
    Filter(topics.up_filter(UpKind.STATUS), 1),
    Filter(topics.up_filter(UpKind.COMMAND), 1),
)
OWN_TELEMETRY_FILTERS = (
    Filter(topics.up_filter(UpKind.TELEMETRY), 0),
    Filter(topics.up_filter(UpKind.HEARTBEAT), 0),
    Filter(topics.broker_dropped, 0, required=False),
)


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Broker, account and bounds of both lanes; each lane logs in as `<client_id>-<lane>`."""

    host: str
    port: int
    client_id: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = field(default=None, repr=False)
    protocol_version: MQTTProtocolVersion = MQTTProtocolVersion.MQTTv5
    alarm_filters: tuple[Filter, ...] = OWN_ALARM_FILTERS
    telemetry_filters: tuple[Filter, ...] = OWN_TELEMETRY_FILTERS
    receive_maximum: int = 20_000
    """QoS 1 messages received and not yet acknowledged: told to the broker (MQTT 5), and kept by not reading on."""
    intake_bytes_max: int = 64 * 2**20
    """Topics and payloads of those messages; reading stops with the message that reaches it."""
    loose_messages_max: int = 2_000
    """Messages on the way to `handle` that no broker holds for us (QoS 0): beyond it the oldest goes, counted."""
    telemetry_messages_max: int = 20_000
    session_expiry_seconds: int = 30 * 86_400
    keepalive_seconds: int = 15
    connect_seconds_max: float = 5.0
    """One attempt: name lookup, TCP, TLS, CONNACK and SUBACK together."""
    drain_seconds_max: float = 5.0
    overtake_seconds: float = 0.5
    """How long a batch may be in work before fires that came later are handed over beside it."""

    def lane(self, lane: Lane) -> "LaneSettings":
        alarm = lane is Lane.ALARM
        return LaneSettings(
            lane=lane,
            client_id=f"{self.client_id}-{lane}",
            filters=self.alarm_filters if alarm else self.telemetry_filters,
            persistent=alarm,
            receive_maximum=self.receive_maximum,
            read_messages_max=200 if alarm else 25,
            read_seconds_max=0.005 if alarm else 0.001,
        )


@dataclass(frozen=True, slots=True)
class LaneSettings:
    """What differs between the two connections."""

    lane: Lane
    client_id: str
    filters: tuple[Filter, ...]
    persistent: bool
    receive_maximum: int
    read_messages_max: int
    """Messages read in one turn of the event loop."""
    read_seconds_max: float
    """Time spent reading in one turn of the event loop."""
