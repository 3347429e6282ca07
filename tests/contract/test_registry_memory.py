"""What is remembered between batches is what a fresh look at the database says, whoever writes in between."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from random import Random

import pytest
import pytest_asyncio
from sqlalchemy import Connection, Executable, Table, delete, event, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.sql import visitors

from devices.duty.plan import Leave, Override, RegistrySnapshot
from devices.duty.standing import Stand, standing
from devices.model import Channel, Placement, Role
from devices.resolve import place_device
from devices.store import duty_rows, grids, leaves, overrides, people, shifts, snapshot
from devices.store.leaves import LeaveRow
from devices.store.memory import RegistryMemory
from devices.store.overrides import OverrideRow
from devices.store.tables import contact_points, grid_places, places
from devices.store.tables import people as people_table
from devices.store.tables import shifts as shift_table
from devices.store.tables_duty import grid_members
from devices.store.tables_generation import COUNTED, TRIGGERS
from gengfu.database import open_database
from tests.contract.registry_support import NOW, Registry, contact, fill, shift

pytest_plugins = ["tests.contract.registry_fixtures"]

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
ROLES = (Role.GRID_WORKER, Role.DEPUTY, Role.COMMUNITY_DUTY, Role.NEIGHBOUR_GRID)


@pytest_asyncio.fixture
async def sqlite_city(migrated_sqlite_url: str) -> AsyncIterator[Registry]:
    """The small city where writes are counted."""
    database = open_database(migrated_sqlite_url, monotonic=time.monotonic)
    registry = Registry(database)
    await registry.write(fill)
    yield registry
    await database.close()


def told(found: RegistrySnapshot, now: datetime) -> list[list[Stand]]:
    placement = place_device(found, "smoke-0001")
    assert isinstance(placement, Placement)
    return [list(standing(found, placement, role, now)) for role in ROLES]


def both(conn: Connection, memory: RegistryMemory, now: datetime) -> tuple[list[list[Stand]], list[list[Stand]]]:
    remembered = memory.load(conn, ["smoke-0001"], now, people_ids=["jia"])
    fresh = snapshot.load(conn, ["smoke-0001"], now, people_ids=["jia"])
    assert {id_: remembered.places[id_] for id_ in fresh.places} == fresh.places
    assert remembered.people.get("jia") == fresh.people.get("jia")
    assert remembered.devices == fresh.devices
    return told(remembered, now), told(fresh, now)


def edits(dice: Random, number: int) -> list[Callable[[Connection], object]]:
    """Each writes to another table, by whatever way a writer may go."""
    who, when = dice.choice(("jia", "yi")), NOW + dice.randint(-30, 30) * MINUTE
    override = Override(f"o{number}", "cover", Role.GRID_WORKER, who, None, "grid", None, when, when + HOUR)
    planned = shift(f"s{number}", who, dice.choice((Role.GRID_WORKER, Role.DEPUTY)), grid_id="grid", ends_at=when)
    spare = people_table.c.id == who
    return [
        lambda conn: overrides.insert_many(conn, [OverrideRow(override)]),
        lambda conn: shifts.insert_many(conn, [planned]),
        lambda conn: conn.execute(delete(shift_table).where(shift_table.c.id == "night")),
        lambda conn: leaves.insert_many(conn, [LeaveRow(f"l{number}", who, Leave(when, when + HOUR))]),
        lambda conn: conn.execute(update(people_table).where(spare).values(left_at=dice.choice((None, when)))),
        lambda conn: conn.execute(update(contact_points).values(opted_out_at=dice.choice((None, NOW)))),
        lambda conn: conn.execute(delete(grid_members)),
        lambda conn: conn.execute(text("UPDATE places SET name = name || '+'")),
        lambda conn: grids.update_one(conn, replace(_grid(conn), worker_ids=dice.choice((("yi", "jia"), ("jia",))))),
        lambda conn: grids.update_one(conn, replace(_grid(conn), night=dice.choice((None, (1320, 420))))),
        lambda conn: conn.execute(update(grid_places).values(place_id=grid_places.c.place_id)),
        lambda conn: people.add_contacts(conn, [contact(f"c{number}", "yi", Channel.VOICE)][: number % 2]),
    ]


def _grid(conn: Connection) -> grids.GridRow:
    row = grids.get(conn, "grid")
    assert row is not None
    return row


def undone(conn: Connection, edit: Callable[[Connection], object]) -> None:
    """A writer who fails half way."""
    edit(conn)
    raise LookupError


@pytest.mark.parametrize("seed", range(8))
async def test_remembered_is_what_a_fresh_look_says(city: Registry, seed: int) -> None:
    dice, memory = Random(seed), RegistryMemory(places_max=2, singly_max=1) if seed % 2 else RegistryMemory()
    now = NOW - 20 * MINUTE
    seen: list[list[list[Stand]]] = []
    for number in range(40):
        edit = dice.choice(edits(dice, number))
        if dice.random() < 0.25:
            with pytest.raises(LookupError):
                await city.write(partial(undone, edit=edit))
        elif dice.random() < 0.5:
            with suppress(IntegrityError):  # a contact that exists already
                await city.write(edit)
        now += dice.randint(0, 3) * MINUTE
        remembered, fresh = await city.write(partial(both, memory=memory, now=now))
        assert remembered == fresh, (seed, number)
        seen.append(fresh)
    assert any(one != other for one, other in pairwise(seen)), "nothing ever changed"


async def test_who_leaves_while_nobody_writes_is_forgotten_in_time(city: Registry) -> None:
    memory = RegistryMemory()
    await city.write(lambda conn: conn.execute(update(people_table).values(left_at=NOW + HOUR)))
    for now, expected in ((NOW, {"jia"}), (NOW + HOUR, set())):
        found = await city.write(lambda conn, now=now: memory.load(conn, ["smoke-0001"], now))  # type: ignore[misc]
        assert {stand.person.id for stand in told(found, now)[0]} == expected
        assert found.people.keys() >= expected
    assert found.people == {}


async def test_a_look_that_was_broken_off_counts_as_none(city: Registry) -> None:
    memory = RegistryMemory()

    def cut(*given: object) -> None:
        if "FROM people" in str(given[2]):
            raise ConnectionError

    def broken(conn: Connection) -> None:
        event.listen(conn, "before_cursor_execute", cut)
        with pytest.raises(ConnectionError):
            memory.load(conn, ["smoke-0001"], NOW)
        event.remove(conn, "before_cursor_execute", cut)

    await city.write(broken)
    remembered, fresh = await city.write(partial(both, memory=memory, now=NOW))
    assert remembered == fresh
    assert fresh[0] != []


async def test_rooms_are_let_go_where_there_are_too_many(sqlite_city: Registry) -> None:
    memory = RegistryMemory(places_max=2)
    first = await sqlite_city.write(lambda conn: memory.load(conn, ["smoke-0001"], NOW))
    assert "room" in first.places
    without = await sqlite_city.write(lambda conn: memory.load(conn, [], NOW))
    assert without.places.keys() == {"city", "street", "community", "compound", "building"}
    again = await sqlite_city.write(lambda conn: memory.load(conn, ["smoke-0001"], NOW))
    assert told(again, NOW) == told(first, NOW)


async def test_a_snapshot_given_away_stays_as_it_was(city: Registry) -> None:
    memory = RegistryMemory()
    before = await city.write(lambda conn: memory.load(conn, ["smoke-0001"], NOW))
    first = told(before, NOW)
    await city.write(lambda conn: conn.execute(delete(shift_table)))
    after = await city.write(lambda conn: memory.load(conn, ["smoke-0001"], NOW))
    assert told(before, NOW) == first
    assert told(after, NOW) != first


async def test_the_second_look_reads_the_count_and_the_devices_alone(city: Registry) -> None:
    memory = RegistryMemory()
    statements: list[str] = []

    def counted(conn: Connection) -> bool:
        event.listen(conn, "before_cursor_execute", lambda *given: statements.append(given[2]))
        memory.load(conn, ["smoke-0001"], NOW)
        statements.clear()
        memory.load(conn, ["smoke-0001"], NOW)
        return conn.dialect.name == "sqlite"

    on_sqlite = await city.write(counted)
    assert len([each for each in statements if each.startswith("SELECT")]) == (2 if on_sqlite else 5)


async def test_neighbours_are_remembered_too(city: Registry) -> None:
    def fill(conn: Connection) -> None:
        grids.insert_many(conn, [grids.GridRow("near", "near", "网格", "Grid", worker_ids=("yi",))])
        grids.update_one(conn, replace(_grid(conn), neighbour_ids=("near",)))

    memory = RegistryMemory()
    await city.write(fill)
    lean = await city.write(lambda conn: memory.load(conn, ["smoke-0001"], NOW, neighbours=False))
    helped = await city.write(lambda conn: memory.with_neighbours(conn, lean, NOW))
    assert [stand.person.id for stand in told(helped, NOW)[3]] == ["yi"]


def tables_in(*statements: Executable) -> set[str]:
    found: set[str] = set()
    for statement in statements:
        found |= {each.name for each in visitors.iterate(statement) if isinstance(each, Table)}  # type: ignore[arg-type]
    return found


def test_every_table_that_is_remembered_is_counted() -> None:
    remembered = tables_in(duty_rows._SOME, duty_rows._LEAVES_OF, snapshot._PEOPLE, snapshot._PLACES)
    assert remembered == {table.name for table in COUNTED}
    assert tables_in(select(places.c.id)) == {"places"}


async def test_the_newest_schema_counts_as_the_tables_say(registry: Registry) -> None:
    """The migration's frozen text is the tables' own."""

    def read(conn: Connection) -> set[str] | None:
        if conn.dialect.name != "sqlite":
            return None
        rows = conn.execute(text("SELECT sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'counted%'"))
        return set(rows.scalars())

    assert await registry.read(read) in (None, set(TRIGGERS))
