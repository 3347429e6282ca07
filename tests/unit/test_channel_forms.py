"""Our form and query encoding says what `urllib.parse` says, for any text that can stand in a message."""

from urllib.parse import parse_qsl, quote

from hypothesis import given
from hypothesis import strategies as st

from alerting.channels.forms import form, strict

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(st.lists(st.tuples(texts, texts), max_size=5))
def test_strict_is_rfc_3986_letter_by_letter(pairs: list[tuple[str, str]]) -> None:
    assert strict(pairs) == "&".join(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in pairs)


@given(st.lists(st.tuples(texts, texts), max_size=5))
def test_a_form_reads_back_as_it_was(pairs: list[tuple[str, str]]) -> None:
    assert parse_qsl(form(pairs), keep_blank_values=True) == pairs


def test_every_byte_is_written_as_a_signature_wants_it() -> None:
    every = "".join(map(chr, range(1, 0x300))) + "火警。😀"
    assert strict([("a", every)]) == "a=" + quote(every, safe="~")
    assert parse_qsl(form({"a": every, "b": "1 +2"})) == [("a", every), ("b", "1 +2")]


def test_nothing_is_nothing() -> None:
    assert (form({}), strict([])) == ("", "")
