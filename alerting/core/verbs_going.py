"""Acknowledge, accept, decline, arrive: seeing it is not going. Pure.

Law: an acknowledgement silences its room until it expires, and nothing else; at severity 1 a desk of the control room
cannot go, its word is an acknowledgement; after an acceptance each other person already paged gets exactly one update.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from alerting.core import ladder
from alerting.core.decisions import (
    Acknowledge,
    CancelFor,
    CancelPending,
    Decision,
    EndAcknowledgement,
    Note,
    Refused,
    SetLadder,
    SetWork,
)
from alerting.core.ladder import Rung
from alerting.core.model import Ack, Actor, AttemptState, Incident, Paged, Purpose, Reason, Refusal, Work
from alerting.core.rooms import desks, of_the_room, silenced
from alerting.core.states import Act, move
from alerting.core.told import updates
from alerting.core.verbs_shelf import off_the_shelf
from alerting.core.world import World
from devices.model import Channel
from devices.taxonomy import SignalClass


def acknowledge(incident: Incident, actor: Actor, paged: Sequence[Paged], world: World) -> list[Decision] | Refused:
    work = move(incident, Act.ACKNOWLEDGE)
    if isinstance(work, Refused):
        return work
    if incident.ack is Ack.ACKNOWLEDGED:
        return []
    until = world.now + timedelta(seconds=incident.policy.acknowledged_expires_s)
    room = desks(ladder.placement_of(incident, world), world) | {actor.id}
    asked = frozenset(page.recipient_id for page in paged if page.purpose.asks) & room
    made: list[Decision] = [Acknowledge(incident.id, actor, Reason.PERSON_ACTED, until)]
    return [*made, CancelFor(incident.id, asked, Reason.PERSON_ACTED)] if asked else made


def acknowledgement_expired(incident: Incident, paged: Sequence[Paged], world: World) -> list[Decision]:
    """The room is paged again, unless somebody goes. The ladder keeps its time."""
    made: list[Decision] = [EndAcknowledgement(incident.id, Reason.ACK_EXPIRED)]
    room = silenced(incident, ladder.placement_of(incident, world), world)
    people = [world.snapshot.people[who] for who in sorted(room) if who in world.snapshot.people]
    if incident.answered or incident.shelved_until is not None or not people:
        return made
    steps = incident.policy.steps
    channels = tuple(dict.fromkeys(channel for step in steps for channel in step.channels))
    round_ = incident.round + 1
    minutes = ladder.unanswered_minutes(incident, paged, world)
    rung = Rung(incident.step, round_, (), channels, steps[-1].redial, Reason.ACK_EXPIRED, minutes)
    due = incident.due_at if incident.due_at is not None and incident.due_at > world.now else None
    if due is None:  # the ladder's own rule comes right after
        due = world.now + timedelta(seconds=1)
    pages = ladder.page_people(incident, world, people, rung, ())
    return [*made, *pages, SetLadder(incident.id, round_, incident.step, due, incident.due_reason or Reason.UNANSWERED)]


def accept(incident: Incident, actor: Actor, paged: Sequence[Paged], world: World) -> list[Decision] | Refused:
    if actor.person_id is None:
        return Refused(Refusal.NOT_A_WORKER)
    if incident.answered and incident.taken_by == actor.person_id and incident.open:
        return []
    work = move(incident, Act.ACCEPT)
    if isinstance(work, Refused):
        return work
    if _only_sees(incident, actor, world):
        return acknowledge(incident, actor, paged, world)
    due = world.now + timedelta(seconds=incident.policy.taken_expires_s)
    return [
        SetWork(incident.id, work, actor, Reason.TAKEN, {}),
        *off_the_shelf(incident, actor, Reason.TAKEN),
        CancelPending(incident.id, Reason.TAKEN),
        _ladder(incident, due, Reason.TAKEN_EXPIRED),
        *updates(incident, actor, paged, world),
    ]


def _only_sees(incident: Incident, actor: Actor, world: World) -> bool:
    """A desk of the control room on an incident that can kill: it answers, and stays where it is."""
    serious = incident.cls is SignalClass.A and incident.severity == 1
    return serious and of_the_room(actor, ladder.placement_of(incident, world), world)


def decline(
    incident: Incident, actor: Actor, detail: dict[str, Any], paged: Sequence[Paged], world: World
) -> list[Decision] | Refused:
    was_his = incident.answered and incident.taken_by == actor.person_id
    work = move(incident, Act.DECLINE)
    if isinstance(work, Refused):
        return Refused(work.reason)
    if incident.answered and not was_his:
        return []
    note = Note(incident.id, actor, str(detail.get("reason", "declined")), Reason.DECLINED)
    if not was_his and (incident.shelved_until is not None or not _moves_on(incident, actor, paged)):
        return [note]
    moved: list[Decision] = [SetWork(incident.id, work, actor, Reason.DECLINED, {})] if was_his else []
    moved += off_the_shelf(incident, actor, Reason.DECLINED)
    back = replace(incident, work=work, taken_by=None)
    if was_his and incident.step >= len(incident.policy.steps):
        return [note, *moved, *ladder.loop(back, world, paged, round_=incident.round)]
    if was_his:  # the others were told that they need not go: everybody but him is asked again
        round_ = incident.round + 1
        him = [_asked(actor, round_, channel) for channel in Channel]
        again = ladder.climb(back, world, [*paged, *him], index=0, round_=round_, reason=Reason.DECLINED)
        return [note, *moved, *again]
    following = ladder.climb(back, world, paged, index=incident.step + 1, round_=incident.round, reason=Reason.DECLINED)
    return [note, *following]


def _asked(actor: Actor, round_: int, channel: Channel) -> Paged:
    """Stands for `he was asked in this round`, so that he is left out of it."""
    return Paged("", round_, 0, actor.person_id or "", channel, Purpose.PAGE, AttemptState.CANCELED)


def _moves_on(incident: Incident, actor: Actor, paged: Sequence[Paged]) -> bool:
    """Does a refusal to go end the current step? Not a second one, nor one from an earlier step: others are asked now.

    At the chain's end there is nobody further to ask: the loop has its own time.
    """
    if incident.step >= len(incident.policy.steps):
        return False
    steps = ladder.asked_together(incident)
    current = [p for p in paged if p.purpose.asks and p.round == incident.round and p.step in steps]
    return actor.person_id is None or any(page.recipient_id == actor.person_id for page in current)


def arrive(incident: Incident, actor: Actor, paged: Sequence[Paged], world: World) -> list[Decision] | Refused:
    if actor.person_id is None:
        return Refused(Refusal.NOT_A_WORKER)
    if incident.work is Work.ON_SITE and incident.taken_by == actor.person_id:
        return []
    work = move(incident, Act.ARRIVE)
    if isinstance(work, Refused):
        return work
    if _only_sees(incident, actor, world):
        return Refused(Refusal.NOT_A_WORKER)
    if incident.taken_by not in (None, actor.person_id):
        return Refused(Refusal.NOT_YOURS, who=incident.taken_by)
    due = world.now + timedelta(seconds=2 * incident.policy.taken_expires_s)
    return [
        SetWork(incident.id, work, actor, Reason.PERSON_ACTED, {}),
        *off_the_shelf(incident, actor, Reason.TAKEN),
        CancelPending(incident.id, Reason.TAKEN),
        _ladder(incident, due, Reason.TAKEN_EXPIRED),
        *([] if incident.answered else updates(incident, actor, paged, world)),
    ]


def _ladder(incident: Incident, due: datetime | None, reason: Reason) -> SetLadder:
    return SetLadder(incident.id, incident.round, incident.step, due, reason)
