"""The first carrier answers 200 and means no, or is told to slow down: Twilio has the fire's text and call in time."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from alerting.store.tables import attempts, notifications
from devices.model import Channel
from simulators.aliyun import AliyunEmulator
from simulators.city import City
from simulators.emulating import FaultKind
from simulators.phone import Answers, Behaviour
from tests.acceptance.carrier_scene import Scene
from tests.acceptance.test_aliyun_story import aliyun

pytestmark = pytest.mark.alone

accepted_s = 3.0
"""The promise: from the decision to a carrier that has the message."""
FIRES = {
    "worker-a": "jd-hy-3-2-1201-smoke",
    "worker-b": "jd-dg-5-1-201-smoke",
    "worker-c": "zjs-ch-1-1-501-smoke",
}
LIMIT = "isv.BUSINESS_LIMIT_CONTROL"
TEMPLATE = {Channel.SMS: "isv.SMS_TEMPLATE_ILLEGAL", Channel.VOICE: "isv.TTS_TEMPLATE_ILLEGAL"}
Case = tuple[dict[str, Any], str, str | None]
"""What the emulator does, and the state and error of our attempt there."""
CASES: dict[str, Case] = {
    "template": ({"kind": FaultKind.ERROR}, "rejected", None),
    "number_limit": ({"kind": FaultKind.ERROR, "code": LIMIT}, "busy", "busy"),
    "account": ({"kind": FaultKind.ERROR, "code": "isv.OUT_OF_SERVICE"}, "rejected", "isv.OUT_OF_SERVICE"),
    "429": ({"kind": FaultKind.STATUS_429, "seconds": 20.0}, "busy", "busy"),
    "429_garbage": ({"kind": FaultKind.STATUS_429, "retry_after": "soon"}, "busy", "busy"),
}


@pytest.mark.parametrize("names", [("template", "number_limit", "429"), ("429_garbage",), ("account",)], ids="-".join)
async def test_what_alibaba_refuses_inside_a_200_twilio_has_within_three_seconds(
    names: tuple[str, ...], tmp_path: Path, sqlite_url: str, city: City
) -> None:
    async with aliyun(tmp_path, sqlite_url, city, asyncio.Lock(), spills=True) as told:
        told.stage.emulator.phones.default = Behaviour(answers=Answers.NEVER)
        people = dict(zip(names, FIRES, strict=False))
        for name, person in people.items():
            for channel, code in TEMPLATE.items():
                fault = {"code": code, **CASES[name][0]}
                told.emulator.faults.set(number=told.number(person), channel=channel, **fault)
        for person in people.values():
            await told.alarm(FIRES[person])
        for name, person in people.items():
            for channel in (Channel.SMS, Channel.VOICE):
                first, second = await _first_two(told, person, channel)
                state, error = CASES[name][1], CASES[name][2] or TEMPLATE[channel]
                assert (first.provider, first.state, first.error) == ("aliyun", state, error), name
                assert (second.provider, second.reason) == ("twilio", "failover"), name
                took = (second.provider_accepted_at - first.planned_at).total_seconds()
                assert took <= accepted_s, f"{name}: {channel} accepted after {took} s"


async def _first_two(told: Scene[AliyunEmulator], person: str, channel: Channel) -> list[Any]:
    """The first attempts at this person's phone, once the second is accepted."""
    query = (
        select(attempts)
        .join(notifications, notifications.c.id == attempts.c.notification_id)
        .where(notifications.c.recipient_id == person, notifications.c.channel == channel.value)
        .order_by(attempts.c.planned_at, attempts.c.number)
        .limit(2)
    )
    rows: list[Any] = []

    async def accepted() -> bool:
        rows[:] = await told.stage.app.database.read(lambda conn: conn.execute(query).fetchall())
        return len(rows) == 2 and rows[1].provider_accepted_at is not None

    await told.until(accepted)
    return rows
