"""Rosters at random, and a slow, obviously right answer to who stands: it reads a wall clock minute by minute.

Shares no code with `devices.duty`. Holds no test.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from random import Random
from zoneinfo import ZoneInfo

from devices.duty.plan import Leave, Override, Pattern, RegistrySnapshot, Scoped, Slot
from devices.model import Language, Person, PersonKind, Place, PlaceKind, Role, Shift

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
CHANGES = {
    "Europe/Berlin": (datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)),
    "America/New_York": (datetime(2026, 3, 8, 7, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)),
    "Australia/Lord_Howe": (datetime(2026, 10, 3, 15, 30, tzinfo=UTC), datetime(2026, 4, 4, 15, tzinfo=UTC)),
    "America/Havana": (datetime(2026, 3, 8, 5, tzinfo=UTC), datetime(2026, 11, 1, 5, tzinfo=UTC)),
    "Asia/Shanghai": (datetime(2026, 5, 1, 16, tzinfo=UTC), datetime(2026, 11, 21, 16, tzinfo=UTC)),
}
"""Zone -> when its clock jumps ahead and when it falls back; Lord Howe by half an hour, Havana at midnight."""
MINUTES = (0, 15, 30, 45, 59, 60, 75, 90, 105, 119, 120, 121, 150, 180, 480, 720, 1050, 1320, 1410, 1439)
ROLES = (Role.GRID_WORKER, Role.DEPUTY, Role.NEIGHBOUR_GRID, Role.COMMUNITY_DUTY)
PEOPLE = tuple("甲乙丙丁戊己")
PLACES = {
    "street": Place("street", PlaceKind.STREET, "街道", "St", ("street",)),
    "community": Place("community", PlaceKind.COMMUNITY, "社区", "Cmty", ("street", "community")),
}


@dataclass(frozen=True, slots=True)
class Roster:
    """One random plan near one clock change. All lists are flat: the reference filters them itself."""

    around: datetime
    timezone: str
    people: dict[str, Person]
    shifts: list[Shift] = field(default_factory=list)
    patterns: list[Pattern] = field(default_factory=list)
    overrides: list[Override] = field(default_factory=list)
    leaves: list[tuple[str, Leave]] = field(default_factory=list)
    members: dict[str, tuple[str, ...]] = field(default_factory=dict)
    neighbours: dict[str, tuple[str, ...]] = field(default_factory=dict)
    night_rules: dict[str, tuple[int, int]] = field(default_factory=dict)

    def snapshot(self) -> RegistrySnapshot:
        """The same as the resolver takes it."""
        return RegistrySnapshot(
            places=PLACES,
            people=self.people,
            shifts_by_grid={g: tuple(s for s in self.shifts if s.grid_id == g) for g in ("g1", "g2")},
            shifts_by_place={p: tuple(s for s in self.shifts if s.place_id == p) for p in PLACES},
            shifts_global=tuple(s for s in self.shifts if s.grid_id is None and s.place_id is None),
            planned_by_grid={g: self._scoped(g, None) for g in ("g1", "g2")},
            planned_by_place={p: self._scoped(None, p) for p in PLACES},
            planned_global=self._scoped(None, None),
            members=self.members,
            neighbours=self.neighbours,
            night_rules=self.night_rules,
            leaves={who: tuple(away for name, away in self.leaves if name == who) for who in PEOPLE},
            timezone=self.timezone,
        )

    def _scoped(self, grid: str | None, place: str | None) -> Scoped:
        return Scoped(
            tuple(p for p in self.patterns if (p.grid_id, p.place_id) == (grid, place)),
            tuple(o for o in self.overrides if (o.grid_id, o.place_id) == (grid, place)),
        )


def a_roster(dice: Random) -> Roster:
    zone_name = dice.choice(tuple(CHANGES))
    around = dice.choice(CHANGES[zone_name])
    other_zone = zone_name if dice.random() < 0.7 else dice.choice(tuple(CHANGES))
    roster = Roster(around, zone_name, {who: _person(dice, who, around) for who in PEOPLE if dice.random() < 0.9})
    for number in range(dice.choice((0, 0, 1, 2, 4))):
        roster.shifts.append(_shift(dice, f"s{number}", around))
    for number in range(dice.choice((0, 1, 1, 2))):
        roster.patterns.append(_pattern(dice, f"p{number}", other_zone, around))
    for number in range(dice.choice((0, 0, 1, 3, 5))):
        roster.overrides.append(_override(dice, f"o{number}", around))
    for _ in range(dice.choice((0, 0, 1, 3))):
        roster.leaves.append((dice.choice(PEOPLE), Leave(*_period(dice, around))))
    for grid in ("g1", "g2"):
        roster.members[grid] = tuple(dice.sample(PEOPLE, dice.choice((0, 1, 2, 3))))
        if dice.random() < 0.4:
            roster.night_rules[grid] = (dice.choice(MINUTES), dice.choice(MINUTES))
    roster.neighbours["g1"] = ("g2",)
    return roster


def _person(dice: Random, who: str, around: datetime) -> Person:
    kind = dice.choice((PersonKind.WORKER, PersonKind.WORKER, PersonKind.VOLUNTEER))
    left = around + dice.randint(-1000, 3000) * MINUTE if dice.random() < 0.15 else None
    hours = (dice.choice(MINUTES), dice.choice(MINUTES)) if dice.random() < 0.7 else None
    return Person(who, kind, who, who, Language.ZH_CN, (), left, hours)


def _where(dice: Random) -> tuple[Role, str | None, str | None]:
    """A step, and the grid or place (or neither) for which somebody stands on it."""
    if dice.random() < 0.1:
        return dice.choice(ROLES), None, None
    role = dice.choice((*ROLES, Role.GRID_WORKER))
    if role is Role.COMMUNITY_DUTY:
        return role, None, dice.choice(tuple(PLACES))
    return role, dice.choice(("g1", "g1", "g2")), None


def _period(dice: Random, around: datetime) -> tuple[datetime, datetime]:
    starts = around + dice.randint(-40, 30) * 47 * MINUTE
    return starts, starts + dice.randint(1, 60) * 31 * MINUTE


def _shift(dice: Random, id_: str, around: datetime) -> Shift:
    role, grid, place = _where(dice)
    starts, ends = _period(dice, around)
    open_start, open_end = dice.random() < 0.5, dice.random() < 0.5
    times = (None if open_start else starts, None if open_end else ends)
    return Shift(id_, role, dice.choice(PEOPLE), grid, place, *times, dice.randint(0, 2))


def _pattern(dice: Random, id_: str, zone_name: str, around: datetime) -> Pattern:
    role, grid, place = _where(dice)
    cycle = dice.choice((1, 2, 3, 7, 7, 10))
    first = (around - dice.randint(0, 30) * DAY).date()
    last = first + dice.randint(0, 40) * DAY if dice.random() < 0.2 else None
    slots = []
    for _ in range(dice.randint(1, 6)):
        other = dice.choice((Role.GRID_WORKER, Role.DEPUTY)) if grid else role
        minutes = dice.choice(MINUTES), dice.choice(MINUTES)
        slots.append(Slot(dice.randrange(cycle), *minutes, other, dice.choice(PEOPLE), dice.randint(0, 2)))
    return Pattern(id_, grid, place, zone_name, first, last, cycle, tuple(slots))


def _override(dice: Random, id_: str, around: datetime) -> Override:
    role, grid, place = _where(dice)
    replaces = dice.choice((None, *PEOPLE))
    kind = dice.choice(("override", "cover"))
    return Override(id_, kind, role, dice.choice(PEOPLE), replaces, grid, place, *_period(dice, around))


# --- the reference ---------------------------------------------------------------------------------------------------


@cache
def wall_clock(zone_name: str, since: datetime) -> list[datetime]:
    """For every minute of twelve days from `since`: the furthest that the clock on the wall has shown by then.

    A handover at 02:30 takes place when the clock first shows 02:30 or more: at its first 02:30 where it falls back,
    at the jump where it jumps over it.
    """
    furthest, shown = datetime(1, 1, 1), []  # noqa: DTZ001 - a wall clock has no zone
    for number in range(12 * 1440):
        wall = (since + number * MINUTE).astimezone(ZoneInfo(zone_name)).replace(tzinfo=None)
        furthest = max(furthest, wall)
        shown.append(furthest)
    return shown


def the_wall(zone_name: str, around: datetime, now: datetime) -> datetime:
    since = around - 6 * DAY
    return wall_clock(zone_name, since)[(now - since) // MINUTE]


def _on_wall(day: date, begins: int, ends: int, wall: datetime) -> bool:
    midnight = datetime(day.year, day.month, day.day)  # noqa: DTZ001
    finish = midnight + ends * MINUTE
    if ends <= begins:
        finish += DAY
    return midnight + begins * MINUTE <= wall < finish


def in_hours(roster: Roster, hours: tuple[int, int], now: datetime) -> bool:
    wall = the_wall(roster.timezone, roster.around, now)
    return any(_on_wall(wall.date() + days * DAY, *hours, wall) for days in (-1, 0))


def here(roster: Roster, who: str, now: datetime) -> bool:
    person = roster.people.get(who)
    if person is None:
        return False
    if person.left_at is not None and now >= person.left_at:
        return False
    if any(name == who and away.starts_at <= now < away.ends_at for name, away in roster.leaves):
        return False
    return person.kind is not PersonKind.VOLUNTEER or person.hours is None or in_hours(roster, person.hours, now)


def gone(roster: Roster, who: str | None, now: datetime) -> bool:
    """Has he left for good?"""
    if who is None:
        return False
    person = roster.people.get(who)
    return person is None or (person.left_at is not None and now >= person.left_at)


def named(roster: Roster, role: Role, where: list[tuple[str | None, str | None]], now: datetime) -> list[str]:
    """Whom shifts and patterns of these grids or places name, in order, and whether by a standing shift."""
    return [who for _, _, who in _named(roster, role, where, now)]


def _named(
    roster: Roster, role: Role, where: list[tuple[str | None, str | None]], now: datetime
) -> list[tuple[bool, int, str]]:
    found: list[tuple[bool, int, str]] = []
    for spot in where:
        for shift in roster.shifts:
            begun = shift.starts_at is None or shift.starts_at <= now
            over = shift.ends_at is not None and shift.ends_at <= now
            if (shift.grid_id, shift.place_id) == spot and shift.role is role and begun and not over:
                found.append((shift.starts_at is None and shift.ends_at is None, shift.rank, shift.person_id))
        for pattern in roster.patterns:
            if (pattern.grid_id, pattern.place_id) == spot:
                found += [(False, slot.rank, slot.person_id) for slot in _slots_now(roster, pattern, role, now)]
    return sorted(found, key=lambda each: each[:2])


def _slots_now(roster: Roster, pattern: Pattern, role: Role, now: datetime) -> Iterable[Slot]:
    wall = the_wall(pattern.timezone, roster.around, now)
    for slot in pattern.slots:
        for day in (wall.date() - DAY, wall.date()):
            if day < pattern.first_day or (pattern.last_day is not None and day > pattern.last_day):
                continue
            in_cycle = (day - pattern.first_day).days % pattern.cycle_days == slot.day
            if slot.role is role and in_cycle and _on_wall(day, slot.from_minute, slot.to_minute, wall):
                yield slot


def holding(roster: Roster, role: Role, where: list[tuple[str | None, str | None]], now: datetime) -> list[Override]:
    """Overrides of these grids or places that hold, the newest first within each."""
    found: list[Override] = []
    for spot in where:
        of_spot = [
            each
            for each in roster.overrides
            if (each.grid_id, each.place_id) == spot
            and each.role is role
            and each.starts_at <= now < each.ends_at
            and here(roster, each.person_id, now)
        ]
        found += sorted(of_spot, key=lambda each: (each.starts_at, each.id), reverse=True)
    return found


def put_in(roster: Roster, people: list[str], overrides: list[Override], now: datetime) -> list[str]:
    """People with those in their place who stand in for them; who is away is left out, nobody twice."""
    order: list[str] = []
    for who in people:
        order += [each.person_id for each in overrides if each.replaces_id == who] or [who]
    return list(dict.fromkeys(who for who in order if here(roster, who, now)))


def planned(roster: Roster, role: Role, where: list[tuple[str | None, str | None]], now: datetime) -> list[str]:
    """The plan of some grid or places with its overrides."""
    overrides = holding(roster, role, where, now)
    alone = [each.person_id for each in overrides if each.replaces_id is None]
    if alone:
        return list(dict.fromkeys(alone))
    for_leavers = [each.person_id for each in overrides if gone(roster, each.replaces_id, now)]
    return list(dict.fromkeys(for_leavers + put_in(roster, named(roster, role, where, now), overrides, now)))


def first_two(roster: Roster, grid: str, now: datetime) -> tuple[list[str], list[str], bool]:
    """Grid workers, deputies, and whether only standing duty holds the first step."""
    where: list[tuple[str | None, str | None]] = [(grid, None)]
    workers = planned(roster, Role.GRID_WORKER, where, now)
    deputies = planned(roster, Role.DEPUTY, where, now)
    overrides = holding(roster, Role.GRID_WORKER, where, now)
    if workers:
        general = any(each.replaces_id is None or gone(roster, each.replaces_id, now) for each in overrides)
        rostered = [who for standing, _, who in _named(roster, Role.GRID_WORKER, where, now) if not standing]
        return workers, deputies, not general and not put_in(roster, rostered, overrides, now)
    left = list(roster.members.get(grid, ()))
    for member in tuple(left):
        workers = put_in(roster, [member], overrides, now)
        if workers:
            left.remove(member)
            break
    others = put_in(roster, left, holding(roster, Role.DEPUTY, where, now), now)
    return workers, deputies or [who for who in others if who not in workers], True


def standing_on(roster: Roster, role: Role, now: datetime) -> list[str]:
    """Who stands on this step for grid g1 of the community."""
    everywhere: list[tuple[str | None, str | None]] = [(None, None)]
    return _local(roster, role, now) or planned(roster, role, everywhere, now)


def _local(roster: Roster, role: Role, now: datetime) -> list[str]:
    if role is Role.COMMUNITY_DUTY:
        return planned(roster, role, [(None, "community"), (None, "street")], now)
    if role is Role.NEIGHBOUR_GRID:
        return planned(roster, role, [("g1", None)], now) or first_two(roster, "g2", now)[0]
    workers, deputies, only_standing = first_two(roster, "g1", now)
    rule = roster.night_rules.get("g1")
    if rule is not None and only_standing and in_hours(roster, rule, now):
        duty = standing_on(roster, Role.COMMUNITY_DUTY, now)
        if duty:
            own = list(dict.fromkeys(workers + deputies))
            workers, deputies = duty, [who for who in own if who not in duty]
    return workers if role is Role.GRID_WORKER else deputies
