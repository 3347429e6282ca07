"""A flat's smoke detector where Tencent Cloud carries texts and calls: templates, the key that names only its call,
receipts, a voicemail that takes nothing."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from pathlib import Path

from devices.model import Channel
from gengfu.stage import Stage
from simulators.city import City
from simulators.emulating import FaultKind
from simulators.phone import Answers, Behaviour
from simulators.tencent import Addresses, TencentEmulator, Windows
from tests.acceptance.both import on_both_databases
from tests.acceptance.carrier_scene import Scene, Vendors, call_ended, patience_s, scene
from tests.acceptance.outside import StoryClock
from tests.acceptance.script import time_scale
from tests.contract.tencent_support import account, callback_key, settings_for


def tencent(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock, *, new_account_at: datetime | None = None
) -> AbstractAsyncContextManager[Scene[TencentEmulator]]:
    """Everything registered, receipts pushed to us. new_account_at: it is then, and no limit has been raised."""

    def carrier(stage: Stage) -> tuple[TencentEmulator, Callable[[], Vendors]]:
        if new_account_at is not None:
            assert isinstance(stage.clock, StoryClock)
            stage.clock.jump(new_account_at - stage.clock.now())
        kinds = ("sms", "voice", "up")
        told = Addresses(*(f"{stage.public_url}/callbacks/tencent/{kind}?key={callback_key}" for kind in kinds))
        emulator = TencentEmulator(
            clock=stage.clock.now,
            account=account(),
            addresses=told,
            windows=None if new_account_at is None else Windows(),
            default_behaviour=Behaviour(answers=Answers.NEVER),
            time_scale=time_scale,
            speech_seconds_per_char=0.1,
        )
        return emulator, lambda: {"tencent": settings_for(emulator.base_url, stage.clock.now)}

    return scene(folder, database_url, city, starting, carrier, spills=new_account_at is not None)


@on_both_databases
async def test_key_1_on_a_call_that_names_nothing_of_ours_takes_the_incident(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    async with tencent(folder, database_url, city, starting) as told:
        number = told.number("worker-a")
        told.emulator.phones.set(number, Behaviour(keys="1"))
        await told.alarm()
        await told.emulator.until(call_ended(number), patience_s)

        (call,) = [call for call in told.emulator.phones.calls if call.to == number]
        assert "请按一" in call.words()
        assert call.pressed == "1"

        await told.until(lambda: told.taken_by("worker-a"))
        (text,) = [sms for sms in told.emulator.phones.sms if sms.to == number]
        reference = (await told.incident())["reference"]
        assert text.body.startswith("【阳光社区】")
        assert reference in text.body
        assert "http" not in text.body

        async def delivered() -> bool:
            return await told.states("sms") == ["delivered"]

        await told.until(delivered)


@on_both_databases
async def test_a_key_that_is_quicker_than_our_own_books_still_counts(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    """Its callback comes before the answer that names the call: the row waits until the name is known."""
    async with tencent(folder, database_url, city, starting) as told:
        number = told.number("worker-a")
        told.emulator.phones.set(number, Behaviour(keys="1", answers_after_s=0.0))
        told.emulator.faults.set(FaultKind.CALLBACK_BEFORE_ANSWER, channel=Channel.VOICE, number=number, count=1)
        await told.alarm()

        await told.until(lambda: told.taken_by("worker-a"))


@on_both_databases
async def test_a_call_that_ends_without_a_key_takes_nothing(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    async with tencent(folder, database_url, city, starting) as told:
        number = told.number("worker-a")
        told.emulator.phones.set(number, Behaviour(answers=Answers.VOICEMAIL))
        await told.alarm()
        await told.emulator.until(call_ended(number), patience_s)

        async def answered() -> bool:
            return await told.states("voice") == ["answered"]

        await told.until(answered)
        incident = await told.incident()
        assert (incident["ack"], incident["taken_by"]) == ("none", None)
        assert incident["work"] != "taken"


@on_both_databases
async def test_the_second_fire_call_of_a_night_goes_over_the_other_carrier(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    """A new account lets one call a night through to a phone: the second is not swallowed, nor tried in vain."""
    late = datetime(2026, 11, 27, 15, 30, tzinfo=UTC)  # half past eleven at night in China
    async with tencent(folder, database_url, city, starting, new_account_at=late) as told:
        number = told.number("worker-a")
        await told.alarm()
        await told.emulator.until(lambda book: any(call.to == number for call in book.calls), patience_s)
        await told.emulator.until(call_ended(number), patience_s)
        told.stage.emulator.phones.set(number, Behaviour(keys="1"))
        await told.alarm("jd-hy-shed-smoke")
        await told.stage.emulator.until(call_ended(number), patience_s)

        assert len([call for call in told.emulator.phones.calls if call.to == number]) == 1
        refused = [row for row in told.emulator.ledger.rows if row.to == number and row.code]
        assert not refused, "our own books knew it"
