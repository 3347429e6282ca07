"""What it was: verify, close, evaluate, reopen. Pure.

Law: a false alarm and a device's fault name their cause; severity 1 called unreal without a visit is marked `unseen`
until a second person says the same; who was paged hears the end once; reopening makes a new, linked incident that pages
like a first alarm, and the closed one stays as it is.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any

from alerting.core import ladder
from alerting.core.decisions import (
    AddOverlay,
    CancelPending,
    Decision,
    DropOverlay,
    Notify,
    OpenIncident,
    Record,
    Refused,
    ReleaseKey,
    SetLadder,
    SetWork,
)
from alerting.core.model import Ack, Actor, Condition, Extent, Incident, Overlay, Paged, Reason, Refusal, Via, Work
from alerting.core.policy import choose
from alerting.core.states import Act, move
from alerting.core.told import all_clear
from alerting.core.verbs_shelf import off_the_shelf
from alerting.core.world import World
from devices.taxonomy import TAXONOMY

reminder_s = 86_400
"""A verified incident that nobody closes comes back to the control room after a day."""


class Result(StrEnum):
    REAL = "real"
    FALSE_ALARM = "false_alarm"
    TEST = "test"
    DRILL = "drill"
    DEVICE_FAULT = "device_fault"


class How(StrEnum):
    """How somebody knows."""

    ON_SITE = "on_site"
    PHONE = "phone"
    """With the household, by telephone."""
    VIDEO = "video"


NEEDS_CAUSE = frozenset({Result.FALSE_ALARM, Result.DEVICE_FAULT})
NOT_REAL = frozenset(Result) - {Result.REAL}


def verify(
    incident: Incident, actor: Actor, detail: dict[str, Any], paged: Sequence[Paged], world: World
) -> list[Decision] | Refused:
    work = move(incident, Act.VERIFY)
    if isinstance(work, Refused):
        return work
    result = detail.get("result", "")
    if result in NEEDS_CAUSE and not str(detail.get("cause") or "").strip():
        return Refused(Refusal.NO_CAUSE)
    due = world.now + timedelta(seconds=reminder_s)
    return [
        SetWork(incident.id, work, actor, Reason.VERIFIED, detail),
        *_unseen(incident, actor, detail),
        *off_the_shelf(incident, actor, Reason.VERIFIED),
        CancelPending(incident.id, Reason.VERIFIED),
        SetLadder(incident.id, incident.round, incident.step, due, Reason.REMINDER),
        *(all_clear(incident, actor, paged, world, Reason.VERIFIED) if result in NOT_REAL else []),
    ]


def _unseen(incident: Incident, actor: Actor, detail: dict[str, Any]) -> list[Decision]:
    """Mark what one person alone calls unreal from afar, or take the mark off."""
    marked = Overlay.UNSEEN in incident.overlays
    doubtful = _from_afar(incident, detail)
    if doubtful and marked:
        doubtful = actor.id == incident.verified_by
        why = Reason.SECOND_PERSON
    else:
        why = Reason.VERIFIED
    if doubtful and not marked:
        return [AddOverlay(incident.id, Overlay.UNSEEN, Reason.UNSEEN, str(detail.get("how", "")))]
    return [DropOverlay(incident.id, Overlay.UNSEEN, why)] if marked and not doubtful else []


def _from_afar(incident: Incident, detail: dict[str, Any]) -> bool:
    """Severity 1, said not to be real, nobody there; a drill and a test mark have told so before."""
    result, how = detail.get("result"), detail.get("how")
    if incident.severity != 1 or result not in NOT_REAL or how == How.ON_SITE or Overlay.DRILL in incident.overlays:
        return False
    if result == Result.TEST and Overlay.TEST in incident.overlays:
        return False
    if incident.work is not Work.VERIFIED:
        return incident.work is not Work.ON_SITE
    if incident.verified_how == How.ON_SITE:
        return False
    before_unreal = incident.verified_result in NOT_REAL
    return Overlay.UNSEEN in incident.overlays or not before_unreal


def close(
    incident: Incident, actor: Actor, detail: dict[str, Any], paged: Sequence[Paged], world: World
) -> list[Decision] | Refused:
    work = move(incident, Act.CLOSE)
    if isinstance(work, Refused):
        return work
    return [
        SetWork(incident.id, work, actor, Reason.CLOSED, detail),
        *off_the_shelf(incident, actor, Reason.CLOSED),
        CancelPending(incident.id, Reason.CLOSED),
        SetLadder(incident.id, incident.round, incident.step, None, Reason.CLOSED),
        *all_clear(incident, actor, paged, world, Reason.CLOSED),
    ]


def evaluate(incident: Incident, actor: Actor, detail: dict[str, Any]) -> list[Decision] | Refused:
    work = move(incident, Act.EVALUATE)
    return work if isinstance(work, Refused) else [SetWork(incident.id, work, actor, Reason.EVALUATED, detail)]


def reopen(incident: Incident, actor: Actor, detail: dict[str, Any], world: World) -> list[Decision] | Refused:
    """`detail`: reason, and what the shell drew beforehand: fresh_id, fresh_reference."""
    work = move(incident, Act.REOPEN)
    if isinstance(work, Refused):
        return work
    text = str(detail.get("reason") or "").strip()
    if not text:
        return Refused(Refusal.NO_REASON)
    holder = world.open.get(incident.dedup_key)
    if holder is not None and holder.work is not Work.VERIFIED:
        return Refused(Refusal.SAME_OPEN)
    released = [ReleaseKey(holder.id, Reason.NEW_ALARM)] if holder is not None else []
    opened = _opened_again(incident, actor, str(detail["fresh_id"]), str(detail["fresh_reference"]), world)
    climbed = ladder.climb(opened, world, (), index=0, round_=0, reason=Reason.REOPENED)
    asked = any(isinstance(made, Notify) and made.purpose.asks for made in climbed)
    opened = replace(opened, work=Work.DISPATCHED if asked else Work.NEW)
    for made in climbed:
        if isinstance(made, SetLadder):
            opened = replace(opened, round=made.round, step=made.step, due_at=made.due_at, due_reason=made.reason)
    marks = [AddOverlay(opened.id, overlay, Reason.REOPENED) for overlay in sorted(opened.overlays)]
    return [
        *released,
        OpenIncident(opened, Reason.REOPENED),
        *marks,
        Record(opened.id, "reopened", actor, Reason.REOPENED, {"linked_to": incident.id, "text": text}),
        Record(incident.id, "reopened", actor, Reason.REOPENED, {"incident": opened.id, "text": text}),
        *climbed,
    ]


def _opened_again(incident: Incident, actor: Actor, fresh_id: str, reference: str, world: World) -> Incident:
    hazard = TAXONOMY[incident.code]
    severity = min(incident.severity, hazard.severity)
    placement = ladder.placement_of(incident, world)
    path = [place.id for place in placement.chain] if placement else []
    policy = choose(world.policies, replace(hazard, severity=severity), path, world.now, world.settings.timezone)
    if incident.drill_id is not None:  # an exercise has no device do anything
        policy = replace(policy, commands=(), told_at_end=())
    extent = Extent(floors=incident.extent.floors[:1], codes=(incident.code,), rooms=incident.extent.rooms[:1])
    return Incident(
        id=fresh_id,
        reference=reference,
        dedup_key=incident.dedup_key,
        code=incident.code,
        cls=incident.cls,
        severity=severity,
        condition=Condition.ACTIVE,
        ack=Ack.NONE,
        work=Work.NEW,
        device_id=incident.device_id,
        place_id=incident.place_id,
        grid_id=incident.grid_id,
        place_text=incident.place_text,
        opened_at=world.now,
        policy=policy,
        extent=extent,
        overlays=incident.overlays & {Overlay.UNPLACED, Overlay.DRILL},
        raised_by=actor.id,
        raised_via=Via.REOPENED,
        linked_to=incident.id,
        drill_id=incident.drill_id,
    )
