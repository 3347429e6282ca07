"""What people do: acknowledge, accept, decline, arrive, verify, close, note. One act in, decisions or a refusal out.

Law: an acknowledgement silences the consoles of its room and nothing else; only a worker's acceptance or a recorded
result ends the ladder; after an acceptance each other person already paged gets exactly one update.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, assert_never

from alerting.core import ladder
from alerting.core.decisions import Acknowledge, CancelPending, Decision, Note, Notify, Refused, SetLadder, SetWork
from alerting.core.messages import Context
from alerting.core.model import Ack, Actor, AttemptState, Incident, Paged, Purpose, Reason, Refusal, Work
from alerting.core.states import Act, move
from alerting.core.world import World
from devices.model import Channel, Language, Person

reminder_s = 86_400
"""A verified incident that nobody closes comes back to the control room after a day."""


class Verb(StrEnum):
    ACKNOWLEDGE = "acknowledge"
    ACCEPT = "accept"
    DECLINE = "decline"
    ARRIVE = "arrive"
    VERIFY = "verify"
    CLOSE = "close"
    NOTE = "note"


class KeyOutcome(StrEnum):
    """What pressing a key on a call did."""

    TAKEN = "taken"
    ALREADY_TAKEN = "already_taken"
    DECLINED = "declined"
    REPEAT = "repeat"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Done:
    incident_id: str
    work: Work
    ack: Ack


def act(
    incident: Incident, verb: Verb, actor: Actor, detail: dict[str, Any], paged: Sequence[Paged], world: World
) -> list[Decision] | Refused:
    """Decide one act. An empty list means: already so, by the same person; nothing to write."""
    match verb:
        case Verb.ACKNOWLEDGE:
            if not incident.open:
                return Refused(Refusal.ALREADY_CLOSED)
            return [] if incident.ack is Ack.ACKNOWLEDGED else [Acknowledge(incident.id, actor, Reason.PERSON_ACTED)]
        case Verb.ACCEPT:
            return _accept(incident, actor, paged, world)
        case Verb.DECLINE:
            return _decline(incident, actor, detail, paged, world)
        case Verb.ARRIVE:
            return _arrive(incident, actor, paged, world)
        case Verb.VERIFY:
            return _verify(incident, actor, detail, world)
        case Verb.CLOSE:
            work = move(incident, Act.CLOSE)
            if isinstance(work, Refused):
                return work
            done = SetWork(incident.id, work, actor, Reason.CLOSED, detail)
            return [done, CancelPending(incident.id, Reason.CLOSED), _ladder(incident, None, Reason.CLOSED)]
        case Verb.NOTE:
            return [Note(incident.id, actor, str(detail.get("text", "")), Reason.PERSON_ACTED)]
        case _:
            assert_never(verb)


def _accept(incident: Incident, actor: Actor, paged: Sequence[Paged], world: World) -> list[Decision] | Refused:
    if actor.person_id is None:
        return Refused(Refusal.NOT_A_WORKER)
    if incident.answered and incident.taken_by == actor.person_id:
        return []
    work = move(incident, Act.ACCEPT)
    if isinstance(work, Refused):
        return work
    due = world.now + timedelta(seconds=incident.policy.taken_expires_s)
    return [
        SetWork(incident.id, work, actor, Reason.TAKEN, {}),
        CancelPending(incident.id, Reason.TAKEN),
        _ladder(incident, due, Reason.TAKEN_EXPIRED),
        *_updates(incident, actor, paged, world),
    ]


def _decline(
    incident: Incident, actor: Actor, detail: dict[str, Any], paged: Sequence[Paged], world: World
) -> list[Decision] | Refused:
    if not incident.open:
        return Refused(Refusal.ALREADY_CLOSED)
    if incident.work is Work.VERIFIED:
        return Refused(Refusal.WRONG_STATE)
    was_his = incident.answered and incident.taken_by == actor.person_id
    if incident.answered and not was_his:
        return []
    note = Note(incident.id, actor, str(detail.get("reason", "declined")), Reason.DECLINED)
    if not was_his and not _moves_on(incident, actor, paged):
        return [note]
    work = move(incident, Act.DECLINE) if was_his else incident.work
    assert not isinstance(work, Refused)
    moved: list[Decision] = [SetWork(incident.id, work, actor, Reason.DECLINED, {})] if was_his else []
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
    current = [p for p in paged if p.purpose is Purpose.PAGE and p.round == incident.round and p.step in steps]
    return actor.person_id is None or any(page.recipient_id == actor.person_id for page in current)


def _arrive(incident: Incident, actor: Actor, paged: Sequence[Paged], world: World) -> list[Decision] | Refused:
    if actor.person_id is None:
        return Refused(Refusal.NOT_A_WORKER)
    if incident.work is Work.ON_SITE and incident.taken_by == actor.person_id:
        return []
    work = move(incident, Act.ARRIVE)
    if isinstance(work, Refused):
        return work
    if incident.taken_by not in (None, actor.person_id):
        return Refused(Refusal.NOT_YOURS, who=incident.taken_by)
    due = world.now + timedelta(seconds=2 * incident.policy.taken_expires_s)
    return [
        SetWork(incident.id, work, actor, Reason.PERSON_ACTED, {}),
        CancelPending(incident.id, Reason.TAKEN),
        _ladder(incident, due, Reason.TAKEN_EXPIRED),
        *([] if incident.answered else _updates(incident, actor, paged, world)),
    ]


def _verify(incident: Incident, actor: Actor, detail: dict[str, Any], world: World) -> list[Decision] | Refused:
    work = move(incident, Act.VERIFY)
    if isinstance(work, Refused):
        return work
    due = world.now + timedelta(seconds=reminder_s)
    return [
        SetWork(incident.id, work, actor, Reason.VERIFIED, detail),
        CancelPending(incident.id, Reason.VERIFIED),
        _ladder(incident, due, Reason.REMINDER),
    ]


def _ladder(incident: Incident, due: datetime | None, reason: Reason) -> SetLadder:
    return SetLadder(incident.id, incident.round, incident.step, due, reason)


_UNREACHED = (AttemptState.PLANNED, AttemptState.CANCELED, AttemptState.REJECTED)


def _updates(incident: Incident, actor: Actor, paged: Sequence[Paged], world: World) -> list[Decision]:
    """One line to each other person whom a page may have reached: by app where the app took it, else by SMS."""
    reached: dict[str, list[Paged]] = {}
    for page in paged:
        if page.purpose is Purpose.PAGE and page.state not in _UNREACHED and page.recipient_id != actor.person_id:
            reached.setdefault(page.recipient_id, []).append(page)
    context = ladder.context_of(incident, world)
    updates: list[Decision] = []
    for recipient_id, pages in reached.items():
        person = world.snapshot.people.get(recipient_id)
        if person is None:
            continue
        told = replace(context, who_goes=_name(actor, person.language, world))
        update = _update(incident, world, person, pages, told)
        if update is not None:
            updates.append(update)
    return updates


def _name(actor: Actor, language: Language, world: World) -> str:
    """The actor's name as the reader can read it."""
    goer = world.snapshot.people.get(actor.person_id or "")
    return goer.name_en or actor.name if goer and language is Language.EN else actor.name


def _update(incident: Incident, world: World, person: Person, pages: list[Paged], context: Context) -> Notify | None:
    by_app = any(
        page.channel is Channel.APP and page.state in (AttemptState.PROVIDER_ACCEPTED, AttemptState.DELIVERED)
        for page in pages
    )
    order = (Channel.APP, Channel.SMS) if by_app else (Channel.SMS, Channel.APP)
    for channel in order:
        notice = ladder.message(incident, world, person, channel, Purpose.UPDATE, context)
        if notice is not None:
            return notice
    return None
