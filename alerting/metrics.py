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

    def emergency(self) -> None: ...

    def healed(self, incidents: int) -> None: ...


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

    def emergency(self) -> None:
        return

    def healed(self, incidents: int) -> None:
        return
