"""A stage whose texts and calls go over one domestic carrier, while Twilio stands behind and has nothing to do."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from alerting.ports import Priority
from alerting.store import policy_rows
from alerting.store.policy_rows import PolicyRow
from api.permissions import Role as KeyRole
from devices.model import Channel
from gengfu.application import Application
from gengfu.stage import Stage
from simulators.city import City
from simulators.emulating import VendorEmulator
from simulators.phone import PhoneBook
from tests.acceptance.outside import Desk, StoryClock
from tests.acceptance.script import EAGER, PATIENT_LADDER

FLAT = "jd-hy-3-2-1201-smoke"
patience_s = 8.0
EmulatorT = TypeVar("EmulatorT", bound=VendorEmulator)
Vendors = Mapping[str, object]


@dataclass(slots=True)
class Scene(Generic[EmulatorT]):
    """One stage and the carrier's emulator."""

    stage: Stage
    emulator: EmulatorT
    desk: Desk

    def number(self, person: str) -> str:
        point = next(each for each in self.stage.city.people if each.id == person).contact(Channel.SMS)
        assert point is not None
        return point.address

    async def alarm(self, device_id: str = FLAT) -> None:
        """The detector speaks once; another incident is open when this returns."""
        before = len(await self.desk.items("/api/v1/incidents"))
        device = self.stage.device(device_id, EAGER)
        await device.start()
        device.raise_alarm()

        async def heard() -> bool:
            return len(await self.desk.items("/api/v1/incidents")) > before

        await self.until(heard)
        await device.stop()

    async def incident(self) -> dict[str, Any]:
        (found,) = await self.desk.items("/api/v1/incidents")
        return found

    async def taken_by(self, person: str) -> bool:
        found = await self.incident()
        return bool(found["work"] == "taken" and found["taken_by"]["id"] == person)

    async def states(self, channel: str, person: str = "worker-a") -> list[str]:
        path = f"/api/v1/notifications?channel={channel}&recipient_id={person}"
        return [each["state"] for each in await self.desk.items(path)]

    async def until(self, true: Callable[[], Awaitable[bool]]) -> None:
        """Wait for what nobody reports."""
        deadline = asyncio.get_running_loop().time() + patience_s
        while True:
            if await true():
                return
            assert asyncio.get_running_loop().time() < deadline, f"not so within {patience_s} s"
            await asyncio.sleep(0.02)


@asynccontextmanager
async def scene(
    folder: Path,
    database_url: str,
    city: City,
    starting: asyncio.Lock,
    carrier: Callable[[Stage], tuple[EmulatorT, Callable[[], Vendors]]],
    *,
    spills: bool = False,
) -> AsyncIterator[Scene[EmulatorT]]:
    """carrier: the emulator, and the settings once it has its address. spills: Twilio will have to do something too."""
    stage = Stage(folder, city, database_url=database_url, clock=StoryClock(), start_app=False)
    async with AsyncExitStack() as stack:
        async with starting:
            await stack.enter_async_context(stage)
        emulator, vendors = carrier(stage)
        await stack.enter_async_context(emulator)
        config = replace(stage.config, vendors={**stage.config.vendors, **vendors()})
        stage.app = await stack.enter_async_context(Application(config, stage.clock))
        row = PolicyRow("story", 0, PATIENT_LADDER, 1)
        ids = stage.ids
        await stage.app.database.write(Priority.ADMINISTRATION, lambda conn: policy_rows.add(conn, ids.uuid7(), row))
        desk = await stack.enter_async_context(Desk(stage.app.http_url, await stage.key(KeyRole.ADMINISTRATOR)))
        yield Scene(stage, emulator, desk)
        assert not emulator.poster.troubles, emulator.poster.troubles
        assert spills or not stage.emulator.ledger.rows, "Twilio stands behind, and nothing was wrong"


def call_ended(number: str) -> Callable[[PhoneBook], bool]:
    def wish(book: PhoneBook) -> bool:
        return any(call.to == number and call.outcome for call in book.calls)

    return wish
