"""The channel contract: what an attempt is and what a provider must do with it. Never sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
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
)
from devices.model import Channel, Language

__all__ = [
    "Accepted",
    "Busy",
    "CallbackEvent",
    "ChannelProvider",
    "KeyPress",
    "NotFound",
    "Receipt",
    "ReceiptKind",
    "Rejected",
    "Reply",
    "Scope",
    "Submission",
    "Submitted",
    "Unknown",
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


class ChannelProvider(Protocol):
    """One vendor behind one channel."""

    channel: Channel
    name: str

    async def submit(self, submission: Submission, deadline_s: float) -> Submitted:
        """Hand one attempt over. Answers within `deadline_s` seconds; never raises for what a provider does."""
        ...

    async def reconcile(self, submission: Submission, provider_ref: str | None) -> Accepted | NotFound | Unknown:
        """After `Unknown`: does the provider have it?"""
        ...

    async def cancel(self, provider_ref: str) -> bool:
        """Stop a queued or ringing call because somebody goes. True when the provider agreed."""
        ...

    def parse_callback(self, kind: str, attempt_id: str | None, form: Mapping[str, Any]) -> list[CallbackEvent]:
        """Read a verified callback. Unknown words give an empty list, never an error."""
        ...

    async def close(self) -> None: ...
