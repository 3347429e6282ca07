"""A small MQTT client for looking at a broker from outside; it is not our gateway and shares nothing with it."""

import asyncio
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from tests.support.mosquitto import Login

answer_seconds_max = 10.0
session_expiry_seconds = 3600


class Refused(Exception):
    """The broker's CONNACK said no; the text is its reason."""


@dataclass(frozen=True, slots=True)
class Received:
    """One message as it arrived."""

    topic: str
    payload: bytes
    retained: bool


@dataclass(frozen=True, slots=True)
class Will:
    """A last will at QoS 1."""

    topic: str
    payload: bytes
    retain: bool


class Probe:
    """One connection. Messages wait in `inbox`; `closed` is set when the broker cuts the line."""

    def __init__(self, client_id: str, login: Login | None, version: int, clean: bool) -> None:
        self.loop = asyncio.get_running_loop()
        self.inbox: asyncio.Queue[Received] = asyncio.Queue()
        self.closed = asyncio.Event()
        self._clean = clean
        self._version = version
        self._connected: asyncio.Future[str] = self.loop.create_future()
        self._answers: dict[tuple[str, int], asyncio.Future[int]] = {}
        self._client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=client_id,
            protocol=MQTTProtocolVersion(version),
            clean_session=clean if version == MQTTProtocolVersion.MQTTv311 else None,
            reconnect_on_failure=False,
        )
        if login is not None:
            self._client.username_pw_set(login.username, login.secret)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_message = self._on_message
        self._client.on_subscribe = self._on_subscribe
        self._client.on_publish = self._on_publish

    @classmethod
    async def connect(
        cls,
        port: int,
        login: Login | None,
        *,
        client_id: str = "",
        version: int = 4,
        clean: bool = True,
        will: Will | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> Self:
        """Connect to localhost (`version` 4 is MQTT 3.1.1, 5 is MQTT 5). Raises Refused with the broker's reason."""
        probe = cls(client_id or (login.username if login else "nobody"), login, version, clean)
        if will is not None:
            probe._client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        if tls is not None:
            probe._client.tls_set_context(tls)
        await asyncio.to_thread(probe._open, "localhost" if tls else "127.0.0.1", port)
        reason = await asyncio.wait_for(probe._connected, answer_seconds_max)
        if reason != "Success":
            await probe.close()
            raise Refused(reason)
        return probe

    async def subscribe(self, topic_filter: str, qos: int = 1) -> int:
        """Subscribe and return the SUBACK reason code: below 128 is granted."""
        _, mid = self._client.subscribe(topic_filter, qos)
        return await self._answer("suback", mid or 0)

    async def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Publish at QoS 1 and return the PUBACK reason code (always 0 with MQTT 3.1.1)."""
        info = self._client.publish(topic, payload, qos=1, retain=retain)
        return await self._answer("puback", info.mid)

    async def next(self) -> Received:
        """The next message; TimeoutError if none comes."""
        return await asyncio.wait_for(self.inbox.get(), answer_seconds_max)

    async def close(self) -> None:
        """Say goodbye: no last will."""
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)

    async def cut(self) -> None:
        """Cut the line without a goodbye: the broker publishes the last will."""
        line = self._client.socket()
        assert isinstance(line, socket.socket)
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        await asyncio.to_thread(self._client.loop_stop)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def _open(self, host: str, port: int) -> None:
        if self._version == MQTTProtocolVersion.MQTTv5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 0 if self._clean else session_expiry_seconds
            self._client.connect(host, port, clean_start=self._clean, properties=properties)
        else:
            self._client.connect(host, port)
        self._client.loop_start()

    async def _answer(self, kind: str, mid: int) -> int:
        return await asyncio.wait_for(self._waiting(kind, mid), answer_seconds_max)

    def _waiting(self, kind: str, mid: int) -> asyncio.Future[int]:
        return self._answers.setdefault((kind, mid), self.loop.create_future())

    def _tell(self, kind: str, mid: int, reason: ReasonCode) -> None:
        def settle() -> None:
            future = self._waiting(kind, mid)
            if not future.done():
                future.set_result(reason.value)

        self.loop.call_soon_threadsafe(settle)

    def _on_connect(self, _c: Client, _u: Any, _f: Any, reason: ReasonCode, _p: Any) -> None:
        def settle() -> None:
            if not self._connected.done():
                self._connected.set_result(str(reason))

        self.loop.call_soon_threadsafe(settle)

    def _on_disconnect(self, _c: Client, _u: Any, _f: Any, _reason: ReasonCode, _p: Any) -> None:
        with suppress(RuntimeError):  # the test's loop may be over
            self.loop.call_soon_threadsafe(self.closed.set)

    def _on_message(self, _c: Client, _u: Any, message: MQTTMessage) -> None:
        received = Received(message.topic, bytes(message.payload), message.retain)
        self.loop.call_soon_threadsafe(self.inbox.put_nowait, received)

    def _on_subscribe(self, _c: Client, _u: Any, mid: int, reasons: list[ReasonCode], _p: Any) -> None:
        self._tell("suback", mid, reasons[0])

    def _on_publish(self, _c: Client, _u: Any, mid: int, reason: ReasonCode, _p: Any) -> None:
        self._tell("puback", mid, reason)
