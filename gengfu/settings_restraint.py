"""What can be set about restraint: quiet hours and the daily digest. Never reads a file or an environment itself."""

from typing import Annotated

from pydantic import BaseModel, Field

from gengfu.settings_kinds import STRICT

_Hour = Annotated[int, Field(ge=0, le=23)]


class RestraintOptions(BaseModel):
    """`[restraint]`: local hours. Alarms of class A keep no quiet hours, whatever is set here."""

    model_config = STRICT

    night_from: _Hour = 22
    """From this hour on no SMS and no call about what is no alarm (class S, T, I; severity 1 excepted) ..."""
    night_to: _Hour = 7
    """... until this one, when they go out; the same hour twice: there are no quiet hours."""
    digest_hour: _Hour = 8
    """When each grid's worker and the control room read what waits for work."""
    digest: bool = True

    @property
    def night(self) -> tuple[int, int] | None:
        return None if self.night_from == self.night_to else (self.night_from, self.night_to)

    @property
    def hour(self) -> int | None:
        return self.digest_hour if self.digest else None
