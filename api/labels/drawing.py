"""What is drawn on a page, in millimetres from its upper left corner. Values only: `svg` and `pdf` write them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Box:
    """A black rectangle."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Stroke:
    """A black line through these points, with round ends."""

    points: tuple[tuple[float, float], ...]
    width: float


@dataclass(frozen=True, slots=True)
class Text:
    """Latin text in Helvetica; `y` is its base line, `size` the height of the type in mm."""

    x: float
    y: float
    size: float
    text: str
    bold: bool = False


Mark = Box | Stroke | Text


@dataclass(frozen=True, slots=True)
class Sheet:
    """One page."""

    width: float
    height: float
    marks: tuple[Mark, ...]
