"""A child process: submits through our provider clients as fast as they go, or posts the same bytes with bare aiohttp.

Never talks to anything but the far side that it is told.
"""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from itertools import cycle
from typing import Any

import aiohttp
from yarl import URL

from alerting.channels.base import Accepted, ChannelProvider, Submission
from alerting.channels.providers import TABLE
from alerting.channels.providers.twilio_settings import TwilioSettings
from alerting.channels.providers.webpush_settings import WebPushSettings, new_private_key
from benchmarks.child import Answer, Handler, serve
from devices.model import Channel
from gengfu.clock import RandomIds
from simulators.webpush import Browser
from tests.contract import sns_support, tencent_support
from tests.contract.channel_suite import make_submission
from tests.support import aliyun, wecom

deadline_s = 10.0
connections_max = 512
attempts_max = 1_000
_ids = RandomIds()
_sms = "【阳光社区】火警:3栋2单元1201厨房烟感报警,03:12。请立即到场核实,编号A7K2"
_call = {
    "language": "zh-CN",
    "say": "紧急火警。三栋二单元十二楼,一二零一,厨房烟感报警。",
    "keys": "确认出发请按一,无法前往请按二,重听请按三。",
    "recorded": "已记录。",
    "declined": "已转派。",
    "missed": "未确认,稍后再次呼叫。",
    "wait": "请稍候。",
}
_PUSH = WebPushSettings(private_key=new_private_key(), subject="mailto:ops@gengfu.example", allow_private=True)


def settings_of(vendor: str, url: str) -> Any:
    """An account at this address."""
    match vendor:
        case "twilio":
            return TwilioSettings("AC" + "1" * 32, "token", "+15005550006", "http://127.0.0.1", base_url=url)
        case "aliyun":
            return aliyun.settings_for(url)
        case "tencent":
            return tencent_support.settings_for(url)
        case "sns":
            return sns_support.settings_for(url)
        case "wecom":
            return wecom.settings_for(url)
        case _:
            return _PUSH


def submission_of(carrier: str, url: str) -> Submission:
    """A fire, as this carrier gets it."""
    match carrier:
        case "aliyun sms" | "aliyun voice":
            return aliyun.submission_of("sms_page" if carrier.endswith("sms") else "voice_page")
        case "tencent sms" | "tencent voice":
            channel = Channel(carrier.split()[1])
            return make_submission(channel, 0, "", "+8613800000000", wording=tencent_support.wording(channel))
        case "wecom app":
            return make_submission(Channel.APP, 0, wecom.page(), "worker", target={"user_id": "worker-jia"})
        case "webpush app":
            browser = Browser("phone", f"{url}/push/0123456789abcdef", _PUSH.public_key)
            target = {"subscriptions": [{**browser.subscription(), "id": "s-1", "key": _PUSH.public_key}]}
            return make_submission(Channel.APP, 0, wecom.page(), "worker", target=target)
        case "twilio voice":
            return make_submission(Channel.VOICE, 0, json.dumps(_call), "+8613800000000")
        case "sns sms":
            return make_submission(Channel.SMS, 0, "FIRE 3-2-1201 kitchen 03:12. Go now. Ref A7K2", "+6591000000")
        case _:
            return make_submission(Channel.SMS, 0, _sms, "+8613800000000")


async def ours(question: Answer) -> Answer:
    """`width` submissions at a time through one provider, for so long."""
    vendor, channel = question["carrier"].split()
    providers = TABLE[vendor].build(settings_of(vendor, question["url"]))
    provider: ChannelProvider = providers[Channel(channel)]
    waiting = cycle(_many(submission_of(question["carrier"], question["url"])))

    async def once() -> bool:
        return isinstance(await provider.submit(next(waiting), deadline_s), Accepted)

    try:
        return await _for(once, question)
    finally:
        for each in providers.values():
            await each.close()


def _many(sample: Submission) -> list[Submission]:
    """Attempts to different phones, made beforehand: that is not the client's work."""
    phone = sample.address[:-5] if sample.address.startswith("+") else ""
    return [
        replace(sample, attempt_id=_ids.attempt(), address=f"{phone}{n:05d}" if phone else sample.address)
        for n in range(attempts_max)
    ]


async def bare(question: Answer) -> Answer:
    """The same bytes over the same kind of pool, and the answer read; nothing is signed, checked or understood."""
    sample = question["sample"]
    url, body = URL(question["url"] + sample["path"], encoded=True), bytes.fromhex(sample["body"])
    skipped = {"host", "content-length"}
    headers = [(name, value) for name, value in sample["headers"] if name.lower() not in skipped]
    connector = aiohttp.TCPConnector(limit=connections_max)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def once() -> bool:
            async with session.request(sample["method"], url, data=body or None, headers=headers) as answer:
                await answer.read()
                return answer.status < 300

        return await _for(once, question)


async def _for(once: Callable[[], Awaitable[bool]], question: Answer) -> Answer:
    """One submission of each worker warms everything up and is not counted."""
    counts = {"good": 0, "bad": 0}
    until = time.monotonic() + question["seconds"]

    async def worker() -> None:
        while time.monotonic() < until:
            counts["good" if await once() else "bad"] += 1

    await asyncio.gather(*(once() for _ in range(question["width"])))
    began, used = time.monotonic(), time.process_time()
    await asyncio.gather(*(worker() for _ in range(question["width"])))
    return {"seconds": time.monotonic() - began, "cpu": time.process_time() - used, **counts}


def _handlers() -> dict[str, Handler]:
    return {"ours": ours, "bare": bare}


if __name__ == "__main__":
    serve(_handlers)
