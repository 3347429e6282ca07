"""Bulk files made from rows, imported into a registry of either kind and exported again. Holds no test."""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Table, insert, select

from devices.bulk.columns import Sheet, headers
from devices.model import Language
from devices.store.scope import EVERYTHING, Scope
from gengfu.bulk import Report, Request, Who, run_here
from gengfu.bulk_export import export_to
from gengfu.database import migrate
from gengfu.database.common import parse

T = TypeVar("T")

NOW = datetime(2026, 11, 27, 4, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
WHO = Who("tester", "tester", "cli")
MODEL = {
    "id": "model-1",
    "code": "nb-smoke-1",
    "maker": "maker",
    "model": "S1",
    "kind": "smoke_detector",
    "dialect": "ctwing",
    "codec": "gengfu_plain",
    "supervision_window_s": 90_000,
}

Row = Mapping[str, object]


def write_csv(folder: Path, sheet: Sheet, rows: Iterable[Row], name: str | None = None) -> Path:
    """A file with the columns that the rows use; columns are named in English."""
    rows = list(rows)
    used = [column for column in headers(sheet, Language.EN) if any(column in row for row in rows)]
    path = folder / (name or f"{sheet.value}.csv")
    with path.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(used)
        writer.writerows([row.get(column, "") for column in used] for row in rows)
    return path


@dataclass(slots=True)
class Bulk:
    """A registry and a folder for files. Every import runs at a later instant than the one before."""

    url: str
    folder: Path
    imports: int = 0

    def load(self, *files: Path, scope: Scope = EVERYTHING, dry_run: bool = False) -> Report:
        self.imports += 1
        pairs = tuple((path, path.name) for path in files)
        now = NOW.replace(minute=self.imports % 60, hour=4 + self.imports // 60 % 20)
        return run_here(self.url, Request(pairs, WHO, now, ZONE, scope, dry_run), folder=self.folder)

    def places(self, *rows: Row, **options: Any) -> Report:
        return self.load(write_csv(self.folder, Sheet.PLACES, rows), **options)

    def sheets(self, given: Mapping[Sheet, Sequence[Row]], **options: Any) -> Report:
        return self.load(*(write_csv(self.folder, sheet, rows) for sheet, rows in given.items()), **options)

    def export(self, name: str = "out") -> dict[str, str]:
        """The text of each file of a folder export."""
        folder = self.folder / name
        export_to(self.url, folder, Language.EN)
        return {path.name: path.read_text(encoding="utf-8-sig") for path in sorted(folder.iterdir())}

    def run(self, work: Callable[[Connection], T]) -> T:
        return migrate.run(parse(self.url), work)

    def add(self, table: Table, *rows: Mapping[str, Any]) -> None:
        self.run(lambda conn: conn.execute(insert(table), [dict(row) for row in rows]))

    def rows(self, table: Table, *columns: str) -> list[tuple[Any, ...]]:
        query = select(*(table.c[column] for column in columns))
        return sorted(self.run(lambda conn: [tuple(row) for row in conn.execute(query)]), key=repr)


def told(report: Report, language: Language = Language.EN) -> list[tuple[str, str, str]]:
    """(cell, code, suggestion) of every fault listed."""
    documents = [fault.document(language) for fault in report.plan.faults]
    return [(each["cell"], each["code"], each["suggestion"]) for each in documents]


def codes(report: Report) -> list[tuple[str, str]]:
    """(cell, code) of every fault listed."""
    return [(cell, code) for cell, code, _ in told(report)]
