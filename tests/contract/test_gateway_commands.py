"""Commands on a real mosquitto with the shipped access list: sent at QoS 1, again until answered, by the sweep too."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from alerting.commands import Commands
from devices.decode import decode
from devices.signals import CommandAnswer, RawMessage, Uplink
from gateway import GatewaySettings, Subscriber
from gateway.commands import Source
from gengfu.clock import SystemClock
from simulators.device import Habits, VirtualDevice
from simulators.line import Backoff, Broker
from simulators.obeying import Obeys, Result
from tests.contract.gateway_support import RecordingEntry, eventually
from tests.support.mosquitto import BrokerUnderTest, Login

STATION, OTHER = "charger-0001", "charger-0002"
CLOCK = SystemClock()
QUICK = Backoff(first_s=0.1, most_s=0.3)


@dataclass(frozen=True, slots=True)
class Asked:
    id: str
    device_id: str = STATION
    action: str = "cut_power"
    args: dict[str, Any] = field(default_factory=dict)
    expires_at: Any = field(default_factory=lambda: CLOCK.now() + timedelta(seconds=30))


class Shelf:
    """Commands that wait, as the service keeps them: each comes again until it is answered."""

    def __init__(self) -> None:
        self.waiting: list[Asked] = []
        self.sent_: list[str] = []
        self.failures_left = 0
        self._wanted = asyncio.Event()

    def add(self, *asked: Asked, tell: bool = True) -> None:
        self.waiting.extend(asked)
        if tell:
            self._wanted.set()

    async def wanted(self, within_s: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._wanted.wait(), min(within_s, 0.1))
        self._wanted.clear()

    async def take_due(self) -> Sequence[Asked]:
        if self.failures_left:
            self.failures_left -= 1
            raise ConnectionError("the database is gone")
        return list(self.waiting)

    async def sent(self, command: Asked) -> None:
        self.sent_.append(command.id)


class Answers(RecordingEntry):
    """Reads what the lane brings, as the service does."""

    def prepare(self, raw: RawMessage) -> Any:
        prepared = super().prepare(raw)
        self.read.append(decode(raw))
        return prepared

    def __init__(self) -> None:
        super().__init__()
        self.read: list[Any] = []

    @property
    def answers(self) -> list[tuple[str, CommandAnswer]]:
        return [
            (each.device_key, each.answer) for each in self.read if isinstance(each, Uplink) and each.answer is not None
        ]


def a_station(broker: BrokerUnderTest, login: Login, **obeys: Any) -> VirtualDevice:
    habits = Habits(backoff=QUICK, obeys=Obeys(**obeys))
    where = Broker(broker.host, broker.port)
    return VirtualDevice(login.username, "charging_station", where, login.secret, CLOCK.now, habits=habits)


@asynccontextmanager
async def gateway(broker: BrokerUnderTest, entry: RecordingEntry, source: Source) -> Any:
    login = broker.service
    settings = GatewaySettings(
        broker.host, broker.port, "gengfu-commands", username=login.username, password=login.secret
    )
    subscriber = Subscriber(entry, settings, CLOCK.now, random=lambda: 0.1, commands=source)
    running = asyncio.create_task(subscriber.run())
    try:
        await eventually(subscriber.ready)
        yield subscriber
    finally:
        await subscriber.stop()
        await running


async def test_a_command_reaches_its_device_and_no_other_and_is_answered(mosquitto: BrokerUnderTest) -> None:
    """With the rendered access list: we may write `down/command` and read `up/command`, a device its own only."""
    mine, others = await mosquitto.add_devices([STATION, OTHER])
    station, other = a_station(mosquitto, mine), a_station(mosquitto, others)
    entry, shelf = Answers(), Shelf()
    await station.start()
    await other.start()
    async with gateway(mosquitto, entry, shelf):
        asked = Asked("c-1", args={"port": 3})
        shelf.add(asked)
        await eventually(lambda: entry.answers)
        shelf.waiting.clear()
    assert station.commands[0] == {
        "command_id": "c-1",
        "action": "cut_power",
        "args": {"port": 3},
        "expires_at": json.loads(json.dumps(station.commands[0]["expires_at"])),
    }
    assert station.commands[0]["expires_at"].endswith("Z")
    assert other.commands == []
    device_id, answer = entry.answers[0]
    assert (device_id, answer.command_id, answer.done) == (STATION, "c-1", True)
    assert shelf.sent_[0] == "c-1"
    assert station.measured["charging"] is False
    await station.stop()
    await other.stop()


async def test_nothing_told_the_sweep_finds_it(mosquitto: BrokerUnderTest) -> None:
    (login,) = await mosquitto.add_devices([STATION])
    station, entry, shelf = a_station(mosquitto, login), Answers(), Shelf()
    await station.start()
    async with gateway(mosquitto, entry, shelf):
        shelf.failures_left = 1
        shelf.add(Asked("c-1"), tell=False)
        await eventually(lambda: station.commands, seconds=3)
    await station.stop()


async def test_one_command_heard_many_times_is_done_once_and_answered_each_time(mosquitto: BrokerUnderTest) -> None:
    (login,) = await mosquitto.add_devices([STATION])
    station, entry, shelf = a_station(mosquitto, login), Answers(), Shelf()
    await station.start()
    async with gateway(mosquitto, entry, shelf):
        shelf.add(Asked("c-1"))
        await eventually(lambda: len(station.commands) >= 3 and len(entry.answers) >= 3)
    assert station.obedience.done == ["cut_power"]
    await station.stop()


async def test_a_failure_says_why_and_silence_says_nothing(mosquitto: BrokerUnderTest) -> None:
    mine, others = await mosquitto.add_devices([STATION, OTHER])
    failing = a_station(mosquitto, mine, result=Result.FAILED, reason="继电器粘连")
    silent = a_station(mosquitto, others, result=Result.SILENT)
    entry, shelf = Answers(), Shelf()
    await failing.start()
    await silent.start()
    async with gateway(mosquitto, entry, shelf):
        shelf.add(Asked("c-1"), Asked("c-2", OTHER))
        await eventually(lambda: entry.answers and len(silent.commands) >= 2)
    assert {(device, answer.done, answer.reason) for device, answer in entry.answers} == {
        (STATION, False, "继电器粘连")
    }
    assert failing.measured["charging"] is True
    await failing.stop()
    await silent.stop()


async def test_a_device_does_not_obey_after_the_time(mosquitto: BrokerUnderTest) -> None:
    (login,) = await mosquitto.add_devices([STATION])
    station, entry, shelf = a_station(mosquitto, login), Answers(), Shelf()
    await station.start()
    async with gateway(mosquitto, entry, shelf):
        shelf.add(Asked("c-1", expires_at=CLOCK.now() - timedelta(seconds=1)))
        await eventually(lambda: len(station.commands) >= 2)
    assert entry.answers == []
    assert station.measured["charging"] is True
    await station.stop()


async def test_after_the_broker_has_come_back_it_is_sent_anew(mosquitto: BrokerUnderTest) -> None:
    (login,) = await mosquitto.add_devices([STATION])
    station, entry, shelf = a_station(mosquitto, login), Answers(), Shelf()
    async with gateway(mosquitto, entry, shelf) as subscriber:
        await mosquitto.child.stop()
        await eventually(lambda: not subscriber.connected)
        shelf.add(Asked("c-1"))
        await asyncio.sleep(0.3)
        assert shelf.sent_ == [], "nothing counts as sent while nobody takes it"
        await mosquitto.child.start()
        await station.start()
        await eventually(lambda: entry.answers, seconds=15)
    await station.stop()


def test_the_service_is_such_a_source() -> None:
    """What the gateway asks for is what the service has."""
    for name in ("wanted", "take_due", "sent"):
        assert callable(getattr(Commands, name))
