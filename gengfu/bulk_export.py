"""The registry into files, in one reading transaction, and the audit's word of it. Never changes the registry."""

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from alerting.channels.mask import masked
from devices.bulk.columns import Sheet
from devices.bulk.writing import write_folder, write_workbook
from devices.model import Language
from devices.store import bulk_export
from devices.store.scope import EVERYTHING, Scope
from gengfu import reading

WORKBOOK = ".xlsx"


def export_to(
    url: str, path: Path, language: Language, scope: Scope = EVERYTHING, *, hidden: bool = False
) -> dict[str, int]:
    """`path` ending in .xlsx: one workbook, written aside and put in its place whole; else a folder of CSV files. How
    many rows each sheet has. `hidden`: telephone numbers are masked. Blocks."""
    phone = masked if hidden else str

    def work(conn: Connection) -> dict[Sheet, int]:
        if path.suffix.lower() != WORKBOOK:
            return write_folder(path, lambda sheet: bulk_export.rows(conn, sheet, scope, phone), language)
        aside = path.with_name(f".{path.name}.part")
        try:
            counts = write_workbook(aside, lambda sheet: bulk_export.rows(conn, sheet, scope, phone), language)
            os.replace(aside, path)
        finally:
            aside.unlink(missing_ok=True)
        return counts

    return {sheet.value: count for sheet, count in reading.read(url, work).items()}


def note(conn: Connection, args: Mapping[str, Any], now: datetime, new_id: Callable[[], str]) -> dict[str, Any]:
    """A command for the audit. args: file, rows (by sheet). An export shows whole telephone numbers: who made it is
    kept."""
    return {"id": str(args["file"])[:128]}
