"""A sheet as an SVG document of its true size. Never touches a font: the viewer has one."""

from xml.sax.saxutils import escape

from api.labels.drawing import Box, Sheet, Stroke, Text


def svg(sheet: Sheet) -> bytes:
    """One page."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{sheet.width:g}mm" height="{sheet.height:g}mm" '
        f'viewBox="0 0 {sheet.width:g} {sheet.height:g}">'
    )
    boxes = "".join(
        f"M{box.x:.3f} {box.y:.3f}h{box.width:.3f}v{box.height:.3f}h{-box.width:.3f}z"
        for box in sheet.marks
        if isinstance(box, Box)
    )
    white = f'<rect width="{sheet.width:g}" height="{sheet.height:g}" fill="#fff"/>'
    dark = f'<path shape-rendering="crispEdges" d="{boxes}"/>'
    rest = "".join(_mark(mark) for mark in sheet.marks if not isinstance(mark, Box))
    return f"{head}{white}{dark}{rest}</svg>\n".encode()


def _mark(mark: Stroke | Text) -> str:
    if isinstance(mark, Stroke):
        points = " ".join(f"{x:.3f},{y:.3f}" for x, y in mark.points)
        return (
            f'<polyline points="{points}" fill="none" stroke="#000" stroke-width="{mark.width:.3f}" '
            'stroke-linecap="round" stroke-linejoin="round"/>'
        )
    weight = ' font-weight="bold"' if mark.bold else ""
    return (
        f'<text x="{mark.x:.3f}" y="{mark.y:.3f}" font-family="Helvetica,Arial,sans-serif" '
        f'font-size="{mark.size:.3f}"{weight}>{escape(mark.text)}</text>'
    )
