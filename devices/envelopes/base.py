"""What every envelope is given, gives back and promises. No dialect here, no I/O, no clock."""

from dataclasses import dataclass
from typing import Protocol

from devices.codecs.base import Frame
from devices.signals import DecodeError, RawMessage, Source


@dataclass(frozen=True, slots=True)
class Sender:
    """What the topic alone tells about a message that is refused unopened."""

    device_key: str | None
    may_alarm: bool
    """False only where the topic rules an alarm out (telemetry, heartbeat, status)."""


class Envelope(Protocol):
    """Opens the messages of one sender dialect: finds who speaks and which codec can read the rest.

    Registered in `devices.envelopes.TABLE` under its slug; one file per dialect, `devices/envelopes/<slug>.py`.
    Stateless and pure: no clock, no I/O, no memory between calls.
    """

    @property
    def dialect(self) -> str:
        """The slug, one of the contract page's; never changed once released."""
        ...

    def recognises(self, topic: str, payload: bytes) -> bool:
        """Whether a message without a named source looks like this dialect. Used by the command line only.

        Judges by topic first, by shape where topics say nothing; must be false for every other dialect's samples.
        """
        ...

    def open(self, raw: RawMessage, source: Source) -> Frame | DecodeError:
        """The message without its wrapping.

        `raw.payload` is at most 64 KiB: `decode` has refused longer ones. `source` says under which name the
        identity in the message is valid; an envelope never takes an identity from a field its dialect does not name.
        `Frame.device_key` is the sender's own word, verbatim; `Frame.codec` is a key of `devices.codecs.TABLE`.
        A clock that cannot be read never loses a message: `observed_at` stays None and a note says so.
        A `DecodeError` carries device key and event id wherever they can still be found, and `claims_fire` for
        anything that might be an alarm (never for telemetry, heartbeats and status).
        Never raises for what topic or payload contain. Cost: tens of microseconds, linear in the payload.
        """
        ...

    def whose(self, topic: str) -> Sender:
        """Whose message it is as far as the topic alone tells, for messages that are refused unopened."""
        ...
