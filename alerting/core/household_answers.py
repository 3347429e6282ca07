"""What the household says on its call: 1 fire or help, 2 no fire. Pure.

Law: 1 confirms, raises and escalates now; 2 is shown, closes nothing, and neither delays nor stops anybody; no key of
a household records a result. What it has said once is not decided again.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

from alerting.core import ladder
from alerting.core.again import as_paged, everybody_asked, raise_severity, taken_stays, tell_taker, worst
from alerting.core.decisions import AddOverlay, Decision, DropOverlay, Note, Refused
from alerting.core.household_words import RELATIONS
from alerting.core.model import Actor, AttemptState, Incident, Overlay, Paged, Purpose, Reason, Refusal, Work
from alerting.core.world import World
from devices.model import Relation

_IT_BURNS = frozenset({Overlay.CONFIRMED, Overlay.SPREADING, Overlay.HOUSEHOLD_CONFIRMED})


class Said(StrEnum):
    FIRE = "fire"
    NO_FIRE = "no_fire"


_REASONS = {Said.FIRE: Reason.HOUSEHOLD_CONFIRMED, Said.NO_FIRE: Reason.HOUSEHOLD_NO_FIRE}


def actor_of(person_id: str, relation: Relation, via: str) -> Actor:
    """A household in the timeline: what it is to the flat, never its name."""
    return Actor(person_id, RELATIONS[relation], via)


def hear(
    incident: Incident, said: Said, actor: Actor, where: str, paged: Sequence[Paged], world: World
) -> list[Decision] | Refused:
    """Decide one key. `where`: the flat, for the mark. An empty list: said before, nothing to write."""
    if not incident.open:
        return Refused(Refusal.ALREADY_CLOSED)
    if _said_before(actor, paged):
        return []
    if not may_be_heard(incident):
        return [Note(incident.id, actor, said.value, _REASONS[said])]
    if said is Said.NO_FIRE:
        return _denied(incident, actor, where)
    return _confirmed(incident, actor, where, paged, world)


def _said_before(actor: Actor, paged: Sequence[Paged]) -> bool:
    return any(
        page.purpose is Purpose.HOUSEHOLD and page.recipient_id == actor.id and page.state is AttemptState.TAKEN
        for page in paged
    )


def _denied(incident: Incident, actor: Actor, where: str) -> list[Decision]:
    """Told to those who go; not even shown as a mark where something else says that it burns."""
    note = Note(incident.id, actor, Said.NO_FIRE.value, Reason.HOUSEHOLD_NO_FIRE)
    if incident.overlays & _IT_BURNS:
        return [note]
    return [note, AddOverlay(incident.id, Overlay.HOUSEHOLD_NO_FIRE, Reason.HOUSEHOLD_NO_FIRE, where)]


def _confirmed(incident: Incident, actor: Actor, where: str, paged: Sequence[Paged], world: World) -> list[Decision]:
    reason = Reason.HOUSEHOLD_CONFIRMED
    made: list[Decision] = [Note(incident.id, actor, Said.FIRE.value, reason)]
    if Overlay.HOUSEHOLD_NO_FIRE in incident.overlays:
        made.append(DropOverlay(incident.id, Overlay.HOUSEHOLD_NO_FIRE, reason))
    marks = {Overlay.CONFIRMED, Overlay.HOUSEHOLD_CONFIRMED}
    made.extend(AddOverlay(incident.id, mark, reason, where) for mark in sorted(marks - incident.overlays))
    overlays = (incident.overlays | marks) - {Overlay.HOUSEHOLD_NO_FIRE}
    raised, told = raise_severity(replace(incident, overlays=overlays), reason, worst)
    return [*made, *raised, *_ask_everybody(incident, told, paged, world, reason)]


def _ask_everybody(
    known: Incident, told: Incident, paged: Sequence[Paged], world: World, reason: Reason
) -> list[Decision]:
    """Everybody who was asked so far, and the next step with them, in a round of its own."""
    round_ = known.round + 1
    steps = told.policy.steps
    last = min(known.step + 1, len(steps) - 1)
    pages: list[Decision] = list(everybody_asked(told, world, round_, reason, upto=last))
    climbed = ladder.climb(told, world, [*paged, *as_paged(pages)], index=last, round_=round_, reason=reason)
    pages.extend(taken_stays(known, climbed))
    return [*pages, *tell_taker(known, told, world, pages, round_, reason)]


def may_be_heard(incident: Incident) -> bool:
    """A result is recorded, or it is over: a household that speaks now speaks of something new."""
    return incident.work is not Work.VERIFIED and incident.open
