"""Readiness over HTTP: of workers, of oneself, of providers; the contact card; phone guides; white lists."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio
from sqlalchemy import update

from alerting.core.readiness import What
from alerting.ports import Priority
from alerting.store import readiness as store
from alerting.store.readiness import CheckRow, Found
from alerting.store.tables import callbacks
from alerting.store.tables_readiness import self_tests
from api.permissions import Role
from devices.model import Channel
from devices.store import audit, marks
from devices.store.tables import contact_points
from devices.store.tables_subscriptions import subscriptions
from tests.contract.api_support import Answer, Api, running_api

NUMBER = "+8613800138000"


@pytest_asyncio.fixture
async def either(migrated_url: str) -> AsyncIterator[Api]:
    async with running_api(migrated_url) as running:
        yield running


async def made(api: Api, path: str, body: dict[str, Any]) -> Any:
    answer = await api.call("POST", path, body)
    assert answer.status in (200, 201), answer.text
    return answer.body


async def furnish(api: Api) -> dict[str, str]:
    """Two streets with a worker each; the first one's has two numbers and an app, and belongs to a grid."""
    await made(api, "/places", {"kind": "city", "name": "信阳市", "code": "xy"})
    ids = {}
    for street, worker in (("s1", "jia"), ("s2", "yi")):
        await made(api, "/places", {"kind": "street", "name": street, "code": street, "parent_id": "xy"})
        body = {"code": worker, "name": f"网格员{worker}", "place_id": street}
        ids[worker] = (await made(api, "/workers", body))["id"]
    for channel in ("sms", "voice"):
        row = await made(api, "/workers/jia/contacts", {"channel": channel, "address": "13800138000"})
        ids[channel] = row["id"]
    ids["app"] = (await made(api, "/workers/jia/contacts", {"channel": "app"}))["id"]
    ids["grid"] = (await made(api, "/grids", {"code": "g1", "name": "第一网格", "name_en": "G1", "workers": ["jia"]}))[
        "id"
    ]
    return ids


def words(shown: Any) -> dict[str, str]:
    """What -> its worst word."""
    rank = {"fault": 0, "unknown": 1, "fine": 2}
    found: dict[str, str] = {}
    for item in sorted(shown["items"], key=lambda item: -rank[item["word"]]):
        found[item["what"]] = item["word"]
    return found


async def audited(api: Api, object_id: str) -> list[str]:
    rows = await api.database.read(lambda conn: audit.page(conn, None, 50, object_id=object_id))
    return [row.entry.act for row in rows]


async def write(api: Api, work: Any) -> Any:
    return await api.database.write(Priority.ADMINISTRATION, work)


async def test_a_worker_is_shown_item_by_item_with_what_to_do(either: Api) -> None:
    api = either
    await furnish(api)
    shown = (await api.call("GET", "/readiness/workers/jia", accept_language="en")).body
    assert (shown["code"], shown["ready"]) == ("jia", False)
    assert words(shown) == {
        "verified": "fault",
        "white_list": "fault",
        "self_test": "unknown",
        "phone": "unknown",
        "budget": "unknown",
        "app": "unknown",
        "push": "unknown",
        "work_app": "unknown",
        "contact_card": "unknown",
        "phone_guide": "unknown",
        "language": "fine",
    }
    assert shown["faults"] == sum(item["word"] == "fault" for item in shown["items"])
    assert all(item["remedy"] for item in shown["items"] if item["word"] == "fault")
    listed = next(item for item in shown["items"] if item["what"] == "white_list")
    assert (listed["about"], listed["channel"]) == ("aliyun", "sms")
    assert "white list" in listed["remedy"]
    chinese = (await api.call("GET", "/readiness/workers/jia", accept_language="zh")).body
    assert "白名单" in next(item["remedy"] for item in chinese["items"] if item["what"] == "white_list")
    assert "13800138000" not in str(shown)
    assert (await api.call("GET", "/readiness/workers/nobody")).status == 404


async def test_he_becomes_ready_step_by_step(either: Api) -> None:
    api = either
    ids = await furnish(api)
    key = await api.key(Role.GRID_WORKER, ids["jia"])
    for channel in ("sms", "voice"):
        path = f"/workers/jia/contacts/{ids[channel]}/white-list"
        row = (await api.call("POST", path, {"vendor": "aliyun"})).body
        assert list(row["whitelisted"]) == ["aliyun"]
    now = api.deps.clock.now()
    await write(api, lambda conn: conn.execute(update(contact_points).values(verified_at=now)))
    await api.insert(self_tests, person_id=ids["jia"], day="2026-11-27", test_id="t1", sent_at=now, untapped_since=now)
    assert (await api.call("POST", "/readiness/me/contact-card", key=key)).status == 200
    assert (await api.call("POST", "/readiness/me/phone-guide", {"brand": "huawei"}, key=key)).status == 200
    assert (await api.call("POST", "/readiness/me/self-test", {"test_id": "t1"}, key=key)).status == 200
    mine = (await api.call("GET", "/readiness/me", key=key)).body
    assert mine["ready"]
    assert {what: words(mine)[what] for what in ("contact_card", "phone_guide", "self_test", "white_list")} == {
        "contact_card": "fine",
        "phone_guide": "fine",
        "self_test": "fine",
        "white_list": "fine",
    }
    theirs = (await api.call("GET", "/readiness/workers/jia")).body
    assert (theirs["id"], theirs["ready"], words(theirs) | {"app": ""}) == (ids["jia"], True, words(mine) | {"app": ""})
    assert {"save_contact_card", "follow_phone_guide", "tap_self_test"} <= set(await audited(api, ids["jia"]))
    assert "white_list" in await audited(api, ids["sms"])
    off = await api.call(
        "POST", f"/workers/jia/contacts/{ids['sms']}/white-list", {"vendor": "aliyun", "listed": False}
    )
    assert off.body["whitelisted"] == {}


async def three_phones(api: Api) -> tuple[dict[str, str], str]:
    """Two browsers and a WeCom account, each with its message of two days ago; (ids, his key)."""
    ids = await furnish(api)
    now = api.deps.clock.now() - timedelta(days=2)
    for name, carrier in (("door", "webpush"), ("desk", "webpush"), ("chat", "wecom")):
        label = {"door": "手机", "desk": "电脑", "chat": ""}[name]
        row = {"person_id": ids["jia"], "target": {"endpoint": "https://push.example/secret"}, "digest": name}
        id_ = ids[name] = api.deps.ids.uuid7()
        await api.insert(subscriptions, id=id_, carrier=carrier, label=label, created_at=now, **row)
        test = {"day": "2026-11-25", "test_id": f"{name:x<13}", "sent_at": now, "untapped_since": now}
        await api.insert(self_tests, person_id=ids["jia"], phone=id_, **test)
    return ids, await api.key(Role.GRID_WORKER, ids["jia"])


def by_phone(shown: Any) -> dict[str, tuple[str, bool]]:
    return {phone["name"]: (phone["word"], phone["tapped_at"] is not None) for phone in shown["phones"]}


async def test_each_of_three_phones_is_shown_and_tapped_by_itself(either: Api) -> None:
    api = either
    ids, key = await three_phones(api)
    shown = (await api.call("GET", "/readiness/workers/jia", accept_language="en")).body
    assert by_phone(shown) == {
        "push messages 手机": ("unknown", False),
        "push messages 电脑": ("unknown", False),
        "WeCom": ("unknown", False),
    }
    assert words(shown)["self_test"] == "fault", "no phone of his was tapped"
    assert (await api.call("POST", "/readiness/me/self-test", {"test_id": "deskxxxxxxxxx"}, key=key)).status == 200
    shown = (await api.call("GET", "/readiness/workers/jia", accept_language="zh")).body
    assert by_phone(shown) == {
        "推送通知 手机": ("unknown", False),
        "推送通知 电脑": ("fine", True),
        "企业微信": ("unknown", False),
    }
    assert words(shown)["self_test"] == "fine", "one proves that he can be reached"
    stale = [item for item in shown["items"] if item["what"] == "phone" and item["word"] == "unknown"]
    assert [(item["about"], item["detail"]) for item in stale] == [("webpush", "手机"), ("wecom", "")]
    assert all("未点按" in item["remedy"] and item["since"] for item in stale), "each is a named finding"
    assert [phone["subscription_id"] for phone in shown["phones"]] == [ids["door"], ids["desk"], ids["chat"]]
    assert "secret" not in str(shown)
    assert "push.example" not in str(shown)


async def test_a_worker_without_an_app_is_named_with_what_to_do(either: Api) -> None:
    api = either
    await furnish(api)
    for language, said in (
        ("en", "No app: the daily test does not reach this phone."),
        ("zh", "每日自检到不了这部手机"),
    ):
        shown = (await api.call("GET", "/readiness/workers/yi", accept_language=language)).body
        (item,) = [item for item in shown["items"] if item["what"] == "self_test"]
        assert (item["word"], shown["phones"]) == ("unknown", [])
        assert said in item["remedy"]


async def by_link(api: Api, method: str, test_id: str, **form: str) -> tuple[int, str]:
    url = api.deps.links.test_link(f"{test_id:x<13}").replace("https://gengfu.test", api.base_url)
    async with api.session.request(method, url, data=form or None) as answer:
        return answer.status, await answer.text()


async def test_a_work_app_taps_by_a_link_that_a_look_does_not_use_up(either: Api) -> None:
    api = either
    ids, _ = await three_phones(api)
    for _ in range(2):
        status, page = await by_link(api, "GET", "chat")
        assert (status, "<form method=post>" in page) == (200, True)
    assert "确认收到" in page
    assert "<script" not in page
    assert "网格员" not in page, "it names nobody"
    assert (await by_link(api, "POST", "chat", answer="going"))[0] == 422
    assert (await by_link(api, "POST", "nobody", answer="tapped"))[0] == 404
    shown = (await api.call("GET", "/readiness/workers/jia", accept_language="en")).body
    assert by_phone(shown)["WeCom"] == ("unknown", False)
    for _ in range(2):
        status, page = await by_link(api, "POST", "chat", answer="tapped")
        assert (status, "已确认" in page, "<form" in page) == (200, True, False)
    shown = (await api.call("GET", "/readiness/workers/jia", accept_language="en")).body
    assert {name for name, (word, _) in by_phone(shown).items() if word == "fine"} == {"WeCom"}
    assert (await audited(api, ids["jia"])).count("tap_self_test") == 1
    link = api.deps.links.test_link("chatxxxxxxxxx")
    forged = link[:-1] + ("A" if link[-1] != "A" else "B")
    async with api.session.post(
        forged.replace("https://gengfu.test", api.base_url), data={"answer": "tapped"}
    ) as other:
        assert other.status == 404


async def test_what_is_refused(either: Api) -> None:
    api = either
    ids = await furnish(api)
    key = await api.key(Role.GRID_WORKER, ids["jia"])

    def field(answer: Answer) -> tuple[int, str, str]:
        (error,) = answer.body["errors"]
        return answer.status, error["pointer"], error["code"]

    path = f"/workers/jia/contacts/{ids['sms']}/white-list"
    assert field(await api.call("POST", path, {"vendor": "nobody"})) == (422, "#/vendor", "unknown_vendor")
    app = f"/workers/jia/contacts/{ids['app']}/white-list"
    assert field(await api.call("POST", app, {"vendor": "aliyun"})) == (422, "#", "no_white_list")
    tapped = await api.call("POST", "/readiness/me/self-test", {"test_id": "x"}, key=key)
    assert field(tapped) == (422, "#/test_id", "no_self_test")
    assert (await api.call("POST", "/readiness/me/phone-guide", {"brand": "nokia"}, key=key)).status == 422
    assert (await api.call("GET", "/readiness/me")).status == 404, "an administrator's key is nobody's"
    assert (await api.call("GET", "/readiness/workers", key=key)).status == 403
    assert (await api.call("GET", "/readiness/workers?grid=nowhere")).status == 422


async def test_lists_by_grid_place_and_page_within_the_scope(either: Api) -> None:
    api = either
    ids = await furnish(api)

    async def listed(query: str, **who: Any) -> list[str]:
        answer = await api.call("GET", f"/readiness/workers{query}", **who)
        assert answer.status == 200, answer.text
        assert answer.body["not_ready"] == sum(not item["ready"] for item in answer.body["items"])
        return [item["code"] for item in answer.body["items"]]

    assert sorted(await listed("")) == ["jia", "yi"]
    assert await listed("?grid=g1") == ["jia"]
    assert await listed("?place=s2") == ["yi"]
    first = (await api.call("GET", "/readiness/workers?limit=1")).body
    second = (await api.call("GET", f"/readiness/workers?limit=1&cursor={first['next']}")).body
    assert [first["items"][0]["code"], second["items"][0]["code"], second["next"]] == ["jia", "yi", None]
    places = (await api.call("GET", "/places?kind=street")).body["items"]
    bound = await api.key(Role.SUPERVISOR, place_id=next(each["id"] for each in places if each["code"] == "s2"))
    assert await listed("", key=bound) == ["yi"]
    assert (await api.call("GET", f"/readiness/workers/{ids['jia']}", key=bound)).status == 404


async def test_a_refused_number_is_seen_on_the_contact_in_readiness_and_in_the_report_on_duty(either: Api) -> None:
    api = either
    ids = await furnish(api)
    shift = {"role": "grid_worker", "person_id": "jia", "grid_id": "g1"}
    await made(api, "/shifts", shift)
    now = api.deps.clock.now()
    await write(api, lambda conn: marks.refuse(conn, Channel.SMS, NUMBER, "twilio", marks.OPTED_OUT, now))
    await write(api, lambda conn: marks.refuse(conn, Channel.VOICE, NUMBER, "twilio", "no_route", now))
    rows = {row["channel"]: row for row in (await api.call("GET", "/workers/jia/contacts")).body["items"]}
    assert rows["sms"]["unreachable"]["reason"] == "opted_out"
    assert (rows["voice"]["unreachable"]["provider"], rows["app"]["unreachable"]) == ("twilio", None)
    shown = (await api.call("GET", "/readiness/workers/jia", accept_language="en")).body
    assert [item["what"] for item in shown["items"]][:2] == ["opted_out", "unreachable"]
    assert "START" in shown["items"][0]["remedy"]
    duty = (await api.call("GET", "/duty?grid=g1")).body
    (on_duty,) = next(step["people"] for step in duty["steps"] if step["role"] == "grid_worker")
    assert on_duty["channels"] == ["app", "sms", "voice"], "they are tried all the same"
    assert on_duty["unreachable"] == ["sms", "voice"]
    report = (await api.call("GET", "/reports/duty")).body
    (grid,) = report["items"]
    assert (grid["not_ready"], report["totals"]["people_not_ready"]) == (1, 1)
    (person,) = grid["not_ready_list"]
    assert person["id"] == ids["jia"]
    assert {"opted_out", "unreachable", "verified"} <= set(person["faults"]) <= {what.value for what in What}


async def test_providers_show_what_the_last_look_found(either: Api) -> None:
    api = either
    assert (await api.call("GET", "/readiness/providers")).body == {"ready": True, "items": []}
    now = api.deps.clock.now()
    findings = (
        Found("credentials", "fault", "Twilio refuses the token.", now - timedelta(hours=2)),
        Found("template:sms_page/zh-CN", "fine", "", now),
    )
    await write(
        api, lambda conn: store.keep_checks(conn, [CheckRow("twilio", Channel.SMS, now, findings, "12.00 USD")])
    )
    await api.insert(callbacks, provider="twilio", dedupe="d", body={}, received_at=now)
    answer = (await api.call("GET", "/readiness/providers", role=Role.OPERATOR, accept_language="en")).body
    (row,) = answer["items"]
    assert (answer["ready"], row["ready"], row["provider"], row["balance"]) == (False, False, "twilio", "12.00 USD")
    assert row["last_receipt_at"] is not None
    assert [(each["name"], each["word"]) for each in row["findings"]] == [
        ("credentials", "fault"),
        ("templates sms_page/zh-CN", "fine"),
    ]
    assert row["findings"][0]["detail"] == "Twilio refuses the token."


async def test_a_look_may_be_asked_for_once_a_minute_by_who_sees_everything(either: Api) -> None:
    api = either
    await furnish(api)
    street = (await api.call("GET", "/places?kind=street")).body["items"][0]["id"]
    bound = await api.key(Role.ADMINISTRATOR, place_id=street)
    assert (await api.call("POST", "/readiness/providers/check", key=bound)).status == 403
    assert (await api.call("POST", "/readiness/providers/check", role=Role.OPERATOR)).status == 403
    first = await api.call("POST", "/readiness/providers/check")
    assert (first.status, api.service.checks) == (200, 1)
    again = await api.call("POST", "/readiness/providers/check")
    assert (again.status, api.service.checks) == (429, 1)
    assert 0 < int(again.headers["retry-after"]) <= 60
    assert await audited(api, "providers") == ["check_providers"]


async def test_the_card_and_the_guides(either: Api) -> None:
    api = either
    worker = await api.person("w1")
    key = await api.key(Role.GRID_WORKER, worker)
    card = await api.call("GET", "/contact-card.vcf", key=key)
    assert card.headers["content-type"] == "text/vcard; charset=utf-8"
    assert [line for line in card.text.split("\r\n") if line.startswith("TEL")] == [
        "TEL;TYPE=VOICE:+861012345678",
        "TEL;TYPE=VOICE:+861087654321",
        "TEL;TYPE=VOICE:10690000123",
    ]
    assert "FN:更夫值班" in card.text
    assert "FN:Gengfu" in (await api.call("GET", "/contact-card.vcf?language=en", key=key)).text
    code = await api.call("GET", "/contact-card.svg", key=key)
    assert code.headers["content-type"].startswith("image/svg+xml")
    assert code.text.startswith("<?xml")
    guides = (await api.call("GET", "/phone-guides", key=key, accept_language="en")).body
    assert [each["brand"] for each in guides["items"]][-2:] == ["apple", "other"]
    assert "differ by version" in guides["note"]
    assert any("repeat callers" in step for step in guides["items"][0]["steps"])
