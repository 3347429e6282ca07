"""Sheets as one PDF 1.4 document: rectangles, lines and Helvetica, which every viewer has. Embeds no font, no picture.

The same sheets always give the same bytes: no date, no random id.
"""

import zlib
from collections.abc import Sequence

from api.labels.drawing import Box, Mark, Sheet, Stroke, Text

points_per_mm = 72 / 25.4
_FONTS = {"F1": "Helvetica", "F2": "Helvetica-Bold"}


def pdf(sheets: Sequence[Sheet]) -> bytes:
    """All pages, in their order; coordinates stay in mm, with the origin moved to the upper left corner."""
    first_page = 3 + len(_FONTS)
    kids = " ".join(f"{first_page + 2 * index} 0 R" for index in range(len(sheets)))
    fonts = " ".join(f"/{name} {3 + index} 0 R" for index, name in enumerate(_FONTS))
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(sheets)}>>".encode(),
        *(
            f"<</Type/Font/Subtype/Type1/BaseFont/{font}/Encoding/WinAnsiEncoding>>".encode()
            for font in _FONTS.values()
        ),
    ]
    for index, sheet in enumerate(sheets):
        box = f"0 0 {sheet.width * points_per_mm:.3f} {sheet.height * points_per_mm:.3f}"
        content = f"{first_page + 2 * index + 1} 0 R"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Resources<</Font<<{fonts}>>>>/Contents {content}>>".encode()
        )
        stream = zlib.compress(_content(sheet).encode("latin-1", "replace"), 9)
        head = f"<</Filter/FlateDecode/Length {len(stream)}>>\nstream\n".encode()
        objects.append(head + stream + b"\nendstream")
    return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    """Objects numbered from 1, the table of their positions, the trailer."""
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    positions = []
    for number, body in enumerate(objects, 1):
        positions.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    table = len(out)
    count = len(objects) + 1
    out += f"xref\n0 {count}\n0000000000 65535 f \n".encode()
    out += "".join(f"{position:010d} 00000 n \n" for position in positions).encode()
    out += f"trailer\n<</Size {count}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n".encode()
    return bytes(out)


def _content(sheet: Sheet) -> str:
    """The page's drawing: one scale to mm; y grows upwards in PDF, so every y is turned."""
    scale = f"{points_per_mm:.6f} 0 0 {points_per_mm:.6f} 0 0 cm 1 J 1 j"
    boxes = " ".join(
        f"{box.x:.3f} {sheet.height - box.y - box.height:.3f} {box.width:.3f} {box.height:.3f} re"
        for box in sheet.marks
        if isinstance(box, Box)
    )
    rest = (_mark(mark, sheet.height) for mark in sheet.marks if not isinstance(mark, Box))
    return "\n".join([scale, f"{boxes} f" if boxes else "", *rest])


def _mark(mark: Mark, height: float) -> str:
    match mark:
        case Stroke(points, width):
            (x, y), *others = points
            lines = " ".join(f"{px:.3f} {height - py:.3f} l" for px, py in others)
            return f"{width:.3f} w {x:.3f} {height - y:.3f} m {lines} S"
        case Text(x, y, size, text, bold):
            escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
            font = "F2" if bold else "F1"
            return f"BT /{font} {size:.3f} Tf {x:.3f} {height - y:.3f} Td ({escaped}) Tj ET"
        case Box():
            raise AssertionError("boxes are drawn together")
