"""Bulk imports and exports: takes a file as it streams in, tells how far its import is. Never reads a row itself."""

import os
import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from sqlalchemy import Connection
from starlette.background import BackgroundTask

from alerting.ports import Priority
from api import audit
from api.auth import GuardedRoute, Who
from api.deps import Deps, ImportDesk, Use
from api.errors import Problem, invalid, language_of, not_found
from api.pages import Cursor, Limit, answer, cursor_at, limit_default, number_position
from api.permissions import PREFIX
from api.schemas.imports import ImportCount, ImportFault, ImportOut, ImportStarted
from devices.bulk.faults import Fault
from devices.bulk.files import FileRefused
from devices.bulk.words import REFUSALS
from devices.model import Language
from devices.store import imports as store
from devices.store.imports import Importer, ImportRow, Upload

router = APIRouter(prefix=PREFIX, tags=["imports"], route_class=GuardedRoute)

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ENDINGS = {"text/csv": ".csv", "text/tab-separated-values": ".csv", XLSX: ".xlsx"}
warnings_shown = 100
buffered_bytes = 256 * 1024


@router.post("/imports", status_code=202, response_model=ImportStarted)
async def begin_import(
    request: Request,
    use: Use,
    who: Who,
    dry_run: bool = False,
    name: Annotated[str | None, Query(max_length=128, description="What the file is called, in faults")] = None,
) -> Response:
    """The body is the file: text/csv or an XLSX workbook, at most 200 MB. Ask `Location` for its state. The same file
    again changes nothing."""
    desk = _desk(use)
    ending = ENDINGS.get(request.headers.get("content-type", "").partition(";")[0].strip().lower())
    if ending is None:
        raise invalid("Content-Type", "enum", expected=", ".join(ENDINGS))
    scope = await use.database.read(who.scope)
    path = await _kept(request, desk.folder, ending)
    called = name or f"import{ending}"
    upload = Upload(((path, called),), Importer(who.key_id, who.name, who.via), scope, dry_run, ours=True)
    try:
        import_id = await desk.begin(upload)
    except FileRefused as refused:
        _remove(path)
        raise _problem(refused) from None
    return answer({"id": import_id}, 202, {"location": f"{PREFIX}/imports/{import_id}"})


@router.get("/imports/{id}", response_model=ImportOut)
async def read_import(
    id: str, request: Request, use: Use, who: Who, cursor: Cursor = None, limit: Limit = limit_default
) -> Response:
    """How far it is and, page by page, what is wrong with its rows."""
    after = number_position(cursor) or 0

    def work(conn: Connection) -> tuple[ImportRow, list[tuple[int, Fault]], list[tuple[int, Fault]]]:
        row = store.get(conn, id)
        if row is None or not (row.actor_id == who.key_id or who.scope(conn).everything):
            raise not_found()
        found = store.faults(conn, id, after, limit + 1, warning=False)
        return row, found, store.faults(conn, id, 0, warnings_shown, warning=True)

    row, faults, warnings = await use.database.read(work)
    return answer(_shown(row, faults, warnings, limit, language_of(request)).model_dump(mode="json"))


@router.get("/exports/registry.xlsx", response_class=FileResponse)
async def export_registry(request: Request, use: Use, who: Who) -> Response:
    """Places, people, grids and shifts as a workbook that an import takes. Telephone numbers are masked; imported
    again, a masked one leaves the person's own as it is."""
    desk = _desk(use)
    scope = await use.database.read(who.scope)
    handle, text = tempfile.mkstemp(prefix=".gengfu-export-", suffix=".xlsx", dir=desk.folder)
    os.close(handle)
    path = Path(text)
    try:
        counts = await desk.export(path, language_of(request), scope)
        await use.database.write(
            Priority.ADMINISTRATION,
            lambda conn: audit.note(conn, request, use, "export", "registry", "registry.xlsx", detail={"rows": counts}),
        )
    except BaseException:
        _remove(path)
        raise
    return FileResponse(path, media_type=XLSX, filename="registry.xlsx", background=BackgroundTask(_remove, path))


async def _kept(request: Request, folder: Path, ending: str) -> Path:
    """The body in a file of its own, a piece at a time; the middleware ends what is too long."""
    handle, path = tempfile.mkstemp(prefix=".gengfu-upload-", suffix=ending, dir=folder)
    try:
        with os.fdopen(handle, "wb", buffering=buffered_bytes) as kept:
            async for piece in request.stream():
                kept.write(piece)
    except BaseException:
        _remove(Path(path))
        raise
    return Path(path)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _desk(use: Deps) -> ImportDesk:
    if use.imports is None:
        raise Problem(503, "unavailable", "no_imports")
    return use.imports


def _problem(refused: FileRefused) -> Problem:
    if refused.code == "busy":
        return Problem(503, "importing", headers={"retry-after": "10"})
    return Problem(422, "file_refused", sentence=REFUSALS[refused.code], names=dict(refused.names))


def _shown(
    row: ImportRow,
    faults: list[tuple[int, Fault]],
    warnings: list[tuple[int, Fault]],
    limit: int,
    language: Language,
) -> ImportOut:
    page = faults[:limit]
    return ImportOut(
        id=row.id,
        state=row.state.value,
        name=row.name,
        sha256=row.sha256,
        dry_run=row.dry_run,
        created_at=row.created_at,
        ended_at=row.ended_at,
        rows=row.rows,
        size=row.size,
        written=row.written,
        counts={noun: ImportCount(**counts) for noun, counts in (row.counts or {}).items()},
        faults_total=row.faults,
        faults=[_fault(fault, language) for _, fault in page],
        next=cursor_at(page[-1][0]) if len(faults) > limit else None,
        warnings_total=row.warnings,
        warnings=[_fault(fault, language) for _, fault in warnings],
        refusal=_refusal(row.refusal, language),
    )


def _fault(fault: Fault, language: Language) -> ImportFault:
    return ImportFault(**fault.document(language))


def _refusal(refusal: Any, language: Language) -> str | None:
    if not refusal:
        return None
    return FileRefused(refusal["code"], **refusal["names"]).sentence(language)
