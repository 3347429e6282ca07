"""Interlocks: which devices an incident's policy commands, and who hears that a cut-off failed. Pure; never sends.

Law: a command goes only to a device that declared the action and that somebody permitted it for, in a test only where
the policy asks for it; what does not go is recorded with its reason; the first answer counts.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from alerting.core import ladder
from alerting.core.decisions import (
    AddOverlay,
    AttachSignal,
    Decision,
    DropOverlay,
    HoldAlarm,
    Notify,
    OpenIncident,
    SendCommand,
)
from alerting.core.model import Action, AttemptState, Incident, Overlay, Paged, PolicyCommand, Purpose, Reason
from alerting.core.policy import choose
from alerting.core.signal import SignalIn, in_test_mode
from alerting.core.world import World
from devices.model import PersonKind, Place, PlaceKind, Placement
from devices.resolve import place_device
from devices.taxonomy import TAXONOMY

expires_s_default = 60
"""Without an answer in this time a command is given up, and no device may obey it any more."""
steps_from = 100
"""A message about a command stands on a step beyond any policy's, one for each command: none replaces another."""


class CommandState(StrEnum):
    """`RANK` only rises, so that the first final state stays."""

    PLANNED = "planned"
    SENT = "sent"
    """Handed to the broker at least once; sent again until it is answered or has expired."""
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    REFUSED = "refused"
    """Not declared, not permitted, or a test: it was never sent."""


RANK: dict[CommandState, int] = {
    CommandState.PLANNED: 0,
    CommandState.SENT: 1,
    CommandState.DONE: 2,
    CommandState.FAILED: 2,
    CommandState.EXPIRED: 2,
    CommandState.REFUSED: 2,
}
FINAL = frozenset(state for state, rank in RANK.items() if rank == 2)


@dataclass(frozen=True, slots=True)
class Actuator:
    """A device that declared an action."""

    device_id: str
    action: Action
    permitted: bool


@dataclass(frozen=True, slots=True)
class Wish:
    """One command of one policy, for one alarm that opened an incident or made it spread."""

    command: PolicyCommand
    key: str
    """Of the incident, or of the alarm that is held in a test."""
    incident_id: str | None
    device_id: str
    """Who spoke; empty where a person raised it."""
    place_id: str | None
    """The nearest place."""
    building: tuple[str, ...]
    """The path down to the building, or without one to the nearest place."""
    in_test: bool


def wishes(made: Sequence[Decision], signals: Iterable[SignalIn], world: World) -> list[Wish]:
    """What the policies of these decisions ask for: mostly nothing."""
    marked = {signal.device_id for signal in signals if signal.test}
    doubts_ended = {each.incident_id for each in made if isinstance(each, DropOverlay) and each.overlay is Overlay.TEST}
    known = {
        incident.id: replace(incident, overlays=incident.overlays - {Overlay.TEST})
        if incident.id in doubts_ended
        else incident
        for incident in world.open.values()
        if incident.policy.commands
    }
    asked: list[Wish] = []
    for each in made:
        match each:
            case OpenIncident(incident, _):
                known[incident.id] = incident
                asked.extend(_wishes(incident, incident.device_id or "", world, marked))
            case AttachSignal(incident_id=incident_id, device_id=device_id, reason=reason):
                if reason not in _NOTHING_NEW and incident_id in known:
                    asked.extend(_wishes(known[incident_id], device_id, world, marked))
            case HoldAlarm():
                asked.extend(_in_test_mode(each, world))
            case _:
                pass
    return asked


_NOTHING_NEW = (Reason.REPEAT, Reason.RAISED)
"""Why a signal joins its incident without making it worse."""


def decide(wish: Wish, able: Sequence[Actuator]) -> list[SendCommand]:
    """`able`: devices that stand where the action is meant for and declared it.

    The power is cut by who spoke, and by what else stands there and may; sirens sound in the whole building.
    """
    if wish.in_test and not wish.command.in_test:
        return [_send(wish, wish.device_id, Reason.TEST_MODE)]
    able = [each for each in able if each.action is wish.command.action]
    everybody = wish.command.action is Action.SOUND_SIREN
    chosen = [each for each in able if everybody or each.permitted or each.device_id == wish.device_id]
    if not chosen:
        return [_send(wish, wish.device_id, Reason.NOT_PERMITTED if able else Reason.NOT_DECLARED)]
    return [_send(wish, each.device_id, None if each.permitted else Reason.NOT_PERMITTED) for each in chosen]


def cut_off_failed(
    incident: Incident, device_id: str, paged: Sequence[Paged], world: World, number: int
) -> list[Decision]:
    """Marks the incident and tells whoever was paged or goes, once, over every channel of the policy.

    `number`: how many failed cut-offs of this incident were told before.
    """
    made: list[Decision] = []
    if Overlay.CUT_FAILED not in incident.overlays:
        made.append(AddOverlay(incident.id, Overlay.CUT_FAILED, Reason.COMMAND_FAILED, device_id))
    if not incident.open:
        return made
    channels = tuple(dict.fromkeys(channel for step in incident.policy.steps for channel in step.channels))
    for person_id in _concerned(incident, paged):
        person = world.snapshot.people.get(person_id)
        if person is None or person.kind is PersonKind.HOUSEHOLD:  # nobody asks a household to go to a switch
            continue
        for channel in channels:
            context = replace(ladder.context_of(incident, world), answered=incident.answered)
            notice = ladder.message(incident, world, person, channel, Purpose.COMMAND, context)
            if notice is not None:
                made.append(_as_urgent_as(incident, notice, number))
    return made


def concerned(incident: Incident, paged: Sequence[Paged]) -> set[str]:
    """Whom the shell must load for `cut_off_failed`."""
    return set(_concerned(incident, paged))


def _as_urgent_as(incident: Incident, notice: Notify, number: int) -> Notify:
    return replace(notice, step=steps_from + number, urgency=ladder.urgency_of(incident), reason=Reason.COMMAND_FAILED)


_UNREACHED = (AttemptState.PLANNED, AttemptState.CANCELED, AttemptState.REJECTED)
_ASKING = (Purpose.PAGE, Purpose.DRILL)


def _concerned(incident: Incident, paged: Sequence[Paged]) -> list[str]:
    """Whom a page may have reached, and who goes."""
    reached = [page.recipient_id for page in paged if page.purpose in _ASKING and page.state not in _UNREACHED]
    goes = [incident.taken_by] if incident.taken_by is not None else []
    return list(dict.fromkeys([*goes, *reached]))


def _wishes(incident: Incident, device_id: str, world: World, marked: set[str]) -> list[Wish]:
    if not incident.policy.commands:
        return []
    place, building = _where(device_id, incident, world)
    in_test = bool(incident.overlays & {Overlay.TEST, Overlay.DRILL}) or device_id in marked
    in_test = in_test or in_test_mode(device_id, world)
    return [
        Wish(command, incident.id, incident.id, device_id, place, building, in_test)
        for command in incident.policy.commands
    ]


def _in_test_mode(hold: HoldAlarm, world: World) -> list[Wish]:
    """An alarm that waits in test mode has opened nothing: only what its policy wants tested is sent."""
    held = hold.held
    placed = place_device(world.snapshot, held.device_id)
    chain = placed.chain if isinstance(placed, Placement) else ()
    path = [place.id for place in chain]
    policy = choose(world.policies, TAXONOMY[held.code], path, world.now, world.settings.timezone)
    return [
        Wish(command, held.id, None, held.device_id, path[-1] if path else None, _building(chain), in_test=True)
        for command in policy.commands
        if command.in_test
    ]


def _where(device_id: str, incident: Incident, world: World) -> tuple[str | None, tuple[str, ...]]:
    placed = place_device(world.snapshot, device_id) if device_id else None
    if not isinstance(placed, Placement):
        placed = ladder.placement_of(incident, world)
    if placed is None or not placed.chain:
        return None, ()
    return placed.chain[-1].id, _building(placed.chain)


def _building(chain: tuple[Place, ...]) -> tuple[str, ...]:
    levels = [place.kind for place in chain]
    if PlaceKind.BUILDING not in levels:
        return tuple(place.id for place in chain)
    return tuple(place.id for place in chain[: levels.index(PlaceKind.BUILDING) + 1])


def _send(wish: Wish, device_id: str, refused: Reason | None) -> SendCommand:
    return SendCommand(
        incident_id=wish.incident_id,
        device_id=device_id,
        action=wish.command.action,
        args=wish.command.args,
        key="|".join((wish.key, device_id, wish.command.action.value, *((refused.value,) if refused else ()))),
        reason=Reason.INTERLOCK,
        refused=refused,
    )
