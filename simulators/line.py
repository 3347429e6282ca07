"""One MQTT connection of a virtual device over paho, kept up until it is stopped. Knows bytes, no meaning."""

import asyncio
import random
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

keepalive_s = 30
"""A device that dies is known dead after one and a half times this."""


@dataclass(frozen=True, slots=True)
class Broker:
    """Where to connect. `protocol` 5 is MQTT 5, 4 is MQTT 3.1.1 (the embedded broker speaks only that)."""

    host: str
    port: int
    tls: ssl.SSLContext | None = None
    protocol: int = 5


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waiting before another try: doubling from `first_s` to `most_s`, each changed by up to `jitter` of itself.

    Source: the delivery rules for devices (1, 2, 4 ... 60 s, +-20 %). `time_scale` below 1 makes a story run faster.
    """

    first_s: float = 1.0
    most_s: float = 60.0
    jitter: float = 0.2
    time_scale: float = 1.0

    def wait_s(self, tries: int) -> float:
        """Seconds to wait after so many tries (1 or more)."""
        plain = min(self.most_s, self.first_s * 2.0 ** min(tries - 1, 16))
        spread = random.uniform(-self.jitter, self.jitter)  # noqa: S311 - spreads load, keeps no secret
        return plain * (1 + spread) * self.time_scale


@dataclass(frozen=True, slots=True)
class LineHooks:
    """What the owner wants to hear, always in the event loop. Instants were read when the packet arrived."""

    up: Callable[[], None]
    message: Callable[[str, bytes, datetime], None]
    puback: Callable[[int, bool, datetime], None]
    """Packet id, whether the broker took it (MQTT 5 reason below 0x80), when."""


class Line:
    """Connections one after the other, each a fresh paho client, with a login, a last will and subscriptions.

    What was unacknowledged when a connection broke is not repeated here: `hooks.up` is the owner's moment to do it.
    """

    def __init__(
        self, broker: Broker, username: str, password: str, hooks: LineHooks, now: Callable[[], datetime]
    ) -> None:
        self.connected = asyncio.Event()
        self.refused: str | None = None
        """The broker's own words when it turns the login down."""
        self._broker = broker
        self._login = (username, password)
        self._hooks = hooks
        self._now = now
        self._loop = asyncio.get_running_loop()
        self._down = asyncio.Event()
        self._client: Client | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._connecting: asyncio.Future[MQTTErrorCode] | None = None
        self._will: tuple[str, bytes, bool] | None = None
        self._subscriptions: list[tuple[str, int]] = []

    def will(self, topic: str, payload: bytes, *, retain: bool) -> None:
        """What the broker says for us when we are gone without a goodbye. Before `start` only."""
        self._will = (topic, payload, retain)

    def subscribe(self, topic_filter: str) -> None:
        """Subscribe at QoS 1 on every connection. Before `start` only."""
        self._subscriptions.append((topic_filter, 1))

    def start(self, backoff: Backoff) -> None:
        """Connect in the background and again whenever the line breaks."""
        assert self._keeper is None
        self._keeper = self._loop.create_task(self._keep_up(backoff))

    def publish(self, topic: str, payload: bytes, *, qos: int, retain: bool = False) -> int | None:
        """Hand one message to the line and return its packet id, or None while the line is down."""
        if self._client is None or not self.connected.is_set():
            return None
        info = self._client.publish(topic, payload, qos, retain)
        return info.mid if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS else None

    async def stop(self) -> None:
        """Say goodbye: no last will."""
        await self._end_keeper()
        if self._client is not None:
            self._client.disconnect()
        await self._retire()

    async def cut(self) -> None:
        """Die without a goodbye: the broker publishes the last will."""
        await self._end_keeper()
        line = self._client.socket() if self._client is not None else None
        if isinstance(line, socket.socket):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        await self._retire()

    async def _keep_up(self, backoff: Backoff) -> None:
        tries = 0
        while True:
            if await self._connect():
                await self._down.wait()
                tries = 0 if self.connected.is_set() else tries
            await self._retire()
            tries += 1
            await asyncio.sleep(backoff.wait_s(tries))

    async def _connect(self) -> bool:
        """A fresh client each time: paho's `loop_start` leaves a socket pair open when called again."""
        self._down.clear()
        client = self._client = self._make_client()
        host, port = self._broker.host, self._broker.port
        self._connecting = self._loop.run_in_executor(None, client.connect, host, port, keepalive_s)
        try:
            await asyncio.shield(self._connecting)
        except OSError:
            return False
        client.loop_start()
        return True

    def _make_client(self) -> Client:
        username, password = self._login
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=username,
            protocol=MQTTProtocolVersion(self._broker.protocol),
            clean_session=None if self._broker.protocol == MQTTProtocolVersion.MQTTv5 else True,
            reconnect_on_failure=False,
        )
        client.username_pw_set(username, password)
        if self._will is not None:
            topic, payload, retain = self._will
            client.will_set(topic, payload, qos=1, retain=retain)
        if self._broker.tls is not None:
            client.tls_set_context(self._broker.tls)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    async def _end_keeper(self) -> None:
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._connecting is not None:  # a thread cannot be cancelled: let it finish before the line goes
            await asyncio.gather(self._connecting, return_exceptions=True)
        self._keeper = None

    async def _retire(self) -> None:
        """End the client's thread and let go of it, so that its sockets close now and not at some collection."""
        client, self._client = self._client, None
        self.connected.clear()
        if client is None:
            return
        await asyncio.to_thread(client.loop_stop)
        client.on_connect = client.on_disconnect = client.on_subscribe = None
        client.on_message = client.on_publish = None

    def _tell(self, what: Callable[..., None], *words: object) -> None:
        with suppress(RuntimeError):  # the loop may be closed while paho's thread still speaks
            self._loop.call_soon_threadsafe(what, *words)

    def _on_connect(self, client: Client, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        if reason.is_failure:
            self._tell(self._set_refused, str(reason))
            return
        if self._subscriptions:
            client.subscribe(list(self._subscriptions))
        else:
            self._tell(self._set_up)

    def _on_subscribe(self, _c: Client, _u: Any, _mid: int, _reasons: list[ReasonCode], _p: Any) -> None:
        """Up only now: a receipt that the broker sends from here on reaches us."""
        self._tell(self._set_up)

    def _set_refused(self, words: str) -> None:
        self.refused = words

    def _set_up(self) -> None:
        if self._client is None:
            return
        self.refused = None
        self.connected.set()
        self._hooks.up()

    def _on_disconnect(self, _c: Client, _u: Any, _f: Any, _reason: ReasonCode, _p: Any) -> None:
        self._tell(self._down.set)

    def _on_message(self, _c: Client, _u: Any, message: MQTTMessage) -> None:
        self._tell(self._hooks.message, message.topic, message.payload, self._now())

    def _on_publish(self, _c: Client, _u: Any, mid: int, reason: ReasonCode, _p: Any) -> None:
        self._tell(self._hooks.puback, mid, not reason.is_failure, self._now())
