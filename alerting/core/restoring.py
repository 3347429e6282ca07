"""A restoral: its device stops speaking in every incident that this ends. Pure. Law: none of them closes."""

from collections.abc import Iterable
from dataclasses import replace

from alerting.core.books import Books
from alerting.core.decisions import Decision, SetCondition, Suppress
from alerting.core.extents import quieter
from alerting.core.flapping import Flap, look, marked
from alerting.core.holding import settled
from alerting.core.joining import odd, take_work_order
from alerting.core.model import Condition, Incident, Reason
from alerting.core.signal import SignalIn, ends
from alerting.core.world import World
from devices.model import Placement


def restore(
    signal: SignalIn, placement: Placement | None, keys: Iterable[str], world: World, books: Books
) -> list[Decision]:
    """What it held was a test."""
    made = settled(signal, world, books)
    for key in keys:
        known = books.open.get(key)
        ended = () if known is None else tuple(entry for entry in known.extent.active if ends(signal, entry))
        if known is not None and ended:
            made.extend(_quiet(signal, placement, known, ended, world, books))
    return made or [Suppress(signal.device_id, signal.code, Reason.NOTHING_OPEN)]


def _quiet(
    signal: SignalIn,
    placement: Placement | None,
    known: Incident,
    ended: tuple[str, ...],
    world: World,
    books: Books,
) -> list[Decision]:
    extent = quieter(known.extent, ended, world.now)
    condition = Condition.ACTIVE if extent.active else Condition.RESTORED
    looked = [look(known, extent, signal, entry, moved=True, world=world) for entry in ended]
    flap = next((each for each in looked if each.folded), looked[0] if looked else Flap())
    books.open[known.dedup_key] = marked(replace(known, extent=extent, condition=condition), flap.marks)
    reason = Reason.FLAPPING if flap.folded else Reason.RESTORED
    quiet = SetCondition(known.id, condition, signal.device_id, extent, reason, logged=flap.logged)
    orders = take_work_order(signal, placement, world, books) if flap.begins else []
    return [quiet, *odd(signal, known.id), *flap.marks, *orders]
