"""What we write beside paho: acknowledgements and QoS 0 publications, many in one write. Never drops the former.

paho writes each packet with a system call of its own; under load those calls are a third of a message's cost.
"""

import logging
import socket
import ssl
import struct
from collections import deque
from itertools import islice

publications_waiting_max = 20_000
"""Beyond it the oldest goes, counted: its device repeats the event and is told again."""
publications_per_write_max = 256
"""Bounds one write, so that acknowledgements never stand behind many publications."""

PINGREQ = b"\xc0\x00"

log = logging.getLogger(__name__)

_puback = struct.Struct("!BBH").pack
_short = struct.Struct("!H").pack


def encode_puback(mid: int) -> bytes:
    """PUBACK, success (MQTT 3.1.1, 3.4; MQTT 5, 3.4: a remaining length of 2 means reason code 0)."""
    return _puback(0x40, 2, mid)


def encode_publication(topic: str, payload: bytes, is_v5: bool) -> bytes:
    """PUBLISH at QoS 0, not retained, without properties (MQTT 5, 3.3)."""
    name = topic.encode()
    rest = len(name) + len(payload) + (3 if is_v5 else 2)
    head = bytearray(b"\x30")
    while rest > 0x7F:
        head.append(rest & 0x7F | 0x80)
        rest >>= 7
    head.append(rest)
    return b"".join((head, _short(len(name)), name, b"\0" if is_v5 else b"", payload))


class Outbox:
    """Whole packets in, bytes to a socket out. Publications wait for the next session, acknowledgements end with
    theirs; what was written to a connection that is lost is not written again."""

    def __init__(self) -> None:
        self._urgent: list[bytes] = []
        self._publications: deque[bytes] = deque()
        self._leaving = b""
        self.dropped = 0
        """Publications given up since the start."""

    def __len__(self) -> int:
        """Publications that wait."""
        return len(self._publications)

    def is_empty(self) -> bool:
        return not (self._leaving or self._urgent or self._publications)

    def is_mid_packet(self) -> bool:
        """Part of what was taken for a write has not left: nobody else may write."""
        return bool(self._leaving)

    def begin(self) -> None:
        """A new connection: what belongs to the earlier one must not reach it."""
        self._urgent.clear()
        self._leaving = b""

    def add_urgent(self, packet: bytes) -> None:
        """PUBACK or PINGREQ of the present session."""
        self._urgent.append(packet)

    def add_publication(self, packet: bytes) -> None:
        if len(self._publications) >= publications_waiting_max:
            if self.dropped % publications_waiting_max == 0:
                log.warning("more than %d publications wait; the oldest are given up", publications_waiting_max)
            self._publications.popleft()
            self.dropped += 1
        self._publications.append(packet)

    def send(self, sock: socket.socket) -> None:
        """One write of what has gathered, as far as the socket takes it. OSError: the connection is lost."""
        if not self._leaving:
            self._leaving = self._gather()
        try:
            sent = sock.send(self._leaving)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return  # TLS wants the same bytes again: they stay as they are
        self._leaving = self._leaving[sent:]

    def _gather(self) -> bytes:
        publications = list(islice(self._publications, publications_per_write_max))
        for _ in publications:
            self._publications.popleft()
        gathered = b"".join((*self._urgent, *publications))
        self._urgent.clear()
        return gathered
