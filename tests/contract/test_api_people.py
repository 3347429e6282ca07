"""People and their contact points over HTTP, on both databases: kinds, hours, consent, opt-out, and whole numbers."""

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from alerting.ports import Priority
from api.permissions import Role
from api.routes.contacts import reveals_per_hour_max
from devices.audit import AuditEntry
from devices.store import audit
from tests.contract.api_support import Answer, Api, running_api

NUMBER, WHOLE = "13812341234", "+8613812341234"


@pytest_asyncio.fixture
async def api(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


async def made(api: Api, path: str, body: dict[str, Any], **options: Any) -> Any:
    answer = await api.call("POST", path, body, **options)
    assert answer.status == 201, answer.text
    return answer.body


def at_field(answer: Answer) -> tuple[int, str, str]:
    (error,) = answer.body["errors"]
    return answer.status, error["pointer"], error["code"]


async def audited(api: Api, act: str) -> list[audit.AuditRow]:
    return await api.database.read(lambda conn: audit.page(conn, None, 500, act=act))


async def worker_with_a_number(api: Api) -> tuple[dict[str, Any], str]:
    """A worker at one of two compounds, and the address of his contact point."""
    for code in ("jd", "yg"):
        await made(api, "/places", {"kind": "compound", "name": code, "code": code})
    worker = await made(api, "/workers", {"code": "jia", "name": "网格员甲", "place_id": "jd"})
    contact = await made(api, "/workers/jia/contacts", {"channel": "sms", "address": NUMBER})
    return worker, f"/workers/jia/contacts/{contact['id']}"


async def test_volunteers_have_hours_and_nobody_else(api: Api) -> None:
    volunteer: dict[str, Any] = {"code": "v1", "name": "志愿者甲", "kind": "volunteer"}
    assert at_field(await api.call("POST", "/workers", volunteer)) == (422, "#/hours", "volunteer_hours")
    hours = {"from": "19:30", "to": "06:00"}
    kept = await made(api, "/workers", volunteer | {"hours": hours})
    assert kept["hours"] == hours
    assert (await api.call("GET", f"/workers/{kept['id']}")).body["hours"] == hours
    patched = await api.call("PATCH", f"/workers/{kept['id']}", {"name": "志愿者乙"}, If_Match="*")
    assert (patched.status, patched.body["hours"]) == (200, hours)
    worker = volunteer | {"kind": "worker", "code": "w1", "hours": hours}
    assert at_field(await api.call("POST", "/workers", worker)) == (422, "#/hours", "only_volunteers")
    for wrong, field, code in (
        ({"from": "8:00", "to": "09:00"}, "#/hours/from", "string_pattern_mismatch"),
        ({"from": "24:00", "to": "09:00"}, "#/hours/from", "string_pattern_mismatch"),
        ({"from": "08:00", "to": "08:00"}, "#/hours/to", "hours"),
        ({"from": "08:00"}, "#/hours/to", "missing"),
    ):
        answer = await api.call("POST", "/workers", volunteer | {"code": "v2", "hours": wrong})
        assert at_field(answer) == (422, field, code)


async def test_consent_to_night_calls_is_kept_and_revoked(api: Api) -> None:
    at = "2026-05-01T00:00:00Z"
    person = await made(api, "/workers", {"code": "lou-1", "name": "楼栋长甲", "night_calls_consent_at": at})
    assert person["night_calls_consent_at"] == at
    path = f"/workers/{person['id']}"
    revoked = await api.call("PATCH", path, {"night_calls_consent_at": None}, If_Match='"1"')
    assert revoked.body["night_calls_consent_at"] is None
    (row,) = await audited(api, "change")
    assert row.entry.detail == {"night_calls_consent_at": [at, None]}


async def test_people_who_belong_to_a_part_of_the_tree(api: Api) -> None:
    await worker_with_a_number(api)
    await made(api, "/workers", {"code": "yi", "name": "网格员乙", "place_id": "yg"})
    listed = (await api.call("GET", "/workers?under=yg")).body["items"]
    assert [item["code"] for item in listed] == ["yi"]
    assert at_field(await api.call("GET", "/workers?under=none"))[1] == "?under"


async def test_a_household_person_is_no_worker(api: Api) -> None:
    answer = await api.call("POST", "/workers", {"code": "h", "name": "住户甲", "kind": "household"})
    assert at_field(answer) == (422, "#/kind", "household_elsewhere")


async def test_a_contact_is_opted_out_of_and_into_again(api: Api) -> None:
    _, path = await worker_with_a_number(api)
    changes = api.service.changes
    first = await api.call("POST", f"{path}/opt-out")
    again = await api.call("POST", f"{path}/opt-out")
    assert first.body["opted_out_at"] is not None
    assert again.body == first.body
    back = await api.call("POST", f"{path}/opt-in")
    assert (back.status, back.body["opted_out_at"]) == (200, None)
    assert len(await audited(api, "opt_out")) == len(await audited(api, "opt_in")) == 1
    assert api.service.changes > changes
    assert (await api.call("POST", "/workers/jia/contacts/none/opt-out")).status == 404


async def test_a_contact_is_removed(api: Api) -> None:
    _, path = await worker_with_a_number(api)
    await made(api, "/workers", {"code": "yi", "name": "网格员乙", "place_id": "jd"})
    assert (await api.call("DELETE", path.replace("jia", "yi"))).status == 404
    assert (await api.call("DELETE", path)).status == 204
    assert (await api.call("GET", "/workers/jia/contacts")).body["items"] == []
    assert (await api.call("DELETE", path)).status == 404
    (row,) = await audited(api, "remove")
    assert row.entry.detail is not None
    assert row.entry.detail["address"] == "138****1234"


async def test_the_whole_number_for_a_reason_that_is_kept(api: Api) -> None:
    worker, path = await worker_with_a_number(api)
    answer = await api.call(
        "POST", f"{path}/reveal", {"reason": f"现场无人, 打 {NUMBER}"}, role=Role.OPERATOR, Idempotency_Key="r1"
    )
    assert (answer.status, answer.body["address"]) == (200, WHOLE)
    assert answer.headers["cache-control"] == "no-store"
    (row,) = await audited(api, "reveal")
    assert row.entry.detail is not None
    assert (row.entry.detail["person"], row.entry.detail["address"]) == (worker["id"], "138****1234")
    assert row.entry.detail["reason"] == "现场无人, 打 ***"
    assert row.entry.path == worker["place_id"]
    assert at_field(await api.call("POST", f"{path}/reveal", {})) == (422, "#/reason", "missing")
    assert at_field(await api.call("POST", f"{path}/reveal", {"reason": "x"}))[2] == "string_too_short"
    for role in (Role.ROSTER_PLANNER, Role.INSTALLER, Role.AUDITOR, Role.VIEWER, Role.GRID_WORKER):
        assert (await api.call("POST", f"{path}/reveal", {"reason": "想看看"}, role=role)).status == 403
    assert len(await audited(api, "reveal")) == 1


async def test_a_number_is_shown_within_the_scope_only(api: Api) -> None:
    worker, path = await worker_with_a_number(api)
    inside = await api.key(Role.OPERATOR, place_id=worker["place_id"])
    other = (await api.call("GET", "/places?kind=compound")).body["items"][1]["id"]
    outside = await api.key(Role.OPERATOR, place_id=other)
    planner = await api.key(Role.ROSTER_PLANNER, place_id=other)
    assert (await api.call("POST", f"{path}/reveal", {"reason": "核实"}, key=outside)).status == 404
    for method, target in (
        ("GET", "/workers/jia/contacts"),
        ("DELETE", path),
        ("POST", f"{path}/opt-out"),
        ("POST", f"{path}/opt-in"),
    ):
        assert (await api.call(method, target, key=planner)).status == 404, target
    more = await api.call("POST", "/workers/jia/contacts", {"channel": "app"}, key=planner)
    assert more.status == 404
    assert (await api.call("POST", f"{path}/reveal", {"reason": "核实"}, key=inside)).status == 200


async def test_a_caller_sees_so_many_numbers_an_hour(api: Api) -> None:
    _, path = await worker_with_a_number(api)
    now = api.deps.clock.now()
    key = await api.key(Role.OPERATOR)
    assert (await api.call("POST", f"{path}/reveal", {"reason": "核实"}, key=key)).status == 200
    (mine,) = await audited(api, "reveal")

    def add(at_minutes: int) -> AuditEntry:
        at = now - timedelta(minutes=at_minutes)
        return AuditEntry(at, mine.entry.actor_id, "", "key", "reveal", "contacts", "other")

    for minutes in [*range(59, 59 - reveals_per_hour_max + 1, -1), 61, 62]:
        await api.database.write(Priority.ADMINISTRATION, partial(audit.record, entry=add(minutes)))
    refused = await api.call("POST", f"{path}/reveal", {"reason": "核实"}, key=key, Accept_Language="en")
    assert (refused.status, refused.body["detail"]) == (
        429,
        "A caller may see 30 whole numbers an hour: try again later.",
    )
    assert 1 <= int(refused.headers["retry-after"]) <= 61
    assert WHOLE not in refused.text
    assert (await api.call("POST", f"{path}/reveal", {"reason": "核实"}, role=Role.SUPERVISOR)).status == 200
    assert len(await audited(api, "reveal")) == reveals_per_hour_max + 3, "a refusal leaves no row"


@pytest.mark.parametrize("short", ["119", "95598", "6551234"])
async def test_a_short_number_is_refused_with_what_to_write_instead(api: Api, short: str) -> None:
    await made(api, "/workers", {"code": "desk", "name": "微型消防站", "kind": "desk"})
    answer = await api.call("POST", "/workers/desk/contacts", {"channel": "voice", "address": short})
    assert at_field(answer) == (422, "#/address", "phone")
    assert "0376-6550000" in answer.text


async def test_landlines_and_numbers_abroad(api: Api) -> None:
    await made(api, "/workers", {"code": "desk", "name": "物业值班台", "kind": "desk"})
    for written, shown in (("0376-6551234", "376****1234"), ("+44 20 7183 8750", "+44****8750")):
        kept = await made(api, "/workers/desk/contacts", {"channel": "voice", "address": written})
        assert kept["address"] == shown
