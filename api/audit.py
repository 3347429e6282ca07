"""Who did what, for the audit: one row in the transaction of the change. Never holds a secret or a whole number."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import Request
from sqlalchemy import Connection

from api.auth import Caller, caller_of
from api.deps import Deps
from devices.audit import AuditEntry
from devices.store import audit as store


def note(
    conn: Connection,
    request: Request,
    deps: Deps,
    act: str,
    kind: str,
    object_id: str,
    *,
    path: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Record what the caller of this request has just done. `path`: the place it belongs to."""
    store.record(conn, entry_of(caller_of(request), deps.clock.now(), act, kind, object_id, path, detail))


def entry_of(
    who: Caller,
    at: datetime,
    act: str,
    kind: str,
    object_id: str,
    path: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> AuditEntry:
    return AuditEntry(at, who.key_id, who.name, who.via, act, kind, object_id, path, detail)


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What differs between two shown documents: field -> [before, after], without the version."""
    names = sorted((before.keys() | after.keys()) - {"version"})
    return {name: [before.get(name), after.get(name)] for name in names if before.get(name) != after.get(name)}
