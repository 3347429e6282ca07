"""Bodies of incidents, acts, notifications, the stream. Never decides what an act may do."""

from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field

from api.schemas.common import Body, Instant, Shown, example

text_chars_max = 2000
Text = Annotated[str, Field(min_length=1, max_length=text_chars_max)]


class Result(StrEnum):
    REAL = "real"
    FALSE_ALARM = "false_alarm"
    TEST = "test"
    DRILL = "drill"
    DEVICE_FAULT = "device_fault"


class How(StrEnum):
    ON_SITE = "on_site"
    PHONE = "phone"
    VIDEO = "video"


class EmptyIn(Body):
    """Acknowledge, accept and arrive say everything by being sent."""

    model_config = example({})


class DeclineIn(Body):
    model_config = example({"reason": "正在处理另一事件"})

    reason: Annotated[str | None, Field(max_length=text_chars_max)] = None


class VerifyIn(Body):
    model_config = example({"result": "false_alarm", "cause": "做饭油烟", "how": "on_site"})

    result: Result
    how: How
    cause: Annotated[str | None, Field(max_length=text_chars_max)] = None


class CloseIn(Body):
    model_config = example({"text": "已通知住户"})

    text: Annotated[str | None, Field(max_length=text_chars_max)] = None


class NoteIn(Body):
    model_config = example({"text": "已联系住户，家中有人"})

    text: Text


class DoneOut(Shown):
    """How the incident stands after the act."""

    incident_id: str
    work: str
    ack: str


class TakenBy(Shown):
    id: str
    name: str | None


class OverlayOut(Shown):
    kind: str
    at: Instant
    detail: dict[str, Any] | None


class IncidentOut(Shown):
    id: str
    reference: str
    code: str
    class_: Annotated[str, Field(serialization_alias="class")]
    severity: int
    condition: str
    ack: str
    work: str
    device_id: str | None
    place_id: str | None
    grid_id: str | None
    place_text: dict[str, Any]
    opened_at: Instant
    round: int
    step: int
    due_at: Instant | None
    due_reason: str | None
    taken_by: TakenBy | None
    taken_at: Instant | None
    acknowledged_by: str | None
    acknowledged_at: Instant | None
    verified: dict[str, Any] | None
    closed_at: Instant | None
    signals: int
    version: int
    overlays: list[OverlayOut]


class TimelineOut(Shown):
    seq: int
    incident_id: str
    at: Instant
    kind: str
    reason: str
    actor: str
    data: dict[str, Any] | None


class AttemptOut(Shown):
    id: str
    number: int
    reason: str
    provider: str
    state: str
    planned_at: Instant
    submitted_at: Instant | None
    provider_accepted_at: Instant | None
    first_receipt_at: Instant | None
    answered_at: Instant | None
    taken_at: Instant | None
    provider_ref: str | None
    error: str | None


class NotificationOut(Shown):
    """`address` is masked."""

    id: str
    incident_id: str
    round: int
    step: int
    recipient_id: str
    recipient_name: str | None
    channel: str
    purpose: str
    address: str
    language: str
    text: str
    state: str
    planned_at: Instant
    attempts: list[AttemptOut]
