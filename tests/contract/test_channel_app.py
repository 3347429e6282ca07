"""The app channel against the hub, with clients that read their stream and post what they received."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio

from alerting.channels.app import AppChannel
from alerting.channels.base import Accepted, Rejected, Scope, Submission, Unknown
from alerting.stream import Hub, Subscription
from devices.model import Channel
from gengfu.clock import RandomIds
from tests.contract.channel_suite import (
    Bench,
    ChannelSuite,
    concurrent_submits,
    deadline_s,
    make_submission,
    short_deadline_s,
)

late_s = short_deadline_s + 0.1


class Client:
    """One worker's app: reads its stream, confirms each page it was sent."""

    def __init__(self, hub: Hub, person_id: str) -> None:
        self.person_id = person_id
        self.confirms = True
        self.delay_s = 0.0
        self.pages: list[dict[str, str]] = []
        self.recorded_late: list[str] = []
        self._hub = hub
        self.subscription: Subscription = hub.subscribe(person_id, frozenset())
        self.task = asyncio.create_task(self.run())

    async def run(self) -> None:
        async for chunk in self.subscription:
            for frame in chunk.decode().split("\n\n"):
                if frame.startswith("event: notification\ndata: "):
                    await self.page(json.loads(frame.split("data: ", 1)[1]))

    async def page(self, page: dict[str, str]) -> None:
        self.pages.append(page)
        if not self.confirms:
            return
        await asyncio.sleep(self.delay_s)
        if not self._hub.received(page["notification_id"], self.subscription.session_id):
            self.recorded_late.append(page["notification_id"])


class AppBench(Bench):
    """As many workers as the suite addresses."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.provider = AppChannel(hub)
        self.clients = {f"worker-{n}": Client(hub, f"worker-{n}") for n in range(concurrent_submits)}
        self._attempts: dict[str, str] = {}

    def submission(self, n: int = 0) -> Submission:
        text = json.dumps({"title": "火警", "body": "金鼎小区3栋"})
        submission = make_submission(Channel.APP, n, text, f"worker-{n}")
        self._attempts[submission.notification_id] = submission.attempt_id
        return submission

    def arrivals(self) -> list[str]:
        pages = [page for client in self.clients.values() for page in client.pages]
        return [self._attempts[page["notification_id"]] for page in pages]

    def owner(self, provider_ref: str) -> str:
        (client,) = [each for each in self.clients.values() if each.subscription.session_id == provider_ref]
        (page,) = client.pages
        return self._attempts[page["notification_id"]]

    def go_silent(self) -> None:
        for client in self.clients.values():
            client.confirms = False

    def take_but_do_not_answer(self) -> None:
        for client in self.clients.values():
            client.delay_s = late_s

    async def settle(self) -> None:
        await asyncio.sleep(late_s)

    async def leave(self) -> None:
        self.hub.close()
        await asyncio.gather(*(client.task for client in self.clients.values()))


class TestApp(ChannelSuite):
    @pytest_asyncio.fixture
    async def app_bench(self) -> AsyncIterator[AppBench]:
        bench = AppBench(Hub(RandomIds().attempt))
        yield bench
        await bench.leave()

    @pytest.fixture
    def bench(self, app_bench: AppBench) -> Bench:
        return app_bench

    async def test_no_stream_is_a_rejection_never_an_acceptance(self, app_bench: AppBench) -> None:
        stranger = replace(app_bench.submission(), recipient_id="worker-without-a-phone")
        answer = await app_bench.provider.submit(stranger, deadline_s)
        assert answer == Rejected("no_session", Scope.SESSION)
        assert app_bench.arrivals() == []

    async def test_a_stream_that_ended_is_none(self, app_bench: AppBench) -> None:
        app_bench.clients["worker-0"].subscription.close()
        answer = await app_bench.provider.submit(app_bench.submission(), deadline_s)
        assert answer == Rejected("no_session", Scope.SESSION)

    async def test_the_page_names_what_the_client_must_answer_with(self, app_bench: AppBench) -> None:
        submission = app_bench.submission()
        await app_bench.provider.submit(submission, deadline_s)
        (page,) = app_bench.clients["worker-0"].pages
        assert page["title"] == "火警"
        assert (page["notification_id"], page["incident_id"]) == (submission.notification_id, submission.incident_id)

    async def test_a_late_word_is_told_to_the_caller_and_not_lost(self, app_bench: AppBench) -> None:
        app_bench.take_but_do_not_answer()
        submission = app_bench.submission()
        assert isinstance(await app_bench.provider.submit(submission, short_deadline_s), Unknown)
        await app_bench.settle()
        assert app_bench.clients["worker-0"].recorded_late == [submission.notification_id]

    async def test_all_sessions_of_a_person_are_paged_and_the_first_word_counts(self, app_bench: AppBench) -> None:
        second = Client(app_bench.hub, "worker-0")
        app_bench.clients["worker-0"].confirms = False
        answer = await app_bench.provider.submit(app_bench.submission(), deadline_s)
        assert answer == Accepted(second.subscription.session_id)
        assert len(app_bench.clients["worker-0"].pages) == 1
        second.subscription.close()
        await second.task

    async def test_what_is_no_message_is_not_sent(self, app_bench: AppBench) -> None:
        for text in ("火警", "[1]"):
            answer = await app_bench.provider.submit(replace(app_bench.submission(), text=text), deadline_s)
            assert answer == Rejected("message_unreadable", Scope.TEXT)
        assert app_bench.arrivals() == []
