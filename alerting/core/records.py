"""What the timeline says of decisions, so that an incident can be built again from its entries alone. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from alerting.core.decisions import AttachSignal, Decision, Notify, OpenIncident, SetLadder
from alerting.core.instants import Heard, heard
from alerting.core.model import Incident, Reason
from alerting.core.signal import SignalIn

_WORSE = (Reason.SPREADING, Reason.CONFIRMED, Reason.NOT_A_TEST)


def causes(made: Sequence[Decision], signals: Sequence[SignalIn], late_after_s: float) -> dict[str, Heard]:
    """By incident: the instants of the word that opened it, or of the newest one by which it spreads."""
    by_speaker = {(signal.device_id, signal.code): signal for signal in signals}
    by_id = {signal.fresh_id: signal for signal in signals}
    found: dict[str, SignalIn | None] = {}
    for each in made:
        if isinstance(each, OpenIncident):
            found[each.incident.id] = by_id.get(each.incident.id)
        elif isinstance(each, AttachSignal) and each.reason in _WORSE and each.incident_id not in found:
            found[each.incident_id] = by_speaker.get((each.device_id, each.code))
    return {id_: heard(cause.received_at, cause.observed_at, late_after_s) for id_, cause in found.items() if cause}


def of_opening(incident: Incident, heard: Heard | None) -> dict[str, Any]:
    """Everything that stands when an incident opens."""
    said: dict[str, Any] = {
        "reference": incident.reference,
        "code": incident.code,
        "severity": incident.severity,
        "condition": incident.condition.value,
        "ack": incident.ack.value,
        "work": incident.work.value,
        "device": incident.device_id,
        "place": incident.place_text.zh,
        "place_en": incident.place_text.en,
        "grid": incident.grid_id,
        "policy": incident.policy.name,
        **of_ladder(incident.round, incident.step, incident.due_at, incident.due_reason),
    }
    if incident.raised_via is not None:
        said |= {"raised_by": incident.raised_by, "raised_via": incident.raised_via.value}
    if incident.linked_to is not None:
        said["linked_to"] = incident.linked_to
    if incident.drill_id:
        said["drill"] = incident.drill_id
    if heard is not None:
        said |= {"received_at": heard.received_at.isoformat(), "clock": heard.clock.value}
    if heard is not None and heard.observed_at is not None:
        said["observed_at"] = heard.observed_at.isoformat()
    return said


def of_signal(joined: AttachSignal, signals: int) -> dict[str, Any]:
    """One signal more, and who says so where no device does. `signals`: how many it makes."""
    said: dict[str, Any] = {"device": joined.device_id, "code": joined.code, "signals": signals}
    return said if joined.by is None else said | {"name": joined.by.name, "via": joined.by.via}


def of_ladder(round_: int, step: int, due_at: datetime | None, reason: str | None) -> dict[str, Any]:
    """Where the ladder stands, when it is looked at again, and for what."""
    due = due_at.isoformat() if due_at else None
    return {"round": round_, "step": step, "due_at": due, "due_reason": str(reason) if reason else None}


def moves(made: SetLadder, incident: Incident | None) -> bool:
    """False where the opening has said it already. `incident`: one that this transaction opens."""
    if incident is None:
        return True
    stands = (incident.round, incident.step, incident.due_at, incident.due_reason)
    return stands != (made.round, made.step, made.due_at, made.reason)


def of_plan(notification_id: str, notice: Notify, state: str) -> dict[str, Any]:
    """One message that somebody is to get."""
    return {
        "notification": notification_id,
        "recipient": notice.recipient_id,
        "name": notice.recipient_name,
        "channel": notice.channel.value,
        "purpose": notice.purpose.value,
        "round": notice.round,
        "step": notice.step,
        "state": state,
    }
