"""The closed union of what the core can decide. The shell matches it with `assert_never` and does it, in order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerting.core.held import Held
from alerting.core.model import (
    Actor,
    Condition,
    Extent,
    Incident,
    Overlay,
    Purpose,
    Reason,
    Refusal,
    Work,
)
from devices.model import Channel, Language


@dataclass(frozen=True, slots=True)
class OpenIncident:
    incident: Incident
    reason: Reason


@dataclass(frozen=True, slots=True)
class ReleaseKey:
    """A verified incident stops taking signals, so that a new alarm of the same key is a new incident."""

    incident_id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class AttachSignal:
    """A repeat joins the open incident."""

    incident_id: str
    device_id: str
    code: str
    extent: Extent
    reason: Reason


@dataclass(frozen=True, slots=True)
class SetCondition:
    incident_id: str
    condition: Condition
    device_id: str
    extent: Extent
    reason: Reason


@dataclass(frozen=True, slots=True)
class AddOverlay:
    incident_id: str
    overlay: Overlay
    reason: Reason
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DropOverlay:
    incident_id: str
    overlay: Overlay
    reason: Reason


@dataclass(frozen=True, slots=True)
class RaiseSeverity:
    """Only upwards: 1 is the worst."""

    incident_id: str
    severity: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Notify:
    """One message to one person over one channel for one step."""

    incident_id: str
    round: int
    step: int
    recipient_id: str
    recipient_name: str
    channel: Channel
    address: str
    language: Language
    purpose: Purpose
    urgency: int
    """0 for fire and gas, then by severity: the dispatcher's order."""
    text: str
    """SMS: the text. Voice: the call script. App: JSON with title, body, map link."""
    reason: Reason
    redial_gap_s: int = 0
    redial_max: int = 0


@dataclass(frozen=True, slots=True)
class SkipStep:
    """Nobody to ask on this step: the next one is asked at once."""

    incident_id: str
    step: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class SetLadder:
    """Where the ladder stands and when it is looked at again."""

    incident_id: str
    round: int
    step: int
    due_at: datetime | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class SetWork:
    incident_id: str
    work: Work
    actor: Actor
    reason: Reason
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Acknowledge:
    incident_id: str
    actor: Actor
    reason: Reason


@dataclass(frozen=True, slots=True)
class Note:
    incident_id: str
    actor: Actor
    text: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class CancelPending:
    """Messages of this purpose that were not submitted yet are not sent; ringing calls are hung up."""

    incident_id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class HoldAlarm:
    """An alarm in test mode waits until `held.due_at`; kept so that a restart loses neither it nor its time."""

    held: Held
    reason: Reason


@dataclass(frozen=True, slots=True)
class SettleHeld:
    """It was a test: restored in time, or its walk test passed. Nobody is told."""

    held_id: str
    device_id: str
    code: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class ReleaseHeld:
    """It waits no longer: it has opened this incident, or joined it."""

    held: Held
    incident_id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Suppress:
    """A signal with no consequence, and why."""

    device_id: str
    code: str | None
    reason: Reason


Decision = (
    OpenIncident
    | ReleaseKey
    | AttachSignal
    | SetCondition
    | AddOverlay
    | DropOverlay
    | RaiseSeverity
    | Notify
    | SkipStep
    | SetLadder
    | SetWork
    | Acknowledge
    | Note
    | CancelPending
    | HoldAlarm
    | SettleHeld
    | ReleaseHeld
    | Suppress
)


@dataclass(frozen=True, slots=True)
class Refused:
    """An illegal move. Nothing changed. `who` names the person that stands in the way, if one does."""

    reason: Refusal
    who: str | None = None
