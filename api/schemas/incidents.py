"""Bodies of incidents, acts, notifications, the stream. Never decides what an act may do."""

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from alerting.core.verbs_result import NEEDS_CAUSE, How, Result
from api.errors import FieldFault
from api.schemas.common import Body, Instant, Shown, example

text_chars_max = 2000
Text = Annotated[str, Field(min_length=1, max_length=text_chars_max)]


class EmptyIn(Body):
    """Acknowledge, accept, arrive, escalate, silence and unshelve say everything by being sent."""

    model_config = example({})


class DeclineIn(Body):
    model_config = example({"reason": "正在处理另一事件"})

    reason: Annotated[str | None, Field(max_length=text_chars_max)] = None


class VerifyIn(Body):
    model_config = example({"result": "false_alarm", "cause": "做饭油烟", "how": "on_site"})

    result: Result
    how: How
    cause: Annotated[str | None, Field(max_length=text_chars_max)] = None

    @model_validator(mode="after")
    def _with_cause(self) -> Self:
        if self.result in NEEDS_CAUSE and not (self.cause or "").strip():
            raise FieldFault("cause_needed", "cause")
        return self


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
    raised_by: str | None
    """Id of the person or login that raised it; null: a device did."""
    raised_via: str | None
    linked_to: str | None
    """The incident that this one reopens."""
    shelved_until: Instant | None
    acknowledged_until: Instant | None
    evaluated: dict[str, Any] | None
    due_by: Instant | None
    """By when a standing hazard has to be removed."""
    drill_id: str | None
    """An exercise, and none of the real ones."""
    overlays: list[OverlayOut]


class LinkedOut(Shown):
    id: str
    reference: str
    work: str
    opened_at: Instant


class LinksOut(Shown):
    reopens: LinkedOut | None
    reopened_by: list[LinkedOut]


class SatisfactionOut(Shown):
    """How many households were told how it ended, and how many were satisfied with that."""

    asked: int
    satisfied: int
    not_satisfied: int


class IncidentReadOut(IncidentOut):
    """One incident, with those that it reopens or that reopened it, and what its households said of the result."""

    linked: LinksOut
    satisfaction: SatisfactionOut | None
    """None: no household was told how it ended."""


class RaisedOut(IncidentOut):
    """What a person's report led to."""

    joined: bool
    """An incident that was open has taken it in."""


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
    chip: Annotated[str, Field(description="How far it has come: queued, submitted, delivered, answered or taken")]
    receipt: Annotated[
        str | None,
        Field(description="known; unknown (shown as ?: its carrier gives no receipts); missing; null: none is due yet"),
    ]
    observed_at: Instant | None
    clock: Annotated[
        str | None, Field(description="trusted, or why observed_at is null: none, implausible, ahead, late")
    ]
    received_at: Instant | None
    planned_at: Instant
    committed_at: Instant | None
    submitted_at: Instant | None
    provider_accepted_at: Instant | None
    first_receipt_at: Instant | None
    delivered_at: Instant | None
    answered_at: Instant | None
    taken_at: Instant | None
    milliseconds: Annotated[
        dict[str, int], Field(description="From received_at (a later step: planned_at) to each instant that is known")
    ]
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
    chip: Annotated[str, Field(description="The furthest of its attempts")]
    receipt: Annotated[str | None, Field(description="Of the attempt that came furthest, as there")]
    planned_at: Instant
    acknowledged_at: Annotated[Instant | None, Field(description="By the control room: of its incident")]
    attempts: list[AttemptOut]
