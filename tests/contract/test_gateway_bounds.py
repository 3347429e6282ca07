"""What bounds the gateway: Receive Maximum for what must not be lost, drop-oldest for what may; trap (d)."""

import asyncio
from pathlib import Path

from alerting.verdicts import Urgency
from gateway import Lane
from tests.contract.gateway_support import (
    RecordingEntry,
    RecordingMetrics,
    body,
    event_topic,
    eventually,
    gateway_settings,
    make_subscriber,
    mosquitto_running,
    number,
    publish,
    publish_numbers,
    running,
)
from tests.contract.scripted_broker import scripted_broker

TELEMETRY = "gengfu/v1/smoke-0001/up/telemetry"
BACKGROUND = Urgency.BACKGROUND


async def test_the_broker_holds_back_what_exceeds_receive_maximum(tmp_path: Path) -> None:
    entry, metrics = RecordingEntry(), RecordingMetrics()
    entry.stall()
    async with mosquitto_running(tmp_path) as broker:
        settings = gateway_settings(broker.port, receive_maximum=10)
        async with running(make_subscriber(entry, settings, metrics=metrics)):
            await publish_numbers(broker.port, range(60))
            await eventually(lambda: len(entry.prepared) == 10)
            await asyncio.sleep(0.3)
            assert len(entry.prepared) == 10
            entry.resume()
            await eventually(lambda: entry.numbers == list(range(60)))
    assert metrics.dropped == 0


async def test_telemetry_beyond_its_bound_drops_the_oldest_and_counts() -> None:
    entry, metrics = RecordingEntry(), RecordingMetrics()
    async with scripted_broker() as broker:
        settings = gateway_settings(broker.port, telemetry_messages_max=10)
        async with running(make_subscriber(entry, settings, metrics=metrics)):
            line = await broker.line("telemetry")
            line.deliver([(0, TELEMETRY, body(n, BACKGROUND)) for n in range(300)])
            await eventually(lambda: entry.background and number(entry.background[-1]) == 299)
            await eventually(lambda: metrics.dropped)
    numbers = [number(each) for each in entry.background]
    assert len(numbers) + metrics.dropped == 300
    assert numbers == sorted(numbers)
    assert entry.calls == []
    assert line.pubacks == []


async def test_a_flood_of_telemetry_does_not_stand_in_front_of_a_fire(tmp_path: Path) -> None:
    entry = RecordingEntry()
    async with mosquitto_running(tmp_path) as broker, running(make_subscriber(entry, gateway_settings(broker.port))):
        flood = [(TELEMETRY, body(n, BACKGROUND)) for n in range(3_000)]
        flooding = asyncio.create_task(publish(broker.port, flood, qos=0))
        await eventually(lambda: entry.background)
        await publish(broker.port, [(event_topic(), body(1, Urgency.FIRE))])
        await eventually(lambda: entry.numbers == [1], seconds=2)
        await flooding
        await eventually(lambda: len(entry.background) == 3_000)
    assert len(entry.calls) == 1, "telemetry touched the alarm lane"


async def test_what_must_be_decided_reaches_handle_from_the_telemetry_lane_too() -> None:
    entry = RecordingEntry()
    async with scripted_broker() as broker, running(make_subscriber(entry, gateway_settings(broker.port))):
        line = await broker.line("telemetry")
        alarm_line = await broker.line("alarm")
        line.deliver([(0, TELEMETRY, body(1, Urgency.ALARM)), (0, TELEMETRY, body(2, BACKGROUND))])
        await eventually(lambda: entry.numbers == [1] and len(entry.background) == 1)
    assert line.pubacks == alarm_line.pubacks == []


async def test_loose_messages_are_bounded_while_the_database_stalls() -> None:
    entry, metrics = RecordingEntry(), RecordingMetrics()
    entry.stall()
    async with scripted_broker() as broker:
        settings = gateway_settings(broker.port, loose_messages_max=20)
        async with running(make_subscriber(entry, settings, metrics=metrics)):
            line = await broker.line("alarm")
            line.deliver([(1, event_topic(), body(0))])
            await eventually(lambda: entry.calls)
            line.deliver([(0, event_topic(), body(n)) for n in range(1, 101)])
            line.deliver([(2, event_topic(), body(101))])
            await eventually(lambda: len(entry.prepared) == 102)
            entry.resume()
            await eventually(lambda: line.pubacks == [1, 2])
            await eventually(lambda: metrics.dropped == 80)
    assert sorted(entry.numbers) == [0, *range(81, 101), 101]


async def test_a_message_that_makes_prepare_raise_goes_to_quarantine_and_the_lane_goes_on() -> None:
    entry = RecordingEntry()
    async with scripted_broker() as broker, running(make_subscriber(entry, gateway_settings(broker.port))):
        line = await broker.line("alarm")
        line.deliver([(1, event_topic(), b'{"urgency": 99}'), (2, event_topic(), b"[]"), (3, event_topic(), body(3))])
        await eventually(lambda: line.pubacks == [1, 2, 3])
    reasons = [getattr(each.uplink, "reason", None) for each in entry.handled]
    assert sorted(map(str, reasons)) == ["None", "None", "poison"]


async def test_the_broker_tells_what_it_dropped_and_depths_are_reported(tmp_path: Path) -> None:
    entry, metrics = RecordingEntry(), RecordingMetrics()
    entry.stall()
    async with (
        mosquitto_running(tmp_path) as broker,
        running(make_subscriber(entry, gateway_settings(broker.port), metrics=metrics)),
    ):
        await publish_numbers(broker.port, [1])
        await eventually(lambda: entry.calls)
        await publish_numbers(broker.port, range(2, 12))
        await eventually(lambda: (Lane.ALARM, 10) in metrics.depths)
        await eventually(lambda: metrics.broker)
    assert metrics.broker[0] == 0
    assert entry.background == []
