"""The canary: an alarm of nobody that goes the whole way to a loop-back provider, and what its fate means. Pure.

Law: it opens nothing, pages nobody and is counted nowhere but in its own figures.
"""

from dataclasses import dataclass
from datetime import datetime

CANARY_DEVICE = "gengfu-canary"
"""No device may be called so."""
CANARY_TOPIC = f"gengfu/v1/{CANARY_DEVICE}/up/event"
CANARY_CODE = "fire.smoke"
"""Its messages are read, ordered and committed as a fire's are."""
CANARY_PURPOSE = "canary"
misses_max = 2
"""So many in a row, and the administrator on call is paged."""
late_s = 5.0
"""The ceiling of the product: from the broker to the provider."""


@dataclass(frozen=True, slots=True)
class CanaryRow:
    """How the latest one fared."""

    every_s: float
    """0: switched off."""
    looked_at: datetime | None
    """When the publisher last judged one and sent the next."""
    misses: int
    token: str | None
    sent_at: datetime | None
    committed_at: datetime | None
    heard_token: str | None
    heard_at: datetime | None
    seconds: float | None
    violations: int
    """Incidents that were found without anything due, and healed, ever."""
    violated_at: datetime | None


def fault(row: CanaryRow | None, now: datetime) -> str | None:
    """One sentence when alarms do not come through, else None; so too where it is off or has only begun."""
    if row is None or row.every_s <= 0 or row.looked_at is None:
        return None
    if row.misses >= misses_max:
        return f"{row.misses} canary alarms in a row did not come through: real ones would not either"
    if row.seconds is not None and row.seconds > late_s:
        return f"the last canary alarm took {row.seconds:.1f} s, more than {late_s:.0f} s"
    quiet_s = (now - row.looked_at).total_seconds()
    if quiet_s > misses_max * row.every_s + late_s:
        return f"no canary alarm was sent for {quiet_s:.0f} s: the gateway does not work"
    return None
