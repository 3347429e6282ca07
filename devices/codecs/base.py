"""What every codec is given, gives back and promises. No codec here, no I/O, no clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from devices.signals import CommandAnswer, DecodeReason, Reading, Scalar


@dataclass(frozen=True, slots=True)
class Frame:
    """One message with its envelope taken off: whose it is, and the part that only its device family can read."""

    device_key: str
    """The sender's identity: the topic segment the broker enforced, or the field the dialect names."""
    dialect: str
    """Slug of the envelope that opened it."""
    codec: str
    """Key into `devices.codecs.TABLE`."""
    part: str
    """Which kind of message, in the dialect's own word (`event`, `telemetry`, `status`, an fPort ...)."""
    body: Any
    """The device's own words: a parsed JSON value, a text or bytes, as the codec's docstring asks."""
    event_id: str | None = None
    """Set where the message is an event with an identity of its own, 1 to 64 printable characters."""
    observed_at: datetime | None = None
    """Aware UTC, from the device's clock; None if it has none or it could not be read."""
    test: bool = False
    """The sender marks the message as a test."""
    notes: Mapping[str, Scalar] = field(default_factory=dict)
    """Remarks of the envelope (`clock: "unreadable"`), added to the readings' values but not to their meaning."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a codec read. No readings at all is a fault of the codec: a message without news is a heartbeat."""

    readings: tuple[Reading, ...]
    test: bool = False
    """A test bit found in the body; a test bit beside an alarm leaves the alarm an alarm, marked."""
    notes: Mapping[str, Scalar] = field(default_factory=dict)
    """Remarks added to the values but not to the meaning (`media_url`)."""
    answer: CommandAnswer | None = None
    """The body answers a command."""


@dataclass(frozen=True, slots=True)
class CodecFault:
    """Why a body could not be read."""

    reason: DecodeReason
    """UNKNOWN_CODE or WRONG_SHAPE; TOO_LARGE or NOT_UTF8 for bodies inside bodies."""
    detail: str
    """One line for people, without the payload's own text."""
    claims_fire: bool | None = None
    """None: not known, scan the raw bytes."""


class Codec(Protocol):
    """Reads the bodies of one device family. Stateless and pure: no clock, no I/O, no memory between calls.

    Registered in `devices.codecs.TABLE` under `name`; one file per family, `devices/codecs/<maker>_<model>.py`.
    """

    @property
    def name(self) -> str:
        """The key in the table, kept with devices and incidents: never changed once released."""
        ...

    def read(self, frame: Frame) -> Decoded | CodecFault:
        """The readings in `frame.body`, in the order in which they should be decided.

        Every reading of an alarm, supervisory, trouble or restoral kind carries a code of `devices.taxonomy`; a
        restoral carries the code it ends. A muted detector is not a restoral. Values are scalars; a number's unit
        is in its name (`temperature_c`, `current_a`) wherever the codec, not the device, chooses the name.
        Never raises for what a body contains, whatever its type: it answers with a `CodecFault`.
        Cost: tens of microseconds at most for 64 KiB, linear in the body.
        """
        ...
