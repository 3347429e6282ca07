"""Duty over HTTP: grids' people, patterns, overrides, leave, cover, the ladder with its reasons, the report."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from api.permissions import Role
from devices.model import BESIDE, LADDER
from devices.store import tables as registry
from tests.contract.api_support import Answer, Api, running_api

HOUR = timedelta(hours=1)


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
        await a_city(running)
        yield running


@pytest_asyncio.fixture
async def either(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        await a_city(running)
        yield running


async def made(api: Api, path: str, body: dict[str, Any], **options: Any) -> Any:
    answer = await api.call("POST", path, body, **options)
    assert answer.status == 201, answer.text
    return answer.body


async def a_city(api: Api) -> None:
    """Two communities, each with a grid; grid g1 has two workers, g2 one."""
    await made(api, "/places", {"kind": "street", "name": "金牛山街道", "code": "st"})
    for number in ("1", "2"):
        community = {"kind": "community", "name": f"社区{number}", "code": f"c{number}", "parent_id": "st"}
        await made(api, "/places", community)
    for who, place in (("jia", "c1"), ("yi", "c1"), ("bing", "c2"), ("ding", "c1")):
        await made(api, "/workers", {"code": who, "name": f"网格员{who}", "place_id": place})
    await made(api, "/grids", {"code": "g2", "name": "二网格", "community_id": "c2", "workers": ["bing"]})
    grid = {"code": "g1", "name": "一网格", "community_id": "c1", "workers": ["jia", "yi"], "neighbours": ["g2"]}
    await made(api, "/grids", grid)


def at_field(answer: Answer) -> tuple[int, str, str]:
    """Status, field and code of the one error."""
    (error,) = answer.body["errors"]
    return answer.status, error["pointer"], error["code"]


def iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


async def id_of(api: Api, noun: str, code: str) -> str:
    items = (await api.call("GET", f"/{noun}")).body["items"]
    return next(str(item["id"]) for item in items if item["code"] == code)


async def ladder(api: Api, query: str = "grid=g1", **options: Any) -> dict[str, list[tuple[str, str]]]:
    """Step -> (name, reason) of everybody on it."""
    answer = await api.call("GET", f"/duty?{query}", **options)
    assert answer.status == 200, answer.text
    steps = [*answer.body["steps"], *answer.body["beside"]]
    return {step["role"]: [(p["name"][3:], p["reason"]) for p in step["people"]] for step in steps}


async def test_day_one_needs_no_roster(either: Api) -> None:
    answer = (await either.call("GET", "/duty?grid=g1", Accept_Language="en")).body
    assert [step["role"] for step in answer["steps"]] == [role.value for role in LADDER]
    assert [step["role"] for step in answer["beside"]] == [role.value for role in BESIDE]
    first = answer["steps"][0]["people"][0]
    assert (first["why"], first["until"]) == ("standing duty: no roster covers this time", None)
    assert answer["timezone"] == "Asia/Shanghai"
    steps = await ladder(either)
    assert steps["grid_worker"] == [("jia", "standing_duty")]
    assert steps["deputy"] == [("yi", "standing_duty")]
    assert steps["neighbour_grid"] == [("bing", "neighbour_on_duty")]


async def test_a_grid_shows_and_changes_its_people_neighbours_and_night_rule(either: Api) -> None:
    api = either
    grid_id = await id_of(api, "grids", "g1")
    people = [await id_of(api, "workers", who) for who in ("jia", "yi")]
    near = await id_of(api, "grids", "g2")
    path = f"/grids/{grid_id}"
    shown = (await api.call("GET", path)).body
    assert (shown["workers"], shown["neighbours"], shown["night_rule"]) == (people, [near], None)
    rule = {"from": "22:00", "to": "07:00"}
    changed = await api.call("PATCH", path, {"night_rule": rule, "workers": ["yi", "jia", "yi"]}, If_Match="*")
    assert (changed.body["night_rule"], changed.body["workers"]) == (rule, people[::-1])
    again = await api.call("PATCH", path, {"name": "改名"}, If_Match="*")
    assert (again.body["night_rule"], again.body["workers"], again.body["neighbours"]) == (rule, people[::-1], [near])
    for change, field, code in (
        ({"neighbours": ["g2", "g1"]}, "#/neighbours/1", "own_neighbour"),
        ({"workers": ["jia", "nobody"]}, "#/workers/1", "unknown_reference"),
        ({"night_rule": {"from": "22:00", "to": "7"}}, "#/night_rule/to", "wall_time"),
        ({"night_rule": {"from": "22:00", "to": "22:00"}}, "#/night_rule/to", "night_rule"),
    ):
        assert at_field(await api.call("PATCH", path, change, If_Match="*")) == (422, field, code)
    off = await api.call("PATCH", path, {"night_rule": None}, If_Match="*")
    assert off.body["night_rule"] is None


async def test_the_night_rule_by_the_deployments_clock(either: Api) -> None:
    api = either
    await made(api, "/workers", {"code": "duty", "name": "值班员duty"})
    await made(api, "/shifts", {"role": "community_duty", "person_id": "duty", "place_id": "c1"})
    rule = {"night_rule": {"from": "22:00", "to": "07:00"}}
    await api.call("PATCH", f"/grids/{await id_of(api, 'grids', 'g1')}", rule, If_Match="*")
    night = await ladder(api, "grid=g1&at=2026-11-22T19:12:00Z")
    assert night["grid_worker"] == [("duty", "night_rule")]
    assert night["deputy"] == [("jia", "standing_duty"), ("yi", "standing_duty")]
    assert (await ladder(api, "grid=g1&at=2026-11-22T04:00:00Z"))["grid_worker"] == [("jia", "standing_duty")]


def a_pattern(**changes: Any) -> dict[str, Any]:
    slots = [
        {"day": 0, "from": "08:00", "to": "20:00", "person_id": "jia"},
        {"day": 0, "from": "20:00", "to": "08:00", "person_id": "yi", "rank": 1},
    ]
    return {"name": "轮班", "grid_id": "g1", "first_day": "2026-01-01", "cycle_days": 1, "slots": slots} | changes


async def test_a_pattern_rotates_by_its_own_wall_clock(either: Api) -> None:
    api = either
    answer = await api.call("POST", "/patterns", a_pattern(timezone="Europe/Berlin"))
    assert answer.status == 201, answer.text
    pattern = answer.body
    assert (pattern["slots"][1]["from"], pattern["slots"][1]["to"], pattern["version"]) == ("20:00", "08:00", 1)
    steps = await ladder(api, "grid=g1&at=2026-10-25T06:59:00Z")
    assert steps["grid_worker"] == [("yi", "pattern")], "07:59 winter time in Berlin"
    assert (await ladder(api, "grid=g1&at=2026-10-25T07:00:00Z"))["grid_worker"] == [("jia", "pattern")]
    path = f"/patterns/{pattern['id']}"
    moved = await api.call("PATCH", path, {"cycle_days": 7}, If_Match='"1"')
    assert (moved.body["cycle_days"], moved.body["timezone"], len(moved.body["slots"])) == (7, "Europe/Berlin", 2)
    put = await api.call("PUT", path, a_pattern(last_day="2026-06-30"), If_Match='"2"')
    assert (put.status, put.body["last_day"], put.body["timezone"]) == (200, "2026-06-30", "Europe/Berlin")
    assert [i["id"] for i in (await api.call("GET", "/patterns?grid_id=g1")).body["items"]] == [pattern["id"]]
    assert (await api.call("DELETE", path, If_Match='"1"')).status == 412
    assert (await api.call("DELETE", path, If_Match='"3"')).status == 204
    assert (await api.call("GET", path)).status == 404


async def test_a_pattern_that_cannot_stand_names_the_field(api: Api) -> None:
    slot = a_pattern()["slots"][0]
    for change, field, code in (
        ({"timezone": "Mars/Olympus"}, "#/timezone", "timezone"),
        ({"timezone": "../etc/passwd"}, "#/timezone", "timezone"),
        ({"last_day": "2025-12-31"}, "#/last_day", "last_day"),
        ({"first_day": "1000-01-01"}, "#/first_day", "day"),
        ({"slots": []}, "#/slots", "too_short"),
        ({"slots": [slot, slot | {"day": 1}]}, "#/slots/1/day", "slot_day"),
        ({"slots": [slot | {"from": "8:00"}]}, "#/slots/0/from", "wall_time"),
        ({"slots": [slot | {"person_id": "nobody"}]}, "#/slots/0/person_id", "unknown_reference"),
        ({"slots": [slot | {"role": "community_duty"}]}, "#/grid_id", "role_takes_place"),
        ({"place_id": "c1"}, "#/place_id", "one_scope"),
        ({"cycle_days": 0}, "#/cycle_days", "greater_than_equal"),
    ):
        assert at_field(await api.call("POST", "/patterns", a_pattern(**change))) == (422, field, code)
    await made(api, "/patterns", a_pattern(last_day="2026-06-30"))
    over = await api.call("POST", "/patterns", a_pattern(name="二"), Accept_Language="en")
    assert at_field(over) == (409, "#/first_day", "pattern_overlap")
    assert "轮班" in over.body["errors"][0]["message"]
    await made(api, "/patterns", a_pattern(name="二", first_day="2026-07-01"))
    deputies = [slot | {"role": "deputy"}]
    await made(api, "/patterns", a_pattern(name="副手", slots=deputies))
    await made(api, "/patterns", a_pattern(name="控制室", grid_id=None, slots=[slot | {"role": "control_room"}]))
    assert (await ladder(api, "grid=g1&at=2026-08-01T04:00:00Z"))["control_room"] == [("jia", "pattern")]


async def test_leave_lets_the_next_one_stand_and_an_override_fills_the_place(either: Api) -> None:
    api, now = either, either.deps.clock.now()
    period = {"starts_at": iso(now - HOUR), "ends_at": iso(now + HOUR)}
    leave = await made(api, "/leaves", {"person_id": "jia", "note": "年假", **period})
    assert (await ladder(api))["grid_worker"] == [("yi", "standing_duty")]
    override = await made(api, "/overrides", {"grid_id": "g1", "person_id": "ding", "replaces_id": "jia", **period})
    assert (override["kind"], override["role"]) == ("override", "grid_worker")
    steps = await ladder(api)
    assert (steps["grid_worker"], steps["deputy"]) == ([("ding", "override")], [("yi", "standing_duty")])
    path = f"/overrides/{override['id']}"
    changed = await api.call("PATCH", path, {"replaces_id": None}, If_Match='"1"')
    assert (changed.body["replaces_id"], changed.body["version"]) == (None, 2)
    assert [i["id"] for i in (await api.call("GET", "/overrides?person_id=ding")).body["items"]] == [override["id"]]
    listed = await api.call("GET", f"/leaves?person_id=jia&ends_after={iso(now)}")
    assert [item["id"] for item in listed.body["items"]] == [leave["id"]]
    assert (await api.call("DELETE", path, If_Match="*")).status == 204
    back = await api.call("PATCH", f"/leaves/{leave['id']}", {"ends_at": iso(now - HOUR / 2)}, If_Match="*")
    assert back.status == 200
    assert (await ladder(api))["grid_worker"] == [("jia", "standing_duty")]
    assert (await api.call("DELETE", f"/leaves/{leave['id']}", If_Match="*")).status == 204


async def test_what_ends_before_it_starts_and_who_stands_in_for_himself(api: Api) -> None:
    now = api.deps.clock.now()
    wrong = {"person_id": "jia", "starts_at": iso(now), "ends_at": iso(now)}
    for path in ("/leaves", "/overrides"):
        assert at_field(await api.call("POST", path, wrong)) == (422, "#/ends_at", "period")
    right = wrong | {"ends_at": iso(now + HOUR), "grid_id": "g1"}
    himself = await api.call("POST", "/overrides", right | {"replaces_id": "jia"})
    assert at_field(himself) == (422, "#/replaces_id", "stands_in_for_self")
    assert at_field(await api.call("POST", "/overrides", right | {"role": "street_duty"}))[1:] == (
        "#/grid_id",
        "role_takes_place",
    )


async def test_a_shift_may_be_taken_away(either: Api) -> None:
    shift = await made(either, "/shifts", {"role": "grid_worker", "person_id": "ding", "grid_id": "g1"})
    assert (await ladder(either))["grid_worker"] == [("ding", "standing_duty")]
    assert (await either.call("DELETE", f"/shifts/{shift['id']}")).status == 428
    assert (await either.call("DELETE", f"/shifts/{shift['id']}", If_Match='"1"')).status == 204
    assert (await ladder(either))["grid_worker"] == [("jia", "standing_duty")]


async def test_one_tap_i_cover_and_its_undoing(either: Api) -> None:
    api = either
    key = await api.key(Role.GRID_WORKER, await id_of(api, "workers", "ding"))
    tap = await api.call("POST", "/duty/cover", {"grid": "g1", "hours": 2}, key=key, Idempotency_Key="tap")
    again = await api.call("POST", "/duty/cover", {"grid": "g1", "hours": 2}, key=key, Idempotency_Key="tap")
    assert (tap.status, tap.body, tap.body["kind"]) == (201, again.body, "cover")
    assert tap.headers["location"] == f"/api/v1/overrides/{tap.body['id']}"
    steps = await ladder(api)
    assert (steps["grid_worker"], steps["deputy"]) == ([("ding", "cover")], [])
    length = datetime.fromisoformat(tap.body["ends_at"]) - datetime.fromisoformat(tap.body["starts_at"])
    assert length == 2 * HOUR
    stranger = await api.key(Role.GRID_WORKER, await id_of(api, "workers", "jia"))
    undo = f"/overrides/{tap.body['id']}"
    assert (await api.call("DELETE", undo, key=stranger, If_Match="*")).status == 404
    assert (await api.call("DELETE", undo, key=key, If_Match="*")).status == 204
    assert (await ladder(api))["grid_worker"] == [("jia", "standing_duty")]
    acts = [row["act"] for row in (await api.call("GET", "/audit")).body["items"] if row["kind"] == "overrides"]
    assert sorted(acts) == ["cover", "remove"]


async def test_who_may_cover_where(api: Api) -> None:
    now = api.deps.clock.now()
    helper = await api.key(Role.GRID_WORKER, await id_of(api, "workers", "bing"))
    assert (await api.call("POST", "/duty/cover", {"grid": "g1", "hours": 1}, key=helper)).status == 201, "a neighbour"
    local = await api.key(Role.GRID_WORKER, await id_of(api, "workers", "ding"))
    far = await api.call("POST", "/duty/cover", {"grid": "g2", "hours": 1}, key=local)
    assert at_field(far) == (422, "#/grid", "unknown_reference")
    for body, field, code in (
        ({"person_id": "jia", "hours": 1}, "#/person_id", "cover_self"),
        ({}, "#/hours", "hours_or_until"),
        ({"hours": 1, "until": iso(now + HOUR)}, "#/until", "hours_or_until"),
        ({"until": iso(now - HOUR)}, "#/until", "cover_until"),
        ({"until": iso(now + 200 * HOUR)}, "#/until", "cover_until"),
        ({"hours": 1000}, "#/hours", "less_than_equal"),
    ):
        assert at_field(await api.call("POST", "/duty/cover", {"grid": "g1", **body}, key=local)) == (422, field, code)
    assert at_field(await api.call("POST", "/duty/cover", {"grid": "g1", "hours": 1}))[1:] == ("#/person_id", "missing")
    named = await api.call("POST", "/duty/cover", {"grid": "g1", "hours": 1, "person_id": "yi"})
    assert named.status == 201
    await made(api, "/leaves", {"person_id": "yi", "starts_at": iso(now), "ends_at": iso(now + HOUR)})
    away = await api.call("POST", "/duty/cover", {"grid": "g1", "hours": 1, "person_id": "yi"})
    assert at_field(away) == (409, "#/person_id", "on_leave")
    assert (await api.call("POST", "/duty/cover", {"grid": "g1", "hours": 1}, role=Role.VIEWER)).status == 403


async def test_a_planner_of_one_community_neither_sees_nor_names_the_other(either: Api) -> None:
    api, now = either, either.deps.clock.now()
    period = {"starts_at": iso(now), "ends_at": iso(now + HOUR)}
    other = {
        "patterns": a_pattern(grid_id="g2", slots=[{"day": 0, "from": "08:00", "to": "20:00", "person_id": "bing"}]),
        "overrides": {"grid_id": "g2", "person_id": "bing", **period},
        "leaves": {"person_id": "bing", **period},
        "shifts": {"role": "grid_worker", "person_id": "bing", "grid_id": "g2"},
    }
    planner = await api.key(Role.ROSTER_PLANNER, place_id=await id_of(api, "places", "c1"))
    for noun, body in other.items():
        thing = await made(api, f"/{noun}", body)
        path = f"/{noun}/{thing['id']}"
        assert (await api.call("GET", f"/{noun}", key=planner)).body["items"] == []
        for method, sent in (("GET", None), ("PUT", body), ("PATCH", {}), ("DELETE", None)):
            assert (await api.call(method, path, sent, key=planner, If_Match="*")).status == 404, (method, path)
        refused = await api.call("POST", f"/{noun}", body, key=planner)
        assert refused.status == 422, refused.text
        assert {error["code"] for error in refused.body["errors"]} == {"unknown_reference"}
        assert (await api.call("GET", path)).status == 200, "still there"
    assert at_field(await api.call("GET", "/duty?grid=g2", key=planner)) == (422, "?grid", "unknown_reference")
    cover = await api.call("POST", "/duty/cover", {"grid": "g2", "hours": 1, "person_id": "jia"}, key=planner)
    assert at_field(cover) == (422, "#/grid", "unknown_reference")
    report = (await api.call("GET", "/reports/duty", key=planner)).body
    assert ([item["code"] for item in report["items"]], report["totals"]["grids_in_scope"]) == (["g1"], 1)
    nowhere = await api.call("POST", "/overrides", {"person_id": "jia", "role": "control_room", **period}, key=planner)
    assert at_field(nowhere) == (422, "#/grid_id", "out_of_scope")
    mine = {"grid_id": "g1", "person_id": "jia", **period}
    assert (await api.call("POST", "/overrides", mine, key=planner)).status == 201


async def test_the_report_names_the_gaps_and_whom_nobody_verified(either: Api) -> None:
    api, now = either, either.deps.clock.now()
    for who in ("jia", "yi"):
        leave = {"person_id": who, "starts_at": iso(now + 24 * HOUR), "ends_at": iso(now + 30 * HOUR)}
        await made(api, "/leaves", leave)
    bing = await id_of(api, "workers", "bing")
    await api.insert(
        registry.contact_points, id="n1", person_id=bing, channel="sms", address="+8613800138000", verified_at=now
    )
    await made(api, "/grids", {"code": "g3", "name": "三网格", "community_id": "c2"})
    report = (await api.call("GET", "/reports/duty?days=2")).body
    items = {item["code"]: item for item in report["items"]}
    (gap,) = items["g1"]["gap_list"]
    assert (gap["from"], gap["to"]) == (iso(now + 24 * HOUR), iso(now + 30 * HOUR))
    assert (items["g1"]["gaps"], items["g1"]["gap_minutes"], items["g1"]["unverified"]) == (1, 360, 2)
    assert [person["name"] for person in items["g1"]["unverified_list"]] == ["网格员jia", "网格员yi"]
    assert (items["g2"]["gaps"], items["g2"]["unverified_list"]) == (0, [])
    assert [(g["from"], g["to"]) for g in items["g3"]["gap_list"]] == [(report["from"], report["to"])]
    assert report["totals"] == {
        "grids_in_scope": 3,
        "grids": 3,
        "grids_with_gaps": 2,
        "gaps": 2,
        "gap_minutes": 360 + 2880,
        "people_unverified": 2,
        "people_not_ready": 3,
    }
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        part = (await api.call("GET", f"/reports/duty?days=2&limit=1{cursor and f'&cursor={cursor}'}")).body
        seen += [item["code"] for item in part["items"]]
        cursor = part["next"]
    assert seen == list(items)
    assert at_field(await api.call("GET", "/reports/duty?days=32")) == (422, "?days", "less_than_equal")


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "yesterday"])
async def test_an_instant_beyond_all_calendars_is_refused(api: Api, at: str) -> None:
    assert at_field(await api.call("GET", f"/duty?grid=g1&at={at}")) == (422, "?at", "datetime")
