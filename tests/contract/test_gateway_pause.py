"""The gateway stops reading at its own bound, as brokers exceed Receive Maximum; a pause neither loses nor repeats."""

import asyncio
import ssl
from collections.abc import Sequence
from pathlib import Path

import trustme

from alerting.verdicts import Prepared, Urgency, Verdict
from devices.signals import RawMessage
from gateway import Lane, Subscriber
from tests.contract.gateway_support import (
    MQTT311,
    RecordingEntry,
    RecordingMetrics,
    body,
    event_topic,
    eventually,
    gateway_settings,
    make_subscriber,
    mosquitto_running,
    publish,
    publish_numbers,
    running,
)
from tests.contract.scripted_broker import scripted_broker, wiretap

quiet_seconds = 0.2
"""Long enough for messages that must not be read."""
FIRE, ALARM, OTHER, _ = Urgency


class SlowEntry(RecordingEntry):
    """Finishes one message at a time, a turn of the loop each, and notes how many are held whenever one arrives."""

    def __init__(self) -> None:
        super().__init__()
        self.subscriber: Subscriber | None = None
        self.held_most = 0

    def prepare(self, raw: RawMessage) -> Prepared:
        assert self.subscriber is not None
        self.held_most = max(self.held_most, self.subscriber.held + 1)
        return super().prepare(raw)

    async def handle(self, batch: Sequence[Prepared]) -> Sequence[Verdict]:
        for _ in batch:
            await asyncio.sleep(0)
        return await super().handle(batch)


async def test_the_real_broker_exceeds_receive_maximum_and_the_gateway_does_not(tmp_path: Path) -> None:
    entry = SlowEntry()
    urgencies = [OTHER, ALARM, FIRE, ALARM]
    messages = [(event_topic(), body(n, urgencies[n % 4])) for n in range(2_000)]
    async with mosquitto_running(tmp_path) as broker, wiretap(broker.port) as tap:
        settings = gateway_settings(tap.port, receive_maximum=50)
        async with running(subscriber := make_subscriber(entry, settings)):
            entry.subscriber = subscriber
            entry.stall()
            await publish(broker.port, messages)
            await eventually(lambda: subscriber.held == 50)
            entry.resume()
            await eventually(lambda: len(entry.handled) == 2_000, seconds=20)
            await eventually(lambda: len(tap.acknowledged) == 2_000)
    assert entry.held_most == 50
    assert sorted(entry.numbers) == list(range(2_000))
    assert tap.acknowledged == tap.delivered


async def test_on_3_1_1_where_no_broker_is_told_the_bound_holds_too(tmp_path: Path) -> None:
    entry = RecordingEntry()
    entry.stall()
    async with mosquitto_running(tmp_path) as broker:
        settings = gateway_settings(broker.port, receive_maximum=10, protocol_version=MQTT311)
        async with running(make_subscriber(entry, settings)):
            await publish_numbers(broker.port, range(60))
            await eventually(lambda: len(entry.prepared) == 10)
            await asyncio.sleep(quiet_seconds)
            assert len(entry.prepared) == 10
            entry.resume()
            await eventually(lambda: entry.numbers == list(range(60)))


async def test_bytes_bound_the_intake_as_messages_do() -> None:
    entry = RecordingEntry()
    entry.stall()
    async with scripted_broker() as broker:
        settings = gateway_settings(broker.port, intake_bytes_max=10_000)
        async with running(make_subscriber(entry, settings)):
            line = await broker.line("alarm")
            line.deliver([(mid, event_topic(), body(mid).ljust(1_972)) for mid in range(1, 41)])
            await eventually(lambda: len(entry.prepared) == 5)
            await asyncio.sleep(quiet_seconds)
            assert len(entry.prepared) == 5, "five times 1,972 bytes and a topic of 28"
            entry.resume()
            await eventually(lambda: line.pubacks == list(range(1, 41)))
    assert entry.numbers == list(range(1, 41))


async def test_a_pause_amid_a_tls_record_goes_on_where_it_stopped() -> None:
    authority = trustme.CA()
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("localhost").configure_cert(server)
    authority.configure_trust(client)
    entry = RecordingEntry()
    entry.stall()
    async with scripted_broker(server) as broker:
        settings = gateway_settings(broker.port, host="localhost", tls=client, receive_maximum=20)
        async with running(make_subscriber(entry, settings)):
            line = await broker.line("alarm")
            line.deliver([(mid, event_topic(), body(mid)) for mid in range(1, 201)])
            await eventually(lambda: len(entry.prepared) == 20)
            await asyncio.sleep(quiet_seconds)
            assert len(entry.prepared) == 20
            entry.resume()
            await eventually(lambda: line.pubacks == list(range(1, 201)), seconds=3)
    assert entry.numbers == list(range(1, 201))


async def test_a_pause_of_more_than_two_keepalives_keeps_the_connection(tmp_path: Path) -> None:
    entry, metrics = RecordingEntry(), RecordingMetrics()
    entry.stall()
    async with mosquitto_running(tmp_path) as broker:
        settings = gateway_settings(broker.port, receive_maximum=10, keepalive_seconds=2)
        async with running(make_subscriber(entry, settings, metrics=metrics)):
            await publish_numbers(broker.port, range(60))
            await eventually(lambda: len(entry.prepared) == 10)
            await asyncio.sleep(5.5)
            entry.resume()
            await eventually(lambda: entry.numbers == list(range(60)))
            assert [up for lane, up in metrics.up if lane is Lane.ALARM] == [True]


async def test_a_connection_lost_while_paused_comes_back_without_repeating_work() -> None:
    """What the broker delivers again takes the place of what is still in work, however often it happens."""
    lost_times = 2
    entry = RecordingEntry()
    entry.stall()
    async with scripted_broker() as broker:
        settings = gateway_settings(broker.port, receive_maximum=20, keepalive_seconds=1)
        async with running(subscriber := make_subscriber(entry, settings)):
            for nth in range(lost_times + 1):
                line = await broker.line("alarm", nth + 1)
                line.deliver([(nth * 100 + mid, event_topic(), body(mid)) for mid in range(1, 41)])
                await eventually(lambda nth=nth: len(entry.prepared) == 20 * (nth + 1))  # type: ignore[misc]
                await asyncio.sleep(0.05)
                assert subscriber.held == 20
                if nth < lost_times:
                    line.cut()
            entry.resume()
            await eventually(lambda: line.pubacks == [lost_times * 100 + mid for mid in range(1, 41)])
    assert entry.numbers == list(range(1, 41))


async def test_the_broker_restarts_during_a_pause_and_nothing_is_lost_or_repeated(tmp_path: Path) -> None:
    entry = RecordingEntry()
    entry.stall()
    async with mosquitto_running(tmp_path) as broker:
        settings = gateway_settings(broker.port, receive_maximum=20, keepalive_seconds=1)
        async with running(subscriber := make_subscriber(entry, settings)):
            await publish_numbers(broker.port, range(60))
            await eventually(lambda: subscriber.held == 20)
            await broker.stop()
            await eventually(lambda: not subscriber.connected)
            await broker.start()
            await eventually(lambda: subscriber.ready() and subscriber.held == 20)
            entry.resume()
            await eventually(lambda: len(entry.handled) >= 60)
            await eventually(lambda: subscriber.held == 0)
            await asyncio.sleep(quiet_seconds)
    assert sorted(entry.numbers) == list(range(60))
