"""One MQTT connection on the event loop, through paho's public external-loop calls, kept up for ever.

Never blocks the loop, never acknowledges by itself, never knows what a message means.
"""

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from gateway.backoff import Backoff
from gateway.opening import connect_in_thread, discard, new_client
from gateway.outbox import PINGREQ, Outbox, encode_puback, encode_publication
from gateway.settings import GatewaySettings, LaneSettings

backoff_first_seconds = 0.1
backoff_ceiling_seconds = 10.0
stable_seconds = 5.0
"""A connection that held this long starts its next reconnects quickly again; two gateways that steal one client id
from each other never get there."""
misc_seconds = 1.0

log = logging.getLogger(__name__)


class Receiver(Protocol):
    """Who owns a connection. Every call comes on the event loop and must return at once."""

    def session_began(self, generation: int) -> None:
        """CONNACK was received; the messages that follow belong to `generation`."""
        ...

    def message_arrived(self, generation: int, message: MQTTMessage) -> None: ...

    def connection_changed(self, up: bool) -> None:
        """True: all required subscriptions were granted. False: the connection was lost."""
        ...


class ConnectionRefusedByBroker(Exception):
    """CONNACK or SUBACK said no, or the connection fell before they came."""


class MqttConnection:
    """`run` connects, subscribes, reads and reconnects until it is cancelled or `close` is called.

    Each attempt gets a fresh paho client: an attempt that is given up owns a client that nobody else sees. While the
    connecting thread runs, the loop does not touch the client; from CONNACK on, only the loop does.

    Acknowledgements and publications are written to paho's socket by our own `Outbox`, only between whole packets of
    paho's; everything else is paho's.
    """

    def __init__(
        self, broker: GatewaySettings, lane: LaneSettings, receiver: Receiver, random: Callable[[], float]
    ) -> None:
        self._broker = broker
        self._lane = lane
        self._receiver = receiver
        self._backoff = Backoff(backoff_first_seconds, backoff_ceiling_seconds, random)
        self._attempt: _Attempt | None = None
        self._session: Client | None = None
        self._watched: socket.socket | None = None
        self._is_v5 = broker.protocol_version is MQTTProtocolVersion.MQTTv5
        self._outbox = Outbox()
        self._writer_set = False
        self.reading_behind = False
        """The last turn of reading ended by its bounds: there is more."""
        self._reading_stopped = False
        self._paused = False
        self._pinged_mono = 0.0
        self._closing = False
        self._packets = 0
        self.generation = 0
        """Sessions that the broker has accepted so far; a message id means something only within one of them."""
        self.connected = False

    # -- life ---------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Never returns before `close`. Raises only for a programmer's error in a callback."""
        while not self._closing:
            try:
                await self._try_once()
            except (OSError, TimeoutError, ConnectionRefusedByBroker) as fault:
                log.warning("%s lane not connected: %s", self._lane.lane, str(fault) or type(fault).__name__)
            if not self._closing:
                await asyncio.sleep(self._backoff.next_delay())

    def close(self) -> None:
        """Write what is queued, then DISCONNECT; `run` returns once that has left. The broker keeps the session."""
        self._closing = True
        self._request_write()

    def stop_reading(self) -> None:
        """Leave further messages to the broker; acknowledgements still go out."""
        self._reading_stopped = True
        if self._watched is not None:
            asyncio.get_running_loop().remove_reader(self._watched.fileno())

    def pause_reading(self) -> None:
        """Read nothing more until `resume_reading`, however long: the broker keeps the rest, and the connection. A
        connection that is still being made is read until its subscriptions are granted."""
        self._paused = True

    def resume_reading(self) -> None:
        if not self._paused:
            return
        self._paused = False
        attempt = self._attempt
        if attempt is not None and self._watched is not None and not self._reading_stopped:
            loop = asyncio.get_running_loop()
            loop.add_reader(self._watched.fileno(), self._guarded, self._read, attempt)
            loop.call_soon(self._guarded, self._read, attempt)  # for bytes inside the TLS object

    async def _try_once(self) -> None:
        """One connection from the first byte to the last."""
        attempt = self._attempt = _Attempt(new_client(self._broker, self._lane))
        self._attach(attempt)
        self._outbox.begin()
        try:
            async with asyncio.timeout(self._broker.connect_seconds_max):
                await connect_in_thread(attempt.client, self._broker, self._lane)
                self._watch(attempt)
                refusal = await attempt.granted
            if refusal is not None:
                raise ConnectionRefusedByBroker(refusal)
            await self._hold(attempt)
        finally:
            self._unwatch()
            self._session = self._attempt = None
            discard(attempt.client)

    async def _hold(self, attempt: "_Attempt") -> None:
        self.connected = True
        self._receiver.connection_changed(True)
        since = time.monotonic()
        log.info("%s lane connected, session %d", self._lane.lane, self.generation)
        try:
            reason = await attempt.lost
        finally:
            self.connected = False
            self._receiver.connection_changed(False)
        if time.monotonic() - since >= stable_seconds:
            self._backoff.reset()
        if not self._closing:
            log.warning("%s lane lost its connection: %s", self._lane.lane, reason)

    # -- what the owner may do ------------------------------------------------------------------------------------

    def ack(self, generation: int, mid: int) -> bool:
        """Queue a PUBACK. False, and nothing sent, when `mid` belongs to a session that is gone."""
        if self._session is None or generation != self.generation:
            return False
        self._outbox.add_urgent(encode_puback(mid))
        self._request_write()
        return True

    def publish(self, topic: str, payload: bytes) -> None:
        """Queue a publication at QoS 0. Without a session it waits for the next one; too many drop the oldest."""
        self._outbox.add_publication(encode_publication(topic, payload, self._is_v5))
        self._request_write()

    def publish_once(self, topic: str, payload: bytes, expires_s: int) -> bool:
        """Hand a publication at QoS 1 to the present session; False without one. Whoever asks tries again: what a lost
        connection takes with it is not sent anew here. A broker of MQTT 5 drops it after `expires_s`."""
        if self._session is None or not self.connected:
            return False
        told = None
        if self._is_v5:
            told = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
            told.MessageExpiryInterval = expires_s
        return self._session.publish(topic, payload, qos=1, properties=told).rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    # -- paho's callbacks: on the loop, but for the first register_write, which the connecting thread calls --------

    def _attach(self, attempt: "_Attempt") -> None:
        client = attempt.client
        client.on_connect = lambda _client, _data, _flags, reason, _props: self._on_connect(attempt, reason)
        client.on_subscribe = lambda _client, _data, _mid, reasons, _props: _settle(
            attempt.granted, self._refusal(reasons)
        )
        client.on_disconnect = lambda _client, _data, _flags, reason, _props: self._on_disconnect(attempt, reason)
        client.on_message = self._on_message
        client.on_socket_close = lambda _client, _data, _sock: self._unwatch()
        client.on_socket_register_write = lambda _client, _data, _sock: self._want_write(attempt)

    def _on_connect(self, attempt: "_Attempt", reason: ReasonCode) -> None:
        if reason.is_failure:
            _settle(attempt.granted, f"CONNACK: {reason}")
            return
        self.generation += 1
        self._session = attempt.client
        self._receiver.session_began(self.generation)
        self._subscribe(attempt.client)

    def _subscribe(self, client: Client) -> None:
        """Every filter in one packet, after every CONNACK: a broker may have lost the session. Default retain
        handling, so that retained last wills are seen."""
        if self._is_v5:
            client.subscribe([(each.topic, SubscribeOptions(qos=each.qos)) for each in self._lane.filters])
        else:
            client.subscribe([(each.topic, each.qos) for each in self._lane.filters])

    def _refusal(self, reasons: Sequence[ReasonCode]) -> str | None:
        refused = [each for each, reason in zip(self._lane.filters, reasons, strict=True) if reason.is_failure]
        for each in refused:
            log.warning("%s lane: the broker refuses the subscription to %s", self._lane.lane, each.topic)
        required = [each.topic for each in refused if each.required]
        return f"subscription refused: {', '.join(required)}" if required else None

    def _on_disconnect(self, attempt: "_Attempt", reason: ReasonCode) -> None:
        self._session = None
        _settle(attempt.granted, f"lost before the subscriptions were granted: {reason}")
        _settle(attempt.lost, str(reason))

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._packets += 1
        self._receiver.message_arrived(self.generation, message)

    # -- the socket -----------------------------------------------------------------------------------------------

    def _watch(self, attempt: "_Attempt") -> None:
        sock = attempt.client.socket()
        if not isinstance(sock, socket.socket):
            raise ConnectionRefusedByBroker("the connection was closed while it was opened")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._watched = sock
        loop = asyncio.get_running_loop()
        if not self._reading_stopped:
            loop.add_reader(sock.fileno(), self._guarded, self._read, attempt)
        self._want_write(attempt)  # CONNECT is queued
        loop.call_later(misc_seconds, self._on_tick, attempt)

    def _unwatch(self) -> None:
        if self._watched is not None:
            loop = asyncio.get_running_loop()
            loop.remove_reader(self._watched.fileno())
            loop.remove_writer(self._watched.fileno())
            self._watched = None
        self._writer_set = False

    def _want_write(self, attempt: "_Attempt") -> None:
        """Not before `_watch`: the connecting thread has no business with the loop."""
        if attempt is self._attempt and self._watched is not None and not self._writer_set:
            self._writer_set = True
            fileno = self._watched.fileno()
            asyncio.get_running_loop().add_writer(fileno, self._guarded, self._write, attempt)

    def _request_write(self) -> None:
        if self._session is not None and self._attempt is not None:
            self._want_write(self._attempt)

    def _guarded(self, work: Callable[["_Attempt"], None], attempt: "_Attempt") -> None:
        if attempt is not self._attempt:
            return
        try:
            work(attempt)
        except Exception as fault:  # noqa: BLE001 - top of a loop callback: carried to run(), which raises it
            attempt.fail(fault)

    def _read(self, attempt: "_Attempt") -> None:
        """Read until the socket is empty, for a few milliseconds at most. paho reads one packet a call (or one for
        each publication in flight) and ignores its own `max_packets`."""
        self.reading_behind = False
        limit = self._packets + self._lane.read_messages_max
        deadline = time.monotonic() + self._lane.read_seconds_max
        while not self._held_back(attempt):
            before = self._packets
            if attempt.client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return
            pending = _pending(attempt.client)
            if self._packets == before and not pending:
                return
            if self._packets >= limit or time.monotonic() >= deadline:
                self.reading_behind = True
                if pending:  # bytes inside the TLS object never make the socket readable again
                    asyncio.get_running_loop().call_soon(self._guarded, self._read, attempt)
                return
        if self._watched is not None:
            asyncio.get_running_loop().remove_reader(self._watched.fileno())

    def _held_back(self, attempt: "_Attempt") -> bool:
        return self._reading_stopped or (self._paused and attempt.granted.done())

    def _write(self, attempt: "_Attempt") -> None:
        """Paho's packets and ours, never one inside the other; DISCONNECT when nothing else is left."""
        client = attempt.client
        if not self._outbox.is_mid_packet():
            client.loop_write()
            if client.want_write():
                return
        if self._session is client and not self._outbox.is_empty():
            self._send(attempt)
        more = client.want_write() or (self._session is not None and not self._outbox.is_empty())
        if more or self._watched is None:
            return
        self._writer_set = False
        asyncio.get_running_loop().remove_writer(self._watched.fileno())
        if self._closing and self._session is not None:
            self._session.disconnect()

    def _send(self, attempt: "_Attempt") -> None:
        sock = attempt.client.socket()
        if not isinstance(sock, socket.socket):
            return
        try:
            self._outbox.send(sock)
        except OSError as fault:
            self._session = None
            _settle(attempt.granted, str(fault))
            _settle(attempt.lost, str(fault))

    def _keep_alive(self, attempt: "_Attempt") -> None:
        """While nothing is read, paho would miss the PINGRESP and give the connection up: then only we ping."""
        if not self._held_back(attempt):
            attempt.client.loop_misc()
        elif time.monotonic() - self._pinged_mono >= self._broker.keepalive_seconds:
            self._pinged_mono = time.monotonic()
            self._outbox.add_urgent(PINGREQ)
            self._request_write()

    def _on_tick(self, attempt: "_Attempt") -> None:
        """paho's keepalive: a ping when idle, and the end of a connection that no longer answers."""
        if attempt is self._attempt:
            self._guarded(self._keep_alive, attempt)
            asyncio.get_running_loop().call_later(misc_seconds, self._on_tick, attempt)


class _Attempt:
    """One paho client and what became of it. Made on the loop."""

    def __init__(self, client: Client) -> None:
        loop = asyncio.get_running_loop()
        self.client = client
        self.granted: asyncio.Future[str | None] = loop.create_future()
        """None: all required subscriptions were granted; else why not."""
        self.lost: asyncio.Future[str] = loop.create_future()

    def fail(self, fault: Exception) -> None:
        waited_for: asyncio.Future[Any] = self.lost if self.granted.done() else self.granted
        if not waited_for.done():
            waited_for.set_exception(fault)


def _pending(client: Client) -> int:
    """Decrypted bytes that wait inside the TLS object."""
    sock = client.socket()
    return sock.pending() if isinstance(sock, ssl.SSLSocket) else 0


def _settle(future: "asyncio.Future[Any]", result: str | None) -> None:
    if not future.done():
        future.set_result(result)
