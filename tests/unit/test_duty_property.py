"""Two thousand random rosters, at both clock changes of five zones, against a slow reference on a wall clock."""

from datetime import datetime, timedelta
from random import Random

import pytest

from devices.duty.gaps import outlook
from devices.duty.plan import Pattern, Slot
from devices.duty.rota import turns_at
from devices.duty.standing import standing
from devices.duty.zones import instant
from devices.model import Placement, Role
from tests.unit.roster_reference import CHANGES, HOUR, MINUTE, PLACES, ROLES, Roster, a_roster, here, standing_on

HERE = Placement("", "", tuple(PLACES.values()), "g1")
rosters, per_part, instants_each = 2_000, 250, 12


def moments(roster: Roster, dice: Random) -> list[datetime]:
    """Whole minutes: at random within two days, and close to the clock change."""
    near = [roster.around + dice.randint(-190, 190) * MINUTE for _ in range(instants_each // 2)]
    far = [roster.around + dice.randint(-1500, 1500) * MINUTE for _ in range(instants_each // 2)]
    return near + far


@pytest.mark.parametrize("part", range(rosters // per_part))
def test_rosters_are_read_as_the_slow_reference_reads_them(part: int) -> None:
    staffed = 0
    for seed in range(part * per_part, (part + 1) * per_part):
        dice = Random(seed)
        roster = a_roster(dice)
        snapshot = roster.snapshot()
        for now in moments(roster, dice):
            for role in ROLES:
                stands = standing(snapshot, HERE, role, now)
                assert [stand.person.id for stand in stands] == standing_on(roster, role, now), (seed, now, role)
                assert all(stand.until is None or stand.until > now for stand in stands), (seed, now, role)
                assert all(here(roster, stand.person.id, now) for stand in stands)
                staffed += len(stands)
    assert staffed > per_part * instants_each


@pytest.mark.parametrize("seed", range(40))
def test_the_outlook_has_a_gap_exactly_where_nobody_stands(seed: int) -> None:
    dice = Random(seed)
    roster = a_roster(dice)
    snapshot = roster.snapshot()
    since, until = roster.around - 26 * HOUR, roster.around + 26 * HOUR
    seen = outlook(snapshot, HERE, since, until)
    assert all(gap.starts_at < gap.ends_at for gap in seen.gaps)
    assert all(a.ends_at < b.starts_at for a, b in zip(seen.gaps, seen.gaps[1:], strict=False)), "gaps are apart"
    edges = {at + shift for gap in seen.gaps for at in (gap.starts_at, gap.ends_at) for shift in (-MINUTE, 0 * MINUTE)}
    asked = sorted({since + number * MINUTE for number in range(0, 52 * 60, 11)} | edges)
    for now in (at for at in asked if since <= at < until):
        nobody = not any(standing(snapshot, HERE, role, now) for role in (Role.GRID_WORKER, Role.DEPUTY))
        assert nobody is any(gap.starts_at <= now < gap.ends_at for gap in seen.gaps), now


@pytest.mark.parametrize("zone_name", CHANGES)
@pytest.mark.parametrize("which", [0, 1])
def test_adjoining_slots_cover_every_second_once(zone_name: str, which: int) -> None:
    """Whatever the clock does: around the clock in slots of 37 minutes, somebody stands, and never two."""
    starts = range(0, 1440, 37)
    slots = tuple(Slot(0, minute, min(minute + 37, 1440) % 1440, Role.GRID_WORKER, f"w{minute}") for minute in starts)
    around = CHANGES[zone_name][which]
    pattern = Pattern("p", "g1", None, zone_name, (around - timedelta(days=9)).date(), None, 1, slots)
    for number in range(-5 * 3600, 5 * 3600, 61):
        assert len(turns_at(pattern, around + timedelta(seconds=number), Role.GRID_WORKER)) == 1, number


@pytest.mark.parametrize("zone_name", CHANGES)
@pytest.mark.parametrize("which", [0, 1])
def test_wall_time_never_runs_backwards(zone_name: str, which: int) -> None:
    day = CHANGES[zone_name][which].date().toordinal()
    read = [instant(zone_name, day + number // 1440, number % 1440) for number in range(-1440, 2880)]
    assert read == sorted(read)


def test_both_ends_of_a_handover_in_the_lost_hour_are_the_jump() -> None:
    jump = CHANGES["Europe/Berlin"][0]
    day = jump.date().toordinal()
    assert [instant("Europe/Berlin", day, minute) for minute in (120, 150, 179, 180)] == [jump] * 4


def test_what_the_clock_shows_twice_is_its_first_time() -> None:
    back = CHANGES["Australia/Lord_Howe"][1]
    day = back.date().toordinal() + 1  # local
    assert instant("Australia/Lord_Howe", day, 105) == back - 15 * MINUTE
    assert instant("Australia/Lord_Howe", day, 120) == back + 30 * MINUTE
