"""The incident machine once more, in plain words: three axes, four verbs that stay four, the latch, expiry.

Written from the contract, never from the core; it shares no code with it. One fire in one building.
"""

from dataclasses import dataclass, field

acknowledged_s = 600
taken_s = 900
on_site_s = 2 * taken_s
reminder_s = 86_400


@dataclass(slots=True)
class Reference:
    """Every method answers whether the act was allowed. `now` is in seconds."""

    now: float = 0.0
    active: set[str] = field(default_factory=set)
    """Devices that speak."""
    work: str = "dispatched"
    goer: str | None = None
    ack_until: float | None = None
    due: float | None = None
    """When an answered incident is looked at again; the ladder's own times are not modelled."""

    @property
    def condition(self) -> str:
        return "active" if self.active else "restored"

    @property
    def ack(self) -> str:
        return "none" if self.ack_until is None else "acknowledged"

    @property
    def open(self) -> bool:
        return self.work not in ("closed", "evaluated")

    @property
    def answered(self) -> bool:
        return self.work not in ("new", "dispatched")

    def hear(self, device: str) -> bool:
        """False: it is another incident, for this one is over."""
        if not self.open or (self.work == "verified" and device not in self.active):
            return False
        self.active.add(device)
        return True

    def fall_silent(self, device: str) -> None:
        """The latch: the condition changes, the incident stays."""
        self.active.discard(device)

    def acknowledge(self) -> bool:
        if self.open and self.ack_until is None:
            self.ack_until = self.now + acknowledged_s
        return self.open

    def accept(self, who: str) -> bool:
        if self.answered and self.goer == who:
            return True  # he has said so before
        if self.answered:
            return False
        self._goes("taken", who, taken_s)
        return True

    def arrive(self, who: str) -> bool:
        if self.work == "on_site":
            return self.goer == who
        if not self.open or self.work == "verified" or self.goer not in (None, who):
            return False
        self._goes("on_site", who, on_site_s)
        return True

    def decline(self, who: str) -> bool:
        if not self.open or self.work == "verified":
            return False
        if self.goer == who:
            self._asked_again()
        return True

    def verify(self) -> bool:
        if self.open:
            self.work, self.due = "verified", self.now + reminder_s
        return self.open

    def close(self) -> bool:
        """Class A is never closed unseen."""
        if self.work != "verified":
            return False
        self.work, self.due = "closed", None
        return True

    def evaluate(self) -> bool:
        if self.work != "closed":
            return False
        self.work = "evaluated"
        return True

    def wait(self, seconds: float) -> None:
        """Promises and acknowledgements run out."""
        self.now += seconds
        if self.ack_until is not None and self.ack_until <= self.now and self.open:
            self.ack_until = None
        while self.due is not None and self.due <= self.now:
            if self.work == "verified":
                self.due += reminder_s
            else:
                self._asked_again()

    def _goes(self, work: str, who: str, seconds: float) -> None:
        self.work, self.goer, self.due = work, who, self.now + seconds

    def _asked_again(self) -> None:
        self.work, self.goer, self.due = "dispatched", None, None
