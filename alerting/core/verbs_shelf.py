"""The shelf 暂停提醒至: the ladder rests until a given time, never in silence for ever. Pure.

Law: severity 1 is never shelved, and comes off at once when it becomes severity 1; a reason is compulsory; the time is
limited by severity; at its end, or when somebody takes it off, everybody is asked again unless it is over.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from alerting.core import ladder
from alerting.core.decisions import CancelPending, Decision, EndShelf, Refused, SetLadder, SetWork, Shelve
from alerting.core.model import Actor, Incident, Paged, Reason, Refusal
from alerting.core.states import Act, move
from alerting.core.world import World

shelf_s_default = 900
SHELF_S_MAX: dict[int, int] = {2: 1800, 3: 8 * 3600, 4: 86_400, 5: 86_400}
"""By severity; what is not in it cannot be shelved."""


def may_rest(incident: Incident) -> bool:
    """A shelved incident whose severity has risen to 1 may not."""
    return incident.severity in SHELF_S_MAX


def rests(incident: Incident, now: datetime) -> bool:
    """On the shelf, lawfully and for now."""
    return incident.shelved_until is not None and incident.shelved_until > now and may_rest(incident)


def shelve(incident: Incident, actor: Actor, detail: dict[str, Any], world: World) -> list[Decision] | Refused:
    """`detail`: reason, and minutes or until (RFC 3339)."""
    work = move(incident, Act.SHELVE)
    if isinstance(work, Refused):
        return work
    text = str(detail.get("reason") or "").strip()
    if not may_rest(incident):
        return Refused(Refusal.SHELF_SEVERITY)
    if not text:
        return Refused(Refusal.NO_REASON)
    until = _until(detail, world.now)
    if not world.now < until <= world.now + timedelta(seconds=SHELF_S_MAX[incident.severity]):
        return Refused(Refusal.SHELF_LIMIT)
    return [
        Shelve(incident.id, until, actor, Reason.SHELVED, text),
        CancelPending(incident.id, Reason.SHELVED),
        SetLadder(incident.id, incident.round, incident.step, until, Reason.SHELVED),
    ]


def unshelve(incident: Incident, actor: Actor, paged: Sequence[Paged], world: World) -> list[Decision] | Refused:
    work = move(incident, Act.UNSHELVE)
    if isinstance(work, Refused):
        return work
    if incident.shelved_until is None:
        return Refused(Refusal.NOT_SHELVED)
    return announced_again(incident, actor, paged, world, Reason.UNSHELVED)


def announced_again(
    incident: Incident, actor: Actor, paged: Sequence[Paged], world: World, reason: Reason
) -> list[Decision]:
    """Off the shelf: everybody is asked from the first step on, also where somebody had gone."""
    made: list[Decision] = [EndShelf(incident.id, actor, reason)]
    awake = replace(incident, shelved_until=None)
    back = move(incident, Act.EXPIRE)
    if not isinstance(back, Refused):
        made.append(SetWork(incident.id, back, actor, reason, {}))
        awake = replace(awake, work=back, taken_by=None)
    return [*made, *ladder.climb(awake, world, paged, index=0, round_=incident.round + 1, reason=reason)]


def off_the_shelf(incident: Incident, actor: Actor, reason: Reason) -> list[Decision]:
    """Somebody acts on it: it rests no more. Who is asked is for that act to say."""
    return [] if incident.shelved_until is None else [EndShelf(incident.id, actor, reason)]


def _until(detail: dict[str, Any], now: datetime) -> datetime:
    if detail.get("until"):
        return datetime.fromisoformat(str(detail["until"]))
    minutes = detail.get("minutes")
    return now + (timedelta(minutes=float(minutes)) if minutes else timedelta(seconds=shelf_s_default))
