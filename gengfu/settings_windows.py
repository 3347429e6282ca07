"""`sms_windows` and `voice_windows` of a carrier: its limits per called number, as its contract has them."""

from pydantic import BaseModel, Field, field_validator

from alerting.channels.base import Window
from gengfu.settings_kinds import STRICT


class WindowOptions(BaseModel):
    """One limit of the carrier for one called number; with `hours`, for one night (`[22, 8]`)."""

    model_config = STRICT

    most: int = Field(ge=1, le=10_000)
    seconds: float = Field(gt=0, le=7 * 86_400)
    hours: tuple[int, int] | None = None

    @field_validator("hours")
    @classmethod
    def _of_a_day(cls, value: tuple[int, int] | None) -> tuple[int, int] | None:
        if value is not None and not all(0 <= hour <= 23 for hour in value):
            raise ValueError("takes two hours from 0 to 23, such as [22, 8]")
        return value

    @property
    def window(self) -> Window:
        return Window(self.most, self.seconds, self.hours)


def windows_of(told: tuple[WindowOptions, ...] | None, default: tuple[Window, ...]) -> tuple[Window, ...]:
    """What was told, or the carrier's own figures."""
    return default if told is None else tuple(each.window for each in told)
