"""Web Push against `web-push-testing`, a push service that nobody here wrote: it checks our token and decrypts."""

import json
from dataclasses import replace
from typing import Any

import aiohttp
import pytest

from alerting.channels.base import Accepted, Rejected, Scope, Submission
from alerting.channels.providers.webpush import WebPush
from alerting.channels.providers.webpush_settings import WebPushSettings, new_private_key
from devices.model import Channel
from tests.contract.channel_suite import deadline_s, make_submission
from tests.support.judges import Start

pytestmark = pytest.mark.timeout(400)  # whoever comes first installs the judges

SETTINGS = WebPushSettings(
    private_key=new_private_key(), subject="mailto:ops@gengfu.example", allow_private=True, ttl_life_s=120
)
TEXT = json.dumps({"title": "火警", "body": "金鼎小区3栋2单元"}, ensure_ascii=False)


async def asked(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    async with aiohttp.ClientSession() as session, session.post(url + path, json=body or {}) as answer:
        assert answer.status == 200, await answer.text()
        return (await answer.json()).get("data") if body is not None else None


async def subscribed(url: str) -> dict[str, Any]:
    # The string: the judge takes no boolean.
    return dict(
        await asked(url, "/subscribe", {"userVisibleOnly": "true", "applicationServerKey": SETTINGS.public_key})
    )


def submission(*subscriptions: dict[str, Any]) -> Submission:
    listed = [
        {"id": each["clientHash"][:36], "endpoint": each["endpoint"], "keys": each["keys"], "key": SETTINGS.public_key}
        for each in subscriptions
    ]
    return make_submission(Channel.APP, 1, TEXT, "worker-1", target={"subscriptions": listed})


async def test_the_judge_takes_decrypts_and_lists_the_page(start_judge: Start) -> None:
    url, provider = start_judge("push.cjs"), WebPush(SETTINGS)
    phone, tablet = await subscribed(url), await subscribed(url)
    try:
        for _ in range(2):  # the second time with the token that was kept
            answer = await provider.submit(submission(phone, tablet), deadline_s)
            assert isinstance(answer, Accepted)
    finally:
        await provider.close()
    for each in (phone, tablet):
        listed = await asked(url, "/get-notifications", {"clientHash": each["clientHash"]})
        pages = [json.loads(message) for message in listed["messages"]]
        assert [page["title"] for page in pages] == ["火警", "火警"]
        assert {page["notification_id"] for page in pages} == {"notification-1"}
        assert {page["subscription_id"] for page in pages} == {each["clientHash"][:36]}


async def test_the_judge_refuses_another_key_and_an_expired_subscription(start_judge: Start) -> None:
    url = start_judge("push.cjs")
    phone = await subscribed(url)
    ours, stranger = WebPush(SETTINGS), WebPush(replace(SETTINGS, private_key=new_private_key()))
    page = submission(phone)
    (known,) = page.target["subscriptions"]
    unmarked = {name: value for name, value in known.items() if name != "key"}
    try:
        refused = await stranger.submit(replace(page, target={"subscriptions": [unmarked]}), deadline_s)
        assert refused == Rejected("vapid_refused", Scope.ACCOUNT, "400")
        await asked(url, f"/expire-subscription/{phone['clientHash']}")
        gone = await ours.submit(page, deadline_s)
        assert gone == Rejected("no_subscription", Scope.SESSION, "410")
    finally:
        await ours.close()
        await stranger.close()
