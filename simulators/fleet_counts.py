"""What a fleet has sent and heard so far. Plain figures."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class FleetCounts:
    """Running totals; `seconds` since the first message. Repeats are not counted in `alarms`."""

    alarms: int = 0
    repeats: int = 0
    pubacks: int = 0
    receipts: int = 0
    refused: int = 0
    telemetry: int = 0
    heartbeats: int = 0
    reconnects: int = 0
    unsettled: int = 0
    """Alarms without receipt (or, where receipts are not awaited, PUBACK) at the end."""
    seconds: float = 0.0
    receipt_seconds: list[float] = field(default_factory=list)
    """First publish to receipt, one figure per alarm, in order of receipt."""

    def receipt_ms(self, share: float) -> float | None:
        """The receipt time in milliseconds that this share (0 to 1) of the alarms stayed within; None without any."""
        if not self.receipt_seconds:
            return None
        ordered = sorted(self.receipt_seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000
