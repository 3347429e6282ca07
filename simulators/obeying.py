"""How a virtual device takes commands: once each, by its script, never after their time. Publishes nothing itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from devices.signals import Scalar


class Result(StrEnum):
    DONE = "done"
    FAILED = "failed"
    SILENT = "silent"
    """It hears, does nothing and says nothing."""


usual_fault = "relay stuck"


@dataclass(frozen=True, slots=True)
class Obeys:
    """What becomes of every command, and how long the device takes for it (real seconds)."""

    result: Result = Result.DONE
    reason: str = usual_fault
    after_s: float = 0.0


OFF: dict[str, dict[str, Scalar]] = {"cut_power": {"charging": False, "current_a": 0.0}, "sound_siren": {"siren": True}}
"""What a device measures once it has done so."""


@dataclass(slots=True)
class Obedience:
    """What one device was told and did."""

    script: Obeys
    answers: dict[str, bytes] = field(default_factory=dict)
    """By command id: a command that comes again is not done again, only answered again."""
    done: list[str] = field(default_factory=list)
    """Actions that were carried out."""
    _begun: set[str] = field(default_factory=set)

    def begins(self, command: Mapping[str, Any], now: datetime) -> bool:
        """Whether the device now sets about it: known actions, in their time, once."""
        command_id = command.get("command_id")
        if not isinstance(command_id, str) or command_id in self._begun or command.get("action") not in OFF:
            return False
        if self.script.result is Result.SILENT or _over(command.get("expires_at"), now):
            return False
        self._begun.add(command_id)
        return True

    def finish(self, command: Mapping[str, Any], measured: dict[str, Scalar]) -> dict[str, Any]:
        """Its answer; what was done shows in what the device measures."""
        answer: dict[str, Any] = {"command_id": command["command_id"], "result": self.script.result.value}
        if self.script.result is Result.FAILED:
            return answer | {"reason": self.script.reason}
        action = str(command["action"])
        self.done.append(action)
        for name, value in OFF[action].items():
            if name in measured or action != "cut_power":
                measured[name] = value
        return answer


def _over(expires_at: object, now: datetime) -> bool:
    try:
        return isinstance(expires_at, str) and datetime.fromisoformat(expires_at) <= now
    except ValueError:
        return True
