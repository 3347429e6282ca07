"""The closed vocabularies of the core: what an incident, a message and a decision can be called. Never decides."""

from enum import StrEnum


class Condition(StrEnum):
    ACTIVE = "active"
    RESTORED = "restored"


class Ack(StrEnum):
    NONE = "none"
    ACKNOWLEDGED = "acknowledged"
    """A control room has seen it: its own sound and paging stop, nothing else."""


class Work(StrEnum):
    NEW = "new"
    DISPATCHED = "dispatched"
    TAKEN = "taken"
    """A worker has said that he goes. This, and nothing a network says, stops the ladder."""
    ON_SITE = "on_site"
    VERIFIED = "verified"
    CLOSED = "closed"
    EVALUATED = "evaluated"


class Overlay(StrEnum):
    ESCALATED = "escalated"
    SPREADING = "spreading"
    CONFIRMED = "confirmed"
    SHELVED = "shelved"
    TEST = "test"
    DRILL = "drill"
    LATE = "late"
    UNPLACED = "unplaced"
    """The device or its place is not registered: the control room is told at once."""
    TRANSFERRED = "transferred"
    OUT_OF_SERVICE = "out_of_service"
    FLAPPING = "flapping"
    """It comes and goes: further transitions are only counted."""
    STILL_CHARGING = "still_charging"
    """It still charged half a minute after the alarm."""
    UNSEEN = "unseen"
    """Severity 1 called a false alarm without a visit and without a second person. Counted."""
    MAINTENANCE = "maintenance"
    """Opened during a maintenance window: listed, and nobody is paged before the window ends."""
    HOUSEHOLD_NO_FIRE = "household_no_fire"
    """The household pressed 2: 住户称未着火. Shown; closes nothing and delays no worker."""
    HOUSEHOLD_CONFIRMED = "household_confirmed"
    """The household pressed 1: fire, or help is needed 住户确认起火或求助. `confirmed` stands beside it."""
    POWER_CUT = "power_cut"
    """A device has answered that it cut the power."""
    CUT_FAILED = "cut_failed"
    """A cut-off failed, or no answer came in time: it has to be done by hand."""


class Via(StrEnum):
    """How word of an incident came to the person who raises it."""

    TELEPHONE = "telephone"
    PATROL = "patrol"
    RESIDENT = "resident"
    """A resident's call for help."""
    VIDEO = "video"
    REOPENED = "reopened"


class Purpose(StrEnum):
    PAGE = "page"
    UPDATE = "update"
    ALL_CLEAR = "all_clear"
    SUMMARY = "summary"
    """One message in place of many pages about one building."""
    DIGEST = "digest"
    """Once a day: the troubles and supervisory signals that wait for work."""
    DRILL = "drill"
    TEST = "test"
    HOUSEHOLD = "household"
    """The household of the flat is asked what it sees. Asks nobody to go."""
    RESULT = "result"
    """The household that agreed to it hears how it ended."""
    COMMAND = "command"
    """A cut-off failed: somebody must cut the power by hand."""

    @property
    def asks(self) -> bool:
        """It asks somebody to go: in earnest, or in a drill."""
        return self in (Purpose.PAGE, Purpose.DRILL)


class Action(StrEnum):
    """What a policy may have a device do."""

    CUT_POWER = "cut_power"
    SOUND_SIREN = "sound_siren"


class AttemptState(StrEnum):
    """One try to reach one person; `alerting.core.attempts` holds the ranks, which only rise."""

    PLANNED = "planned"
    SENDING = "sending"
    UNKNOWN = "unknown"
    """Submitted, and nobody can say whether the provider has it."""
    BUSY = "busy"
    PROVIDER_ACCEPTED = "provider_accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    ANSWERED = "answered"
    TAKEN = "taken"
    REJECTED = "rejected"
    FAILED = "failed"
    """The provider took it and could not bring it to the person (busy, no answer, undelivered)."""
    EXPIRED = "expired"
    CANCELED = "canceled"
