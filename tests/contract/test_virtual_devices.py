"""Virtual devices against a real mosquitto: they keep an event until its receipt, and die as devices die."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from devices.decode import decode
from devices.signals import RawMessage, SignalKind, Uplink
from gengfu.clock import SystemClock
from simulators.device import Habits, VirtualDevice
from simulators.ledger import EventLedger, Fact, LedgerLine, read_ledger
from simulators.line import Backoff, Broker
from tests.support.mosquitto import BrokerUnderTest
from tests.support.mqtt import Probe, Received

QUICK = Backoff(time_scale=0.05)
"""A device's second lasts 50 ms."""
DEVICE = "smoke-0001"
now = SystemClock().now


@asynccontextmanager
async def service(broker: BrokerUnderTest) -> AsyncIterator[Probe]:
    async with await Probe.connect(broker.port, broker.service) as probe:
        await probe.subscribe("gengfu/v1/+/up/#")
        yield probe


@asynccontextmanager
async def device(broker: BrokerUnderTest, kind: str = "smoke_detector", **options: Any) -> AsyncIterator[VirtualDevice]:
    login = await broker.add_device(DEVICE)
    options.setdefault("habits", Habits(QUICK))
    made = VirtualDevice(DEVICE, kind, Broker(broker.host, broker.port), login.secret, now, **options)
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def next_of(probe: Probe, part: str) -> Received:
    while True:
        message = await probe.next()
        if message.topic.endswith(f"/up/{part}"):
            return message


async def answer(probe: Probe, event_id: str, **words: str) -> None:
    body = {"event_id": event_id, **words}
    await probe.publish(f"gengfu/v1/{DEVICE}/down/receipt", json.dumps(body).encode())


async def silence(probe: Probe, seconds: float) -> list[Received]:
    await asyncio.sleep(seconds)
    heard = []
    while not probe.inbox.empty():
        heard.append(probe.inbox.get_nowait())
    return heard


async def test_an_event_is_repeated_under_its_id_until_the_receipt(mosquitto: BrokerUnderTest, tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    ledger = EventLedger(path)
    async with service(mosquitto) as probe, device(mosquitto, ledger=ledger) as smoke:
        event_id = smoke.raise_alarm()
        sends = [await next_of(probe, "event") for _ in range(3)]
        assert len({message.payload for message in sends}) == 1
        assert json.loads(sends[0].payload)["event_id"] == event_id
        assert list(smoke.pending) == [event_id]
        await answer(probe, event_id, accepted_at="2026-11-23T08:00:00Z")
        record = await smoke.settled(event_id)
        assert list(smoke.pending) == []
        assert record.attempts >= 3
        assert record.published_at is not None
        assert record.puback_at is not None
        assert record.receipt_at is not None
        assert record.published_at <= record.puback_at <= record.receipt_at
        await silence(probe, 0.05)
        assert await silence(probe, 0.6) == []
        assert read_ledger(path) == {event_id: record}
    ledger.close()


async def test_a_refusal_ends_the_repeating(mosquitto: BrokerUnderTest) -> None:
    async with service(mosquitto) as probe, device(mosquitto) as smoke:
        event_id = smoke.send({"event_id": "b1-1", "code": "soup.cold", "state": "raised"})
        await next_of(probe, "event")
        await answer(probe, event_id, refused="unknown_code", at="2026-11-23T08:00:00Z")
        assert (await smoke.settled(event_id)).refused == "unknown_code"
        await silence(probe, 0.05)
        assert await silence(probe, 0.3) == []


async def test_a_receipt_for_another_event_ends_nothing(mosquitto: BrokerUnderTest) -> None:
    async with service(mosquitto) as probe, device(mosquitto) as smoke:
        first, second = smoke.raise_alarm(), smoke.restore()
        await answer(probe, first, accepted_at="2026-11-23T08:00:00Z")
        await answer(probe, "nobody's", accepted_at="2026-11-23T08:00:00Z")
        await smoke.settled(first)
        assert smoke.pending == (second,)


async def test_a_device_without_receipts_never_repeats(mosquitto: BrokerUnderTest) -> None:
    habits = Habits(QUICK, qos1_only=True)
    async with service(mosquitto) as probe, device(mosquitto, habits=habits) as smoke:
        event_id = smoke.raise_alarm()
        record = await smoke.settled(event_id)
        assert (record.attempts, record.receipt_at) == (1, None)
        events = [m for m in await silence(probe, 0.4) if m.topic.endswith("/up/event")]
        assert len(events) == 1


async def test_a_killed_device_leaves_its_last_will(mosquitto: BrokerUnderTest) -> None:
    async with service(mosquitto) as probe, device(mosquitto) as smoke:
        assert (await next_of(probe, "status")).payload == b"online"
        await smoke.kill()
        assert (await next_of(probe, "status")).payload == b"offline"


async def test_a_device_switched_off_leaves_none(mosquitto: BrokerUnderTest) -> None:
    async with service(mosquitto) as probe:
        async with device(mosquitto):
            await next_of(probe, "status")
        assert await silence(probe, 0.2) == []


async def test_an_event_outlives_the_broker(mosquitto: BrokerUnderTest) -> None:
    async with device(mosquitto) as smoke:
        await mosquitto.child.stop()
        event_id = smoke.raise_alarm()
        await mosquitto.child.start()
        async with service(mosquitto) as probe:
            await next_of(probe, "event")
            await answer(probe, event_id, accepted_at="2026-11-23T08:00:00Z")
            await smoke.settled(event_id)


async def test_what_each_kind_says_is_our_dialect(mosquitto: BrokerUnderTest) -> None:
    habits = Habits(QUICK, telemetry_s=0.05, heartbeat_s=0.05)
    async with service(mosquitto) as probe, device(mosquitto, "charging_station", habits=habits) as station:
        station.raise_alarm(test=True, media=("https://cam.invalid/1.jpg",))
        wanted = {"event": SignalKind.ALARM, "telemetry": SignalKind.TELEMETRY, "heartbeat": SignalKind.HEARTBEAT}
        for part, signal in wanted.items():
            message = await next_of(probe, part)
            uplink = decode(RawMessage(message.topic, message.payload, datetime(2026, 1, 1, tzinfo=UTC)))
            assert isinstance(uplink, Uplink), uplink
            assert uplink.readings[0].signal is signal
            assert uplink.test is (part == "event")
        assert uplink.device_key == DEVICE


async def test_a_command_is_answered(mosquitto: BrokerUnderTest) -> None:
    async with service(mosquitto) as probe, device(mosquitto) as smoke:
        command = {"command_id": "c1", "action": "sound_siren", "args": {}, "expires_at": "2099-11-23T09:00:00Z"}
        await probe.publish(f"gengfu/v1/{DEVICE}/down/command", json.dumps(command).encode())
        message = await next_of(probe, "command")
        assert json.loads(message.payload) == {"command_id": "c1", "result": "done"}
        assert smoke.commands == [command]


async def test_a_wrong_password_is_said(mosquitto: BrokerUnderTest) -> None:
    await mosquitto.add_device(DEVICE)
    broker = Broker(mosquitto.host, mosquitto.port)
    intruder = VirtualDevice(DEVICE, "smoke_detector", broker, "wrong", now, habits=Habits(QUICK))
    with pytest.raises(TimeoutError, match=r"smoke-0001.*[Aa]uthori"):
        await intruder.start(timeout_s=0.5)
    await intruder.stop()


@pytest.mark.parametrize("tries", range(1, 12))
def test_the_backoff_doubles_to_a_minute(tries: int) -> None:
    plain = min(60.0, 2.0 ** (tries - 1))
    waits = [Backoff().wait_s(tries) for _ in range(200)]
    assert plain * 0.8 <= min(waits) < plain < max(waits) <= plain * 1.2


def test_a_ledger_cut_short_by_a_kill_is_readable(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    ledger = EventLedger(path)
    words = (DEVICE, "b1-7", "fire.smoke", "raised", 1)
    ledger.append(LedgerLine(Fact.PUBLISHED, now(), *words))
    ledger.append(LedgerLine(Fact.RECEIPT, now(), *words))
    ledger.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:-5])
    record = read_ledger(path)["b1-7"]
    assert record.published_at is not None
    assert record.receipt_at is None
