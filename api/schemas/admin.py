"""Bodies of policies, API keys and the quarantine."""

from typing import Annotated, Any, Self

from pydantic import AliasChoices, Field, model_validator

from alerting.core import policy as core
from alerting.core.model import Action
from alerting.core.policy_check import check
from api.errors import FieldFault
from api.permissions import Role
from api.schemas.common import Body, Instant, Reference, Shown, example
from devices.model import Channel
from devices.model import Role as Step
from devices.taxonomy import TAXONOMY, SignalClass

Seconds = Annotated[int, Field(ge=0, le=core.step_after_s_max)]
Roles = Annotated[list[Step], Field(min_length=1)]
Hour = Annotated[int, Field(ge=0, le=24)]


class MatchIn(Body):
    """Which incidents it is for; an absent field matches everything."""

    cls: Annotated[SignalClass | None, Field(validation_alias=AliasChoices("class"), serialization_alias="class")] = (
        None
    )
    severity: Annotated[int | None, Field(ge=1, le=5)] = None
    codes: tuple[str, ...] = ()
    places: tuple[Reference, ...] = ()
    hours: Annotated[list[Hour] | None, Field(min_length=2, max_length=2)] = None

    @model_validator(mode="after")
    def _known_codes(self) -> Self:
        for index, code in enumerate(self.codes):
            if code not in TAXONOMY:
                raise FieldFault("unknown_reference", "codes", index, value=code)
        return self


class RedialIn(Body):
    gap_s: Annotated[int, Field(ge=core.redial_gap_s_min, le=core.step_after_s_max)]
    max: Annotated[int, Field(ge=0, le=100)]


class StepIn(Body):
    after_s: Seconds
    to: Roles
    channels: Annotated[list[Channel], Field(min_length=1)]
    redial: RedialIn | None = None


class LoopIn(Body):
    every_s: Annotated[int, Field(ge=5, le=core.step_after_s_max)]
    to: Roles


class CommandIn(Body):
    """Sent to the device when the incident opens, where that device declared and was permitted the action."""

    action: Action
    args: Annotated[dict[str, str | int | float | bool], Field(default_factory=dict, max_length=20)]
    in_test: bool = False


class PolicyIn(Body):
    """First match by `position` wins; the built-in defaults stand behind them all."""

    model_config = example(
        {
            "position": 10,
            "match": {"class": "A", "severity": 1},
            "steps": [
                {"after_s": 0, "to": ["grid_worker"], "channels": ["sms", "voice", "app"]},
                {"after_s": 30, "to": ["deputy"], "channels": ["sms", "voice", "app"]},
                {"after_s": 60, "to": ["community_duty"], "channels": ["sms", "voice"]},
            ],
            "loop": {"every_s": 60, "to": ["control_room"]},
        }
    )

    position: Annotated[int, Field(ge=0, le=100_000)] = 100
    match: MatchIn = MatchIn()
    steps: Annotated[list[StepIn], Field(min_length=1, max_length=core.steps_max)]
    loop: LoopIn
    taken_expires_s: Annotated[int, Field(ge=30, le=core.step_after_s_max)] = 900
    acknowledged_expires_s: Annotated[int, Field(ge=60, le=core.step_after_s_max)] = 600
    commands: Annotated[tuple[CommandIn, ...], Field(max_length=len(Action))] = ()
    told_at_end: tuple[Step, ...] = ()

    @model_validator(mode="after")
    def _makes_sense_to_the_core(self) -> Self:
        check(core.parse("check", self.document()))
        return self

    def document(self) -> dict[str, Any]:
        """As the core reads and the database keeps it."""
        return self.model_dump(mode="json", by_alias=True, exclude={"position"})


class PolicyOut(Shown):
    name: str
    position: int
    match: dict[str, Any]
    steps: list[dict[str, Any]]
    loop: dict[str, Any]
    taken_expires_s: int
    acknowledged_expires_s: int
    commands: list[dict[str, Any]]
    told_at_end: list[str]
    version: int


class KeyIn(Body):
    """`person_id` ties the key to a person: a grid_worker key always has one. `place_id` limits it to that part of the
    place tree."""

    model_config = example({"name": "control-room-1", "role": "operator"})

    name: Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\x00-\x1f]+$")]
    role: Role
    person_id: Reference | None = None
    place_id: Reference | None = None
    expires_at: Instant | None = None

    @model_validator(mode="after")
    def _worker_is_somebody(self) -> Self:
        if self.role is Role.GRID_WORKER and self.person_id is None:
            raise FieldFault("role_needs_person", "person_id")
        return self


class KeyOut(Shown):
    id: str
    name: str
    role: Role
    person_id: str | None
    place_id: str | None
    created_at: Instant
    expires_at: Instant | None
    revoked_at: Instant | None
    last_used_at: Instant | None


class KeyMade(KeyOut):
    """`key` is shown this once."""

    key: str


class QuarantineOut(Shown):
    """`payload` is the beginning of the first message of its kind, as text."""

    id: int
    topic: str
    device_key: str
    reason: str
    detail: str
    payload: str
    count: int
    first_at: Instant
    last_at: Instant
