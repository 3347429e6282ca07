"""Incidents, timelines, notifications and acts over HTTP, on both databases."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from sqlalchemy import update

from alerting.core.acts import Verb
from alerting.core.decisions import Refused
from alerting.core.model import Refusal
from alerting.ports import Priority
from alerting.store import tables
from api.permissions import Role
from api.store import idempotency
from api.store.tables import idempotency as remembered
from tests.contract.api_support import NOT_VERIFIED, Api, running_api


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_sqlite_url) as running:
        yield running


@pytest_asyncio.fixture
async def either(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


async def pages_of(api: Api, path: str, limit: int) -> list[list[str]]:
    """Follow `next` to the end."""
    joint, cursor, pages = "&" if "?" in path else "?", "", []
    while True:
        answer = await api.call("GET", f"{path}{joint}limit={limit}{cursor}")
        assert answer.status == 200, answer.text
        pages.append([item.get("id") or item["seq"] for item in answer.body["items"]])
        if answer.body["next"] is None:
            return pages
        cursor = f"&cursor={answer.body['next']}"


async def test_lists_page_through_everything_once_newest_first(either: Api) -> None:
    api = either
    ids = [await api.incident() for _ in range(5)]
    assert await pages_of(api, "/incidents", 2) == [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
    assert await pages_of(api, "/incidents", 5) == [ids[::-1]]


async def test_filters(either: Api) -> None:
    api = either
    fire = await api.incident(grid_id="g1", device_id="smoke-0001")
    leak = await api.incident(code="water.leak", severity=3, work="taken")
    closed = await api.incident(work="closed", closed_at=api.deps.clock.now(), holds_key=False)
    for query, expected in {
        "open=true": {fire, leak},
        "open=false": {closed},
        "work=taken&work=closed": {leak, closed},
        "severity_max=1": {fire, closed},
        "code=water.leak": {leak},
        "grid_id=g1": {fire},
        "device_id=smoke-0001": {fire},
        "condition=restored": set(),
    }.items():
        answer = await api.call("GET", f"/incidents?{query}")
        assert {item["id"] for item in answer.body["items"]} == expected, query


async def test_one_incident_with_its_overlays_and_who_goes(either: Api) -> None:
    api = either
    person = await api.person("jia")
    fire = await api.incident(taken_by=person, work="taken", taken_at=api.deps.clock.now())
    now = api.deps.clock.now()
    for offset, kind in enumerate(("unplaced", "escalated")):
        at = now + timedelta(seconds=offset)
        await api.insert(tables.incident_overlays, incident_id=fire, kind=kind, at=at, detail={"text": "x"})
    body = (await api.call("GET", f"/incidents/{fire}")).body
    assert [overlay["kind"] for overlay in body["overlays"]] == ["unplaced", "escalated"]
    assert body["taken_by"] == {"id": person, "name": "网格员甲"}
    assert (body["class"], body["place_text"]["zh"]) == ("A", "金鼎小区3栋")
    assert "policy" not in body
    assert (await api.call("GET", "/incidents/none")).status == 404


async def test_the_timeline_in_order_by_pages(either: Api) -> None:
    api = either
    fire, other = await api.incident(), await api.incident()
    for kind in ("opened", "planned", "work"):
        await api.entry(fire, kind)
        await api.entry(other, kind)
    (first, second) = await pages_of(api, f"/incidents/{fire}/timeline", 2)
    assert first + second == sorted(first + second)
    assert len(first + second) == 3
    assert (await api.call("GET", "/incidents/none/timeline")).status == 404


async def test_numbers_are_masked_in_every_notification(either: Api) -> None:
    api = either
    person, fire = await api.person("jia"), await api.incident()
    notice = await api.page(fire, person, address="+8613812341234")
    await api.page(fire, person, channel="app", address=person)
    await api.insert(
        tables.attempts,
        id="a" * 13,
        notification_id=notice,
        incident_id=fire,
        number=1,
        reason="first",
        provider="twilio",
        state="sending",
        due_at=api.deps.clock.now(),
        planned_at=api.deps.clock.now(),
    )
    answer = await api.call("GET", f"/notifications?incident_id={fire}")
    assert {item["address"] for item in answer.body["items"]} == {"138****1234", person}
    assert "13812341234" not in answer.text
    (sms,) = (item for item in answer.body["items"] if item["channel"] == "sms")
    assert (sms["recipient_name"], sms["attempts"][0]["provider"]) == ("网格员甲", "twilio")
    assert (await api.call("GET", "/notifications?channel=voice")).body["items"] == []


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        (Verb.ACKNOWLEDGE, None),
        (Verb.ACCEPT, {}),
        (Verb.DECLINE, {"reason": "在另一现场"}),
        (Verb.ARRIVE, None),
        (Verb.VERIFY, {"result": "false_alarm", "how": "on_site", "cause": "做饭油烟"}),
        (Verb.CLOSE, None),
        (Verb.NOTE, {"text": "已联系住户"}),
    ],
)
async def test_acts_reach_the_service_with_their_detail(api: Api, verb: Verb, body: dict[str, str] | None) -> None:
    fire = await api.incident()
    answer = await api.call("POST", f"/incidents/{fire}/{verb}", body)
    assert (answer.status, answer.body) == (200, {"incident_id": fire, "work": "taken", "ack": "none"})
    assert [(act[0], act[1], act[3]) for act in api.service.acts] == [(fire, verb, body or {})]


async def test_what_an_act_needs_is_named(api: Api) -> None:
    fire = await api.incident()
    answer = await api.call("POST", f"/incidents/{fire}/verify", {"result": "maybe"}, Accept_Language="en")
    assert {error["pointer"] for error in answer.body["errors"]} == {"#/result", "#/how"}
    assert (await api.call("POST", f"/incidents/{fire}/verify")).status == 422
    assert (await api.call("POST", f"/incidents/{fire}/note", {"text": ""})).status == 422
    assert not api.service.acts


async def test_a_refusal_says_who_stands_in_the_way(api: Api) -> None:
    person, fire = await api.person("jia"), await api.incident()
    api.service.refusal = Refused(Refusal.ALREADY_TAKEN, who=person)
    answer = await api.call("POST", f"/incidents/{fire}/accept")
    assert (answer.status, answer.body["refusal"]) == (409, "already_taken")
    assert answer.body["who"] == {"id": person, "name": "网格员甲"}
    assert answer.body["detail"] == "网格员甲已前往。"
    api.service.refusal = Refused(Refusal.UNKNOWN_INCIDENT)
    assert (await api.call("POST", f"/incidents/{fire}/accept")).status == 404


async def test_every_refusal_has_its_words(api: Api) -> None:
    fire = await api.incident()
    for reason in Refusal:
        api.service.refusal = Refused(reason)
        for language in ("zh-CN", "en"):
            answer = await api.call("POST", f"/incidents/{fire}/accept", Accept_Language=language)
            assert answer.status == (404 if reason is Refusal.UNKNOWN_INCIDENT else 409), reason
            assert answer.body["detail"]


async def test_the_same_key_acts_once_and_answers_the_same(either: Api) -> None:
    api = either
    fire = await api.incident()
    path = f"/incidents/{fire}/note"
    first = await api.call("POST", path, {"text": "甲"}, Idempotency_Key="k1")
    again = await api.call("POST", path, {"text": "甲"}, Idempotency_Key="k1")
    assert (first.status, again.status, first.body) == (200, 200, again.body)
    assert len(api.service.acts) == 1
    other = await api.call("POST", path, {"text": "乙"}, Idempotency_Key="k1")
    assert (other.status, other.body["type"]) == (422, "urn:gengfu:problem:key_reused")
    elsewhere = await api.call("POST", f"/incidents/{fire}/acknowledge", {"text": "甲"}, Idempotency_Key="k1")
    assert elsewhere.status == 422
    another_caller = await api.call("POST", path, {"text": "乙"}, role=Role.OPERATOR, Idempotency_Key="k1")
    assert another_caller.status == 200
    assert len(api.service.acts) == 2


async def test_a_refused_act_frees_its_key(api: Api) -> None:
    fire = await api.incident()
    api.service.refusal = NOT_VERIFIED
    assert (await api.call("POST", f"/incidents/{fire}/close", Idempotency_Key="k")).status == 409
    api.service.refusal = None
    assert (await api.call("POST", f"/incidents/{fire}/close", Idempotency_Key="k")).status == 200


async def test_a_request_cut_off_halfway_blocks_its_key_for_a_minute_only(either: Api) -> None:
    api = either
    fire = await api.incident()
    path = f"/incidents/{fire}/acknowledge"
    await api.call("POST", path, Idempotency_Key="k")
    cut = update(remembered).values(status=None, response=None)
    await api.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(cut))
    assert (await api.call("POST", path, Idempotency_Key="k")).body["type"] == "urn:gengfu:problem:in_progress"
    long_ago = update(remembered).values(created_at=api.deps.clock.now() - timedelta(minutes=2))
    await api.database.write(Priority.ADMINISTRATION, lambda conn: conn.execute(long_ago))
    assert (await api.call("POST", path, Idempotency_Key="k")).status == 200
    assert len(api.service.acts) == 2


async def test_remembered_answers_are_dropped_in_small_portions(either: Api) -> None:
    api = either
    fire = await api.incident()
    for number in range(3):
        await api.call("POST", f"/incidents/{fire}/acknowledge", Idempotency_Key=f"k{number}")
    soon = api.deps.clock.now() + timedelta(seconds=1)
    gone = [
        await api.database.write(Priority.ADMINISTRATION, lambda conn: idempotency.forget_before(conn, soon, 2))
        for _ in range(3)
    ]
    assert gone == [2, 1, 0]


@pytest.mark.parametrize("key", ["", "x" * 129, "tab\there"])
async def test_a_key_that_is_no_token_is_refused(api: Api, key: str) -> None:
    fire = await api.incident()
    answer = await api.call("POST", f"/incidents/{fire}/acknowledge", Idempotency_Key=key)
    assert (answer.status, answer.body["errors"][0]["pointer"]) == (422, "Idempotency-Key")
