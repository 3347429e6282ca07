"""Ports for listeners of our own: free, and none that an outgoing connection may take while the listener restarts."""

import socket
from pathlib import Path

import pytest

from gengfu.broker import child
from gengfu.broker.child import HOST, free_port
from gengfu.broker.errors import BrokerUnavailable

_OUTGOING = Path("/proc/sys/net/ipv4/ip_local_port_range")


def test_no_outgoing_connection_is_given_such_a_port() -> None:
    first = int(_OUTGOING.read_text().split()[0]) if _OUTGOING.exists() else 49_152  # RFC 6335, section 6
    assert all(free_port() < first for _ in range(100))


def test_a_taken_port_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind((HOST, port := free_port()))
        taken.listen()
        monkeypatch.setattr(child, "PORTS", range(port, port + 1))
        with pytest.raises(BrokerUnavailable, match=f"between {port} and {port}"):
            free_port()
