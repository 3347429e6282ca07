"""What can be set about readiness: the daily self-test message. Never reads a file or an environment itself."""

from pydantic import BaseModel, Field

from gengfu.settings_kinds import STRICT


class SelfTestOptions(BaseModel):
    """`[self_test]`: a message in the app of each worker, once a day, that must be tapped."""

    model_config = STRICT

    daily: bool = True
    hour: int = Field(default=9, ge=7, le=20)
    """Local: by day only."""

    @property
    def at(self) -> int | None:
        return self.hour if self.daily else None
