"""The contract between an entrance (MQTT, webhook) and alerting: messages in, one verdict per message out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Protocol

from devices.signals import DecodeError, RawMessage, Uplink


class Urgency(IntEnum):
    """Order of work on the alarm lane; lower first. Fire and gas before all else."""

    FIRE = 0
    ALARM = 1
    OTHER = 2
    BACKGROUND = 3
    """Telemetry and heartbeats: never stands in front of an alarm."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message that has been read (purely, in microseconds) but not yet decided."""

    raw: RawMessage
    uplink: Uplink | DecodeError
    urgency: Urgency


class Outcome(StrEnum):
    COMMITTED = "committed"
    DUPLICATE = "duplicate"
    """The same event again: nothing written, but the device gets its receipt."""
    QUARANTINED = "quarantined"
    IGNORED = "ignored"
    """Understood and without consequence (a retained own-dialect event), counted by reason."""
    SEEN = "seen"
    """Telemetry or heartbeat: last-seen is updated write-behind."""


@dataclass(frozen=True, slots=True)
class DeviceReceipt:
    """What the device hears on `down/receipt`; either form ends its retry."""

    device_id: str
    event_id: str
    at: datetime
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one message. Whoever gets it may acknowledge the message to its sender: it is durable here."""

    outcome: Outcome
    reason: str
    receipt: DeviceReceipt | None = None


class Entry(Protocol):
    """What an entrance needs from the service."""

    def prepare(self, raw: RawMessage) -> Prepared:
        """Read one message. Pure, never raises, tens of microseconds."""
        ...

    async def handle(self, batch: Sequence[Prepared]) -> Sequence[Verdict]:
        """Decide and commit a batch; the answer has the batch's length and order.

        Returns only after the commit. Waits as long as the database needs (a fire is paged from memory meanwhile);
        cancelling it leaves nothing half done. Never raises for what a message contains.
        """
        ...

    def seen(self, batch: Sequence[Prepared]) -> None:
        """Take telemetry and heartbeats: last-seen, write-behind. Never blocks, never touches the alarm lane."""
        ...
