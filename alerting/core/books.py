"""What is open, planned and held, as the decisions made so far in a batch leave it. Decides nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alerting.core.decisions import Decision, SetLadder
from alerting.core.held import Held
from alerting.core.model import Incident, Paged
from alerting.core.world import World


@dataclass(slots=True)
class Books:
    open: dict[str, Incident]
    """By dedup key."""
    paged: dict[str, list[Paged]]
    held: dict[str, Held]


def books_of(world: World) -> Books:
    paged = {incident_id: list(pages) for incident_id, pages in world.paged.items()}
    return Books(dict(world.open), paged, dict(world.held))


def standing(incident: Incident, climbed: Sequence[Decision]) -> Incident:
    """The incident as these decisions leave it on the ladder."""
    for made in climbed:
        if isinstance(made, SetLadder):
            due, reason = made.due_at, made.reason
            incident = replace(incident, round=made.round, step=made.step, due_at=due, due_reason=reason)
    return incident
