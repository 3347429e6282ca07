"""A small city in a migrated database of either kind, for the tests of the registry's store. Holds no test."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection

from alerting.ports import Priority
from devices.model import Channel, Device, DeviceState, Language, PersonKind, PlaceKind, Role, Shift
from devices.store import devices, grids, people, places, shifts
from devices.store.devices import DeviceRow
from devices.store.grids import GridRow
from devices.store.people import ContactRow, PersonRow
from devices.store.places import PlaceRow
from devices.store.shifts import ShiftRow
from gengfu.database import RunningDatabase

T = TypeVar("T")
NOW = datetime(2025, 11, 1, 16, 0, tzinfo=UTC)

BRANCH = (
    ("city", PlaceKind.CITY, "信阳市", "Xinyang"),
    ("street", PlaceKind.STREET, "金牛山街道", "Jinniushan"),
    ("community", PlaceKind.COMMUNITY, "周家山社区", "Zhoujiashan"),
    ("compound", PlaceKind.COMPOUND, "阳光花园", "Sunshine"),
    ("building", PlaceKind.BUILDING, "3号楼", "B3"),
    ("room", PlaceKind.ROOM, "301", "301"),
)


class Registry:
    """Runs one function of the store as one transaction."""

    def __init__(self, database: RunningDatabase) -> None:
        self.database = database

    async def write(self, work: Callable[[Connection], T]) -> T:
        return await self.database.write(Priority.ADMINISTRATION, work)

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self.database.read(work)


def branch() -> list[PlaceRow]:
    path = tuple(id_ for id_, *_ in BRANCH)
    return [
        PlaceRow(id_, kind, name, name_en, path[: depth + 1], code=f"code-{id_}", lat=32.1, lon=114.0)
        for depth, (id_, kind, name, name_en) in enumerate(BRANCH)
    ]


def person(id_: str, kind: PersonKind = PersonKind.WORKER, left_at: datetime | None = None) -> PersonRow:
    return PersonRow(id_, kind, f"code-{id_}", f"网格员{id_}", f"Worker {id_}", Language.ZH_CN, left_at)


def contact(id_: str, person_id: str, channel: Channel = Channel.SMS, **more: Any) -> ContactRow:
    return ContactRow(id_, person_id, channel, "+8613800138000", **more)


def shift(id_: str, person_id: str, role: Role = Role.GRID_WORKER, **scope: object) -> ShiftRow:
    values: dict[str, object] = {"grid_id": None, "place_id": None, "starts_at": None, "ends_at": None, **scope}
    return ShiftRow(Shift(id_, role, person_id, **values))  # type: ignore[arg-type]


def device(id_: str, place_id: str | None = "room") -> DeviceRow:
    return DeviceRow(Device(id_, "smoke_detector", place_id, DeviceState.COMMISSIONED), NOW)


def fill(conn: Connection) -> None:
    places.insert_many(conn, branch())
    grids.insert_many(
        conn, [GridRow("grid", "zjs-01", "周家山一网格", "Grid 1", "community", ("building", "compound"))]
    )
    people.insert_many(conn, [person("jia"), person("yi")])
    people.add_contacts(
        conn,
        [
            contact("1", "jia", Channel.VOICE),
            contact("2", "jia", Channel.SMS),
            contact("3", "jia", Channel.APP),
            contact("4", "yi", Channel.SMS, opted_out_at=NOW),
        ],
    )
    shifts.insert_many(
        conn, [shift("night", "jia", grid_id="grid"), shift("duty", "yi", Role.COMMUNITY_DUTY, place_id="community")]
    )
    devices.insert_many(conn, [device("smoke-0001")])
