"""Bodies of drills: what is exercised, who would be asked, and the figures of one. Never mixes with real figures."""

from typing import Annotated

from pydantic import AfterValidator, Field

from alerting.core.drills import CODE_DEFAULT, limit_minutes_default, limit_minutes_max
from api.errors import FieldFault
from api.schemas.common import Body, Instant, Reference, Shown, example
from devices.taxonomy import TAXONOMY


def _alarm(code: str) -> str:
    hazard = TAXONOMY.get(code)
    if hazard is None or hazard.cls.value != "A":
        raise FieldFault("drill_code")
    return code


AlarmCode = Annotated[str, Field(max_length=32), AfterValidator(_alarm)]
Minutes = Annotated[int, Field(ge=1, le=limit_minutes_max)]


class DrillIn(Body):
    """`grid`, `place`: an id or a code. Without `place`: the first place that the grid covers."""

    model_config = example({"grid": "zjs-01"})

    grid: Reference
    code: AlarmCode = CODE_DEFAULT
    place: Reference | None = None
    minutes: Minutes = limit_minutes_default
    """Then it ends by itself."""
    note: Annotated[str | None, Field(max_length=500)] = None


class DrillMessage(Shown):
    """One page on one channel. Seconds since the drill began; null: it never came to that."""

    channel: str
    step: int
    state: str
    asked_s: float
    provider_accepted_s: float | None
    delivered_s: float | None
    answered_s: float | None


class DrillAsked(Shown):
    recipient_id: str
    name: str
    going_s: float | None
    """When this person said that he goes."""
    declined_s: float | None
    answered: bool
    messages: list[DrillMessage]


class NeverAnswered(Shown):
    recipient_id: str
    name: str


class DrillFigures(Shown):
    asked: list[DrillAsked]
    never_answered: list[NeverAnswered]
    first_going_s: float | None
    on_site_s: float | None


class DrillOut(Shown):
    id: str
    incident_id: str
    reference: str | None
    grid_id: str
    place_id: str
    code: str
    note: str | None
    started_at: Instant
    ends_at: Instant
    started_by: str
    running: bool
    ended_at: Instant | None
    end_reason: str | None
    """drill_over: its time was over, or a person ended it; real_alarm; closed: its incident was closed."""


class DrillReport(DrillOut):
    figures: DrillFigures


class WouldAsk(Shown):
    recipient_id: str
    name: str
    channel: str
    language: str
    text: str
    """As it would be sent; for a call and the app as JSON."""


class DrillStep(Shown):
    """`after_s` since the beginning, if nobody goes. The last step is the loop at the chain's end."""

    step: int
    after_s: int
    to: list[str]
    would_ask: list[WouldAsk]


class DrillPreview(Shown):
    grid_id: str
    place_id: str
    code: str
    steps: list[DrillStep]
