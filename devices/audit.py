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
