"""How much room a text takes: SMS units and parts. Never decides what is left out.

Tables: 3GPP TS 23.038 (formerly GSM 03.38) section 6.2.1, the default alphabet and its extension table. Part sizes:
3GPP TS 23.040 section 9.2.3.24.1 (a concatenated part gives six octets to its header).
"""

import unicodedata
from dataclasses import dataclass
from enum import StrEnum

GSM_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""127 characters of one septet each; code 0x1B is the escape to the next table."""
GSM_EXTENSION = "\f^{}\\[~]|€"
"""Characters that travel as an escape and a septet: two units each."""

gsm7_single_units_max = 160
gsm7_part_units_max = 153
ucs2_single_units_max = 70
ucs2_part_units_max = 67

_BASIC = frozenset(GSM_BASIC)
_EXTENSION = frozenset(GSM_EXTENSION)
_GSM = _BASIC | _EXTENSION
_GSM_ALIKE = str.maketrans(
    {"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "`": "'", "、": ","}
)


class Alphabet(StrEnum):
    GSM7 = "gsm7"
    UCS2 = "ucs2"


@dataclass(frozen=True, slots=True)
class Parts:
    """What a text costs. `units` are septets (GSM-7) or UTF-16 code units (UCS-2)."""

    alphabet: Alphabet
    units: int
    parts: int


def is_gsm7(text: str) -> bool:
    return _GSM.issuperset(text)


def gsm7_units(text: str) -> int:
    """Septets of a text that `is_gsm7`."""
    return len(text) + sum(1 for char in text if char in _EXTENSION)


def ucs2_units(text: str) -> int:
    """UTF-16 code units: a character outside the basic plane (emoji, rare surnames) counts two."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def count(text: str) -> Parts:
    """One character outside GSM-7 makes the whole text UCS-2. No escape or surrogate pair is cut between two parts."""
    if is_gsm7(text):
        units = gsm7_units(text)
        return Parts(Alphabet.GSM7, units, _parts(text, units, Alphabet.GSM7))
    units = ucs2_units(text)
    return Parts(Alphabet.UCS2, units, _parts(text, units, Alphabet.UCS2))


def one_part(text: str) -> bool:
    return count(text).parts == 1


def to_gsm7(text: str) -> str:
    """The text in GSM-7 only: accents the alphabet lacks fall off, other characters are left out, spaces squeezed."""
    if not _GSM.issuperset(text):
        text = "".join(_nearest(char) for char in text.translate(_GSM_ALIKE))
    return " ".join(text.split())


def keep_start(text: str, units: int, alphabet: Alphabet) -> str:
    """The longest beginning of at most `units` units; whole characters only."""
    used = 0
    for index, char in enumerate(text):
        used += _units_of(char, alphabet)
        if used > units:
            return text[:index]
    return text


def keep_end(text: str, units: int, alphabet: Alphabet) -> str:
    """The longest ending of at most `units` units; whole characters only."""
    used = 0
    for index in range(len(text) - 1, -1, -1):
        used += _units_of(text[index], alphabet)
        if used > units:
            return text[index + 1 :]
    return text


def units_of(text: str, alphabet: Alphabet) -> int:
    """Units of a text that the alphabet holds."""
    return gsm7_units(text) if alphabet is Alphabet.GSM7 else ucs2_units(text)


def single_units_max(alphabet: Alphabet) -> int:
    """Of one part."""
    return gsm7_single_units_max if alphabet is Alphabet.GSM7 else ucs2_single_units_max


def _units_of(char: str, alphabet: Alphabet) -> int:
    wide = char in _EXTENSION if alphabet is Alphabet.GSM7 else char > "\uffff"
    return 2 if wide else 1


def _parts(text: str, units: int, alphabet: Alphabet) -> int:
    gsm7 = alphabet is Alphabet.GSM7
    if units <= (gsm7_single_units_max if gsm7 else ucs2_single_units_max):
        return 1
    room = gsm7_part_units_max if gsm7 else ucs2_part_units_max
    parts, used = 1, 0
    for char in text:
        size = _units_of(char, alphabet)
        if used + size > room:
            parts, used = parts + 1, 0
        used += size
    return parts


def _nearest(char: str) -> str:
    if char in _GSM:
        return char
    if char.isspace():
        return " "
    return "".join(part for part in unicodedata.normalize("NFKD", char) if part in _GSM)
