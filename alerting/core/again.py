"""Everybody is asked again because it has become worse: it spreads, is confirmed, still charges, is no test. Pure.

Law: who said that he goes keeps his time, and is told wherever he stands in the duty; severity only rises.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from alerting.core import household
from alerting.core.decisions import AddOverlay, Decision, Notify, RaiseSeverity, SetLadder
from alerting.core.ladder import Rung, climb, page_people, page_rung, placement_of
from alerting.core.model import Actor, AttemptState, Incident, Overlay, Paged, Reason
from alerting.core.world import World
from devices.model import Channel, Role
from devices.taxonomy import SignalClass

worst = 1
at_once = timedelta(milliseconds=1)


def confirm(
    known: Incident, world: World, paged: Sequence[Paged], actor: Actor | None = None, detail: str = ""
) -> list[Decision]:
    """Somebody who is there says that it is real: marked, raised, everybody asked again. Nothing where it is known."""
    if not known.open or Overlay.CONFIRMED in known.overlays:
        return []
    told = replace(known, overlays=known.overlays | {Overlay.CONFIRMED})
    mark = AddOverlay(known.id, Overlay.CONFIRMED, Reason.CONFIRMED, detail or (actor.id if actor else ""))
    raised, told = raise_severity(told, Reason.CONFIRMED)
    return [mark, *raised, *ask_again(known, told, world, paged, Reason.CONFIRMED)]


def raise_severity(incident: Incident, reason: Reason, at_least: int = 5) -> tuple[list[Decision], Incident]:
    """One step up where it is an alarm; `at_least` is the severity of what has just spoken."""
    up = incident.severity - 1 if incident.cls is SignalClass.A else incident.severity
    severity = max(worst, min(up, at_least))
    if severity >= incident.severity:
        return [], incident
    return [RaiseSeverity(incident.id, severity, reason)], replace(incident, severity=severity)


def ask_again(known: Incident, told: Incident, world: World, paged: Sequence[Paged], reason: Reason) -> list[Decision]:
    """Everybody who was asked so far, in a round of its own. `told` is what the texts say; raised, it comes on every
    channel. Where nobody goes yet the next step keeps its time: a fire that grows must not put the deputy off."""
    told = told_on_every_channel(known, told)
    round_ = known.round + 1
    if not known.answered and known.due_at is not None:
        again = everybody_asked(told, world, round_, reason)
        if again:
            again.extend(_households(told, world, paged, round_, reason))
            due = max(known.due_at, world.now + at_once)
            why = known.due_reason or Reason.UNANSWERED
            return [*again, SetLadder(known.id, round_, known.step, due, why)]
    climbed = climb(told, world, paged, index=0, round_=round_, reason=reason)
    return [*taken_stays(known, climbed), *tell_taker(known, told, world, climbed, round_, reason)]


def everybody_asked(
    told: Incident, world: World, round_: int, reason: Reason, *, upto: int | None = None
) -> list[Notify]:
    """The steps up to where the ladder stands, or up to and without `upto`, in one round."""
    placement = placement_of(told, world)
    asked: set[tuple[str, Channel]] = set()
    pages: list[Notify] = []
    for number, step in enumerate(told.policy.steps[: told.step + 1 if upto is None else upto]):
        to = (*step.to, Role.CONTROL_ROOM) if number == 0 and Overlay.UNPLACED in told.overlays else step.to
        more = page_rung(told, world, placement, Rung(number, round_, to, step.channels, step.redial, reason), asked)
        asked.update((page.recipient_id, page.channel) for page in more)
        pages.extend(more)
    return pages


def as_paged(made: Sequence[Decision]) -> list[Paged]:
    """The messages among these decisions, as a later decision of the same batch sees them."""
    return [
        Paged("", each.round, each.step, each.recipient_id, each.channel, each.purpose, AttemptState.PLANNED)
        for each in made
        if isinstance(each, Notify)
    ]


def _households(told: Incident, world: World, paged: Sequence[Paged], round_: int, reason: Reason) -> list[Notify]:
    """Of the flat that speaks now; who was called before is not called again."""
    placement = placement_of(told, world)
    step = told.policy.steps[0]
    if Role.HOUSEHOLD not in step.to or Channel.VOICE not in step.channels:
        return []
    rung = Rung(0, round_, step.to, step.channels, step.redial, reason)
    return list(household.calls(told, world, placement, rung, paged))


def taken_stays(known: Incident, climbed: Sequence[Decision]) -> list[Decision]:
    """Who said that he goes keeps his time, though others are asked as well."""
    if not known.answered or known.due_at is None:
        return list(climbed)
    return [
        replace(made, due_at=known.due_at, reason=Reason.TAKEN_EXPIRED) if isinstance(made, SetLadder) else made
        for made in climbed
    ]


def tell_taker(
    known: Incident, told: Incident, world: World, climbed: Sequence[Decision], round_: int, reason: Reason
) -> list[Decision]:
    """He goes there: he must know, though he may stand on a step that is not asked now."""
    person = world.snapshot.people.get(known.taken_by or "")
    if person is None or not known.answered or any(_is_to(made, person.id) for made in climbed):
        return []
    step = told.policy.steps[0]
    rung = Rung(0, round_, step.to, step.channels, step.redial, reason)
    return list(page_people(told, world, [person], rung, set()))


def tell_nobody_else(known: Incident, told: Incident, world: World, reason: Reason) -> list[Decision]:
    """Only who goes hears it, in a round of its own; his time stays."""
    round_ = known.round + 1
    pages = tell_taker(known, told, world, (), round_, reason)
    if not pages:
        return []
    return [*pages, SetLadder(known.id, round_, known.step, known.due_at, known.due_reason or Reason.TAKEN_EXPIRED)]


def _is_to(made: Decision, person_id: str) -> bool:
    return isinstance(made, Notify) and made.recipient_id == person_id


def told_on_every_channel(known: Incident, told: Incident) -> Incident:
    """Where it was raised: the frozen policy of the lower severity knows no calls. Only for the texts of now."""
    if told.severity >= known.severity:
        return told
    steps = tuple(replace(step, channels=tuple(Channel)) for step in told.policy.steps)
    return replace(told, policy=replace(told.policy, steps=steps))
