"""Web Push against the emulator: the suite of all providers, and what is its own: fan-out, keys, topics, limits."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import pytest_asyncio

from alerting.channels.base import Accepted, Busy, HealthWord, Rejected, Scope, Submission, Unknown
from alerting.channels.providers.webpush import WebPush
from alerting.channels.providers.webpush_settings import WebPushSettings, new_private_key
from devices.model import Channel
from gengfu.clock import SystemClock
from simulators.emulating import FaultKind
from simulators.webpush import Browser, PushEmulator
from tests.contract.channel_suite import EmulatorBench, VendorBench, VendorSuite, deadline_s, make_submission

PAGE: dict[str, Any] = {"title": "火警", "body": "金鼎小区3栋2单元", "place": "3栋", "actions": ["accept", "decline"]}
late_s = 0.3


def settings(**changes: Any) -> WebPushSettings:
    given = {"private_key": new_private_key(), "subject": "mailto:ops@gengfu.example", "allow_private": True}
    return WebPushSettings(**{**given, **changes})


@dataclass
class Heard:
    """Who wants to know."""

    gone_ones: dict[str, str] = field(default_factory=dict)
    sent_ones: list[str] = field(default_factory=list)

    def gone(self, subscription_id: str, reason: str) -> None:
        self.gone_ones[subscription_id] = reason

    def sent(self, subscription_id: str) -> None:
        self.sent_ones.append(subscription_id)


class PushBench(EmulatorBench):
    """Every worker has one browser, as long as nobody gives him more."""

    refusals: Mapping[str, Scope] = {
        "404": Scope.SESSION,
        "410": Scope.SESSION,
        "413": Scope.TEXT,
        "400": Scope.ACCOUNT,
        "401": Scope.ACCOUNT,
        "403": Scope.ACCOUNT,
        "302": Scope.ACCOUNT,
        "418": Scope.ACCOUNT,
    }
    strange_ref = "0190a000-0000-7000-8000-000000000000"
    keeps_references = False

    def __init__(self, given: WebPushSettings, emulator: PushEmulator) -> None:
        self.settings = given
        self.push = WebPush(given)
        self.heard = self.push.told = Heard()
        super().__init__(self.push, emulator)
        self.emulator = emulator
        self.browsers: dict[str, Browser] = {}
        self._attempts: dict[str, str] = {}

    def browser(self, name: str) -> Browser:
        if name not in self.browsers:
            self.browsers[name] = self.emulator.browser(name, self.settings.public_key)
        return self.browsers[name]

    def target(self, *names: str) -> dict[str, Any]:
        listed = [{**self.browser(name).subscription(), "id": name, "key": self.settings.public_key} for name in names]
        return {"subscriptions": listed}

    def submission(self, n: int = 0, *names: str, **message: Any) -> Submission:
        text = json.dumps({**PAGE, **message}, ensure_ascii=False)
        target = self.target(*(names or (f"phone-{n}",)))
        made = make_submission(Channel.APP, n, text, f"worker-{n}", target=target)
        self._attempts[made.notification_id] = made.attempt_id
        return made

    def arrivals(self) -> list[str]:
        return [self._attempts[each] for each in super().arrivals()]

    def owner(self, provider_ref: str) -> str:
        (page,) = self.browsers[provider_ref].received
        return self._attempts[page.message["notification_id"]]

    def lag(self, seconds: float) -> None:
        return


class TestWebPush(VendorSuite):
    @pytest_asyncio.fixture
    async def push(self) -> AsyncIterator[PushBench]:
        async with PushEmulator(clock=SystemClock().now) as emulator:
            bench = PushBench(settings(), emulator)
            yield bench
            emulator.mishaps.close()
            await bench.push.close()

    @pytest.fixture
    def bench(self, push: PushBench) -> VendorBench:
        return push

    @pytest.fixture
    def vendor_bench(self, push: PushBench) -> VendorBench:
        return push

    async def test_every_browser_of_a_person_is_paged_at_once(self, push: PushBench) -> None:
        answer = await push.push.submit(push.submission(0, "phone", "tablet"), deadline_s)
        assert isinstance(answer, Accepted)
        await _until(lambda: len(push.heard.sent_ones) == 2)
        pages = [push.browsers[name].received for name in ("phone", "tablet")]
        assert [page.message["subscription_id"] for (page,) in pages] == ["phone", "tablet"]
        assert {page.message["notification_id"] for (page,) in pages} == {"notification-0"}

    async def test_one_browser_is_enough_and_a_slow_one_holds_nobody_up(self, push: PushBench) -> None:
        push.emulator.faults.set(FaultKind.SLOW, number="tablet", seconds=late_s)
        push.emulator.faults.set(FaultKind.ERROR, number="old", code=410)
        started = asyncio.get_running_loop().time()
        answer = await push.push.submit(push.submission(0, "old", "tablet", "phone"), deadline_s)
        assert answer == Accepted("phone")
        assert asyncio.get_running_loop().time() - started < late_s
        await _until(lambda: push.heard.sent_ones == ["phone", "tablet"])  # the slow one is not cut off
        assert push.heard.gone_ones == {"old": "expired"}

    async def test_a_subscription_that_is_gone_is_told_once_and_for_all(self, push: PushBench) -> None:
        push.browser("phone").expired = True
        answer = await push.push.submit(push.submission(0, "phone"), deadline_s)
        assert answer == Rejected("no_subscription", Scope.SESSION, "410")
        assert push.heard.gone_ones == {"phone": "expired"}
        assert push.heard.sent_ones == []

    async def test_nobody_subscribed(self, push: PushBench) -> None:
        targets: tuple[dict[str, Any], ...] = ({}, {"subscriptions": []})
        for target in targets:
            submission = replace(push.submission(), target=target)
            assert await push.push.submit(submission, deadline_s) == Rejected("no_subscription", Scope.SESSION)
        assert push.posts() == 0

    async def test_what_may_have_arrived_outweighs_what_was_refused(self, push: PushBench) -> None:
        push.emulator.faults.set(FaultKind.ERROR, number="a", code=403)
        push.emulator.faults.set(FaultKind.STATUS_429, number="b", retry_after="7")
        push.emulator.faults.set(FaultKind.STATUS_500, number="c")
        assert isinstance(await push.push.submit(push.submission(0, "a", "b", "c"), deadline_s), Unknown)
        assert await push.push.submit(push.submission(1, "a", "b"), deadline_s) == Busy(7.0)
        refused = await push.push.submit(push.submission(2, "a"), deadline_s)
        assert refused == Rejected("vapid_refused", Scope.ACCOUNT, "403")

    async def test_claims_of_two_push_services_are_not_mixed(self, push: PushBench) -> None:
        async with PushEmulator(clock=SystemClock().now) as other:
            push.browsers["elsewhere"] = other.browser("elsewhere", push.settings.public_key)
            for n in range(2):  # the second time with the tokens that were kept
                for names in (("phone", "elsewhere"), ("elsewhere", "phone")):
                    answer = await push.push.submit(push.submission(n, *names), deadline_s)
                    assert isinstance(answer, Accepted)
                    await _until(lambda: not push.push._under_way)
            assert [len(push.browsers[name].received) for name in ("phone", "elsewhere")] == [4, 4]

    async def test_a_token_is_used_again_for_the_same_service(self, push: PushBench) -> None:
        for n in range(3):
            await push.push.submit(push.submission(n, f"phone-{n}"), deadline_s)
        assert [len(push.browsers[f"phone-{n}"].received) for n in range(3)] == [1, 1, 1]
        assert len(push.push._tokens) == 1

    async def test_a_page_of_life_safety_is_urgent_and_does_not_arrive_at_dawn(self, push: PushBench) -> None:
        await push.push.submit(push.submission(0, "phone"), deadline_s)
        await push.push.submit(replace(push.submission(1, "phone"), urgency=3), deadline_s)
        fire, parking = push.browsers["phone"].received
        assert (fire.urgency, fire.message["urgent"]) == ("high", True)
        assert 120 <= fire.ttl <= 300
        assert (parking.urgency, parking.ttl, parking.message["urgent"]) == ("normal", 3600, False)

    async def test_what_follows_replaces_what_a_phone_has_not_seen(self, push: PushBench) -> None:
        phone = push.browser("phone")
        phone.online = False
        for n, title in enumerate(("火警", "网格员乙已出发")):
            assert isinstance(await push.push.submit(push.submission(n, "phone", title=title), deadline_s), Accepted)
        other = replace(push.submission(2, "phone", title="电动车进电梯"), incident_id="incident-2")
        await push.push.submit(other, deadline_s)
        push.emulator.back_online(phone)
        assert [each.message["title"] for each in phone.received] == ["网格员乙已出发", "电动车进电梯"]
        assert len({each.topic for each in phone.received}) == 2
        assert "incident" not in "".join(str(each.topic) for each in phone.received)

    async def test_a_phone_that_was_off_too_long_is_not_woken(self, push: PushBench) -> None:
        phone, now = push.browser("phone"), push.emulator.monotonic()
        phone.online = False
        await push.push.submit(push.submission(0, "phone"), deadline_s)
        push.emulator.monotonic = lambda: now + 301
        push.emulator.back_online(phone)
        assert phone.received == []

    async def test_a_long_text_is_cut_to_what_a_push_service_takes(self, push: PushBench) -> None:
        long = {"body": "浓烟" * 2000, "place": "3栋" * 90, "answer_url": "https://gengfu.example/a/token"}
        assert isinstance(await push.push.submit(push.submission(0, "phone", **long), deadline_s), Accepted)
        (page,) = push.browsers["phone"].received
        assert page.message["title"] == "火警"
        assert page.message["answer_url"] == long["answer_url"]
        assert page.message["actions"] == PAGE["actions"]
        assert page.message["place"] == long["place"]
        assert page.message["body"].startswith("浓烟浓烟")
        assert page.message["body"].endswith("…")
        longer = long | {"place": "3栋" * 1500}
        assert isinstance(await push.push.submit(push.submission(1, "phone", **longer), deadline_s), Accepted)
        page = push.browsers["phone"].received[1]
        assert page.message["body"] == ""
        assert page.message["place"].endswith("…")

    async def test_what_cannot_be_cut_is_refused_and_not_sent(self, push: PushBench) -> None:
        submission = push.submission(0, "phone", actions=["x" * 5000])
        assert await push.push.submit(submission, deadline_s) == Rejected("too_long", Scope.TEXT)
        for text in ("火警", "[1]"):
            answer = await push.push.submit(replace(submission, text=text), deadline_s)
            assert answer == Rejected("message_unreadable", Scope.TEXT)
        assert push.posts() == 0

    async def test_a_subscription_made_with_another_key_is_not_tried(self, push: PushBench) -> None:
        (old,) = push.target("phone")["subscriptions"]
        target = {"subscriptions": [old | {"key": settings().public_key}]}
        answer = await push.push.submit(replace(push.submission(0, "phone"), target=target), deadline_s)
        assert answer == Rejected("no_subscription", Scope.SESSION)
        assert push.heard.gone_ones == {"phone": "key_changed"}
        assert push.posts() == 0

    async def test_another_private_key_is_found_out_by_the_push_service(self, push: PushBench) -> None:
        stranger = WebPush(settings())
        (known,) = push.target("phone")["subscriptions"]
        del known["key"]
        submission = replace(push.submission(0, "phone"), target={"subscriptions": [known]})
        refused = await stranger.submit(submission, deadline_s)
        assert refused == Rejected("vapid_refused", Scope.ACCOUNT, "403")
        (finding,) = (await stranger.check()).findings
        assert finding.word is HealthWord.FAULT
        await stranger.close()

    async def test_keys_that_are_none_are_gone(self, push: PushBench) -> None:
        (known,) = push.target("phone")["subscriptions"]
        target = {"subscriptions": [known | {"keys": {"p256dh": "AA", "auth": "AA"}}]}
        answer = await push.push.submit(replace(push.submission(0, "phone"), target=target), deadline_s)
        assert answer == Rejected("no_subscription", Scope.SESSION)
        assert push.heard.gone_ones == {"phone": "unreadable"}

    async def test_a_private_address_is_never_posted_to(self, push: PushBench) -> None:
        strict = WebPush(replace(push.settings, allow_private=False))
        target = push.target("phone")
        answer = await strict.submit(replace(push.submission(), target=target), deadline_s)
        assert answer == Rejected("no_subscription", Scope.SESSION)
        named = f"https://localtest.gengfu.example:{push.emulator.base_url.rsplit(':', 1)[1]}/push/0"
        answer = await strict.submit(replace(push.submission(), target=_at(target, named)), deadline_s)
        assert not isinstance(answer, Accepted)
        assert push.posts() == 0
        await strict.close()

    async def test_health_follows_what_was_answered(self, push: PushBench) -> None:
        (before,) = (await push.push.check()).findings
        await push.push.submit(push.submission(), deadline_s)
        (after,) = (await push.push.check()).findings
        assert (before.word, after.word) == (HealthWord.UNKNOWN, HealthWord.FINE)


def _at(target: dict[str, Any], endpoint: str) -> dict[str, Any]:
    return {"subscriptions": [each | {"endpoint": endpoint} for each in target["subscriptions"]]}


async def _until(wish: Any) -> None:
    async with asyncio.timeout(5):
        while not wish():  # noqa: ASYNC110 - another task goes on
            await asyncio.sleep(0.005)
