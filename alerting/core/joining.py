"""A real signal opens an incident or joins the one that holds its key. Pure.

Law: a first signal asks at once; a repeat asks nobody; what spreads, confirms or takes away a doubt asks everybody
again, whoever has said that he goes; a signal never changes `taken`.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerting.core import household
from alerting.core.again import ask_again, raise_severity, tell_nobody_else
from alerting.core.books import Books, standing
from alerting.core.charging import with_look
from alerting.core.decisions import (
    AddOverlay,
    AttachSignal,
    Decision,
    DropOverlay,
    Note,
    Notify,
    OpenIncident,
    ReleaseKey,
)
from alerting.core.extents import Grown, grown, opening
from alerting.core.flapping import Flap, look, marked, work_order
from alerting.core.ladder import climb
from alerting.core.model import Ack, Actor, Condition, Incident, Overlay, PlaceText, Reason, Work
from alerting.core.places import apart, place_text
from alerting.core.policy import choose
from alerting.core.signal import SignalIn, in_test_mode, key_of_signal
from alerting.core.world import World
from devices.model import Placement
from devices.taxonomy import TAXONOMY

clock_plausible_from = datetime(2020, 1, 1, tzinfo=UTC)
"""A device's clock that is behind this was never set."""

_SYSTEM = Actor("gengfu", "更夫", "system")
_REUSED = "事件编号曾用于其他内容 / this event id was used before, with other content"


def take(signal: SignalIn, placement: Placement | None, world: World, books: Books) -> list[Decision]:
    """A real signal: it opens an incident or joins one."""
    key = key_of_signal(signal, placement)
    known = books.open.get(key)
    if known is None:
        return _open(signal, placement, key, world, books)
    if is_over_for(known, signal):
        books.open.pop(key)
        return [ReleaseKey(known.id, Reason.NEW_ALARM), *_open(signal, placement, key, world, books)]
    return _attach(signal, placement, known, world, books)


def is_over_for(known: Incident, signal: SignalIn) -> bool:
    """A result is recorded, and this is not somebody who has been speaking all the time: a new incident."""
    return known.work is Work.VERIFIED and (signal.raised is not None or signal.speaker not in known.extent.active)


def _open(signal: SignalIn, placement: Placement | None, key: str, world: World, books: Books) -> list[Decision]:
    hazard = TAXONOMY[signal.code]
    path = [place.id for place in placement.chain] if placement else []
    overlays = _overlays(signal, placement, world)
    raised = signal.raised
    incident = Incident(
        id=signal.fresh_id,
        reference=signal.fresh_reference,
        dedup_key=key,
        code=hazard.code,
        cls=hazard.cls,
        severity=hazard.severity,
        condition=Condition.ACTIVE,
        ack=Ack.NONE,
        work=Work.NEW,
        device_id=signal.device_id or None,
        place_id=placement.place_id if placement else None,
        grid_id=placement.grid_id if placement else None,
        place_text=_place_text(signal, placement),
        opened_at=world.now,
        policy=choose(world.policies, hazard, path, world.now, world.settings.timezone),
        extent=opening(signal, placement, world.now),
        overlays=frozenset(overlays),
        raised_by=raised.by if raised else None,
        raised_via=raised.via if raised else None,
    )
    climbed = with_look(incident, climb(incident, world, (), index=0, round_=0, reason=Reason.FIRST_SIGNAL), world)
    dispatched = any(isinstance(made, Notify) and made.purpose.asks for made in climbed)
    incident = standing(replace(incident, work=Work.DISPATCHED if dispatched else Work.NEW), climbed)
    books.open[key] = incident
    books.paged[incident.id] = household.as_paged(climbed)
    first = Reason.RAISED if raised else Reason.FIRST_SIGNAL
    reason = signal.waited or (first if placement else Reason.UNPLACED)
    marks = [AddOverlay(incident.id, overlay, reason) for overlay in sorted(overlays)]
    return [OpenIncident(incident, reason), *marks, *odd(signal, incident.id), *climbed]


def _attach(
    signal: SignalIn, placement: Placement | None, known: Incident, world: World, books: Books
) -> list[Decision]:
    grew = grown(known.extent, known, signal, placement, world.now)
    why = _why_again(signal, known, grew, world)
    flap = Flap() if why else look(known, grew.extent, signal, signal.speaker, moved=grew.moved, world=world)
    reason = why or (Reason.FLAPPING if flap.folded else Reason.RAISED if signal.raised else Reason.REPEAT)
    after = known
    if grew.extent is not known.extent or known.condition is not Condition.ACTIVE:  # a plain repeat changes nothing
        after = replace(known, extent=grew.extent, condition=Condition.ACTIVE)
    made: list[Decision] = []
    if why:
        after, made = _worse(signal, placement, known, after, grew, why, world, books)
    joined = AttachSignal(
        known.id, signal.device_id, signal.code, after.extent, reason, by=_who(signal), logged=flap.logged
    )
    books.open[known.dedup_key] = marked(after, flap.marks)
    orders = take_work_order(signal, placement, world, books) if flap.begins else []
    return [joined, *odd(signal, known.id), *made, *flap.marks, *orders]


def take_work_order(signal: SignalIn, placement: Placement | None, world: World, books: Books) -> list[Decision]:
    """One incident for the device that comes and goes, unless there is one."""
    order = work_order(signal)
    return [] if key_of_signal(order, placement) in books.open else take(order, placement, world, books)


def _why_again(signal: SignalIn, known: Incident, grew: Grown, world: World) -> Reason | None:
    """Why everybody is asked again; None for a repeat."""
    if grew.confirms and Overlay.CONFIRMED not in known.overlays:
        return Reason.CONFIRMED
    if _spreads(signal, grew):
        return Reason.SPREADING
    return Reason.NOT_A_TEST if Overlay.TEST in known.overlays and not _tested(signal, world) else None


def _spreads(signal: SignalIn, grew: Grown) -> bool:
    """What cannot kill folds, even where its device was moved."""
    return grew.spreads and TAXONOMY[signal.code].life_safety


def _tested(signal: SignalIn, world: World) -> bool:
    """It may be somebody's test."""
    return signal.test or signal.waited is not None or in_test_mode(signal.device_id, world)


def _worse(
    signal: SignalIn,
    placement: Placement | None,
    known: Incident,
    after: Incident,
    grew: Grown,
    why: Reason,
    world: World,
    books: Books,
) -> tuple[Incident, list[Decision]]:
    """Marked, raised, asked again in words that name the new place, and where it began."""
    made: list[Decision] = []
    spreads = _spreads(signal, grew)
    if spreads:
        made.append(AddOverlay(known.id, Overlay.SPREADING, Reason.SPREADING, signal.code))
    if why is Reason.CONFIRMED:
        made.append(AddOverlay(known.id, Overlay.CONFIRMED, Reason.CONFIRMED, signal.code))
    if Overlay.TEST in known.overlays and not _tested(signal, world):
        made.append(DropOverlay(known.id, Overlay.TEST, Reason.NOT_A_TEST))
    after = marked(after, made)
    if why is not Reason.NOT_A_TEST:
        raised, after = raise_severity(after, why, TAXONOMY[signal.code].severity)
        made.extend(raised)
    told = replace(after, code=signal.code, place_text=_place_text(signal, placement))
    told = replace(told, extent=replace(told.extent, spread=()))  # it was seen from where it began
    if spreads:
        began, spread = _apart(known, signal, placement)
        told = replace(told, first_out=began)
        words = (spread.zh, spread.en, spread.spoken_zh, spread.spoken_en)
        after = replace(after, extent=replace(after.extent, spread=words))
    if placement is not None:  # the duty of the new place is asked, be it another grid's
        told = replace(told, place_id=placement.place_id, grid_id=placement.grid_id)
    paged = books.paged.setdefault(known.id, [])
    if why is Reason.NOT_A_TEST and known.answered:  # he goes already: nobody else is asked for that
        asked = tell_nobody_else(known, told, world, why)
    else:
        asked = ask_again(known, told, world, paged, why)
    paged.extend(household.as_paged(asked))
    return standing(after, asked), [*made, *asked]


def _apart(known: Incident, signal: SignalIn, placement: Placement | None) -> tuple[PlaceText, PlaceText]:
    """Where it began and where it is now, each as the other sees it; the sensors where the place is the same."""
    began, now = apart(known.place_text, placement) if placement else (None, None)
    first, other = TAXONOMY[known.code], TAXONOMY[signal.code]
    return began or PlaceText(first.zh, first.en, first.zh, first.en), now or PlaceText(
        other.zh, other.en, other.zh, other.en
    )


def _place_text(signal: SignalIn, placement: Placement | None) -> PlaceText:
    return place_text(placement, signal.device_id or signal.place_id or "")


def _who(signal: SignalIn) -> Actor | None:
    raised = signal.raised
    return Actor(raised.by, raised.name, raised.via.value) if raised else None


def odd(signal: SignalIn, incident_id: str) -> list[Decision]:
    """What is odd about the signal itself. What a person tells is on the record already (`core.raised`)."""
    return [Note(incident_id, _SYSTEM, _REUSED, Reason.ID_REUSED)] if signal.reused else []


def _overlays(signal: SignalIn, placement: Placement | None, world: World) -> list[Overlay]:
    overlays = []
    if placement is None:
        overlays.append(Overlay.UNPLACED)
    if signal.test or signal.waited is not None:
        overlays.append(Overlay.TEST)
    observed = signal.observed_at
    if observed is not None and clock_plausible_from <= observed <= signal.received_at - timedelta(
        seconds=world.settings.late_after_s
    ):
        overlays.append(Overlay.LATE)
    return overlays
