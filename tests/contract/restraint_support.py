"""A building of 40 rooms on a migrated database of either kind, decided on with a clock that stands still. No test."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from alerting.core.acts import Done, Verb
from alerting.core.model import Actor, AttemptState, Settings
from alerting.deciding import Deciding
from alerting.digests import Digests
from alerting.ports import Priority
from alerting.reading import read
from alerting.store import attempts, incidents
from alerting.store import notifications as notification_store
from alerting.store.tables import incidents as incident_rows
from alerting.store.tables import notifications, timeline
from alerting.summing import Summing
from alerting.verdicts import Prepared, Urgency
from alerting.writing import Outbox, Written
from devices import decode
from devices.model import Channel, Device, DeviceState, Language, PersonKind, PlaceKind, Role
from devices.signals import RawMessage
from devices.store import devices, grids, people, places, shifts
from devices.store.devices import DeviceRow
from devices.store.grids import GridRow
from devices.store.people import ContactRow, PersonRow
from devices.store.places import PlaceRow
from gengfu.clock import RandomIds
from tests.contract.registry_support import Registry, shift

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
"""Noon in Xinyang."""
NIGHT = NOON + timedelta(hours=11)
"""Eleven in the evening."""
MORNING = NOON + timedelta(hours=19)
"""Seven on the next day."""
FLOORS, ROOMS = (12, 13), 40
PEOPLE = {
    "worker": ("网格员甲", Role.GRID_WORKER),
    "relief": ("网格员乙", Role.GRID_WORKER),
    "desk": ("消控室", Role.CONTROL_ROOM),
}


def fill(conn: Connection) -> None:
    above: tuple[str, ...] = ()
    rows = []
    for id_, kind, name, english in (
        ("city", PlaceKind.CITY, "信阳市", "Xinyang"),
        ("community", PlaceKind.COMMUNITY, "金鼎社区", "Jinding Cmty"),
        ("compound", PlaceKind.COMPOUND, "金鼎花园", "Jinding Garden"),
        ("b3", PlaceKind.BUILDING, "3栋", "B3"),
    ):
        above = (*above, id_)
        rows.append(PlaceRow(id_, kind, name, english, above, code=id_))
    for floor in FLOORS:
        rows.append(
            PlaceRow(f"f{floor}", PlaceKind.FLOOR, f"{floor}层", f"F{floor}", (*above, f"f{floor}"), code=f"f{floor}")
        )
        for n in range(1, ROOMS + 1):
            room = f"{floor}{n:02d}"
            rows.append(PlaceRow(room, PlaceKind.ROOM, room, room, (*above, f"f{floor}", room), code=room))
    places.insert_many(conn, rows)
    grids.insert_many(conn, [GridRow("grid", "jd-01", "金鼎一网格", "Grid 1", "community", ("compound",))])
    people.insert_many(
        conn,
        [PersonRow(id_, PersonKind.WORKER, id_, name, id_, Language.ZH_CN, None) for id_, (name, _) in PEOPLE.items()],
    )
    people.add_contacts(
        conn,
        [
            ContactRow(f"{id_}-{channel.value}", id_, channel, id_ if channel is Channel.APP else "+8613800138000")
            for id_ in PEOPLE
            for channel in Channel
        ],
    )
    change = MORNING - timedelta(hours=1)
    shifts.insert_many(
        conn,
        [
            shift("one", "worker", grid_id="grid", ends_at=change),
            shift("two", "relief", grid_id="grid", starts_at=change),
            shift("room", "desk", Role.CONTROL_ROOM),
        ],
    )
    kinds = ("smoke", "heat", "fault")
    devices.insert_many(
        conn,
        [
            DeviceRow(
                Device(f"{kind}-{floor}{n:02d}", f"{kind}_detector", f"{floor}{n:02d}", DeviceState.COMMISSIONED), NOON
            )
            for floor in FLOORS
            for n in range(1, ROOMS + 1)
            for kind in kinds
        ],
    )


@dataclass
class StandingClock:
    at: datetime = NOON

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return (self.at - NOON).total_seconds()


@dataclass
class House:
    """The shell's transactions, one at a time. `again` builds it anew, as a restart does."""

    registry: Registry
    clock: StandingClock = field(default_factory=StandingClock)
    settings: Settings = field(default_factory=Settings)
    events: int = 0

    def __post_init__(self) -> None:
        self.again()

    def again(self) -> None:
        self.ids = RandomIds()
        self.deciding = Deciding(self.clock, self.ids, self.settings, Outbox(1, {}))
        self.summing = Summing(self.deciding, self.clock, self.ids)
        self.written: list[Written] = []
        self.digests = Digests(self.deciding, self.registry.database, self.clock, self.settings, self.written.append)

    async def hear(self, *spoken: str, code: str = "fire.smoke", state: str = "raised") -> None:
        """One batch: these devices."""
        inputs = []
        for device_id in spoken:
            self.events += 1
            event = {"event_id": f"e{self.events}", "code": code, "state": state}
            raw = RawMessage(f"gengfu/v1/{device_id}/up/event", msgspec.json.encode(event), self.clock.now())
            inputs.append(read(Prepared(raw, decode(raw), Urgency.FIRE), self.ids))
        await self.registry.database.write(Priority.ALARM, lambda conn: self.deciding.batch(conn, inputs))

    async def later(self, seconds: float) -> Written:
        """So much later what is due is done."""
        self.clock.at += timedelta(seconds=seconds)
        return await self.look()

    async def look(self) -> Written:
        now = self.clock.now()
        ids = await self.registry.read(lambda conn: incidents.due_ids(conn, now, 500))
        await self.registry.write(lambda conn: self.deciding.due(conn, ids))
        if await self.registry.read(self.summing.due):
            return await self.registry.write(self.summing.look)
        return Written()

    async def act(self, verb: Verb, person: str = "worker") -> None:
        (incident_id,) = await self.registry.read(lambda conn: list(conn.scalars(select(incident_rows.c.id))))
        actor = Actor(person, person, "app", person)
        done, _ = await self.registry.write(lambda conn: self.deciding.act(conn, incident_id, verb, actor, {}))
        assert isinstance(done, Done)

    async def sent(self, person: str = "worker", channel: Channel = Channel.SMS, purpose: str = "page") -> list[str]:
        """The texts of notifications, in order."""
        c = notifications.c
        query = select(c.text).where(c.recipient_id == person, c.channel == channel.value, c.purpose == purpose)
        return await self.registry.read(lambda conn: list(conn.scalars(query.order_by(c.planned_at, c.id))))

    async def entries(self, kind: str) -> list[dict[str, Any]]:
        query = select(timeline.c.data, timeline.c.reason).where(timeline.c.kind == kind).order_by(timeline.c.seq)
        return await self.registry.read(lambda conn: [row.data | {"reason": row.reason} for row in conn.execute(query)])

    async def delivered(self, purpose: str) -> None:
        """The provider has everything of this purpose."""

        def work(conn: Connection) -> None:
            query = select(notifications.c.id).where(notifications.c.purpose == purpose)
            for notification_id in conn.scalars(query).all():
                found = attempts.newest_of(conn, notification_id)
                assert found is not None
                change = attempts.Change(found[0], AttemptState.PROVIDER_ACCEPTED)
                attempts.change(conn, [change])
                notification_store.raise_states(conn, [(notification_id, AttemptState.PROVIDER_ACCEPTED)])

        await self.registry.write(work)


def floor_of(kind: str, floor: int, rooms: Sequence[int]) -> list[str]:
    return [f"{kind}-{floor}{n:02d}" for n in rooms]
