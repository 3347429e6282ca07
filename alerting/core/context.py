"""What a message is about, and what follows from it for every text. Never renders."""

from dataclasses import dataclass
from datetime import datetime

from alerting.core.model import PlaceText, Purpose
from devices.model import Language
from devices.taxonomy import Hazard, SignalClass

_FIRES = frozenset({"charge.smoke"})
_MAY_BURN = frozenset({"fire", "charge", "electric"})


@dataclass(frozen=True, slots=True)
class Context:
    """What a message is about. Everything a text says comes from here."""

    hazard: Hazard
    place: PlaceText
    at: datetime
    """Aware; shown as local time in `timezone`."""
    timezone: str = "Asia/Shanghai"
    deployment_language: Language = Language.ZH_CN
    """Decides the map service, not the words."""
    reference: str = ""
    incident_id: str = ""
    severity: int | None = None
    """The incident's, where it differs from the hazard's own."""
    unanswered_minutes: int = 0
    who_goes: str = ""
    two_way: bool = False
    """A reply by SMS reaches us."""
    has_voice: bool = False
    """A call comes at the same time."""
    has_app: bool = False
    spreading: bool = False
    spread_to: PlaceText | None = None
    """Where it spread to, seen from `place`."""
    first_out: PlaceText | None = None
    """Where it began, seen from `place`; only in a page about spreading, and then instead of `spread_to`."""
    confirmed: bool = False
    still_charging: bool = False
    household_confirms: bool = False
    """The household says that it burns, or asks for help."""
    household_denies: bool = False
    """The household says that it does not burn: told, never believed."""
    power_cut: bool = False
    power_live: bool = False
    """A cut-off failed, or was not answered."""
    answered: bool = False
    """Somebody goes: a message about the power asks nobody else to."""
    late: bool = False
    unplaced: bool = False
    test: bool = False
    """The signal carries a test mark outside test mode: it may be real."""
    drill: bool = False
    not_recorded: bool = False
    """Sent from memory because nothing could be committed."""
    emergency_number: str = "119"
    link: str = ""
    """Where to answer, for an SMS that may carry a link (never to +86)."""
    answer_url: str = ""
    """The same for the app."""


def severity(context: Context) -> int:
    return context.hazard.severity if context.severity is None else context.severity


def is_fire(hazard: Hazard) -> bool:
    return hazard.family == "fire" or hazard.code in _FIRES


def may_burn(hazard: Hazard) -> bool:
    return hazard.family in _MAY_BURN and hazard.cls is SignalClass.A


def direct(context: Context, purpose: Purpose) -> bool:
    """Nobody has answered, and it can kill: whoever is told now dials the fire brigade himself, rescue included."""
    serious = may_burn(context.hazard) or context.hazard.life_safety
    return context.unanswered_minutes > 0 and serious and not exercise(context, purpose)


def exercise(context: Context, purpose: Purpose) -> bool:
    """Certainly not real: no emergency number is named."""
    return context.drill or purpose in (Purpose.DRILL, Purpose.TEST)
