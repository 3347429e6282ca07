"""The short code on our own label: random, says nothing, ends with a check character. Pure: takes its random bytes.

Seven characters and one check character over GF(32), Crockford's alphabet (no I, L, O, U). A code d1..d8 stands when
d1*a^7 + d2*a^6 + ... + d8 = 0 for a generator a of the field. Every single wrong character and every two characters
that changed places, near or far, are found: the weights are all different and none is zero.
"""

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
code_chars = 8
random_bytes = 5
"""35 of these 40 bits make a code."""
_FIELD = 0b100101  # x^5 + x^2 + 1, primitive over GF(2)
_VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})


def new_code(dice: bytes) -> str:
    """A code made from `random_bytes` random bytes."""
    number = int.from_bytes(dice, "big")
    body = "".join(ALPHABET[(number >> 5 * place) & 31] for place in range(code_chars - 1))
    return body + ALPHABET[_times_a(_weighed(body))]


def read_code(text: str) -> str | None:
    """The code that somebody read out or typed (small letters, O for 0, I or L for 1, a hyphen), None where it is none,
    or its check character says that something was misread."""
    if len(text) > 2 * code_chars or not text.isascii():
        return None
    code = text.upper().translate(_READ_AS)
    if len(code) != code_chars or any(letter not in _VALUES for letter in code):
        return None
    return code if _weighed(code) == 0 else None


def grouped(code: str) -> str:
    """As it is printed and read out: 7K3M-9XQ2."""
    return f"{code[:4]}-{code[4:]}"


def _weighed(letters: str) -> int:
    total = 0
    for letter in letters:
        total = _times_a(total) ^ _VALUES[letter]
    return total


def _times_a(value: int) -> int:
    doubled = value << 1
    return doubled ^ _FIELD if doubled & 32 else doubled
