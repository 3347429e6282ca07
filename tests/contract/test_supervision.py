"""Silent devices on both databases: who is judged, when, and whose trouble it is. The clock is turned by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import pytest_asyncio
from sqlalchemy import Connection, select, update

from alerting.core.model import Condition, Work
from alerting.store import boots
from alerting.store import supervision as store
from alerting.store.tables import incidents, notifications
from alerting.store.tables_supervision import supervision as table
from alerting.supervision import Supervision
from devices.model import Device, DeviceState
from devices.store import devices, seen
from devices.store.devices import DeviceRow
from devices.store.seen import SeenRow
from devices.store.tables import device_seen
from devices.store.tables import devices as device_table
from tests.contract.registry_support import Registry
from tests.contract.restraint_support import NIGHT, House, fill

pytest_plugins = ["tests.contract.registry_fixtures"]

GRACE_S, WINDOW_S, GATEWAY_WINDOW_S = 180, 600, 300
CHILDREN = tuple(f"child-{n:02d}" for n in range(12))
GATEWAY = "gate-0001"


@dataclass
class Watch:
    """A gateway with twelve detectors behind it, and one camera alone."""

    house: House
    supervision: Supervision = field(init=False)

    def __post_init__(self) -> None:
        self.again()

    def again(self) -> None:
        """A start of the service."""
        house = self.house
        house.again()
        self.supervision = Supervision(
            house.registry.database, house.deciding, house.written.append, house.clock, house.ids, GRACE_S
        )

    async def listen(self, boot: int = 1, since_s: float = 0.0) -> None:
        now = self.house.clock.now()
        since = now + timedelta(seconds=since_s)
        await self.house.registry.write(partial(store.listens, boot=boot, since=since, now=now))

    async def pass_time(self, seconds: float, speak: Sequence[str] = (), every_s: float = 20.0) -> None:
        """Somebody listens all the time, these speak, and the sweep comes round."""
        since = await self.house.registry.read(lambda conn: store.listening_since(conn, NIGHT - timedelta(days=1)))
        assert since is not None
        for _ in range(int(seconds / every_s)):
            self.house.clock.at += timedelta(seconds=every_s)
            now = self.house.clock.now()
            await self.house.registry.write(partial(store.listens, boot=1, since=since, now=now))
            await self.speak(*speak)
            await self.supervision.sweep()

    async def speak(self, *spoken: str, online: bool = True) -> None:
        rows = [SeenRow(id_, self.house.clock.now(), online) for id_ in spoken]
        await self.house.registry.write(partial(seen.upsert, rows=rows))

    async def execute(self, statement: Any, rows: Any = None) -> None:
        def work(conn: Connection) -> None:
            conn.execute(statement, rows)

        await self.house.registry.write(work)

    async def open(self) -> list[tuple[str, str]]:
        """(code, device) of incidents that are open and active."""
        c = incidents.c
        query = select(c.code, c.device_id).where(c.condition == "active", c.closed_at.is_(None)).order_by(c.id)
        return await self.house.registry.read(lambda conn: [(row[0], row[1]) for row in conn.execute(query)])

    async def all(self) -> dict[str, Any]:
        query = select(incidents).order_by(incidents.c.id)
        rows = await self.house.registry.read(lambda conn: conn.execute(query).all())
        return {row.device_id: row for row in rows}


@pytest_asyncio.fixture
async def watch(registry: Registry) -> Watch:
    def fill_all(conn: Any) -> None:
        fill(conn)
        rows = [DeviceRow(Device(GATEWAY, "radio_gateway", "b3", DeviceState.COMMISSIONED), NIGHT)]
        rows += [
            DeviceRow(Device(id_, "smoke_detector", f"12{n + 1:02d}", DeviceState.COMMISSIONED), NIGHT)
            for n, id_ in enumerate((*CHILDREN, "camera-01"))
        ]
        devices.insert_many(conn, rows)
        conn.execute(update(device_table).values(supervision_window_s=90_000))
        mine = device_table.c.id.in_((*CHILDREN, "camera-01"))
        conn.execute(update(device_table).where(mine).values(supervision_window_s=WINDOW_S))
        conn.execute(update(device_table).where(device_table.c.id.in_(CHILDREN)).values(gateway_id=GATEWAY))
        gate = device_table.c.id == GATEWAY
        conn.execute(update(device_table).where(gate).values(supervision_window_s=GATEWAY_WINDOW_S))

    await registry.write(fill_all)
    house = House(registry)
    house.clock.at = NIGHT
    watch = Watch(house)
    await watch.listen()
    await watch.speak(GATEWAY, "camera-01", *CHILDREN)
    await watch.supervision.sweep()
    return watch


async def test_a_silent_device_is_one_trouble_and_restored_when_it_speaks(watch: Watch) -> None:
    await watch.pass_time(WINDOW_S - 20, speak=[GATEWAY, *CHILDREN])
    assert await watch.open() == []
    await watch.pass_time(60, speak=[GATEWAY, *CHILDREN])
    assert await watch.open() == [("device.offline", "camera-01")]
    _, offline = await watch.house.registry.read(boots.gauges)
    assert offline == 1
    await watch.pass_time(WINDOW_S, speak=[GATEWAY, *CHILDREN])
    assert len(await watch.all()) == 1, "once"

    await watch.pass_time(40, speak=[GATEWAY, "camera-01", *CHILDREN])
    found = (await watch.all())["camera-01"]
    assert (found.condition, found.closed_at) == (Condition.RESTORED, None)
    assert (await watch.house.registry.read(boots.gauges))[1] == 0


async def test_a_last_will_counts_after_a_minute_and_a_flap_does_not(watch: Watch) -> None:
    await watch.speak("camera-01", online=False)
    await watch.house.registry.write(partial(store.sooner, device_ids=["camera-01"], at=watch.house.clock.now()))
    await watch.pass_time(40, speak=[GATEWAY, *CHILDREN])
    assert await watch.open() == []
    await watch.speak("camera-01")
    await watch.pass_time(200, speak=[GATEWAY, *CHILDREN])
    assert await watch.open() == []

    await watch.speak("camera-01", online=False)
    soon = watch.house.clock.now() + timedelta(seconds=60)
    await watch.house.registry.write(partial(store.sooner, device_ids=["camera-01"], at=soon))
    await watch.pass_time(80, speak=[GATEWAY, *CHILDREN])
    assert await watch.open() == [("device.offline", "camera-01")]


async def test_children_behind_a_dead_gateway_are_one_trouble(watch: Watch) -> None:
    await watch.pass_time(WINDOW_S + 100, speak=["camera-01"])
    assert await watch.open() == [("gateway.offline", GATEWAY)]
    (record,) = await watch.house.entries("supervision")
    assert record["children"] == len(CHILDREN)
    silent = await watch.house.registry.read(store.offline)
    assert sorted(id_ for id_, behind in silent if behind == GATEWAY) == list(CHILDREN)

    await watch.pass_time(60, speak=["camera-01", GATEWAY, *CHILDREN[1:]])
    assert await watch.open() == []
    await watch.pass_time(WINDOW_S - 120, speak=["camera-01", GATEWAY, *CHILDREN[1:]])
    assert await watch.open() == [], "a whole window after its gateway is back"
    await watch.pass_time(200, speak=["camera-01", GATEWAY, *CHILDREN[1:]])
    assert await watch.open() == [("device.offline", CHILDREN[0])]


async def test_what_was_offline_before_folds_into_the_gateways_trouble(watch: Watch) -> None:
    await watch.pass_time(WINDOW_S + 60, speak=["camera-01", GATEWAY, *CHILDREN[1:]])
    assert await watch.open() == [("device.offline", CHILDREN[0])]
    await watch.pass_time(GATEWAY_WINDOW_S + 60, speak=["camera-01"])
    found = await watch.all()
    assert await watch.open() == [("gateway.offline", GATEWAY)]
    assert found[CHILDREN[0]].work == Work.CLOSED
    (closed,) = [entry for entry in await watch.house.entries("work") if entry["work"] == Work.CLOSED]
    assert (closed["reason"], closed["into"]) == ("behind_gateway", found[GATEWAY].id)


async def test_our_own_downtime_counts_against_nobody(watch: Watch) -> None:
    watch.house.clock.at += timedelta(hours=5)
    watch.again()
    await watch.listen()
    await watch.pass_time(GATEWAY_WINDOW_S - 20)
    assert await watch.open() == []
    assert (await watch.house.registry.read(boots.gauges))[1] == 0


async def test_while_nobody_listens_nothing_is_judged(watch: Watch) -> None:
    watch.house.clock.at += timedelta(hours=5)
    await watch.supervision.sweep()
    assert await watch.open() == []
    await watch.house.registry.write(partial(store.hears_nothing, boot=1))
    await watch.supervision.sweep()
    assert await watch.open() == []


async def test_a_shorter_window_from_an_import_begins_anew(watch: Watch) -> None:
    await watch.pass_time(400, speak=[GATEWAY, *CHILDREN])
    change = update(device_table).where(device_table.c.id == "camera-01").values(supervision_window_s=60)
    await watch.execute(change)
    await watch.pass_time(GRACE_S - 20, speak=[GATEWAY, *CHILDREN])
    assert await watch.open() == []
    await watch.pass_time(60, speak=[GATEWAY, *CHILDREN])
    assert await watch.open() == [("device.offline", "camera-01")]


async def test_removed_or_out_of_service_is_not_watched(watch: Watch) -> None:
    await watch.pass_time(WINDOW_S + 60, speak=[GATEWAY, *CHILDREN])
    assert await watch.open() == [("device.offline", "camera-01")]
    gone = update(device_table).where(device_table.c.id == "camera-01").values(state="removed")
    await watch.execute(gone)
    await watch.pass_time(320, speak=[GATEWAY, *CHILDREN])
    assert await watch.open() == []


async def test_silence_rings_no_phone_at_night(watch: Watch) -> None:
    await watch.pass_time(WINDOW_S + 100, speak=[])
    assert {code for code, _ in await watch.open()} == {"gateway.offline", "device.offline"}
    query = select(notifications.c.channel).where(notifications.c.channel.in_(("sms", "voice")))
    assert await watch.house.registry.read(lambda conn: list(conn.scalars(query))) == []


async def test_a_city_costs_a_look_and_not_a_scan(watch: Watch) -> None:
    """Twenty thousand more devices that have spoken: a sweep does not touch one of them, by the plan of its queries."""
    now = watch.house.clock.now()
    rows = [
        {"device_id": f"many-{n:06d}", "window_s": 90_000, "since": now, "look_at": now + timedelta(hours=20)}
        for n in range(20_000)
    ]
    await watch.execute(table.insert(), rows)
    spoken = [{"device_id": row["device_id"], "last_seen_at": now, "online": 1} for row in rows]
    await watch.execute(device_seen.insert(), spoken)
    assert await watch.house.registry.read(lambda conn: store.look_at(conn, now, 200)) == []
    if watch.house.registry.database.dialect == "sqlite":
        plans = await watch.house.registry.read(_plans)
        assert len(plans) >= 2
        assert not [step for step in plans if step.startswith("SCAN")], plans


def _plans(conn: Connection) -> list[str]:
    """What SQLite does for the queries of an idle sweep."""
    steps = []
    for query in (store.DUE, store.SPOKE):
        sql = str(query.compile(dialect=conn.dialect, compile_kwargs={"render_postcompile": True}))
        driver = conn.connection.driver_connection
        assert driver is not None
        steps += [row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {sql}", (1,) * sql.count("?"))]
    return steps
