"""Users and keys: made, read, changed; and that nobody gives more than he holds, on both databases."""

from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import pytest
import pytest_asyncio

from alerting.ports import Priority
from api.permissions import Role
from api.store import users as store
from tests.contract.access_support import PASSWORD, Browser, signed_in, user
from tests.contract.api_support import Answer, Api, running_api


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
        yield running


@pytest_asyncio.fixture
async def either(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


async def places(api: Api) -> dict[str, str]:
    """Two cities; below `a` the district `a1` and its street `a11`, and the district `a2`; below `b`, `b1`."""
    ids: dict[str, str] = {}
    tree = [("a", "city", None), ("b", "city", None), ("a1", "district", "a"), ("a2", "district", "a")]
    for code, kind, parent in [*tree, ("a11", "street", "a1"), ("b1", "district", "b")]:
        body = {"kind": kind, "name": f"地点{code}", "code": code, "parent_id": parent}
        answer = await api.call("POST", "/places", body)
        assert answer.status == 201, answer.text
        ids[code] = answer.body["id"]
    return ids


def at(role: Role, place: str | None) -> dict[str, str]:
    return {"role": role.value} | ({"place_id": place} if place else {})


def fault(answer: Answer) -> tuple[int, str, str]:
    (error,) = answer.body["errors"]
    return answer.status, error["pointer"], error["code"]


async def test_a_user_is_made_read_changed_and_never_shown_with_a_password(either: Api) -> None:
    api = either
    ids = await places(api)
    made = await user(api, "Zhiban-1", at(Role.OPERATOR, "a"), at(Role.OPERATOR, ids["a"]))
    assert made["login"] == "zhiban-1"
    assert made["grants"] == [{"role": "operator", "place_id": ids["a"]}], "the same grant twice is one"
    read = await api.call("GET", f"/users/{made['id']}")
    assert (read.body, read.headers["etag"]) == (made, '"1"')
    stale = await api.call("PATCH", f"/users/{made['id']}", {"name": "值班员乙"}, If_Match='"7"')
    assert stale.status == 412
    changed = await api.call("PATCH", f"/users/{made['id']}", {"name": "值班员乙"}, If_Match='"1"')
    assert (changed.status, changed.body["name"], changed.body["grants"]) == (200, "值班员乙", made["grants"])
    again = {"login": "zhiban-1", "name": "值班员", "password": PASSWORD}
    assert fault(await api.call("POST", "/users", again)) == (409, "#/login", "taken")
    listed = await api.call("GET", "/users")
    assert [item["login"] for item in listed.body["items"]] == ["zhiban-1"]
    for answer in (read, changed, listed, await api.call("GET", "/audit")):
        assert "password" not in answer.text
        assert "argon2" not in answer.text


async def test_repeating_the_request_makes_one_user(either: Api) -> None:
    body = {"login": "zhiban-1", "name": "值班员", "password": PASSWORD}
    first, again = [await either.call("POST", "/users", body, Idempotency_Key="k") for _ in range(2)]
    assert (first.status, again.status, first.body) == (201, 201, again.body)


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"password": "123456789"}, "#/password", "password"),
        ({"login": "x"}, "#/login", "string_pattern_mismatch"),
        ({"login": "值班员"}, "#/login", "string_pattern_mismatch"),
        ({"grants": [{"role": "root"}]}, "#/grants/0/role", "enum"),
        ({"grants": [{"role": "viewer", "place_id": "nowhere"}]}, "#/grants/0/place_id", "unknown_reference"),
        ({"grants": [{"role": "grid_worker"}]}, "#/person_id", "role_needs_person"),
        ({"person_id": "nobody"}, "#/person_id", "unknown_reference"),
        ({"id": "mine"}, "#/id", "extra_forbidden"),
        ({"password_hash": "x"}, "#/password_hash", "extra_forbidden"),
    ],
)
async def test_what_cannot_stand_is_named(api: Api, change: dict[str, Any], pointer: str, code: str) -> None:
    body = {"login": "zhiban-1", "name": "值班员", "password": PASSWORD} | change
    assert fault(await api.call("POST", "/users", body)) == (422, pointer, code)


async def test_a_patch_cannot_smuggle_in_what_put_does_not_take(api: Api) -> None:
    made = await user(api, "zhiban-1", at(Role.OPERATOR, None))
    for name in ("id", "password", "password_hash", "created_at", "version"):
        answer = await api.call("PATCH", f"/users/{made['id']}", {name: "x"}, If_Match="*")
        assert fault(answer) == (422, f"#/{name}", "extra_forbidden")


OUTSIDE = (None, "a", "a2", "b", "b1")
"""For an administrator of `a1`: everywhere, above, beside, elsewhere."""


async def test_a_scoped_administrator_gives_roles_below_his_own_place_only(either: Api) -> None:
    api = either
    await places(api)
    key = await scoped_key(api, "a1")
    for number, (role, place) in enumerate(product((Role.ADMINISTRATOR, Role.VIEWER), OUTSIDE)):
        body = {"login": f"user-{number}", "name": "值班员", "password": PASSWORD, "grants": [at(role, place)]}
        refused = await api.call("POST", "/users", body, key=key)
        code = "out_of_scope" if place is None else "unknown_reference"
        assert fault(refused) == (422, "#/grants/0/place_id", code), (role, place)
        refused = await api.call("POST", "/api-keys", {"name": f"key-{number}", **at(role, place)}, key=key)
        assert fault(refused) == (422, "#/place_id", code), (role, place)
    nobody = {"login": "user-x", "name": "值班员", "password": PASSWORD, "grants": []}
    assert (await api.call("POST", "/users", nobody, key=key)).status == 422, "a user without a role lies nowhere"
    half = {**nobody, "grants": [at(Role.VIEWER, "a1"), at(Role.VIEWER, "b")]}
    assert fault(await api.call("POST", "/users", half, key=key))[1] == "#/grants/1/place_id"
    assert (await api.call("GET", "/users")).body["items"] == []
    mine = await user(api, "mine", at(Role.ADMINISTRATOR, "a11"), key=key)
    for place in OUTSIDE:
        wider = {"grants": [at(Role.VIEWER, "a11"), at(Role.ADMINISTRATOR, place)]}
        answer = await api.call("PATCH", f"/users/{mine['id']}", wider, If_Match="*", key=key)
        assert answer.status == 422, place
    assert (await api.call("GET", f"/users/{mine['id']}")).body["grants"] == mine["grants"]
    assert (await api.call("POST", "/api-keys", {"name": "mine", **at(Role.SUPERVISOR, "a11")}, key=key)).status == 201


async def scoped_key(api: Api, place: str, role: Role = Role.ADMINISTRATOR) -> str:
    answer = await api.call("POST", "/api-keys", {"name": f"{role}@{place}", **at(role, place)})
    assert answer.status == 201, answer.text
    key: str = answer.body["key"]
    return key


async def test_users_beyond_his_scope_do_not_exist_for_him(either: Api) -> None:
    api = either
    await places(api)
    key = await scoped_key(api, "a1")
    inside = [await user(api, f"in-{place}", at(Role.VIEWER, place)) for place in ("a1", "a11")]
    both = await user(api, "in-both", at(Role.VIEWER, "a1"), at(Role.OPERATOR, "a11"))
    beyond = [await user(api, f"out-{place or 'all'}", at(Role.VIEWER, place)) for place in OUTSIDE]
    stranger = {"code": "stranger", "name": "网格员", "place_id": "b"}
    person = (await api.call("POST", "/workers", stranger)).body["id"]
    beyond += [await user(api, "out-person", at(Role.GRID_WORKER, "a1"), person_id=person)]
    beyond += [await user(api, "out-half", at(Role.VIEWER, "a1"), at(Role.VIEWER, "b")), await user(api, "out-none")]
    listed = await api.call("GET", "/users", key=key)
    assert {item["id"] for item in listed.body["items"]} == {each["id"] for each in [*inside, both]}
    for each in beyond:
        path = f"/users/{each['id']}"
        assert (await api.call("GET", path, key=key)).status == 404
        body = {"login": "stolen", "name": "值班员", "grants": [at(Role.VIEWER, "a1")]}
        assert (await api.call("PUT", path, body, If_Match="*", key=key)).status == 404
        assert (await api.call("PATCH", path, {"grants": []}, If_Match="*", key=key)).status == 404
        assert (await api.call("POST", f"{path}/password", {"password": "battery staple 43"}, key=key)).status == 404
        assert (await Browser(api).sign_in(each["login"])).status == 201
    for each in inside:
        assert (await api.call("PATCH", f"/users/{each['id']}", {"name": "甲"}, If_Match="*", key=key)).status == 200


async def test_an_administrator_of_two_places_sees_who_works_in_both(either: Api) -> None:
    api = either
    await places(api)
    browser = await signed_in(api, "chief", at(Role.ADMINISTRATOR, "a1"), at(Role.ADMINISTRATOR, "b"))
    both = await user(api, "both", at(Role.VIEWER, "a11"), at(Role.VIEWER, "b1"))
    assert both["id"] in {item["id"] for item in (await browser.call("GET", "/users")).body["items"]}
    assert (await browser.call("GET", f"/users/{both['id']}")).status == 200
    assert (await browser.call("PATCH", f"/users/{both['id']}", {"name": "甲"}, If_Match="*")).status == 200


async def test_only_the_roles_that_open_the_route_count(api: Api) -> None:
    await places(api)
    browser = await signed_in(api, "mixed", at(Role.ADMINISTRATOR, "a1"), at(Role.VIEWER, None))
    body = {"login": "other", "name": "值班员", "password": PASSWORD, "grants": [at(Role.VIEWER, "b")]}
    assert (await browser.call("POST", "/users", body)).status == 422, (
        "that he sees everything gives him nothing to give"
    )
    assert (await browser.call("GET", "/places")).body["items"][0]["code"] == "a"


async def test_a_user_may_not_raise_himself(api: Api) -> None:
    await places(api)
    for role in Role:
        worker = {"code": f"p-{role}", "name": "网格员", "place_id": "a1"}
        person = (await api.call("POST", "/workers", worker)).body["id"]
        browser = await signed_in(api, f"u-{role}", at(role, "a1"), person_id=person)
        own = (await browser.call("GET", "/sessions/current")).body["user_id"]
        answer = await browser.call("PATCH", f"/users/{own}", {"grants": [at(Role.ADMINISTRATOR, None)]}, If_Match="*")
        assert answer.status in (403, 422), role
        (row,) = await api.database.read(lambda conn, own=own: [store.get(conn, own)])  # type: ignore[misc]
        assert row is not None
        assert [grant.role for grant in row.grants] == [role]


async def test_a_place_that_is_gone_gives_no_rights(api: Api) -> None:
    await places(api)
    browser = await signed_in(api, "zhiban-1", at(Role.VIEWER, "a1"))
    assert (await browser.call("GET", "/places")).body["items"]
    from sqlalchemy import update

    from api.store.tables import user_grants

    gone = update(user_grants).values(place_id="gone")
    await api.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(gone))
    api.deps.sessions._known.clear()
    answer = await browser.call("GET", "/places")
    assert (answer.status, answer.body["items"]) == (200, [])


async def test_keys_of_other_places_cannot_be_seen_or_revoked(either: Api) -> None:
    api = either
    await places(api)
    key = await scoped_key(api, "a1")
    mine = await api.call("POST", "/api-keys", {"name": "mine", **at(Role.VIEWER, "a11")})
    others = [await api.call("POST", "/api-keys", {"name": f"k-{each}", **at(Role.VIEWER, each)}) for each in OUTSIDE]
    listed = {item["name"] for item in (await api.call("GET", "/api-keys", key=key)).body["items"]}
    assert listed == {"administrator@a1", "mine"}
    for other in others:
        assert (await api.call("POST", f"/api-keys/{other.body['id']}/revoke", key=key)).status == 404
    assert (await api.call("POST", f"/api-keys/{mine.body['id']}/revoke", key=key)).status == 200


async def test_what_moves_is_told_to_those_who_see_both_ends(either: Api) -> None:
    api = either
    ids = await places(api)
    key = await scoped_key(api, "a1", Role.AUDITOR)
    moved = await api.call("PATCH", f"/places/{ids['b1']}", {"kind": "street", "parent_id": "a1"}, If_Match="*")
    assert moved.status == 200, moved.text
    rows = (await api.call("GET", "/audit", key=key)).body["items"]
    assert ids["b"] not in str(rows), "where it came from is none of his business"
    assert (await api.call("GET", f"/places/{ids['b1']}", key=key)).status == 200
    (row,) = (await api.call("GET", f"/audit?object_id={ids['b1']}&act=change")).body["items"]
    assert row["detail"]["parent_id"] == [ids["b"], ids["a1"]]


async def test_the_audit_shows_each_his_own_part(either: Api) -> None:
    api = either
    ids = await places(api)
    key = await scoped_key(api, "a1", Role.AUDITOR)
    await user(api, "inside", at(Role.VIEWER, "a11"))
    await user(api, "outside", at(Role.VIEWER, "b1"))
    rows = (await api.call("GET", "/audit", key=key)).body["items"]
    assert [row["object_id"] for row in rows if row["kind"] == "places"] == [ids["a11"], ids["a1"]]
    assert [row["detail"]["login"] for row in rows if row["kind"] == "users"] == ["inside"]
    everything = (await api.call("GET", "/audit")).body["items"]
    assert [row["id"] for row in everything] == list(range(len(everything), 0, -1))
    by_object = (await api.call("GET", f"/audit?object_id={ids['a1']}&act=create")).body["items"]
    assert [row["object_id"] for row in by_object] == [ids["a1"]]
    actor = everything[0]["actor_id"]
    assert len((await api.call("GET", f"/audit?actor_id={actor}")).body["items"]) == len(everything)
    paged = (await api.call("GET", "/audit?limit=2")).body
    following = (await api.call("GET", f"/audit?limit=2&cursor={paged['next']}")).body["items"]
    assert [row["id"] for row in paged["items"] + following] == [row["id"] for row in everything[:4]]
