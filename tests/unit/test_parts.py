"""SMS part counting against the published tables, and the limits on both sides of a part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.core.languages import speech_seconds
from alerting.core.parts import (
    GSM_BASIC,
    GSM_EXTENSION,
    Alphabet,
    Parts,
    count,
    gsm7_units,
    is_gsm7,
    keep_end,
    keep_start,
    one_part,
    to_gsm7,
    ucs2_units,
)
from devices.model import Language

ANY_TEXT = st.text(st.characters(codec="utf-8"), max_size=400)


def test_tables_have_the_sizes_of_the_standard() -> None:
    assert len(GSM_BASIC) == len(set(GSM_BASIC)) == 127  # 128 codes, one of them the escape
    assert set(GSM_EXTENSION) == set("\f^{}\\[~]|€")
    assert not set(GSM_BASIC) & set(GSM_EXTENSION)


@pytest.mark.parametrize(
    ("code", "char"),
    [
        (0x00, "@"),
        (0x02, "$"),
        (0x09, "Ç"),
        (0x10, "Δ"),
        (0x11, "_"),
        (0x1A, "Ξ"),
        (0x24, "¤"),
        (0x40, "¡"),
        (0x7F, "à"),
    ],
)
def test_default_alphabet_stands_in_the_order_of_its_codes_up_to_the_escape(code: int, char: str) -> None:
    before_escape = 0x1B
    assert GSM_BASIC[code if code < before_escape else code - 1] == char


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Parts(Alphabet.GSM7, 0, 1)),
        ("a" * 160, Parts(Alphabet.GSM7, 160, 1)),
        ("a" * 161, Parts(Alphabet.GSM7, 161, 2)),
        ("a" * 306, Parts(Alphabet.GSM7, 306, 2)),
        ("a" * 307, Parts(Alphabet.GSM7, 307, 3)),
        ("€" * 80, Parts(Alphabet.GSM7, 160, 1)),
        ("€" * 80 + "a", Parts(Alphabet.GSM7, 161, 2)),
        ("a" * 152 + "€" + "a" * 152, Parts(Alphabet.GSM7, 306, 3)),  # an escape is never cut from its character
        ("警" * 70, Parts(Alphabet.UCS2, 70, 1)),
        ("警" * 71, Parts(Alphabet.UCS2, 71, 2)),
        ("警" * 134, Parts(Alphabet.UCS2, 134, 2)),
        ("警" * 135, Parts(Alphabet.UCS2, 135, 3)),
        ("𠮷" * 35, Parts(Alphabet.UCS2, 70, 1)),
        ("𠮷" * 36, Parts(Alphabet.UCS2, 72, 2)),
        ("a" * 70 + "警", Parts(Alphabet.UCS2, 71, 2)),
        ("`", Parts(Alphabet.UCS2, 1, 1)),
        ("ç", Parts(Alphabet.UCS2, 1, 1)),
    ],
)
def test_count(text: str, expected: Parts) -> None:
    assert count(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Jinding Garden", "Jinding Garden"),
        ("Zhōujiāshān", "Zhoujiashan"),
        ("façade № 3", "facade No 3"),
        ("３栋 B３", "3 B3"),
        ("it’s “B3” – left", 'it\'s "B3" - left'),
        ("金鼎小区", ""),
        ("a\tb\n c", "a b c"),
        ("résumé Ä", "résumé Ä"),
    ],
)
def test_to_gsm7(text: str, expected: str) -> None:
    assert to_gsm7(text) == expected


@given(ANY_TEXT)
def test_to_gsm7_never_leaves_the_alphabet(text: str) -> None:
    assert is_gsm7(to_gsm7(text))
    assert to_gsm7(to_gsm7(text)) == to_gsm7(text)


@given(ANY_TEXT)
def test_ucs2_units_are_what_utf16_takes(text: str) -> None:
    assert ucs2_units(text) == len(text.encode("utf-16-be")) // 2


@given(ANY_TEXT, st.integers(0, 200))
def test_keeping_an_end_takes_all_that_fits_and_no_more(text: str, room: int) -> None:
    start, end = keep_start(text, room, Alphabet.UCS2), keep_end(text, room, Alphabet.UCS2)
    assert text.startswith(start)
    assert text.endswith(end)
    assert max(ucs2_units(start), ucs2_units(end)) <= room
    assert start == text or ucs2_units(text[: len(start) + 1]) > room
    assert end == text or ucs2_units(text[len(text) - len(end) - 1 :]) > room


def test_an_extension_character_is_kept_whole() -> None:
    assert keep_end("a€", 1, Alphabet.GSM7) == ""
    assert keep_end("a€", 2, Alphabet.GSM7) == "€"
    assert keep_start("€a", 1, Alphabet.GSM7) == ""
    assert gsm7_units("[B3]") == 6


def test_one_part_is_the_edge() -> None:
    assert one_part("警" * 70)
    assert not one_part("警" * 71)


def test_speech_model() -> None:
    assert speech_seconds("火警。金鼎小区，", Language.ZH_CN) == pytest.approx(6 / 4.5)
    assert speech_seconds("Fire. unit 2,", Language.EN) == pytest.approx(3 / 2.7)
    assert speech_seconds("a" * 16, Language.EN) == pytest.approx(2 / 2.7)
