"""A closed incident asks nobody. Never reopens."""

from collections.abc import Sequence

from alerting.core.decisions import Decision
from alerting.core.model import Incident, Paged
from alerting.core.world import World


def decide(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision] | None:
    return None if incident.open else []
