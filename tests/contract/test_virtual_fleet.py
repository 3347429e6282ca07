"""A fleet against a real mosquitto: it publishes exactly what it promised, and repeats until each receipt."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from devices.decode import decode
from devices.signals import RawMessage, SignalKind, Uplink
from gengfu.clock import SystemClock
from simulators.fleet import FleetSettings, run_fleet
from simulators.fleet_counts import FleetCounts
from simulators.ledger import EventLedger, read_ledger
from simulators.line import Backoff
from simulators.wire import Wire, WireError
from tests.support.mosquitto import BrokerUnderTest

now = SystemClock().now


class Hearer:
    """Counts what reaches the broker, and answers each event with a receipt once it has come `patience` times."""

    def __init__(self, patience: int) -> None:
        self.events: Counter[str] = Counter()
        self.parts: Counter[str] = Counter()
        self.topics: set[str] = set()
        self.wrong: list[str] = []
        self._patience = patience
        self.wire = Wire(on_message=self.hear)

    def hear(self, topic: str, payload: bytes) -> None:
        part = topic.rsplit("/", 1)[1]
        self.parts[part] += 1
        uplink = decode(RawMessage(topic, payload, now()))
        if not isinstance(uplink, Uplink):
            self.wrong.append(f"{topic}: {uplink}")
        elif uplink.event_id is not None:
            self.topics.add(topic)
            assert uplink.readings[0].signal is SignalKind.ALARM
            self.events[uplink.event_id] += 1
            if self.events[uplink.event_id] >= self._patience:
                self.answer(topic, uplink.event_id)

    def answer(self, topic: str, event_id: str) -> None:
        receipt = {"event_id": event_id, "accepted_at": now().isoformat()}
        down = topic.replace("/up/event", "/down/receipt").encode()
        self.wire.publish(down, json.dumps(receipt).encode(), qos=0)
        asyncio.get_running_loop().call_soon(asyncio.ensure_future, self.wire.flush())


@asynccontextmanager
async def hearer(broker: BrokerUnderTest, patience: int = 1) -> AsyncIterator[Hearer]:
    made = Hearer(patience)
    await made.wire.connect(broker.host, broker.port, "hearer", broker.service.username, broker.service.secret)
    await made.wire.subscribe("gengfu/v1/+/up/#")
    yield made
    await made.wire.close()


def settings(broker: BrokerUnderTest, **options: Any) -> FleetSettings:
    login = broker.service
    plain = FleetSettings(broker.host, broker.port, login.username, login.secret, devices=50, duration_s=0.5)
    return replace(plain, backoff=Backoff(time_scale=0.05), **options)


async def test_a_fleet_publishes_what_it_promised(mosquitto: BrokerUnderTest) -> None:
    told: list[int] = []

    def progress(counts: FleetCounts) -> None:
        told.append(counts.alarms)

    async with hearer(mosquitto) as heard:
        wanted = settings(mosquitto, alarms_per_s=100, telemetry_per_s=400, heartbeat_every_s=1.0, duration_s=0.6)
        counts = await run_fleet(wanted, now, progress=progress)
        await asyncio.sleep(0.1)
        assert (counts.alarms, counts.telemetry, counts.heartbeats) == (60, 240, 30)
        assert (counts.pubacks, counts.receipts, counts.unsettled, counts.reconnects) == (60, 60, 0, 0)
        assert heard.wrong == []
        assert len(heard.events) == 60
        assert len(heard.topics) == 50
        assert heard.parts["telemetry"] == 240
        assert heard.parts["heartbeat"] == 30
    assert told[-1] == 60
    assert len(told) >= 2
    assert (counts.receipt_ms(0.5) or 0) > 0


async def test_a_fleet_repeats_each_event_until_its_receipt(mosquitto: BrokerUnderTest, tmp_path: Path) -> None:
    path = tmp_path / "fleet.jsonl"
    ledger = EventLedger(path)
    async with hearer(mosquitto, patience=3) as heard:
        counts = await run_fleet(settings(mosquitto, alarms_per_s=40), now, ledger=ledger)
        assert (counts.alarms, counts.receipts, counts.unsettled) == (20, 20, 0)
        assert counts.repeats >= 40
        assert len(heard.events) == 20
        records = read_ledger(path)
        assert set(records) == set(heard.events)
        assert all(record.attempts >= 3 and record.receipt_at and record.puback_at for record in records.values())
    ledger.close()


async def test_without_receipts_a_fleet_says_how_many_events_are_open(mosquitto: BrokerUnderTest) -> None:
    counts = await run_fleet(settings(mosquitto, alarms_per_s=20, settle_s=0.2), now)
    assert (counts.alarms, counts.receipts, counts.unsettled) == (10, 0, 10)
    assert counts.receipt_ms(0.5) is None


async def test_a_fleet_of_devices_without_receipts_is_done_with_the_puback(mosquitto: BrokerUnderTest) -> None:
    counts = await run_fleet(settings(mosquitto, alarms_per_s=20, until_receipt=False), now)
    assert (counts.alarms, counts.pubacks, counts.repeats, counts.unsettled) == (10, 10, 0, 0)
    assert counts.seconds < 5


async def test_a_fleet_takes_up_a_broken_connection(mosquitto: BrokerUnderTest) -> None:
    wanted = settings(mosquitto, alarms_per_s=50, telemetry_per_s=50, duration_s=1.0, until_receipt=False)
    running = asyncio.create_task(run_fleet(wanted, now))
    await asyncio.sleep(0.3)
    await mosquitto.child.stop()
    await mosquitto.child.start()
    counts = await running
    assert (counts.alarms, counts.pubacks, counts.unsettled) == (50, 50, 0)
    assert counts.reconnects >= 2


async def test_a_fleet_can_hurry(mosquitto: BrokerUnderTest) -> None:
    """The promise is 5,000 a second and more; the ceiling here only has to hold on a busy machine."""
    wanted = settings(mosquitto, devices=1000, alarms_per_s=20_000, duration_s=0.25, until_receipt=False)
    counts = await run_fleet(wanted, now)
    assert (counts.alarms, counts.pubacks) == (5000, 5000)
    assert counts.seconds < 2.5


async def test_codes_and_devices_can_be_chosen(mosquitto: BrokerUnderTest) -> None:
    def code_of(number: int) -> str:
        return "fire.smoke" if number == 9 else "water.leak"

    async with hearer(mosquitto) as heard:
        wanted = settings(mosquitto, device_ids=("jd-hy-pump-leak",), alarms_per_s=20, code_of=code_of)
        assert (await run_fleet(wanted, now)).receipts == 10
        assert heard.topics == {"gengfu/v1/jd-hy-pump-leak/up/event"}


async def test_a_wrong_password_is_said(mosquitto: BrokerUnderTest) -> None:
    with pytest.raises(WireError, match="not authorised"):
        await run_fleet(replace(settings(mosquitto), password="wrong"), now)
