"""When a message's cause happened: by the device's own clock where that can be believed, else a word that says why not.

Never decides whether somebody is paged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

clock_plausible_from = datetime(2020, 1, 1, tzinfo=UTC)
clock_ahead_s_max = 60.0
"""A device's clock may be so far ahead of ours; more is a wrong clock."""


class DeviceClock(StrEnum):
    TRUSTED = "trusted"
    NONE = "none"
    """The device told no time that could be read."""
    IMPLAUSIBLE = "implausible"
    """Before there was such a device: its clock was never set."""
    AHEAD = "ahead"
    LATE = "late"
    """Its word came long after it says that it was spoken: a clock behind, or a queue on the way."""


@dataclass(frozen=True, slots=True)
class Heard:
    """The instants of the word that caused a message."""

    received_at: datetime
    observed_at: datetime | None = None
    """Only where the device's clock is trusted."""
    clock: DeviceClock = DeviceClock.NONE


def heard(received_at: datetime, observed_at: datetime | None, late_after_s: float) -> Heard:
    """`late_after_s`: as for the mark `late`."""
    clock = _judged(received_at, observed_at, late_after_s)
    return Heard(received_at, observed_at if clock is DeviceClock.TRUSTED else None, clock)


def _judged(received_at: datetime, observed_at: datetime | None, late_after_s: float) -> DeviceClock:
    if observed_at is None:
        return DeviceClock.NONE
    if observed_at < clock_plausible_from:
        return DeviceClock.IMPLAUSIBLE
    if observed_at > received_at + timedelta(seconds=clock_ahead_s_max):
        return DeviceClock.AHEAD
    if observed_at <= received_at - timedelta(seconds=late_after_s):
        return DeviceClock.LATE
    return DeviceClock.TRUSTED


CHAIN = ("observed", "committed", "submitted", "provider_accepted", "first_receipt", "delivered", "answered", "taken")


def milliseconds(instants: Mapping[str, Any]) -> dict[str, int]:
    """From the event's arrival, or for a later step from its planning, to every instant of the chain that is known."""
    begins: datetime = instants["received_at"] or instants["planned_at"]
    known = {name: instants[f"{name}_at"] for name in CHAIN if instants[f"{name}_at"] is not None}
    return {name: round((at - begins).total_seconds() * 1000) for name, at in known.items()}
