"""Sends commands to devices: at once when told, and by a sweep of at most a second. Never decides what is commanded.

Law: nothing goes out that is not committed; what was not answered goes out again as the same command until it expires.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import msgspec

from gateway.topics import command_topic

sweep_s = 1.0
pause_after_fault_s = 1.0

log = logging.getLogger(__name__)

_encode = msgspec.json.Encoder().encode


class Command(Protocol):
    """One command as its device hears it."""

    @property
    def id(self) -> str: ...
    @property
    def device_id(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def args(self) -> Mapping[str, Any]: ...
    @property
    def expires_at(self) -> datetime: ...


class Source(Protocol):
    """Where commands come from; `alerting.commands.Commands`."""

    async def wanted(self, within_s: float) -> None:
        """Wait until something is to be sent, at most so long."""
        ...

    async def take_due(self) -> Sequence[Any]:
        """Committed commands whose time has come; each comes again until it is answered or has expired."""
        ...

    async def sent(self, command: Any) -> None: ...


class Line(Protocol):
    """The broker's connection."""

    connected: bool

    def publish_once(self, topic: str, payload: bytes, expires_s: int) -> bool: ...


class CommandSender:
    def __init__(self, source: Source, line: Line, clock: Callable[[], datetime]) -> None:
        self._source = source
        self._line = line
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled. A database that does not answer is waited for."""
        while True:
            try:
                await self._turn()
            except Exception:  # a worker's loop: recorded, and the next second tries again
                log.exception("commands are not sent for the moment")
                await asyncio.sleep(pause_after_fault_s)
            await self._source.wanted(sweep_s)

    async def _turn(self) -> None:
        if not self._line.connected:
            return
        for command in await self._source.take_due():
            if self._publish(command):
                await self._source.sent(command)

    def _publish(self, command: Command) -> bool:
        try:
            topic = command_topic(command.device_id)
        except ValueError as fault:
            log.warning("no command can be sent: %s", fault)
            return False
        expires_s = max(1, int((command.expires_at - self._clock()).total_seconds()))
        return self._line.publish_once(topic, encode_command(command), expires_s)


def encode_command(command: Command) -> bytes:
    """Compact JSON as the contract says; times in RFC 3339, UTC."""
    return _encode(
        {
            "command_id": command.id,
            "action": str(command.action),
            "args": dict(command.args),
            "expires_at": command.expires_at.astimezone(UTC),
        }
    )
