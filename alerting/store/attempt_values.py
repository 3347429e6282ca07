"""What is stored of one try to reach one person, as values: to insert, to carry out, to change. Never a query."""

from dataclasses import dataclass
from datetime import datetime

from alerting.channels.base import Submission
from alerting.core.model import AttemptState, Purpose

ASKING = tuple(purpose.value for purpose in Purpose if purpose.asks)


@dataclass(frozen=True, slots=True)
class NewAttempt:
    id: str
    notification_id: str
    incident_id: str
    number: int
    reason: str
    provider: str
    state: AttemptState
    due_at: datetime | None
    lease_boot: int | None
    received_at: datetime | None
    planned_at: datetime
    observed_at: datetime | None = None
    """By the device's own clock, where it is trusted."""
    clock: str | None = None
    """Whether it is, or why not."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """An attempt with what is needed to carry it out and to judge its outcome."""

    submission: Submission
    number: int
    reason: str
    state: AttemptState
    purpose: str
    provider_ref: str | None
    received_at: datetime | None
    severity: int
    answered: bool
    """Somebody goes already, or a result is recorded: a page is not sent any more."""
    redial_gap_s: int
    redial_max: int
    drill: bool = False
    """An exercise: its figures are kept apart."""
    superseded: bool = False
    """A newer message of this incident to the same phone exists: this one is not sent late."""
    provider: str = ""
    """Who has it, or is to have it; '': whoever sends it chooses."""
    round: int = 0
    step: int = 0
    followed: bool = False
    """A later attempt of the same message lives: no further one follows from this one."""
    newest: int = 1
    """The highest number of the message's attempts."""
    redials: int = 0
    """How often the same phone was called again."""
    refused: frozenset[str] = frozenset()
    """Carriers that have refused this very message."""

    @property
    def asks(self) -> bool:
        """It asks somebody to go, in earnest or in a drill."""
        return self.purpose in ASKING


@dataclass(frozen=True, slots=True)
class Ringing:
    """A call that may be ringing: who has it, and what he calls it."""

    attempt_id: str
    provider: str
    provider_ref: str


@dataclass(frozen=True, slots=True)
class Change:
    """What is written of one attempt; None leaves a column as it is."""

    attempt_id: str
    state: AttemptState
    due_at: datetime | None = None
    committed_at: datetime | None = None
    submitted_at: datetime | None = None
    provider_accepted_at: datetime | None = None
    first_receipt_at: datetime | None = None
    delivered_at: datetime | None = None
    answered_at: datetime | None = None
    taken_at: datetime | None = None
    provider_ref: str | None = None
    error: str | None = None
    ended_at: datetime | None = None
    """A call: nobody has the line any more."""
