"""Two districts, one caller bound to the first: over every route of the permission table, nothing of the second is
shown, changed or named, and everything of the first can be reached. A new route without a case fails here.
"""

import json
from collections.abc import Iterator
from typing import Any

from api.permissions import ROUTES, Role
from tests.contract.scope_asking import World, leaks
from tests.contract.scope_cases import (
    ELSEWHERE,
    EXISTS_ELSEWHERE,
    NEEDED,
    OTHER_BODIES,
    OWN,
    PLAIN,
    REACHED,
    REFERENCES,
    SHARED,
    WHOLE,
    Body,
    address,
    body_of,
    leaves,
    noun_of,
    short,
    with_leaf,
)
from tests.contract.scope_world import Side, sides

pytest_plugins = ["tests.contract.scope_fixtures"]


def test_every_route_has_its_case() -> None:
    mine, _ = sides()
    mine.ids |= {name: name for name in ("district", "street", "community", "compound", "building", "room")}
    for route in ROUTES:
        if route not in ELSEWHERE:
            body_of(route, mine)


async def test_nothing_of_the_other_side_is_reached_by_its_address(world: World) -> None:
    """Every route with an id, every role it admits: 404, and nothing has changed."""
    before = await world.dump(world.other)
    asked = 0
    for route, roles in ROUTES.items():
        if "{" not in route or noun_of(route) in SHARED | {"imports"} or route in WHOLE:
            continue
        for role in sorted(roles):
            answer = await world.call(route, world.other, body_of(route, world.other), await world.key(role))
            told = (route, role, answer.status, answer.text[:300])
            if short(route) == "POST notifications/{id}/received" and role is not Role.GRID_WORKER:
                assert answer.status == 403, told  # a key that is nobody's has received nothing
            else:
                assert answer.status == 404, told
            sent = address(route, world.other) + json.dumps(body_of(route, world.other), ensure_ascii=False)
            assert leaks(answer, world.other, sent) == [], told
            asked += 1
    assert asked > 200
    assert await world.dump(world.other) == before


async def test_no_list_names_the_other_side(world: World) -> None:
    """Every collection, plain and with each of its parameters asked for a thing of either side."""
    document = (await world.api.call("GET", "/openapi.json", role=None)).body
    for route, roles in ROUTES.items():
        method, path = route.split(" ")
        if method != "GET" or "{" in path or route in ELSEWHERE:
            continue
        parameters = [
            each["name"] for each in document["paths"][path]["get"].get("parameters", ()) if each["in"] == "query"
        ]
        unknown = set(parameters) - set(REFERENCES) - PLAIN
        assert not unknown, f"{route}: {unknown} have no case"
        needed = NEEDED.get(noun_of(route), ())
        for role in sorted(roles):
            key = await world.key(role)
            await _ask_list(world, route, key, "&".join(f"{name}={_value(world.mine, name)}" for name in needed), role)
            for name in set(parameters) & set(REFERENCES):
                rest = "".join(f"&{other}={_value(world.mine, other)}" for other in needed if other != name)
                query = f"?{name}={_value(world.other, name)}{rest}"
                answer = await world.call(route, world.other, None, key, query)
                told = (route, role, query, answer.text[:300])
                assert answer.status in (200, 404, 409, 422), told
                assert leaks(answer, world.other, query) == [], told


def _value(side: Side, name: str) -> str:
    return side.ids.get(REFERENCES[name], "shared")


async def _ask_list(world: World, route: str, key: str, query: str, role: Role) -> None:
    answer = await world.call(route, world.mine, None, key, f"?limit=200&{query}" if query else "")
    told = (route, role, answer.text[:500])
    assert answer.status == 200, told
    assert leaks(answer, world.other) == [], told
    if route in OWN or noun_of(route) in SHARED or role is Role.GRID_WORKER:
        return
    if noun_of(route) == "labels":
        return  # a PDF; that it comes is all
    assert leaks(answer, world.mine), f"{told}: it tells nothing of his own side either"


async def test_no_body_may_name_the_other_side(world: World) -> None:
    """Each reference of each body, replaced by the other side's: 422 at that field, nothing written, nothing told."""
    before, asked = await world.dump(world.other), 0
    for route, roles in ROUTES.items():
        if route in ELSEWHERE or route in WHOLE or Role.ADMINISTRATOR not in roles:
            continue
        for body in _with_a_foreign_reference(route, world):
            answer = await world.call(route, world.mine, body, await world.key(Role.ADMINISTRATOR))
            told = (route, body, answer.status, answer.text[:300])
            if short(route) in EXISTS_ELSEWHERE:
                assert answer.status in (409, 422), told
                assert answer.status == 422 or answer.body["errors"][0]["code"] in EXISTS_ELSEWHERE[short(route)], told
                assert leaks(answer, world.other, json.dumps(body, ensure_ascii=False)) == [], told
                continue
            assert answer.status == 422, told
            pointers = {error["pointer"]: error["code"] for error in answer.body["errors"]}
            assert set(pointers.values()) <= {"unknown_reference", "out_of_scope"}, told
            assert leaks(answer, world.other, json.dumps(body, ensure_ascii=False)) == [], told
            asked += 1
    assert asked >= 20
    assert await world.dump(world.other) == before


def _with_a_foreign_reference(route: str, world: World) -> Iterator[dict[str, Any]]:
    """Each body of the route, once for each of its references, with that one leading to the other side."""
    makers: list[Body] = [lambda side: body_of(route, side), *OTHER_BODIES.get(short(route), ())]
    for make in makers:
        for way, value in leaves(make(world.other)):
            if value in world.other.references() and way not in (("code",), ("login",)):
                yield with_leaf(make(world.mine), way, value)


async def test_a_code_the_other_side_has_tells_no_more_than_that_it_is_taken(world: World) -> None:
    asked = [route for route in ROUTES if route.startswith("POST ") and "{" not in route]
    for route in [route for route in asked if route not in WHOLE and route not in ELSEWHERE]:
        body = body_of(route, world.mine)
        named = {"code": "grid", "name": "key", "login": "user", "id": "smoke-1"}
        for field in sorted(set(named) & set(body or {})):
            taken = world.other.code("worker" if noun_of(route) == "workers" else named[field])
            answer = await world.call(route, world.mine, body | {field: taken}, await world.key(Role.ADMINISTRATOR))
            assert leaks(answer, world.other, taken) == [], (route, field, answer.text)


async def test_the_whole_deployment_is_not_for_who_is_bound_to_a_part(world: World) -> None:
    document = (await world.api.call("GET", "/organisations")).body["items"][0]["id"]
    model = (await world.api.call("GET", "/models")).body["items"][0]["id"]
    for side in (world.mine, world.other):
        side.ids |= {"organisations": document, "models": model}
    for route in sorted(WHOLE & set(ROUTES)):
        answer = await world.call(route, world.mine, body_of(route, world.mine), await world.key(Role.ADMINISTRATOR))
        assert answer.status in (403, 404), (route, answer.text)
        everything = await world.api.token(Role.ADMINISTRATOR)
        if not route.startswith("DELETE"):
            allowed = await world.call(route, world.mine, body_of(route, world.mine), everything)
            assert allowed.status in (200, 201, 409), (route, allowed.text)


async def test_everything_of_the_own_side_is_reached(world: World) -> None:
    """So that the tests above cannot pass by refusing everything."""
    reached = [each async for each in world.reach()]
    failed = [
        each for each in reached if each.answer.status not in REACHED.get(short(each.route), {200, 201, 202, 204})
    ]
    assert not failed, "\n".join(f"{each.route} {each.answer.status} {each.answer.text[:300]}" for each in failed)
    assert len(reached) > 60


async def test_a_watched_walk_test_ends_with_the_right_to_watch_it(world: World) -> None:
    """The stream that the walk above leaves out, for the own side."""
    made_key = {"name": "watcher", "role": "installer", "place_id": world.mine.ids["district"]}
    watcher = (await world.api.call("POST", "/api-keys", made_key)).body
    address = f"{world.api.base_url}/api/v1/devices/{world.mine.ids['smoke-1']}/walk-test/events"
    async with world.api.session.get(address, headers={"Authorization": f"Bearer {watcher['key']}"}) as response:
        assert response.status == 200
        first = (await response.content.readuntil(b"\n\n")).decode()
        assert world.mine.ids["smoke-1"] in first
        assert not {word for word in world.other.words() if word in first}
        await world.api.call("POST", f"/api-keys/{watcher['id']}/revoke")
        assert await response.content.read() == b"", "nothing more is told"
