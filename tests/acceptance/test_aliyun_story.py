"""A flat's smoke detector where Alibaba Cloud carries texts and calls: templates, keys during and after the call,
receipts, and a refusal that hands the page to the next carrier."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from devices.model import Channel
from gengfu.stage import Stage
from simulators.aliyun import AliyunEmulator
from simulators.city import City
from simulators.emulating import FaultKind
from simulators.phone import Answers, Behaviour
from tests.acceptance.both import on_both_databases
from tests.acceptance.carrier_scene import Scene, Vendors, call_ended, patience_s, scene
from tests.acceptance.script import time_scale
from tests.support.aliyun import callback_key, key_id, key_secret, register, settings_for, show_number, sign_name


def aliyun(
    folder: Path,
    database_url: str,
    city: City,
    starting: asyncio.Lock,
    *,
    call_states: bool = True,
    spills: bool = False,
) -> AbstractAsyncContextManager[Scene[AliyunEmulator]]:
    """Everything registered, receipts pushed to us."""

    def carrier(stage: Stage) -> tuple[AliyunEmulator, Callable[[], Vendors]]:
        emulator = AliyunEmulator(
            access_key_id=key_id,
            access_key_secret=key_secret,
            clock=stage.clock.now,
            push={
                kind: f"{stage.public_url}/callbacks/aliyun/{kind}?key={callback_key}"
                for kind in ("sms", "voice", "up")
            },
            call_states=call_states,
            default_behaviour=Behaviour(answers=Answers.NEVER),
            time_scale=time_scale,
            speech_seconds_per_char=0.1,
        )
        register(emulator)

        def vendors() -> Vendors:
            return {"aliyun": settings_for(emulator.base_url, now=stage.clock.now)}

        return emulator, vendors

    return scene(folder, database_url, city, starting, carrier, spills=spills)


@on_both_databases
async def test_key_1_takes_the_incident_and_the_text_is_followed_to_its_delivery(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    async with aliyun(folder, database_url, city, starting) as told:
        number = told.number("worker-a")
        told.emulator.phones.set(number, Behaviour(keys="1"))
        await told.alarm()
        await told.emulator.until(call_ended(number), patience_s)

        (call,) = [call for call in told.emulator.phones.calls if call.to == number]
        assert "请按一" in call.words()
        assert (call.pressed, call.sender) == ("1", show_number)
        await told.until(lambda: told.taken_by("worker-a"))
        (text,) = [sms for sms in told.emulator.phones.sms if sms.to == number]
        assert text.body.startswith(f"【{sign_name}】")
        assert (await told.incident())["reference"] in text.body
        assert "http" not in text.body

        async def delivered() -> bool:
            return await told.states("sms") == ["delivered"]

        await told.until(delivered)


@on_both_databases
async def test_a_key_that_only_the_report_at_the_end_tells_still_counts(
    folder: Path, database_url: str, city: City, starting: asyncio.Lock
) -> None:
    async with aliyun(folder, database_url, city, starting, call_states=False) as told:
        told.emulator.phones.set(told.number("worker-a"), Behaviour(keys="1", answers_after_s=0.0))
        told.emulator.faults.set(FaultKind.CALLBACK_BEFORE_ANSWER, channel=Channel.VOICE, count=1)
        await told.alarm()
        await told.until(lambda: told.taken_by("worker-a"))


@on_both_databases
async def test_a_voicemail_takes_nothing(folder: Path, database_url: str, city: City, starting: asyncio.Lock) -> None:
    async with aliyun(folder, database_url, city, starting) as told:
        number = told.number("worker-a")
        told.emulator.phones.set(number, Behaviour(answers=Answers.VOICEMAIL))
        await told.alarm()
        await told.emulator.until(call_ended(number), patience_s)

        async def answered() -> bool:
            return await told.states("voice") == ["answered"]

        await told.until(answered)
        incident = await told.incident()
        assert (incident["work"], incident["ack"]) != ("taken", "acknowledged")
        assert incident["taken_by"] is None
