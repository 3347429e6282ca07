"""A drill 演练: a labelled exercise of people, with the real ladder, real channels and real duty. Pure.

Law: its key is its own, so that it never folds with a real alarm; every text begins with 演练 or DRILL; no household is
asked and no device commanded; it ends by itself, and at once when a real alarm speaks in its grid.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from alerting.core.decisions import (
    AddOverlay,
    CancelPending,
    Decision,
    Notify,
    OpenIncident,
    SetLadder,
    SetWork,
)
from alerting.core.drill_words import end_text, end_wording
from alerting.core.ladder import Rung, climb, page_rung, placement_of
from alerting.core.model import (
    Ack,
    Actor,
    AttemptState,
    Condition,
    Extent,
    Incident,
    Overlay,
    Paged,
    Purpose,
    Reason,
    Work,
)
from alerting.core.places import place_text
from alerting.core.policy import choose
from alerting.core.world import World
from devices.model import Channel, PersonKind, Role
from devices.resolve import place_by_id
from devices.taxonomy import TAXONOMY

limit_minutes_default = 15
limit_minutes_max = 120
CODE_DEFAULT = "fire.smoke"
_UNREACHED = (AttemptState.PLANNED, AttemptState.CANCELED, AttemptState.REJECTED)


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody wants exercised. Ids are drawn beforehand."""

    id: str
    incident_id: str
    reference: str
    code: str
    grid_id: str
    place_id: str
    by: Actor
    minutes: int = limit_minutes_default
    note: str = ""

    def ends_at(self, now: datetime) -> datetime:
        return now + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """One step of the ladder as a drill would ask it: nobody is asked."""

    step: int
    """The number of steps: the loop at the chain's end."""
    after_s: int
    to: tuple[Role, ...]
    pages: tuple[Notify, ...]


def dedup_key(drill_id: str) -> str:
    """No signal of a device ever has this key."""
    return f"v1:drill:{drill_id}"


def incident_of(order: Order, world: World) -> Incident:
    """The drill's own incident, before anybody is asked."""
    hazard = TAXONOMY[order.code]
    placement = place_by_id(world.snapshot, order.place_id, "", order.grid_id)
    path = [place.id for place in placement.chain] if placement else []
    policy = choose(world.policies, hazard, path, world.now, world.settings.timezone)
    asked_for = tuple(command for command in policy.commands if command.in_test)
    return Incident(
        id=order.incident_id,
        reference=order.reference,
        dedup_key=dedup_key(order.id),
        code=hazard.code,
        cls=hazard.cls,
        severity=hazard.severity,
        condition=Condition.ACTIVE,
        ack=Ack.NONE,
        work=Work.NEW,
        device_id=None,
        place_id=order.place_id,
        grid_id=order.grid_id,
        place_text=place_text(placement, ""),
        opened_at=world.now,
        policy=replace(policy, commands=asked_for, told_at_end=()),
        extent=Extent(),
        overlays=frozenset({Overlay.DRILL}),
        raised_by=order.by.id,
        drill_id=order.id,
    )


def start(order: Order, world: World) -> list[Decision]:
    """Open it and ask the first step."""
    incident = incident_of(order, world)
    climbed = climb(incident, world, (), index=0, round_=0, reason=Reason.DRILL)
    asked = any(isinstance(made, Notify) for made in climbed)
    incident = replace(incident, work=Work.DISPATCHED if asked else Work.NEW)
    for made in climbed:
        if isinstance(made, SetLadder):
            incident = replace(incident, round=made.round, step=made.step, due_at=made.due_at, due_reason=made.reason)
    mark = AddOverlay(incident.id, Overlay.DRILL, Reason.DRILL, order.note)
    return [OpenIncident(incident, Reason.DRILL), mark, *climbed]


def end(incident: Incident, actor: Actor, reason: Reason, paged: Sequence[Paged], world: World) -> list[Decision]:
    """It is over: nobody is asked any more, and everybody who was asked hears so, unless a recorded result told them.
    Nothing where it is closed."""
    if not incident.open:
        return []
    told = [] if incident.work is Work.VERIFIED else _told(incident, reason, paged, world)
    return [
        SetWork(incident.id, Work.CLOSED, actor, reason, {"result": "drill"}),
        CancelPending(incident.id, reason),
        SetLadder(incident.id, incident.round, incident.step, None, reason),
        *told,
    ]


def rehearse(order: Order, world: World) -> list[Rehearsed]:
    """Who would be asked and with which words, step by step; nobody is asked twice on one channel before the loop."""
    incident = incident_of(order, world)
    placement = placement_of(incident, world)
    asked: set[tuple[str, Channel]] = set()
    steps: list[Rehearsed] = []
    for number, step in enumerate(incident.policy.steps):
        rung = Rung(number, 0, step.to, step.channels, None, Reason.DRILL)
        pages = page_rung(incident, world, placement, rung, asked)
        asked.update((page.recipient_id, page.channel) for page in pages)
        steps.append(Rehearsed(number, step.after_s, step.to, tuple(pages)))
    loop = incident.policy.loop
    channels = tuple(dict.fromkeys(channel for step in incident.policy.steps for channel in step.channels))
    rung = Rung(len(steps), 1, loop.to, channels, None, Reason.DRILL)
    after = (incident.policy.steps[-1].after_s if steps else 0) + loop.every_s
    pages = page_rung(incident, world, placement, rung, ())
    return [*steps, Rehearsed(len(steps), after, loop.to, tuple(pages))]


def _told(incident: Incident, reason: Reason, paged: Sequence[Paged], world: World) -> list[Decision]:
    """One line to each person whom a page may have reached: by app where the app took it, else by SMS, else by call."""
    reached: dict[str, list[Paged]] = {}
    for page in paged:
        if page.purpose.asks and page.state not in _UNREACHED:
            reached.setdefault(page.recipient_id, []).append(page)
    notices = (_notice(incident, who, pages, reason, world) for who, pages in reached.items())
    return [notice for notice in notices if notice is not None]


def _notice(incident: Incident, who: str, pages: Sequence[Paged], reason: Reason, world: World) -> Notify | None:
    person = world.snapshot.people.get(who)
    if person is None or person.kind is PersonKind.HOUSEHOLD:
        return None
    took = (AttemptState.PROVIDER_ACCEPTED, AttemptState.DELIVERED, AttemptState.TAKEN)
    by_app = any(page.channel is Channel.APP and page.state in took for page in pages)
    first = (Channel.APP, Channel.SMS) if by_app else (Channel.SMS, Channel.APP)
    channel = next((each for each in (*first, Channel.VOICE) if person.contact(each) is not None), None)
    point = None if channel is None else person.contact(channel)
    if channel is None or point is None:
        return None
    real = reason is Reason.REAL_ALARM
    return Notify(
        incident_id=incident.id,
        round=incident.round,
        step=incident.step,
        recipient_id=person.id,
        recipient_name=person.name,
        channel=channel,
        address=point.address,
        language=person.language,
        purpose=Purpose.ALL_CLEAR,
        urgency=2,
        text=end_text(incident, channel, person.language, world.settings.timezone, real=real),
        wording=end_wording(incident, channel, person.language, world.settings.timezone, real=real),
        reason=reason,
    )
