"""The stores of pictures, organisations, compounds, households and hours: written, read back, raced, on both databases
with the migrated schema.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import IntegrityError

from devices.model import (
    Channel,
    Committee,
    CompoundType,
    Language,
    OrganisationKind,
    PersonKind,
    PictureKind,
    PlaceKind,
    Relation,
)
from devices.store import compounds, households, organisations, people, pictures, places, standing
from devices.store.households import HouseholdRow
from devices.store.organisations import OrganisationRow
from devices.store.pictures import Picture
from devices.store.places import PlaceRow
from devices.store.scope import NOTHING, Scope
from devices.store.tables import contact_points
from devices.store.tables import people as people_table
from tests.contract.registry_support import NOW, Registry, branch, person

pytest_plugins = ["tests.contract.registry_fixtures"]

PLAN = Picture("compound", PictureKind.PLAN, "image/png", "a" * 64, b"\x89PNG\0", NOW)
UNTIL = NOW + timedelta(days=365)


def household(id_: str = "h1", place_id: str = "room", until: datetime = UNTIL) -> HouseholdRow:
    return HouseholdRow(id_, place_id, "住户甲", Relation.OWNER, "+8613812341234", NOW, until, "paper", True)


async def test_pictures(city: Registry) -> None:
    assert await city.read(lambda conn: pictures.get(conn, "compound", PictureKind.PLAN)) is None
    await city.write(lambda conn: pictures.add(conn, PLAN))
    assert await city.read(lambda conn: pictures.get(conn, "compound", PictureKind.PLAN)) == PLAN
    with pytest.raises(IntegrityError):
        await city.write(lambda conn: pictures.add(conn, PLAN))
    other = replace(PLAN, sha256="b" * 64, content=b"\xff\xd8\xff", media_type="image/jpeg")
    assert not await city.write(lambda conn: pictures.replace(conn, other, "c" * 64))
    assert await city.write(lambda conn: pictures.replace(conn, other, PLAN.sha256))
    assert await city.read(lambda conn: pictures.hash_of(conn, "compound", PictureKind.PLAN)) == "b" * 64
    found = await city.read(lambda conn: places.get(conn, "compound"))
    assert found == replace(branch()[3], pictures=(PictureKind.PLAN,))
    assert not await city.write(lambda conn: pictures.remove(conn, "compound", PictureKind.PLAN, PLAN.sha256))
    assert await city.write(lambda conn: pictures.remove(conn, "compound", PictureKind.PLAN, other.sha256))


async def test_organisations_and_compounds(city: Registry) -> None:
    company = OrganisationRow("o1", OrganisationKind.PROPERTY_COMPANY, "wuye", "物业公司甲", "Property A")
    await city.write(lambda conn: organisations.insert_many(conn, [company]))
    assert await city.read(lambda conn: organisations.find(conn, "wuye")) == company
    assert await city.write(lambda conn: organisations.update_one(conn, replace(company, name="物业公司乙")))
    assert not await city.write(lambda conn: organisations.update_one(conn, company))
    empty = await city.read(lambda conn: compounds.get(conn, "compound"))
    assert empty is not None
    assert (empty.version, empty.three_without) == (0, None)
    assert await city.read(lambda conn: compounds.get(conn, "building")) is None
    told = replace(empty, type=CompoundType.OLD, committee=Committee.OWNERS, property_company_id="o1")
    assert await city.write(lambda conn: compounds.update_one(conn, told))
    with pytest.raises(IntegrityError):
        await city.write(lambda conn: compounds.update_one(conn, told))
    kept = await city.read(lambda conn: compounds.get(conn, "compound"))
    assert kept == replace(told, version=1)
    assert await city.write(lambda conn: compounds.update_one(conn, kept))
    assert not await city.write(lambda conn: compounds.update_one(conn, kept))
    assert await city.read(lambda conn: organisations.compounds_of(conn, "o1")) == 1
    with pytest.raises(IntegrityError):
        await city.write(lambda conn: organisations.remove(conn, "o1", 2))
    assert await city.read(lambda conn: compounds.page(conn, None, 9, within=NOTHING)) == []


async def test_households_come_back_as_they_went_in(city: Registry) -> None:
    row = household()
    await city.write(lambda conn: households.insert_many(conn, [row]))
    assert await city.read(lambda conn: households.get(conn, "h1")) == row
    later = replace(row, name="住户乙", phone=None, needs_help_leaving=False, language=Language.EN, place_id="building")
    assert await city.write(lambda conn: households.update_one(conn, later))
    assert not await city.write(lambda conn: households.update_one(conn, row))
    assert await city.read(lambda conn: households.get(conn, "h1")) == replace(later, version=2)
    assert not await city.write(lambda conn: households.remove(conn, "h1", 1))
    assert await city.write(lambda conn: households.remove(conn, "h1", 2))

    def left(conn: Connection) -> list[int]:
        mine = (
            select(func.count()).where(contact_points.c.person_id == "h1"),
            select(func.count()).where(people_table.c.id == "h1"),
        )
        return [conn.scalar(query) or 0 for query in mine]

    assert await city.read(left) == [0, 0]


async def test_a_worker_cannot_be_withdrawn_as_a_household(city: Registry) -> None:
    assert await city.read(lambda conn: households.get(conn, "jia")) is None
    assert not await city.write(lambda conn: households.remove(conn, "jia", 1))


async def test_consent_is_asked_at_the_instant(city: Registry) -> None:
    await city.write(lambda conn: households.insert_many(conn, [household("h1"), household("h2", "building")]))

    async def names(path: str, at: datetime, within: Scope | None = None) -> list[str]:
        scope = within or Scope()
        found = await city.read(lambda conn: households.to_call(conn, path, at, 9, within=scope))
        return [each.household.id for each in found]

    building = "/".join(branch()[4].path)
    tick = timedelta(microseconds=1)
    assert await names(building, NOW) == ["h2", "h1"]
    assert await names(building, NOW - tick) == []
    assert await names(building, UNTIL - tick) == ["h2", "h1"]
    assert await names(building, UNTIL) == []
    assert await names("/".join(branch()[5].path), NOW) == ["h1"]
    assert await names(building, NOW, Scope(("/".join(branch()[5].path),))) == ["h1"]
    for at in (NOW - tick, NOW, UNTIL):
        assert household().in_force(at) is (at == NOW)


async def test_no_query_on_people_finds_a_household(city: Registry) -> None:
    await city.write(lambda conn: households.insert_many(conn, [household()]))
    assert await city.read(lambda conn: people.get(conn, "h1")) is None
    assert await city.read(lambda conn: people.find(conn, "h1")) is None
    assert [row.id for row in await city.read(lambda conn: people.page(conn, None, 9))] == ["jia", "yi"]
    for channel in Channel:
        assert await city.read(partial(people.contacts_at, channel=channel, address="+8613812341234")) == []


async def test_hours_and_consent_of_people(city: Registry) -> None:
    volunteer = replace(person("v", PersonKind.VOLUNTEER), hours=(1170, 360), night_calls_consent_at=NOW)
    await city.write(lambda conn: people.insert_many(conn, [volunteer]))
    assert await city.read(lambda conn: people.get(conn, "v")) == volunteer
    midnight = replace(volunteer, hours=(0, 60), night_calls_consent_at=None)
    assert await city.write(lambda conn: people.update_one(conn, midnight))
    assert await city.read(lambda conn: people.get(conn, "v")) == replace(midnight, version=2)


async def test_siblings_and_what_stands_on_a_place(city: Registry) -> None:
    def look(conn: Connection) -> None:
        street = branch()[1]
        assert places.sibling(conn, "city", street.kind, street.name, "other") == street
        assert places.sibling(conn, "city", street.kind, street.name, "street") is None
        assert places.sibling(conn, "city", PlaceKind.PART, street.name, "other") is None
        assert places.sibling(conn, None, PlaceKind.CITY, "信阳市", "other") == branch()[0]
        assert places.kinds_below(conn, "city") == {PlaceKind.STREET}
        assert standing.on_place(conn, "compound") == {"children": 1, "grids": 1}
        assert standing.on_place(conn, "community") == {"children": 1, "grids": 1, "duty": 1}
        assert standing.on_place(conn, "room") == {"devices": 1}
        assert standing.on_place(conn, "gone") == {}

    await city.read(look)


async def test_a_place_is_removed_over_its_version(city: Registry) -> None:
    part = PlaceRow("lift", PlaceKind.PART, "电梯", "", (*branch()[4].path, "lift"))
    await city.write(lambda conn: places.insert_many(conn, [part]))
    assert not await city.write(lambda conn: places.remove(conn, "lift", 2))
    assert await city.write(lambda conn: places.remove(conn, "lift", 1))
    assert await city.read(lambda conn: places.get(conn, "lift")) is None
    with pytest.raises(IntegrityError):
        await city.write(lambda conn: places.remove(conn, "building", 1))
