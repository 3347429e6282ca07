"""An acknowledgement has run out: the room is paged again unless somebody goes. Never before the ladder's own step."""

from collections.abc import Sequence

from alerting.core.decisions import Decision
from alerting.core.model import Incident, Paged
from alerting.core.verbs_going import acknowledgement_expired
from alerting.core.world import World


def decide(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision] | None:
    """Where the ladder is due as well, it goes first; the expiry is seen by the next look, a second later at most."""
    until = incident.acknowledged_until
    if until is None or until > world.now or (incident.due_at is not None and incident.due_at <= world.now):
        return None
    return acknowledgement_expired(incident, paged, world)
