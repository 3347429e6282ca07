"""Opened during a maintenance window: what is still active when the window ends is announced then. Never before."""

from collections.abc import Sequence
from datetime import timedelta

from alerting.core.decisions import Decision, SetLadder
from alerting.core.maintenance import may_wait
from alerting.core.model import Condition, Incident, Overlay, Paged, Reason
from alerting.core.silencing import announced, window_of
from alerting.core.verbs_result import reminder_s
from alerting.core.world import World


def decide(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision] | None:
    if Overlay.MAINTENANCE not in incident.overlays or incident.answered or not may_wait(incident):
        return None
    if incident.due_at is not None and incident.due_at > world.now:
        return []
    window = window_of(incident, world)
    if window is not None:
        return [SetLadder(incident.id, incident.round, incident.step, window.ends_at, Reason.MAINTENANCE)]
    if incident.condition is Condition.RESTORED:  # listed; its next signal asks people at once
        due = world.now + timedelta(seconds=reminder_s)
        return [SetLadder(incident.id, incident.round, incident.step, due, Reason.MAINTENANCE)]
    return announced(incident, world)
