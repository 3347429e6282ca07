"""Writes the sheets of an export: one workbook, or a folder of CSV files. Cells that look like formulas are escaped.

Never holds more than some rows in memory; never knows where they come from.
"""

import csv
from collections.abc import Callable, Iterator
from itertools import chain, islice
from pathlib import Path

from devices.bulk.cells import escape
from devices.bulk.columns import TITLES, Sheet, headers
from devices.model import Language

sheet_rows_max = 1_000_000
"""A worksheet ends at 1,048,576 rows; what follows goes to another one."""

Rows = Callable[[Sheet], Iterator[list[str]]]


def write_folder(folder: Path, rows: Rows, language: Language) -> dict[Sheet, int]:
    """UTF-8 with a byte-order mark, so that spreadsheet programs read the names. How many rows each sheet has."""
    folder.mkdir(parents=True, exist_ok=True)
    counts = {}
    for sheet in Sheet:
        with (folder / f"{sheet.value}.csv").open("w", encoding="utf-8-sig", newline="") as opened:
            writer = csv.writer(opened)
            writer.writerow(headers(sheet, language))
            counts[sheet] = 0
            for row in rows(sheet):
                writer.writerow([escape(cell) for cell in row])
                counts[sheet] += 1
    return counts


def write_workbook(path: Path, rows: Rows, language: Language) -> dict[Sheet, int]:
    """Characters that XML cannot hold are left out."""
    from openpyxl import Workbook  # only who exports needs it
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    book = Workbook(write_only=True)
    counts = {}
    for sheet in Sheet:
        counts[sheet] = 0
        reading, part = rows(sheet), 0
        while (first := next(reading, None)) is not None or part == 0:
            part += 1
            page = book.create_sheet(TITLES[sheet] if part == 1 else f"{TITLES[sheet]} {part}")
            page.append(headers(sheet, language))
            begun = [] if first is None else [first]
            for row in islice(chain(begun, reading), sheet_rows_max):
                page.append([ILLEGAL_CHARACTERS_RE.sub("", escape(cell)) for cell in row])
                counts[sheet] += 1
    book.save(path)
    return counts
