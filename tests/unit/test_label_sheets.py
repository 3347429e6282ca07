"""Label sheets at true size: what is printed, read back from the SVG and the PDF, is the QR code and its text."""

import re
import zlib

import pytest
import segno

from api.labels.drawing import Sheet, Stroke
from api.labels.layout import GRIDS, Label, Size, content_of, quiet_modules, sheets
from api.labels.pdf import pdf, points_per_mm
from api.labels.svg import svg
from devices.labels import new_code

CODES = [new_code(bytes([number, 7, 7, 7, number])) for number in range(50)]
LABELS = [Label(code, "smoke detector", code) for code in CODES]
Rectangles = list[tuple[float, float, float, float]]


def matrix_of(boxes: Rectangles, left: float, top: float, side: float, content: str) -> list[list[int]]:
    """The dark modules among these rectangles (x, y, width, height in mm from the upper left corner)."""
    size = len(segno.make_qr(content, error="m").matrix)
    step = side / (size + 2 * quiet_modules)
    dark = [[0] * size for _ in range(size)]
    for x, y, width, height in boxes:
        column, row = (x - left) / step - quiet_modules, (y - top) / step - quiet_modules
        if not (-0.5 < column < size - 0.5 and -0.5 < row < size - 0.5):
            continue
        assert abs(column - round(column)) < 0.02
        assert abs(row - round(row)) < 0.02
        assert abs(height / step - 1) < 0.02
        for place in range(round(column), round(column) + round(width / step)):
            dark[round(row)][place] = 1
    return dark


def of_svg(document: bytes) -> Rectangles:
    found = re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-[\d.]+z", document.decode())
    return [(float(x), float(y), float(width), float(height)) for x, y, width, height in found]


def pages_of(document: bytes) -> list[str]:
    """The drawing of each page."""
    streams = re.findall(rb"stream\n(.*?)\nendstream", document, re.DOTALL)
    return [zlib.decompress(stream).decode("latin-1") for stream in streams]


def of_pdf(page: str, height: float) -> Rectangles:
    found = re.findall(r"([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+) re", page)
    return [(float(x), height - float(y) - float(h), float(w), float(h)) for x, y, w, h in found]


def expected(content: str) -> list[list[int]]:
    return [[int(bool(module)) for module in row] for row in segno.make_qr(content, error="m").matrix]


@pytest.mark.parametrize("size", Size)
def test_every_code_stands_where_it_belongs_in_both_formats(size: Size) -> None:
    grid = GRIDS[size]
    made = sheets(LABELS, size)
    assert len(made) == -(-len(LABELS) // grid.per_page)
    written = pages_of(pdf(made))
    assert len(written) == len(made)
    for index, label in enumerate(LABELS):
        page, place = divmod(index, grid.per_page)
        row, column = divmod(place, grid.columns)
        left = grid.first[0] + column * grid.pitch[0] + 2
        top = grid.first[1] + row * grid.pitch[1] + 2
        side = grid.label[1] - 4
        for boxes in (of_svg(svg(made[page])), of_pdf(written[page], grid.page[1])):
            assert matrix_of(boxes, left, top, side, label.content) == expected(label.content)
        for text in (f"{label.code[:4]}-", label.code[4:]):
            assert f"({text})" in written[page]
            assert f">{text}<" in svg(made[page]).decode()


@pytest.mark.parametrize(("size", "width", "height"), [(Size.A4, 210, 297), (Size.SINGLE, 50, 30)])
def test_pages_have_their_true_size(size: Size, width: float, height: float) -> None:
    made = sheets(LABELS, size)
    document = pdf(made)
    boxes = re.findall(rb"/MediaBox\[0 0 ([\d.]+) ([\d.]+)\]", document)
    assert len(boxes) == len(made) == int(re.findall(rb"/Count (\d+)", document)[0])
    assert {(round(float(w) / points_per_mm, 2), round(float(h) / points_per_mm, 2)) for w, h in boxes} == {
        (width, height)
    }
    assert f'width="{width}mm" height="{height}mm" viewBox="0 0 {width} {height}"' in svg(made[0]).decode()


@pytest.mark.parametrize("size", Size)
def test_nothing_is_drawn_outside_its_label(size: Size) -> None:
    grid = GRIDS[size]
    right = grid.first[0] + (grid.columns - 1) * grid.pitch[0] + grid.label[0]
    bottom = grid.first[1] + (grid.rows - 1) * grid.pitch[1] + grid.label[1]
    assert right <= grid.page[0]
    assert bottom <= grid.page[1]
    wide = Label("WWWWMMMM", "x" * 32, "WWWWMMMM")
    for mark in sheets([wide], size)[0].marks:
        points = mark.points if isinstance(mark, Stroke) else ((mark.x, mark.y),)
        for x, y in points:
            assert grid.first[0] <= x <= grid.first[0] + grid.label[0]
            assert grid.first[1] <= y <= grid.first[1] + grid.label[1]


def test_the_positions_in_the_pdf_are_those_of_its_objects() -> None:
    document = pdf(sheets(LABELS, Size.A4))
    assert document == pdf(sheets(LABELS, Size.A4)), "the same sheets, the same bytes"
    start = int(re.findall(rb"startxref\n(\d+)\n%%EOF\n$", document)[0])
    table = document[start:].split(b"trailer")[0]
    entries = re.findall(rb"(\d{10}) 00000 n \n", table)
    assert table.startswith(f"xref\n0 {len(entries) + 1}\n".encode())
    for number, position in enumerate(entries, 1):
        assert document[int(position) :].startswith(f"{number} 0 obj\n".encode())


def test_text_that_means_something_to_a_format_is_escaped() -> None:
    odd = Label(CODES[0], r"a(b)\c<d>&", CODES[0])
    (sheet,) = sheets([odd], Size.SINGLE)
    (page,) = pages_of(pdf([sheet]))
    assert r"(a\(b\)\\c<d>&)" in page
    assert "a(b)\\c&lt;d&gt;&amp;" in svg(sheet).decode()


def test_what_the_code_says() -> None:
    assert content_of("7K3M9XQ2", None) == "7K3M9XQ2"
    assert content_of("7K3M9XQ2", "https://gengfu.example/") == "HTTPS://GENGFU.EXAMPLE/D/7K3M9XQ2"
    small = segno.make_qr("7K3M9XQ2", error="m")
    assert (small.version, small.mode) == (1, "alphanumeric")


def test_no_label_no_page() -> None:
    assert sheets([], Size.A4) == []
    assert isinstance(sheets(LABELS[:1], Size.A4)[0], Sheet)
