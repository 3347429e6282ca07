"""What the alerting shell counts: a protocol the composition root adapts to Prometheus. Never a registry of its own."""

from typing import Protocol


class Metrics(Protocol):
    """Durations in seconds. Labels use the words of the enums they come from."""

    def event_committed(self, seconds: float) -> None: ...

    def provider_accepted(self, seconds: float, channel: str, severity: int) -> None:
        """Received from the broker -> provider accepted: the product figure."""
        ...

    def notification(self, channel: str, provider: str, outcome: str) -> None: ...

    def quarantined(self, reason: str) -> None: ...

    def ignored(self, reason: str) -> None: ...

    def escalated(self, reason: str) -> None: ...

    def marked(self, overlay: str) -> None:
        """An incident was given this overlay."""
        ...

    def emergency(self) -> None: ...

    def commanded(self, action: str, state: str) -> None:
        """A command to a device has come to its end."""
        ...

    def healed(self, incidents: int) -> None: ...

    def violated(self, what: str, number: int) -> None:
        """The invariant watcher found so many."""
        ...

    def drill_notification(self, channel: str, outcome: str) -> None:
        """What providers answered in an exercise: counted apart from everything real."""
        ...

    def drill_escalated(self, reason: str) -> None: ...

    def breaker(self, channel: str, provider: str, word: str) -> None:
        """A carrier's breaker has moved: closed, open or half_open."""
        ...

    def passed_on(self, channel: str, provider: str, reason: str) -> None:
        """A message goes on to this carrier: `failover` or `hedge`."""
        ...

    def budget_refused(self, channel: str, urgency: int) -> None:
        """Every carrier's limit for a number is spent."""
        ...

    def canary(self, seconds: float) -> None:
        """From its publication until the loop-back provider had it."""
        ...

    def canary_missed(self) -> None: ...


class NoMetrics:
    """Counts nothing: tests and tools."""

    def event_committed(self, seconds: float) -> None:
        return

    def provider_accepted(self, seconds: float, channel: str, severity: int) -> None:
        return

    def notification(self, channel: str, provider: str, outcome: str) -> None:
        return

    def quarantined(self, reason: str) -> None:
        return

    def ignored(self, reason: str) -> None:
        return

    def escalated(self, reason: str) -> None:
        return

    def marked(self, overlay: str) -> None:
        return

    def emergency(self) -> None:
        return

    def commanded(self, action: str, state: str) -> None:
        return

    def healed(self, incidents: int) -> None:
        return

    def violated(self, what: str, number: int) -> None:
        return

    def drill_notification(self, channel: str, outcome: str) -> None:
        return

    def drill_escalated(self, reason: str) -> None:
        return

    def breaker(self, channel: str, provider: str, word: str) -> None:
        return

    def passed_on(self, channel: str, provider: str, reason: str) -> None:
        return

    def budget_refused(self, channel: str, urgency: int) -> None:
        return

    def canary(self, seconds: float) -> None:
        return

    def canary_missed(self) -> None:
        return
