"""An incident built again from its timeline alone: what the records say, in their order. Never asks anything else."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alerting.core.attempts import RANK
from alerting.core.model import AttemptState

ASKING = ("page", "drill")
STATES = {state.value for state in AttemptState}


@dataclass
class Rebuilt:
    """The three axes, the overlays, the ladder, and what became of every message."""

    condition: str = ""
    ack: str = ""
    work: str = ""
    severity: int = 0
    signals: int = 1
    taken_by: str | None = None
    overlays: set[str] = field(default_factory=set)
    ladder: tuple[Any, ...] = ()
    messages: dict[str, str] = field(default_factory=dict)

    def take(self, entry: Mapping[str, Any]) -> None:
        kind, data = entry["kind"], entry["data"] or {}
        if kind == "opened":
            self.condition, self.ack, self.work = data["condition"], data["ack"], data["work"]
            self.severity = data["severity"]
            self.ladder = _ladder(data)
        elif kind == "signal":
            self.condition, self.signals = "active", data["signals"]
        elif kind == "condition":
            self.condition = data["condition"]
        elif kind == "severity":
            self.severity = data["severity"]
        elif kind == "overlay":
            self.overlays.add(data["overlay"])
        elif kind == "overlay_ended":
            self.overlays.discard(data["overlay"])
        elif kind == "shelved":
            self.overlays.add("shelved")
        elif kind == "unshelved":
            self.overlays.discard("shelved")
        elif kind == "transferred":
            self.overlays.add("transferred")
        elif kind == "ladder":
            self.ladder = _ladder(data)
        elif kind == "acknowledged":
            self.ack = "acknowledged"
        elif kind == "acknowledgement_ended":
            self.ack = "none"
        elif kind == "work":
            self._moved(entry, data)
        elif kind == "planned":
            self.messages[data["notification"]] = data["state"]
            if self.work == "new" and data["purpose"] in ASKING:
                self.work = "dispatched"
        elif kind == "provider_receipt":
            self._rise(data["notification"], data["state"])
        elif kind in STATES and "notification" in data:
            self._rise(data["notification"], kind)

    def _moved(self, entry: Mapping[str, Any], data: Mapping[str, Any]) -> None:
        self.work = data["work"]
        if self.work in ("taken", "on_site"):
            self.taken_by = entry["actor"]
        elif self.work == "dispatched":
            self.taken_by = None

    def _rise(self, notification: str, state: str) -> None:
        if RANK[AttemptState(state)] > RANK[AttemptState(self.messages[notification])]:
            self.messages[notification] = state


def _ladder(data: Mapping[str, Any]) -> tuple[Any, ...]:
    due = data["due_at"]
    return (data["round"], data["step"], due[:23] if due else None, data["due_reason"])


def rebuilt(entries: Sequence[Mapping[str, Any]]) -> Rebuilt:
    incident = Rebuilt()
    for entry in entries:
        incident.take(entry)
    return incident


def as_served(incident: Mapping[str, Any], notifications: Sequence[Mapping[str, Any]]) -> Rebuilt:
    """The same from the incident and its notifications, as the API shows them."""
    return Rebuilt(
        condition=incident["condition"],
        ack=incident["ack"],
        work=incident["work"],
        severity=incident["severity"],
        signals=incident["signals"],
        taken_by=incident["taken_by"]["id"] if incident["taken_by"] else None,
        overlays={overlay["kind"] for overlay in incident["overlays"]},
        ladder=_ladder(incident),
        messages={each["id"]: each["state"] for each in notifications},
    )
