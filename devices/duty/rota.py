"""Which slots of a pattern cover an instant, and when they change. Pure.

Slots are wall-clock turns in the pattern's own zone; `devices.duty.zones` says which instants they mean. A slot belongs
to the day on which it begins.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from devices.duty.plan import Pattern, Slot
from devices.duty.zones import instant, local_day
from devices.model import Role


@dataclass(frozen=True, slots=True)
class Turn:
    """A slot on one day: [starts_at, ends_at)."""

    slot: Slot
    starts_at: datetime
    ends_at: datetime


def turns_at(pattern: Pattern, now: datetime, role: Role) -> list[Turn]:
    """The turns on this step that cover `now`, in the order of the slots."""
    slots = [slot for slot in pattern.slots if slot.role is role]
    return [turn for turn in _turns(pattern, slots, now, now) if turn.starts_at <= now < turn.ends_at]


def edges(pattern: Pattern, since: datetime, until: datetime) -> Iterator[datetime]:
    """Every begin and end of a turn that touches [since, until]."""
    for turn in _turns(pattern, pattern.slots, since, until):
        yield turn.starts_at
        yield turn.ends_at


def _turns(pattern: Pattern, slots: Iterable[Slot], since: datetime, until: datetime) -> Iterator[Turn]:
    """All turns that may touch the period. A day more on both sides: turns wrap midnight, and so may clock changes."""
    first = pattern.first_day.toordinal()
    last = local_day(pattern.timezone, until) + 1
    if pattern.last_day is not None:
        last = min(last, pattern.last_day.toordinal())
    on_day: dict[int, list[int]] = {}
    for day in range(max(first, local_day(pattern.timezone, since) - 1), last + 1):
        on_day.setdefault((day - first) % pattern.cycle_days, []).append(day)
    for slot in slots:
        for day in on_day.get(slot.day, ()):
            yield _turn(pattern, slot, day)


def _turn(pattern: Pattern, slot: Slot, day: int) -> Turn:
    next_day = slot.to_minute <= slot.from_minute
    starts = instant(pattern.timezone, day, slot.from_minute)
    return Turn(slot, starts, instant(pattern.timezone, day + next_day, slot.to_minute))
