"""How commands write while `serve` holds the database: JSON lines over a Unix socket that only its owner may open.

`{"command": ..., "args": {...}}` is answered with `{"result": {...}}` or `{"refused": sentence}`. Never a network port.
"""

import asyncio
import json
import logging
import os
import socket
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

line_bytes_max = 65_536
idle_seconds_max = 30.0
answer_seconds_max = 60.0
waiting_max = 16
_address_bytes_max = 100  # sun_path has 108 on Linux, 104 elsewhere


class CommandRefused(Exception):
    """The command cannot be carried out; the message is one sentence. Nothing has changed."""


class NotServed(Exception):
    """Nobody listens on the socket."""


def socket_path(database: Path) -> Path:
    """The socket of the service that holds this SQLite file."""
    return database.with_name(database.name + ".sock")


async def serve_commands(path: Path, handlers: Mapping[str, Handler]) -> None:
    """Answer commands until cancelled; the socket is gone afterwards. Only the holder of the database may call this:
    a socket that lies there is taken for one left by a crash, and replaced.
    """
    listening = _bind(path)
    lines: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        lines.add(task)
        try:
            await _converse(reader, writer, handlers)
        finally:
            lines.discard(task)

    server = await asyncio.start_unix_server(serve, sock=listening, limit=line_bytes_max)
    try:
        await asyncio.Event().wait()
    finally:
        server.close()
        for task in lines:
            task.cancel()
        await asyncio.gather(*lines, return_exceptions=True)
        _remove(path)


def ask(path: Path, command: str, args: Mapping[str, Any]) -> dict[str, Any]:
    """Have the running service carry out a command. `CommandRefused` with its sentence; `NotServed`. Blocks."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(answer_seconds_max)
        try:
            with _address(path) as address:
                line.connect(address)
        except OSError as fault:
            raise NotServed(str(fault)) from None
        try:
            line.sendall(json.dumps({"command": command, "args": dict(args)}).encode() + b"\n")
            answer = json.loads(line.makefile("rb").readline() or b"{}")
        except (OSError, ValueError):
            answer = {}
    if "result" in answer:
        result: dict[str, Any] = answer["result"]
        return result
    raise CommandRefused(
        answer.get("refused") or "The running service gave no answer: see its log, then look before repeating."
    )


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _bind(path: Path) -> socket.socket:
    _remove(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o177)  # no moment in which others could open it
    try:
        with _address(path) as address:
            listening.bind(address)
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(mask)
    listening.listen(waiting_max)
    listening.setblocking(False)
    return listening


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """What to bind or connect to; a path too long for a socket address goes by way of its open folder (Linux)."""
    plain = str(path)
    if len(os.fsencode(plain)) <= _address_bytes_max:
        yield plain
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


async def _converse(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, handlers: Mapping[str, Handler]
) -> None:
    """Line after line until the other side, or silence, ends it."""
    try:
        with suppress(ConnectionError, TimeoutError, ValueError):  # ValueError: a line longer than line_bytes_max
            while line := await asyncio.wait_for(reader.readline(), idle_seconds_max):
                answer = await _answer(line, handlers)
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
    finally:
        writer.close()


async def _answer(line: bytes, handlers: Mapping[str, Handler]) -> dict[str, Any]:
    try:
        request = json.loads(line)
        command, args = request["command"], request["args"]
        handler = handlers[command]
    except (ValueError, TypeError, KeyError):
        return {"refused": "The running service does not know this command: is it another version?"}
    try:
        return {"result": await handler(args)}
    except CommandRefused as refusal:
        return {"refused": str(refusal)}
    except Exception as fault:  # the top of a worker's loop: the service must outlive a command
        logger.exception("command failed", extra={"command": command})
        return {"refused": f"The running service could not do it ({type(fault).__name__}): see its log."}
