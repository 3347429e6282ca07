"""The channel contract: what an attempt is and what a provider must do with it. Never sends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from alerting.core.outcomes import (
    Accepted,
    Busy,
    CallbackEvent,
    KeyPress,
    NotFound,
    Receipt,
    ReceiptKind,
    Rejected,
    Reply,
    Scope,
    Submitted,
    Unknown,
    Window,
)
from alerting.core.templates import Wording
from devices.model import Channel, Language

__all__ = [
    "Accepted",
    "Busy",
    "CallbackEvent",
    "CallbackRequest",
    "Callbacks",
    "Caps",
    "ChannelProvider",
    "Finding",
    "Health",
    "HealthWord",
    "KeyPress",
    "NotFound",
    "Receipt",
    "ReceiptKind",
    "Rejected",
    "Reply",
    "Scope",
    "Spoken",
    "Stored",
    "Submission",
    "Submitted",
    "Unknown",
    "Window",
    "Wording",
    "acceptance",
    "unanswered",
]


@dataclass(frozen=True, slots=True)
class Submission:
    """One attempt, as a provider gets it. It is committed as `sending` before `submit` is called."""

    attempt_id: str
    notification_id: str
    incident_id: str
    recipient_id: str
    channel: Channel
    address: str
    language: Language
    text: str
    """SMS: the text. Voice: the call script as JSON `messages.CallScript`. App: JSON `messages.AppMessage`."""
    urgency: int
    planned_at: datetime
    purpose: str = "page"
    wording: Wording | None = None
    """For carriers that take registered templates only; None where the message has no such form: they refuse it."""
    target: Mapping[str, Any] = field(default_factory=dict)
    """App only: where this carrier finds the person (`{"user_id": ...}`, a push subscription ...)."""


@dataclass(frozen=True, slots=True)
class Caps:
    """What a carrier can do; routing and readiness rest on it. Defaults: the most modest carrier."""

    receipts: bool = False
    """It reports what became of a message, by callback or when `poll` asks. Without: chips show `?`."""
    two_way: bool = False
    """A person can answer a text."""
    dtmf: bool = False
    links: bool = False
    """A text may hold a link."""
    templates: bool = False
    """It takes registered templates only: `Submission.wording`."""
    regions: frozenset[str] | None = None
    """Country calling codes (`+86`) that it reaches; None: all."""
    finds: bool = False
    """`reconcile` can find an attempt without a reference."""
    reports_ringing: bool = False
    """It tells within 2 s that a call of ours is under way, so silence after an unclear answer means that none is."""
    cancels: bool = False
    windows: tuple[Window, ...] = ()
    min_gap_s: float = 0.0
    """Between two submits to one number."""
    per_second: float | None = None
    """Submits that the account starts in a second; None: no limit known."""
    ring_s: int = 25


class HealthWord(StrEnum):
    FINE = "fine"
    FAULT = "fault"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One checked thing of a provider account: `credentials`, `balance`, `template:page`, `callback` ..."""

    about: str
    word: HealthWord
    detail: str = ""
    """English, one sentence, with the remedy when it is a fault. Never a secret or a whole number."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a cheap look at the account found."""

    findings: tuple[Finding, ...] = ()
    balance: str | None = None

    @property
    def usable(self) -> bool:
        """No finding is a fault."""
        return all(finding.word is not HealthWord.FAULT for finding in self.findings)


def acceptance(reference: object) -> Accepted | Unknown:
    """What a vendor's own reference proves; an answer without one proves nothing."""
    return Accepted(reference) if isinstance(reference, str) and reference else Unknown("unreadable_answer")


def unanswered(trouble: Rejected | Busy | Unknown) -> Unknown:
    """What a vendor that was asked about a message, and did not tell, proves about it: nothing."""
    match trouble:
        case Busy():
            return Unknown("busy")
        case Rejected():
            return Unknown("refused")
        case Unknown():
            return trouble


class ChannelProvider(Protocol):
    """One vendor behind one channel."""

    channel: Channel
    name: str
    caps: Caps

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """Hand one attempt over. Answers within `deadline_s` seconds; never raises for what a provider does."""
        ...

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        """After `Unknown`: does the provider have it?"""
        ...

    async def cancel(self, provider_ref: str) -> bool:
        """Stop a queued or ringing call because somebody goes. True when the provider agreed."""
        ...

    async def poll(self, submission: Submission, provider_ref: str) -> list[CallbackEvent]:
        """Receipts that are missing, asked for; [] where the provider cannot be asked or knows nothing new. Never
        raises for what a provider does."""
        ...

    async def check(self) -> Health:
        """A cheap look at the account: credentials, balance and templates where offered. At most 5 s, never raises,
        sends nothing to anybody."""
        ...

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        """Read one stored callback of this vendor, of any of its channels. Unknown words give an empty list, never an
        error."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class CallbackRequest:
    """A callback as it came in. `kind`: the last part of the path; `headers`: names in lower case."""

    method: str
    kind: str
    path_and_query: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Stored:
    """One word of a callback, as the inbox keeps it: what `parse_callback` gets later. `dedupe`: at most 128
    characters, the same for the same word told twice."""

    kind: str
    attempt_id: str | None
    dedupe: str
    form: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spoken:
    """A document that answers a callback."""

    media_type: str
    body: str


class Callbacks(Protocol):
    """How one vendor's callbacks are verified and taken apart. Pure: no I/O, no clock but `now`."""

    def verify(self, request: CallbackRequest, now: datetime) -> bool:
        """Did this vendor send it, for us, lately? False is answered with 403 and changes nothing."""
        ...

    def read(self, request: CallbackRequest) -> Sequence[Stored]:
        """The words in it, to be stored before it is answered; [] where there are none (an address check). ValueError
        for what cannot be read: answered with 400."""
        ...

    def answer(self, request: CallbackRequest) -> Spoken | None:
        """What the vendor wants to hear once all is stored; None: 204."""
        ...
