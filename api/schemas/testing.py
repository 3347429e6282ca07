"""Bodies of alarm tests, test sessions and verifications of contacts. Numbers in answers are masked."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from alerting.core.model import AttemptState
from alerting.core.walk_test import Lack, WalkState
from alerting.walk_tests import session_devices_max, session_minutes_default, session_minutes_max
from api.errors import FieldFault
from api.schemas.common import Body, DeviceId, Instant, Reference, Shown, example
from devices.model import Channel, Language


class WalkTestIn(Body):
    """`real_call_to`: the installer's own number, for one real text and call per compound and day."""

    model_config = example({"language": "zh-CN"})

    real_call_to: Annotated[str | None, Field(max_length=32)] = None
    language: Language = Language.ZH_CN
    """Of the real text and call."""


class CriteriaOut(Shown):
    limit_s: int
    restores: bool
    signal_dbm_min: int | None


class AlarmHeard(Shown):
    """`seconds` since the start."""

    code: str
    at: Instant
    seconds: float


class RestoralHeard(Shown):
    at: Instant
    seconds: float


class SignalHeard(Shown):
    dbm: float
    at: Instant
    seconds: float
    enough: bool | None
    """None: the model asks for no strength."""


class WouldCallOut(Shown):
    """One message that a real alarm would send; here it ends at the loop-back."""

    name: str
    step: int
    channel: Channel
    address: str
    language: str
    text: str


class SkippedStep(Shown):
    step: int
    reason: str


class RehearsalOut(Shown):
    calls: list[WouldCallOut]
    skipped: list[SkippedStep]


class HeldOut(Shown):
    """The alarm that waits in test mode: not restored when it is due, it pages. `outcome` once it waits no longer."""

    due_at: Instant
    outcome: str | None
    incident_id: str | None


class LackOut(Shown):
    code: Lack
    zh: str
    en: str


class RealMessageOut(Shown):
    channel: Channel
    address: str
    state: AttemptState
    error: str | None
    pressed: bool


class WalkTestOut(Shown):
    id: str
    device_id: str
    state: WalkState
    started_at: Instant
    ends_at: Instant
    ended_at: Instant | None
    criteria: CriteriaOut
    alarm: AlarmHeard | None
    restored: RestoralHeard | None
    signal: SignalHeard | None
    would_call: RehearsalOut | None
    held: HeldOut | None
    missing: list[LackOut]
    """While it runs: what is still awaited. Failed: why."""
    real_messages: list[RealMessageOut]
    version: int


class TestSessionIn(Body):
    """Test mode for named devices, or below a place for those that are not commissioned: commissioned ones page."""

    model_config = example({"device_ids": ["smoke-0001"], "minutes": 60})

    device_ids: Annotated[tuple[DeviceId, ...], Field(max_length=session_devices_max)] = ()
    place_id: Reference | None = None
    minutes: Annotated[int, Field(ge=1, le=session_minutes_max)] = session_minutes_default

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if bool(self.device_ids) == (self.place_id is not None):
            raise FieldFault("one_choice", "device_ids")
        return self


class TestedDevice(Shown):
    id: str
    place_id: str | None
    test_mode: bool
    test_mode_until: Instant | None
    held_due_at: Instant | None
    """An alarm of it waits now, and pages then unless it is restored."""


class TestSessionOut(Shown):
    id: str
    place_id: str | None
    started_at: Instant
    ends_at: Instant
    ended_at: Instant | None
    running: bool
    started_by: str
    devices: list[TestedDevice]


class VerificationOut(Shown):
    """The last message sent to verify a contact. `state` is how far it got; only `verified` counts."""

    id: str
    channel: Channel
    address: str
    state: AttemptState
    error: str | None
    expires_at: Instant
    tries_left: int
    denied: bool
    """Whoever answered said that it is not his number."""
    verified: bool


class CodeIn(Body):
    """The six digits of the text, or what the tapped message carries."""

    model_config = example({"code": "123456"})

    code: Annotated[str, Field(pattern=r"^[0-9]{6}$")]


class ConfirmedOut(Shown):
    verified: bool
    outcome: str
    message: str
    """In the caller's language."""
