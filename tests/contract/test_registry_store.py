"""What is written into the registry is what is read back, on both databases; who comes second is told."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from devices.model import Channel, DeviceState, Language, PersonKind, PlaceKind, Role
from devices.store import devices, grids, people, places, quarantine, seen, shifts
from devices.store.grids import GridRow
from devices.store.pages import PAGE_ROWS_MAX
from devices.store.places import PlaceRow
from devices.store.quarantine import QuarantineRow
from devices.store.seen import SeenRow
from tests.contract.registry_support import NOW, Registry, branch, contact, device, person, shift

pytest_plugins = ["tests.contract.registry_fixtures"]

SHANGHAI = timezone(timedelta(hours=8))


async def test_places_come_back_as_they_went_in(city: Registry) -> None:
    room = branch()[-1]
    assert await city.read(lambda conn: places.get(conn, "room")) == room
    assert await city.read(lambda conn: places.find(conn, "code-room")) == room
    assert await city.read(lambda conn: places.find(conn, "room")) == room
    assert await city.read(lambda conn: places.get(conn, "code-room")) is None
    assert (room.parent_id, room.place.path) == ("building", room.path)
    assert branch()[0].parent_id is None


@pytest.mark.parametrize("path", [(), ("city",), ("x", "city", "x")])
def test_a_path_leads_to_its_place_and_never_in_a_circle(path: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="path of place x"):
        PlaceRow("x", PlaceKind.ROOM, "x", "x", path)


async def test_places_in_pages(city: Registry) -> None:
    def all_pages(conn: Connection) -> list[list[str]]:
        pages, after = [], None
        while page := places.page(conn, after, 4):
            pages.append([row.id for row in page])
            after = page[-1].id
        return pages

    assert await city.read(all_pages) == [["building", "city", "community", "compound"], ["room", "street"]]
    rooms = await city.read(lambda conn: places.page(conn, None, PAGE_ROWS_MAX, kind=PlaceKind.ROOM))
    below = await city.read(lambda conn: places.page(conn, None, PAGE_ROWS_MAX, parent_id="city"))
    assert [row.id for row in (*rooms, *below)] == ["room", "street"]


@pytest.mark.parametrize("limit", [0, PAGE_ROWS_MAX + 2])
async def test_a_page_has_a_limit(registry: Registry, limit: int) -> None:
    with pytest.raises(ValueError, match="limit"):
        await registry.read(lambda conn: people.page(conn, None, limit))
    with pytest.raises(ValueError, match="limit"):
        await registry.read(lambda conn: quarantine.page(conn, None, limit))


async def test_a_moved_place_takes_everything_below_along(city: Registry) -> None:
    def move(conn: Connection) -> bool:
        other = PlaceRow("other", PlaceKind.COMPOUND, "金鼎苑", "Jinding", ("city", "street", "other"))
        # A name that begins like the moved one's is no place below it.
        near = PlaceRow("building2", PlaceKind.BUILDING, "4号楼", "B4", (*branch()[3].path, "building2"))
        places.insert_many(conn, [other, near])
        building = places.get(conn, "building")
        assert building is not None
        return places.update_one(conn, replace(building, path=(*other.path, "building")))

    assert await city.write(move)
    found = {row.id: row for row in await city.read(lambda conn: places.page(conn, None, PAGE_ROWS_MAX))}
    assert found["building"].parent_id == "other"
    assert found["room"].path == ("city", "street", "other", "building", "room")
    assert found["building2"].path == (*branch()[3].path, "building2")
    assert (found["building"].version, found["room"].version) == (2, 1)


async def test_grids_come_back_with_their_places(city: Registry) -> None:
    grid = GridRow("grid", "zjs-01", "周家山一网格", "Grid 1", "community", ("building", "compound"))
    assert await city.read(lambda conn: grids.get(conn, "grid")) == grid
    assert await city.read(lambda conn: grids.find(conn, "zjs-01")) == grid
    assert await city.read(lambda conn: grids.page(conn, None, 10)) == [grid]
    changed = replace(grid, name="一网格", place_ids=("room",))
    assert await city.write(lambda conn: grids.update_one(conn, changed))
    assert await city.read(lambda conn: grids.get(conn, "grid")) == replace(changed, version=2)


async def test_a_place_is_covered_by_one_grid(city: Registry) -> None:
    second = GridRow("grid2", "zjs-02", "周家山二网格", "Grid 2", place_ids=("building",))
    with pytest.raises(IntegrityError):
        await city.write(lambda conn: grids.insert_many(conn, [second]))
    assert await city.read(lambda conn: grids.get(conn, "grid2")) is None


async def test_people_and_their_contacts(city: Registry) -> None:
    jia = person("jia")
    assert await city.read(lambda conn: people.get(conn, "jia")) == jia
    assert await city.read(lambda conn: people.find(conn, "code-jia")) == jia
    assert await city.read(lambda conn: people.page(conn, "jia", 10)) == [person("yi")]
    assert await city.read(lambda conn: people.page(conn, None, 10, kind=PersonKind.DESK)) == []
    kept = await city.read(lambda conn: people.contacts(conn, "jia"))
    assert [row.channel for row in kept] == [Channel.VOICE, Channel.SMS, Channel.APP]
    shared = await city.read(lambda conn: people.contacts_at(conn, Channel.SMS, "+8613800138000"))
    assert [(row.person_id, row.opted_out_at) for row in shared] == [("jia", None), ("yi", NOW)]


async def test_contacts_are_verified_opted_out_of_and_removed(city: Registry) -> None:
    assert await city.write(lambda conn: people.verify_contact(conn, "1", NOW))
    assert await city.write(lambda conn: people.opt_out_contact(conn, "2", NOW))
    assert await city.write(lambda conn: people.opt_out_contact(conn, "4", None))
    assert await city.write(lambda conn: people.remove_contact(conn, "jia", "3"))
    assert not await city.write(lambda conn: people.remove_contact(conn, "yi", "1"))
    assert not await city.write(lambda conn: people.verify_contact(conn, "missing", NOW))
    kept = await city.read(lambda conn: people.contacts(conn, "jia"))
    assert kept == [
        contact("1", "jia", Channel.VOICE, verified_at=NOW),
        contact("2", "jia", Channel.SMS, opted_out_at=NOW),
    ]
    assert await city.read(lambda conn: people.contacts(conn, "yi")) == [contact("4", "yi")]


async def test_shifts(city: Registry) -> None:
    starts = datetime(2025, 11, 2, 0, 0, tzinfo=SHANGHAI)
    planned = shift("planned", "yi", Role.CONTROL_ROOM, starts_at=starts, ends_at=starts + timedelta(hours=8))
    await city.write(lambda conn: shifts.insert_many(conn, [planned]))
    found = await city.read(lambda conn: shifts.get(conn, "planned"))
    assert found == planned
    assert found is not None
    assert found.shift.starts_at is not None
    assert found.shift.starts_at.utcoffset() == timedelta(0)
    assert await city.read(lambda conn: shifts.page(conn, None, 10, grid_id="grid")) == [
        shift("night", "jia", grid_id="grid")
    ]
    mine = await city.read(lambda conn: shifts.page(conn, None, 10, person_id="yi", place_id="community"))
    assert [row.shift.id for row in mine] == ["duty"]
    assert not await city.write(lambda conn: shifts.remove(conn, "planned", 2))
    assert await city.write(lambda conn: shifts.remove(conn, "planned", 1))
    assert await city.read(lambda conn: shifts.get(conn, "planned")) is None


async def test_devices(city: Registry) -> None:
    until = NOW + timedelta(hours=1)
    row = device("cam-0001", None)
    row = replace(row, device=replace(row.device, test_mode_until=until, supervision_window_s=86_400))
    await city.write(lambda conn: devices.insert_many(conn, [row]))
    assert await city.read(lambda conn: devices.get(conn, "cam-0001")) == row
    assert await city.read(lambda conn: devices.page(conn, "cam-0001", 10)) == [device("smoke-0001")]
    assert await city.read(lambda conn: devices.page(conn, None, 10, place_id="room")) == [device("smoke-0001")]
    assert await city.read(lambda conn: devices.page(conn, None, 10, state=DeviceState.REMOVED)) == []


async def test_credentials_are_set_replaced_and_revoked(city: Registry) -> None:
    async def in_force() -> list[tuple[str, str]]:
        kept = await city.read(lambda conn: devices.get(conn, "smoke-0001"))
        assert kept is not None
        listed = await city.read(devices.credentials)
        assert kept.has_credential is bool(listed)
        return listed

    assert await in_force() == []
    assert not await city.write(lambda conn: devices.revoke_credential(conn, "smoke-0001", NOW))
    assert await city.write(lambda conn: devices.set_credential(conn, "smoke-0001", "$7$one"))
    assert await in_force() == [("smoke-0001", "$7$one")]
    assert await city.write(lambda conn: devices.revoke_credential(conn, "smoke-0001", NOW))
    assert not await city.write(lambda conn: devices.revoke_credential(conn, "smoke-0001", NOW))
    assert await in_force() == []
    assert await city.write(lambda conn: devices.set_credential(conn, "smoke-0001", "$7$two"))
    assert await in_force() == [("smoke-0001", "$7$two")]
    assert not await city.write(lambda conn: devices.set_credential(conn, "missing", "$7$two"))


async def test_a_removed_device_may_not_connect(city: Registry) -> None:
    await city.write(lambda conn: devices.set_credential(conn, "smoke-0001", "$7$one"))
    gone = device("smoke-0001")
    gone = replace(gone, device=replace(gone.device, state=DeviceState.REMOVED))
    assert await city.write(lambda conn: devices.update_one(conn, gone))
    assert await city.read(devices.credentials) == []


async def test_who_writes_second_over_the_same_version_is_told(city: Registry) -> None:
    place, who, duty, thing = branch()[0], person("jia"), shift("night", "jia", grid_id="grid"), device("smoke-0001")
    grid = GridRow("grid", "zjs-01", "周家山一网格", "Grid 1", "community", ("building",))

    def update(conn: Connection) -> list[bool]:
        return [
            places.update_one(conn, replace(place, name="信阳")),
            grids.update_one(conn, grid),
            people.update_one(conn, replace(who, language=Language.EN)),
            shifts.update_one(conn, replace(duty, shift=replace(duty.shift, rank=9))),
            devices.update_one(conn, replace(thing, device=replace(thing.device, codec="other"))),
        ]

    assert await city.write(update) == [True] * 5
    assert await city.write(update) == [False] * 5
    kept = await city.read(lambda conn: people.get(conn, "jia"))
    assert kept == replace(who, language=Language.EN, version=2)


@pytest.mark.parametrize("wrong", ["parent", "code", "person", "place"])
async def test_what_leads_nowhere_or_exists_is_refused(city: Registry, wrong: str) -> None:
    def work(conn: Connection) -> None:
        if wrong == "parent":
            places.insert_many(conn, [PlaceRow("x", PlaceKind.ROOM, "x", "x", ("missing", "x"))])
        elif wrong == "code":
            people.insert_many(conn, [replace(person("x"), code="code-jia")])
        elif wrong == "person":
            shifts.insert_many(conn, [shift("x", "missing")])
        else:
            devices.insert_many(conn, [device("x", "missing")])

    with pytest.raises(IntegrityError):
        await city.write(work)


async def test_nothing_to_write_is_no_error(registry: Registry) -> None:
    def work(conn: Connection) -> None:
        places.insert_many(conn, [])
        grids.insert_many(conn, [])
        people.insert_many(conn, [])
        people.add_contacts(conn, [])
        shifts.insert_many(conn, [])
        devices.insert_many(conn, [])
        seen.upsert(conn, [])
        quarantine.add(conn, [], NOW)

    await registry.write(work)
    assert await registry.read(lambda conn: seen.load(conn, ["smoke-0001"])) == {}


async def test_last_seen_never_runs_backwards(registry: Registry) -> None:
    later, earlier = NOW + timedelta(seconds=1), NOW - timedelta(seconds=1)
    first = [SeenRow("a", NOW, True, {"battery": 90}), SeenRow("b", NOW), SeenRow("c", NOW, True, {"rssi": -60})]
    second = [
        SeenRow("a", later, False),
        SeenRow("b", earlier, False, {"late": 1}),
        SeenRow("c", later, True, {"t": 21.5}),
    ]
    await registry.write(lambda conn: seen.upsert(conn, first))
    await registry.write(lambda conn: seen.upsert(conn, second))
    assert await registry.read(lambda conn: seen.load(conn, ["a", "b", "c", "d"])) == {
        "a": SeenRow("a", later, False, {"battery": 90}, NOW),
        "b": SeenRow("b", NOW, True, None),
        "c": SeenRow("c", later, True, {"t": 21.5}, later),
    }


def message(device_key: str, content_hash: str = "h") -> QuarantineRow:
    return QuarantineRow(f"gengfu/v1/{device_key}/up/event", device_key, "not_json", "line 1", content_hash, b"\x00{")


async def test_the_same_refused_content_counts_up_on_one_row(registry: Registry) -> None:
    later = NOW + timedelta(minutes=1)
    await registry.write(lambda conn: quarantine.add(conn, [message("a"), message("b"), message("a")], NOW))
    await registry.write(lambda conn: quarantine.add(conn, [message("a"), message("a", "other")], later))
    rows = await registry.read(lambda conn: quarantine.page(conn, None, 10))
    assert [(row.message, row.count, row.first_at, row.last_at) for row in rows] == [
        (message("a", "other"), 1, later, later),
        (message("b"), 1, NOW, NOW),
        (message("a"), 3, NOW, later),
    ]
    assert await registry.read(lambda conn: quarantine.get(conn, rows[1].id)) == rows[1]
    assert await registry.read(lambda conn: quarantine.page(conn, rows[0].id, 1)) == rows[1:2]
    assert await registry.read(lambda conn: quarantine.get(conn, 0)) is None


async def test_old_quarantine_is_forgotten_in_small_pieces(registry: Registry) -> None:
    rows = [message("a", str(number)) for number in range(5)]
    await registry.write(lambda conn: quarantine.add(conn, rows, NOW))
    await registry.write(lambda conn: quarantine.add(conn, [message("a", "new")], NOW + timedelta(days=1)))
    forget = [
        await registry.write(lambda conn: quarantine.forget_before(conn, NOW + timedelta(hours=1), 3)) for _ in "123"
    ]
    assert forget == [3, 2, 0]
    assert [row.message.content_hash for row in await registry.read(lambda conn: quarantine.page(conn, None, 9))] == [
        "new"
    ]
