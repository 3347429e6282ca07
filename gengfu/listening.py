"""The HTTP server inside our own loop, and the socket it listens on. Knows no route."""

import socket
from typing import Any

import uvicorn

backlog_connections = 2048


class Server(uvicorn.Server):
    """uvicorn inside our own loop: signals are ours."""

    def install_signal_handlers(self) -> None:
        return

    def capture_signals(self) -> Any:  # the parent's is a context manager that takes the process's signals
        return _Nothing()


class _Nothing:
    def __enter__(self) -> None:
        return

    def __exit__(self, *exc: object) -> None:
        return


def listen(host: str, port: int) -> socket.socket:
    """Bound and listening; OSError where the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(backlog_connections)
    listening.setblocking(False)
    return listening
