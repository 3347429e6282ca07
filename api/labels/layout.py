"""Where things stand on a label, and labels on a sheet. The two characters 更夫 are drawn as strokes, so that nobody
needs a Chinese font. Never asks a database."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import segno

from api.labels.drawing import Box, Mark, Sheet, Stroke, Text
from devices.labels import grouped

quiet_modules = 4
"""White round the code, as ISO/IEC 18004 asks."""
margin_mm = 2.0
capital_em = 0.72
"""Height of Helvetica's capitals."""
letter_em = 0.56
"""Mean width of its small letters."""

_GENG = (
    ((10, 12), (90, 12)),
    ((22, 28), (22, 64)),
    ((22, 28), (78, 28), (78, 64)),
    ((22, 46), (78, 46)),
    ((22, 64), (78, 64)),
    ((50, 12), (50, 60), (40, 76), (10, 93)),
    ((24, 67), (48, 84), (92, 94)),
)
_FU = (
    ((20, 28), (80, 28)),
    ((8, 52), (92, 52)),
    ((50, 8), (50, 48), (38, 74), (8, 93)),
    ((51, 53), (64, 76), (92, 93)),
)
"""Strokes of the two characters, each on a square of 100."""


class Size(StrEnum):
    """What the labels are printed on."""

    A4 = "a4"
    """24 labels of 63.5 x 33.9 mm on a sheet, the common die-cut."""
    SINGLE = "50x30"
    """One label a page, for a label printer."""


@dataclass(frozen=True, slots=True)
class Grid:
    """A page and the labels on it, in mm."""

    page: tuple[float, float]
    label: tuple[float, float]
    first: tuple[float, float] = (0.0, 0.0)
    pitch: tuple[float, float] = (0.0, 0.0)
    columns: int = 1
    rows: int = 1

    @property
    def per_page(self) -> int:
        return self.columns * self.rows


GRIDS = {
    Size.A4: Grid((210.0, 297.0), (63.5, 33.9), (7.25, 12.9), (66.0, 33.9), 3, 8),
    Size.SINGLE: Grid((50.0, 30.0), (50.0, 30.0)),
}


@dataclass(frozen=True, slots=True)
class Label:
    """What one label shows: its code, what kind of device it is, and what its QR code says."""

    code: str
    kind: str
    content: str


def content_of(code: str, address: str | None) -> str:
    """The text of the QR code: the bare code, or our page about it. In capitals, which QR packs most tightly."""
    return code if address is None else f"{address.rstrip('/')}/d/{code}".upper()


def sheets(labels: Sequence[Label], size: Size) -> list[Sheet]:
    """The labels on as many pages as they take."""
    grid = GRIDS[size]
    starts = range(0, len(labels), grid.per_page)
    return [_sheet(labels[start : start + grid.per_page], grid) for start in starts]


def _sheet(labels: Sequence[Label], grid: Grid) -> Sheet:
    marks: list[Mark] = []
    for index, label in enumerate(labels):
        row, column = divmod(index, grid.columns)
        left = grid.first[0] + column * grid.pitch[0]
        top = grid.first[1] + row * grid.pitch[1]
        marks.extend(_label(label, left, top, *grid.label))
    return Sheet(*grid.page, tuple(marks))


def _label(label: Label, left: float, top: float, width: float, height: float) -> Iterator[Mark]:
    """The QR code at the left with its white rim; beside it the name, the code in two halves, the kind."""
    side = height - 2 * margin_mm
    yield from modules(label.content, left + margin_mm, top + margin_mm, side)
    x = left + margin_mm + side + 0.5
    room = left + width - margin_mm - x
    name = 4.0
    for place, character in enumerate((_GENG, _FU)):
        yield from _character(character, x + place * (name + 0.5), top + margin_mm + 0.8, name)
    yield Text(x + 2 * name + 1.6, top + margin_mm + 0.7 + name * 0.86, 2.9, "Gengfu")
    size = room / 4.4
    first, second = grouped(label.code).split("-")
    line = top + margin_mm + name + 3.0
    yield Text(x, line + size * capital_em, size, f"{first}-", bold=True)
    yield Text(x, line + size * (capital_em + 1.05), size, second, bold=True)
    small = min(2.6, room / (letter_em * max(len(label.kind), 1)))
    yield Text(x, top + height - margin_mm - 1.0, small, label.kind)


def modules(content: str, x: float, y: float, side: float) -> Iterator[Box]:
    """The dark modules of a QR code on a square with its white rim; neighbours in a row are one rectangle."""
    matrix = segno.make_qr(content, error="m").matrix
    step = side / (len(matrix) + 2 * quiet_modules)
    for row, line in enumerate(matrix):
        for start, length in _runs(line):
            yield Box(x + (quiet_modules + start) * step, y + (quiet_modules + row) * step, length * step, step)


def _runs(line: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Start and length of each run of dark modules."""
    start = None
    for place, dark in enumerate((*line, 0)):
        if dark and start is None:
            start = place
        elif not dark and start is not None:
            yield start, place - start
            start = None


def _character(strokes: Sequence[Sequence[tuple[int, int]]], x: float, y: float, side: float) -> Iterator[Stroke]:
    for points in strokes:
        yield Stroke(tuple((x + px * side / 100, y + py * side / 100) for px, py in points), side * 0.085)
