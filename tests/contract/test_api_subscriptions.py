"""Subscriptions and users of work apps over HTTP, on both databases: who may, what is refused and what is hidden."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from alerting.app_targets import AppTargets
from alerting.channels.providers.webpush_settings import WebPushSettings, encoded, new_private_key
from alerting.ports import Priority
from api.permissions import Role
from devices.store import subscriptions as store
from devices.store.subscriptions import push_per_person_max
from gengfu.clock import SystemClock
from simulators.webpush.browser import Browser
from tests.contract.api_support import Answer, Api, running_api, serving

SETTINGS = WebPushSettings(private_key=new_private_key(), subject="mailto:ops@gengfu.example")
SERVICE = "https://push.services.example"


@pytest_asyncio.fixture
async def either(migrated_url: str) -> AsyncIterator[Api]:
    async with _with_webpush(migrated_url) as api:
        yield api


@pytest_asyncio.fixture
async def api(migrated_sqlite_url: str) -> AsyncIterator[Api]:
    async with _with_webpush(migrated_sqlite_url) as api:
        yield api


class _with_webpush:
    """An API with a key pair, and with what hears of confirmations."""

    def __init__(self, url: str) -> None:
        self._plain = running_api(url)

    async def __aenter__(self) -> Api:
        plain = await self._plain.__aenter__()
        self._targets = AppTargets(plain.database, plain.deps.clock, ["webpush", "wecom"])
        deps = replace(plain.deps, webpush=SETTINGS, push_seen=self._targets.confirmed)
        self._serving = serving(deps)
        base = await self._serving.__aenter__()
        self._client = aiohttp.ClientSession()
        return replace(plain, base_url=base, session=self._client, deps=deps)

    async def __aexit__(self, *exc: object) -> None:
        await self._client.close()
        await self._serving.__aexit__(None, None, None)
        await self._targets.close()
        await self._plain.__aexit__(None, None, None)


def browser(n: int = 0) -> dict[str, Any]:
    """A body for a browser of its own."""
    subscription = Browser(f"phone-{n}", f"{SERVICE}/wpush/v2/secret-{n}", "").subscription()
    return {"carrier": "webpush", "subscription": subscription, "label": f"手机{n}"}


def fault(answer: Answer) -> tuple[int, str, str]:
    (error,) = answer.body["errors"]
    return answer.status, error["pointer"], error["code"]


async def test_subscribing_listing_and_leaving(either: Api) -> None:
    api, person = either, await either.person("jia")
    path = "/workers/jia/subscriptions"
    body = browser()
    made = await api.call("POST", path, body, Idempotency_Key="s1")
    assert made.status == 201, made.text
    assert (made.body["carrier"], made.body["where"]) == ("webpush", "push.services.example")
    assert (made.body["confirmed_at"], made.body["gone_at"]) == (None, None)
    listed = await api.call("GET", f"/workers/{person}/subscriptions")
    assert [item["label"] for item in listed.body["items"]] == ["手机0"]
    audit = await api.call("GET", "/audit?kind=subscriptions")
    assert [row["act"] for row in audit.body["items"]] == ["create"]
    keys = body["subscription"]["keys"]
    for text in (made.text, listed.text, audit.text):
        assert "secret-0" not in text
        assert "p256dh" not in text
        assert keys["auth"] not in text
    assert (await api.call("DELETE", f"{path}/{made.body['id']}")).status == 204
    assert (await api.call("DELETE", f"{path}/{made.body['id']}")).status == 404
    assert (await api.call("GET", path)).body["items"] == []
    assert api.service.changes == 2


async def test_a_repeated_post_and_the_same_browser_again_make_one(either: Api) -> None:
    api, path = either, f"/workers/{await either.person('jia')}/subscriptions"
    body = browser()
    first = await api.call("POST", path, body, Idempotency_Key="s1")
    again = await api.call("POST", path, body, Idempotency_Key="s1")
    renewed = await api.call("POST", path, body | {"label": "新手机"})
    assert first.body == again.body
    assert (renewed.status, renewed.body["id"], renewed.body["label"]) == (201, first.body["id"], "新手机")
    assert len((await api.call("GET", path)).body["items"]) == 1


async def test_what_is_gone_lives_again_when_the_browser_subscribes_again(either: Api) -> None:
    api, path = either, f"/workers/{await either.person('jia')}/subscriptions"
    body = browser()
    made = (await api.call("POST", path, body)).body
    now = api.deps.clock.now()
    await api.database.write(Priority.ADMINISTRATION, lambda conn: store.note_gone(conn, {made["id"]: "expired"}, now))
    (gone,) = (await api.call("GET", path)).body["items"]
    assert gone["gone_reason"] == "expired"
    renewed = (await api.call("POST", path, body)).body
    assert (renewed["id"], renewed["gone_at"], renewed["gone_reason"]) == (made["id"], None, None)


async def test_a_browser_belongs_to_who_subscribed_in_it_last(either: Api) -> None:
    api, body = either, browser()
    for code in ("jia", "yi"):
        await api.person(code)
        assert (await api.call("POST", f"/workers/{code}/subscriptions", body)).status == 201
    assert (await api.call("GET", "/workers/jia/subscriptions")).body["items"] == []
    acts = [row["act"] for row in (await api.call("GET", "/audit?kind=subscriptions")).body["items"]]
    assert sorted(acts) == ["create", "create", "remove"]


async def test_one_user_of_each_work_app(either: Api) -> None:
    api, path = either, f"/workers/{await either.person('jia')}/subscriptions"
    for carrier, user in (("wecom", "a"), ("wecom", "b"), ("dingtalk", "a"), ("feishu", "ou_1")):
        assert (await api.call("POST", path, {"carrier": carrier, "user_id": user})).status == 201
    listed = [(item["carrier"], item["where"]) for item in (await api.call("GET", path)).body["items"]]
    assert listed == [("wecom", "b"), ("dingtalk", "a"), ("feishu", "ou_1")]
    await api.person("yi")
    shared = await api.call("POST", "/workers/yi/subscriptions", {"carrier": "wecom", "user_id": "b"})
    assert shared.status == 201  # a desk may have one user for several people
    assert len((await api.call("GET", path)).body["items"]) == 3


async def test_the_browser_heard_of_longest_ago_makes_room(api: Api) -> None:
    person = await api.person("jia")
    path = f"/workers/{person}/subscriptions"
    made = [(await api.call("POST", path, browser(n))).body["id"] for n in range(push_per_person_max)]
    now = api.deps.clock.now() + timedelta(seconds=1)
    seen = [(made[0], person)]
    await api.database.write(Priority.ADMINISTRATION, lambda conn: store.note_confirmed(conn, seen, now))
    await api.call("POST", path, browser(99))
    left = [item["id"] for item in (await api.call("GET", path)).body["items"]]
    assert len(left) == push_per_person_max
    assert made[0] in left
    assert made[1] not in left


@pytest.mark.parametrize(
    ("endpoint", "code"),
    [
        ("http://push.services.example/a", "push_https"),
        ("https://127.0.0.1/a", "push_private"),
        ("https://[::1]/a", "push_private"),
        ("https://10.1.2.3/a", "push_private"),
        ("https://8.8.8.8/a", "push_private"),
        ("https://2130706433/a", "push_private"),
        ("https://127.1/a", "push_private"),
        ("https://localhost/a", "push_private"),
        ("https://db.internal./a", "push_private"),
        ("https://printer/a", "push_private"),
        ("https://push.example@10.0.0.1/a", "push_endpoint"),
        ("https://push.example\\@10.0.0.1/a", "push_endpoint"),
        ("https://push.example:0/a", "push_endpoint"),
        ("https://push.example/a b", "push_endpoint"),
        ("https://push.example/a#b", "push_endpoint"),
        ("https://推送.example/a", "push_endpoint"),
        ("file:///etc/passwd", "push_endpoint"),
        ("nonsense", "push_endpoint"),
    ],
)
async def test_an_endpoint_inside_our_network_is_refused(api: Api, endpoint: str, code: str) -> None:
    await api.person("jia")
    body = browser()
    body["subscription"]["endpoint"] = endpoint
    answer = await api.call("POST", "/workers/jia/subscriptions", body)
    assert fault(answer) == (422, "#/subscription/endpoint", code)


async def test_what_is_no_subscription_is_refused_by_field(api: Api) -> None:
    await api.person("jia")
    path, whole = "/workers/jia/subscriptions", browser()
    push = whole["subscription"]
    off_curve = encoded(b"\x04" + b"\x01" * 64)
    for keys, field, code in (
        ({"p256dh": encoded(b"\x04" * 64)}, "p256dh", "push_key"),
        ({"p256dh": off_curve}, "p256dh", "push_key"),
        ({"p256dh": "?" * 87}, "p256dh", "push_key"),
        ({"auth": encoded(b"x" * 15)}, "auth", "push_auth"),
        ({"auth": "ä" * 22}, "auth", "push_auth"),
    ):
        body = whole | {"subscription": push | {"keys": push["keys"] | keys}}
        assert fault(await api.call("POST", path, body)) == (422, f"#/subscription/keys/{field}", code)
    for body, field, code in (
        ({"carrier": "webpush"}, "subscription", "push_missing"),
        (whole | {"user_id": "x"}, "user_id", "user_id_not_here"),
        ({"carrier": "wecom"}, "user_id", "user_id_missing"),
        ({"carrier": "feishu", "user_id": "x", "subscription": push}, "subscription", "push_not_here"),
        ({"carrier": "wecom", "user_id": "a b"}, "user_id", "string_pattern_mismatch"),
        ({"carrier": "pigeon", "user_id": "x"}, "carrier", "enum"),
    ):
        assert fault(await api.call("POST", path, body)) == (422, f"#/{field}", code)
    assert (await api.call("POST", "/workers/nobody/subscriptions", whole)).status == 404


async def test_a_worker_manages_his_own_and_nobody_elses(either: Api) -> None:
    api, mine = either, await either.person("jia")
    await api.person("yi")
    theirs = (await api.call("POST", "/workers/yi/subscriptions", browser(1))).body["id"]
    key = await api.key(Role.GRID_WORKER, mine)
    assert (await api.call("GET", "/webpush/key", key=key)).body == {"public_key": SETTINGS.public_key}
    made = await api.call("POST", "/workers/jia/subscriptions", browser(), key=key)
    assert made.status == 201
    assert len((await api.call("GET", "/workers/jia/subscriptions", key=key)).body["items"]) == 1
    assert (await api.call("GET", "/workers/yi/subscriptions", key=key)).status == 404
    assert (await api.call("POST", "/workers/yi/subscriptions", browser(2), key=key)).status == 404
    assert (await api.call("DELETE", f"/workers/yi/subscriptions/{theirs}", key=key)).status == 404
    assert (await api.call("DELETE", f"/workers/jia/subscriptions/{theirs}", key=key)).status == 404
    assert (await api.call("DELETE", f"/workers/jia/subscriptions/{made.body['id']}", key=key)).status == 204
    for role in (Role.VIEWER, Role.OPERATOR, Role.INSTALLER):
        assert (await api.call("POST", "/workers/jia/subscriptions", browser(), role=role)).status == 403


async def test_the_clients_word_confirms_its_own_subscription_alone(either: Api) -> None:
    api, mine, other = either, await either.person("jia"), await either.person("yi")
    own = (await api.call("POST", "/workers/jia/subscriptions", browser(0))).body["id"]
    theirs = (await api.call("POST", "/workers/yi/subscriptions", browser(1))).body["id"]
    api.service.pages = {"n1": mine, "n2": other}
    key = await api.key(Role.GRID_WORKER, mine)
    for notification, subscription, status in (("n1", own, 204), ("n1", theirs, 204), ("n2", own, 404)):
        path = f"/notifications/{notification}/received?subscription={subscription}"
        assert (await api.call("POST", path, key=key)).status == status
    async with asyncio.timeout(10):
        while (await _confirmed(api, "jia")) == [None]:  # noqa: ASYNC110 - another task writes
            await asyncio.sleep(0.05)
    assert await _confirmed(api, "yi") == [None]


async def test_without_a_key_pair_browsers_cannot_subscribe_and_work_apps_can(migrated_sqlite_url: str) -> None:
    async with running_api(migrated_sqlite_url, SystemClock()) as api:
        await api.person("jia")
        for answer in (
            await api.call("GET", "/webpush/key"),
            await api.call("POST", "/workers/jia/subscriptions", browser(), Accept_Language="en"),
        ):
            assert answer.status == 503
        assert "gengfu webpush key" in answer.body["detail"]
        made = await api.call("POST", "/workers/jia/subscriptions", {"carrier": "wecom", "user_id": "a"})
        assert made.status == 201


async def _confirmed(api: Api, code: str) -> list[str | None]:
    listed = await api.call("GET", f"/workers/{code}/subscriptions")
    return [item["confirmed_at"] for item in listed.body["items"]]
