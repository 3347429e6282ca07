"""Helper processes: the parent asks with one JSON line, the child answers with one. Never shares anything else."""

import asyncio
import gc
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import msgspec
import uvloop

ROOT = Path(__file__).resolve().parent.parent
line_bytes_max = 256 * 2**20
stop_seconds_max = 5.0

Answer = dict[str, Any]
Handler = Callable[[Answer], Awaitable[Answer]]


class ChildFailed(Exception):
    """A helper process ended or said what went wrong."""


class Child:
    """The parent's side. One question at a time."""

    def __init__(self, name: str, process: Process) -> None:
        self.name = name
        self.pid = process.pid
        self._process = process

    @classmethod
    async def launch(cls, name: str, module: str) -> Self:
        """Start `python -m module`; its standard error is ours."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, cwd=ROOT, stdin=PIPE, stdout=PIPE, limit=line_bytes_max
        )
        return cls(name, process)

    async def ask(self, what: str, **words: Any) -> Answer:
        """The child's answer; ChildFailed when it has none."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode({"what": what, **words}) + b"\n")
        line = await self._process.stdout.readline()
        if not line:
            raise ChildFailed(f"{self.name} ended while asked to {what}; its last words stand above")
        answer: Answer = msgspec.json.decode(line)
        if "failed" in answer:
            raise ChildFailed(f"{self.name} could not {what}: {answer['failed']}")
        return answer

    async def stop(self) -> None:
        """End it: its standard input closes."""
        if self._process.returncode is not None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), stop_seconds_max)
        except TimeoutError:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


def serve(handler_of: Callable[[], dict[str, Handler]]) -> None:
    """The child's side: run until standard input ends. `handler_of` is called on the loop."""
    uvloop.run(_serve(handler_of))


async def _serve(handler_of: Callable[[], dict[str, Handler]]) -> None:
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=line_bytes_max)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    handlers = handler_of()
    gc.collect()
    gc.freeze()
    while line := await reader.readline():
        question: Answer = msgspec.json.decode(line)
        try:
            answer = await handlers[question.pop("what")](question)
        except (OSError, TimeoutError, RuntimeError, ValueError) as fault:
            answer = {"failed": f"{type(fault).__name__}: {fault}"}
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()
