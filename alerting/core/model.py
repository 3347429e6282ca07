"""Values of the core: incidents on their three axes, policies, what was paged. Never decides anything."""

from dataclasses import dataclass
from datetime import datetime

from alerting.core.reasons import Reason as Reason
from alerting.core.reasons import Refusal as Refusal
from alerting.core.vocabulary import (
    Ack,
    Action,
    AttemptState,
    Condition,
    Overlay,
    Purpose,
    Via,
    Work,
)
from devices.model import Channel, Language, Role
from devices.taxonomy import SignalClass

__all__ = [
    "Ack",
    "Action",
    "Actor",
    "AttemptState",
    "Condition",
    "Extent",
    "Incident",
    "Loop",
    "Match",
    "Overlay",
    "Paged",
    "PlaceText",
    "Policy",
    "PolicyCommand",
    "Purpose",
    "Raised",
    "Redial",
    "Settings",
    "Step",
    "Via",
    "Work",
]


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
    spread: tuple[str, ...] = ()
    """Where it spread to last, seen from where it began: Chinese, English, spoken Chinese, spoken English."""


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
    acknowledged_by: str | None = None
    verified_by: str | None = None
    verified_result: str | None = None
    verified_how: str | None = None
    first_out: PlaceText | None = None
    """Only in what a page about spreading is made from, never stored: where it began, seen from there."""

    @property
    def open(self) -> bool:
        return self.work not in (Work.CLOSED, Work.EVALUATED)

    @property
    def answered(self) -> bool:
        """A field worker goes, or a result is recorded: nobody else is asked."""
        return self.work in (Work.TAKEN, Work.ON_SITE, Work.VERIFIED, Work.CLOSED, Work.EVALUATED)


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
    answer_link: str = ""
    """The page to answer on, with 22 underscores where the notification's own token will stand; empty: none."""
    late_after_s: int = 600
    """An alarm whose own clock is this far behind is marked late. It pages all the same."""
    night: tuple[int, int] | None = (22, 7)
    """Local hours [from, to) without SMS and calls for what is no alarm; None: no quiet hours."""
    digest_hour: int | None = 8
    """Local hour of the daily digest; None: none is sent."""
    test_hold_s: int = 180
    """An alarm in test mode that is not restored within this time pages."""
    supervision_grace_s: int = 180
    """After a start, a new connection to the broker or an import, no device is judged silent for so long."""
