"""Queries on imports: their progress, so that one may go on after a crash, and the faults that were found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from devices.bulk.faults import Fault
from devices.store.bulk_apply import Position
from devices.store.scope import Scope
from devices.store.tables_audit import audit
from devices.store.tables_bulk import import_faults, imports

listed_max = 20
"""Of so many imports, the latest ones, the faults are kept."""
IMPORT_LOCK = 0x6E676675
"""PostgreSQL's advisory lock: one import at a time."""
REGISTRY_KINDS = (
    "places",
    "grids",
    "workers",
    "contacts",
    "households",
    "shifts",
    "devices",
    "models",
    "organisations",
    "compounds",
    "imports",
)
"""What the audit calls the things an import reads or writes."""
HARMLESS_ACTS = (
    "start_walk_test",
    "abort_walk_test",
    "give_credential",
    "revoke_credential",
    "revoke",
    "label",
    "reveal",
)
"""They change nothing that an import rests on."""


@dataclass(frozen=True, slots=True)
class Importer:
    """Who imports, for the audit."""

    id: str
    name: str
    via: str


@dataclass(frozen=True, slots=True)
class Upload:
    """What is to be imported: files as (where they lie, what their sender calls them), by whom, how far he reaches."""

    files: tuple[tuple[Path, str], ...]
    who: Importer
    scope: Scope
    dry_run: bool
    ours: bool = False
    """The files are temporary and removed when they have been read."""


class State(StrEnum):
    VALIDATING = "validating"
    APPLYING = "applying"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ImportRow:
    id: str
    created_at: datetime
    actor_id: str
    actor: str
    via: str
    scope: tuple[str, ...] | None
    name: str
    sha256: str
    dry_run: bool
    state: State = State.VALIDATING
    ended_at: datetime | None = None
    rows: int = 0
    size: int = 0
    written: int = 0
    op: int = 0
    n: int = 0
    stage: str | None = None
    counts: Mapping[str, Mapping[str, int]] | None = None
    faults: int = 0
    warnings: int = 0
    refusal: Mapping[str, Any] | None = None

    @property
    def position(self) -> Position:
        return Position(self.op, self.n)


_I = imports.c
_SELECT = select(
    _I.id,
    _I.created_at,
    _I.actor_id,
    _I.actor,
    _I.via,
    _I.scope,
    _I.name,
    _I.sha256,
    _I.dry_run,
    _I.state,
    _I.ended_at,
    _I.rows,
    _I.size,
    _I.written,
    _I.op,
    _I.n,
    _I.stage,
    _I.counts,
    _I.faults,
    _I.warnings,
    _I.refusal,
)


def add(conn: Connection, row: ImportRow) -> None:
    conn.execute(
        insert(imports).values(
            id=row.id,
            created_at=row.created_at,
            actor_id=row.actor_id,
            actor=row.actor[:64],
            via=row.via,
            scope=None if row.scope is None else list(row.scope),
            name=row.name[:256],
            sha256=row.sha256,
            dry_run=int(row.dry_run),
            state=row.state.value,
            counts={},
        )
    )
    kept = select(_I.id).order_by(_I.created_at.desc(), _I.id.desc()).limit(listed_max)
    conn.execute(delete(import_faults).where(import_faults.c.import_id.not_in(kept)))


def get(conn: Connection, import_id: str) -> ImportRow | None:
    row = conn.execute(_SELECT.where(_I.id == import_id)).first()
    return None if row is None else _row(row)


def in_state(conn: Connection, state: State) -> list[ImportRow]:
    return [_row(row) for row in conn.execute(_SELECT.where(_I.state == state.value).order_by(_I.created_at))]


def change(conn: Connection, import_id: str, **values: Any) -> None:
    """Set columns; a state as its word."""
    conn.execute(update(imports).where(_I.id == import_id).values(**values))


def advance(conn: Connection, import_id: str, at: Position, written: int) -> None:
    """How far it has come, in the transaction that wrote the rows."""
    change(conn, import_id, op=at.op, n=at.n, written=_I.written + written)


def add_faults(conn: Connection, import_id: str, first: int, faults: Sequence[Fault], *, warning: bool) -> None:
    values = [
        {
            "import_id": import_id,
            "number": first + index,
            "warning": int(warning),
            "file": fault.file[:256],
            "sheet": fault.sheet[:64],
            "row": fault.row,
            "cell_column": fault.column,
            "code": fault.code,
            "names": dict(fault.names),
            "near": fault.near[:256] if fault.near else None,
        }
        for index, fault in enumerate(faults)
    ]
    if values:
        conn.execute(insert(import_faults), values)


def faults(conn: Connection, import_id: str, after: int, limit: int, *, warning: bool) -> list[tuple[int, Fault]]:
    """(number, fault) of those behind number `after`."""
    f = import_faults.c
    query = select(f.number, f.file, f.sheet, f.row, f.cell_column, f.code, f.names, f.near)
    query = query.where(f.import_id == import_id, f.warning == int(warning), f.number > after)
    return [(number, Fault(*values)) for number, *values in conn.execute(query.order_by(f.number).limit(limit))]


def registry_changed(conn: Connection, since: int) -> bool:
    """Somebody changed the registry after row `since` of the audit."""
    query = select(audit.c.id).where(audit.c.id > since, audit.c.kind.in_(REGISTRY_KINDS))
    return conn.scalar(query.where(audit.c.act.not_in(HARMLESS_ACTS)).limit(1)) is not None


def let_in(conn: Connection) -> bool:
    """PostgreSQL: the right to import until this transaction ends. False: another process has it."""
    return bool(conn.scalar(select(func.pg_try_advisory_xact_lock(bindparam("key"))), {"key": IMPORT_LOCK}))


def _row(row: Any) -> ImportRow:
    values = list(row)
    values[5] = None if values[5] is None else tuple(values[5])
    values[8] = bool(values[8])
    values[9] = State(values[9])
    return ImportRow(*values)
