"""The daily message goes to each phone by itself, over that phone's own carrier, and is tapped by itself: two browsers
whose pages are closed, and an account of a work app that has no button of ours."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest
from sqlalchemy import select

from alerting.channels.providers.webpush_settings import WebPushSettings, new_private_key
from alerting.store.tables_testing import probes
from api.permissions import Role as KeyRole
from devices.model import Channel
from gengfu.readiness_setup import self_tests_of
from gengfu.stage import Stage
from simulators.city import City
from simulators.emulating import FaultKind
from simulators.webpush import Browser, PushEmulator
from simulators.wecom import WecomEmulator
from tests.acceptance.both import on_both_databases
from tests.acceptance.carrier_scene import Scene, Vendors, patience_s, scene
from tests.acceptance.outside import Desk
from tests.support import wecom as made_up

pytestmark = pytest.mark.alone

WORKER = "worker-a"
MINE = f"/api/v1/workers/{WORKER}/subscriptions"
member_unknown, address_not_trusted = 81013, 60020
of_worker_b = select(probes.c.state, probes.c.due_at).where(probes.c.person_id == "worker-b")
TAP = "/api/v1/readiness/me/self-test"


async def plan(told: Scene[Any], people: int = 1, browsers: int = 0) -> int:
    """What the service does when the hour comes: this hour is made the one. By then it has long read where they are."""
    app = told.stage.app

    async def read() -> bool:
        found = [app.app_targets.of(f"worker-{letter}") for letter in "ab"]
        counted = sum(len(each["webpush"]["subscriptions"]) for each in found if "webpush" in each)
        return sum(map(bool, found)) >= people and counted >= browsers

    await told.until(read)
    hour = app.clock.now().astimezone(ZoneInfo(app.config.core.timezone)).hour
    planned = await self_tests_of(app.config, app.database, app.clock, app.ids, hour).run_due()
    app.service.wake()
    return planned


async def phones(told: Scene[Any], person: str = WORKER) -> dict[str, dict[str, Any]]:
    """What readiness says of each, by its name."""
    status, shown = await told.desk.get(f"/api/v1/readiness/workers/{person}")
    assert status == 200, shown
    return {phone["name"]: phone for phone in shown["phones"]}


async def tapped(told: Scene[Any]) -> str | None:
    """When it was tapped in WeCom, the only phone he has."""
    (phone,) = (await phones(told)).values()
    assert phone["carrier"] == "wecom"
    at: str | None = phone["tapped_at"]
    return at


async def nothing_was_spent(told: Scene[Any]) -> None:
    assert not told.stage.emulator.phones.sms
    assert not told.stage.emulator.phones.calls
    assert not await told.desk.items("/api/v1/incidents"), "it is no page"


async def subscribed(worker: Desk, phone: Browser, label: str) -> str:
    body = {"carrier": "webpush", "subscription": phone.subscription(), "label": label}
    status, made = await worker.post(MINE, body)
    assert status == 201, made
    return str(made["id"])


@on_both_databases
async def test_a_message_of_its_own_comes_to_each_browser_and_a_tap_marks_that_one_only(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    settings = WebPushSettings(private_key=new_private_key(), subject="mailto:ops@gengfu.example", allow_private=True)

    def carrier(stage: Stage) -> tuple[PushEmulator, Callable[[], Vendors]]:
        return PushEmulator(clock=stage.clock.now), lambda: {"webpush": settings}

    async with scene(folder, database_url, city, starting, carrier) as told:
        key = await told.stage.key(KeyRole.GRID_WORKER, WORKER)
        async with Desk(told.stage.app.http_url, key) as worker:
            browsers = [told.emulator.browser(name, settings.public_key) for name in ("phone", "tablet")]
            ids = [await subscribed(worker, each, label) for each, label in zip(browsers, "甲乙", strict=True)]
            assert await plan(told, browsers=2) >= 2
            await told.emulator.until(lambda book: all(each.received for each in browsers), patience_s)
            messages = [shown.message for each in browsers for shown in each.received]
            assert [message["subscription_id"] for message in messages] == ids, "one each, and its own"
            assert len({message["test_id"] for message in messages}) == 2
            assert all("自检" in message["title"] and message["confirm"] == TAP for message in messages)
            assert not any(message["urgent"] or message["actions"] for message in messages)
            before = await phones(told)
            assert {name: phone["tapped_at"] for name, phone in before.items()} == dict.fromkeys(
                ("推送通知 甲", "推送通知 乙")
            )

            assert (await worker.post(TAP, {"test_id": messages[1]["test_id"]}))[0] == 200
            after = await phones(told)
            assert (after["推送通知 乙"]["word"], after["推送通知 乙"]["untapped_since"]) == ("fine", None)
            assert after["推送通知 甲"] == before["推送通知 甲"], "the other one has proved nothing"
            known = {row["label"]: row["confirmed_at"] for row in await worker.items(MINE)}
            assert (known["甲"], known["乙"]) == (None, after["推送通知 乙"]["tapped_at"])
            assert await plan(told) == 0, "once a day"
        await nothing_was_spent(told)


def company_of(stage: Stage) -> tuple[WecomEmulator, Callable[[], Vendors]]:
    company = made_up.company(stage.clock.now)
    company.callback_url = f"{stage.public_url}/callbacks/wecom/events"
    return company, lambda: {"wecom": made_up.settings_for(company.base_url)}


@on_both_databases
async def test_in_a_work_app_the_message_is_tapped_by_its_link(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    async with scene(folder, database_url, city, starting, company_of) as told:
        key = await told.stage.key(KeyRole.GRID_WORKER, WORKER)
        async with Desk(told.stage.app.http_url, key) as worker:
            status, _ = await worker.post(MINE, {"carrier": "wecom", "user_id": f"User-{WORKER}"})
            assert status == 201
            assert await plan(told) >= 1
            await told.emulator.until(lambda book: bool(book.cards), patience_s)
            (card,) = told.emulator.phones.cards
            assert card.to == f"User-{WORKER}"
            assert "自检" in card.title
            (button,) = card.buttons
            assert await tapped(told) is None
            async with aiohttp.ClientSession() as browser:
                for _ in range(2):  # a link preview, then he
                    async with browser.get(button.url) as page:
                        assert (page.status, "<form method=post>" in await page.text()) == (200, True)
                assert await tapped(told) is None, "a look is no tap"
                async with browser.post(button.url, data={"answer": "tapped"}) as page:
                    assert (page.status, "已确认" in await page.text()) == (200, True)
            assert await tapped(told) is not None
        await nothing_was_spent(told)


@on_both_databases
async def test_what_a_carrier_refuses_is_said_of_the_phone_and_our_own_trouble_is_not(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    async with scene(folder, database_url, city, starting, company_of) as told:
        for person, code in ((WORKER, member_unknown), ("worker-b", address_not_trusted)):
            body = {"carrier": "wecom", "user_id": f"User-{person}"}
            assert (await told.desk.post(f"/api/v1/workers/{person}/subscriptions", body))[0] == 201
            told.emulator.faults.set(FaultKind.ERROR, channel=Channel.APP, number=f"User-{person}", code=code)
        assert await plan(told, people=2) >= 2

        async def refused() -> bool:
            return bool((await phones(told))["企业微信"]["refused"] == "user_unknown")

        await told.until(refused)

        async def tried_again_later() -> bool:
            (row,) = await told.stage.app.database.read(lambda conn: conn.execute(of_worker_b).fetchall())
            return bool(row.state == "sending" and row.due_at - told.stage.clock.now() > timedelta(minutes=20))

        await told.until(tried_again_later)
        assert (await phones(told, "worker-b"))["企业微信"]["refused"] is None
        await nothing_was_spent(told)
