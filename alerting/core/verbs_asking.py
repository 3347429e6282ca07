"""What the control room does to have people asked: dispatch, transfer, escalate, call again, silence. Pure.

Law: none of them stops the ladder or gives it more time; after somebody has taken it they ask for help beside him.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from alerting.core import ladder
from alerting.core.decisions import (
    AddOverlay,
    CancelPending,
    Decision,
    Notify,
    Record,
    Refused,
    SetLadder,
    SetWork,
    Transfer,
)
from alerting.core.ladder import Rung
from alerting.core.model import Actor, Incident, Overlay, Paged, Reason, Refusal
from alerting.core.states import Act, move
from alerting.core.verbs_shelf import off_the_shelf
from alerting.core.world import World
from devices.model import Channel, Person, Role

LEVELS: dict[str, Role] = {"community": Role.COMMUNITY_DUTY, "street": Role.STREET_DUTY}
"""What an incident can be transferred to besides another grid: 小事不出网格，大事不出社区."""


def dispatch(
    incident: Incident, actor: Actor, detail: dict[str, Any], paged: Sequence[Paged], world: World
) -> list[Decision] | Refused:
    """This person is asked now, on all his channels. The ladder goes on until he, or anybody, accepts."""
    work = move(incident, Act.DISPATCH)
    if isinstance(work, Refused):
        return work
    person = world.snapshot.people.get(str(detail.get("worker", "")))
    if person is None or not any(person.contact(channel) for channel in Channel) or _has_left(person, world):
        return Refused(Refusal.NOT_REACHABLE)
    asked = any(page.recipient_id == person.id and page.round == incident.round for page in paged)
    rung = _rung(incident, incident.round + 1 if asked else incident.round, tuple(Channel), Reason.DISPATCHED)
    said = Record(incident.id, "dispatched", actor, Reason.DISPATCHED, {"recipient": person.id})
    pages = ladder.page_people(incident, world, [person], rung, ())
    return [said, *off_the_shelf(incident, actor, Reason.DISPATCHED), *pages, *_keeps_time(incident, rung.round, world)]


def transfer(
    incident: Incident, actor: Actor, detail: dict[str, Any], paged: Sequence[Paged], world: World
) -> list[Decision] | Refused:
    """Another grid's duty, or the level above, is asked at once in a new round; whoever went is asked no more."""
    work = move(incident, Act.TRANSFER)
    if isinstance(work, Refused):
        return work
    to = str(detail.get("to", ""))
    level = LEVELS.get(to)
    if not to or (level is None and to == incident.grid_id):
        return Refused(Refusal.UNKNOWN_TARGET)
    grid_id = to if level is None else None
    moved: list[Decision] = [
        Transfer(incident.id, to, grid_id, actor, Reason.TRANSFERRED, str(detail.get("reason") or "")),
        *off_the_shelf(incident, actor, Reason.TRANSFERRED),
        CancelPending(incident.id, Reason.TRANSFERRED),
    ]
    if work is not incident.work:
        moved.append(SetWork(incident.id, work, actor, Reason.TRANSFERRED, {}))
    there = replace(incident, work=work, taken_by=None, shelved_until=None, grid_id=grid_id or incident.grid_id)
    if level is None:
        return [*moved, *_climb(there, paged, world, 0)]
    steps = incident.policy.steps
    first = next((number for number, step in enumerate(steps) if level in step.to), None)
    if first is not None:
        return [*moved, *_climb(there, paged, world, first)]
    return [*moved, *_beside_the_policy(there, level, paged, world)]


def _climb(incident: Incident, paged: Sequence[Paged], world: World, index: int) -> list[Decision]:
    return ladder.climb(incident, world, paged, index=index, round_=incident.round + 1, reason=Reason.TRANSFERRED)


def _beside_the_policy(incident: Incident, level: Role, paged: Sequence[Paged], world: World) -> list[Decision]:
    """A level that the policy does not name: asked as at the chain's end, and then the loop goes on."""
    steps = incident.policy.steps
    channels = tuple(dict.fromkeys(channel for step in steps for channel in step.channels))
    rung = replace(_rung(incident, incident.round + 1, channels, Reason.TRANSFERRED), index=len(steps), to=(level,))
    pages = ladder.page_rung(incident, world, ladder.placement_of(incident, world), rung, ())
    if not pages:
        return ladder.loop(incident, world, paged, round_=incident.round)
    due = world.now + timedelta(seconds=incident.policy.loop.every_s)
    return [*pages, SetLadder(incident.id, rung.round, rung.index, due, Reason.CHAIN_END)]


def escalate(incident: Incident, actor: Actor, paged: Sequence[Paged], world: World) -> list[Decision] | Refused:
    """The next step now. Where somebody goes already it is help for him, and his own time runs on."""
    work = move(incident, Act.ESCALATE)
    if isinstance(work, Refused):
        return work
    made: list[Decision] = [
        Record(incident.id, "escalated", actor, Reason.ESCALATED, {}),
        *off_the_shelf(incident, actor, Reason.ESCALATED),
    ]
    if Overlay.ESCALATED not in incident.overlays:
        made.append(AddOverlay(incident.id, Overlay.ESCALATED, Reason.ESCALATED))
    awake = replace(incident, shelved_until=None)
    if incident.step + 1 < len(incident.policy.steps):
        following = ladder.climb(
            awake, world, paged, index=incident.step + 1, round_=incident.round, reason=Reason.ESCALATED
        )
    else:
        following = ladder.loop(awake, world, paged, round_=incident.round)
    return [*made, *_with_his_time(incident, following, world)]


def _with_his_time(incident: Incident, following: list[Decision], world: World) -> list[Decision]:
    """Who said that he goes keeps his time, though others are asked as well."""
    if not incident.answered:
        return following
    due = _due(incident, world)
    return [
        replace(made, due_at=due, reason=Reason.TAKEN_EXPIRED) if isinstance(made, SetLadder) else made
        for made in following
    ]


def call_again(
    incident: Incident, actor: Actor, detail: dict[str, Any], paged: Sequence[Paged], world: World
) -> list[Decision] | Refused:
    """The people of the current step again, or one of all who were asked. The ladder keeps its time."""
    work = move(incident, Act.CALL_AGAIN)
    if isinstance(work, Refused):
        return work
    pages = _again(incident, str(detail.get("recipient") or ""), paged, world)
    if not pages:
        return Refused(Refusal.NOT_ASKED)
    told = {"recipient": detail["recipient"]} if detail.get("recipient") else {}
    return [
        Record(incident.id, "called_again", actor, Reason.CALLED_AGAIN, told),
        *off_the_shelf(incident, actor, Reason.CALLED_AGAIN),
        *pages,
        *_keeps_time(incident, incident.round + 1, world),
    ]


def _again(incident: Incident, recipient: str, paged: Sequence[Paged], world: World) -> list[Notify]:
    placement, steps = ladder.placement_of(incident, world), incident.policy.steps
    numbers = sorted(ladder.asked_together(incident))
    channels = tuple(dict.fromkeys(c for n in numbers for c in steps[min(n, len(steps) - 1)].channels))
    rung = _rung(incident, incident.round + 1, channels, Reason.CALLED_AGAIN)
    if not recipient:
        roles = tuple(role for n in numbers for role in (steps[n].to if n < len(steps) else incident.policy.loop.to))
        return ladder.page_rung(incident, world, placement, replace(rung, to=roles), ())
    person = world.snapshot.people.get(recipient)
    was_asked = any(page.recipient_id == recipient and page.purpose.asks for page in paged)
    return ladder.page_people(incident, world, [person], rung, ()) if person is not None and was_asked else []


def silence(incident: Incident, actor: Actor) -> list[Decision] | Refused:
    """The horn of this room, and nothing else."""
    work = move(incident, Act.SILENCE)
    return work if isinstance(work, Refused) else [Record(incident.id, "silenced", actor, Reason.SILENCED, {})]


def _rung(incident: Incident, round_: int, channels: tuple[Channel, ...], reason: Reason) -> Rung:
    steps = incident.policy.steps
    redial = steps[min(incident.step, len(steps) - 1)].redial
    return Rung(incident.step, round_, (), channels, redial, reason)


def _keeps_time(incident: Incident, round_: int, world: World) -> list[Decision]:
    """Nobody is given more time by another person being asked."""
    reason = incident.due_reason
    if reason is None or reason is Reason.SHELVED:
        reason = Reason.TAKEN_EXPIRED if incident.answered else Reason.UNANSWERED
    return [SetLadder(incident.id, round_, incident.step, _due(incident, world), reason)]


def _due(incident: Incident, world: World) -> datetime:
    """As it is; off the shelf, what the current step or the one who goes has; never one that has passed."""
    due = incident.due_at
    if incident.shelved_until is not None:
        policy = incident.policy
        seconds = policy.taken_expires_s if incident.answered else ladder.gap_after(incident, incident.step)
        due = world.now + timedelta(seconds=seconds)
    return due if due is not None and due > world.now else world.now + timedelta(seconds=1)


def _has_left(person: Person, world: World) -> bool:
    return person.left_at is not None and person.left_at <= world.now
