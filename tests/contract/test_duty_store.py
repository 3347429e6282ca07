"""Grids' people, patterns, overrides, leave: written and read alike on both databases; duty as from memory."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
from random import Random

import pytest
from sqlalchemy import Connection, insert
from sqlalchemy.exc import IntegrityError

from devices.duty.plan import Leave, Override, Pattern, RegistrySnapshot, Slot
from devices.duty.standing import Stand, standing
from devices.model import PlaceKind, Placement, Role
from devices.resolve import place_by_id
from devices.store import duty_report, grids, leaves, overrides, patterns, people, places, shifts, snapshot
from devices.store.grids import GridRow
from devices.store.leaves import LeaveRow
from devices.store.overrides import OverrideRow
from devices.store.patterns import PatternRow
from devices.store.places import PlaceRow
from devices.store.scope import of_places
from devices.store.shifts import ShiftRow
from devices.store.tables import people as people_table
from tests.contract.registry_support import NOW, Registry, contact, person
from tests.unit.roster_reference import MINUTE, PEOPLE, ROLES, Roster, a_roster

pytest_plugins = ["tests.contract.registry_fixtures"]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FOR_EVER = NOW + 3650 * DAY


def a_pattern(id_: str = "p1", grid_id: str | None = "grid") -> PatternRow:
    slots = (
        Slot(0, 480, 1200, Role.GRID_WORKER, "jia", 1),
        Slot(0, 1200, 480, Role.GRID_WORKER, "yi"),
        Slot(2, 0, 0, Role.DEPUTY, "jia"),
    )
    pattern = Pattern(id_, grid_id, None, "Europe/Berlin", date(2025, 1, 6), date(2026, 12, 31), 3, slots)
    return PatternRow(pattern, "三天一轮")


def an_override(id_: str = "o1", **changes: object) -> OverrideRow:
    plain = Override(id_, "override", Role.GRID_WORKER, "yi", "jia", "grid", None, NOW - HOUR, NOW + HOUR)
    return OverrideRow(replace(plain, **changes), "替班")  # type: ignore[arg-type]


async def test_a_grid_keeps_its_people_and_neighbours_in_their_order(city: Registry) -> None:
    others = [GridRow(f"g{number}", f"g{number}", "网格", "Grid") for number in (1, 2)]
    await city.write(lambda conn: grids.insert_many(conn, others))
    row = await city.read(lambda conn: grids.get(conn, "grid"))
    assert row is not None
    full = replace(row, worker_ids=("yi", "jia"), neighbour_ids=("g2", "g1"), night=(1320, 420))
    assert await city.write(lambda conn: grids.update_one(conn, full))
    assert await city.read(lambda conn: grids.get(conn, "grid")) == replace(full, version=2)
    assert not await city.write(lambda conn: grids.update_one(conn, full)), "an old version"
    bare = replace(full, worker_ids=(), neighbour_ids=(), night=None, version=2)
    assert await city.write(lambda conn: grids.update_one(conn, bare))
    assert await city.read(lambda conn: grids.find(conn, "zjs-01")) == replace(bare, version=3)


async def test_a_grid_takes_no_unknown_people(city: Registry) -> None:
    stranger = GridRow("g9", "g9", "网格", "Grid", worker_ids=("nobody",))
    with pytest.raises(IntegrityError):
        await city.write(lambda conn: grids.insert_many(conn, [stranger]))
    assert await city.read(lambda conn: grids.get(conn, "g9")) is None


async def test_a_pattern_comes_back_as_it_was_written(city: Registry) -> None:
    row = a_pattern()
    await city.write(lambda conn: patterns.insert_many(conn, [row]))
    assert await city.read(lambda conn: patterns.get(conn, "p1")) == row
    shorter = replace(row, pattern=replace(row.pattern, slots=row.pattern.slots[1:], last_day=None), name="改")
    assert await city.write(lambda conn: patterns.update_one(conn, shorter))
    assert not await city.write(lambda conn: patterns.update_one(conn, shorter)), "an old version"
    changed = replace(shorter, version=2)
    assert await city.read(lambda conn: patterns.of_scope(conn, "grid", None)) == [changed]
    assert await city.read(lambda conn: patterns.of_scope(conn, None, None)) == []
    assert not await city.write(lambda conn: patterns.remove(conn, shorter))
    assert await city.read(lambda conn: patterns.get(conn, "p1")) == changed, "an old version takes nothing away"
    assert await city.write(lambda conn: patterns.remove(conn, changed))
    assert await city.read(lambda conn: patterns.get(conn, "p1")) is None


async def test_overrides_and_leave_come_back_as_they_were_written(city: Registry) -> None:
    row, away = an_override(), LeaveRow("l1", "jia", Leave(NOW, NOW + DAY), "年假")
    await city.write(lambda conn: overrides.insert_many(conn, [row]))
    await city.write(lambda conn: leaves.insert_many(conn, [away]))
    assert await city.read(lambda conn: overrides.get(conn, "o1")) == row
    assert await city.read(lambda conn: leaves.get(conn, "l1")) == away
    longer = replace(row, override=replace(row.override, ends_at=NOW + DAY, replaces_id=None))
    later = replace(away, leave=Leave(NOW + DAY, NOW + 2 * DAY))
    assert await city.write(lambda conn: overrides.update_one(conn, longer))
    assert await city.write(lambda conn: leaves.update_one(conn, later))
    assert await city.read(lambda conn: overrides.page(conn, None, 10, grid_id="grid")) == [replace(longer, version=2)]
    assert await city.read(lambda conn: leaves.page(conn, None, 10, person_id="jia")) == [replace(later, version=2)]
    assert await city.read(lambda conn: leaves.page(conn, None, 10, ends_after=NOW + 2 * DAY)) == []
    assert not await city.write(lambda conn: overrides.remove(conn, row) or leaves.remove(conn, away))
    assert await city.write(lambda conn: overrides.remove(conn, replace(row, version=2)))
    assert await city.write(lambda conn: leaves.remove(conn, replace(away, version=2)))
    assert await city.read(lambda conn: (overrides.get(conn, "o1"), leaves.get(conn, "l1"))) == (None, None)


async def test_lists_end_where_the_scope_ends(city: Registry) -> None:
    def fill(conn: Connection) -> None:
        people.update_one(conn, replace(person("jia"), place_id="compound"))
        patterns.insert_many(conn, [a_pattern()])
        overrides.insert_many(conn, [an_override(), an_override("o2", role=Role.CONTROL_ROOM, grid_id=None)])
        leaves.insert_many(conn, [LeaveRow(f"l-{who}", who, Leave(NOW, FOR_EVER)) for who in ("jia", "yi")])

    await city.write(fill)
    for place_id, ids in (("community", ["p1", "o1", "l-jia"]), ("compound", ["l-jia"]), ("gone", [])):

        def listed(conn: Connection, place_id: str = place_id) -> list[str]:
            scope = of_places(conn, [place_id])
            return [
                *(row.pattern.id for row in patterns.page(conn, None, 10, within=scope)),
                *(row.override.id for row in overrides.page(conn, None, 10, within=scope)),
                *(row.id for row in leaves.page(conn, None, 10, within=scope)),
            ]

        assert await city.read(listed) == ids


async def test_only_what_may_matter_is_loaded(city: Registry) -> None:
    def fill(conn: Connection) -> None:
        times = {"past": (-2, 0), "now": (-1, 1), "later": (1, 2)}
        overrides.insert_many(
            conn,
            [an_override(id_, starts_at=NOW + a * HOUR, ends_at=NOW + b * HOUR) for id_, (a, b) in times.items()],
        )
        leaves.insert_many(
            conn, [LeaveRow(id_, "yi", Leave(NOW + a * HOUR, NOW + b * HOUR)) for id_, (a, b) in times.items()]
        )
        grids.insert_many(conn, [GridRow("far", "far", "网格", "Grid", worker_ids=("jia",))])

    await city.write(fill)

    def ids(found: RegistrySnapshot) -> tuple[set[str], int]:
        scoped = found.planned_by_grid["grid"].overrides
        return {each.id for each in scoped}, len(found.leaves["yi"])

    one = await city.read(lambda conn: snapshot.load(conn, ["smoke-0001"], NOW))
    assert ids(one) == ({"now"}, 1)
    assert one.members == {}, "another grid's people"
    ahead = await city.read(lambda conn: snapshot.load(conn, ["smoke-0001"], NOW, until=NOW + 7 * DAY))
    assert ids(ahead) == ({"now", "later"}, 2)
    everything = await city.read(lambda conn: snapshot.load_all(conn, NOW))
    assert ids(everything) == ({"now", "later"}, 2)
    assert everything.members == {"far": ("jia",)}


async def test_neighbours_come_when_they_are_asked_for(city: Registry) -> None:
    def fill(conn: Connection) -> None:
        people.insert_many(conn, [person("bing")])
        grids.insert_many(conn, [GridRow("near", "near", "网格", "Grid", worker_ids=("bing",))])
        row = grids.get(conn, "grid")
        assert row is not None
        grids.update_one(conn, replace(row, neighbour_ids=("near",)))

    await city.write(fill)

    def helpers(found: RegistrySnapshot) -> list[str]:
        placement = place_by_id(found, "room")
        return [stand.person.id for stand in standing(found, placement, Role.NEIGHBOUR_GRID, NOW)]

    lean = await city.read(lambda conn: snapshot.load(conn, ["smoke-0001"], NOW, neighbours=False))
    assert helpers(lean) == []
    assert helpers(await city.read(lambda conn: snapshot.with_neighbours(conn, lean, NOW))) == ["bing"]
    assert helpers(await city.read(lambda conn: snapshot.load(conn, ["smoke-0001"], NOW))) == ["bing"]
    assert helpers(await city.read(lambda conn: snapshot.load_all(conn, NOW))) == ["bing"]


def write_roster(conn: Connection, roster: Roster) -> None:
    """The random roster as rows; who is missing from it has left long ago."""
    street = PlaceRow("street", PlaceKind.STREET, "街道", "St", ("street",))
    places.insert_many(
        conn, [street, PlaceRow("community", PlaceKind.COMMUNITY, "社区", "Cmty", ("street", "community"))]
    )
    for who in PEOPLE:
        known = roster.people.get(who)
        hours = known.hours if known and known.hours else (None, None)
        row = {"id": who, "kind": known.kind.value if known else "worker", "code": who, "name": who, "name_en": who}
        left = known.left_at if known else roster.around - 99 * DAY
        times = {"left_at": left, "hours_from": hours[0], "hours_to": hours[1]}
        conn.execute(insert(people_table).values(**row, **times, language="zh-CN"))
    rows = [
        GridRow(g, g, g, g, "community", (), 1, roster.members[g], (), roster.night_rules.get(g)) for g in ("g2", "g1")
    ]
    rows[1] = replace(rows[1], neighbour_ids=roster.neighbours["g1"])
    for row_ in rows:
        grids.insert_many(conn, [row_])
    shifts.insert_many(conn, [ShiftRow(each) for each in roster.shifts])
    patterns.insert_many(conn, [PatternRow(each, "轮班") for each in roster.patterns])
    overrides.insert_many(conn, [OverrideRow(each) for each in roster.overrides])
    leaves.insert_many(conn, [LeaveRow(f"l{n}", who, away) for n, (who, away) in enumerate(roster.leaves)])


def at_once(conn: Connection, at: datetime, zone: str) -> RegistrySnapshot:
    return snapshot.load(conn, (), at, place_ids=["community"], grid_ids=["g1"], timezone=zone)


def as_told(found: RegistrySnapshot, role: Role, at: datetime) -> list[Stand]:
    placement = place_by_id(found, "community", grid_id="g1")
    assert isinstance(placement, Placement)
    return list(standing(found, placement, role, at))


@pytest.mark.parametrize("seed", range(6))
async def test_duty_from_the_database_is_duty_from_memory(registry: Registry, seed: int) -> None:
    dice = Random(seed)
    roster = a_roster(dice)
    memory = roster.snapshot()
    await registry.write(lambda conn: write_roster(conn, roster))
    since, until = roster.around - 1500 * MINUTE, roster.around + 1500 * MINUTE
    zone = roster.timezone
    everything = await registry.read(lambda conn: snapshot.load_all(conn, since, timezone=zone))
    period = await registry.read(
        lambda conn: snapshot.load(
            conn, (), since, place_ids=["community"], grid_ids=["g1"], until=until, timezone=zone
        )
    )
    for _ in range(12):
        at = roster.around + dice.randint(-1500, 1499) * MINUTE
        now = await registry.read(partial(at_once, at=at, zone=zone))
        for role in ROLES:
            expected = as_told(memory, role, at)
            assert as_told(now, role, at) == expected
            assert as_told(everything, role, at) == expected
            assert as_told(period, role, at) == expected


async def test_who_was_never_verified(city: Registry) -> None:
    def fill(conn: Connection) -> None:
        people.insert_many(conn, [person("bing")])
        people.add_contacts(conn, [replace(contact("9", "bing"), verified_at=NOW)])
        people.verify_contact(conn, "4", NOW)  # yi opted out of it

    await city.write(fill)
    found = await city.read(lambda conn: duty_report.unverified(conn, ["jia", "yi", "bing", "nobody"]))
    assert found == {"jia", "yi"}
    assert await city.read(lambda conn: duty_report.grids_within(conn, of_places(conn, ["community"]))) == 1
    assert await city.read(lambda conn: duty_report.grids_within(conn, of_places(conn, ["room"]))) == 0
