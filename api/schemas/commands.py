"""Bodies of device actions and commands. Never asks a database."""

from typing import Annotated

from pydantic import Field

from alerting.core.commands import CommandState, expires_s_default
from alerting.core.model import Action
from api.schemas.common import Body, Instant, Shown, example

args_most = 16
expires_s_min, expires_s_max = 5, 600

ArgName = Annotated[str, Field(max_length=64)]
Scalar = bool | int | float | Annotated[str, Field(max_length=200)]


class ActionIn(Body):
    """`declared`: this device can, whatever its model says; absent: as it was."""

    model_config = example({"permitted": True})

    permitted: bool | None = None
    declared: bool | None = None


class ActionsIn(Body):
    """What is said of each action; an action that is not named stays as it was."""

    model_config = example({"cut_power": {"declared": True, "permitted": True}})

    cut_power: ActionIn | None = None
    sound_siren: ActionIn | None = None

    def of(self, action: Action) -> ActionIn | None:
        return self.cut_power if action is Action.CUT_POWER else self.sound_siren


class ActionOut(Shown):
    declared: bool
    permitted: bool
    permitted_by: str | None
    permitted_at: Instant | None


class ActionsOut(Shown):
    device_id: str
    cut_power: ActionOut
    sound_siren: ActionOut


class CommandIn(Body):
    """By hand. `incident`: what it belongs to; then a failed cut-off is told to the people of that incident."""

    model_config = example({"action": "cut_power", "reason": "现场冒烟，先断电"})

    action: Action
    args: Annotated[dict[ArgName, Scalar], Field(max_length=args_most, default_factory=dict)]
    incident: Annotated[str | None, Field(max_length=64)] = None
    reason: Annotated[str, Field(min_length=1, max_length=200)]
    expires_s: Annotated[int, Field(ge=expires_s_min, le=expires_s_max)] = expires_s_default


class CommandOut(Shown):
    """`state` planned, sent, done, failed, expired or refused; `reason`: why it was refused or failed."""

    id: str
    device_id: str
    incident_id: str | None
    action: Action
    args: dict[str, Scalar]
    state: CommandState
    reason: str | None
    values: dict[str, Scalar | None] | None
    asked_by: str
    asked_by_name: str
    asked_why: str | None
    planned_at: Instant
    expires_at: Instant
    sends: int
    sent_at: Instant | None
    answered_at: Instant | None
