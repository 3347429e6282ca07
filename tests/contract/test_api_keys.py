"""Closed by default: keys, roles, scopes. Every route of the application is walked."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from fastapi import APIRouter
from fastapi.routing import APIRoute, iter_route_contexts
from sqlalchemy import update
from starlette.routing import Route

from alerting.ports import Priority
from api import auth
from api.app import create_app
from api.auth import hash_key
from api.permissions import OPEN, ROUTES, Role
from api.store.tables import api_keys
from tests.contract.api_support import SECRET_KEY, Api, running_api


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
        yield running


def walked(app: Any) -> Iterator[str]:
    """`METHOD path` of every route that the application serves."""
    for context in iter_route_contexts(app.routes):
        assert isinstance(context.original_route, APIRoute | Route)
        for method in context.methods or ():
            if method != "HEAD":
                yield f"{method} {context.path_format}"


async def test_every_route_stands_in_the_table_and_the_table_holds_nothing_else(api: Api) -> None:
    routes = list(walked(create_app(api.deps)))
    assert len(routes) == len(set(routes))
    assert set(routes) == set(ROUTES) | OPEN


def test_a_route_without_a_declared_permission_cannot_be_built() -> None:
    router = APIRouter(prefix="/api/v1", route_class=auth.GuardedRoute)

    async def forgotten() -> None: ...

    with pytest.raises(KeyError, match="GET /api/v1/forgotten"):
        router.get("/forgotten")(forgotten)


async def test_without_a_key_nothing_but_the_open_routes_answers(api: Api) -> None:
    for route in ROUTES:
        method, path = route.split(" ")
        for headers in ({}, {"Authorization": "Bearer gf_" + "A" * 43}, {"Authorization": "Basic abc"}):
            async with api.session.request(method, api.base_url + path, headers=headers) as response:
                assert response.status == 401, route
                assert response.headers["www-authenticate"] == "Bearer"
                assert response.content_type == "application/problem+json"


async def test_the_role_matrix_is_what_the_routes_do(api: Api) -> None:
    for role in Role:
        key = await api.key(role, "somebody")
        for route, roles in ROUTES.items():
            method, path = route.split(" ")
            if path.endswith("/stream") and role in roles:
                continue  # it never ends; its own test reads it
            answer = await api.call(method, path, key=key)
            assert answer.status != 401, (role, route)
            assert (answer.status != 403) is (role in roles), (role, route, answer.body)


async def test_a_key_in_the_address_opens_nothing(api: Api) -> None:
    key = await api.token(Role.ADMINISTRATOR)
    async with api.session.get(f"{api.base_url}/api/v1/stream?key={key}") as response:
        assert response.status == 401


async def test_the_table_holds_only_the_keyed_hash(api: Api) -> None:
    made = await api.call("POST", "/api-keys", {"name": "desk", "role": "operator"})
    key = made.body["key"]
    assert made.status == 201
    assert len(key) == auth.KEY_CHARS
    rows = await api.database.read(lambda conn: [tuple(row) for row in conn.execute(api_keys.select())])
    assert key not in str(rows)
    assert hash_key(SECRET_KEY, key) in str(rows)
    assert (await api.call("GET", "/incidents", key=key)).status == 200
    listed = await api.call("GET", "/api-keys")
    assert "key" not in listed.body["items"][0]
    assert key not in listed.text


async def test_a_name_is_taken_once(api: Api) -> None:
    await api.call("POST", "/api-keys", {"name": "desk", "role": "operator"})
    again = await api.call("POST", "/api-keys", {"name": "desk", "role": "viewer"})
    assert (again.status, again.body["errors"][0]["pointer"]) == (409, "#/name")


async def test_a_workers_key_needs_a_person(api: Api) -> None:
    answer = await api.call("POST", "/api-keys", {"name": "w", "role": "grid_worker"})
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "#/person_id")
    answer = await api.call("POST", "/api-keys", {"name": "w", "role": "grid_worker", "person_id": "nobody"})
    assert (answer.status, answer.body["errors"][0]["code"]) == (422, "unknown_reference")


async def test_a_revoked_key_is_shut_at_once_and_an_expired_one_in_time(api: Api) -> None:
    made = await api.call("POST", "/api-keys", {"name": "desk", "role": "operator"})
    assert (await api.call("GET", "/incidents", key=made.body["key"])).status == 200
    revoked = await api.call("POST", f"/api-keys/{made.body['id']}/revoke")
    assert (revoked.status, revoked.body["revoked_at"] is not None) == (200, True)
    assert (await api.call("GET", "/incidents", key=made.body["key"])).status == 401
    expired = await api.key(Role.OPERATOR, expires_at=api.deps.clock.now() - timedelta(seconds=1))
    assert (await api.call("GET", "/incidents", key=expired)).status == 401


async def test_a_revocation_by_another_process_takes_hold_when_the_ring_looks_again(api: Api) -> None:
    key = await api.token(Role.VIEWER)
    assert (await api.call("GET", "/incidents", key=key)).status == 200
    revoked = update(api_keys).where(api_keys.c.role == "viewer").values(revoked_at=api.deps.clock.now())
    await api.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(revoked))
    assert (await api.call("GET", "/incidents", key=key)).status == 200
    api.deps.keys._checked -= auth.stale_seconds_max
    assert (await api.call("GET", "/incidents", key=key)).status == 401


async def test_last_use_is_recorded_behind_everything_else(api: Api) -> None:
    key = await api.token(Role.VIEWER)
    await api.call("GET", "/incidents", key=key)
    api.deps.keys._checked -= auth.stale_seconds_max
    await api.call("GET", "/incidents", key=key)
    for _ in range(100):
        if (await api.call("GET", "/api-keys")).body["items"][0]["last_used_at"] is not None:
            return
    pytest.fail("the use was not recorded")


async def test_a_workers_key_without_a_person_sees_nothing(api: Api) -> None:
    await api.page(await api.incident(), await api.person("jia"))
    key = await api.key(Role.GRID_WORKER)
    for path in ("/incidents", "/notifications", "/notifications?recipient_id=jia"):
        assert (await api.call("GET", path, key=key)).body["items"] == []


async def test_a_short_secret_key_starts_nothing(api: Api) -> None:
    with pytest.raises(ValueError, match="GENGFU_SECRET_KEY"):
        create_app(replace(api.deps, secret_key="short"))


async def test_a_worker_sees_only_what_he_was_paged_for(api: Api) -> None:
    mine, other = await api.person("jia"), await api.person("yi", "网格员乙")
    fire, leak = await api.incident(), await api.incident(code="water.leak")
    await api.page(fire, mine)
    await api.page(leak, other)
    key = await api.key(Role.GRID_WORKER, mine)
    listed = await api.call("GET", "/incidents", key=key)
    assert [item["id"] for item in listed.body["items"]] == [fire]
    assert (await api.call("GET", f"/incidents/{fire}", key=key)).status == 200
    for method, path in (("GET", ""), ("GET", "/timeline"), ("POST", "/accept"), ("POST", "/arrive")):
        assert (await api.call(method, f"/incidents/{leak}{path}", key=key)).status == 404
    from_afar = {"result": "false_alarm", "cause": "做饭油烟", "how": "phone"}
    assert (await api.call("POST", f"/incidents/{fire}/verify", from_afar, key=key)).status == 403
    notices = await api.call("GET", f"/notifications?recipient_id={other}", key=key)
    assert {item["recipient_id"] for item in notices.body["items"]} == {mine}
    assert not api.service.acts


async def test_the_actor_is_the_person_of_the_key(api: Api) -> None:
    person = await api.person("jia")
    fire = await api.incident()
    await api.page(fire, person)
    await api.call("POST", f"/incidents/{fire}/accept", key=await api.key(Role.GRID_WORKER, person))
    await api.call("POST", f"/incidents/{fire}/acknowledge", role=Role.OPERATOR)
    worker, desk = (actor for _, _, actor, _ in api.service.acts)
    assert (worker.person_id, worker.name, worker.via) == (person, "网格员甲", "app")
    assert (desk.person_id, desk.via) == (None, "console")
