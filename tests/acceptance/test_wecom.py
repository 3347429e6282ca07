"""A flat's smoke detector where workers read WeCom and keep no page open: cards, buttons, who goes, who is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from alerting.ports import Priority
from alerting.store import policy_rows
from alerting.store.policy_rows import PolicyRow
from api.permissions import Role as KeyRole
from gengfu.application import Application
from gengfu.stage import Stage
from simulators.city import City
from simulators.emulating import FaultKind
from simulators.phone import Behaviour, CardReceived
from simulators.wecom import WecomEmulator
from tests.acceptance.both import on_both_databases
from tests.acceptance.outside import Desk, StoryClock
from tests.acceptance.script import EAGER
from tests.support import wecom as made_up

FLAT = "jd-hy-3-2-1201-smoke"
PLACE = ("金鼎花园", "3栋", "2单元", "12层", "1201", "客厅")
patience_s = 8.0
shown_within_s = 5.0
"""The product's ceiling, from the incident to the card."""
BOTH_BY_APP: dict[str, Any] = {
    "steps": [
        {"after_s": 0, "to": ["grid_worker", "deputy"], "channels": ["app"]},
        {"after_s": 600, "to": ["community_duty"], "channels": ["app"]},
    ],
    "loop": {"every_s": 900, "to": ["control_room"]},
}


@dataclass(slots=True)
class Scene:
    """One stage whose workers are found on WeCom."""

    stage: Stage
    company: WecomEmulator
    desk: Desk

    async def alarm(self) -> None:
        """The detector speaks once."""
        device = self.stage.device(FLAT, EAGER)
        await device.start()
        device.raise_alarm()
        await self.until(self._heard)
        await device.stop()

    async def cards(self, person: str, count: int = 1) -> list[CardReceived]:
        """What this person's WeCom shows, once there are so many."""
        user = f"User-{person}"

        def his() -> list[CardReceived]:
            return [card for card in self.company.phones.cards if card.to == user]

        await self.company.until(lambda _: len(his()) >= count, patience_s)
        return his()

    async def incident(self) -> dict[str, Any]:
        (found,) = await self.desk.items("/api/v1/incidents")
        return found

    async def taken_by(self, person: str) -> bool:
        found = await self.incident()
        return bool(found["work"] == "taken" and found["taken_by"]["id"] == person)

    async def _heard(self) -> bool:
        return bool(await self.desk.items("/api/v1/incidents"))

    async def until(self, true: Any) -> None:
        """Wait for what nobody reports."""
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            if await true():
                return
            assert asyncio.get_running_loop().time() < deadline, f"not so within {patience_s} s"
            await asyncio.sleep(0.02)


@asynccontextmanager
async def scene(folder: Path, database_url: str, city: City, starting: asyncio.Lock) -> AsyncIterator[Scene]:
    stage = Stage(folder, city, database_url=database_url, clock=StoryClock(), start_app=False)
    async with AsyncExitStack() as stack:
        async with starting:
            await stack.enter_async_context(stage)
        company = await stack.enter_async_context(made_up.company(stage.clock.now))
        company.callback_url = f"{stage.public_url}/callbacks/wecom/events"
        vendors = {"wecom": made_up.settings_for(company.base_url)}
        stage.app = await stack.enter_async_context(
            Application(replace(stage.config, vendors={**stage.config.vendors, **vendors}), stage.clock)
        )
        row = PolicyRow("story", 0, BOTH_BY_APP, 1)
        ids = stage.ids
        await stage.app.database.write(Priority.ADMINISTRATION, lambda conn: policy_rows.add(conn, ids.uuid7(), row))
        desk = await stack.enter_async_context(Desk(stage.app.http_url, await stage.key(KeyRole.ADMINISTRATOR)))
        for person in ("worker-a", "worker-b"):
            body = {"carrier": "wecom", "user_id": f"User-{person}"}
            status, _ = await desk.post(f"/api/v1/workers/{person}/subscriptions", body)
            assert status == 201
        yield Scene(stage, company, desk)


@on_both_databases
async def test_a_pressed_button_takes_the_incident_and_the_others_are_told(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    async with scene(folder, database_url, city, starting) as told:
        assert await told.company.check_address()
        told.company.phones.set("User-worker-a", Behaviour(taps=1))
        await told.alarm()

        (card,) = await told.cards("worker-a")
        opened = await told.incident()
        assert all(part in card.title for part in PLACE)
        assert "火警" in card.title
        assert ("编号", opened["reference"]) in card.rows
        assert (card.at - datetime.fromisoformat(opened["opened_at"])).total_seconds() < shown_within_s

        await told.until(lambda: told.taken_by("worker-a"))
        taken = await told.incident()
        (work,) = [
            entry
            for entry in await told.desk.items(f"/api/v1/incidents/{taken['id']}/timeline?limit=500")
            if entry["kind"] == "work"
        ]
        assert (work["actor"], work["data"]["work"], work["data"]["via"]) == ("worker-a", "taken", "app")
        await told.company.until(lambda phones: any(each.said for each in phones.cards), patience_s)
        assert card.said == "已收到：出发"

        page, update = await told.cards("worker-b", 2)
        assert "网格员甲已前往" in update.body
        assert update.buttons == ()
        await told.company.until(lambda _: bool(page.said), patience_s)
        assert page.said == "网格员甲已前往"
        assert not told.company.poster.troubles


@on_both_databases
async def test_what_is_repeated_forged_or_pressed_by_somebody_else_changes_nothing(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    async with scene(folder, database_url, city, starting) as told:
        await told.alarm()
        (card,) = await told.cards("worker-a")
        await told.company.press(card, "无法前往", by="User-worker-b")
        honest = told.company.seal
        told.company.seal = replace(made_up.seal, token="somebody-elses-token")
        await told.company.press(card, "出发")
        told.company.seal = honest
        assert [trouble.rsplit(" ", 1)[-1] for trouble in told.company.poster.troubles] == ["403"]
        assert (await told.incident())["taken_by"] is None

        told.company.faults.set(FaultKind.DOUBLED_CALLBACK, count=1)
        await told.company.press(card, "出发")
        await told.until(lambda: told.taken_by("worker-a"))
        taken = await told.incident()
        timeline = await told.desk.items(f"/api/v1/incidents/{taken['id']}/timeline?limit=500")
        assert [entry["kind"] for entry in timeline].count("work") == 1
        assert "declined" not in [entry["reason"] for entry in timeline], "folded before: in order of arrival"


@on_both_databases
async def test_who_cannot_go_is_passed_over_at_once(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    async with scene(folder, database_url, city, starting) as told:
        told.company.phones.set("User-worker-a", Behaviour(taps=2))
        told.company.phones.set("User-worker-b", Behaviour(taps=2))
        await told.alarm()

        async def declined() -> bool:
            found = await told.incident()
            timeline = await told.desk.items(f"/api/v1/incidents/{found['id']}/timeline?limit=500")
            return {each["actor"] for each in timeline if each["reason"] == "declined"} >= {"worker-a", "worker-b"}

        await told.until(declined)
        assert (await told.incident())["taken_by"] is None
