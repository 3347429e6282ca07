"""Whom an acknowledgement silences: the control room's desks and the very person who gave it, nobody else. Pure."""

from alerting.core.model import Ack, Actor, Incident
from alerting.core.world import World
from devices.model import PersonKind, Placement, Role
from devices.resolve import on_duty


def desks(placement: Placement | None, world: World) -> frozenset[str]:
    """The desks that stand on the control room for this place now."""
    standing = on_duty(world.snapshot, placement, Role.CONTROL_ROOM, world.now)
    return frozenset(person.id for person in standing if person.kind is PersonKind.DESK)


def silenced(incident: Incident, placement: Placement | None, world: World) -> frozenset[str]:
    """Who is not paged while the acknowledgement holds."""
    if incident.ack is not Ack.ACKNOWLEDGED:
        return frozenset()
    own = {incident.acknowledged_by} if incident.acknowledged_by else set()
    return desks(placement, world) | own


def of_the_room(actor: Actor, placement: Placement | None, world: World) -> bool:
    """Does this actor sit at the control room's desk? He sees, he does not go."""
    return actor.person_id is not None and actor.person_id in desks(placement, world)
