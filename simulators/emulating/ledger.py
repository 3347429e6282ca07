"""Ledger: one JSON line per create request, on disk before its answer leaves, so a judge outside can count.

Never rewrites or reads a line.
"""

import os
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from devices.model import Channel
from simulators.emulating.faults import FaultKind

rows_in_memory_max = 200_000


class Outcome(StrEnum):
    """What became of one create request."""

    PROVIDER_ACCEPTED = "provider_accepted"
    REFUSED = "refused"  # an error answer with a code
    FAULTED = "faulted"  # a fault on demand swallowed it; nothing was taken


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One create request.

    to: the number, or whatever the vendor calls a recipient. attempt: our id, where the request names it.
    sid: the reference that the vendor gave. code: the vendor's, of a refusal.
    text: what the person would read or hear, as far as the request says it.
    at: wall clock; monotonic: seconds of this machine's monotonic clock. faults: what was done wrong.
    """

    kind: Channel
    outcome: Outcome
    at: datetime
    monotonic: float
    to: str | None
    sender: str | None = None
    text: str = ""
    attempt: str | None = None
    sid: str | None = None
    code: int | str | None = None
    faults: tuple[FaultKind, ...] = ()


class Ledger:
    """Rows in memory, and as lines of a file when a path is given.

    fsync: each line is on the disk before `append` returns (blocks the loop for that long, on purpose).
    """

    def __init__(self, path: Path | None = None, *, fsync: bool = True) -> None:
        self.rows: deque[LedgerRow] = deque(maxlen=rows_in_memory_max)
        self._fsync = fsync
        self._fd: int | None = None
        if path is not None:
            self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def append(self, row: LedgerRow) -> None:
        """Write one row; raises OSError when the disk refuses it."""
        self.rows.append(row)
        if self._fd is None:
            return
        line = msgspec.json.encode(row) + b"\n"
        if os.write(self._fd, line) != len(line):
            raise OSError("ledger line written in part")
        if self._fsync:
            os.fsync(self._fd)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None
