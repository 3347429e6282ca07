"""What the gateway tells its operator: a few figures, as callbacks. Never names a metrics library."""

from typing import Protocol

from gateway.settings import Lane


class GatewayMetrics(Protocol):
    """Called on the event loop; must return at once and never raise."""

    def intake_depth(self, lane: Lane, n: int) -> None:
        """Messages received and not yet handed over, once a second."""
        ...

    def broker_dropped(self, n: int) -> None:
        """The broker's own count of messages it threw away since its start (absolute, not an increase)."""
        ...

    def telemetry_dropped(self, n: int) -> None:
        """QoS 0 messages that this process dropped since the last call, oldest first."""
        ...

    def connected(self, lane: Lane, up: bool) -> None:
        """The lane's subscriptions were granted, or its connection was lost."""
        ...

    def handled(self, n: int) -> None:
        """Messages of one batch for which `handle` returned."""
        ...


class NoMetrics:
    """Tells nobody."""

    def intake_depth(self, lane: Lane, n: int) -> None:
        return None

    def broker_dropped(self, n: int) -> None:
        return None

    def telemetry_dropped(self, n: int) -> None:
        return None

    def connected(self, lane: Lane, up: bool) -> None:
        return None

    def handled(self, n: int) -> None:
        return None
