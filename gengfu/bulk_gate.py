"""Holds back other writes to the registry while an import is written piece by piece. Never holds back an alarm."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class RegistryBusy(Exception):
    """An import is being written: try again in a moment."""


class RegistryGate:
    """Writes enter and leave; closing waits until the last one inside has left."""

    def __init__(self) -> None:
        self._inside = 0
        self._closed = False
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def closed(self) -> bool:
        return self._closed

    @contextmanager
    def writing(self) -> Iterator[None]:
        """RegistryBusy while it is closed."""
        if self._closed:
            raise RegistryBusy
        self._inside += 1
        self._empty.clear()
        try:
            yield
        finally:
            self._inside -= 1
            if not self._inside:
                self._empty.set()

    async def close(self) -> None:
        self._closed = True
        await self._empty.wait()

    def open(self) -> None:
        self._closed = False
