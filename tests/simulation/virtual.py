"""Virtual time: an event loop that leaps to its next timer when nothing is left to do, and the clocks that read it.

Never waits, never opens a socket, never starts a thread; the same coroutines run in the same order every time.
"""

import asyncio
import math
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from gengfu.clock import SystemClock


class NothingLeft(Exception):
    """Everything waits, and no timer is set: it would wait for ever."""


class _Leap:
    """Stands where a real loop has its selector: instead of waiting it moves the time on."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise NothingLeft
        if timeout > 0:
            self._loop.leap(timeout)
        return []

    def close(self) -> None:
        return


class VirtualLoop(asyncio.base_events.BaseEventLoop):
    """`on_idle(next moment) -> seconds` is asked before every leap and may lengthen it by whole periods of the idle
    workers: it knows that nothing but their empty rounds would happen meanwhile."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = _Leap(self)
        self._moment = 0.0
        self.on_idle: Callable[[float], float] = lambda moment: 0.0

    def time(self) -> float:
        return self._moment

    def leap(self, timeout: float) -> None:
        following = self._moment + timeout
        self._moment = following + math.floor(self.on_idle(following))

    def _process_events(self, event_list: list[Any]) -> None:
        return

    def _write_to_self(self) -> None:
        """Nobody sleeps who would have to be woken."""


class WallClock(SystemClock):
    """What the machine's clocks say. `set_by` is somebody setting the wall clock; the monotonic one never jumps."""

    def __init__(self, loop: VirtualLoop, begins: datetime) -> None:
        self._loop = loop
        self._begins = begins
        self._set_by_s = 0.0

    def now(self) -> datetime:
        return self._begins + timedelta(seconds=self._loop.time() + self._set_by_s)

    def monotonic(self) -> float:
        return self._loop.time()

    def set_by(self, seconds: float) -> None:
        self._set_by_s += seconds
