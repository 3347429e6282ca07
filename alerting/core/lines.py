"""One telephone, one call at a time: who has the line, until when, and whose call gives way. Pure."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

talk_s = 60.0
"""How long a call of ours may last once it has rung out or is answered: the text is spoken twice."""


@dataclass(frozen=True, slots=True)
class Line:
    """The call that a phone has, as far as we know."""

    attempt_id: str
    notification_id: str
    incident_id: str
    provider: str
    urgency: int
    until: datetime
    """It has ended by then, whether a receipt says so or not."""
    number: int = 1
    """The attempt's, among those of its message."""
    provider_ref: str | None = None
    answered: bool = False

    def taken(self, now: datetime) -> bool:
        return now < self.until

    def gives_way(self, urgency: int) -> bool:
        """A ringing call yields to a more urgent one; a person who listens is not cut off."""
        return not self.answered and urgency < self.urgency

    def held_for(self, seconds: float, now: datetime) -> "Line":
        """Nobody knows whether it rings: it could for so long, no longer."""
        return replace(self, until=min(self.until, now + timedelta(seconds=seconds)))


def ends(now: datetime, ring_s: float) -> datetime:
    """The latest end of a call that begins now."""
    return now + timedelta(seconds=ring_s + talk_s)
