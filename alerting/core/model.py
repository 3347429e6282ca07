"""Values of the core: incidents on their three axes, policies, what was paged. Never decides anything."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from devices.model import Channel, Language, Role
from devices.taxonomy import SignalClass


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
    UNSEEN = "unseen"
    """Severity 1 called a false alarm without a visit and without a second person. Counted."""
    HOUSEHOLD_NO_FIRE = "household_no_fire"
    """The household pressed 2: 住户称未着火. Shown; closes nothing and delays no worker."""


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
    DRILL = "drill"
    TEST = "test"


class Reason(StrEnum):
    """Why a decision was made. Log line, timeline entry, metric label and test use this one word."""

    FIRST_SIGNAL = "first_signal"
    REPEAT = "repeat"
    SPREADING = "spreading"
    RESTORED = "restored"
    UNPLACED = "unplaced"
    TEST_MODE = "test_mode"
    TEST_ONLY = "test_only"
    HELD = "held"
    """It came in test mode: it waits for its restoral."""
    TEST_RESTORED = "test_restored"
    TEST_PASSED = "test_passed"
    """A detector that never restores by itself: its passed walk test settles what it held."""
    NOT_RESTORED = "not_restored"
    TWO_ROOMS = "two_rooms"
    BESIDE_ALARM = "beside_alarm"
    """A real alarm speaks in the same building: what is held there waits no longer."""
    NOTHING_OPEN = "nothing_open"
    RETAINED = "retained"
    STEP_START = "step_start"
    UNANSWERED = "unanswered"
    UNDELIVERED = "undelivered"
    NOBODY_ON_DUTY = "nobody_on_duty"
    NOBODY_REACHABLE = "nobody_reachable"
    ALREADY_ASKED = "already_asked"
    CHAIN_END = "chain_end"
    TAKEN_EXPIRED = "taken_expired"
    DECLINED = "declined"
    TAKEN = "taken"
    PERSON_ACTED = "person_acted"
    VERIFIED = "verified"
    CLOSED = "closed"
    NEW_ALARM = "new_alarm"
    HEALED = "healed"
    REMINDER = "reminder"
    RAISED = "raised"
    """A person raised it: by telephone, on patrol, for a resident."""
    REOPENED = "reopened"


class Refusal(StrEnum):
    """Why a person's act was refused. Nothing changed."""

    UNKNOWN_INCIDENT = "unknown_incident"
    ALREADY_TAKEN = "already_taken"
    ALREADY_CLOSED = "already_closed"
    NOT_TAKEN = "not_taken"
    NOT_YOURS = "not_yours"
    NOT_VERIFIED = "not_verified"
    NOT_PAGED = "not_paged"
    NOT_A_WORKER = "not_a_worker"
    WRONG_STATE = "wrong_state"


@dataclass(frozen=True, slots=True)
class Redial:
    gap_s: int
    """Seconds between two calls to one phone; carriers demand a minimum."""
    max: int


@dataclass(frozen=True, slots=True)
class Step:
    after_s: int
    """Seconds after the incident opened, were every step before it staffed."""
    to: tuple[Role, ...]
    channels: tuple[Channel, ...]
    redial: Redial | None = None


@dataclass(frozen=True, slots=True)
class Loop:
    every_s: int
    to: tuple[Role, ...]


class Action(StrEnum):
    """What a policy may have a device do."""

    CUT_POWER = "cut_power"
    SOUND_SIREN = "sound_siren"


@dataclass(frozen=True, slots=True)
class PolicyCommand:
    """A device command that goes out when the incident opens."""

    action: Action
    args: tuple[tuple[str, str | int | float | bool], ...] = ()
    in_test: bool = False
    """Also for an alarm in test mode or a drill: only where somebody asks for it."""


@dataclass(frozen=True, slots=True)
class Match:
    """Which incidents a policy is for; an empty field matches everything."""

    cls: SignalClass | None = None
    severity: int | None = None
    codes: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    hours: tuple[int, int] | None = None
    """Local hours [from, to); may wrap midnight: (22, 7)."""


@dataclass(frozen=True, slots=True)
class Policy:
    name: str
    match: Match
    steps: tuple[Step, ...]
    loop: Loop
    version: int = 1
    taken_expires_s: int = 900
    """After a worker said that he goes: without arrival or a result in this time, the ladder goes on."""
    commands: tuple[PolicyCommand, ...] = ()
    told_at_end: tuple[Role, ...] = ()
    """Who hears of the end besides those who were paged."""
    acknowledged_expires_s: int = 600
    """After an acknowledgement without a result: the room is paged again and its sound comes back."""


@dataclass(frozen=True, slots=True)
class PlaceText:
    """Where, in words, frozen when the incident opens."""

    zh: str
    """信阳金鼎小区3栋2单元12层1201客厅: compound first, verbatim names."""
    en: str
    """`Jinding Garden B3 U2 F12 1201 living`: short Latin names, GSM-7."""
    spoken_zh: str
    """For a call: flat numbers digit by digit, the way people say them."""
    spoken_en: str
    lat: float | None = None
    lon: float | None = None

    def of(self, language: Language) -> str:
        return self.zh if language is Language.ZH_CN else self.en


@dataclass(frozen=True, slots=True)
class Extent:
    """What has spoken so far: decides `restored` (all devices quiet) and `spreading` (a second room, a new kind)."""

    active: tuple[str, ...] = ()
    """`device|code` still in alarm."""
    floors: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    """Rooms, or the nearest places, that have spoken; the first is where it began."""
    moves: tuple[str, ...] = ()
    """`device|code|instant` of the latest transitions, oldest first: what flaps is found here."""


@dataclass(frozen=True, slots=True)
class Incident:
    id: str
    reference: str
    dedup_key: str
    code: str
    cls: SignalClass
    severity: int
    condition: Condition
    ack: Ack
    work: Work
    device_id: str | None
    place_id: str | None
    grid_id: str | None
    place_text: PlaceText
    opened_at: datetime
    policy: Policy
    extent: Extent
    round: int = 0
    step: int = 0
    """Index of the step last executed."""
    due_at: datetime | None = None
    due_reason: Reason | None = None
    taken_by: str | None = None
    taken_at: datetime | None = None
    signals: int = 1
    version: int = 1
    overlays: frozenset[Overlay] = frozenset()
    raised_by: str | None = None
    """Id of the person or login that raised it; None: a device did."""
    raised_via: Via | None = None
    linked_to: str | None = None
    """The incident that this one reopens."""
    drill_id: str | None = None
    shelved_until: datetime | None = None
    acknowledged_until: datetime | None = None
    """An acknowledgement expires."""
    verified_by: str | None = None

    @property
    def open(self) -> bool:
        return self.work not in (Work.CLOSED, Work.EVALUATED)

    @property
    def answered(self) -> bool:
        """A field worker goes, or a result is recorded: nobody else is asked."""
        return self.work in (Work.TAKEN, Work.ON_SITE, Work.VERIFIED, Work.CLOSED, Work.EVALUATED)


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


@dataclass(frozen=True, slots=True)
class Paged:
    """One notification that already went out or is planned, as a decision needs it."""

    notification_id: str
    round: int
    step: int
    recipient_id: str
    channel: Channel
    purpose: Purpose
    state: AttemptState


@dataclass(frozen=True, slots=True)
class Raised:
    """What a person tells us who raises an incident. `media`: addresses of photographs."""

    by: str
    name: str
    via: Via
    note: str = ""
    media: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person of the registry, or a console login. `via` is how: voice, sms, app, console, api."""

    id: str
    name: str
    via: str
    person_id: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """What the core takes from the deployment."""

    timezone: str = "Asia/Shanghai"
    language: Language = Language.ZH_CN
    sms_two_way: bool = False
    """Can a worker answer by SMS? Not through foreign providers to +86; then no text asks for a reply."""
    late_after_s: int = 600
    """An alarm whose own clock is this far behind is marked late. It pages all the same."""
    test_hold_s: int = 180
    """An alarm in test mode that is not restored within this time pages."""
