"""The topics of our own dialect: filters to subscribe to, upward topics read, downward topics built. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from devices.envelopes.plain import DEVICE_ID

prefix = "gengfu/v1"
broker_dropped = "$SYS/broker/publish/messages/dropped"
"""mosquitto's own count of messages it threw away since its start; any increase is a page."""


class UpKind(StrEnum):
    EVENT = "event"
    TELEMETRY = "telemetry"
    HEARTBEAT = "heartbeat"
    STATUS = "status"
    COMMAND = "command"


@dataclass(frozen=True, slots=True)
class UpTopic:
    """Who speaks (the segment that the broker tied to the device's login) and what kind of message it is."""

    device_id: str
    kind: UpKind


_DEVICE = re.compile(DEVICE_ID)
_UP = re.compile(rf"{prefix}/({DEVICE_ID})/up/({'|'.join(UpKind)})")


def parse_up(topic: str) -> UpTopic | None:
    """Read `gengfu/v1/<device>/up/<kind>`; None for every other topic."""
    found = _UP.fullmatch(topic)
    return UpTopic(found[1], UpKind(found[2])) if found else None


def up_filter(kind: UpKind) -> str:
    """The filter that matches one kind of message of every device."""
    return f"{prefix}/+/up/{kind}"


def receipt_topic(device_id: str) -> str:
    """Where a device hears its receipts. ValueError for an id that could leave the device's own branch."""
    return f"{prefix}/{_checked(device_id)}/down/receipt"


def command_topic(device_id: str) -> str:
    """Where a device hears commands. ValueError for an id that could leave the device's own branch."""
    return f"{prefix}/{_checked(device_id)}/down/command"


def _checked(device_id: str) -> str:
    if _DEVICE.fullmatch(device_id) is None:
        raise ValueError(f"not a device id: {device_id[:64]!r}")
    return device_id
