"""Breaks text into lines of so many terminal cells: Chinese between any two characters, Latin words whole. Pure."""

import re
from collections.abc import Iterator

from rich.cells import cell_len

_NOT_FIRST = "，。、：；！？）》」』”’,.:;!?)"
_NOT_LAST = "（《「『“‘("
_PIECES = re.compile(r"[!-~]+|\s+|[^!-~\s]")


def wrap(text: str, cells: int) -> str:
    """The text with line breaks; existing ones stay. A word longer than a line is cut."""
    return "\n".join(line for paragraph in text.split("\n") for line in _lines(paragraph, max(cells, 4)))


def _lines(paragraph: str, cells: int) -> Iterator[str]:
    line = ""
    for piece in _pieces(paragraph, cells):
        if line and cell_len(line + piece.rstrip()) > cells:
            yield line.rstrip()
            line = piece.lstrip()
        else:
            line += piece
    yield line.rstrip()


def _pieces(paragraph: str, cells: int) -> Iterator[str]:
    """What must stay on one line: a word, or a character with the punctuation that belongs to it."""
    held = ""
    for piece in _PIECES.findall(paragraph):
        joins = not held or held[-1] in _NOT_LAST or piece[0] in _NOT_FIRST
        if joins and cell_len(held + piece) <= cells:
            held += piece
            continue
        if held:
            yield held
        while cell_len(piece) > cells:
            yield piece[:cells]
            piece = piece[cells:]
        held = piece
    if held:
        yield held
