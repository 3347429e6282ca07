"""How fast an emulator's story runs, and the tasks that carry it. Never reads a wall clock."""

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass

narrow_share = 1 / 3  # a Latin letter against a Chinese character or a digit read out
_wide_from = "\u2e80"


@dataclass(frozen=True, slots=True)
class Pace:
    """time_scale: real seconds per second of the story; 0 = nothing waits.

    speech_seconds_per_char: for a Chinese character or a digit; other characters take a third of it.
    """

    time_scale: float = 1.0
    speech_seconds_per_char: float = 0.2

    async def sleep(self, story_seconds: float) -> None:
        """Let this much of the story go by."""
        if self.time_scale > 0 and story_seconds > 0:
            await asyncio.sleep(story_seconds * self.time_scale)

    def speech_s(self, text: str) -> float:
        """How long it takes to say this, in seconds of the story."""
        wide = sum(char >= _wide_from or char.isdigit() for char in text)
        return self.speech_seconds_per_char * (wide + narrow_share * (len(text) - wide))


class Background:
    """Tasks that outlive their request. A crash in one is kept and raised when the emulator closes."""

    def __init__(self) -> None:
        self.crashes: list[BaseException] = []
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[object, object, None]) -> asyncio.Task[None]:
        """Start a task and keep it until it ends."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    async def cancel(self) -> None:
        """Stop everything that still runs."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.crashes.append(error)
