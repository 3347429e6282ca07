"""A small XML document with one level of fields, as callbacks bring it. No document type, no entities, bounded.

Never raises anything but ValueError, whatever comes in.
"""

from xml.parsers import expat

bytes_max = 64 * 1024
fields_max = 100
depth_max = 8


def fields(document: bytes) -> dict[str, str]:
    """The text of each element right below the root, by its name; the last of a name counts. What lies deeper is left
    out. ValueError for anything else."""
    if len(document) > bytes_max:
        raise ValueError("too long")
    reader = _Reader()
    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = reader.begin
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(document, True)
    except expat.ExpatError:
        raise ValueError("no XML") from None
    return reader.found


def _refuse(*declared: object) -> None:
    raise ValueError("declares a document type")


class _Reader:
    def __init__(self) -> None:
        self.found: dict[str, str] = {}
        self._path: list[str] = []
        self._parts: list[str] = []

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if len(self._path) > depth_max:
            raise ValueError("nested too deep")
        if len(self._path) == 2:
            self._parts = []

    def end(self, name: str) -> None:
        if len(self._path) == 2:
            self.found[name] = "".join(self._parts).strip()
            if len(self.found) > fields_max:
                raise ValueError("too many fields")
        self._path.pop()

    def text(self, text: str) -> None:
        if len(self._path) == 2:
            self._parts.append(text)
