"""Two carriers, one of them in trouble: a fire is accepted by the other in time, and no phone rings twice at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from alerting.carriers import Carriers
from alerting.channels.base import ChannelProvider
from alerting.channels.providers import twilio
from alerting.core.model import AttemptState
from alerting.ports import Priority
from alerting.store import policy_rows
from alerting.store.policy_rows import PolicyRow
from alerting.store.tables import attempts, notifications
from devices.model import Channel
from gengfu.application import Application
from gengfu.stage import Stage
from simulators.city import City
from simulators.emulating.faults import FaultKind
from simulators.phone import Answers, Behaviour, PhoneEvent, PhoneEventKind
from simulators.twilio import TwilioEmulator
from tests.acceptance.script import PATIENT_LADDER

pytestmark = pytest.mark.alone

accepted_s = 3.0
"""The promise: from the alarm to a carrier that has the message."""
blink_s = 0.5
"""A call that its carrier takes after seconds of silence, beside another, is hung up as soon as it is told of."""
time_scale = 0.1
"""A phone that nobody answers rings for 2.5 s: long enough to ring twice at once."""
FIRES = {
    "worker-a": "jd-hy-3-2-1201-smoke",
    "worker-b": "jd-dg-5-1-201-smoke",
    "worker-c": "zjs-ch-1-1-501-smoke",
}
"""Three fires, each to a worker of its own."""
OPEN = (AttemptState.PLANNED.value, AttemptState.SENDING.value, AttemptState.UNKNOWN.value)


def _second(stage: Stage, emulator: TwilioEmulator) -> dict[Channel, ChannelProvider]:
    """The same account at another house: its callbacks are signed alike, and it has a name of its own."""
    built = twilio.build(replace(stage.twilio, base_url=emulator.base_url, calls_per_second=100.0))
    for provider in built.values():
        provider.name = "second"
    return dict(built)


class TwoCarriers(Application):
    """`twilio` first, then `second`."""

    second: dict[Channel, ChannelProvider]

    def _carriers(self) -> Carriers:
        first = super()._carriers()
        phones = {c: (*first.of(c), self.second[c]) for c in (Channel.SMS, Channel.VOICE)}
        return Carriers({**phones, Channel.APP: first.of(Channel.APP)})


@dataclass(slots=True)
class Street:
    """The stage with both carriers; what each phone lived through, by either."""

    stage: Stage
    other: TwilioEmulator
    events: list[PhoneEvent] = field(default_factory=list)

    def number(self, person: str) -> str:
        known = next(each for each in self.stage.city.people if each.id == person)
        point = known.contact(Channel.SMS)
        assert point is not None
        return point.address

    async def burns(self, *device_ids: str) -> None:
        devices = [self.stage.device(device_id) for device_id in device_ids]
        for device in devices:
            await device.start()
            device.raise_alarm()
        await self.until(lambda rows: len(rows) >= 2 * len(device_ids))
        for device in devices:
            await device.stop()

    async def rows(self) -> list[Any]:
        """Every attempt at a text or a call, with its message."""
        query = (
            select(attempts, notifications.c.recipient_id, notifications.c.channel)
            .join(notifications, notifications.c.id == attempts.c.notification_id)
            .where(notifications.c.channel != Channel.APP.value)
            .order_by(attempts.c.planned_at, attempts.c.number)
        )
        return list(await self.stage.app.database.read(lambda conn: conn.execute(query).fetchall()))

    async def until(self, true: Any, within_s: float = 15.0) -> list[Any]:
        deadline = asyncio.get_running_loop().time() + within_s
        while not true(rows := await self.rows()):
            assert asyncio.get_running_loop().time() < deadline, [tuple(row) for row in rows]
            await asyncio.sleep(0.05)
        return rows

    def ringing(self) -> set[str]:
        """Calls that are still on."""
        began = {event.sid for event in self.events if event.kind is PhoneEventKind.RINGING}
        return began - {event.sid for event in self.events if event.kind is PhoneEventKind.CALL_ENDED}

    def rings(self) -> dict[str, list[tuple[Any, Any, str]]]:
        """By number: (from, to, call) of everything that rang."""
        began: dict[str, PhoneEvent] = {}
        found: dict[str, list[tuple[Any, Any, str]]] = {}
        for event in self.events:
            if event.kind is PhoneEventKind.RINGING:
                began[event.sid] = event
            elif event.kind is PhoneEventKind.CALL_ENDED and event.sid in began:
                first = began.pop(event.sid)
                found.setdefault(event.number, []).append((first.at, event.at, event.sid))
        assert not began, "a call never ended"
        return {number: sorted(spans) for number, spans in found.items()}


@asynccontextmanager
async def a_street(folder: Path, city: City, database_url: str = "") -> AsyncIterator[Street]:
    events: list[PhoneEvent] = []
    stage = Stage(
        folder, city, database_url=database_url, time_scale=time_scale, on_phone=events.append, start_app=False
    )
    async with stage:
        other = TwilioEmulator(
            account_sid=stage.emulator.account_sid,
            auth_token=stage.auth_token,
            clock=stage.clock.now,
            time_scale=time_scale,
            on_event=events.append,
        )
        async with other:
            for emulator in (stage.emulator, other):
                emulator.phones.default = Behaviour(answers=Answers.NEVER)
            app = TwoCarriers(stage.config, stage.clock)
            app.second = _second(stage, other)
            async with app:
                stage.app = app
                patient = PolicyRow("story", 0, PATIENT_LADDER, 1)
                await app.database.write(Priority.ADMINISTRATION, lambda conn: policy_rows.add(conn, "p-1", patient))
                yield Street(stage, other, events)


def _settled(rows: list[Any]) -> bool:
    """Nobody wonders about any attempt any more; a redial that is planned for later is not one of these."""
    return not any(row.state in OPEN[1:] and row.due_at is not None for row in rows)


def _first_accepted(rows: list[Any]) -> dict[tuple[str, str], float]:
    """By person and channel: seconds from the decision to the first carrier that has it."""
    planned: dict[tuple[str, str], Any] = {}
    found: dict[tuple[str, str], float] = {}
    for row in rows:
        key = (row.recipient_id, row.channel)
        planned.setdefault(key, row.planned_at)
        if row.provider_accepted_at is not None:
            seconds = (row.provider_accepted_at - planned[key]).total_seconds()
            found[key] = min(seconds, found.get(key, seconds))
    return found


FAULTS: dict[str, dict[str, Any]] = {
    "silence": {"kind": FaultKind.SILENCE},
    "slow": {"kind": FaultKind.SLOW, "seconds": 600.0},
    "slow_for_a_text": {"kind": FaultKind.SLOW, "seconds": 1.5},
    "slow_for_a_call": {"kind": FaultKind.SLOW, "seconds": 3.0},
    "429": {"kind": FaultKind.STATUS_429, "seconds": 20.0},
    "429_garbage": {"kind": FaultKind.STATUS_429, "retry_after": "soon"},
    "500": {"kind": FaultKind.STATUS_500},
    "500_taken": {"kind": FaultKind.STATUS_500, "accepts": True},
    "cut_line": {"kind": FaultKind.CUT_LINE},
    "accept_then_time_out": {"kind": FaultKind.ACCEPT_THEN_TIME_OUT},
    "html": {"kind": FaultKind.HTML},
    "credentials": {"kind": FaultKind.ERROR, "code": 20003, "status": 401},
    "text": {"kind": FaultKind.ERROR, "code": 30007, "status": 400},
    "callback_first": {"kind": FaultKind.CALLBACK_BEFORE_ANSWER},
}
"""What the first carrier does to everything. A refusal inside a 200 is Alibaba's way: `test_channel_aliyun` has it."""
TOGETHER = [
    ("silence", "slow", "429"),
    ("500", "cut_line", "accept_then_time_out"),
    ("html", "500_taken", "429_garbage"),
    ("credentials", "text", "callback_first"),
    ("slow_for_a_text", "slow_for_a_call", "silence"),
]


@pytest.mark.parametrize("names", TOGETHER, ids="-".join)
async def test_a_fire_is_accepted_by_somebody_and_no_phone_rings_twice_at_once(
    names: tuple[str, str, str], tmp_path: Path, city: City
) -> None:
    async with a_street(tmp_path, city) as street:
        for name, person in zip(names, FIRES, strict=True):
            street.stage.emulator.faults.set(number=street.number(person), **FAULTS[name])
        await street.burns(*FIRES.values())

        wanted = {(person, channel) for person in FIRES for channel in ("sms", "voice")}
        rows = await street.until(lambda rows: wanted <= set(_first_accepted(rows)))
        late = {key: took for key, took in _first_accepted(rows).items() if key in wanted and took > accepted_s}
        assert not late, f"accepted late: {late}"
        rows = await street.until(_settled, within_s=25.0)

        await street.until(lambda rows: all(r.ended_at for r in rows if r.channel == "voice" and _accepted(r)))
        await street.until(lambda rows: not street.ringing())
        for number, spans in street.rings().items():
            for (_, ends, first), (begins, _, second) in pairwise(spans):
                assert (ends - begins).total_seconds() <= blink_s, (
                    f"{number} rang twice at once: {first} until {ends}, {second} from {begins}"
                )


def _accepted(row: Any) -> bool:
    return row.provider_accepted_at is not None
