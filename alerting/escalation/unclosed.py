"""A verified incident that nobody closed comes back once a day, in the control room's list. Never pages a phone."""

from collections.abc import Sequence
from datetime import timedelta

from alerting.core.decisions import Decision, SetLadder
from alerting.core.model import Incident, Paged, Reason, Work
from alerting.core.verbs_result import reminder_s
from alerting.core.world import World


def decide(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision] | None:
    if incident.work is not Work.VERIFIED:
        return None
    if incident.due_at is not None and incident.due_at > world.now:
        return []
    due = world.now + timedelta(seconds=reminder_s)
    return [SetLadder(incident.id, incident.round, incident.step, due, Reason.REMINDER)]
