"""Who is asked next: from a step of the policy to the people on duty to one Notify per channel. Pure.

Law: an empty step costs no time; nobody is asked twice on one channel in one round; the chain never ends in silence.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from alerting.core import household
from alerting.core.asides import spread_to
from alerting.core.context import Context
from alerting.core.decisions import Decision, Notify, SetLadder, SkipStep
from alerting.core.messages import render
from alerting.core.model import Incident, Overlay, Paged, Purpose, Reason, Redial, Step
from alerting.core.rooms import silenced
from alerting.core.wording import wording
from alerting.core.world import World
from devices.model import Channel, Person, Placement, Role
from devices.resolve import on_duty, place_by_id
from devices.taxonomy import TAXONOMY

unanswered_steps_told = 2
"""So many steps asked in vain, and the next one's texts say for how long nobody has answered."""

drill_urgency = 2
"""Behind every page of life safety, and without its reserved slots."""

TIME_GOES_ON = frozenset(
    {
        *(Reason.UNANSWERED, Reason.UNDELIVERED, Reason.UNCLEAR, Reason.BUDGET_SPENT),
        *(Reason.DECLINED, Reason.CHAIN_END, Reason.TAKEN_EXPIRED, Reason.NIGHT_OVER),
    }
)
"""Why the ladder goes on though nothing new has happened: a room that has acknowledged is not paged for it again."""
_SILENCE = (Reason.UNANSWERED, Reason.UNDELIVERED, Reason.UNCLEAR, Reason.BUDGET_SPENT)


@dataclass(frozen=True, slots=True)
class Rung:
    """One step about to be executed; `index` == number of steps means the loop at the end."""

    index: int
    round: int
    to: tuple[Role, ...]
    channels: tuple[Channel, ...]
    redial: Redial | None
    reason: Reason
    unanswered_minutes: int = 0
    """What the texts say about the time that has passed without an answer; 0 says nothing."""


def climb(
    incident: Incident, world: World, paged: Sequence[Paged], *, index: int, round_: int, reason: Reason
) -> list[Decision]:
    """Execute the step at `index`, or the first staffed one after it, without waiting for empty ones.

    Steps of one `after_s` are asked together; whoever was asked has the time up to the next `after_s`.
    """
    steps = incident.policy.steps
    placement = placement_of(incident, world)
    decisions: list[Decision] = []
    already = {(page.recipient_id, page.channel) for page in paged if page.round == round_}
    minutes = 0 if reason not in _SILENCE else unanswered_minutes(incident, paged, world)
    asked = False
    for number in range(index, len(steps)):
        step = steps[number]
        at_once = number == index and Overlay.UNPLACED in incident.overlays
        to = (*step.to, Role.CONTROL_ROOM) if at_once else step.to
        rung = Rung(number, round_, to, step.channels, step.redial, reason, minutes)
        pages = page_rung(incident, world, placement, rung, already)
        if not pages:
            decisions.append(SkipStep(incident.id, number, _why_empty(step, placement, world)))
        decisions.extend(pages)
        if Role.HOUSEHOLD in step.to and Channel.VOICE in step.channels:  # beside the step: nobody waits for it
            before = [*paged, *household.as_paged(decisions)]
            decisions.extend(household.calls(incident, world, placement, rung, before))
        already.update((page.recipient_id, page.channel) for page in pages)
        asked = asked or bool(pages)
        gap = gap_after(incident, number)
        if asked and gap > 0:
            due = world.now + timedelta(seconds=gap)
            return [*decisions, SetLadder(incident.id, round_, number, due, Reason.UNANSWERED)]
    return [*decisions, *loop(incident, world, paged, round_=round_)]


def loop(incident: Incident, world: World, paged: Sequence[Paged], *, round_: int) -> list[Decision]:
    """The end of the chain: everybody named there, every time, until somebody acts. Never throttled to nothing.

    Where nobody named there can be asked, everybody of the policy's steps is: they may have come on duty, or woken.
    """
    policy = incident.policy
    placement = placement_of(incident, world)
    end = len(policy.steps)
    channels = tuple(dict.fromkeys(channel for step in policy.steps for channel in step.channels))
    redial = policy.steps[-1].redial
    minutes = unanswered_minutes(incident, paged, world)
    rung = Rung(end, round_ + 1, policy.loop.to, channels, redial, Reason.CHAIN_END, minutes)
    pages: list[Decision] = list(page_rung(incident, world, placement, rung, set()))
    if not pages:
        everybody = tuple(dict.fromkeys(role for step in policy.steps for role in step.to))
        nobody = SkipStep(incident.id, end, Reason.NOBODY_REACHABLE)
        pages = [nobody, *page_rung(incident, world, placement, replace(rung, to=everybody), set())]
    due = world.now + timedelta(seconds=policy.loop.every_s)
    return [*pages, SetLadder(incident.id, round_ + 1, end, due, Reason.CHAIN_END)]


def page_rung(
    incident: Incident,
    world: World,
    placement: Placement | None,
    rung: Rung,
    already: Iterable[tuple[str, Channel]],
) -> list[Notify]:
    """One Notify per person and channel of this rung, leaving out who was asked in this round, and a room that has
    acknowledged."""
    quiet = silenced(incident, placement, world) if rung.reason in TIME_GOES_ON else frozenset()
    people = [person for person in _people(rung.to, placement, world) if person.id not in quiet]
    return page_people(incident, world, people, rung, already)


def page_people(
    incident: Incident, world: World, people: Iterable[Person], rung: Rung, already: Iterable[tuple[str, Channel]]
) -> list[Notify]:
    """The same for people who are known."""
    asked = set(already)
    pages: list[Notify] = []
    for person in people:
        channels = [channel for channel in rung.channels if person.contact(channel) is not None]
        for channel in channels:
            if (person.id, channel) in asked:
                continue
            asked.add((person.id, channel))
            pages.append(_page(incident, world, rung, person, channel, channels))
    return pages


def message(
    incident: Incident, world: World, person: Person, channel: Channel, purpose: Purpose, context: Context
) -> Notify | None:
    """A message other than a page (an update, an all clear) to one person, or None without such a contact."""
    point = person.contact(channel)
    if point is None:
        return None
    return Notify(
        incident_id=incident.id,
        round=incident.round,
        step=incident.step,
        recipient_id=person.id,
        recipient_name=person.name,
        channel=channel,
        address=point.address,
        language=person.language,
        purpose=purpose,
        urgency=urgency_of(incident) + 1,
        text=render(purpose, channel, person.language, context),
        wording=wording(purpose, channel, person.language, context),
        reason=Reason.TAKEN,
    )


def context_of(incident: Incident, world: World) -> Context:
    return Context(
        hazard=TAXONOMY[incident.code],
        place=incident.place_text,
        at=incident.opened_at,
        timezone=world.settings.timezone,
        deployment_language=world.settings.language,
        reference=incident.reference,
        incident_id=incident.id,
        severity=incident.severity,
        spreading=Overlay.SPREADING in incident.overlays,
        spread_to=None if incident.first_out else spread_to(incident.extent),
        first_out=incident.first_out,
        still_charging=Overlay.STILL_CHARGING in incident.overlays,
        confirmed=Overlay.CONFIRMED in incident.overlays,
        household_confirms=Overlay.HOUSEHOLD_CONFIRMED in incident.overlays,
        household_denies=Overlay.HOUSEHOLD_NO_FIRE in incident.overlays,
        power_cut=Overlay.POWER_CUT in incident.overlays,
        power_live=Overlay.CUT_FAILED in incident.overlays,
        test=Overlay.TEST in incident.overlays,
        drill=Overlay.DRILL in incident.overlays,
        unplaced=Overlay.UNPLACED in incident.overlays,
        late=Overlay.LATE in incident.overlays,
        not_recorded=world.not_recorded,
        two_way=world.settings.sms_two_way,
    )


def asked_together(incident: Incident) -> frozenset[int]:
    """The steps that were asked at the moment at which the ladder stands: those of one `after_s`."""
    steps = incident.policy.steps
    if incident.step >= len(steps):
        return frozenset({incident.step})
    moment = steps[incident.step].after_s
    return frozenset(number for number in range(incident.step + 1) if steps[number].after_s == moment)


def unanswered_minutes(incident: Incident, paged: Sequence[Paged], world: World) -> int:
    """Whole minutes since the incident opened, at least 1, once two steps were asked in vain; before that 0."""
    if incident.answered:
        return 0
    steps = incident.policy.steps
    moments = {
        (page.round, steps[page.step].after_s if page.step < len(steps) else None)
        for page in paged
        if page.purpose.asks
    }
    minutes = int((world.now - incident.opened_at).total_seconds()) // 60
    return max(1, minutes) if len(moments) >= unanswered_steps_told else 0


def placement_of(incident: Incident, world: World) -> Placement | None:
    if incident.place_id is None and incident.grid_id is None:
        return None  # once it was handed over to a grid, that grid's duty is asked
    return place_by_id(world.snapshot, incident.place_id or "", incident.device_id or "", incident.grid_id)


def urgency_of(incident: Incident) -> int:
    """0 for what can kill within minutes, then by severity. A drill never takes the room of a real alarm."""
    if Overlay.DRILL in incident.overlays:
        return max(drill_urgency, incident.severity)
    return 0 if TAXONOMY[incident.code].life_safety else incident.severity


def _people(roles: tuple[Role, ...], placement: Placement | None, world: World) -> list[Person]:
    people: dict[str, Person] = {}
    for role in roles:
        for person in on_duty(world.snapshot, placement, role, world.now):
            people.setdefault(person.id, person)
    return list(people.values())


def _page(
    incident: Incident, world: World, rung: Rung, person: Person, channel: Channel, channels: list[Channel]
) -> Notify:
    point = person.contact(channel)
    assert point is not None
    context = replace(
        context_of(incident, world),
        has_voice=Channel.VOICE in channels,
        has_app=Channel.APP in channels,
        unanswered_minutes=rung.unanswered_minutes,
        link="" if point.address.startswith(household.MAINLAND) else world.settings.answer_link,
        answer_url=world.settings.answer_link,
    )
    redial = rung.redial if channel is Channel.VOICE else None
    purpose = Purpose.DRILL if Overlay.DRILL in incident.overlays else Purpose.PAGE
    return Notify(
        incident_id=incident.id,
        round=rung.round,
        step=rung.index,
        recipient_id=person.id,
        recipient_name=person.name,
        channel=channel,
        address=point.address,
        language=person.language,
        purpose=purpose,
        urgency=urgency_of(incident),
        text=render(purpose, channel, person.language, context),
        wording=wording(purpose, channel, person.language, context),
        reason=rung.reason,
        redial_gap_s=redial.gap_s if redial else 0,
        redial_max=redial.max if redial else 0,
    )


def _why_empty(step: Step, placement: Placement | None, world: World) -> Reason:
    people = _people(step.to, placement, world)
    if not people:
        return Reason.NOBODY_ON_DUTY
    reachable = any(person.contact(channel) for person in people for channel in step.channels)
    return Reason.ALREADY_ASKED if reachable else Reason.NOBODY_REACHABLE


def gap_after(incident: Incident, index: int) -> int:
    steps = incident.policy.steps
    if index + 1 < len(steps):
        return steps[index + 1].after_s - steps[index].after_s
    return incident.policy.loop.every_s
