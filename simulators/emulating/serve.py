"""Runs an emulator until a signal ends it, for a process of its own. Never parses a command line."""

import asyncio
import gc
import signal
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Protocol

import msgspec

collector_threshold = 50_000  # thousands of pending stories are alive, not garbage: look for it less often


def wall_clock() -> datetime:
    """Aware UTC now; the emulator's own clock when it is a process of its own."""
    return datetime.fromtimestamp(time.time_ns() / 1e9, UTC)


def print_line(value: object) -> None:
    """One JSON line on standard output, at once."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


class Addressed(Protocol):
    """An emulator."""

    @property
    def base_url(self) -> str: ...

    async def __aenter__(self) -> object: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


async def serve_forever(emulator: Addressed, told: Mapping[str, str]) -> None:
    """Run until SIGTERM or SIGINT; the first line printed is the address and what was told."""
    gc.freeze()
    gc.set_threshold(collector_threshold, 50, 50)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with emulator:
        print_line({"base_url": emulator.base_url, **told})
        await stop.wait()
