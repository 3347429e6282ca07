"""Runs an emulator until a signal ends it, for a process of its own. Never parses a command line."""

import asyncio
import gc
import signal
import sys
import time
from datetime import UTC, datetime

import msgspec

from simulators.twilio.emulator import TwilioEmulator

collector_threshold = 50_000  # thousands of pending stories are alive, not garbage: look for it less often


def wall_clock() -> datetime:
    """Aware UTC now; the emulator's own clock when it is a process of its own."""
    return datetime.fromtimestamp(time.time_ns() / 1e9, UTC)


def print_line(value: object) -> None:
    """One JSON line on standard output, at once."""
    sys.stdout.buffer.write(msgspec.json.encode(value) + b"\n")
    sys.stdout.buffer.flush()


async def serve_forever(emulator: TwilioEmulator, auth_token: str) -> None:
    """Run until SIGTERM or SIGINT."""
    gc.freeze()
    gc.set_threshold(collector_threshold, 50, 50)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with emulator:
        print_line({"base_url": emulator.base_url, "account_sid": emulator.account_sid, "auth_token": auth_token})
        await stop.wait()
