"""Opens bulk files: finds out what they are, refuses early what they must not be, and reads rows of text one by one.

Memory stays flat whatever the file holds. Never writes, never knows what a row means.
"""

import codecs
import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from devices.bulk.words import REFUSALS
from devices.model import Language

import_bytes_max = 200 * 1024 * 1024
unpacked_bytes_max = 1024 * 1024 * 1024
"""Of all parts of a workbook together."""
strings_bytes_max = 64 * 1024 * 1024
"""Of the table of texts, which openpyxl keeps in memory, and of any part but the sheets."""
ratio_max = 100
"""Honest workbooks shrink to a tenth or twentieth."""
ratio_free_bytes = 4 * 1024 * 1024
parts_max = 2_000
line_bytes_max = 1024 * 1024
_CHUNK = 1024 * 1024
_ZIP, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_DELIMITERS = ",;\t"

Row = tuple[int, Sequence[str]]
"""Its number (the header is row 1) and its cells."""


class FileRefused(Exception):
    """The file is not read at all; `sentence` says why in one sentence."""

    def __init__(self, code: str, **names: object) -> None:
        super().__init__(code)
        self.code = code
        self.names = names

    def sentence(self, language: Language) -> str:
        return REFUSALS[self.code][0 if language is Language.ZH_CN else 1].format(**self.names)


class RowBroken(Exception):
    """From this row on the text cannot be split into cells."""

    def __init__(self, row: int) -> None:
        super().__init__(f"row {row}")
        self.row = row


@dataclass(frozen=True, slots=True)
class RawSheet:
    """One sheet: of which file, under which title, and its rows, the header first. Rows may be read several times."""

    file: str
    title: str
    rows: Callable[[], Iterator[Row]]


def sheets_of(path: Path, name: str) -> list[RawSheet]:
    """The sheets of a CSV or XLSX file. `name` is what its sender calls it. FileRefused."""
    try:
        size = path.stat().st_size
        with path.open("rb") as opened:
            start = opened.read(8)
    except OSError:
        raise FileRefused("missing_file", file=name) from None
    if size > import_bytes_max:
        raise FileRefused("too_large", file=name, mb=import_bytes_max // 1024 // 1024)
    if size == 0:
        raise FileRefused("empty", file=name)
    ending = Path(name).suffix.lower()
    if start.startswith(_OLE):
        raise FileRefused("encrypted", file=name)
    if start.startswith(_ZIP) and ending in (".csv", ".txt", ".tsv"):
        raise FileRefused("not_csv_but_zip", file=name)
    if ending in (".xlsm", ".xltm"):
        raise FileRefused("macros", file=name)
    if ending == ".xlsx" or (start.startswith(_ZIP) and not ending):
        return _workbook(path, name)
    if ending in (".csv", ".txt", ".tsv", ""):
        return [_text(path, name)]
    raise FileRefused("extension", file=name)


def _text(path: Path, name: str) -> RawSheet:
    encoding = _encoding(path, name)
    with path.open(encoding=encoding, newline="") as opened:
        first = opened.readline(line_bytes_max)
    delimiter = max(_DELIMITERS, key=first.count)

    def rows() -> Iterator[Row]:
        number = 0
        with path.open(encoding=encoding, newline="") as opened:
            try:
                for number, cells in enumerate(csv.reader(opened, delimiter=delimiter, strict=True), start=1):
                    yield number, cells
            except csv.Error:
                raise RowBroken(number + 1) from None

    return RawSheet(name, "", rows)


def _encoding(path: Path, name: str) -> str:
    """UTF-8 with or without its mark, UTF-16 with it, else GB18030. Reads the file once, a piece at a time."""
    with path.open("rb") as opened:
        start = opened.read(4)
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return _fits(opened, ["utf-16"], name)
        found = _fits(opened, ["utf-8", "gb18030"], name)
    return "utf-8-sig" if found == "utf-8" and start.startswith(codecs.BOM_UTF8) else found


def _fits(opened: io.BufferedReader, encodings: list[str], name: str) -> str:
    opened.seek(0)
    decoders = {encoding: codecs.getincrementaldecoder(encoding)() for encoding in encodings}
    line = 0
    while True:
        piece = opened.read(_CHUNK)
        line = _line_length(piece, line)
        if line > line_bytes_max:
            raise FileRefused("long_line", file=name, kb=line_bytes_max // 1024)
        if b"\0" in piece and "utf-16" not in decoders:
            raise FileRefused("not_text", file=name)
        for encoding, decoder in list(decoders.items()):
            try:
                decoder.decode(piece, final=not piece)
            except UnicodeDecodeError:
                del decoders[encoding]
            else:
                break  # the first that fits is enough; the next is asked from the start when it fails
        if not decoders:
            raise FileRefused("not_text", file=name)
        if not piece:
            break
        if next(iter(decoders)) != encodings[0]:
            return _fits(opened, encodings[1:], name)
    return next(iter(decoders))


def _line_length(piece: bytes, before: int) -> int:
    """How long the line is that has not ended yet, or the longest so far when it is too long already."""
    ends = max(piece.rfind(b"\n"), piece.rfind(b"\r"))
    return before + len(piece) if ends < 0 else len(piece) - ends - 1


def _workbook(path: Path, name: str) -> list[RawSheet]:
    from openpyxl import load_workbook  # it takes its time, and most processes never see a workbook
    from openpyxl.utils.exceptions import InvalidFileException

    _check_parts(path, name)
    try:
        book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
        titles = [sheet.title for sheet in book.worksheets]
        book.close()
    except (InvalidFileException, KeyError, ValueError, zipfile.BadZipFile, OSError, SyntaxError, TypeError):
        raise FileRefused("broken", file=name) from None
    return [RawSheet(name, title, lambda title=title: _sheet_rows(path, name, title)) for title in titles]  # type: ignore[misc]


def _check_parts(path: Path, name: str) -> None:
    """Refuse a bomb, macros and what is no workbook by the archive's own table, before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise FileRefused("not_xlsx", file=name) from None
    known = {part.filename for part in parts}
    if len(parts) > parts_max or len(known) != len(parts):
        raise FileRefused("bomb", file=name)
    if any(part.filename.lower().endswith("vbaproject.bin") for part in parts):
        raise FileRefused("macros", file=name)
    if any(part.flag_bits & 1 for part in parts):
        raise FileRefused("encrypted", file=name)
    if "[Content_Types].xml" not in known or not any(each.startswith("xl/") for each in known):
        raise FileRefused("not_xlsx", file=name)
    unpacked = sum(part.file_size for part in parts)
    packed = max(1, sum(part.compress_size for part in parts))
    large = [part for part in parts if not part.filename.startswith("xl/worksheets/")]
    if (
        unpacked > unpacked_bytes_max
        or (unpacked > ratio_free_bytes and unpacked > ratio_max * packed)
        or any(part.file_size > strings_bytes_max for part in large)
    ):
        raise FileRefused("bomb", file=name)


def _sheet_rows(path: Path, name: str, title: str) -> Iterator[Row]:
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=True, keep_links=False)
    try:
        sheet = book[title]
        sheet.reset_dimensions()  # what the file claims its size to be is not believed
        for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield number, [_as_text(cell) for cell in cells]
    except (KeyError, ValueError, zipfile.BadZipFile, OSError, SyntaxError, TypeError, EOFError):
        raise FileRefused("broken", file=name) from None
    finally:
        book.close()


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime | date | time):
        return value.isoformat(" ") if isinstance(value, datetime) else value.isoformat()
    return str(value)
