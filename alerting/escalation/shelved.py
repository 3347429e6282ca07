"""On the shelf the ladder rests; at its end, or at severity 1, everybody is asked again. Never closes."""

from collections.abc import Sequence

from alerting.core.decisions import Decision
from alerting.core.model import Incident, Paged, Reason
from alerting.core.verbs_shelf import announced_again, rests
from alerting.core.world import World
from alerting.escalation.taken_expired import SYSTEM


def decide(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision] | None:
    if incident.shelved_until is None:
        return None
    if rests(incident, world.now):
        return []
    return announced_again(incident, SYSTEM, paged, world, Reason.SHELF_ENDED)
