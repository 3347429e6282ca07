"""Every room has exactly one grid or lies in exactly one reported gap: on both databases, against a slow look."""

import random
from functools import partial

import pytest
from sqlalchemy import Connection

from devices.model import Device, DeviceState, PlaceKind, hangs_under
from devices.store import coverage, devices, grids, places
from devices.store.coverage import Gap
from devices.store.devices import DeviceRow
from devices.store.grids import GridRow
from devices.store.places import PlaceRow
from tests.contract.registry_support import NOW, Registry, fill

pytest_plugins = ["tests.contract.registry_fixtures"]

KINDS = tuple(PlaceKind)


def forest(dice: random.Random) -> list[PlaceRow]:
    """120 places below one city and some that stand alone; a third of them rooms, levels left out at random."""
    rows = [PlaceRow("city", PlaceKind.CITY, "city", "", ("city",))]
    for number in range(119):
        able = [row for row in rows if row.kind not in (PlaceKind.ROOM, PlaceKind.PART) or dice.random() < 0.2]
        parent = dice.choice(able) if dice.random() < 0.95 else None
        fitting = [kind for kind in KINDS if parent is None or hangs_under(kind, parent.kind)]
        kind = PlaceKind.ROOM if dice.random() < 0.35 and PlaceKind.ROOM in fitting else dice.choice(fitting[:3])
        id_ = f"p{dice.randrange(10**6):06}-{number}"
        rows.append(PlaceRow(id_, kind, id_, "", (*(parent.path if parent else ()), id_)))
    return rows


def all_gaps(conn: Connection, place_id: str, at_once: int) -> list[Gap]:
    found: list[Gap] = []
    while page := coverage.gaps(conn, place_id, found[-1].place_id if found else None, at_once):
        found += page
    return found


def slow_gaps(rows: list[PlaceRow], covered: set[str], root: PlaceRow) -> dict[str, int]:
    """The roots of what no grid touches, each with its rooms."""
    here = [row for row in rows if root.id in row.path]
    resolved = {row.id for row in here if covered & set(row.path)}
    touched = {id_ for row in rows if row.id in covered for id_ in row.path}
    free = {row.id for row in here if row.id not in touched and row.id not in resolved}
    tops = [row for row in here if row.id in free and (row.id == root.id or row.parent_id not in free)]
    alone = [row for row in here if row.kind is PlaceKind.ROOM and row.id in touched and row.id not in resolved]
    found = {top.id: sum(row.kind is PlaceKind.ROOM and top.id in row.path for row in here) for top in tops}
    return found | {row.id: 1 for row in alone}


@pytest.mark.parametrize("seed", range(4))
async def test_each_room_has_one_grid_or_lies_in_one_gap(registry: Registry, seed: int) -> None:
    dice = random.Random(seed)
    rows = forest(dice)
    covered = [row.id for row in dice.sample(rows, dice.choice((0, 3, 12, 40)))]
    made = [GridRow(f"g{n}", f"g{n}", "网格", "", None, tuple(covered[n::3])) for n in range(3)]

    def store(conn: Connection) -> None:
        places.insert_many(conn, rows)
        grids.insert_many(conn, made)

    await registry.write(store)

    def check(conn: Connection) -> int:
        checked = 0
        for root in rows[::3]:
            found = all_gaps(conn, root.id, 3)
            assert {gap.place_id: gap.rooms for gap in found} == slow_gaps(rows, set(covered), root), root
            assert len({gap.place_id for gap in found}) == len(found)
            tops = {gap.place_id for gap in found if gap.whole}
            alone = {gap.place_id for gap in found if not gap.whole}
            for room in rows:
                if room.kind is PlaceKind.ROOM and root.id in room.path:
                    resolved = bool(set(covered) & set(room.path))
                    assert resolved + len(tops & set(room.path)) + (room.id in alone) == 1, (root, room)
                    checked += 1
        return checked

    assert await registry.read(check) > 20


async def test_a_gap_counts_its_rooms_and_devices(registry: Registry) -> None:
    def store(conn: Connection) -> None:
        fill(conn)
        street = ("city", "street")
        other = PlaceRow("other", PlaceKind.COMPOUND, "城中村", "", (*street, "other"))
        rooms = [PlaceRow(f"r{n}", PlaceKind.ROOM, f"{n}", "", (*other.path, f"r{n}")) for n in range(3)]
        shed = PlaceRow("shed", PlaceKind.PART, "车棚", "", (*street, "shed"))
        gate = Device("camera-1", "camera", "street", DeviceState.INSTALLED)
        places.insert_many(conn, [other, *rooms, shed])
        found = [Device(f"smoke-{n}", "smoke_detector", f"r{n}", DeviceState.INSTALLED) for n in range(2)]
        devices.insert_many(conn, [DeviceRow(device, NOW) for device in (*found, gate)])

    await registry.write(store)
    found = await registry.read(lambda conn: coverage.gaps(conn, "city", None, 10))
    assert found == [
        Gap("other", PlaceKind.COMPOUND, "城中村", ("city", "street", "other"), True, 3, 2),
        Gap("shed", PlaceKind.PART, "车棚", ("city", "street", "shed"), True, 0, 0),
        Gap("street", PlaceKind.STREET, "金牛山街道", ("city", "street"), False, 0, 1),
    ]
    for covered_or_gone in ("compound", "building", "room", "gone"):
        assert await registry.read(partial(all_gaps, place_id=covered_or_gone, at_once=10)) == []
