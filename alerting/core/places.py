"""Where, in words: the registry's names, printed verbatim and spoken as people say them. Never invents 栋 or 号楼.

Law: from the compound (else the community, else the largest place known) down to the device's own place, in that order.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from alerting.core.maps import point_of
from alerting.core.model import PlaceText
from alerting.core.parts import to_gsm7
from devices.model import Place, PlaceKind, Placement

code_chars_max = 12
"""A longer id is no code that people use; its last characters are shown instead."""
ending_chars = 4
"""How much of a device's id a voice reads out."""
head_chars_min = 2
"""Of a spoken compound name at least so much, or nothing."""
cardinal_digits_max = 2
"""Longer numbers are said digit by digit: 1201 is 幺二零幺."""

UNPLACED_ZH = "未登记位置(设备 "
UNPLACED_EN = "unregistered place, device "
UNSPEAKABLE_ZH = "位置请看短信"
"""Names of signs alone, which no voice can say."""
UNSPEAKABLE_EN = "see the message for the place"

_HEADS = (PlaceKind.COMPOUND, PlaceKind.COMMUNITY, PlaceKind.STREET, PlaceKind.DISTRICT, PlaceKind.CITY)
_ADMINISTRATIVE = frozenset(_HEADS)
_KIND_EN = {
    PlaceKind.CITY: "city",
    PlaceKind.DISTRICT: "district",
    PlaceKind.STREET: "street",
    PlaceKind.COMMUNITY: "community",
    PlaceKind.COMPOUND: "compound",
    PlaceKind.BUILDING: "bldg",
    PlaceKind.UNIT: "unit",
    PlaceKind.FLOOR: "floor",
    PlaceKind.ROOM: "room",
    PlaceKind.PART: "part",
}
_NOUN_EN = {PlaceKind.BUILDING: "building", PlaceKind.UNIT: "unit", PlaceKind.FLOOR: "floor", PlaceKind.ROOM: "room"}
NOUN_ROOM = re.compile(r"^room (?=.*[0-9])")
_LETTER_EN = {PlaceKind.UNIT: "U", PlaceKind.FLOOR: "F"}
_SAID_ALREADY = re.compile(r"(building|bldg|block|tower|unit|floor|room|shop|flat|no)\b", re.IGNORECASE)

_DIGITS_ZH = "零一二三四五六七八九"
_ONE_IN_NUMBERS = "幺"
_RUN = re.compile(r"[0-9]+")
_MINUS = re.compile(r"(?<![0-9A-Za-z一-鿿])-(?=[0-9])")
_DASH = re.compile(r"(?<=[0-9A-Za-z])-(?=[0-9A-Za-z])")
_UNSPOKEN_ZH = re.compile(r"[^\w]+")
_UNSPOKEN_EN = re.compile(r"[^\w'&]+")

names_remembered_max = 8192
"""Names of compounds, buildings and floors come again and again in a storm."""


def place_text(placement: Placement | None, device_id: str) -> PlaceText:
    """The words for a placement; for none, or an empty chain, words that say so and name the device."""
    levels = _levels(placement.chain) if placement else ()
    if not levels:
        return _unplaced(device_id)
    deepest = next((place for place in reversed(levels) if point_of(place.lat, place.lon)), None)
    return PlaceText(
        zh=_joined([clean(place.name) or clean(place.name_en) for place in levels]),
        en=_joined_en([latin(place) for place in levels]),
        spoken_zh="，".join(filter(None, (say_zh(place.name or place.name_en) for place in levels))) or UNSPEAKABLE_ZH,
        spoken_en=", ".join(filter(None, (_say_place_en(place) for place in levels))) or UNSPEAKABLE_EN,
        lat=deepest.lat if deepest else None,
        lon=deepest.lon if deepest else None,
    )


def apart(first: PlaceText, placement: Placement) -> tuple[PlaceText | None, PlaceText | None]:
    """(first, this placement), each without the large levels that both share; None twice where they are one place."""
    levels = _levels(placement.chain)
    mine = place_text(placement, "")
    shared = _shared(first.spoken_zh.split("，"), mine.spoken_zh.split("，"))
    if not levels or first.zh == mine.zh:
        return None, None
    shared = min(shared, len(levels) - 1, first.spoken_zh.count("，"))
    front = levels[:shared]
    zh = _joined([clean(place.name) or clean(place.name_en) for place in front])
    en = _joined_en([latin(place) for place in front]) if front else ""
    return _below(first, zh, en, shared), _below(mine, zh, en, shared)


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    pairs = zip(one, other, strict=False)
    return next((number for number, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _below(place: PlaceText, zh: str, en: str, shared: int) -> PlaceText:
    """A place without its first levels, whose words are `zh` and `en`."""
    return PlaceText(
        zh=place.zh.removeprefix(zh).lstrip(" -") or place.zh,
        en=place.en.removeprefix(en).lstrip(" -,") or place.en,
        spoken_zh="，".join(place.spoken_zh.split("，")[shared:]),
        spoken_en=", ".join(place.spoken_en.split(", ")[shared:]),
    )


def is_unplaced(place: PlaceText) -> bool:
    """Do these words say that nobody knows the place?"""
    return place.zh.startswith(UNPLACED_ZH)


def device_of_unplaced(place: PlaceText) -> str:
    """The device that words for no place name."""
    return place.zh.removeprefix(UNPLACED_ZH).removesuffix(")")


def ending_of(device: str) -> str:
    """What a voice reads out of a device's id: its last letters and digits."""
    return "".join([char for char in device if char.isascii() and char.isalnum()][-ending_chars:])


@lru_cache(maxsize=names_remembered_max)
def latin(place: Place) -> str:
    """The short Latin name; without one, what is Latin in the Chinese name (3栋: `bldg 3`), else a short code."""
    name = to_gsm7(clean(place.name_en))
    if name:
        return name
    ascii_name = "".join(char for char in unicodedata.normalize("NFKC", place.name) if "!" <= char <= "~")
    if any(char.isalnum() for char in ascii_name):
        return f"{_KIND_EN[place.kind]} {to_gsm7(ascii_name)}"
    code = to_gsm7(clean(place.id))
    if len(code) > code_chars_max:
        return f"{_KIND_EN[place.kind]} {code[-ending_chars:]}"
    return code or _KIND_EN[place.kind]


@lru_cache(maxsize=names_remembered_max)
def say_zh(name: str) -> str:
    """Chinese as spoken: 3栋 三栋, 12层 十二层, 1201 幺二零幺, 3# 三号, 3-2 三杠二, -1层 负一层. No punctuation."""
    text = unicodedata.normalize("NFKC", clean(name))
    text = _DASH.sub("杠", _MINUS.sub("负", text)).replace("#", "号")
    text = _RUN.sub(lambda run: _number_zh(run.group()), text)
    return _UNSPOKEN_ZH.sub("", text).replace("_", "")


def say_digits_zh(digits: str) -> str:
    """Digit by digit, 1 as 幺: 119 is 幺幺九. Anything else stays."""
    return "".join(_digit_zh(char) for char in digits)


def say_digits_en(digits: str) -> str:
    """Digit by digit: `1 1 9`."""
    return " ".join(digits)


def say_en(name: str) -> str:
    """English as spoken: numbers of three digits and more digit by digit, a floor below ground as `minus 1`."""
    text = re.sub(r"\bno\.? ?(?=[0-9])", "number ", to_gsm7(name), flags=re.IGNORECASE)
    text = re.sub(r"(?<![0-9A-Za-z])-(?=[0-9])", " minus ", text)
    text = _UNSPOKEN_EN.sub(" ", text).replace("_", " ")
    return " ".join(_RUN.sub(lambda run: _number_en(run.group()), text).split())


def _levels(chain: Sequence[Place]) -> tuple[Place, ...]:
    """The head and all that lies under it; larger administrative places above it are left out, blank names too."""
    named = [place for place in chain if clean(place.name) or clean(place.name_en)]
    for kind in _HEADS:
        for index, place in enumerate(named):
            if place.kind is kind:
                below = [deeper for deeper in named[index + 1 :] if deeper.kind not in _ADMINISTRATIVE]
                return (place, *below)
    return tuple(named)


def _joined(names: list[str]) -> str:
    """Names one after another; a hyphen only where two would run into one number (3, 2, 1201: 3-2-1201)."""
    text = ""
    for name in filter(None, names):
        if text and _latin_char(text[-1]):
            text += "-" if _latin_char(name[0]) else " " if name[0] == "-" else ""
        text += name
    return text


def _joined_en(names: list[str]) -> str:
    """Names with spaces between; bare numbers as in Chinese, so that Phase 2, 3, 1201 does not read as 2 3 1201."""
    text, before = names[0], names[0]
    for name in names[1:]:
        numbers = before.split(" ")[-1].isdigit() and name[0].isdigit()
        text += ("-" if before.isdigit() and name.isdigit() else ", ") if numbers else " "
        text, before = text + name, name
    return text


def _unplaced(device_id: str) -> PlaceText:
    device = clean(device_id)
    ending = ending_of(device)
    heard = "".join(_digit_zh(char) for char in ending)
    return PlaceText(
        zh=f"{UNPLACED_ZH}{device})",
        en=f"{UNPLACED_EN}{to_gsm7(device)}",
        spoken_zh=f"未登记位置，设备尾号{heard}" if heard else "未登记位置",
        spoken_en=f"unregistered place, device ending {' '.join(ending)}" if ending else "unregistered place",
    )


@lru_cache(maxsize=names_remembered_max)
def _say_place_en(place: Place) -> str:
    name = latin(place)
    letter = _LETTER_EN.get(place.kind)
    if letter and re.fullmatch(rf"{letter}-?[0-9]+", name, re.IGNORECASE):
        name = name[1:]
    noun = _NOUN_EN.get(place.kind)
    numbered = any(char.isdigit() for char in name) or (place.kind is PlaceKind.BUILDING and len(name) <= 2)
    if noun is None or not numbered or _SAID_ALREADY.match(name):
        return say_en(name.replace("bldg ", "building ", 1) if name.startswith("bldg ") else name)
    return f"{noun} {say_en(name)}"


def _number_zh(digits: str) -> str:
    if len(digits) > cardinal_digits_max or digits.startswith("0"):
        return say_digits_zh(digits)
    number = int(digits)
    tens, ones = divmod(number, 10)
    if tens == 0:
        return _DIGITS_ZH[ones]
    return ("" if tens == 1 else _DIGITS_ZH[tens]) + "十" + (_DIGITS_ZH[ones] if ones else "")


def _number_en(digits: str) -> str:
    return f" {say_digits_en(digits)} " if len(digits) > cardinal_digits_max else digits


def _digit_zh(char: str) -> str:
    if char == "1":
        return _ONE_IN_NUMBERS
    return _DIGITS_ZH[int(char)] if "0" <= char <= "9" else char


def _latin_char(char: str) -> bool:
    return char.isascii() and char.isalnum()


def clean(text: str) -> str:
    """One line of printable text: spaces squeezed; control, direction and half-pair characters gone."""
    if text.isprintable() and "  " not in text:
        return text.strip()
    kept = (" " if char.isspace() else char for char in text if char.isspace() or not _invisible(char))
    return " ".join("".join(kept).split())


def _invisible(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cf", "Cs")
