"""Bodies of what people do with incidents beyond going there. Never decides what an act may do."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from api.errors import FieldFault
from api.schemas.common import Body, Code, Instant, Reference, Shown, example
from api.schemas.incidents import Text, text_chars_max

shelf_minutes_max = 1440
photos_told_max = 10

Optional = Annotated[str | None, Field(max_length=text_chars_max)]
Address = Annotated[str, Field(pattern=r"^https?://\S+$", max_length=512)]


class RaiseIn(Body):
    model_config = example({"place": "xinyang", "code": "charge.wire", "via": "patrol", "note": "2楼飞线充电"})

    place: Reference
    code: Code
    via: Literal["telephone", "patrol", "resident", "video"]
    """How word of it came: 电话报告, 巡查发现, 居民求助, 视频发现."""
    note: Annotated[str, Field(max_length=text_chars_max)] = ""
    photos: Annotated[tuple[Address, ...], Field(max_length=photos_told_max)] = ()
    """Addresses of photographs that are kept elsewhere; pictures themselves go to `incidents/{id}/photos`."""


class DispatchIn(Body):
    model_config = example({"worker": "worker-jia"})

    worker: Reference


class TransferIn(Body):
    model_config = example({"to": "community", "reason": "需社区协调"})

    to: Reference
    """A grid, or `community` or `street`."""
    reason: Optional = None


class CallAgainIn(Body):
    model_config = example({})

    recipient: Reference | None = None
    """One of those who were paged; without one, everybody of the current step."""


class ShelveIn(Body):
    model_config = example({"minutes": 30, "reason": "业主已约定今晚挪车"})

    reason: Text
    minutes: Annotated[int | None, Field(ge=1, le=shelf_minutes_max)] = None
    until: Instant | None = None
    """Without minutes and until: 15 minutes."""

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if self.minutes is not None and self.until is not None:
            raise FieldFault("minutes_or_until", "until")
        return self


class EvaluateIn(Body):
    model_config = example({"score": 5, "note": "处置及时"})

    score: Annotated[int, Field(ge=1, le=5)]
    note: Optional = None


class ReopenIn(Body):
    model_config = example({"reason": "再次冒烟"})

    reason: Text


class PhotoOut(Shown):
    id: str
    incident_id: str
    media_type: str
    width: int
    height: int
    sha256: str
    by: str
    taken_at: Instant
    """When it was handed in."""
