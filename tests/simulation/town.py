"""The town of the simulation: four buildings in two grids, and for each seed other people on other posts.

Places, grids and devices are written once and cloned; the roster is also kept as plain values, so that the judge can
look at it without asking the code that he judges.
"""

import random
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from sqlalchemy import Connection

from alerting.core.policy import document
from alerting.store import policy_rows
from alerting.store.policy_rows import PolicyRow
from devices.model import LADDER, Channel, Device, DeviceState, Language, PersonKind, PlaceKind, Role, Shift
from devices.store import devices, grids, people, places, shifts
from devices.store.devices import DeviceRow
from devices.store.grids import GridRow
from devices.store.people import ContactRow, PersonRow
from devices.store.places import PlaceRow
from devices.store.shifts import ShiftRow
from tests.simulation.inline import engine, shipped_schema
from tests.unit.builders import NOW, a_policy, a_step

ALL = tuple(Channel)
POSTS = (*LADDER, Role.PROPERTY_DESK, Role.BUILDING_STEWARD)
"""Where a roster can put somebody."""
GRID_OF = {"b1": "grid-1", "b2": "grid-1", "b3": "grid-2", "b4": "grid-2"}
GRID_POSTS = (Role.GRID_WORKER, Role.DEPUTY, Role.NEIGHBOUR_GRID)
PLACE_OF = {Role.COMMUNITY_DUTY: "community", Role.STREET_DUTY: "street", Role.CHAIR_OR_SECRETARY: "compound"}
ROOM_KINDS = ("smoke", "heat", "gas", "water")
CODE_OF = {"smoke": "fire.smoke", "heat": "fire.heat", "gas": "gas.co", "water": "water.leak", "shed": "env.overheat"}
CODE_OF |= {"lane": "lane.blocked", "panel": "device.fault"}


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a device is, for whoever looks at the town from outside."""

    device_id: str
    building: str
    floor: str
    code: str


def spots() -> dict[str, Spot]:
    """A smoke detector in every room; the others in some."""
    found: dict[str, Spot] = {}
    for building in GRID_OF:
        for floor in (f"{building}f1", f"{building}f2"):
            for number, room in enumerate((f"{floor}r1", f"{floor}r2")):
                for kind in ROOM_KINDS if number == 0 else ROOM_KINDS[:1]:
                    found[f"{kind}-{room}"] = Spot(f"{kind}-{room}", building, floor, CODE_OF[kind])
    for kind in ("shed", "lane", "panel"):
        found[f"{kind}-1"] = Spot(f"{kind}-1", "compound", "compound", CODE_OF[kind])
    return found


SPOTS = spots()


@dataclass(frozen=True, slots=True)
class Roster:
    """Who stands where and how he can be reached, as plain values."""

    shifts: tuple[Shift, ...]
    contacts: dict[str, tuple[Channel, ...]]

    def on_any_post(self, person_id: str, now: datetime) -> bool:
        return any(shift.person_id == person_id and _covers(shift, now) for shift in self.shifts)

    def reachable(
        self, roles: frozenset[Role], grid_id: str | None, channels: frozenset[Channel], now: datetime
    ) -> bool:
        """Does anybody stand on one of these posts who can be reached? Neighbours are not counted."""
        for role in roles - {Role.NEIGHBOUR_GRID}:
            own = [shift for shift in self.shifts if shift.role is role and _covers(shift, now)]
            near = [shift for shift in own if _near(shift, grid_id)]
            standing = near or [shift for shift in own if shift.grid_id is None and shift.place_id is None]
            if any(channels.intersection(self.contacts[shift.person_id]) for shift in standing):
                return True
        return False


def _covers(shift: Shift, now: datetime) -> bool:
    begun = shift.starts_at is None or shift.starts_at <= now
    return begun and (shift.ends_at is None or now < shift.ends_at)


def _near(shift: Shift, grid_id: str | None) -> bool:
    if shift.role in GRID_POSTS:
        return shift.grid_id is not None and shift.grid_id == grid_id
    return shift.place_id in ("street", "community", "compound")


@cache
def template() -> sqlite3.Connection:
    """The shipped schema with the town's places, grids and devices."""
    with engine().connect() as connection:
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        shipped_schema().backup(driver)
        with connection.begin():
            _build(connection)
        kept = sqlite3.connect(":memory:", check_same_thread=False)
        driver.backup(kept)
    return kept


def people_it(conn: Connection, dice: random.Random, night_s: float) -> Roster:
    """Other people for each seed: posts empty, held twice, held for a part of the night; some in test mode."""
    crew = [f"worker-{n}" for n in range(dice.randint(2, 6))]
    contacts = {person: tuple(dice.sample(ALL, dice.choice((0, 1, 2, 3, 3, 3)))) for person in crew}
    held = tuple(_shifts(dice, crew, night_s))
    people.insert_many(conn, [_person(person, dice) for person in crew])
    points = [ContactRow(f"{p}-{c}", p, c, _address(p, c), verified_at=NOW) for p in crew for c in contacts[p]]
    people.add_contacts(conn, points)
    shifts.insert_many(conn, [ShiftRow(shift) for shift in held])
    for number in range(dice.choice((0, 0, 1, 1, 2))):
        policy_rows.add(conn, f"policy-{number}", PolicyRow(f"by-hand-{number}", number, _policy(dice), 1))
    return Roster(held, contacts)


def _build(conn: Connection) -> None:
    rows = [
        PlaceRow("street", PlaceKind.STREET, "金牛山街道", "Jinniushan", ("street",)),
        PlaceRow("community", PlaceKind.COMMUNITY, "金鼎社区", "Jinding Cmty", ("street", "community")),
        PlaceRow("compound", PlaceKind.COMPOUND, "金鼎小区", "Jinding", ("street", "community", "compound")),
    ]
    for building in GRID_OF:
        path = (*rows[2].path, building)
        rows.append(PlaceRow(building, PlaceKind.BUILDING, f"{building[1:]}栋", building.upper(), path))
        for floor in (f"{building}f1", f"{building}f2"):
            rows.append(PlaceRow(floor, PlaceKind.FLOOR, f"{floor[-1]}层", f"F{floor[-1]}", (*path, floor)))
            for room in (f"{floor}r1", f"{floor}r2"):
                name = f"{floor[-1]}0{room[-1]}"
                rows.append(PlaceRow(room, PlaceKind.ROOM, name, name, (*path, floor, room)))
    places.insert_many(conn, rows)
    for grid in ("grid-1", "grid-2"):
        mine = tuple(building for building, its in GRID_OF.items() if its == grid)
        near = ("grid-1",) if grid == "grid-2" else ()
        row = GridRow(grid, grid, f"第{grid[-1]}网格", f"Grid {grid[-1]}", "community", mine, neighbour_ids=near)
        grids.insert_many(conn, [row])
    devices.insert_many(conn, [_device(spot) for spot in SPOTS.values()])


def _device(spot: Spot) -> DeviceRow:
    place = spot.device_id.partition("-")[2] if spot.building != "compound" else "compound"
    return DeviceRow(Device(spot.device_id, "smoke_detector", place, DeviceState.COMMISSIONED), NOW)


def _person(person_id: str, dice: random.Random) -> PersonRow:
    language = dice.choice((Language.ZH_CN, Language.ZH_CN, Language.EN))
    number = person_id.rpartition("-")[2]
    return PersonRow(
        person_id, PersonKind.WORKER, person_id, f"网格员{number}号", f"Grid worker {number}", language, None
    )


def _address(person_id: str, channel: Channel) -> str:
    return person_id if channel is Channel.APP else f"+861380013800{person_id.rpartition('-')[2]}"


def _shifts(dice: random.Random, crew: list[str], night_s: float) -> list[Shift]:
    made: list[Shift] = []
    for role in POSTS:
        for scope in _scopes(role):
            for person in dice.sample(crew, min(len(crew), dice.choice((0, 0, 1, 1, 1, 2)))):
                begins, ends = _hours(dice, night_s)
                everywhere = dice.random() < 0.1
                grid = scope if role in GRID_POSTS and not everywhere else None
                place = scope if role not in GRID_POSTS and not everywhere else None
                made.append(Shift(f"shift-{len(made)}", role, person, grid, place or None, begins, ends))
    return made


def _scopes(role: Role) -> tuple[str, ...]:
    if role in GRID_POSTS:
        return ("grid-1", "grid-2")
    return (PLACE_OF.get(role, ""),)


def _hours(dice: random.Random, night_s: float) -> tuple[datetime | None, datetime | None]:
    """Standing, until some time in the night, or from then on."""
    change = NOW + timedelta(seconds=dice.uniform(1, night_s))
    begins, ends = dice.choice(((False, False), (False, False), (False, True), (True, False)))
    far = timedelta(hours=8)
    if not begins and not ends:
        return None, None
    return (change, change + far) if begins else (NOW - far, change)


def _policy(dice: random.Random) -> dict[str, object]:
    times = sorted(dice.choice((0, 5, 20, 45, 45, 90)) for _ in range(dice.randint(0, 4)))
    steps = []
    for after in (0, *times):
        roles, channels = dice.sample(POSTS, dice.randint(1, 2)), dice.sample(ALL, dice.randint(1, 3))
        steps.append(a_step(after, *roles, channels=tuple(channels)))
    made = document(a_policy(*steps))
    made["loop"] = {"every_s": dice.choice((45, 120)), "to": [role.value for role in dice.sample(POSTS, 2)]}
    made["taken_expires_s"] = dice.choice((60, 120, 900))
    codes = dice.choice(([], ["fire.smoke"], ["gas.co", "water.leak"]))
    return made | {"match": {**made["match"], "codes": codes}}
