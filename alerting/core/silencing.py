"""Maintenance windows at work: what opens during one is listed and pages nobody before the window ends. Pure.

Law: class A, severity 1 and what a person raised page as ever; a window takes away no due time: it gives another.
"""

from collections.abc import Sequence
from dataclasses import replace

from alerting.core.decisions import (
    AddOverlay,
    AttachSignal,
    Decision,
    DropOverlay,
    Notify,
    OpenIncident,
    RaiseSeverity,
    SetLadder,
    SkipStep,
)
from alerting.core.ladder import climb
from alerting.core.maintenance import Window, covering, life_safety, may_wait
from alerting.core.model import Incident, Overlay, Purpose, Reason, Work
from alerting.core.restraint import Ground, where
from alerting.core.world import World


def silence(made: Sequence[Decision], ground: Ground) -> list[Decision]:
    """The decisions on a batch, without what the windows that run now take away."""
    marked = any(Overlay.MAINTENANCE in incident.overlays for incident in ground.known.values())
    if not ground.world.maintenance and not marked:
        return list(made)
    silent: dict[str, Incident] = {
        each.id: each for each in ground.known.values() if Overlay.MAINTENANCE in each.overlays and may_wait(each)
    }
    kept: list[Decision] = []
    for decision in made:
        kept.extend(_heard(decision, silent, ground))
    return kept


def window_of(incident: Incident, world: World) -> Window | None:
    """The window that covers the device of this incident now."""
    device_id = incident.device_id or ""
    return covering(world.maintenance, device_id, where(incident, device_id, world), world.now)


def _heard(decision: Decision, silent: dict[str, Incident], ground: Ground) -> list[Decision]:
    match decision:
        case OpenIncident(incident, reason):
            window = window_of(incident, ground.world) if may_wait(incident) else None
            if window is None:
                return [decision]
            quiet = _quiet(incident, window)
            silent[incident.id] = quiet
            return [OpenIncident(quiet, reason), AddOverlay(incident.id, Overlay.MAINTENANCE, Reason.MAINTENANCE)]
        case AttachSignal(incident_id) if incident_id in silent:
            incident = replace(silent[incident_id], extent=decision.extent)
            if window_of(incident, ground.world) is not None:
                return [decision]
            del silent[incident_id]
            return [decision, *announced(incident, ground.world)]
        case RaiseSeverity(incident_id, severity) if incident_id in silent:
            silent[incident_id] = replace(silent[incident_id], severity=severity)
            if life_safety(silent[incident_id]):
                del silent[incident_id]
            return [decision]
        case Notify() if decision.incident_id in silent and decision.purpose is Purpose.PAGE:
            return []
        case SetLadder() | SkipStep() if decision.incident_id in silent:
            return []
        case _:
            return [decision]


def announced(incident: Incident, world: World) -> list[Decision]:
    """The window is over and the incident is not: its people are asked now."""
    asked = climb(incident, world, (), index=0, round_=incident.round + 1, reason=Reason.MAINTENANCE_OVER)
    return [DropOverlay(incident.id, Overlay.MAINTENANCE, Reason.MAINTENANCE_OVER), *asked]


def _quiet(incident: Incident, window: Window) -> Incident:
    return replace(
        incident,
        work=Work.NEW,
        round=0,
        step=0,
        due_at=window.ends_at,
        due_reason=Reason.MAINTENANCE,
        overlays=incident.overlays | {Overlay.MAINTENANCE},
    )
