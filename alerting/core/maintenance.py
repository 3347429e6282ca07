"""Maintenance windows: which devices' signals nobody is paged for, and until when. Pure.

Law: an alarm of class A, severity 1 and whatever a person raises are never touched; a window always ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.core.model import Incident
from devices.model import Placement
from devices.taxonomy import TAXONOMY, SignalClass

window_hours_max = 24


@dataclass(frozen=True, slots=True)
class Window:
    """Work on a device, or on everything at and below a place."""

    id: str
    place_id: str | None
    device_id: str | None
    starts_at: datetime
    ends_at: datetime


def covering(windows: Sequence[Window], device_id: str, placement: Placement | None, now: datetime) -> Window | None:
    """The window that covers this device now; of several the one that ends last."""
    on_path = {place.id for place in placement.chain} if placement is not None else set()
    found = [
        window
        for window in windows
        if window.starts_at <= now < window.ends_at
        and ((window.device_id is not None and window.device_id == device_id) or window.place_id in on_path)
    ]
    return max(found, key=lambda window: window.ends_at, default=None)


def life_safety(incident: Incident) -> bool:
    """Class A, severity 1, by itself or by what its code says: exempt from everything here."""
    return TAXONOMY[incident.code].life_safety or (incident.cls is SignalClass.A and incident.severity == 1)


def may_wait(incident: Incident) -> bool:
    """A device opened it, and nobody's life hangs on it."""
    return incident.raised_by is None and incident.device_id is not None and not life_safety(incident)
