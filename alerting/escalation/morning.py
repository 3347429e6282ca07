"""A standing hazard that was found at night: in the morning its first step is asked, as by day. Never earlier."""

from collections.abc import Sequence

from alerting.core.decisions import Decision
from alerting.core.ladder import climb
from alerting.core.model import Incident, Paged, Reason
from alerting.core.world import World


def decide(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision] | None:
    if incident.answered or incident.due_reason is not Reason.MORNING:
        return None
    if incident.due_at is not None and incident.due_at > world.now:
        return []
    return climb(incident, world, paged, index=0, round_=incident.round, reason=Reason.MORNING)
