"""No file names a package index or a place on somebody's machine: the project works wherever it is cloned."""

import re

from tests.architecture.sources import ROOT, project_files

# In two parts each, so that this file passes its own test.
_HOSTS = ("pypi" + r"\.org", "python" + r"hosted\.org", "npm" + r"js\.(?:org|com)", "deb" + r"\.debian\.org")
_HOSTS_MORE = ("crates" + r"\.io", "proxy" + r"\.golang\.org", "docker" + r"\.io", "ghcr" + r"\.io")
_PLACES = ("/wo" + "rk/(?:main|shared)", "/ro" + "ot/", "/ho" + r"me/\w+/", "/Us" + r"ers/\w+/")
BANNED = re.compile("|".join(_HOSTS + _HOSTS_MORE + _PLACES))


def findings(text: str) -> list[str]:
    """The banned words of a text."""
    return [match.group() for match in BANNED.finditer(text)]


def test_no_file_names_an_index_or_a_machine() -> None:
    found: dict[str, list[str]] = {}
    for name in project_files():
        data = (ROOT / name).read_bytes()
        if b"\0" not in data and (words := findings(data.decode("utf-8"))):
            found[name] = words
    assert found == {}


def test_the_search_finds_what_it_looks_for() -> None:
    assert findings("see https://py" + "pi.org/simple and /ro" + "ot/.cache") != []
    assert findings("a path like /etc/gengfu/broker and the word rooted") == []
