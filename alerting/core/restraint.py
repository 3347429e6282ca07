"""Which pages are not sent one by one: folded into a summary, withheld for the morning, or silent in maintenance. Pure.

Law: class A, severity 1 loses nothing but a further page about one more room of a floor that spoke before, to somebody
paged about it three times in ten minutes. First pages, new floors and kinds, confirmations, steps of the ladder, its
loop and whatever a person did are never touched. In doubt the message goes out.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from alerting.core.decisions import (
    AddOverlay,
    AttachSignal,
    Decision,
    Fold,
    Notify,
    OpenIncident,
    RaiseSeverity,
    SetLadder,
    Withhold,
)
from alerting.core.held import building_of
from alerting.core.ladder import placement_of
from alerting.core.maintenance import life_safety
from alerting.core.model import Incident, Overlay, Paged, PlaceText, Purpose, Reason
from alerting.core.night import night_end
from alerting.core.places import place_text
from alerting.core.world import World
from devices.model import Channel, Placement
from devices.resolve import place_device
from devices.taxonomy import SignalClass

pages_most = 3
"""To one person about one building over one channel ..."""
window_s = 600
"""... within so many seconds; what comes beyond is told by summaries."""
summary_first_s = {Channel.SMS: 10, Channel.APP: 10, Channel.VOICE: 65}
summary_every_s = {Channel.SMS: 60, Channel.APP: 60, Channel.VOICE: 65}
"""Carriers want a pause between two calls to one phone."""

_FOLDS = frozenset(
    {
        Reason.FIRST_SIGNAL,
        Reason.SPREADING,
        Reason.STEP_START,
        Reason.UNANSWERED,
        Reason.UNDELIVERED,
        Reason.UNCLEAR,
        Reason.BUDGET_SPENT,
        Reason.CHAIN_END,
        Reason.NIGHT_OVER,
        Reason.MAINTENANCE_OVER,
    }
)
"""Below life safety pages with these reasons may be folded; all others always go out."""
_PHONE = (Channel.SMS, Channel.VOICE)
_MARKS = (Overlay.SPREADING, Overlay.CONFIRMED)


@dataclass(frozen=True, slots=True, order=True)
class SummaryKey:
    """One person, one building, one channel."""

    recipient_id: str
    building_id: str
    channel: Channel


@dataclass(frozen=True, slots=True)
class Recent:
    """A page below life safety that went out within the window."""

    recipient_id: str
    building_id: str
    channel: Channel
    code: str


Counted = Recent
"""One that goes out now: to be remembered."""


@dataclass(frozen=True, slots=True)
class Folded:
    """What a summary tells of one page that was not sent."""

    incident_id: str
    code: str
    place: PlaceText
    at: datetime


@dataclass(frozen=True, slots=True)
class Ground:
    """What the decisions rest on."""

    world: World
    known: Mapping[str, Incident]
    """By id, as they were before the decisions."""
    paged: Mapping[str, Sequence[Paged]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What must be looked up before anything can be folded; mostly nothing."""

    buildings: frozenset[str] = frozenset()
    incidents: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.buildings or self.incidents)


@dataclass(frozen=True, slots=True)
class Lately:
    """What was looked up: pages within the window."""

    pages: tuple[Recent, ...] = ()
    of_incidents: Mapping[tuple[str, str, Channel], int] = field(default_factory=dict)
    """(person, incident, channel) -> pages, of life safety."""


@dataclass(slots=True)
class _Known:
    """An incident as the decisions so far leave it."""

    incident: Incident
    world: World
    device_id: str
    code: str
    always: bool = True
    """What is decided on now always goes out: it opened, spread to a new floor, kind, or is confirmed."""
    out: int = 0
    folded: int = 0
    """Pages of the signal decided on now."""

    @property
    def building_id(self) -> str | None:
        placement = where(self.incident, self.device_id, self.world)
        return building_of(placement) if placement is not None else None


def concerns(made: Iterable[Decision]) -> bool:
    """Can anything here be folded or wait? Not in the pages of a first fire."""
    pages = [each for each in made if isinstance(each, Notify) and each.purpose is Purpose.PAGE]
    return any(each.urgency > 0 or each.reason is Reason.SPREADING for each in pages)


def looked_up(made: Sequence[Decision], ground: Ground) -> Asked:
    """What `restrain` needs to know about the last minutes. Empty for a first fire."""
    buildings, incidents = set(), set()
    pages: Counter[tuple[str, str, Channel]] = Counter()
    counted: set[str] = set()
    for decision, known in _walk(made, ground):
        if not isinstance(decision, Notify) or known is None or known.building_id is None:
            continue
        incident_id = decision.incident_id
        if incident_id not in counted:
            counted.add(incident_id)
            pages.update(_key(page, incident_id) for page in ground.paged.get(incident_id, ()) if _is_page(page))
        key = _key(decision, incident_id)
        if _may_fold(decision, known):
            if not life_safety(known.incident):
                buildings.add(known.building_id)
            elif pages[key] >= pages_most:
                incidents.add(incident_id)
        pages[key] += 1
    return Asked(frozenset(buildings), frozenset(incidents))


def restrain(
    made: Sequence[Decision],
    ground: Ground,
    lately: Lately = Lately(),
) -> tuple[list[Decision], list[Counted]]:
    """The decisions with folded and withheld pages in place of pages; and the pages that count from now on."""
    counts = Counter(SummaryKey(page.recipient_id, page.building_id, page.channel) for page in lately.pages)
    codes = {(page.recipient_id, page.building_id, page.channel, page.code) for page in lately.pages}
    of_incidents = Counter(lately.of_incidents)
    kept: list[Decision] = []
    counted: list[Counted] = []
    for decision, known in _walk(made, ground):
        if known is None or not isinstance(decision, Notify | SetLadder):
            kept.append(decision)
            continue
        if isinstance(decision, SetLadder):
            if not _stands_still(known):
                kept.append(decision)
            continue
        until = _morning(decision, known, ground.world)
        if until is not None:
            late = Withhold(decision.incident_id, decision.recipient_id, decision.channel, until, Reason.QUIET_HOURS)
            kept.append(late)
            continue
        building_id, code = known.building_id, known.code
        if building_id is None or decision.purpose is not Purpose.PAGE:
            kept.append(decision)
            continue
        if life_safety(known.incident):
            key = _key(decision, decision.incident_id)
            folds = _may_fold(decision, known) and of_incidents[key] >= pages_most
            of_incidents[key] += 0 if folds else 1
        else:
            summary = SummaryKey(decision.recipient_id, building_id, decision.channel)
            said = (decision.recipient_id, building_id, decision.channel, code)
            folds = _may_fold(decision, known) and counts[summary] >= pages_most and said in codes
            if not folds:
                counts[summary] += 1
                codes.add(said)
                counted.append(Recent(*said))
        known.folded, known.out = known.folded + folds, known.out + (not folds)
        kept.append(_fold(decision, known, building_id, ground.world) if folds else decision)
    return kept, counted


def where(incident: Incident, device_id: str, world: World) -> Placement | None:
    """Where an incident is; in a batch only the places of its devices were loaded, one of which has spoken there."""
    placement = placement_of(incident, world)
    if placement is not None and placement.chain:
        return placement
    placed = place_device(world.snapshot, device_id) if device_id else None
    return placed if isinstance(placed, Placement) else None


def _walk(made: Sequence[Decision], ground: Ground) -> Iterator[tuple[Decision, _Known | None]]:
    """Each decision with its incident as it stands then."""
    known: dict[str, _Known] = {}
    for decision in made:
        match decision:
            case OpenIncident(incident, _):
                known[incident.id] = _known(incident, ground.world)
            case AttachSignal() | AddOverlay() | RaiseSeverity() | Notify() | SetLadder():
                incident_id = decision.incident_id
                if incident_id not in known and incident_id in ground.known:
                    known[incident_id] = _known(ground.known[incident_id], ground.world)
                    known[incident_id].always = False
                if incident_id in known:
                    _follow(known[incident_id], decision)
                yield decision, known.get(incident_id)
                continue
            case _:
                pass
        yield decision, None


def _known(incident: Incident, world: World) -> _Known:
    return _Known(incident, world, incident.device_id or "", incident.code)


def _follow(known: _Known, decision: AttachSignal | AddOverlay | RaiseSeverity | Notify | SetLadder) -> None:
    incident = known.incident
    match decision:
        case AttachSignal(_, device_id, code, extent, _):
            grown = extent.floors != incident.extent.floors or extent.codes != incident.extent.codes
            known.always = grown
            known.device_id, known.code, known.out, known.folded = device_id, code, 0, 0
            known.incident = replace(incident, extent=extent)
        case AddOverlay(_, overlay, _, _):
            known.always = known.always or (overlay in _MARKS and overlay not in incident.overlays)
            known.incident = replace(incident, overlays=incident.overlays | {overlay})
        case RaiseSeverity(_, severity, _):
            known.always = True
            known.incident = replace(incident, severity=severity)
        case _:
            pass


def _may_fold(notice: Notify, known: _Known) -> bool:
    """By itself, whatever went out before."""
    if notice.purpose is not Purpose.PAGE:
        return False
    if life_safety(known.incident):
        return notice.reason is Reason.SPREADING and not known.always
    return notice.reason in _FOLDS and not (notice.reason is Reason.SPREADING and known.always)


def _stands_still(known: _Known) -> bool:
    """Nobody is told of the new room one by one: then the ladder is not begun anew either, and goes on climbing."""
    return known.folded > 0 and known.out == 0 and life_safety(known.incident)


def _morning(notice: Notify, known: _Known, world: World) -> datetime | None:
    """Until when an SMS or call about what is no alarm waits; None: it goes out."""
    incident = known.incident
    spared = incident.cls is SignalClass.A or incident.severity == 1 or life_safety(incident)
    if spared or notice.purpose is not Purpose.PAGE or notice.channel not in _PHONE or world.settings.night is None:
        return None
    return night_end(world.now, world.settings.night, world.settings.timezone)


def _fold(notice: Notify, known: _Known, building_id: str, world: World) -> Fold:
    placed = place_device(world.snapshot, known.device_id) if known.device_id else None
    place = place_text(placed, known.device_id) if isinstance(placed, Placement) else known.incident.place_text
    due = world.now + timedelta(seconds=summary_first_s[notice.channel])
    return Fold(notice, building_id, known.code, place, due, Reason.FOLDED)


def _is_page(page: Paged) -> bool:
    return page.purpose is Purpose.PAGE


def _key(page: Notify | Paged, incident_id: str) -> tuple[str, str, Channel]:
    return (page.recipient_id, incident_id, page.channel)
