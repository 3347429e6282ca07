"""Chinese script: counted in UTF-16 units, spoken character by character, flat numbers digit by digit with 幺. Never
holds a sentence."""

import re

from alerting.core.languages.base import Script
from alerting.core.parts import Alphabet
from alerting.core.places import clean, head_chars_min, say_digits_zh, say_zh

chars_per_second = 4.5

_LEVEL = re.compile(r"[0-9A-Za-z#-]*[^0-9A-Za-z#-]*")


def seconds(text: str) -> float:
    """A model of a telephone voice: by characters said."""
    return sum(1 for char in text if char.isalnum()) / chars_per_second


def within(spoken: str, seconds_max: float) -> str:
    """Of a long compound name only its end (its phase and side), then large places left out; the deepest stays."""
    levels = spoken.split("，")
    whole = len(levels)
    while seconds("".join(levels)) > seconds_max and len("".join(levels)) > 1:
        levels = _less(levels, head=len(levels) == whole)
    return "，".join(levels)


def number(count: int) -> str:
    """两个, 三十四个; beyond two digits as digits, which a voice reads right before 个."""
    if count == 2:
        return "两"
    return say_zh(str(count)) if count < 100 else str(count)


def _less(levels: list[str], *, head: bool) -> list[str]:
    """One character less of the head, from its front; any other level goes whole, for 单元 without its number lies."""
    first, *rest = levels
    return rest if rest and (not head or len(first) <= head_chars_min) else [first[1:], *rest]


def _parted(whole: str) -> tuple[str, str]:
    level = _LEVEL.match(whole)
    cut = level.end() if level else len(whole)
    return whole[:cut], whole[cut:]


HAN = Script(
    alphabet=Alphabet.UCS2,
    plain=clean,
    name=lambda place: place.zh,
    spoken=lambda place: place.spoken_zh,
    seconds=seconds,
    within=within,
    digits=say_digits_zh,
    number=number,
    parted=_parted,
    within_building=lambda rest: rest.lstrip("，, "),
    sentence=lambda text: text,
    aside_spoken=lambda said: said.replace("：", ""),
    run_on=lambda said: said.replace("，", ""),
    words_end="",
    latin_names=False,
    glue="",
)
