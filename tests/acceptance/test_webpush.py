"""A worker whose page is closed: the alarm reaches his browser over its push service; delivered is only what his own
client says; a browser that has unsubscribed is found out."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from alerting.channels.providers.webpush_settings import WebPushSettings, new_private_key
from api.permissions import Role as KeyRole
from gengfu.stage import Stage
from simulators.city import City
from simulators.webpush import Browser, PushEmulator
from tests.acceptance.both import on_both_databases
from tests.acceptance.carrier_scene import Scene, Vendors, patience_s, scene
from tests.acceptance.outside import Desk

MINE = "/api/v1/workers/worker-a/subscriptions"


@dataclass(slots=True)
class Closed:
    """A scene with a worker whose phone has subscribed and whose page is closed."""

    told: Scene[PushEmulator]
    worker: Desk
    phone: Browser
    subscription_id: str

    async def listed(self) -> dict[str, str | None]:
        """His subscription, as he sees it."""
        (found,) = await self.worker.items(MINE)
        return found


@asynccontextmanager
async def closed_page(folder: Path, database_url: str, city: City, starting: asyncio.Lock) -> AsyncIterator[Closed]:
    settings = WebPushSettings(private_key=new_private_key(), subject="mailto:ops@gengfu.example", allow_private=True)

    def carrier(stage: Stage) -> tuple[PushEmulator, Callable[[], Vendors]]:
        return PushEmulator(clock=stage.clock.now), lambda: {"webpush": settings}

    async with scene(folder, database_url, city, starting, carrier, spills=True) as told:
        key = await told.stage.key(KeyRole.GRID_WORKER, "worker-a")
        async with Desk(told.stage.app.http_url, key) as worker:
            _, public = await worker.get("/api/v1/webpush/key")
            phone = told.emulator.browser("phone", public["public_key"])
            body = {"carrier": "webpush", "subscription": phone.subscription(), "label": "手机"}
            status, made = await worker.post(MINE, body)
            assert status == 201
            yield Closed(told, worker, phone, made["id"])


@on_both_databases
async def test_accepted_by_the_push_service_is_not_delivered_until_the_client_says_so(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    async with closed_page(folder, database_url, city, starting) as page:
        told = page.told
        await told.alarm()
        await told.emulator.until(lambda book: bool(book.cards), patience_s)
        (shown,) = page.phone.received
        assert "火警" in str(shown.message["title"])
        assert shown.urgency == "high"
        assert shown.message["subscription_id"] == page.subscription_id

        async def submitted() -> bool:
            return await told.states("app") == ["provider_accepted"]

        await told.until(submitted)

        async def sent() -> bool:
            return (await page.listed())["last_sent_at"] is not None

        await told.until(sent)
        assert (await page.listed())["confirmed_at"] is None

        path = f"/api/v1/notifications/{shown.message['notification_id']}/received?subscription={page.subscription_id}"
        status, _ = await page.worker.post(path, {})
        assert status == 204

        async def delivered() -> bool:
            return await told.states("app") == ["delivered"]

        await told.until(delivered)

        async def confirmed() -> bool:
            return (await page.listed())["confirmed_at"] is not None

        await told.until(confirmed)


@on_both_databases
async def test_a_browser_that_has_unsubscribed_is_found_out_and_never_used_again(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    async with closed_page(folder, database_url, city, starting) as page:
        page.phone.expired = True
        await page.told.alarm()

        async def gone() -> bool:
            return (await page.listed())["gone_reason"] == "expired"

        await page.told.until(gone)
        assert page.phone.received == []
        assert page.told.stage.app.app_targets.of("worker-a") == {}
