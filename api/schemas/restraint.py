"""Bodies of maintenance windows and work orders. Never decides what a window silences."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from alerting.core.maintenance import window_hours_max
from alerting.core.model import Condition, Work
from api.errors import FieldFault
from api.schemas.common import Body, DeviceId, Instant, Reference, Shown, example


class WindowIn(Body):
    """Work on a device or below a place. `starts_at`: now, unless given; then `hours` or `until`."""

    model_config = example({"device_id": "smoke-0001", "hours": 4, "reason": "更换电池"})

    place_id: Reference | None = None
    device_id: DeviceId | None = None
    starts_at: Instant | None = None
    until: Instant | None = None
    hours: Annotated[float | None, Field(gt=0, le=window_hours_max)] = None
    reason: Annotated[str, Field(min_length=1, max_length=500)]

    @model_validator(mode="after")
    def _choices(self) -> Self:
        if (self.place_id is None) == (self.device_id is None):
            raise FieldFault("place_or_device", "place_id")
        if (self.until is None) == (self.hours is None):
            raise FieldFault("hours_or_until", "hours")
        return self


class WindowState(StrEnum):
    PLANNED = "planned"
    RUNNING = "running"
    OVER = "over"
    ENDED_EARLY = "ended_early"


class WindowOut(Shown):
    id: str
    place_id: str | None
    device_id: str | None
    starts_at: Instant
    ends_at: Instant
    ended_at: Instant | None
    state: WindowState
    reason: str
    made_by: str
    created_at: Instant
    silent_incidents: int
    """Open incidents below it that nobody was paged for yet: announced when it ends, if they are still active."""


class WorkKind(StrEnum):
    SUPERVISORY = "supervisory"
    TROUBLE = "trouble"


class WorkItem(Shown):
    """One open incident of class S or T."""

    incident_id: str
    reference: str
    code: str
    kind: WorkKind
    severity: int
    condition: Condition
    work: Work
    opened_at: Instant


class WorkOrderOut(Shown):
    """What waits at one place and device."""

    place_id: str | None
    place: str
    place_en: str
    device_id: str | None
    grid_id: str | None
    severity: int
    """The worst of them."""
    oldest_at: Instant
    age_s: int
    items: list[WorkItem]
