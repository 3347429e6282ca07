"""Callbacks that the database cannot take in time: lines in a local file, on the disk before anybody is answered.

Never understands one and never loses one: a line that a crash cut short was never answered, so it is sent again.
"""

import asyncio
import fcntl
import logging
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from alerting.store.callbacks import CallbackRow

log = logging.getLogger(__name__)

bytes_max = 256 << 20
"""Of one file. Beyond it senders are asked to come back: a full disk would stop more than callbacks."""
drain_most = 500
suffix = ".spool"


class NotKept(Exception):
    """There is nowhere to keep it: the sender is asked to come back."""


class _Line(msgspec.Struct, frozen=True):
    provider: str
    kind: str
    attempt_id: str | None
    dedupe: str
    form: dict[str, Any]
    received_at: datetime


class Spool:
    """One folder; `None`: there is none, and `keep` refuses. Each process writes files of its own, locked meanwhile."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: BinaryIO | None = None
        self._path = Path()
        self._waiting: list[tuple[bytes, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._files = asyncio.Lock()
        self.arrived = asyncio.Event()
        """Set while something may lie here; `drain` clears it."""
        self.arrived.set()

    @property
    def usable(self) -> bool:
        return self._folder is not None

    async def keep(self, rows: Sequence[CallbackRow]) -> None:
        """On the disk when this returns. What comes in together is synced together. NotKept where it cannot be."""
        if self._folder is None:
            raise NotKept("no folder")
        text = b"".join(msgspec.json.encode(_line(row)) + b"\n" for row in rows)
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((text, kept))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write(rows[0].received_at), name="spool")
        await kept

    async def drain(self, take: Callable[[Sequence[CallbackRow]], Awaitable[None]]) -> int:
        """Give everything to `take`, oldest first, and forget it. What `take` raises ends it and loses nothing."""
        if self._folder is None:
            self.arrived.clear()
            return 0
        async with self._files:
            self.arrived.clear()
            self._close()
        taken = 0
        for path in await asyncio.to_thread(_files, self._folder):
            if path == self._path and self._file is not None:
                continue
            try:
                taken += await self._drain(path, take)
            except BaseException:
                self.arrived.set()
                raise
        return taken

    async def close(self) -> None:
        """Wait for what is being written."""
        if self._writing is not None:
            await asyncio.shield(self._writing)
        self._close()

    async def _drain(self, path: Path, take: Callable[[Sequence[CallbackRow]], Awaitable[None]]) -> int:
        file = await asyncio.to_thread(_locked, path)
        if file is None:
            return 0  # another process still writes it, or it is gone
        taken = 0
        with file:
            lines = _complete(file)
            while rows := await asyncio.to_thread(_rows, lines):
                await take(rows)
                taken += len(rows)
            await asyncio.to_thread(path.unlink, missing_ok=True)
        log.warning("%d callbacks from the spool are stored", taken)
        return taken

    async def _write(self, at: datetime) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                fault: Exception | None = None
                async with self._files:
                    try:
                        await asyncio.to_thread(self._append, b"".join(text for text, _ in batch), at)
                        self.arrived.set()
                    except OSError as error:
                        log.error("the callback spool cannot be written: %s", type(error).__name__)
                        fault = NotKept(type(error).__name__)
                        self._close()  # what stands at its end is unknown
                for _, kept in batch:
                    _settle(kept, fault)
        finally:
            self._writing = None

    def _append(self, text: bytes, at: datetime) -> None:
        if self._file is None:
            self._open(at)
        assert self._file is not None
        if self._file.tell() + len(text) > bytes_max:
            raise OSError("the spool is full")
        self._file.write(text)
        self._file.flush()
        os.fsync(self._file.fileno())

    def _open(self, at: datetime) -> None:
        assert self._folder is not None
        stamp = int(at.timestamp() * 1_000_000)
        for number in range(1000):
            path = self._folder / f"callbacks-{stamp:017d}-{os.getpid()}-{number:03d}{suffix}"
            with suppress(FileExistsError):
                handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
                file = os.fdopen(handle, "wb")
                fcntl.flock(handle, fcntl.LOCK_EX)
                if os.fstat(handle).st_nlink:
                    self._file, self._path = file, path
                    _sync_folder(self._folder)
                    return
                file.close()  # another process took the empty file for an old one
        raise OSError("no name for a spool file")

    def _close(self) -> None:
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None


def _settle(kept: "asyncio.Future[None]", fault: Exception | None) -> None:
    if kept.done():
        return
    if fault is None:
        kept.set_result(None)
    else:
        kept.set_exception(fault)


def _line(row: CallbackRow) -> _Line:
    return _Line(row.provider, row.kind, row.attempt_id, row.dedupe, dict(row.form), row.received_at)


def _files(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"callbacks-*{suffix}"))


def _locked(path: Path) -> BinaryIO | None:
    """Open for reading, when nobody writes it any more."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _complete(file: BinaryIO) -> Iterator[bytes]:
    return (line for line in file if line.endswith(b"\n"))


def _rows(lines: Iterator[bytes]) -> list[CallbackRow]:
    rows = []
    for line in islice(lines, drain_most):
        try:
            each = msgspec.json.decode(line, type=_Line)
        except msgspec.DecodeError:
            log.error("a line of the callback spool cannot be read")
            continue
        rows.append(CallbackRow(each.provider, each.kind, each.attempt_id, each.dedupe, each.form, each.received_at))
    return rows


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
