"""Nobody can say whether this step's people are reached, or their limits are spent: the next step is asked now.

Never skips one, and never hurries past whoever was asked since.
"""

from collections.abc import Sequence

from alerting.core.decisions import Decision
from alerting.core.ladder import asked_together, climb
from alerting.core.model import Incident, Paged
from alerting.core.world import World


def decide(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision] | None:
    asked = world.hastened.get(incident.id)
    if asked is None or incident.answered or asked.round != incident.round:
        return None
    last = incident.step + 1 >= len(incident.policy.steps)
    if asked.step not in asked_together(incident) or last:
        return None  # somebody else was asked since, or the loop's own time decides
    return climb(incident, world, paged, index=incident.step + 1, round_=incident.round, reason=asked.reason)
