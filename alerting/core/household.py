"""The household of the flat in which it speaks: whom of it we call, once, and what it is told at the end. Pure.

Law: a household is nobody of the ladder. It is never asked to go, never called twice about one incident (but for one
redial), never for a drill, never about another flat; no step waits for it.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from alerting.core.decisions import Notify
from alerting.core.household_words import (
    RELATIONS,
    TELLABLE,
    call,
    call_text,
    call_wording,
    result_sms,
    result_wording,
)
from alerting.core.messages import local_time
from alerting.core.model import (
    AttemptState,
    Incident,
    Overlay,
    Paged,
    PlaceText,
    Policy,
    Purpose,
    Reason,
    Redial,
    Via,
    Work,
)
from alerting.core.places import place_text
from alerting.core.policy import DEFAULTS
from alerting.core.signal import SignalIn, placement_of_signal
from alerting.core.world import World
from devices.model import Channel, HouseholdContact, PlaceKind, Placement, Role
from devices.resolve import RegistrySnapshot, place_by_id
from devices.signals import SignalKind
from devices.taxonomy import TAXONOMY, SignalClass

emergency_number = "119"
called_max = 5
"""Contacts of one flat that are called at once."""
redials_max = 1
redial_gap_s = 65
"""Where the step names none: the carrier's minimum."""
OVER = frozenset({Reason.VERIFIED, Reason.CLOSED})
"""Why messages are taken back, where a household is asked no more: it is known what it was."""
MAINLAND = "+86"
"""No link in a text to such a number."""


def flat_of(placement: Placement | None) -> str | None:
    """The home in which the device is: its room; a building without rooms on the way may be one home."""
    if placement is None:
        return None
    flat = placement.at(PlaceKind.ROOM) or placement.at(PlaceKind.BUILDING)
    return None if flat is None else flat.id


class Asked(Protocol):
    """The step beside which a household is called."""

    @property
    def index(self) -> int: ...
    @property
    def round(self) -> int: ...
    @property
    def redial(self) -> Redial | None: ...
    @property
    def reason(self) -> Reason: ...


def calls(
    incident: Incident, world: World, placement: Placement | None, rung: Asked, paged: Iterable[Paged]
) -> list[Notify]:
    """A call to each contact of the flat who agreed to it and was not called about this incident before."""
    if not _concerns(incident):
        return []
    before = {page.recipient_id for page in paged if page.purpose is Purpose.HOUSEHOLD}
    fresh = [each for each in _contacts(world, flat_of(placement)) if each.person_id not in before]
    return [_call(each, incident, rung) for each in fresh[:called_max]]


def _concerns(incident: Incident) -> bool:
    """A real alarm that a device raised, or somebody from outside: not a drill, and not what a resident told us."""
    told_by_it = incident.raised_via is Via.RESIDENT
    drill = Overlay.DRILL in incident.overlays or incident.drill_id is not None
    return incident.cls is SignalClass.A and not drill and not told_by_it


def flats_of(signals: Iterable[SignalIn], world: World) -> set[str]:
    """Whose contacts a batch needs: flats with a fresh alarm, where some policy asks for the household.

    Not those of an open incident that has heard this flat already.
    """
    policies = (*world.policies, *DEFAULTS, *(each.policy for each in world.open.values()))
    if not any(_asks(policy) for policy in policies):
        return set()
    alarms = [each for each in signals if each.kind is SignalKind.ALARM and each.hazard.cls is SignalClass.A]
    found = {flat_of(placement_of_signal(each, world.snapshot)) for each in alarms}
    heard = {room for each in world.open.values() if each.work is not Work.VERIFIED for room in each.extent.rooms}
    return {flat for flat in found if flat is not None} - heard


def flats_ahead(incidents: Iterable[Incident], snapshot: RegistrySnapshot) -> set[str]:
    """Whose contacts the next steps of these incidents may need: the household stands on one that was not asked yet."""
    found = set()
    for incident in incidents:
        first = 0 if incident.work is Work.NEW else incident.step + 1
        if incident.place_id is None or not _concerns(incident) or not _asks(incident.policy, first):
            continue
        found.add(flat_of(place_by_id(snapshot, incident.place_id, incident.device_id or "", incident.grid_id)))
    return {flat for flat in found if flat is not None}


def _asks(policy: Policy, first: int = 0) -> bool:
    return any(Role.HOUSEHOLD in step.to for step in policy.steps[first:])


def as_paged(made: Iterable[object]) -> list[Paged]:
    """The calls among these decisions, as a later decision of the same batch sees them."""
    return [
        Paged("", n.round, n.step, n.recipient_id, n.channel, n.purpose, AttemptState.PLANNED)
        for n in made
        if isinstance(n, Notify) and n.purpose is Purpose.HOUSEHOLD
    ]


def results(
    incident: Incident, result: str, world: World, paged: Sequence[Paged], links: Mapping[str, str]
) -> list[Notify]:
    """After closing: one text to each contact who agreed to that, of the flats that spoke. `links`: by person."""
    drill = Overlay.DRILL in incident.overlays or incident.drill_id is not None
    if incident.cls is not SignalClass.A or drill or result not in TELLABLE:
        return []
    told = {page.recipient_id for page in paged if page.purpose is Purpose.RESULT}
    return [
        _result(each, place, incident, result, world, links.get(each.person_id, ""))
        for flat, place in _flats(incident, world).items()
        for each in _contacts(world, flat)
        if each.result_messages and each.person_id not in told
    ]


def flats(incident: Incident, world: World) -> list[str]:
    return list(_flats(incident, world))


def _flats(incident: Incident, world: World) -> dict[str, PlaceText]:
    """The flat where it began, and every other room that has spoken: each household hears of its own alone."""
    found: dict[str, PlaceText] = {}
    if incident.place_id is not None:
        own = flat_of(place_by_id(world.snapshot, incident.place_id, incident.device_id or "", incident.grid_id))
        if own is not None:
            found[own] = incident.place_text
    for room in incident.extent.rooms:
        placement = place_by_id(world.snapshot, room)
        if placement is not None and placement.chain:
            found.setdefault(room, place_text(placement, ""))
    return found


def _contacts(world: World, flat: str | None) -> list[HouseholdContact]:
    """In force now, who needs help leaving first."""
    contacts = world.snapshot.households.get(flat, ()) if flat else ()
    return [each for each in contacts if each.in_force(world.now)]


def _call(contact: HouseholdContact, incident: Incident, rung: Asked) -> Notify:
    script = call(TAXONOMY[incident.code], incident.place_text, contact.language, emergency_number)
    redial = rung.redial
    again = min(redials_max, redial.max) if redial else 0
    return Notify(
        incident_id=incident.id,
        round=rung.round,
        step=rung.index,
        recipient_id=contact.person_id,
        recipient_name=RELATIONS[contact.relation],
        channel=Channel.VOICE,
        address=contact.phone,
        language=contact.language,
        purpose=Purpose.HOUSEHOLD,
        urgency=_urgency(incident),
        text=call_text(script),
        wording=call_wording(TAXONOMY[incident.code], incident.place_text, contact.language),
        reason=rung.reason,
        redial_gap_s=max(redial.gap_s, redial_gap_s) if redial and again else 0,
        redial_max=again,
    )


def _result(
    contact: HouseholdContact, place: PlaceText, incident: Incident, result: str, world: World, link: str
) -> Notify:
    mainland = contact.phone.startswith(MAINLAND)
    return Notify(
        incident_id=incident.id,
        round=incident.round,
        step=incident.step,
        recipient_id=contact.person_id,
        recipient_name=RELATIONS[contact.relation],
        channel=Channel.SMS,
        address=contact.phone,
        language=contact.language,
        purpose=Purpose.RESULT,
        urgency=incident.severity + 1,
        text=result_sms(
            result,
            TAXONOMY[incident.code],
            place,
            f"{local_time(incident.opened_at, world.settings.timezone):%H:%M}",
            contact.language,
            link="" if mainland else link,
            reply=world.settings.sms_two_way,
        ),
        wording=result_wording(
            result,
            TAXONOMY[incident.code],
            place,
            incident.opened_at,
            world.settings.timezone,
            contact.language,
            reply=world.settings.sms_two_way,
        ),
        reason=Reason.CLOSED,
    )


def _urgency(incident: Incident) -> int:
    """Right behind the workers' own calls."""
    return 1 if TAXONOMY[incident.code].life_safety else incident.severity + 1
