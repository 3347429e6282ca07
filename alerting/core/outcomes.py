"""What a provider can answer and what its callbacks can say: the closed vocabulary of delivery. Never sends."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has it (app: the worker's own client has it). Not: the person has it."""

    provider_ref: str
    queue_ms: int = 0


class Scope(StrEnum):
    NUMBER = "number"
    TEXT = "text"
    ACCOUNT = "account"
    SESSION = "session"
    """App only: no live stream (`no_session`)."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider refused for good: do not repeat the same thing. `scope` says what is at fault."""

    reason: str
    scope: Scope
    code: str = ""


@dataclass(frozen=True, slots=True)
class Busy:
    """Not taken now, certainly not sent: safe to repeat after `retry_after` seconds."""

    retry_after: float
    number_limit: bool = False
    """The carrier's window for this one number is spent: another carrier, and the ledger learns it."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody can say whether it was sent: a cut line, a time-out, a 5xx."""

    cause: str


@dataclass(frozen=True, slots=True)
class Window:
    """A limit per called number: at most `most` submits in any `seconds`, or, with `hours`, within one night (from and
    to which local hour). Refused ones count too."""

    most: int
    seconds: float
    hours: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class NotFound:
    """`reconcile` looked and the provider has no such message."""


Submitted = Accepted | Rejected | Busy | Unknown


class ReceiptKind(StrEnum):
    """What a provider's callback says of an attempt; `alerting.core.attempts` ranks them."""

    PROVIDER_ACCEPTED = "provider_accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    RINGING = "ringing"
    ANSWERED = "answered"
    COMPLETED = "completed"
    """The call ended. Voicemail completes too: it acknowledges nothing."""
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    FAILED = "failed"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Receipt:
    attempt_id: str
    kind: ReceiptKind
    provider_ref: str = ""
    error: str = ""
    at: datetime | None = None
    """When it happened, by the provider's clock, where it says so."""


@dataclass(frozen=True, slots=True)
class KeyPress:
    attempt_id: str
    digits: str


@dataclass(frozen=True, slots=True)
class Reply:
    """A text that a person sent to us."""

    address: str
    text: str
    provider_ref: str


CallbackEvent = Receipt | KeyPress | Reply
