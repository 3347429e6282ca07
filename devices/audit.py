"""The chain of audit rows: each row's hash covers the row and the hash before it. Pure: never loads, never writes."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

GENESIS = "0" * 64
"""What stands before the first row."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what to which thing. `path`: the place it belongs to (ids joined by "/"), None for the deployment."""

    at: datetime
    actor_id: str
    actor: str
    via: str
    """session, key, cli or service."""
    act: str
    kind: str
    object_id: str
    path: str | None = None
    detail: Mapping[str, Any] | None = None
    """JSON values. Never a secret, never a whole telephone number."""


def chain_hash(before: str, number: int, entry: AuditEntry) -> str:
    """SHA-256 in 64 hex digits over the hash before, the row's number and every field, in one fixed spelling."""
    fields = [
        before,
        number,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor_id,
        entry.actor,
        entry.via,
        entry.act,
        entry.kind,
        entry.object_id,
        entry.path,
        dict(entry.detail or {}),
    ]
    return hashlib.sha256(msgspec.json.encode(fields, order="sorted")).hexdigest()


class Broken(ValueError):
    """The chain does not hold. `number`: the first row at which it does not; the message is one sentence."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"Row {number} {why}.")
        self.number = number


@dataclass(slots=True)
class Walk:
    """The chain followed from its beginning: give it every row in order, then its end. Raises `Broken`."""

    count: int = 0
    last_hash: str = GENESIS

    def step(self, number: int, entry: AuditEntry, hashed: str) -> None:
        """The next row."""
        if number != self.count + 1:
            raise Broken(self.count + 1, "is missing" if number > self.count + 1 else f"is followed by row {number}")
        if chain_hash(self.last_hash, number, entry) != hashed:
            raise Broken(number, "has been changed, or stands in another's place")
        self.count, self.last_hash = number, hashed

    def end(self, last: int, hashed: str) -> None:
        """What the end of the chain is said to be."""
        if self.count < last:
            raise Broken(self.count + 1, f"is missing, and so are all to row {last}")
        if self.count > last:
            raise Broken(last + 1, "stands beyond the recorded end of the chain")
        if hashed != self.last_hash:
            raise Broken(last, "is not the one that the end of the chain was recorded with")
