"""Verbs of the control room, people's reports and photographs over HTTP: who may, what is named, what comes back."""

from collections.abc import AsyncIterator
from io import BytesIO
from typing import Any

import pytest
import pytest_asyncio

from alerting.core.acts import Verb
from alerting.core.decisions import Refused
from alerting.core.model import Refusal
from alerting.store import tables
from api.permissions import ROUTES, Role
from api.words import REFUSALS
from tests.contract.api_support import Api, running_api
from tests.contract.scope_world import png, send_picture


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
        yield running


@pytest_asyncio.fixture
async def either(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


async def place(api: Api, code: str = "xy") -> str:
    answer = await api.call("POST", "/places", {"kind": "compound", "name": f"小区{code}", "code": code})
    return str(answer.body["id"])


REPORT = {"place": "xy", "code": "fire.smoke", "via": "telephone", "note": "邻居来电"}


def test_each_verb_of_the_contract_has_its_route_and_each_refusal_its_words() -> None:
    posted = {route.rsplit("/", 1)[1] for route in ROUTES if route.startswith("POST /api/v1/incidents/{id}/")}
    assert {verb.value for verb in Verb} - {"photo"} <= posted
    assert {reason.value for reason in Refusal} - {"unknown_incident"} <= REFUSALS.keys()


@pytest.mark.parametrize(
    ("verb", "body", "detail"),
    [
        ("transfer", {"to": "community", "reason": "需协调"}, {"to": "community", "reason": "需协调"}),
        ("escalate", None, {}),
        ("call-again", {}, {}),
        ("silence", None, {}),
        ("shelve", {"reason": "挪车", "minutes": 20}, {"reason": "挪车", "minutes": 20}),
        (
            "shelve",
            {"reason": "挪车", "until": "2099-01-01T08:00:00+08:00"},
            {"reason": "挪车", "until": "2099-01-01T00:00:00Z"},
        ),
        ("unshelve", {}, {}),
        ("evaluate", {"score": 4, "note": "及时"}, {"score": 4, "note": "及时"}),
    ],
)
async def test_verbs_reach_the_service_with_their_detail(
    api: Api, verb: str, body: dict[str, Any] | None, detail: dict[str, Any]
) -> None:
    fire = await api.incident()
    answer = await api.call("POST", f"/incidents/{fire}/{verb}", body, role=Role.OPERATOR)
    assert (answer.status, answer.body["incident_id"]) == (200, fire)
    assert [(act[0], act[1].value, act[3]) for act in api.service.acts] == [(fire, verb, detail)]


async def test_reopening_answers_with_the_new_one(api: Api) -> None:
    fire = await api.incident()
    answer = await api.call("POST", f"/incidents/{fire}/reopen", {"reason": "再次冒烟"})
    assert (answer.status, answer.headers["location"]) == (201, f"/api/v1/incidents/{fire}")


async def test_people_and_grids_are_named_by_id_or_code(either: Api) -> None:
    api, fire = either, await either.incident()
    person = await api.person("jia")
    grid = (await api.call("POST", "/grids", {"code": "g9", "name": "九网格"})).body["id"]
    await api.call("POST", f"/incidents/{fire}/dispatch", {"worker": "jia"})
    await api.call("POST", f"/incidents/{fire}/call-again", {"recipient": person})
    await api.call("POST", f"/incidents/{fire}/transfer", {"to": "g9"})
    assert [act[3] for act in api.service.acts] == [{"worker": person}, {"recipient": person}, {"to": grid}]
    for verb, body, field in (
        ("dispatch", {"worker": "nobody"}, "#/worker"),
        ("call-again", {"recipient": "nobody"}, "#/recipient"),
        ("transfer", {"to": "nowhere"}, "#/to"),
    ):
        answer = await api.call("POST", f"/incidents/{fire}/{verb}", body)
        assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, field)
    assert len(api.service.acts) == 3


@pytest.mark.parametrize(
    ("verb", "body", "pointer", "code"),
    [
        ("shelve", {"minutes": 5}, "#/reason", "missing"),
        ("shelve", {"reason": ""}, "#/reason", "string_too_short"),
        (
            "shelve",
            {"reason": "x", "minutes": 5, "until": "2099-01-01T00:00:00Z"},
            "#/until",
            "minutes_or_until",
        ),
        ("evaluate", {"score": 6}, "#/score", "less_than_equal"),
        ("reopen", {}, "#/reason", "missing"),
        ("verify", {"result": "false_alarm", "how": "on_site"}, "#/cause", "cause_needed"),
        ("verify", {"result": "device_fault", "how": "on_site", "cause": " "}, "#/cause", "cause_needed"),
    ],
)
async def test_what_a_verb_needs_is_named(api: Api, verb: str, body: dict[str, Any], pointer: str, code: str) -> None:
    fire = await api.incident()
    for language in ("zh-CN", "en"):
        answer = await api.call("POST", f"/incidents/{fire}/{verb}", body, Accept_Language=language)
        (error,) = answer.body["errors"]
        assert (answer.status, error["pointer"], error["code"]) == (422, pointer, code)
        assert error["message"]
    assert not api.service.acts


FIELD_ONLY = ("accept", "decline", "arrive", "note")
ROOM_ONLY = ("acknowledge", "dispatch", "transfer", "escalate", "call-again", "silence", "shelve", "unshelve", "close")


@pytest.mark.parametrize("verb", [*FIELD_ONLY, *ROOM_ONLY, "evaluate", "reopen", "verify", "photos"])
async def test_who_only_reads_does_nothing(api: Api, verb: str) -> None:
    fire = await api.incident()
    for role in (Role.VIEWER, Role.AUDITOR, Role.INSTALLER, Role.ROSTER_PLANNER):
        assert (await api.call("POST", f"/incidents/{fire}/{verb}", {}, role=role)).status == 403
    assert not api.service.acts


async def test_a_worker_goes_sees_and_says_what_he_saw(api: Api) -> None:
    person, fire = await api.person("jia"), await api.incident()
    await api.page(fire, person)
    key = await api.key(Role.GRID_WORKER, person)
    for verb in ROOM_ONLY:
        assert (await api.call("POST", f"/incidents/{fire}/{verb}", {}, key=key)).status == 403, verb
    result = {"result": "false_alarm", "cause": "做饭油烟"}
    for how in ("phone", "video"):
        answer = await api.call("POST", f"/incidents/{fire}/verify", {**result, "how": how}, key=key)
        assert (answer.status, answer.body["type"]) == (403, "urn:gengfu:problem:forbidden")
        assert "on_site" in answer.body["detail"]
    assert (await api.call("POST", f"/incidents/{fire}/verify", {**result, "how": "on_site"}, key=key)).status == 200
    assert [act[1] for act in api.service.acts] == [Verb.VERIFY]


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUPERVISOR])
async def test_what_people_report_opens_an_incident(either: Api, role: Role) -> None:
    api, where = either, await place(either)
    photo = "https://example.org/1.jpg"
    answer = await api.call("POST", "/incidents", {**REPORT, "photos": [photo]}, role=role)
    assert (answer.status, answer.body["joined"], answer.body["code"]) == (201, False, "fire.smoke")
    assert answer.headers["location"] == f"/api/v1/incidents/{answer.body['id']}"
    ((place_id, code, raised, actor),) = api.service.raised
    assert (place_id, code, raised.via.value, raised.note, raised.media) == (
        where,
        "fire.smoke",
        "telephone",
        "邻居来电",
        (photo,),
    )
    assert raised.by == actor.id == answer.body["raised_by"]
    assert answer.body["raised_via"] == "telephone"
    listed = await api.call("GET", "/incidents?raised=true")
    assert [item["id"] for item in listed.body["items"]] == [answer.body["id"]]


async def test_what_is_known_already_is_joined(api: Api) -> None:
    await place(api)
    api.service.joins = await api.incident()
    answer = await api.call("POST", "/incidents", REPORT)
    assert (answer.status, answer.body["joined"], answer.body["id"]) == (200, True, api.service.joins)


async def test_a_repeated_report_is_one(api: Api) -> None:
    await place(api)
    first = await api.call("POST", "/incidents", REPORT, Idempotency_Key="r1")
    again = await api.call("POST", "/incidents", REPORT, Idempotency_Key="r1")
    assert (first.status, again.status, first.body) == (201, 201, again.body)
    assert len(api.service.raised) == 1


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"place": "nowhere"}, "#/place", "unknown_reference"),
        ({"code": "device.test"}, "#/code", "not_raisable"),
        ({"code": "no.such"}, "#/code", "not_raisable"),
        ({"via": "reopened"}, "#/via", "literal_error"),
        ({"photos": ["file:///etc/passwd"]}, "#/photos/0", "string_pattern_mismatch"),
    ],
)
async def test_a_report_that_cannot_stand_names_its_field(
    api: Api, change: dict[str, Any], pointer: str, code: str
) -> None:
    await place(api)
    answer = await api.call("POST", "/incidents", {**REPORT, **change})
    (error,) = answer.body["errors"]
    assert (answer.status, error["pointer"], error["code"]) == (422, pointer, code)
    assert not api.service.raised


async def test_a_worker_reports_within_his_part_of_the_city_and_then_sees_it(either: Api) -> None:
    api, mine = either, await place(either)
    await place(api, "elsewhere")
    person = await api.person("jia")
    key = await api.key(Role.GRID_WORKER, person, place_id=mine)
    answer = await api.call("POST", "/incidents", REPORT, key=key)
    assert answer.status == 201
    assert (await api.call("POST", "/incidents", {**REPORT, "place": "elsewhere"}, key=key)).status == 422
    fire = answer.body["id"]
    assert (await api.call("GET", f"/incidents/{fire}", key=key)).status == 404, "nothing says that he reported it"
    entry = {"incident_id": fire, "at": api.deps.clock.now(), "kind": "raised", "reason": "raised", "actor": person}
    await api.insert(tables.timeline, **entry, data={})
    assert (await api.call("GET", f"/incidents/{fire}", key=key)).status == 200
    for role in (Role.VIEWER, Role.AUDITOR, Role.INSTALLER):
        assert (await api.call("POST", "/incidents", REPORT, role=role)).status == 403


async def test_photographs_are_kept_once_and_read_as_they_came(either: Api) -> None:
    api, fire = either, await either.incident()
    key, path = await api.token(Role.OPERATOR), f"/api/v1/incidents/{fire}/photos"
    made = await send_picture(api, "POST", path, key)
    assert (made.status, made.body["media_type"], made.body["width"]) == (201, "image/png", 1)
    again = await send_picture(api, "POST", path, key)
    assert (again.status, again.body) == (200, made.body)
    listed = await api.call("GET", f"/incidents/{fire}/photos")
    assert [item["id"] for item in listed.body["items"]] == [made.body["id"]]
    address = f"{api.base_url}{path}/{made.body['id']}"
    headers = {"Authorization": f"Bearer {key}"}
    async with api.session.get(address, headers=headers) as response:
        assert (await response.read(), response.content_type) == (png(), "image/png")
        headers["If-None-Match"] = response.headers["etag"]
    async with api.session.get(address, headers=headers) as response:
        assert response.status == 304
    assert [act[1] for act in api.service.acts] == [Verb.PHOTO]
    other = await api.incident()
    assert (await api.call("GET", f"/incidents/{other}/photos/{made.body['id']}")).status == 404


async def test_what_is_no_picture_is_no_photograph(api: Api) -> None:
    fire, key = await api.incident(), await api.token(Role.OPERATOR)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "image/png"}
    address = f"{api.base_url}/api/v1/incidents/{fire}/photos"
    for body, status in ((b"<script>", 422), (png() + b"x" * (1 << 20), 413)):
        async with api.session.post(address, data=BytesIO(body), headers=headers) as response:
            assert response.status == status
    assert (await api.call("GET", f"/incidents/{fire}/photos")).body["items"] == []
    assert (await send_picture(api, "POST", "/api/v1/incidents/none/photos", key)).status == 404


async def test_a_refused_photograph_is_not_kept(api: Api) -> None:
    fire, key = await api.incident(), await api.token(Role.OPERATOR)
    api.service.refusal = Refused(Refusal.WRONG_STATE)
    assert (await send_picture(api, "POST", f"/api/v1/incidents/{fire}/photos", key)).status == 409
    assert (await api.call("GET", f"/incidents/{fire}/photos")).body["items"] == []


async def test_the_new_columns_their_filters_and_links_both_ways(either: Api) -> None:
    api, now = either, either.deps.clock.now()
    closed = await api.incident(work="closed", closed_at=now, holds_key=False, evaluated={"score": 5})
    again = await api.incident(linked_to=closed, raised_by="login-1", raised_via="reopened", acknowledged_until=now)
    shelved = await api.incident(severity=2, code="lane.blocked", cls="S", shelved_until=now)
    unseen = await api.incident()
    await api.insert(tables.incident_overlays, incident_id=unseen, kind="unseen", at=now, detail=None)
    for query, expected in {
        "shelved=true": {shelved},
        "shelved=false": {closed, again, unseen},
        "raised=true": {again},
        "raised=false": {closed, shelved, unseen},
        "unseen=true": {unseen},
        "unseen=false": {closed, again, shelved},
    }.items():
        answer = await api.call("GET", f"/incidents?{query}")
        assert {item["id"] for item in answer.body["items"]} == expected, query
    first, second = [(await api.call("GET", f"/incidents/{each}")).body for each in (closed, again)]
    assert first["evaluated"] == {"score": 5}
    assert [each["id"] for each in first["linked"]["reopened_by"]] == [again]
    assert first["linked"]["reopens"] is None
    assert second["linked"]["reopens"]["id"] == closed
    assert (second["linked_to"], second["raised_via"]) == (closed, "reopened")
    body = (await api.call("GET", f"/incidents/{shelved}")).body
    assert body["shelved_until"] is not None
    assert body["due_by"] is not None, "a standing hazard has a day by which it is gone"
    assert second["due_by"] is None


async def test_what_is_handed_over_is_seen_by_the_other_grids_people(either: Api) -> None:
    api = either
    here, there = await place(api), await place(api, "there")
    grid = await api.call("POST", "/grids", {"code": "g9", "name": "九网格", "place_ids": ["there"]})
    fire = await api.incident(place_id=here, grid_id=grid.body["id"])
    key = await api.key(Role.OPERATOR, place_id=there)
    assert (await api.call("GET", f"/incidents/{fire}", key=key)).status == 404
    now = api.deps.clock.now()
    await api.insert(tables.incident_overlays, incident_id=fire, kind="transferred", at=now, detail=None)
    assert (await api.call("GET", f"/incidents/{fire}", key=key)).status == 200
    assert (await api.call("POST", f"/incidents/{fire}/escalate", key=key)).status == 200
    own = await api.key(Role.OPERATOR, place_id=here)
    assert (await api.call("GET", f"/incidents/{fire}", key=own)).status == 200
