"""One contact card with every number from which we call or text, as a vCard and as its QR code. Sends nothing.

Saved under one name, a call at night shows who it is, and a phone that lets its contacts ring rings.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import segno

from alerting.core.languages import PACKS
from devices.model import Language

line_octets_max = 75
"""What a line of a vCard may have before it must be folded, which many readers of QR codes do not undo."""
numbers_max = 20
"""More make a code that a phone's camera cannot read from a sheet of paper."""
quiet_modules = 4


@dataclass(frozen=True, slots=True)
class ContactCard:
    """`name` "": the product's, in the reader's language. `numbers`: E.164 or a carrier's short sender number."""

    numbers: tuple[str, ...] = ()
    name: str = ""

    def named(self, language: Language) -> str:
        return self.name or PACKS[language].contact.name


def vcard(card: ContactCard, language: Language) -> str:
    """vCard 3.0 (RFC 2426), which every phone reads. No line needs folding."""
    name = _escaped(card.named(language))
    lines = [
        "BEGIN:VCARD",
        "VERSION:3.0",
        f"N:{name};;;;",
        f"FN:{name}",
        *(f"TEL;TYPE=VOICE:{number}" for number in card.numbers[:numbers_max]),
        f"NOTE:{_escaped(PACKS[language].contact.note)}",
        "END:VCARD",
    ]
    return "".join(f"{line}\r\n" for line in lines)


def qr_svg(card: ContactCard, language: Language) -> bytes:
    """The card as a QR code that a camera reads from paper: black on white, a quiet zone around it."""
    drawn = io.BytesIO()
    code = segno.make_qr(vcard(card, language), error="m", encoding="utf-8", eci=False)
    code.save(drawn, kind="svg", scale=8, border=quiet_modules, dark="#000", light="#fff", xmldecl=True)
    return drawn.getvalue()


def distinct(numbers: Sequence[str]) -> tuple[str, ...]:
    """Each number once, in this order."""
    return tuple(dict.fromkeys(number for number in numbers if number))


def _escaped(text: str) -> str:
    for plain in ("\\", ";", ","):
        text = text.replace(plain, f"\\{plain}")
    return " ".join(text.split())
