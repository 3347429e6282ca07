"""What virtual devices sent and heard: a JSON line per fact, on disk before they go on. Never rewrites a line."""

import os
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec


class Fact(StrEnum):
    """What happened to an event, seen from its device."""

    PUBLISHED = "published"
    PUBACK = "puback"
    RECEIPT = "receipt"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One fact about one event. `attempt` counts the device's own sends, from 1."""

    fact: Fact
    at: datetime
    device_id: str
    event_id: str
    code: str
    state: str
    attempt: int
    reason: str = ""
    """Why it was refused."""


@dataclass(slots=True)
class EventRecord:
    """All that the ledger knows of one event; times are of its first publish, PUBACK and receipt."""

    device_id: str
    event_id: str
    code: str
    state: str
    attempts: int = 0
    published_at: datetime | None = None
    puback_at: datetime | None = None
    receipt_at: datetime | None = None
    refused: str | None = None


class EventLedger:
    """An append-only file of `LedgerLine`s. What `append` has taken is on the disk, even if we are killed next."""

    def __init__(self, path: Path, *, fsync: bool = True) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._fsync = fsync

    def append(self, *lines: LedgerLine) -> None:
        """Write lines with one write and one fsync. Blocks for as long as the disk needs."""
        os.write(self._file, b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
        if self._fsync:
            os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


def read_ledger(path: Path) -> dict[str, EventRecord]:
    """Every event of a ledger by its id. A last line cut short by a kill is left out."""
    records: dict[str, EventRecord] = {}
    whole, _, _ = path.read_bytes().rpartition(b"\n")
    for row in whole.splitlines():
        line = msgspec.json.decode(row, type=LedgerLine)
        record = records.setdefault(line.event_id, EventRecord(line.device_id, line.event_id, line.code, line.state))
        _add(record, line)
    return records


def _add(record: EventRecord, line: LedgerLine) -> None:
    record.attempts = max(record.attempts, line.attempt)
    if line.fact is Fact.PUBLISHED:
        record.published_at = record.published_at or line.at
    elif line.fact is Fact.PUBACK:
        record.puback_at = record.puback_at or line.at
    elif line.fact is Fact.RECEIPT:
        record.receipt_at = record.receipt_at or line.at
    else:
        record.receipt_at = record.receipt_at or line.at
        record.refused = record.refused or line.reason
