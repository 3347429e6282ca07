"""Numbers as people write them: what can be dialled becomes E.164, what cannot is refused; free text keeps none."""

import pytest

from devices.model import PlaceKind, hangs_under
from devices.phones import normalise, without_numbers


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("13800138000", "+8613800138000"),
        ("138 0013 8000", "+8613800138000"),
        ("+86 138-0013-8000", "+8613800138000"),
        ("008613800138000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("0376-6551234", "+863766551234"),
        ("(010) 6555 1234", "+861065551234"),
        ("400-810-8888", "+864008108888"),
        ("+1 650-253-0000", "+16502530000"),
        ("+44 20 7183 8750", "+442071838750"),
    ],
)
def test_what_can_be_dialled(written: str, kept: str) -> None:
    assert normalise(written) == kept


@pytest.mark.parametrize(
    "written",
    ["", "119", "110", "12345", "95598", "+86119", "6551234", "23800138000", "138001380", "0376-6551234 转 5", "a"],
)
def test_what_cannot(written: str) -> None:
    assert normalise(written) is None


@pytest.mark.parametrize(
    "text",
    [
        "打 13800138000 无人接",
        "+86 138 0013 8000",
        "138-0013-8000",
        "(0376) 655 1234",
        "１３８００１３８０００",
        "tel6551234",
    ],
)
def test_free_text_keeps_no_number(text: str) -> None:
    kept = without_numbers(text)
    assert sum(letter.isdigit() for letter in kept) == 0
    assert "***" in kept


def test_free_text_keeps_its_words() -> None:
    assert without_numbers("3栋2单元301无人应答, 20:15 再拨") == "3栋2单元301无人应答, 20:15 再拨"


def test_levels_may_be_skipped_but_never_turned_round() -> None:
    kinds = list(PlaceKind)
    for child in kinds:
        for parent in kinds:
            expected = child is PlaceKind.PART or kinds.index(parent) < kinds.index(child)
            assert hangs_under(child, parent) is expected
    assert hangs_under(PlaceKind.ROOM, PlaceKind.COMPOUND)
    assert not hangs_under(PlaceKind.BUILDING, PlaceKind.BUILDING)
    assert not hangs_under(PlaceKind.ROOM, PlaceKind.PART)
