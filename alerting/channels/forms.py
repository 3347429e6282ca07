"""Form and query encoding as vendors read it, several times as fast as `urllib.parse` (yarl's is compiled). Pure."""

from collections.abc import Mapping, Sequence

from yarl import URL

_nowhere = URL("")
# What a form may leave as it stands and RFC 3986 wants written out; a form's space is a plus.
_loose = [(mark, f"%{ord(mark):02X}") for mark in "?/:@!$'()*,;"] + [("+", "%20")]


def form(values: Mapping[str, str] | Sequence[tuple[str, str]]) -> str:
    """`name=value&...`, application/x-www-form-urlencoded; pairs where a name stands several times."""
    return _nowhere.with_query(values).raw_query_string if values else ""


def strict(values: Sequence[tuple[str, str]]) -> str:
    """The same after RFC 3986: all but letters, digits and `-._~` is written out. Signatures cover this."""
    written = form(values)
    for mark, code in _loose:
        written = written.replace(mark, code)
    return written
