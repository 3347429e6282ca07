"""The contact card that makes our calls ring: every number on it, and a QR code that reads back letter by letter."""

import re

import pytest

from alerting.core.languages import PACKS
from api.contact_card import ContactCard, distinct, line_octets_max, numbers_max, qr_svg, quiet_modules, vcard
from api.phone_guides import steps_of
from devices.model import Language
from tests.unit.qr_reading import read_matrix

NUMBERS = ("+861012345678", "+861087654321", "10690000123")
CARD = ContactCard(NUMBERS)


@pytest.mark.parametrize("language", list(Language))
def test_every_number_is_on_it_under_one_name(language: Language) -> None:
    lines = vcard(CARD, language).split("\r\n")
    assert lines[:2] == ["BEGIN:VCARD", "VERSION:3.0"]
    assert lines[-2:] == ["END:VCARD", ""]
    assert [line.split(":", 1)[1] for line in lines if line.startswith("TEL")] == list(NUMBERS)
    name = "更夫值班" if language is Language.ZH_CN else "Gengfu"
    assert f"FN:{name}" in lines
    assert f"N:{name};;;;" in lines


def test_no_line_needs_folding_however_long_the_name() -> None:
    widest = ContactCard(("+" + "9" * 15,), "值" * 20)
    for language in Language:
        assert max(len(line.encode()) for line in vcard(widest, language).split("\r\n")) <= line_octets_max


def test_what_means_something_in_a_vcard_is_escaped() -> None:
    text = vcard(ContactCard(("110",), "甲;乙,丙\\丁\n戊"), Language.ZH_CN)
    assert "FN:甲\\;乙\\,丙\\\\丁 戊\r\n" in text


def test_the_code_reads_back_as_the_card() -> None:
    for card in (CARD, ContactCard(tuple(f"+8610{n:08}" for n in range(numbers_max)), "阳光社区消防值班")):
        for language in Language:
            assert read_matrix(modules(qr_svg(card, language))).decode() == vcard(card, language)


def test_each_number_stands_once() -> None:
    assert distinct(["1", "", "2", "1"]) == ("1", "2")


def test_every_brand_says_the_same_things_in_both_languages() -> None:
    chinese, english = (PACKS[language].guides for language in (Language.ZH_CN, Language.EN))
    for guides in (chinese, english):
        assert list(guides.brands) == ["huawei", "xiaomi", "oppo", "vivo", "honor", "samsung", "apple", "other"]
    for brand in chinese.brands:
        steps = (steps_of(chinese, brand), steps_of(english, brand))
        assert len(steps[0]) == 6
        assert all(zh and en and zh != en for zh, en in zip(*steps, strict=True))
        zh, en = ("\n".join(side) for side in steps)
        for word in ("重复来电", "二维码", "通知"):
            assert word in zh, brand
        assert re.search(r"repeat(ed)? call", en), brand
    assert "版本" in chinese.note


def modules(svg: bytes) -> list[list[bool]]:
    """The dark modules that the picture draws, without its quiet zone: from its one path of horizontal strokes."""
    text = svg.decode()
    size = int(re.search(r'<svg [^>]*width="(\d+)"', text)[1]) // 8  # type: ignore[index]
    path = re.search(r'<path[^>]*stroke="#000"[^>]* d="([^"]+)"', text) or re.search(r' d="(M\d+ \d+\.5[^"]+)"', text)
    assert path is not None
    dark = [[False] * size for _ in range(size)]
    x = y = 0.0
    for kind, numbers in re.findall(r"([Mmh])([^Mmh]+)", path[1]):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if kind == "h":
            for column in range(int(x), int(x + values[0])):
                dark[int(y)][column] = True
            x += values[0]
        elif kind == "m":
            x, y = x + values[0], y + values[1]
        else:
            x, y = values
    inside = slice(quiet_modules, size - quiet_modules)
    assert not any(any(row) for row in dark[:quiet_modules]), "a quiet zone"
    return [row[inside] for row in dark[inside]]
