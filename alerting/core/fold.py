"""Signals in, decisions out, in order: each signal sees what the one before it opened. Pure.

Law: identity of an incident is its dedup key; a first signal pages at once, or in test mode after a hold (`holding`); a
second room or a new kind of sensor is never folded away; a restoral never closes; what cannot be placed never waits.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from alerting.core.books import Books, books_of
from alerting.core.decisions import Decision, Suppress
from alerting.core.extents import flaps_above
from alerting.core.held import why_no_longer
from alerting.core.holding import beside, hold, may_wait, release
from alerting.core.joining import take
from alerting.core.keys import dedup_key
from alerting.core.model import Incident, Reason
from alerting.core.restoring import restore
from alerting.core.signal import (
    ALL_WELL,
    FLAPPING,
    SignalIn,
    in_test_mode,
    keys_of,
    keys_touched,
    placement_of_signal,
    signal_of,
)
from alerting.core.world import World
from devices.signals import SignalKind
from devices.taxonomy import TAXONOMY

__all__ = [
    "ALL_WELL",
    "FLAPPING",
    "SignalIn",
    "dedup_key",
    "fold",
    "fold_held",
    "in_test_mode",
    "keys_of",
    "signal_of",
    "work_order_keys",
]

_NO_ALARM = (SignalKind.TEST, SignalKind.TELEMETRY, SignalKind.HEARTBEAT)


def fold(signals: Iterable[SignalIn], world: World) -> list[Decision]:
    """Decide a batch."""
    books = books_of(world)
    decisions: list[Decision] = []
    for signal in signals:
        decisions.extend(_decide(signal, world, books))
    return decisions


def fold_held(world: World) -> list[Decision]:
    """Page what may wait no longer: its time has passed, or two rooms speak at once. The oldest first."""
    books = books_of(world)
    due = [(each, why_no_longer(each, world.held, world.steps, world.now)) for each in world.held.values()]
    decisions: list[Decision] = []
    for each, reason in sorted(due, key=lambda pair: (pair[0].received_at, pair[0].id)):
        if reason is not None and each.id in books.held:
            decisions.extend(release(each, reason, world, books))
    return decisions


def work_order_keys(signals: Sequence[SignalIn], known: Mapping[str, Incident]) -> set[str]:
    """The keys of work orders that these signals may open because their device comes and goes: seldom any.

    `known`: the incidents that they touch. Each signal moves each speaker of its device once at most.
    """
    moves = Counter(signal.device_id for signal in signals if signal.device_id)
    if not any(incident.extent.moves for incident in known.values()) and max(moves.values(), default=0) <= flaps_above:
        return set()
    devices = set(moves)
    moves.update(move.partition("|")[0] for incident in known.values() for move in incident.extent.moves)
    return {dedup_key(TAXONOMY[FLAPPING], None, device) for device in devices if moves[device] > flaps_above}


def _decide(signal: SignalIn, world: World, books: Books) -> list[Decision]:
    if signal.kind in _NO_ALARM:
        return [Suppress(signal.device_id, signal.code, Reason.TEST_ONLY)]
    placement = placement_of_signal(signal, world.snapshot)
    if signal.kind is SignalKind.RESTORAL:
        return restore(signal, placement, keys_touched(signal, placement), world, books)
    in_test = in_test_mode(signal.device_id, world)
    if signal.test and in_test:
        return [Suppress(signal.device_id, signal.code, Reason.TEST_MODE)]
    if in_test and placement is not None and may_wait(signal, placement, world, books):
        return hold(signal, placement, world, books)
    made = take(signal, placement, world, books)
    return [*made, *beside(signal, placement, world, books)]
