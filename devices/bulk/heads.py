"""From a header row to the columns it means: which sheet it is, and what is wrong with its headers. Pure."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from devices.bulk.cells import clean
from devices.bulk.columns import COLUMNS, LEVELS, REQUIRED, TITLES, Sheet
from devices.bulk.faults import Fault, Faults, nearest, short
from devices.bulk.files import FileRefused, RawSheet, Row, RowBroken

_PARTS = re.compile(r"[\s()\[\]/|]+")


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet that was recognised: where each of its columns stands."""

    raw: RawSheet
    sheet: Sheet
    at: Mapping[str, int] = field(default_factory=dict)
    """English name of the column -> its index."""
    width: int = 0

    def fault(
        self, row: int, column: str | int | None, code: str, near: str | None = None, /, **names: object
    ) -> Fault:
        """A fault in this sheet; values are quoted short."""
        index = self.at.get(column) if isinstance(column, str) else column
        quoted = {name: short(value) if isinstance(value, str) else value for name, value in names.items()}
        return Fault(self.raw.file, self.raw.title, row, index, code, quoted, near)

    def rows(self, faults: Faults) -> Iterator[Row]:
        """The rows under the header that hold anything, each as wide as the header."""
        width = self.width
        reading = self.raw.rows()
        next(reading, None)
        try:
            for number, cells in reading:
                if len(cells) != width:
                    if len(cells) > width:
                        cells = self._trimmed(number, cells, faults)
                    cells = [*cells, *[""] * (width - len(cells))]
                if any(cells):
                    yield number, cells
        except RowBroken as broken:
            faults.add(self.fault(broken.row, None, "not_csv", row=broken.row))

    def _trimmed(self, number: int, cells: Sequence[str], faults: Faults) -> list[str]:
        for index in range(self.width, len(cells)):
            if cells[index].strip():
                faults.add(self.fault(number, index, "extra_cell"))
                break
        return list(cells[: self.width])


def _known(sheet: Sheet) -> dict[str, str]:
    """Every spelling of a header -> the column."""
    found = {}
    for column in COLUMNS[sheet]:
        for word in (column.name, column.zh, *column.aliases):
            found[_plain(word)] = column.name
    return found


def _plain(header: str) -> str:
    return unicodedata.normalize("NFKC", clean(header)).lstrip("\ufeff").strip().lower().replace(" ", "_")


_KNOWN = {sheet: _known(sheet) for sheet in Sheet}


def recognise(raw: RawSheet, faults: Faults) -> Table | None:
    """The table behind a sheet; None, with faults added, when its header cannot be read. An empty sheet is no fault."""
    try:
        first = next(raw.rows(), None)
    except RowBroken:
        raise FileRefused("not_text", file=raw.file) from None
    cells = [] if first is None else list(first[1])
    while cells and not cells[-1].strip():
        cells.pop()
    if not cells:
        return None
    sheet, meant = _best(raw, cells)
    table = Table(raw, sheet, {name: index for index, name in enumerate(meant) if name}, len(cells))
    if not table.at:
        faults.add(table.fault(1, 0, "no_headers"))
        return None
    bad = list(_header_faults(table, cells, meant))
    for fault in bad:
        faults.add(fault)
    return None if bad else table


def _header_faults(table: Table, cells: list[str], meant: list[str | None]) -> Iterator[Fault]:
    seen: set[str] = set()
    for index, (cell, name) in enumerate(zip(cells, meant, strict=True)):
        if name is None:
            yield table.fault(1, index, "unknown_header", nearest(_plain(cell), _KNOWN[table.sheet]), value=cell)
        elif name in seen:
            yield table.fault(1, index, "header_twice", value=cell)
        seen.add(name or "")
    zh = {column.name: column.zh for column in COLUMNS[table.sheet]}
    for name in sorted(REQUIRED[table.sheet] - seen):
        yield table.fault(1, None, "header_missing", value=f"{zh[name]} {name}")
    if table.sheet is Sheet.PLACES and not seen & {*LEVELS, "device"}:
        yield table.fault(1, None, "header_missing", value="设备 device")


def _best(raw: RawSheet, cells: list[str]) -> tuple[Sheet, list[str | None]]:
    """The sheet most headers belong to; among equals the one that the title or file is named after."""
    name = f"{raw.title} {PurePath(raw.file).stem}".lower()
    best: tuple[tuple[int, bool], Sheet, list[str | None]] | None = None
    for sheet in Sheet:
        meant = [_meaning(cell, _KNOWN[sheet]) for cell in cells]
        score = (len({each for each in meant if each}), sheet.value in name or TITLES[sheet] in name)
        if best is None or score > best[0]:
            best = (score, sheet, meant)
    assert best is not None
    return best[1], best[2]


def _meaning(cell: str, known: dict[str, str]) -> str | None:
    whole = known.get(_plain(cell))
    if whole is not None:
        return whole
    parts = [known.get(part) for part in _PARTS.split(unicodedata.normalize("NFKC", clean(cell)).lower()) if part]
    return parts[0] if parts and len(set(parts)) == 1 else None
