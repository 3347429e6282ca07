"""A signal as the core takes it: what, from which device or person, and where that is. Decides nothing. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from alerting.core.held import Held
from alerting.core.keys import dedup_key
from alerting.core.model import Raised, Reason
from alerting.core.world import World
from devices.model import Placement
from devices.resolve import RegistrySnapshot, place_by_id, place_device
from devices.signals import SignalKind
from devices.taxonomy import TAXONOMY, Hazard

ALL_WELL = "device.restore"
"""As a restoral: the device names no condition, so it ends every one of its own."""
FLAPPING = "device.flapping"
"""The code of the work order for a device that comes and goes."""


@dataclass(frozen=True, slots=True)
class SignalIn:
    """One new signal with what the shell drew for it beforehand: id and reference, used if it opens an incident."""

    device_id: str
    kind: SignalKind
    code: str
    received_at: datetime
    observed_at: datetime | None
    test: bool
    fresh_id: str
    fresh_reference: str
    unread: bool = False
    """It claims fire but could not be read or placed."""
    signal_dbm: float | None = None
    """How strong the radio was when it was sent, where the device says so."""
    waited: Reason | None = None
    """It was held in test mode, and waits no longer for this reason."""
    place_id: str | None = None
    """Where, if a person says so; else the device's place."""
    raised: Raised | None = None
    """Who raised it, where no device did: `device_id` is empty then."""
    reused: bool = False
    """Its event id was used before, with other content."""

    @property
    def hazard(self) -> Hazard:
        return TAXONOMY[self.code]

    @property
    def life_safety(self) -> bool:
        return self.kind is SignalKind.ALARM and TAXONOMY[self.code].life_safety

    @property
    def speaker(self) -> str:
        """Who says what, as `Extent.active` keeps it; a person stands there as `person:<id>`."""
        return f"{self.device_id}|{self.code}" if self.raised is None else f"{PERSON}{self.raised.by}|{self.code}"


PERSON = "person:"


def signal_of(held: Held, reason: Reason | None = None) -> SignalIn:
    """The alarm that was held, as it came in."""
    return SignalIn(
        device_id=held.device_id,
        kind=SignalKind.ALARM,
        code=held.code,
        received_at=held.received_at,
        observed_at=held.observed_at,
        test=False,
        fresh_id=held.id,
        fresh_reference=held.reference,
        waited=reason,
    )


def placement_of_signal(signal: SignalIn, snapshot: RegistrySnapshot) -> Placement | None:
    """Where it is: as the person says, else where its device stands."""
    if signal.place_id is not None:
        return place_by_id(snapshot, signal.place_id, signal.device_id)
    placed = place_device(snapshot, signal.device_id)
    return placed if isinstance(placed, Placement) else None


def key_of_signal(signal: SignalIn, placement: Placement | None) -> str:
    return dedup_key(TAXONOMY[signal.code], placement, signal.device_id, signal.place_id or signal.fresh_id)


def keys_of(signals: Sequence[SignalIn], world: World) -> set[str]:
    """The dedup keys a batch may touch: the shell loads their open incidents."""
    keys: set[str] = set()
    for signal in signals:
        keys.update(keys_touched(signal, placement_of_signal(signal, world.snapshot)))
    return keys


def keys_touched(signal: SignalIn, placement: Placement | None) -> tuple[str, ...]:
    """One key, but for a restoral that names no condition: all that this device can have opened here."""
    if signal.kind is not SignalKind.RESTORAL or signal.code != ALL_WELL:
        return (key_of_signal(signal, placement),)
    keys = (dedup_key(hazard, placement, signal.device_id) for hazard in TAXONOMY.values())
    return tuple(dict.fromkeys(keys))


def ends(signal: SignalIn, entry: str) -> bool:
    """Does this restoral end that entry of `Extent.active`? No detector says that a device has stopped flapping."""
    if signal.code != ALL_WELL:
        return entry == signal.speaker
    device, _, code = entry.rpartition("|")
    return device == signal.device_id and code != FLAPPING


def in_test_mode(device_id: str, world: World) -> bool:
    device = world.snapshot.devices.get(device_id)
    return device is not None and device.test_mode_until is not None and device.test_mode_until > world.now
