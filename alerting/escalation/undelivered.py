"""Every message of the current step failed for good: the next step is asked now. Never while one may still arrive."""

from collections.abc import Sequence

from alerting.core.attempts import FAILED_FOR_GOOD
from alerting.core.decisions import Decision
from alerting.core.ladder import asked_together, climb, loop
from alerting.core.model import Incident, Paged, Reason
from alerting.core.world import World


def decide(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision] | None:
    steps = asked_together(incident)
    current = [page for page in paged if page.purpose.asks and page.round == incident.round and page.step in steps]
    if not current or any(page.state not in FAILED_FOR_GOOD for page in current):
        return None
    if incident.step + 1 < len(incident.policy.steps):
        return climb(incident, world, paged, index=incident.step + 1, round_=incident.round, reason=Reason.UNDELIVERED)
    if incident.due_at is not None and incident.due_at > world.now:
        return []  # the end of the chain failed too: the loop's own time, or it would spin
    return loop(incident, world, paged, round_=incident.round)
