"""A scripted broker that speaks just enough MQTT 5 to send what a test wants and to note what comes back, in order."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

CONNECT, PUBLISH, PUBACK, SUBSCRIBE, PINGREQ, DISCONNECT = 1, 3, 4, 8, 12, 14


class Line:
    """One accepted connection of one lane, with everything that the gateway sent on it."""

    def __init__(self, client_id: str, writer: asyncio.StreamWriter) -> None:
        self.client_id = client_id
        self.pubacks: list[int] = []
        self.publications: list[tuple[str, bytes]] = []
        self.subscribed = asyncio.Event()
        self.disconnected_politely = False
        self.closed = asyncio.Event()
        self._writer = writer

    def deliver(self, messages: Iterable[tuple[int, str, bytes]]) -> None:
        """PUBLISH each `(mid, topic, payload)` in one write: QoS 1, or QoS 0 where `mid` is 0."""
        self._writer.write(b"".join(_publish(*message) for message in messages))

    def send(self, packet: bytes) -> None:
        self._writer.write(packet)

    def cut(self) -> None:
        self._writer.transport.abort()


class ScriptedBroker:
    """Accepts every login and grants every subscription, unless told otherwise."""

    def __init__(self) -> None:
        self.port = 0
        self.lines: list[Line] = []
        self.connack_reason = 0
        self.refused_filters: set[str] = set()
        self.hearing = asyncio.Event()
        """While it is cleared, nothing that clients write is read."""
        self.hearing.set()
        self._accepted = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def line(self, lane: str, nth: int = 1) -> Line:
        """The `nth` connection of a lane, once its subscriptions are granted."""
        async with asyncio.timeout(10):
            while len(found := [each for each in self.lines if each.client_id.endswith(lane)]) < nth:
                self._accepted.clear()
                await self._accepted.wait()
            await found[nth - 1].subscribed.wait()
        return found[nth - 1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line: Line | None = None
        try:
            while True:
                await self.hearing.wait()
                kind, flags, packet = await _read_packet(reader)
                if kind == CONNECT:
                    line = Line(_client_id(packet), writer)
                    writer.write(bytes([0x20, 3, 0, self.connack_reason, 0]))
                    if self.connack_reason == 0:
                        self.lines.append(line)
                        self._accepted.set()
                elif line is not None:
                    self._answer(line, kind, flags, packet)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            if line is not None:
                line.closed.set()
            writer.close()

    def _answer(self, line: Line, kind: int, flags: int, packet: bytes) -> None:
        if kind == SUBSCRIBE:
            reasons = [0x87 if name in self.refused_filters else qos for name, qos in _filters(packet)]
            line.send(bytes([0x90, 3 + len(reasons)]) + packet[:2] + b"\0" + bytes(reasons))
            line.subscribed.set()
        elif kind == PUBACK:
            line.pubacks.append(int.from_bytes(packet[:2], "big"))
        elif kind == PUBLISH:
            length = int.from_bytes(packet[:2], "big")
            topic, rest = packet[2 : 2 + length].decode(), packet[2 + length :]
            if flags & 0x06:
                line.send(b"\x40\x02" + rest[:2])
                rest = rest[2:]
            line.publications.append((topic, rest[1:]))
        elif kind == PINGREQ:
            line.send(b"\xd0\x00")
        elif kind == DISCONNECT:
            line.disconnected_politely = True

    def track(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self.serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def end(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def scripted_broker(tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedBroker]:
    broker = ScriptedBroker()
    server = await asyncio.start_server(broker.track, "127.0.0.1", 0, ssl=tls)
    broker.port = server.sockets[0].getsockname()[1]
    try:
        yield broker
    finally:
        server.close()
        await broker.end()


@asynccontextmanager
async def wiretap(port: int) -> AsyncIterator["Wiretap"]:
    """A proxy in front of a real broker."""
    tap = Wiretap(port)
    server = await asyncio.start_server(tap.carry, "127.0.0.1", 0)
    tap.port = server.sockets[0].getsockname()[1]
    try:
        yield tap
    finally:
        server.close()
        await tap.end()


class Wiretap:
    """Carries packets both ways unchanged and notes the ids of QoS 1 deliveries and of PUBACKs, in order."""

    def __init__(self, broker_port: int) -> None:
        self.port = 0
        self.delivered: list[int] = []
        self.acknowledged: list[int] = []
        self._broker_port = broker_port
        self._tasks: set[asyncio.Task[None]] = set()

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        broker_reader, broker_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._pump(reader, broker_writer))
                group.create_task(self._pump(broker_reader, writer))
        except* (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            broker_writer.close()
            writer.close()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while True:
            kind, flags, packet = await _read_packet(source)
            if kind == PUBACK:
                self.acknowledged.append(int.from_bytes(packet[:2], "big"))
            elif kind == PUBLISH and flags & 0x06:
                at = 2 + int.from_bytes(packet[:2], "big")
                self.delivered.append(int.from_bytes(packet[at : at + 2], "big"))
            sink.write(bytes([kind << 4 | flags]) + _length(len(packet)) + packet)
            await sink.drain()

    async def end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


async def _read_packet(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    first = (await reader.readexactly(1))[0]
    length, shift = 0, 0
    while True:
        byte = (await reader.readexactly(1))[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            break
    return first >> 4, first & 0x0F, await reader.readexactly(length)


def _client_id(connect: bytes) -> str:
    properties_length = connect[10]  # behind "MQTT", version, flags and keepalive; below 128 in these tests
    start = 11 + properties_length
    length = int.from_bytes(connect[start : start + 2], "big")
    return connect[start + 2 : start + 2 + length].decode()


def _filters(subscribe: bytes) -> list[tuple[str, int]]:
    found, at = [], 3 + subscribe[2]
    while at < len(subscribe):
        length = int.from_bytes(subscribe[at : at + 2], "big")
        name = subscribe[at + 2 : at + 2 + length].decode()
        found.append((name, subscribe[at + 2 + length] & 0x03))
        at += 3 + length
    return found


def _publish(mid: int, topic: str, payload: bytes) -> bytes:
    name = topic.encode()
    rest = struct.pack("!H", len(name)) + name + (struct.pack("!H", mid) if mid else b"") + b"\0" + payload
    return bytes([0x32 if mid else 0x30]) + _length(len(rest)) + rest


def _length(remaining: int) -> bytes:
    assert remaining < 16_384
    return bytes([remaining]) if remaining < 128 else bytes([remaining & 0x7F | 0x80, remaining >> 7])
