"""What people do: one act in, decisions or a refusal out. This file only sends each verb to where it is decided.

Law: an acknowledgement silences the consoles of its room and nothing else; only a worker's acceptance or a recorded
result ends the ladder; what the table of `states` does not have is refused and changes nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, assert_never

from alerting.core import verbs_asking, verbs_going, verbs_result, verbs_shelf
from alerting.core.decisions import Decision, Note, Record, Refused
from alerting.core.model import Ack, Actor, Incident, Paged, Reason, Work
from alerting.core.states import Act, move
from alerting.core.world import World


class Verb(StrEnum):
    """As in the address of the API."""

    ACKNOWLEDGE = "acknowledge"
    ACCEPT = "accept"
    DECLINE = "decline"
    DISPATCH = "dispatch"
    ARRIVE = "arrive"
    VERIFY = "verify"
    TRANSFER = "transfer"
    ESCALATE = "escalate"
    CALL_AGAIN = "call-again"
    SILENCE = "silence"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    NOTE = "note"
    PHOTO = "photo"
    CLOSE = "close"
    EVALUATE = "evaluate"
    REOPEN = "reopen"


ENDS_PAGES = frozenset({Verb.ARRIVE, Verb.VERIFY, Verb.CLOSE, Verb.SHELVE})
"""After these no page that still waits goes out; nor after an acceptance that sends somebody."""


class KeyOutcome(StrEnum):
    """What pressing a key on a call did."""

    TAKEN = "taken"
    ALREADY_TAKEN = "already_taken"
    DECLINED = "declined"
    HOUSEHOLD_FIRE = "household_fire"
    HOUSEHOLD_NO_FIRE = "household_no_fire"
    REPEAT = "repeat"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Done:
    """How the incident stands; after a reopening, the new one."""

    incident_id: str
    work: Work
    ack: Ack


def act(
    incident: Incident, verb: Verb, actor: Actor, detail: dict[str, Any], paged: Sequence[Paged], world: World
) -> list[Decision] | Refused:
    """Decide one act. An empty list means: already so, by the same person; nothing to write."""
    match verb:
        case Verb.ACKNOWLEDGE:
            return verbs_going.acknowledge(incident, actor, paged, world)
        case Verb.ACCEPT:
            return verbs_going.accept(incident, actor, paged, world)
        case Verb.DECLINE:
            return verbs_going.decline(incident, actor, detail, paged, world)
        case Verb.ARRIVE:
            return verbs_going.arrive(incident, actor, paged, world)
        case Verb.DISPATCH:
            return verbs_asking.dispatch(incident, actor, detail, paged, world)
        case Verb.TRANSFER:
            return verbs_asking.transfer(incident, actor, detail, paged, world)
        case Verb.ESCALATE:
            return verbs_asking.escalate(incident, actor, paged, world)
        case Verb.CALL_AGAIN:
            return verbs_asking.call_again(incident, actor, detail, paged, world)
        case Verb.SILENCE:
            return verbs_asking.silence(incident, actor)
        case Verb.SHELVE:
            return verbs_shelf.shelve(incident, actor, detail, world)
        case Verb.UNSHELVE:
            return verbs_shelf.unshelve(incident, actor, paged, world)
        case Verb.VERIFY:
            return verbs_result.verify(incident, actor, detail, paged, world)
        case Verb.CLOSE:
            return verbs_result.close(incident, actor, detail, paged, world)
        case Verb.EVALUATE:
            return verbs_result.evaluate(incident, actor, detail)
        case Verb.REOPEN:
            return verbs_result.reopen(incident, actor, detail, world)
        case Verb.NOTE | Verb.PHOTO:
            return _left_behind(incident, verb, actor, detail)
        case _:
            assert_never(verb)


def _left_behind(incident: Incident, verb: Verb, actor: Actor, detail: dict[str, Any]) -> list[Decision] | Refused:
    """A note, or a picture: always welcome, also after the end."""
    work = move(incident, Act.NOTE)
    if isinstance(work, Refused):
        return work
    if verb is Verb.PHOTO:
        return [Record(incident.id, "photo", actor, Reason.PERSON_ACTED, detail)]
    return [Note(incident.id, actor, str(detail.get("text", "")), Reason.PERSON_ACTED)]
