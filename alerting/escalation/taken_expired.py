"""Somebody said that he goes, and nothing came of it in time: everybody is asked again. Never before the due time."""

from collections.abc import Sequence
from dataclasses import replace

from alerting.core.decisions import Decision, Refused, SetWork
from alerting.core.ladder import climb
from alerting.core.model import Actor, Incident, Paged, Reason
from alerting.core.states import Act, move
from alerting.core.world import World

SYSTEM = Actor(id="gengfu", name="更夫", via="timer")


def decide(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision] | None:
    if not incident.answered:
        return None
    if incident.due_at is not None and incident.due_at > world.now:
        return []
    work = move(incident, Act.EXPIRE)
    if isinstance(work, Refused):
        return []
    asked = replace(incident, work=work, taken_by=None)
    expired = SetWork(incident.id, work, SYSTEM, Reason.TAKEN_EXPIRED, {})
    return [expired, *climb(asked, world, paged, index=0, round_=incident.round + 1, reason=Reason.TAKEN_EXPIRED)]
