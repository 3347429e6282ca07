"""The connection under trouble: TLS bursts, peers that never answer, refusals, broker restarts; traps (b) and (c)."""

import asyncio
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from paho.mqtt.client import MQTTMessage

from devices.signals import RawMessage
from gateway import Filter, Lane
from gateway.connection import MqttConnection
from gateway.settings import OWN_ALARM_FILTERS
from gengfu.broker.child import free_port
from tests.contract.gateway_support import (
    MQTT311,
    RecordingEntry,
    RecordingMetrics,
    body,
    event_topic,
    eventually,
    gateway_settings,
    loop_lag,
    make_subscriber,
    mosquitto_running,
    publish,
    publish_numbers,
    running,
)
from tests.contract.scripted_broker import scripted_broker

lag_seconds_max = 0.5


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def trusting(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


async def test_a_burst_in_one_tls_record_arrives_without_stalling(authority: trustme.CA) -> None:
    """Trap (b): once decrypted, the rest of the record never makes the socket readable again."""
    entry = RecordingEntry()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    async with scripted_broker(context) as broker:
        settings = gateway_settings(broker.port, host="localhost", tls=trusting(authority))
        async with running(make_subscriber(entry, settings)):
            line = await broker.line("alarm")
            packets = [(mid, event_topic(), body(mid)) for mid in range(1, 251)]
            line.deliver(packets)
            await eventually(lambda: len(entry.handled) == 250, seconds=3)
            await eventually(lambda: line.pubacks == list(range(1, 251)), seconds=3)


async def test_tls_with_the_real_broker(tmp_path: Path, authority: trustme.CA) -> None:
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls_port = free_port()
    lines = [f"listener {tls_port} 127.0.0.1", f"certfile {tmp_path}/cert.pem", f"keyfile {tmp_path}/key.pem"]
    entry = RecordingEntry()
    async with mosquitto_running(tmp_path, lines) as broker:
        settings = gateway_settings(tls_port, host="localhost", tls=trusting(authority))
        async with running(make_subscriber(entry, settings)):
            await publish_numbers(broker.port, range(400))
            await eventually(lambda: sorted(entry.numbers) == list(range(400)))
        stranger = RecordingEntry()
        settings = gateway_settings(tls_port, host="localhost", tls=ssl.create_default_context())
        async with running(subscriber := make_subscriber(stranger, settings), ready=False):
            await asyncio.sleep(0.3)
            assert not subscriber.connected, "a certificate of an unknown authority was trusted"


@pytest.fixture
def black_hole() -> Iterator[socket.socket]:
    """Accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener


@pytest.mark.parametrize("tls", [False, True])
async def test_a_peer_that_never_answers_leaves_the_loop_responsive(tls: bool, black_hole: socket.socket) -> None:
    """Trap (c): under TLS the handshake itself blocks, without it CONNACK never comes."""
    settings = gateway_settings(
        black_hole.getsockname()[1], connect_seconds_max=1.2, tls=ssl.create_default_context() if tls else None
    )
    subscriber = make_subscriber(RecordingEntry(), settings)
    async with running(subscriber, ready=False):
        assert await loop_lag(3.0) < lag_seconds_max
        assert not subscriber.ready()
    black_hole.setblocking(False)
    attempts = 0
    while attempts < 4:
        black_hole.accept()[0].close()  # BlockingIOError: it did not try again
        attempts += 1


async def test_a_process_that_stops_while_connecting_ends_at_once(black_hole: socket.socket) -> None:
    settings = gateway_settings(black_hole.getsockname()[1], tls=ssl.create_default_context(), connect_seconds_max=2.0)
    subscriber = make_subscriber(RecordingEntry(), settings)
    async with running(subscriber, ready=False):
        await asyncio.sleep(0.1)
        await asyncio.wait_for(subscriber.stop(), 1)


class _Silent:
    """A receiver that only notes the sessions."""

    def __init__(self) -> None:
        self.generations: list[int] = []

    def session_began(self, generation: int) -> None:
        self.generations.append(generation)

    def message_arrived(self, generation: int, message: MQTTMessage) -> None:
        return None

    def connection_changed(self, up: bool) -> None:
        return None


async def test_an_id_of_an_earlier_session_is_never_acknowledged() -> None:
    """Trap (a): whatever the owner asks for, the connection knows which session is open."""
    receiver = _Silent()
    async with scripted_broker() as broker:
        settings = gateway_settings(broker.port)
        connection = MqttConnection(settings, settings.lane(Lane.ALARM), receiver, lambda: 0.1)
        run = asyncio.create_task(connection.run())
        await eventually(lambda: connection.connected)
        (await broker.line("alarm", 1)).cut()
        await eventually(lambda: not connection.connected)
        assert not connection.ack(1, 7)
        await eventually(lambda: connection.connected)
        assert not connection.ack(1, 7)
        assert connection.ack(2, 8)
        line = await broker.line("alarm", 2)
        await eventually(lambda: line.pubacks)
        connection.close()
        await asyncio.wait_for(run, 2)
    assert line.pubacks == [8]
    assert line.disconnected_politely
    assert receiver.generations == [1, 2]


async def test_half_a_packet_on_a_lost_connection_does_not_spoil_the_next() -> None:
    async with scripted_broker() as broker:
        settings = gateway_settings(broker.port)
        connection = MqttConnection(settings, settings.lane(Lane.ALARM), _Silent(), lambda: 0.1)
        run = asyncio.create_task(connection.run())
        await eventually(lambda: connection.connected)
        before = await broker.line("alarm", 1)
        broker.hearing.clear()
        for _ in range(20):
            connection.publish("big", b"x" * 1_000_000)  # more than the socket takes
        await asyncio.sleep(0.2)
        assert connection.ack(1, 7), "queued behind the half packet"
        before.cut()
        await eventually(lambda: not connection.connected)
        broker.hearing.set()
        after = await broker.line("alarm", 2)
        connection.publish("small", b"whole")
        await eventually(lambda: after.publications)
        connection.close()
        await asyncio.wait_for(run, 2)
    assert after.publications == [("small", b"whole")]
    assert after.pubacks == []
    assert after.disconnected_politely


async def test_the_client_id_from_outside_is_used_as_it_is() -> None:
    async with scripted_broker() as broker:
        settings = gateway_settings(broker.port, client_id="gengfu-9f3A.b_7")
        async with running(make_subscriber(RecordingEntry(), settings)):
            assert {line.client_id for line in broker.lines} == {"gengfu-9f3A.b_7-alarm", "gengfu-9f3A.b_7-telemetry"}


async def test_a_refused_login_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    entry = RecordingEntry()
    async with scripted_broker() as broker:
        broker.connack_reason = 0x87
        settings = gateway_settings(broker.port, username="gengfu", password="a-secret-word")
        subscriber = make_subscriber(entry, settings)
        async with running(subscriber, ready=False):
            await eventually(lambda: "Not authorized" in caplog.text)
            assert not subscriber.connected
            broker.connack_reason = 0
            await eventually(subscriber.ready)
    assert "a-secret-word" not in caplog.text + repr(settings)


async def test_a_lane_without_its_required_subscriptions_is_not_ready() -> None:
    async with scripted_broker() as broker:
        broker.refused_filters = {OWN_ALARM_FILTERS[0].topic, "$SYS/broker/publish/messages/dropped"}
        subscriber = make_subscriber(RecordingEntry(), gateway_settings(broker.port))
        async with running(subscriber, ready=False):
            await broker.line("alarm", 2)
            assert not subscriber.connected
            broker.refused_filters -= {OWN_ALARM_FILTERS[0].topic}
            await eventually(subscriber.ready)


async def test_the_broker_restarts_and_nothing_is_lost(tmp_path: Path) -> None:
    entry, metrics = RecordingEntry(), RecordingMetrics()
    entry.stall()
    async with mosquitto_running(tmp_path) as broker:
        subscriber = make_subscriber(entry, gateway_settings(broker.port), metrics=metrics)
        async with running(subscriber):
            await publish_numbers(broker.port, range(40))
            await eventually(lambda: len(entry.prepared) == 40)
            await broker.stop()
            await eventually(lambda: not subscriber.connected)
            await broker.start()
            await eventually(subscriber.ready)
            await publish_numbers(broker.port, range(40, 60))
            await eventually(lambda: len(entry.prepared) >= 60)
            entry.resume()
            await eventually(lambda: sorted(entry.numbers) == list(range(60)))
        second = RecordingEntry()
        async with running(make_subscriber(second, gateway_settings(broker.port))):
            await publish_numbers(broker.port, [99])
            await eventually(lambda: second.numbers)
        assert second.numbers == [99], "messages were handled and never acknowledged"


async def test_what_came_while_we_were_away_is_delivered_to_the_persistent_session(tmp_path: Path) -> None:
    async with mosquitto_running(tmp_path) as broker:
        for version in ({}, {"protocol_version": MQTT311, "client_id": "gengfu-311"}):
            settings = gateway_settings(broker.port, **version)
            entry = RecordingEntry()
            async with running(subscriber := make_subscriber(RecordingEntry(), settings)):
                await subscriber.stop()
            await publish_numbers(broker.port, range(10))
            async with running(make_subscriber(entry, settings)):
                await eventually(lambda entry=entry: entry.numbers == list(range(10)))  # type: ignore[misc]


async def test_a_retained_last_will_is_seen_and_marked(tmp_path: Path) -> None:
    entry = RecordingEntry()
    async with mosquitto_running(tmp_path) as broker:
        topic = "gengfu/v1/smoke-0001/up/status"
        await publish(broker.port, [(topic, b"offline")], retain=True)
        async with running(make_subscriber(entry, gateway_settings(broker.port))):
            await eventually(lambda: entry.handled)
            await publish(broker.port, [(topic, b"online")])
            await eventually(lambda: len(entry.handled) == 2)
    raws: list[RawMessage] = [each.raw for each in entry.handled]
    assert [(raw.payload, raw.retained) for raw in raws] == [(b"offline", True), (b"online", False)]
    assert all(raw.received_mono > 0 and raw.received_at.tzinfo is not None for raw in raws)


async def test_a_foreign_source_shares_the_lane_it_was_given(tmp_path: Path) -> None:
    entry = RecordingEntry()
    async with mosquitto_running(tmp_path) as broker:
        filters = (*OWN_ALARM_FILTERS, Filter("zigbee2mqtt/home/#", 1))
        async with running(make_subscriber(entry, gateway_settings(broker.port, alarm_filters=filters))):
            await publish(broker.port, [("zigbee2mqtt/home/kitchen", body(7))])
            await eventually(lambda: entry.numbers == [7])
