"""Our own label's code: every single misreading and every swapped pair is found, and it is read as people write it."""

import random
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices.labels import ALPHABET, code_chars, grouped, new_code, random_bytes, read_code

CODES = st.binary(min_size=random_bytes, max_size=random_bytes).map(new_code)


@given(CODES)
def test_a_new_code_stands_and_is_read_in_every_hand(code: str) -> None:
    assert len(code) == code_chars
    assert set(code) <= set(ALPHABET)
    sloppy = grouped(code).lower().replace("0", "o").replace("1", "l")
    assert read_code(code) == read_code(sloppy) == read_code(f" {code[:2]} {code[2:]}") == code


def test_every_single_wrong_character_is_found() -> None:
    dice = random.Random(1)
    for code in (new_code(dice.randbytes(random_bytes)) for _ in range(200)):
        for place in range(code_chars):
            wrong = (code[:place] + letter + code[place + 1 :] for letter in ALPHABET if letter != code[place])
            assert [each for each in wrong if read_code(each) is not None] == []


def test_every_two_characters_that_changed_places_are_found() -> None:
    """For every pair of places and every pair of characters: the code is linear, so what stands beside them says
    nothing."""
    dice = random.Random(2)
    found = 0
    for one, other in combinations(range(code_chars - 1), 2):
        for left, right in ((a, b) for a in ALPHABET for b in ALPHABET if a != b):
            body = list(new_code(dice.randbytes(random_bytes))[:-1])
            body[one], body[other] = left, right
            code = next(full for letter in ALPHABET if (full := read_code("".join(body) + letter)))
            swapped = list(code)
            swapped[one], swapped[other] = swapped[other], swapped[one]
            assert read_code("".join(swapped)) is None
            found += 1
    assert found == 21 * 32 * 31


@given(CODES, st.integers(0, code_chars - 2))
def test_the_check_character_changes_places_too(code: str, place: int) -> None:
    swapped = list(code)
    swapped[place], swapped[-1] = swapped[-1], swapped[place]
    assert swapped == list(code) or read_code("".join(swapped)) is None


def test_exactly_one_check_character_fits() -> None:
    for body in ("0000000", "7K3M9XQ", "ZZZZZZZ"):
        assert sum(read_code(body + letter) is not None for letter in ALPHABET) == 1


@pytest.mark.parametrize("text", ["", "7K3M", "U" * 8, "更夫更夫更夫更夫", "7K3M9XQ2-7K3M9XQ2", "\0" * 8])
def test_what_is_no_code(text: str) -> None:
    assert read_code(text) is None


def test_codes_do_not_follow_each_other() -> None:
    dice = random.Random(3)
    codes = [new_code(dice.randbytes(random_bytes)) for _ in range(5_000)]
    assert len(set(codes)) == 5_000
    assert len({code[:2] for code in codes}) > 900
