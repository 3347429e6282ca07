"""Household contacts over HTTP, on both databases: named and called only while an incident is open, else nowhere."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from alerting.store import tables as alerting_tables
from api.permissions import Role
from devices.model import Channel
from devices.store import audit, people, snapshot
from devices.store.tables import contact_points
from devices.store.tables import people as people_table
from devices.store.types import metadata
from tests.contract.access_support import TurnableClock
from tests.contract.api_support import Answer, Api, running_api

NAME, NUMBER, WHOLE, MASKED = "住户甲", "13812341234", "+8613812341234", "138****1234"
PLACES = (
    ("xy", "city", "信阳市", None),
    ("jd", "compound", "金鼎小区", "xy"),
    ("b1", "building", "1栋", "jd"),
    ("u1", "unit", "1单元", "b1"),
    ("r101", "room", "101", "u1"),
    ("r102", "room", "102", "b1"),
    ("b2", "building", "2栋", "jd"),
    ("r201", "room", "201", "b2"),
    ("shed", "part", "车棚", "jd"),
)


@dataclass(frozen=True, slots=True)
class Home:
    api: Api
    clock: TurnableClock
    ids: dict[str, str]

    def body(self, **changes: Any) -> dict[str, Any]:
        now = self.clock.now()
        return {
            "place_id": "r101",
            "name": NAME,
            "relation": "owner",
            "phone": NUMBER,
            "consent_at": (now - timedelta(days=1)).isoformat(),
            "consent_until": (now + timedelta(days=365)).isoformat(),
            "consent_how": "paper",
        } | changes

    async def add(self, **changes: Any) -> Any:
        answer = await self.api.call("POST", "/households", self.body(**changes), role=Role.INSTALLER)
        assert answer.status == 201, answer.text
        return answer.body

    async def to_call(self, incident_id: str, **options: Any) -> Answer:
        options = {"role": Role.OPERATOR} | options
        return await self.api.call("GET", f"/incidents/{incident_id}/households", **options)

    async def audited(self) -> list[audit.AuditRow]:
        rows = await self.api.database.read(lambda conn: audit.page(conn, None, 500))
        return [row for row in rows if row.entry.kind == "households"]


@pytest_asyncio.fixture
async def home(migrated_url: str) -> AsyncIterator[Home]:
    clock = TurnableClock()
    async with running_api(migrated_url, clock) as api:
        ids: dict[str, str] = {}
        for code, kind, name, parent in PLACES:
            body = {"kind": kind, "name": name, "code": code, "parent_id": parent}
            answer = await api.call("POST", "/places", body)
            assert answer.status == 201, answer.text
            ids[code] = answer.body["id"]
        yield Home(api, clock, ids)


def at_field(answer: Answer) -> tuple[int, str, str]:
    (error,) = answer.body["errors"]
    return answer.status, error["pointer"], error["code"]


async def test_what_is_written_is_kept_and_not_shown_again(home: Home) -> None:
    kept = await home.add(needs_help_leaving=True)
    receipt = await home.api.call("GET", f"/households/{kept['id']}", role=Role.INSTALLER)
    flats = await home.api.call("GET", "/households?under=b1", role=Role.INSTALLER)
    assert receipt.body == kept
    assert kept["has_phone"] is True
    (flat,) = flats.body["items"]
    assert (flat["place_id"], flat["in_force"], flat["expired"]) == (home.ids["r101"], 1, 0)
    assert [set(contact) for contact in flat["contacts"]] == [
        {"id", "relation", "consent_until", "in_force", "version"}
    ]
    for answer in (receipt, flats):
        for hidden in (NAME, NUMBER, "1234", "needs_help"):
            assert hidden not in answer.text


async def test_counts_per_flat_in_pages_and_by_place(home: Home) -> None:
    await home.add()
    await home.add(relation="tenant")
    await home.add(place_id="r201")
    await home.add(place_id="b2", relation="emergency_contact")
    api, cursor = home.api, ""
    seen: dict[str, int] = {}
    while True:
        answer = (await api.call("GET", f"/households?limit=1{cursor}")).body
        seen |= {flat["place_id"]: len(flat["contacts"]) for flat in answer["items"]}
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert seen == {home.ids["r101"]: 2, home.ids["r201"]: 1, home.ids["b2"]: 1}
    below = (await api.call("GET", "/households?under=b2")).body["items"]
    assert {flat["place_id"] for flat in below} == {home.ids["r201"], home.ids["b2"]}


async def test_a_household_person_is_found_nowhere_else(home: Home) -> None:
    kept = await home.add()
    api = home.api
    for path in (f"/workers/{kept['id']}", f"/workers/{kept['id']}/contacts"):
        assert (await api.call("GET", path)).status == 404
    assert (await api.call("GET", "/workers")).body["items"] == []
    assert (await api.call("GET", "/workers?kind=household")).body["items"] == []
    shift = {"role": "community_duty", "person_id": kept["id"], "place_id": "jd"}
    assert at_field(await api.call("POST", "/shifts", shift)) == (422, "#/person_id", "unknown_reference")
    key = {"name": "k", "role": "grid_worker", "person_id": kept["id"]}
    assert (await api.call("POST", "/api-keys", key)).status == 422
    now = home.clock.now()
    await api.insert(  # as nobody can enter it
        metadata.tables["shifts"],
        id="s",
        role="community_duty",
        person_id=kept["id"],
        place_id=home.ids["jd"],
    )
    loaded = await api.database.read(
        lambda conn: snapshot.load(conn, [], now, place_ids=[home.ids["jd"]], people_ids=[kept["id"]])
    )
    everything = await api.database.read(lambda conn: snapshot.load_all(conn, now))
    assert kept["id"] not in loaded.people
    assert kept["id"] not in everything.people
    for channel in Channel:
        assert await api.database.read(partial(people.contacts_at, channel=channel, address=WHOLE)) == []


async def test_whom_to_call_while_a_fire_is_open(home: Home) -> None:
    await home.add()
    await home.add(place_id="r102", relation="tenant", name="住户乙", needs_help_leaving=True, phone=None)
    await home.add(place_id="r201", name="住户丙")
    fire = await home.api.incident(place_id=home.ids["r102"])
    answer = await home.to_call(fire)
    assert [(each["address"], each["name"], each["phone"]) for each in answer.body["items"]] == [
        ("1栋 102", "住户乙", None),
        ("1栋 1单元 101", NAME, WHOLE),
    ]
    assert (answer.body["items"][0]["needs_help_leaving"], answer.body["more"]) == (True, False)
    shed = await home.api.incident(place_id=home.ids["shed"])
    assert (await home.to_call(shed)).body["items"] == []
    compound = await home.api.incident(place_id=home.ids["jd"])
    assert len((await home.to_call(compound)).body["items"]) == 3
    city = await home.api.incident(place_id=home.ids["xy"])
    assert (await home.to_call(city)).body["items"] == []
    assert (await home.to_call(await home.api.incident())).body["items"] == []


async def test_each_callers_first_look_is_audited_without_name_or_number(home: Home) -> None:
    await home.add()
    fire = await home.api.incident(place_id=home.ids["r101"])
    for role in (Role.OPERATOR, Role.OPERATOR, Role.SUPERVISOR):
        assert (await home.to_call(fire, role=role)).status == 200
    looks = [row.entry for row in await home.audited() if row.entry.act == "read"]
    assert [entry.object_id for entry in looks] == [fire, fire]
    assert len({entry.actor_id for entry in looks}) == 2
    for row in await home.audited():
        assert all(hidden not in str(row) for hidden in (NAME, NUMBER, MASKED))


async def test_only_while_it_is_open_and_never_for_an_exercise(home: Home) -> None:
    await home.add()
    now = home.clock.now()
    closed = await home.api.incident(place_id=home.ids["r101"], closed_at=now, work="closed", holds_key=False)
    answer = await home.to_call(closed)
    assert (answer.status, answer.body["refusal"]) == (409, "already_closed")
    for kind in ("test", "drill"):
        exercise = await home.api.incident(place_id=home.ids["r101"])
        await home.api.insert(alerting_tables.incident_overlays, incident_id=exercise, kind=kind, at=now)
        answer = await home.to_call(exercise)
        assert (answer.status, answer.body["refusal"]) == (409, "wrong_state")
        assert NUMBER not in answer.text
    assert (await home.to_call("none")).status == 404


async def test_who_may_look(home: Home) -> None:
    await home.add()
    await home.add(place_id="r201", name="住户丙")
    fire = await home.api.incident(place_id=home.ids["r101"])
    for role in (Role.INSTALLER, Role.ROSTER_PLANNER, Role.AUDITOR, Role.VIEWER):
        assert (await home.to_call(fire, role=role)).status == 403
    asked, told, other = [await home.api.person(code) for code in ("jia", "yi", "bing")]
    await home.api.page(fire, asked)
    await home.api.page(fire, told, purpose="update")
    found = {
        who: (await home.to_call(fire, key=await home.api.key(Role.GRID_WORKER, who))).status
        for who in (asked, told, other)
    }
    assert found == {asked: 200, told: 404, other: 404}
    elsewhere = await home.api.key(Role.OPERATOR, place_id=home.ids["b2"])
    assert (await home.to_call(fire, key=elsewhere)).status == 404
    for code, count in (("b1", 1), ("r101", 1), ("r102", None)):
        answer = await home.to_call(fire, key=await home.api.key(Role.OPERATOR, place_id=home.ids[code]))
        assert answer.status == (404 if count is None else 200), code
    narrow = await home.api.incident(place_id=home.ids["r102"])
    answer = await home.to_call(narrow, key=await home.api.key(Role.OPERATOR, place_id=home.ids["r102"]))
    assert (answer.status, answer.body["items"]) == (200, []), "the building, but not beyond the caller's scope"


async def test_consent_ends_by_itself_and_is_renewed(home: Home) -> None:
    soon = (home.clock.now() + timedelta(days=30)).isoformat()
    kept = await home.add(consent_until=soon)
    fire = await home.api.incident(place_id=home.ids["r101"])
    assert len((await home.to_call(fire)).body["items"]) == 1
    home.clock.turn(timedelta(days=31))
    assert (await home.to_call(fire)).body["items"] == []
    (flat,) = (await home.api.call("GET", "/households")).body["items"]
    assert (flat["in_force"], flat["expired"], flat["contacts"][0]["in_force"]) == (0, 1, False)
    now = home.clock.now()
    again = {"consent_at": now.isoformat(), "consent_until": (now + timedelta(days=9)).isoformat()}
    renewed = await home.api.call("POST", f"/households/{kept['id']}/consent", again | {"consent_how": "spoken"})
    assert (renewed.status, renewed.body["version"]) == (200, 2)
    assert [each["phone"] for each in (await home.to_call(fire)).body["items"]] == [WHOLE]


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"consent_at": None}, "#/consent_at", "datetime"),
        ({"consent_until": "2020-01-01T00:00:00Z"}, "#/consent_until", "consent_period"),
        ({"consent_at": "2019-01-01T00:00:00Z", "consent_until": "2020-01-01T00:00:00Z"}, "#/consent_until", "past"),
        (
            {"consent_at": "2098-01-01T00:00:00Z", "consent_until": "2099-01-01T00:00:00Z"},
            "#/consent_at",
            "consent_future",
        ),
        ({"consent_how": ""}, "#/consent_how", "string_too_short"),
        ({"place_id": "jd"}, "#/place_id", "not_a_flat"),
        ({"place_id": "none"}, "#/place_id", "unknown_reference"),
        ({"phone": None}, "#/phone", "household_phone"),
        ({"phone": None, "needs_help_leaving": True, "relation": "emergency_contact"}, "#/phone", "household_phone"),
        ({"phone": "119"}, "#/phone", "phone"),
        ({"relation": "cat"}, "#/relation", "enum"),
    ],
)
async def test_what_cannot_stand(home: Home, changes: dict[str, Any], field: str, code: str) -> None:
    answer = await home.api.call("POST", "/households", home.body(**changes))
    assert at_field(answer) == (422, field, code)
    assert NUMBER not in answer.text
    assert (await home.api.call("GET", "/households")).body["items"] == []


async def test_everything_anew_over_a_version(home: Home) -> None:
    kept = await home.add()
    path, body = f"/households/{kept['id']}", home.body(name="住户丁", phone="13900139000", place_id="r102")
    assert (await home.api.call("PUT", path, body)).status == 428
    put = await home.api.call("PUT", path, body, If_Match='"1"', role=Role.INSTALLER)
    assert (put.status, put.body["version"], put.body["place_id"]) == (200, 2, home.ids["r102"])
    assert (await home.api.call("PUT", path, body, If_Match='"1"')).status == 412
    fire = await home.api.incident(place_id=home.ids["r102"])
    (only,) = (await home.to_call(fire)).body["items"]
    assert (only["name"], only["phone"]) == ("住户丁", "+8613900139000")


async def test_withdrawn_is_deleted_and_only_the_audit_knows(home: Home) -> None:
    kept = await home.add()
    path = f"/households/{kept['id']}"
    assert (await home.api.call("DELETE", path)).status == 428
    assert (await home.api.call("DELETE", path, If_Match="*", role=Role.INSTALLER)).status == 204
    assert (await home.api.call("GET", path)).status == 404

    async def rows(table: Any) -> list[Any]:
        return await home.api.database.read(lambda conn: list(conn.execute(table.select())))

    assert await rows(contact_points) == await rows(people_table) == []
    assert [row.entry.act for row in await home.audited()] == ["remove", "create"]
    for row in await home.audited():
        assert all(hidden not in str(row) for hidden in (NAME, NUMBER, MASKED, "*1234"))


async def test_scope_of_those_who_write(home: Home) -> None:
    kept = await home.add()
    key = await home.api.key(Role.INSTALLER, place_id=home.ids["b2"])
    path = f"/households/{kept['id']}"
    assert (await home.api.call("GET", path, key=key)).status == 404
    assert (await home.api.call("PUT", path, home.body(), key=key, If_Match="*")).status == 404
    assert (await home.api.call("DELETE", path, key=key, If_Match="*")).status == 404
    consent = {name: value for name, value in home.body().items() if name.startswith("consent")}
    assert (await home.api.call("POST", f"{path}/consent", consent, key=key)).status == 404
    assert (await home.api.call("GET", "/households", key=key)).body["items"] == []
    assert at_field(await home.api.call("POST", "/households", home.body(), key=key))[2] == "unknown_reference"
    assert at_field(await home.api.call("GET", "/households?under=b1", key=key))[2] == "unknown_reference"
    assert (await home.api.call("POST", "/households", home.body(place_id="r201"), key=key)).status == 201


async def test_sent_twice_it_is_one_contact_and_remembered_without_name_or_number(home: Home) -> None:
    body = home.body()
    made, again = [await home.api.call("POST", "/households", body, Idempotency_Key="h") for _ in range(2)]
    assert (made.status, made.body) == (again.status, again.body)
    (flat,) = (await home.api.call("GET", "/households")).body["items"]
    assert len(flat["contacts"]) == 1
    remembered = metadata.tables["idempotency"]
    (row,) = await home.api.database.read(lambda conn: list(conn.execute(remembered.select())))
    assert NAME not in str(row)
    assert "1234" not in str(row.response)
