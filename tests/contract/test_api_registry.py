"""Places, grids, people, shifts, devices, duty, policies, quarantine: written and read over HTTP, on both databases."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from alerting.core.policy import parse
from alerting.ports import Priority
from alerting.store import policies
from alerting.store.tables_readiness import self_tests
from api.permissions import ROUTES, Role
from devices.model import LADDER
from devices.store import quarantine
from devices.store.quarantine import QuarantineRow
from tests.contract.api_support import Answer, Api, running_api


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
        yield running


@pytest_asyncio.fixture
async def either(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


async def made(api: Api, path: str, body: dict[str, Any]) -> Any:
    """The body of what was created."""
    answer = await api.call("POST", path, body)
    assert answer.status == 201, answer.text
    return answer.body


def at_field(answer: Answer) -> tuple[int, str, str]:
    """Status, field and code of the one error."""
    (error,) = answer.body["errors"]
    return answer.status, error["pointer"], error["code"]


def examples(document: dict[str, Any]) -> dict[str, Any]:
    """`METHOD path` -> the example body in the OpenAPI document."""
    found: dict[str, Any] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            name = next((part["$ref"] for part in (schema, *schema.get("anyOf", ())) if "$ref" in part), None)
            if name is not None:
                found[f"{method.upper()} {path}"] = document["components"]["schemas"][name.split("/")[-1]]["examples"][
                    0
                ]
    return found


async def test_each_example_works_as_it_stands(either: Api) -> None:
    api = either
    document = (await api.call("GET", "/openapi.json", role=None)).body
    assert document["security"] == [{"key": []}, {"session": []}]
    described = {f"{m.upper()} {path}" for path, methods in document["paths"].items() for m in methods}
    assert set(ROUTES) <= described
    bodies = examples(document)
    ids: dict[str, str] = {"name": "night", "incidents": await api.incident()}
    for kind in ("compound", "room"):  # a household lives in a flat, a profile belongs to a compound
        place = await made(api, "/places", {"kind": kind, "code": f"{kind}-301", "name": "301"})
        ids[f"{kind}s"] = place["id"]
    ids["flats"] = ids["rooms"]
    order = ["places", "grids", "workers", "organisations", "households", "shifts"]
    order += ["patterns", "overrides", "leaves", "models", "devices", "api-keys", "users"]
    posts = [f"POST /api/v1/{noun}" for noun in order] + ["POST /api/v1/workers/{id}/contacts"]
    last = ["POST /api/v1/devices/{id}/replace"]  # the device is removed by it
    rest = [route for route in bodies if route not in posts + last] + last
    for route in posts + rest:
        method, path = route.split(" ")
        key = None
        if path.startswith("/api/v1/readiness/me/"):  # of a worker himself, who has had his message of the day
            key, test = await api.key(Role.GRID_WORKER, ids["workers"]), bodies["POST /api/v1/readiness/me/self-test"]
            day = {"day": "2026-11-27", "sent_at": api.deps.clock.now()}
            if "self-test" in path:
                await api.insert(self_tests, person_id=ids["workers"], **test, **day)
        noun = path.split("/")[3]
        target = path.replace("{id}", ids.get(noun, "")).replace("{name}", ids["name"])
        target = target.replace("{contact_id}", ids.get("contacts", ""))
        answer = await api.call(method, target, bodies[route], key=key, If_Match="*")
        assert answer.status in (200, 201, 202), (route, answer.text)
        if route in posts and path.count("/") == 3:
            ids[noun] = answer.body["id"]
        if route == "POST /api/v1/workers/{id}/contacts":
            ids["contacts"] = answer.body["id"]
    with_body = {
        f"{method.upper()} {path}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if "application/json" in operation.get("requestBody", {}).get("content", {}) and method != "patch"
    }
    assert set(bodies) == with_body


async def test_the_tree_its_paths_and_its_filters(either: Api) -> None:
    api = either
    city = await made(api, "/places", {"kind": "city", "name": "信阳市", "code": "xy"})
    compound = await made(api, "/places", {"kind": "compound", "name": "金鼎小区", "parent_id": "xy"})
    building = await made(api, "/places", {"kind": "building", "name": "3栋", "parent_id": compound["id"]})
    assert building["path"] == [city["id"], compound["id"], building["id"]]
    children = await api.call("GET", "/places?parent_id=xy")
    assert [item["id"] for item in children.body["items"]] == [compound["id"]]
    assert [i["id"] for i in (await api.call("GET", "/places?kind=building")).body["items"]] == [building["id"]]
    assert at_field(await api.call("GET", "/places?parent_id=nowhere")) == (422, "?parent_id", "unknown_reference")
    under_itself = await api.call("PATCH", f"/places/{compound['id']}", {"parent_id": building["id"]}, If_Match="*")
    assert at_field(under_itself) == (409, "#/parent_id", "own_descendant")
    moved = await api.call("PATCH", f"/places/{compound['id']}", {"parent_id": None}, If_Match='"1"')
    assert (moved.status, moved.body["path"]) == (200, [compound["id"]])
    assert (await api.call("GET", f"/places/{building['id']}")).body["path"] == [compound["id"], building["id"]]
    assert api.service.changes == 4


async def test_pages_of_places(api: Api) -> None:
    ids = [(await made(api, "/places", {"kind": "city", "name": f"市{n}"}))["id"] for n in range(5)]
    seen, cursor = [], ""
    while True:
        answer = (await api.call("GET", f"/places?limit=2{cursor}")).body
        seen.append([item["id"] for item in answer["items"]])
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert seen == [ids[:2], ids[2:4], ids[4:]]


async def test_changes_need_the_version_they_change(either: Api) -> None:
    api = either
    place = await made(api, "/places", {"kind": "city", "name": "信阳市", "lat": 32.1, "lon": 114.0})
    path = f"/places/{place['id']}"
    read = await api.call("GET", path)
    assert read.headers["etag"] == '"1"'
    body = {"kind": "city", "name": "信阳"}
    assert (await api.call("PUT", path, body)).status == 428
    assert at_field(await api.call("PUT", path, body, If_Match="yesterday")) == (422, "If-Match", "etag")
    put = await api.call("PUT", path, body, If_Match='"1"')
    assert (put.status, put.headers["etag"], put.body["lat"]) == (200, '"2"', None)
    late = await api.call("PATCH", path, {"name": "x"}, If_Match='"1"')
    assert (late.status, late.headers["etag"]) == (412, '"2"')
    patched = await api.call("PATCH", path, {"name_en": "Xinyang"}, If_Match='W/"2"')
    assert (patched.body["name"], patched.body["name_en"], patched.body["version"]) == ("信阳", "Xinyang", 3)
    assert (await api.call("PUT", "/places/none", body, If_Match="*")).status == 404
    assert (await api.call("GET", "/places/none")).status == 404


async def test_a_patch_must_leave_a_body_that_stands(api: Api) -> None:
    place = await made(api, "/places", {"kind": "city", "name": "信阳市"})
    answer = await api.call(
        "PATCH", f"/places/{place['id']}", {"lat": 30.0, "colour": "red", "name": None}, If_Match="*"
    )
    pointers = {error["pointer"] for error in answer.body["errors"]}
    assert (answer.status, pointers) == (422, {"#/colour", "#/name"})
    alone = await api.call("PATCH", f"/places/{place['id']}", {"lat": 30.0}, If_Match="*")
    assert at_field(alone) == (422, "#/lon", "coordinates")


async def test_names_are_taken_once(either: Api) -> None:
    api = either
    await made(api, "/places", {"kind": "city", "name": "一", "code": "one"})
    two = await made(api, "/places", {"kind": "city", "name": "二"})
    assert at_field(await api.call("POST", "/places", {"kind": "city", "name": "三", "code": "one"}))[1:] == (
        "#/code",
        "taken",
    )
    answer = await api.call("PATCH", f"/places/{two['id']}", {"code": "one"}, If_Match="*", Accept_Language="en")
    assert answer.body["errors"][0]["message"] == "one is in use already: choose another."
    await made(api, "/grids", {"code": "g1", "name": "一网格", "place_ids": ["one"]})
    assert at_field(await api.call("POST", "/grids", {"code": "g1", "name": "x"})) == (409, "#/code", "taken")
    covered = await api.call("POST", "/grids", {"code": "g2", "name": "x", "place_ids": [two["id"], "one"]})
    assert at_field(covered) == (409, "#/place_ids/1", "covered")
    await made(api, "/devices", {"id": "smoke-0001", "kind": "smoke_detector"})
    again = await api.call("POST", "/devices", {"id": "smoke-0001", "kind": "camera"})
    assert at_field(again) == (409, "#/id", "taken")


async def test_a_repeated_post_makes_one_thing(either: Api) -> None:
    api = either
    body = {"kind": "city", "name": "信阳市"}
    first = await api.call("POST", "/places", body, Idempotency_Key="p1")
    again = await api.call("POST", "/places", body, Idempotency_Key="p1")
    assert (first.status, again.status, first.body) == (201, 201, again.body)
    assert first.headers["location"] == again.headers["location"] == f"/api/v1/places/{first.body['id']}"
    assert len((await api.call("GET", "/places")).body["items"]) == 1
    assert (await api.call("POST", "/places", body | {"name": "x"}, Idempotency_Key="p1")).status == 422
    assert api.service.changes == 1


async def test_numbers_are_read_as_written_and_never_shown(either: Api) -> None:
    api = either
    person = await made(api, "/workers", {"code": "jia", "name": "网格员甲"})
    path = f"/workers/{person['id']}/contacts"
    sms = await made(api, path, {"channel": "sms", "address": "138 1234 1234"})
    assert sms["address"] == "138****1234"
    app = await made(api, path, {"channel": "app"})
    assert app["address"] == person["id"]
    assert at_field(await api.call("POST", path, {"channel": "sms", "address": "+8613812341234"}))[2] == "taken"
    assert at_field(await api.call("POST", path, {"channel": "voice", "address": "12345"}))[2] == "phone"
    assert at_field(await api.call("POST", path, {"channel": "voice"}))[2] == "address_missing"
    assert at_field(await api.call("POST", path, {"channel": "app", "address": "x"}))[2] == "app_address"
    listed = await api.call("GET", path)
    assert [item["channel"] for item in listed.body["items"]] == ["sms", "app"]
    assert "13812341234" not in listed.text
    assert (await api.call("GET", "/workers/none/contacts")).status == 404
    assert (await api.call("POST", "/workers/none/contacts", {"channel": "app"})).status == 404


async def test_people_by_kind(api: Api) -> None:
    await made(api, "/workers", {"code": "jia", "name": "网格员甲"})
    desk = await made(api, "/workers", {"code": "desk", "name": "值班台", "kind": "desk", "language": "en"})
    assert [item["id"] for item in (await api.call("GET", "/workers?kind=desk")).body["items"]] == [desk["id"]]


async def test_shifts_stand_for_what_their_role_stands_for(api: Api) -> None:
    await made(api, "/places", {"kind": "community", "name": "金鼎社区", "code": "jd"})
    await made(api, "/grids", {"code": "g1", "name": "一网格"})
    await made(api, "/workers", {"code": "jia", "name": "网格员甲"})
    body: dict[str, Any] = {"role": "grid_worker", "person_id": "jia", "grid_id": "g1"}
    for change, field, code in (
        ({"place_id": "jd"}, "#/place_id", "one_scope"),
        ({"grid_id": None, "place_id": "jd"}, "#/place_id", "role_takes_grid"),
        ({"role": "community_duty"}, "#/grid_id", "role_takes_place"),
        ({"person_id": "nobody"}, "#/person_id", "unknown_reference"),
        ({"grid_id": "none"}, "#/grid_id", "unknown_reference"),
        ({"starts_at": "2026-05-01T08:00:00"}, "#/starts_at", "datetime"),
        (
            {"starts_at": "2026-05-01T08:00:00+08:00", "ends_at": "2026-05-01T00:00:00Z"},
            "#/ends_at",
            "period",
        ),
    ):
        assert at_field(await api.call("POST", "/shifts", body | change)) == (422, field, code)
    shift = await made(api, "/shifts", body | {"starts_at": "2026-05-01T08:00:00+08:00"})
    assert shift["starts_at"] == "2026-05-01T00:00:00Z"
    assert [i["id"] for i in (await api.call("GET", "/shifts?person_id=jia&grid_id=g1")).body["items"]] == [shift["id"]]
    changed = await api.call("PATCH", f"/shifts/{shift['id']}", {"rank": 2}, If_Match='"1"')
    assert (changed.body["rank"], changed.body["starts_at"]) == (2, shift["starts_at"])


async def test_the_ladder_says_why_each_name_is_on_it(either: Api) -> None:
    api, now = either, either.deps.clock.now()
    community = await made(api, "/places", {"kind": "community", "name": "金鼎社区", "code": "jd"})
    grid = await made(api, "/grids", {"code": "g1", "name": "一网格", "community_id": "jd"})
    people = [await made(api, "/workers", {"code": code, "name": f"网格员{code}"}) for code in ("jia", "yi", "bing")]
    for person in people[:2]:
        await made(api, f"/workers/{person['id']}/contacts", {"channel": "sms", "address": "13800138000"})
    end = (now + timedelta(hours=1)).isoformat()
    await made(api, "/shifts", {"role": "grid_worker", "person_id": "jia", "grid_id": "g1"})
    await made(api, "/shifts", {"role": "grid_worker", "person_id": "yi", "grid_id": "g1", "ends_at": end})
    await made(api, "/shifts", {"role": "community_duty", "person_id": "bing", "place_id": "jd"})
    duty = (await api.call("GET", "/duty?grid=g1")).body
    assert (duty["grid_id"], duty["place_id"]) == (grid["id"], community["id"])
    assert [step["role"] for step in duty["steps"]] == [role.value for role in LADDER]
    steps = {step["role"]: step for step in duty["steps"]}
    workers = [(p["name"], p["reason"], p["channels"]) for p in steps["grid_worker"]["people"]]
    assert workers == [("网格员yi", "planned_shift", ["sms"]), ("网格员jia", "standing_duty", ["sms"])]
    assert steps["community_duty"]["reason"] == "nobody_reachable"
    assert steps["street_duty"] == {"role": "street_duty", "reason": "nobody_on_duty", "people": []}
    later = (now + timedelta(hours=2)).isoformat().replace("+", "%2B")
    after = (await api.call("GET", f"/duty?grid=g1&at={later}")).body
    assert [p["name"] for p in after["steps"][0]["people"]] == ["网格员jia"]
    assert at_field(await api.call("GET", "/duty")) == (422, "?grid", "missing")
    assert at_field(await api.call("GET", "/duty?grid=none"))[2] == "unknown_reference"


async def test_a_device_and_its_secret_shown_once(either: Api) -> None:
    api = either
    await made(api, "/places", {"kind": "compound", "name": "金鼎小区", "code": "jd"})
    device = await made(api, "/devices", {"id": "smoke-0001", "kind": "smoke_detector", "place_id": "jd"})
    assert (device["state"], device["has_credential"]) == ("registered", False)
    given = await api.call("POST", "/devices/smoke-0001/credential", Idempotency_Key="c1")
    again = await api.call("POST", "/devices/smoke-0001/credential", Idempotency_Key="c1")
    assert (given.status, given.body) == (201, again.body)
    assert given.body["username"] == "smoke-0001"
    assert len(bytes.fromhex(given.body["secret"])) == 16
    other = await api.call("POST", "/devices/smoke-0001/credential")
    assert other.body["secret"] != given.body["secret"]
    assert (await api.call("POST", "/devices/none/credential")).status == 404
    listed = await api.call("GET", "/devices?place_id=jd&state=registered")
    assert [item["has_credential"] for item in listed.body["items"]] == [True]
    assert "secret" not in listed.text
    patched = await api.call("PATCH", "/devices/smoke-0001", {"state": "installed"}, If_Match='"1"')
    assert (patched.body["state"], patched.body["place_id"]) == ("installed", device["place_id"])
    by_hand = await api.call("PATCH", "/devices/smoke-0001", {"state": "commissioned"}, If_Match="*")
    assert at_field(by_hand) == (409, "#/state", "needs_walk_test")
    renamed = await api.call("PATCH", "/devices/smoke-0001", {"id": "smoke-0002"}, If_Match="*")
    assert at_field(renamed) == (422, "#/id", "extra_forbidden")


@pytest.mark.parametrize("device_id", ["abc", "a/b/c/d", "烟感0001", "x" * 65])
async def test_a_device_name_must_fit_the_topic(api: Api, device_id: str) -> None:
    answer = await api.call("POST", "/devices", {"id": device_id, "kind": "camera"})
    assert at_field(answer) == (422, "#/id", "string_pattern_mismatch")


async def test_policies_are_put_under_their_names_and_readable_by_the_core(either: Api) -> None:
    api = either
    body: dict[str, Any] = {
        "match": {"class": "A", "severity": 1, "codes": ["fire.smoke"], "hours": [22, 7]},
        "steps": [{"after_s": 0, "to": ["grid_worker"], "channels": ["sms"], "redial": {"gap_s": 60, "max": 2}}],
        "loop": {"every_s": 60, "to": ["control_room"]},
    }
    first = await api.call("PUT", "/policies/night", body)
    assert (first.status, first.headers["etag"], first.body["position"]) == (201, '"1"', 100)
    assert (await api.call("PUT", "/policies/night", body)).status == 428
    second = await api.call("PUT", "/policies/night", body | {"position": 1}, If_Match='"1"')
    assert (second.status, second.body["version"]) == (200, 2)
    assert (await api.call("PUT", "/policies/night", body, If_Match='"1"')).status == 412
    (policy,) = await api.database.read(policies.load)
    assert policy == parse("night", body, 2)
    assert (await api.call("GET", "/policies/night")).body["match"]["class"] == "A"
    assert [item["name"] for item in (await api.call("GET", "/policies")).body["items"]] == ["night"]


async def test_a_policys_places_may_be_named_by_code_and_must_exist(api: Api) -> None:
    place = await made(api, "/places", {"kind": "city", "name": "信阳市", "name_en": "Xinyang", "code": "xy"})
    body: dict[str, Any] = {
        "position": 0,
        "match": {"places": ["xy"]},
        "steps": [{"after_s": 0, "to": ["grid_worker"], "channels": ["app"]}],
        "loop": {"every_s": 60, "to": ["control_room"]},
    }
    assert (await api.call("PUT", "/policies/city", body)).status == 201
    (policy,) = await api.database.read(policies.load)
    assert policy.match.places == (place["id"],)
    unknown = await api.call("PUT", "/policies/town", body | {"match": {"places": ["nowhere"]}})
    assert at_field(unknown) == (422, "#/match/places/0", "unknown_reference")


async def test_contacts_hang_on_a_worker_named_by_code(api: Api) -> None:
    worker = await made(api, "/workers", {"kind": "worker", "code": "gw-a", "name": "网格员甲", "name_en": "Worker A"})
    await made(api, "/workers/gw-a/contacts", {"channel": "app"})
    (contact,) = (await api.call("GET", "/workers/gw-a/contacts")).body["items"]
    assert contact["address"] == worker["id"]


async def test_a_policy_that_the_core_would_not_read_is_refused_by_field(api: Api) -> None:
    step = {"after_s": 30, "to": ["grid_worker"], "channels": ["sms"]}
    body: dict[str, Any] = {"steps": [step], "loop": {"every_s": 60, "to": ["control_room"]}}
    for change, field in (
        ({"steps": []}, "#/steps"),
        ({"steps": [step, step | {"after_s": 10}]}, "#/steps/1/after_s"),
        ({"steps": [step | {"channels": ["pigeon"]}]}, "#/steps/0/channels/0"),
        ({"loop": {"every_s": 1, "to": ["control_room"]}}, "#/loop/every_s"),
        ({"match": {"codes": ["fire.smoke", "fire.dragon"]}}, "#/match/codes/1"),
        ({"match": {"class": "Z"}}, "#/match/class"),
    ):
        answer = await api.call("PUT", "/policies/p", body | change)
        assert at_field(answer)[:2] == (422, field), answer.text


async def test_the_quarantine_newest_first(api: Api) -> None:
    now = api.deps.clock.now()
    for number in range(3):
        row = QuarantineRow(f"gengfu/v1/d{number}/up/event", f"d{number}", "bad_json", "", f"h{number}", b'{"x": \xff')
        for _ in range(2):
            await api.database.write(Priority.ADMINISTRATION, partial(quarantine.add, rows=[row], now=now))
    first = (await api.call("GET", "/quarantine?limit=2")).body
    assert [item["device_key"] for item in first["items"]] == ["d2", "d1"]
    assert (first["items"][0]["count"], first["items"][0]["payload"]) == (2, '{"x": \ufffd')
    rest = (await api.call("GET", f"/quarantine?limit=2&cursor={first['next']}")).body
    assert ([item["device_key"] for item in rest["items"]], rest["next"]) == (["d0"], None)


async def test_readers_of_the_registry_cannot_write_it(api: Api) -> None:
    for role in (Role.VIEWER, Role.AUDITOR, Role.OPERATOR):
        assert (await api.call("GET", "/places", role=role)).status == 200
        assert (await api.call("POST", "/places", {"kind": "city", "name": "x"}, role=role)).status == 403
