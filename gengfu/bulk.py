"""Imports carried out in this process: check, then write everything in one transaction, or nothing. For a database that
nobody serves, and for PostgreSQL, where one transaction is seen by nobody before it ends.
"""

import gc
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, IntegrityError

from alerting.channels.mask import masked
from devices.audit import AuditEntry
from devices.bulk.files import FileRefused, RawSheet
from devices.store import audit, bulk, imports
from devices.store.bulk import Plan
from devices.store.bulk_apply import ROWS_AT_ONCE, apply_all, apply_piece, size
from devices.store.bulk_stage import Stage
from devices.store.imports import Importer as Who
from devices.store.imports import State
from devices.store.scope import EVERYTHING, Scope
from gengfu.database import migrate
from gengfu.database.common import parse

SCRATCH = ".gengfu-scratch-"
CACHE_KIB = 98_304
__all__ = ["Progress", "Report", "Request", "Who", "digest", "names_of", "run_here", "silent"]

_RETRIED = ("40001", "40P01", "55P03")


Progress = Callable[[str, int, int], None]
"""Told how far an import is: validating, rows read, 0; or applying, rows written, of how many."""


def silent(phase: str, done: int, size: int) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class Request:
    """One import: files as (where they lie, what their sender calls them)."""

    files: tuple[tuple[Path, str], ...]
    who: Who
    now: datetime
    zone: ZoneInfo
    scope: Scope = EVERYTHING
    dry_run: bool = False
    reserved: frozenset[str] = frozenset()
    """Broker accounts that no device may be called."""


@dataclass(frozen=True, slots=True)
class Report:
    """What came of it. `applied`: something was written, for good."""

    plan: Plan
    sha256: str
    applied: bool


def names_of(request: Request) -> str:
    return ", ".join(name for _, name in request.files)


def digest(files: Sequence[tuple[Path, str]]) -> str:
    """SHA-256 over the contents of all files, one after another."""
    hashed = hashlib.sha256()
    for path, _ in files:
        with path.open("rb") as opened:
            while piece := opened.read(1 << 20):
                hashed.update(piece)
    return hashed.hexdigest()


@contextmanager
def without_collector() -> Iterator[None]:
    """An import makes millions of objects and no cycles: looking for cycles would take half its time."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def entry(request: Request, import_id: str, sha256: str, counts: dict[str, Any]) -> AuditEntry:
    """The audit's row of an import."""
    who = request.who
    detail = {"files": names_of(request), "sha256": sha256, "counts": counts}
    path = request.scope.paths[0] if request.scope.paths and len(request.scope.paths) == 1 else None
    return AuditEntry(request.now, who.id, who.name, who.via, "import", "imports", import_id, path, detail)


def run_here(
    url: str,
    request: Request,
    *,
    folder: Path | None = None,
    progress: Progress = silent,
    finish: Callable[[Connection, Plan], None] = lambda conn, plan: None,
) -> Report:
    """Check and, unless it is a dry run or a row is at fault, write. Blocks. FileRefused.

    `folder`: where the staging file may lie meanwhile. `finish` runs in the same transaction as the rows.
    """
    sheets = bulk.open_files(request.files)
    sha256 = digest(request.files)
    if folder is not None and parse(url).drivername == "sqlite":
        _tidy(folder)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder) as scratch, without_collector():

        def work(conn: Connection) -> Report:
            prepare(conn)
            finish_begun(conn, request.now)
            stage = Stage(Path(scratch) / "stage", fresh=True)
            try:
                plan = plan_of(conn, stage, sheets, request, progress)
                applied = not (request.dry_run or plan.faults_total) and plan.changes > 0
                if applied:
                    whole = size(stage)
                    stage.seal(durable=False)
                    apply_all(conn, stage, request.now, lambda done: progress("applying", done, whole))
                    audit.record(conn, entry(request, sha256[:32], sha256, plan.counts))
                finish(conn, plan)
                return Report(plan, sha256, applied)
            finally:
                stage.close()

        try:
            return migrate.run(parse(url), work)
        except IntegrityError:
            if parse(url).drivername == "sqlite":
                raise  # nobody else wrote: our own error
            raise FileRefused("changed") from None
        except DBAPIError as fault:
            if getattr(fault.orig, "sqlstate", None) in _RETRIED:
                raise FileRefused("changed") from None
            raise


def _tidy(folder: Path) -> None:
    """What a killed import has left; whoever holds the database is the only one."""
    for left in folder.glob(f"{SCRATCH}*"):
        shutil.rmtree(left, ignore_errors=True)


def plan_of(conn: Connection, stage: Stage, sheets: Sequence[RawSheet], request: Request, progress: Progress) -> Plan:
    """Check every row against the registry as `conn` sees it."""
    return bulk.plan(
        conn,
        stage,
        sheets,
        scope=request.scope,
        now=request.now,
        zone=request.zone,
        reserved=request.reserved,
        mask=masked,
        progress=lambda rows: progress("validating", rows, 0),
    )


def finish_begun(conn: Connection, now: datetime) -> None:
    """What a service had begun to write when it died is written to its end, before anything else."""
    for row in imports.in_state(conn, State.APPLYING) if conn.dialect.name == "sqlite" else ():
        assert row.stage is not None
        stage, at = Stage(Path(row.stage), fresh=False), row.position
        try:
            while not at.done:
                imports.advance(conn, row.id, at, apply_piece(conn, stage, at, row.created_at, ROWS_AT_ONCE))
        finally:
            stage.close()
        conclude(conn, row.id, now)


def conclude(conn: Connection, import_id: str, now: datetime) -> None:
    """Everything of a staged import is written: its end, with the audit's row of it."""
    row = imports.get(conn, import_id)
    assert row is not None
    detail = {"files": row.name, "sha256": row.sha256, "counts": dict(row.counts or {})}
    path = row.scope[0] if row.scope is not None and len(row.scope) == 1 else None
    audit.record(conn, AuditEntry(now, row.actor_id, row.actor, row.via, "import", "imports", row.id, path, detail))
    imports.change(conn, import_id, state=State.DONE.value, ended_at=now, stage=None)


def prepare(conn: Connection) -> None:
    """Room for the pages of a large import; on PostgreSQL the lock that lets one import in at a time."""
    if conn.dialect.name == "sqlite":
        conn.exec_driver_sql(f"PRAGMA cache_size=-{CACHE_KIB}")
        return
    if not imports.let_in(conn):
        raise FileRefused("busy")
