"""Cells as they are written and read: no cell of ours is taken for a formula, and reading gives back what was there.

Pure; never knows what a cell means.
"""

ESCAPED = "=+-@\t\r\n＝＋－＠'"
"""A spreadsheet program may calculate with what begins so; the apostrophe says: text. It is itself escaped, so that
reading can tell our apostrophe from one that belongs to a name."""


def escape(text: str) -> str:
    """The cell for a text."""
    return "'" + text if text and text[0] in ESCAPED else text


def unescape(cell: str) -> str:
    """The text of a cell: an apostrophe before what looks like a formula goes, any other stays."""
    if cell[:1] == "'" and len(cell) > 1 and cell[1] in ESCAPED:
        return cell[1:]
    return cell


def clean(cell: str) -> str:
    """The text of a cell without the blanks around it."""
    if not cell:
        return cell
    return unescape(cell.strip(" \u3000\xa0")).strip()


def code(cell: str) -> str:
    """The text of a cell that holds no blanks."""
    text = cell.strip()
    return clean(text) if text[:1] == "'" else text


def letters(index: int) -> str:
    """The name of a column: 0 is A, 26 is AA."""
    name = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        name = chr(65 + rest) + name
    return name
