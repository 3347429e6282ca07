"""Alarms of devices in test mode: one waits for its restoral; without it, or where it is not alone, it pages. Pure."""

from datetime import timedelta

from alerting.core.books import Books
from alerting.core.decisions import Decision, HoldAlarm, ReleaseHeld, SettleHeld, Suppress
from alerting.core.held import Held, building_of, room_of, why_no_longer
from alerting.core.joining import is_over_for, take
from alerting.core.model import Reason
from alerting.core.signal import SignalIn, ends, key_of_signal, placement_of_signal, signal_of
from alerting.core.world import World
from devices.model import Placement
from devices.signals import SignalKind


def may_wait(signal: SignalIn, placement: Placement, world: World, books: Books) -> bool:
    """Only an alarm that was read waits, where that can be recorded, and never beside an incident it would join."""
    known = books.open.get(key_of_signal(signal, placement))
    alone = known is None or is_over_for(known, signal)
    return signal.kind is SignalKind.ALARM and not signal.unread and alone and not world.not_recorded


def hold(signal: SignalIn, placement: Placement, world: World, books: Books) -> list[Decision]:
    """The alarm waits for its restoral. One that waits already keeps its time."""
    made: list[Decision] = []
    if any((each.device_id, each.code) == (signal.device_id, signal.code) for each in books.held.values()):
        made.append(Suppress(signal.device_id, signal.code, Reason.HELD))
    else:
        due = world.now + timedelta(seconds=world.settings.test_hold_s)
        held = Held(
            id=signal.fresh_id,
            reference=signal.fresh_reference,
            device_id=signal.device_id,
            code=signal.code,
            building_id=building_of(placement),
            room_id=room_of(placement),
            received_at=signal.received_at,
            observed_at=signal.observed_at,
            due_at=due,
        )
        books.held[held.id] = held
        made.append(HoldAlarm(held, Reason.HELD))
    together = dict(books.held)
    for each in together.values():
        reason = why_no_longer(each, together, world.steps, world.now)
        if reason is not None and each.id in books.held:
            made.extend(release(each, reason, world, books))
    return made


def release(each: Held, reason: Reason, world: World, books: Books) -> list[Decision]:
    """It pages as a real alarm, marked."""
    books.held.pop(each.id)
    signal = signal_of(each, reason)
    placement = placement_of_signal(signal, world.snapshot)
    made = take(signal, placement, world, books)
    joined = books.open[key_of_signal(signal, placement)]
    return [*made, ReleaseHeld(each, joined.id, reason)]


def beside(signal: SignalIn, placement: Placement | None, world: World, books: Books) -> list[Decision]:
    """A real alarm of life safety: what a test holds in this building may be the same fire."""
    if placement is None or not books.held or not signal.life_safety:
        return []
    building = building_of(placement)
    made: list[Decision] = []
    for each in list(books.held.values()):
        if each.building_id == building:
            made.extend(release(each, Reason.BESIDE_ALARM, world, books))
    return made


def settled(signal: SignalIn, world: World, books: Books) -> list[Decision]:
    """What this device held is settled, unless its time had passed already: then it pages first."""
    made: list[Decision] = []
    for each in list(books.held.values()):
        if each.device_id != signal.device_id or not ends(signal, f"{each.device_id}|{each.code}"):
            continue
        if each.due_at <= world.now:
            made.extend(release(each, Reason.NOT_RESTORED, world, books))
        else:
            books.held.pop(each.id)
            made.append(SettleHeld(each.id, each.device_id, each.code, Reason.TEST_RESTORED))
    return made
