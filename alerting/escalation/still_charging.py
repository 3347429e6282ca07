"""Too hot, and it charges on: marked, raised, and all who were asked hear so, with whoever is next. Once an incident.

Never cuts the power, and never moves a step's own time.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from alerting.core.again import as_paged, everybody_asked, raise_severity, tell_taker, told_on_every_channel
from alerting.core.charging import concerns, look_at, own_due, still_charges
from alerting.core.decisions import AddOverlay, Decision, SetLadder
from alerting.core.ladder import climb, loop
from alerting.core.model import Incident, Overlay, Paged, Reason
from alerting.core.world import World


def decide(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision] | None:
    looked_first = incident.due_reason is Reason.STILL_CHARGING
    due = own_due(incident, world.now) if looked_first else incident.due_at
    late = due is None or due <= world.now
    if concerns(incident) and world.now >= look_at(incident) and still_charges(incident, world):
        return None if late and incident.answered else _said(incident, paged, world, due, late=late)
    if not looked_first or late or (incident.due_at is not None and incident.due_at > world.now):
        return None
    return [SetLadder(incident.id, incident.round, incident.step, due, _why(incident))]


def _said(
    incident: Incident, paged: Sequence[Paged], world: World, due: datetime | None, *, late: bool
) -> list[Decision]:
    marks: list[Decision] = [AddOverlay(incident.id, Overlay.STILL_CHARGING, Reason.STILL_CHARGING)]
    if Overlay.ESCALATED not in incident.overlays:
        marks.append(AddOverlay(incident.id, Overlay.ESCALATED, Reason.STILL_CHARGING))
    told = replace(incident, overlays=incident.overlays | {Overlay.STILL_CHARGING, Overlay.ESCALATED})
    raised, told = raise_severity(told, Reason.STILL_CHARGING)
    told = told_on_every_channel(incident, told)
    if incident.step >= len(incident.policy.steps):
        return [*marks, *raised, *loop(told, world, paged, round_=incident.round)]
    round_ = incident.round + 1
    again = everybody_asked(told, world, round_, Reason.STILL_CHARGING)
    if late:
        so_far = [*paged, *as_paged(again)]
        index = incident.step + 1
        more = (
            climb(told, world, so_far, index=index, round_=round_, reason=Reason.UNANSWERED)
            if index < len(told.policy.steps)
            else loop(told, world, so_far, round_=round_)
        )
        return [*marks, *raised, *again, *more]
    taker = tell_taker(incident, told, world, again, round_, Reason.STILL_CHARGING)
    return [*marks, *raised, *again, *taker, SetLadder(incident.id, round_, incident.step, due, _why(incident))]


def _why(incident: Incident) -> Reason:
    if incident.answered:
        return Reason.TAKEN_EXPIRED
    return Reason.UNANSWERED
