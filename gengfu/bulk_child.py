"""The child process of a running service that reads bulk files and writes exports: neither the service's loop nor its
memory feels a large one. Its orders come on stdin as one JSON line, its progress goes to stdout as JSON lines.
"""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import Connection

from devices.bulk.faults import Fault
from devices.bulk.files import FileRefused
from devices.model import Language
from devices.store import audit, bulk, imports
from devices.store.bulk import Plan
from devices.store.bulk_apply import size
from devices.store.bulk_stage import Stage
from devices.store.imports import State
from devices.store.scope import Scope
from gengfu import reading
from gengfu.bulk import Request, Who, plan_of, run_here, without_collector
from gengfu.bulk_export import export_to

NICENESS = 10
FAULTS_AT_ONCE = 1_000


def main() -> None:
    """Exit code 0 with a last line `{"result": ...}` or `{"refused": [code, names]}`."""
    order = msgspec.json.decode(sys.stdin.buffer.readline())
    os.nice(NICENESS)
    try:
        say({"result": _WORK[order["work"]](order)})
    except FileRefused as refused:
        say({"refused": [refused.code, {name: str(value) for name, value in refused.names.items()}]})


def say(line: dict[str, Any]) -> None:
    sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
    sys.stdout.buffer.flush()


def request_of(order: dict[str, Any]) -> Request:
    return Request(
        tuple((Path(path), name) for path, name in order["files"]),
        Who(*order["who"]),
        datetime.fromisoformat(order["now"]),
        ZoneInfo(order["zone"]),
        Scope(None if order["scope"] is None else tuple(order["scope"])),
        order["dry_run"],
        frozenset(order["reserved"]),
    )


def _progress(phase: str, done: int, size: int) -> None:
    say({"phase": phase, "done": done, "size": size})


def _stage(order: dict[str, Any]) -> dict[str, Any]:
    """Check against the registry, reading only; the plan lies durable in the staging file, with what was found."""
    request = request_of(order)
    sheets = bulk.open_files(request.files)
    path = Path(order["stage"])
    path.unlink(missing_ok=True)
    stage = Stage(path, fresh=True)
    try:
        with without_collector():

            def work(conn: Connection) -> Plan:
                stage.say("head", audit.head(conn)[0])
                return plan_of(conn, stage, sheets, request, _progress)

            plan = reading.read(order["url"], work)
        stage.say("faults", [_told(fault) for fault in plan.faults])
        stage.say("warnings", [_told(fault) for fault in plan.warnings])
        whole = size(stage)
        stage.seal(durable=not request.dry_run)
    finally:
        stage.close()
    return _summary(plan) | {"size": whole}


def _whole(order: dict[str, Any]) -> dict[str, Any]:
    """Check and write in one transaction, with the import's own row."""
    request = request_of(order)

    def finish(conn: Connection, plan: Plan) -> None:
        record_plan(conn, order["id"], plan)
        state = State.REFUSED if plan.faults_total else State.DONE
        imports.change(conn, order["id"], state=state.value, ended_at=request.now)

    report = run_here(order["url"], request, folder=Path(order["folder"]), progress=_progress, finish=finish)
    return _summary(report.plan) | {"size": report.plan.changes, "applied": report.applied}


def record_plan(conn: Connection, import_id: str, plan: Plan) -> None:
    """What was found, with the import's row."""
    imports.change(
        conn,
        import_id,
        rows=plan.rows,
        counts=plan.counts,
        faults=plan.faults_total,
        warnings=plan.warnings_total,
    )
    for first in range(0, len(plan.faults), FAULTS_AT_ONCE):
        imports.add_faults(conn, import_id, first + 1, plan.faults[first : first + FAULTS_AT_ONCE], warning=False)
    imports.add_faults(conn, import_id, len(plan.faults) + 1, plan.warnings, warning=True)


def _export(order: dict[str, Any]) -> dict[str, Any]:
    scope = Scope(None if order["scope"] is None else tuple(order["scope"]))
    counts = export_to(order["url"], Path(order["path"]), Language(order["language"]), scope, hidden=True)
    return {"counts": counts}


def _summary(plan: Plan) -> dict[str, Any]:
    return {
        "rows": plan.rows,
        "counts": plan.counts,
        "faults": plan.faults_total,
        "warnings": plan.warnings_total,
        "changes": plan.changes,
    }


def _told(fault: Fault) -> list[Any]:
    return [fault.file, fault.sheet, fault.row, fault.column, fault.code, dict(fault.names), fault.near]


_WORK = {"stage": _stage, "whole": _whole, "export": _export}

if __name__ == "__main__":
    main()
