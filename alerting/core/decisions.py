"""The closed union of what the core can decide. The shell matches it with `assert_never` and does it, in order."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from alerting.core.held import Held
from alerting.core.model import (
    Action,
    Actor,
    Condition,
    Extent,
    Incident,
    Overlay,
    PlaceText,
    Purpose,
    Reason,
    Refusal,
    Work,
)
from alerting.core.templates import Wording
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
    by: Actor | None = None
    """Who says so, where no device does."""
    logged: bool = True
    """False: it is counted, and the timeline stays as it is."""


@dataclass(frozen=True, slots=True)
class SetCondition:
    incident_id: str
    condition: Condition
    device_id: str
    extent: Extent
    reason: Reason
    logged: bool = True


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
    wording: Wording | None = None
    """The same for carriers that take registered templates only."""


@dataclass(frozen=True, slots=True)
class Fold:
    """A page that is not sent: the next summary about the building says it to this person on this channel."""

    notice: Notify
    building_id: str
    code: str
    place: PlaceText
    due_at: datetime
    """When a summary is due, unless one is planned already or the last one was a moment ago."""
    reason: Reason


@dataclass(frozen=True, slots=True)
class Withhold:
    """An SMS or call about what is no alarm that waits for the morning."""

    incident_id: str
    recipient_id: str
    channel: Channel
    until: datetime
    reason: Reason


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
    until: datetime | None = None
    """Then it expires."""


@dataclass(frozen=True, slots=True)
class EndAcknowledgement:
    """It expired: the room's sound comes back."""

    incident_id: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Shelve:
    """The ladder rests until then; listed as an overlay, with the reason that the person gave."""

    incident_id: str
    until: datetime
    actor: Actor
    reason: Reason
    text: str


@dataclass(frozen=True, slots=True)
class EndShelf:
    incident_id: str
    actor: Actor
    reason: Reason


@dataclass(frozen=True, slots=True)
class Transfer:
    """Another grid, or a level above (`grid_id` None), answers for it from now on."""

    incident_id: str
    to: str
    grid_id: str | None
    actor: Actor
    reason: Reason
    text: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """A person's act that changes no column: only the timeline tells of it."""

    incident_id: str
    kind: str
    actor: Actor
    reason: Reason
    detail: dict[str, Any]


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
class CancelFor:
    """The same for these people alone."""

    incident_id: str
    recipients: frozenset[str]
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
class SendCommand:
    """A device is to do something; where `refused` says why not, it is only recorded."""

    incident_id: str | None
    device_id: str
    action: Action
    args: tuple[tuple[str, str | int | float | bool], ...]
    key: str
    """There is one command of a key, however often it is decided; a refusal has one of its own."""
    reason: Reason
    refused: Reason | None = None


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
    | Fold
    | Withhold
    | SkipStep
    | SetLadder
    | SetWork
    | Acknowledge
    | EndAcknowledgement
    | Shelve
    | EndShelf
    | Transfer
    | Record
    | Note
    | CancelPending
    | CancelFor
    | HoldAlarm
    | SettleHeld
    | ReleaseHeld
    | SendCommand
    | Suppress
)


@dataclass(frozen=True, slots=True)
class Refused:
    """An illegal move. Nothing changed. `who` names the person that stands in the way, if one does."""

    reason: Refusal
    who: str | None = None
