"""Bytes beside paho's: packets as the standard has them, the bound of what waits, writes cut short."""

import socket
from collections.abc import Iterator

import pytest

from gateway.outbox import (
    Outbox,
    encode_puback,
    encode_publication,
    publications_per_write_max,
    publications_waiting_max,
)


@pytest.fixture
def pipe() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


def test_packets_are_what_the_standard_says() -> None:
    assert encode_puback(0x1234) == b"\x40\x02\x12\x34"
    assert encode_publication("a/b", b"hi", is_v5=False) == b"\x30\x07\x00\x03a/bhi"
    assert encode_publication("a/b", b"hi", is_v5=True) == b"\x30\x08\x00\x03a/b\x00hi"
    assert encode_publication("a", b"x" * 124, is_v5=False)[:2] == b"\x30\x7f"
    assert encode_publication("a", b"x" * 124, is_v5=True)[:3] == b"\x30\x80\x01"
    assert encode_publication("a", b"x" * 16_381, is_v5=False)[:4] == b"\x30\x80\x80\x01"


def test_publications_are_bounded_and_the_oldest_goes(
    caplog: pytest.LogCaptureFixture, pipe: tuple[socket.socket, socket.socket]
) -> None:
    outbox = Outbox()
    for n in range(publications_waiting_max + 3):
        outbox.add_publication(b"%d," % n)
    assert (outbox.dropped, len(outbox)) == (3, publications_waiting_max)
    assert caplog.text.count("given up") == 1
    outbox.send(pipe[0])
    assert pipe[1].recv(100_000).startswith(b"3,4,5,")
    assert len(outbox) == publications_waiting_max - publications_per_write_max


def test_acknowledgements_go_first_and_all_of_them(pipe: tuple[socket.socket, socket.socket]) -> None:
    outbox = Outbox()
    outbox.add_publication(b"receipt")
    for mid in range(1, 4):
        outbox.add_urgent(encode_puback(mid))
    outbox.send(pipe[0])
    assert pipe[1].recv(1_000) == b"".join(map(encode_puback, (1, 2, 3))) + b"receipt"
    assert outbox.is_empty()


def test_a_write_that_was_cut_short_goes_on_where_it_stopped(pipe: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pipe
    outbox = Outbox()
    packets = [bytes([n]) * 10_000 for n in range(200)]
    for packet in packets:
        outbox.add_publication(packet)
    received = b""
    outbox.send(ours)
    assert outbox.is_mid_packet()
    outbox.send(ours)  # the socket is full: nothing leaves, nothing is lost
    outbox.add_urgent(b"ack")
    while not outbox.is_empty():
        received += theirs.recv(1 << 20)
        outbox.send(ours)
    while len(received) < 2_000_003:
        received += theirs.recv(1 << 20)
    assert received == b"".join(packets) + b"ack"


def test_a_new_connection_forgets_acknowledgements_and_half_packets(pipe: tuple[socket.socket, socket.socket]) -> None:
    outbox = Outbox()
    outbox.add_publication(b"x" * 10_000_000)
    outbox.send(pipe[0])
    assert outbox.is_mid_packet()
    outbox.add_urgent(encode_puback(1))
    outbox.add_publication(b"waits")
    outbox.begin()
    assert not outbox.is_mid_packet()
    fresh, peer = socket.socketpair()
    with fresh, peer:
        outbox.send(fresh)
        assert peer.recv(100) == b"waits"


def test_a_lost_connection_is_told(pipe: tuple[socket.socket, socket.socket]) -> None:
    pipe[1].close()
    outbox = Outbox()
    outbox.add_urgent(encode_puback(1))
    with pytest.raises(OSError, match="Broken pipe"):
        outbox.send(pipe[0])
