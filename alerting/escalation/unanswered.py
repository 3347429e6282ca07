"""Nobody answered within the step's time: the next step, and after the last one the loop, until somebody acts."""

from collections.abc import Sequence

from alerting.core.decisions import AddOverlay, Decision
from alerting.core.ladder import climb, loop
from alerting.core.model import Incident, Overlay, Paged, Reason
from alerting.core.world import World


def decide(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision] | None:
    if incident.due_at is not None and incident.due_at > world.now:
        return []
    marked: list[Decision] = []
    if Overlay.ESCALATED not in incident.overlays:
        marked.append(AddOverlay(incident.id, Overlay.ESCALATED, Reason.UNANSWERED))
    if incident.step + 1 < len(incident.policy.steps):
        following = climb(
            incident, world, paged, index=incident.step + 1, round_=incident.round, reason=Reason.UNANSWERED
        )
    else:
        following = loop(incident, world, paged, round_=incident.round)
    return [*marked, *following]
