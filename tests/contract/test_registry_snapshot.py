"""One load brings everything that placing devices and finding their duty takes, and nothing that is over."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection, event

from devices.model import Channel, Device, Placement, Role
from devices.resolve import RegistrySnapshot, Unplaced, UnplacedReason, on_duty, place_by_id, place_device
from devices.store import devices, people, shifts, snapshot
from tests.contract.registry_support import NOW, Registry, branch, contact, device, person, shift

pytest_plugins = ["tests.contract.registry_fixtures"]

HOUR = timedelta(hours=1)


def asked(snapshot_: RegistrySnapshot, role: Role, device_id: str = "smoke-0001") -> list[str]:
    placement = place_device(snapshot_, device_id)
    assert isinstance(placement, Placement)
    return [each.id for each in on_duty(snapshot_, placement, role, NOW)]


async def test_one_device_with_all_it_takes(city: Registry) -> None:
    loaded = await city.read(lambda conn: snapshot.load(conn, ["smoke-0001"], NOW))
    assert loaded.devices == {"smoke-0001": device("smoke-0001").device}
    assert loaded.places == {row.id: row.place for row in branch()}
    assert loaded.grid_of_place == {"building": "grid", "compound": "grid"}
    assert loaded.shifts_by_grid == {"grid": (shift("night", "jia", grid_id="grid").shift,)}
    placement = place_device(loaded, "smoke-0001")
    assert placement == Placement("smoke-0001", "smoke_detector", tuple(row.place for row in branch()), "grid")
    assert asked(loaded, Role.GRID_WORKER) == ["jia"]
    assert asked(loaded, Role.COMMUNITY_DUTY) == ["yi"]
    assert asked(loaded, Role.DEPUTY) == []


async def test_contacts_in_their_order_without_those_opted_out_of(city: Registry) -> None:
    loaded = await city.read(lambda conn: snapshot.load(conn, ["smoke-0001"], NOW))
    jia = loaded.people["jia"]
    assert (jia.name, jia.name_en, jia.language, jia.kind) == ("网格员jia", "Worker jia", "zh-CN", "worker")
    assert [point.channel for point in jia.contacts] == [Channel.VOICE, Channel.SMS, Channel.APP]
    assert {point.address for point in jia.contacts} == {"+8613800138000"}
    assert loaded.people["yi"].contacts == ()


async def test_an_address_may_hold_any_character_but_a_line_break(city: Registry) -> None:
    odd = replace(contact("5", "yi", Channel.APP), address="app: 乙 / '\"")
    await city.write(lambda conn: people.add_contacts(conn, [odd]))
    loaded = await city.read(lambda conn: snapshot.load(conn, ["smoke-0001"], NOW))
    assert [point.address for point in loaded.people["yi"].contacts] == [odd.address]


async def test_unknown_devices_and_places_are_left_out(city: Registry) -> None:
    await city.write(lambda conn: devices.insert_many(conn, [device("bare-0001", None)]))
    loaded = await city.read(lambda conn: snapshot.load(conn, ["bare-0001", "nobody"], NOW))
    assert place_device(loaded, "nobody") == Unplaced(UnplacedReason.UNKNOWN_DEVICE)
    assert place_device(loaded, "bare-0001") == Unplaced(UnplacedReason.UNKNOWN_PLACE)
    assert loaded.places == {}
    assert await city.read(lambda conn: snapshot.load(conn, [], NOW)) == RegistrySnapshot()


async def test_only_shifts_that_cover_now_of_people_who_have_not_left(city: Registry) -> None:
    hours = {
        "past": (-2, -1),
        "ends-now": (-1, 0),
        "begins-now": (0, 1),
        "covers": (-1, 1),
        "begins-later": (1, 2),
        "open-end": (-1, None),
        "open-start": (None, 1),
    }

    def add(conn: Connection) -> None:
        people.insert_many(conn, [person("gone", left_at=NOW), person("leaving", left_at=NOW + HOUR)])
        rows = [shift(f"of-{who}", who, grid_id="grid") for who in ("gone", "leaving")]
        for id_, (start, end) in hours.items():
            times = [None if hour is None else NOW + hour * HOUR for hour in (start, end)]
            rows.append(shift(id_, "yi", grid_id="grid", starts_at=times[0], ends_at=times[1]))
        shifts.insert_many(conn, rows)

    await city.write(add)
    loaded = await city.read(lambda conn: snapshot.load(conn, ["smoke-0001"], NOW))
    covering = {each.id for each in loaded.shifts_by_grid["grid"]}
    assert covering == {"night", "of-leaving", "begins-now", "covers", "open-end", "open-start"}
    assert loaded.people.keys() == {"jia", "yi", "leaving"}


async def test_shifts_for_everything_come_with_every_load(city: Registry) -> None:
    await city.write(lambda conn: shifts.insert_many(conn, [shift("room", "yi", Role.CONTROL_ROOM)]))
    loaded = await city.read(lambda conn: snapshot.load(conn, ["nobody"], NOW))
    assert [each.id for each in on_duty(loaded, None, Role.CONTROL_ROOM, NOW)] == ["yi"]
    assert loaded.shifts_by_grid == {}


async def test_places_grids_and_people_of_open_incidents(city: Registry) -> None:
    loaded = await city.read(
        lambda conn: snapshot.load(conn, [], NOW, place_ids=["room"], grid_ids=["grid"], people_ids=["yi", "nobody"])
    )
    placement = place_by_id(loaded, "room", "smoke-0001", "grid")
    assert placement is not None
    assert [each.id for each in on_duty(loaded, placement, Role.GRID_WORKER, NOW)] == ["jia"]
    assert loaded.people.keys() == {"jia", "yi"}
    only_grid = await city.read(lambda conn: snapshot.load(conn, [], NOW, grid_ids=["grid"]))
    assert only_grid.shifts_by_grid.keys() == {"grid"}
    only_people = await city.read(lambda conn: snapshot.load(conn, [], NOW, people_ids=["jia"]))
    assert [point.channel for point in only_people.people["jia"].contacts] == [Channel.VOICE, Channel.SMS, Channel.APP]


@pytest.mark.parametrize("count", [1, 300])
async def test_a_batch_takes_as_many_queries_as_one_device(city: Registry, count: int) -> None:
    names = [f"heat-{number:04d}" for number in range(count)]
    statements: list[str] = []

    def counted(conn: Connection) -> RegistrySnapshot:
        event.listen(conn, "before_cursor_execute", lambda *given: statements.append(given[2]))
        return snapshot.load(conn, names, NOW)

    await city.write(lambda conn: devices.insert_many(conn, [device(name) for name in names]))
    loaded = await city.write(counted)
    assert loaded.devices.keys() == set(names)
    assert len([each for each in statements if each.startswith("SELECT")]) == 5  # devices, places, duty, people, leave


async def test_all_of_it_is_what_each_device_would_get(city: Registry) -> None:
    def add(conn: Connection) -> None:
        devices.insert_many(conn, [device("bare-0001", None), device("door-0001", "building")])
        later = shift("later", "yi", grid_id="grid", starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
        shifts.insert_many(conn, [later, shift("room", "yi", Role.CONTROL_ROOM)])

    await city.write(add)
    everything = await city.read(lambda conn: snapshot.load_all(conn, NOW))
    names = ["smoke-0001", "bare-0001", "door-0001"]
    some = await city.read(lambda conn: snapshot.load(conn, names, NOW))
    assert everything.devices == some.devices
    assert everything.places == some.places
    assert everything.people == some.people
    for name in names:
        assert place_device(everything, name) == place_device(some, name)
    in_an_hour = on_duty(everything, None, Role.CONTROL_ROOM, NOW + HOUR)
    assert [each.id for each in in_an_hour] == ["yi"]
    assert {each.id for each in everything.shifts_by_grid["grid"]} == {"night", "later"}
    assert isinstance(everything.devices["smoke-0001"], Device)
