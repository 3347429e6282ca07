"""What comes and goes: a speaker that moves too often is counted, and its device gets one work order. Pure.

Law: only repeats of that very device and code are folded; what spreads, confirms or opens is not looked at here.
"""

from dataclasses import dataclass, field, replace

from alerting.core.decisions import AddOverlay, Decision, DropOverlay
from alerting.core.extents import anybody_flaps, first_of_minute, flaps, flaps_above
from alerting.core.model import Extent, Incident, Overlay, Reason
from alerting.core.signal import FLAPPING, SignalIn, in_test_mode
from alerting.core.world import World
from devices.signals import SignalKind


@dataclass(frozen=True, slots=True)
class Flap:
    folded: bool = False
    logged: bool = True
    begins: bool = False
    """Its device gets a work order."""
    marks: list[Decision] = field(default_factory=list)


_NOTHING = Flap()


def look(known: Incident, extent: Extent, signal: SignalIn, speaker: str, *, moved: bool, world: World) -> Flap:
    """`extent`: with this signal in it. A tester's device may come and go as it likes."""
    folding = Overlay.FLAPPING in known.overlays
    if signal.raised is not None or signal.waited is not None or not (moved or folding):
        return _NOTHING
    count = flaps(extent.moves, speaker, world.now)
    if count and not in_test_mode(signal.device_id, world):
        begins = moved and (not folding or count == flaps_above + 1)
        marks: list[Decision] = []
        if not folding:
            marks.append(AddOverlay(known.id, Overlay.FLAPPING, Reason.FLAPPING, speaker))
        logged = not folding or (moved and first_of_minute(extent.moves, speaker))
        return Flap(True, logged, begins, marks)
    if moved and folding and not anybody_flaps(extent.moves, world.now):
        return Flap(marks=[DropOverlay(known.id, Overlay.FLAPPING, Reason.CALM)])
    return _NOTHING


def marked(incident: Incident, marks: list[Decision]) -> Incident:
    """The incident with the overlays that these decisions put on or take off."""
    overlays = incident.overlays
    for made in marks:
        if isinstance(made, AddOverlay):
            overlays = overlays | {made.overlay}
        elif isinstance(made, DropOverlay):
            overlays = overlays - {made.overlay}
    return incident if overlays == incident.overlays else replace(incident, overlays=overlays)


def work_order(signal: SignalIn) -> SignalIn:
    """What stands for `this device comes and goes`. The signal joined something: its fresh id is free."""
    return replace(signal, kind=SignalKind.TROUBLE, code=FLAPPING, observed_at=None, test=False, reused=False)
