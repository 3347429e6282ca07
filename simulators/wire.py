"""MQTT 3.1.1 for load: one connection that publishes tens of thousands a second by writing whole batches at once.

Written because a generator must not cost more than what it measures. Single devices speak through `simulators.line`.
Source: MQTT 3.1.1 (OASIS), sections 3.1 to 3.14. Knows packets, no meaning; never reconnects by itself.
"""

import asyncio
import ssl
import struct
from collections.abc import Callable
from typing import cast

_CONNECT, _CONNACK, _PUBLISH, _PUBACK = 0x10, 0x20, 0x30, 0x40
_SUBSCRIBE, _SUBACK = 0x82, 0x90
_PINGREQ, _DISCONNECT = b"\xc0\x00", b"\xe0\x00"
_REFUSALS = {1: "protocol refused", 2: "client id refused", 3: "unavailable", 4: "bad login", 5: "not authorised"}
packet_id_max = 65_535
keepalive_s = 30
remaining_length_bytes_max = 4


class WireError(Exception):
    """The broker said no, or something that is not MQTT."""


def _length(value: int) -> bytes:
    encoded = bytearray()
    while True:
        value, digit = divmod(value, 128)
        encoded.append(digit | 0x80 if value else digit)
        if not value:
            return bytes(encoded)


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">H", len(data)) + data


def _connect_packet(client_id: str, username: str, password: str) -> bytes:
    """Clean session, no will."""
    head = _text("MQTT") + bytes([4, 0b1100_0010]) + struct.pack(">H", keepalive_s)
    body = head + _text(client_id) + _text(username) + _text(password)
    return bytes([_CONNECT]) + _length(len(body)) + body


class Wire(asyncio.Protocol):
    """One connection. `publish` only fills a buffer; `flush` writes it. Callbacks run in the event loop.

    on_puback: packet id of a message the broker has taken. on_message: topic and payload (QoS 1 is acknowledged).
    """

    def __init__(
        self,
        on_puback: Callable[[int], None] | None = None,
        on_message: Callable[[str, bytes], None] | None = None,
    ) -> None:
        self.closed = asyncio.Event()
        self.in_flight: set[int] = set()
        self._on_puback = on_puback
        self._on_message = on_message
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._out: list[bytes] = []
        self._received = bytearray()
        self._last_id = 0
        self._may_write = asyncio.Event()
        self._may_write.set()
        self._room = asyncio.Event()
        self._connack: asyncio.Future[int] = self._loop.create_future()
        self._suback: asyncio.Future[int] | None = None
        self._ping: asyncio.TimerHandle | None = None

    async def connect(
        self,
        host: str,
        port: int,
        client_id: str,
        username: str,
        password: str,
        tls: ssl.SSLContext | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        """Open the connection. OSError when nobody listens, WireError when the broker refuses, TimeoutError."""
        async with asyncio.timeout(timeout_s):
            await self._loop.create_connection(lambda: self, host, port, ssl=tls)
            self._write(_connect_packet(client_id, username, password))
            code = await self._connack
        if code != 0:
            self.abort()
            raise WireError(f"the broker refused the connection: {_REFUSALS.get(code, code)}")
        self._keep_alive()

    async def subscribe(self, topic_filter: str, timeout_s: float = 10.0) -> None:
        """Subscribe at QoS 1. WireError when the broker refuses."""
        self._suback = self._loop.create_future()
        body = struct.pack(">H", self._next_id()) + _text(topic_filter) + b"\x01"
        self._write(bytes([_SUBSCRIBE]) + _length(len(body)) + body)
        code = await asyncio.wait_for(self._suback, timeout_s)
        if code > 2:
            raise WireError(f"the broker refused the subscription to {topic_filter}")

    def publish(self, topic: bytes, payload: bytes, qos: int = 1) -> int:
        """Put one message in the buffer; its packet id, or 0 for QoS 0. Nothing leaves before `flush`."""
        if qos == 0:
            body = struct.pack(">H", len(topic)) + topic + payload
            self._out.append(bytes([_PUBLISH]) + _length(len(body)) + body)
            return 0
        packet_id = self._next_id()
        self.in_flight.add(packet_id)
        body = struct.pack(">H", len(topic)) + topic + struct.pack(">H", packet_id) + payload
        self._out.append(bytes([_PUBLISH | 0x02]) + _length(len(body)) + body)
        return packet_id

    async def flush(self) -> None:
        """Write the buffer and wait while the socket is full. Does nothing once the connection is closed."""
        if self._out:
            self._write(b"".join(self._out))
            self._out.clear()
        await self._may_write.wait()

    async def below(self, window: int) -> None:
        """Wait until fewer than `window` messages are unacknowledged, or the connection is closed."""
        while len(self.in_flight) >= window and not self.closed.is_set():
            self._room.clear()
            await self._room.wait()

    async def close(self) -> None:
        """Send what is left, say goodbye and wait for the end."""
        await self.flush()
        self._write(_DISCONNECT)
        if self._transport is not None:
            self._transport.close()
            await self.closed.wait()

    def abort(self) -> None:
        """Drop the line without a goodbye."""
        if self._transport is not None:
            self._transport.abort()

    def _next_id(self) -> int:
        for _ in range(packet_id_max):
            self._last_id = self._last_id % packet_id_max + 1
            if self._last_id not in self.in_flight:
                return self._last_id
        raise WireError("every packet id is in flight")

    def _write(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _keep_alive(self) -> None:
        self._write(_PINGREQ)
        self._ping = self._loop.call_later(keepalive_s / 2, self._keep_alive)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no subclass of it

    def connection_lost(self, exc: Exception | None) -> None:
        if self._ping is not None:
            self._ping.cancel()
        for waiting in (self._connack, self._suback):
            if waiting is not None and not waiting.done():
                waiting.set_exception(WireError("the broker closed the connection"))
                waiting.exception()  # nobody may be waiting for it; then it must not be reported as forgotten
        self.closed.set()
        self._may_write.set()
        self._room.set()

    def pause_writing(self) -> None:
        self._may_write.clear()

    def resume_writing(self) -> None:
        self._may_write.set()

    def data_received(self, data: bytes) -> None:
        buffer = self._received
        buffer += data
        at, end = 0, len(buffer)
        while end - at >= 2:
            size, digits = self._remaining_length(at, end)
            if digits == 0 or end - at < 1 + digits + size:
                break
            start = at + 1 + digits
            self._take(buffer[at], bytes(buffer[start : start + size]))
            at = start + size
        del buffer[:at]

    def _remaining_length(self, at: int, end: int) -> tuple[int, int]:
        """The packet's length and how many bytes say it; no bytes while it has not arrived whole."""
        size = 0
        for digit in range(remaining_length_bytes_max):
            if at + 1 + digit >= end:
                return 0, 0
            byte = self._received[at + 1 + digit]
            size |= (byte & 0x7F) << (7 * digit)
            if byte < 0x80:
                return size, digit + 1
        self.abort()
        return 0, 0

    def _take(self, head: int, body: bytes) -> None:
        kind = head & 0xF0
        if kind == _PUBACK:
            packet_id = body[0] << 8 | body[1]
            self.in_flight.discard(packet_id)
            self._room.set()
            if self._on_puback is not None:
                self._on_puback(packet_id)
        elif kind == _PUBLISH:
            self._take_message(head, body)
        elif kind == _CONNACK and not self._connack.done():
            self._connack.set_result(body[1])
        elif kind == _SUBACK and self._suback is not None and not self._suback.done():
            self._suback.set_result(body[2])

    def _take_message(self, head: int, body: bytes) -> None:
        size = body[0] << 8 | body[1]
        topic, rest = body[2 : 2 + size].decode(), body[2 + size :]
        if head & 0x06:
            self._write(bytes([_PUBACK, 2]) + rest[:2])
            rest = rest[2:]
        if self._on_message is not None:
            self._on_message(topic, rest)
