"""The store of devices beyond one row: states with their followers, history, identities, labels, on both databases."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from devices.identities import Identity
from devices.model import Device, DeviceState, FlatStatus, IdentityKind, PlacementReason
from devices.store import changes, credentials, devices, flats, identities, models, placements
from devices.store.devices import DeviceRow, Wanted
from devices.store.models import ModelRow
from devices.store.placements import Stay
from devices.store.scope import NOTHING, Scope
from tests.contract.registry_support import NOW, Registry, device

pytest_plugins = ["tests.contract.registry_fixtures"]

LATER = NOW + timedelta(hours=1)
BRANCH = "city/street/community/compound/building"
IMEI = Identity(IdentityKind.IMEI, "861234567890127", "plain")


def fresh(id_: str, place_id: str | None = "room", state: DeviceState = DeviceState.INSTALLED) -> DeviceRow:
    return DeviceRow(Device(id_, "smoke_detector", place_id, state), NOW)


async def put(city: Registry, *rows: DeviceRow) -> None:
    await city.write(lambda conn: devices.insert_many(conn, rows))


async def got(city: Registry, device_id: str) -> DeviceRow:
    row = await city.read(lambda conn: devices.get(conn, device_id))
    assert row is not None
    return row


async def test_a_row_keeps_everything(city: Registry) -> None:
    model = ModelRow("m1", "smoke-nb", "Maker", "S1", "smoke_detector", restores=False, signal_dbm_min=-110)
    await city.write(lambda conn: models.insert_many(conn, [model]))
    row = replace(
        fresh("cam-0001"),
        model_id="m1",
        model="smoke-nb",
        parent_id="smoke-0001",
        port=3,
        label="7K3M9XQ2",
        out_of_service_until=LATER,
        out_of_service_reason="装修",
        replaced_by="cam-0002",
        identities=(IMEI,),
    )
    await put(city, row)
    assert await got(city, "cam-0001") == row
    assert await city.read(lambda conn: devices.by_label(conn, "7K3M9XQ2")) == row
    assert await city.read(lambda conn: devices.ports_of(conn, "smoke-0001")) == [row]
    assert await city.read(lambda conn: models.find(conn, "smoke-nb")) == model
    assert await city.write(lambda conn: models.update_one(conn, replace(model, ports=4)))
    assert not await city.write(lambda conn: models.update_one(conn, replace(model, ports=5)))
    assert await city.read(lambda conn: models.page(conn, None, 10)) == [replace(model, ports=4, version=2)]


async def test_names_are_unique_in_the_database_itself(city: Registry) -> None:
    await put(city, replace(fresh("one-0001"), label="7K3M9XQ2", identities=(IMEI,)))
    for row in (replace(fresh("two-0001"), label="7K3M9XQ2"), replace(fresh("two-0001"), identities=(IMEI,))):
        with pytest.raises(IntegrityError):
            await put(city, row)
    await put(city, replace(fresh("two-0001"), identities=(replace(IMEI, dialect="ctwing"),)))
    holders = await city.read(lambda conn: identities.holders(conn, replace(IMEI, dialect="onenet")))
    assert holders == ("two-0001", "one-0001"), "an IMEI is one device's in whatever dialect"


async def test_a_serial_number_is_its_dialects(city: Registry) -> None:
    serial = Identity(IdentityKind.SERIAL, "A1", "plain")
    await put(city, replace(fresh("one-0001"), identities=(serial,)))
    await put(city, replace(fresh("two-0001"), identities=(replace(serial, dialect="ctwing"),)))

    def holders(dialect: str) -> tuple[str, ...]:
        return found[dialect]

    found = {
        dialect: await city.read(lambda conn, d=dialect: identities.holders(conn, replace(serial, dialect=d)))  # type: ignore[misc]
        for dialect in ("plain", "ctwing", "onenet", "")
    }
    assert (holders("plain"), holders("ctwing"), holders("onenet")) == (("one-0001",), ("two-0001",), ())
    assert set(holders("")) == {"one-0001", "two-0001"}
    other_kind = Identity(IdentityKind.OTHER, "A1", "plain")
    assert await city.read(lambda conn: identities.holders(conn, other_kind)) == ()


async def test_a_walk_test_commissions_what_hangs_and_nothing_else(city: Registry) -> None:
    await put(city, fresh("in-0001"), fresh("new-0001", None, DeviceState.REGISTERED))
    await put(city, fresh("gone-0001", "room", DeviceState.REMOVED))

    async def passed(device_id: str) -> bool:
        return await city.write(lambda conn: changes.set_state(conn, device_id, DeviceState.COMMISSIONED, LATER))

    assert await passed("in-0001")
    assert await passed("in-0001"), "a test may be repeated"
    assert not await passed("gone-0001")
    assert not await passed("nobody-0001")
    assert (await got(city, "in-0001")).commissioned
    assert (await got(city, "gone-0001")).device.state is DeviceState.REMOVED
    assert not await city.write(lambda conn: changes.set_state(conn, "in-0001", DeviceState.REGISTERED, LATER))


async def test_history_of_a_device_that_was_imported_in_its_place(city: Registry) -> None:
    def history(conn: Connection) -> list[Stay]:
        row = devices.get(conn, "smoke-0001")
        assert row is not None
        return placements.history(conn, row.id, row.place_id, row.created_at)

    assert await city.read(history) == [Stay("room", NOW, None, PlacementReason.PLACED)]
    before = device("smoke-0001")
    moved = replace(before, device=replace(before.device, place_id="building"))
    assert await city.write(lambda conn: changes.settle(conn, before, moved, LATER))
    assert not await city.write(lambda conn: changes.settle(conn, before, moved, LATER)), "somebody was faster"
    after = await got(city, "smoke-0001")
    gone = after.moved(DeviceState.REMOVED, after.place_id)
    end = LATER + timedelta(hours=1)
    assert await city.write(lambda conn: changes.settle(conn, after, gone, end))
    assert await city.read(history) == [
        Stay("room", NOW, LATER, PlacementReason.PLACED),
        Stay("building", LATER, end, PlacementReason.MOVED),
        Stay(None, end, None, PlacementReason.REMOVED),
    ]


async def test_removal_takes_the_credential_and_the_ports_along(city: Registry) -> None:
    station, ports = (
        fresh("shed-0001"),
        [replace(fresh(f"shed-0001-p0{n}"), parent_id="shed-0001", port=n) for n in (1, 2)],
    )
    await put(city, station, *ports)
    await city.write(lambda conn: devices.set_credential(conn, "shed-0001", "$7$one"))
    counted = await city.read(credentials.number)
    until = replace(station, out_of_service_until=LATER, out_of_service_reason="断电")
    assert await city.write(lambda conn: changes.settle(conn, station, until, NOW))
    found = await city.read(lambda conn: devices.ports_of(conn, "shed-0001"))
    assert [port.out_of_service_reason for port in found] == ["断电", "断电"]
    paused = await got(city, "shed-0001")
    gone = paused.moved(DeviceState.REMOVED, "room")
    assert await city.write(lambda conn: changes.settle(conn, paused, gone, LATER, PlacementReason.REPLACED))
    assert await city.read(credentials.number) > counted, "the broker's files are written again"
    assert await city.read(devices.credentials) == []
    found = await city.read(lambda conn: devices.ports_of(conn, "shed-0001"))
    assert [(port.device.state, port.out_of_service_until) for port in found] == [(DeviceState.REMOVED, None)] * 2
    stays = await city.read(lambda conn: placements.history(conn, "shed-0001-p01", None, NOW))
    assert [(stay.place_id, stay.reason) for stay in stays] == [
        ("room", PlacementReason.PLACED),
        (None, PlacementReason.REPLACED),
    ]


@pytest.mark.parametrize("few", [1, devices.FEW_PLACES])
async def test_lists_by_place_state_and_time(city: Registry, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same answers, whether a part of the tree counts as small or as large."""
    monkeypatch.setattr(devices, "FEW_PLACES", few)
    paused = replace(fresh("out-0001"), out_of_service_until=LATER, out_of_service_reason="x")
    await put(city, paused, fresh("door-0001", "building"), fresh("new-0001", None, DeviceState.REGISTERED))

    async def ids(wanted: Wanted, after: timedelta = timedelta(0)) -> list[str]:
        rows = await city.read(lambda conn: devices.page(conn, None, 10, wanted=wanted, now=NOW + after))
        return [row.id for row in rows]

    here = Scope((f"{BRANCH}/room",))
    assert await ids(Wanted(under=here)) == ["out-0001", "smoke-0001"]
    assert await ids(Wanted(under=Scope((BRANCH,)))) == ["door-0001", "out-0001", "smoke-0001"]
    assert await ids(Wanted(under=NOTHING)) == []
    assert await ids(Wanted(state=DeviceState.INSTALLED)) == ["door-0001"]
    assert await ids(Wanted(state=DeviceState.OUT_OF_SERVICE)) == ["out-0001"]
    hour = timedelta(hours=1)
    assert await ids(Wanted(state=DeviceState.INSTALLED), hour) == ["door-0001", "out-0001"]
    assert await ids(Wanted(state=DeviceState.OUT_OF_SERVICE), hour) == []
    assert await ids(Wanted(commissioned=True)) == ["smoke-0001"]
    assert await ids(Wanted(commissioned=False)) == ["door-0001", "new-0001", "out-0001"]
    assert await ids(Wanted(ids=["new-0001", "none-0001"])) == ["new-0001"]
    assert await ids(Wanted(ids=[])) == []


async def test_flats_follow_what_hangs_in_them(city: Registry) -> None:
    await put(city, fresh("in-0001"))
    assert await city.write(lambda conn: flats.enrolled(conn, "building", NOW, "x")) is None
    assert await city.write(lambda conn: flats.enrolled(conn, "room", NOW, "安装员甲")) == "room"
    row = await city.read(lambda conn: flats.get(conn, "room"))
    assert row is not None
    assert (row.status, row.visited_by) == (FlatStatus.TO_BE_TESTED, "安装员甲")
    top = Scope((BRANCH,))
    counts = await city.read(lambda conn: flats.counts(conn, top))
    assert counts == {"installed": 0, "nobody_home": 0, "refused": 0, "to_be_tested": 1, "not_visited": 0}
    assert await city.write(lambda conn: changes.set_state(conn, "in-0001", DeviceState.COMMISSIONED, LATER))
    done = await city.read(lambda conn: flats.get(conn, "room"))
    assert done == replace(row, status=FlatStatus.INSTALLED, version=2)
    (door,) = await city.read(lambda conn: flats.doors(conn, top, None, 10, status=FlatStatus.INSTALLED))
    assert (door.name, door.flat) == ("301", done)
    assert await city.read(lambda conn: flats.doors(conn, top, None, 10, within=NOTHING)) == []


async def test_a_place_in_words(city: Registry) -> None:
    words = await city.read(lambda conn: placements.words(conn, ["room", "community", "gone"]))
    assert words == {"room": "阳光花园 3号楼 301", "community": "周家山社区"}
