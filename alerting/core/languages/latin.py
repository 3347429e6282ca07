"""Latin script: GSM-7, spoken word by word, long numbers digit by digit. Never holds a sentence."""

from alerting.core.languages.base import Script
from alerting.core.parts import Alphabet, to_gsm7
from alerting.core.places import NOUN_ROOM, say_digits_en

words_per_second = 2.7
letters_per_word_max = 8
"""A longer word is counted as more than one."""


def seconds(text: str) -> float:
    """A model of a telephone voice: by words."""
    words = (sum(1 for char in word if char.isalnum()) for word in text.split())
    return sum(max(1.0, letters / letters_per_word_max) for letters in words if letters) / words_per_second


def within(spoken: str, seconds_max: float) -> str:
    """Of a long compound name only its beginning, then large places left out; of the deepest its end stays."""
    levels = spoken.split(", ")
    whole = len(levels)
    if seconds(spoken) > seconds_max:
        levels = [NOUN_ROOM.sub("", level) for level in levels]
    while seconds(" ".join(levels)) > seconds_max and (len(levels) > 1 or " " in levels[0]):
        levels = _less(levels, head=len(levels) == whole)
    return ", ".join(levels)


def _less(levels: list[str], *, head: bool) -> list[str]:
    """One word less of the head, from its end; any other first level goes whole; of a last one its end stays."""
    first, *rest = levels
    if head and " " in first:
        return [first.rpartition(" ")[0], *rest]
    return rest or [first.partition(" ")[2]]


def _parted(whole: str) -> tuple[str, str]:
    first, space, rest = whole.partition(" ")
    return first, space + rest if rest else ""


LATIN = Script(
    alphabet=Alphabet.GSM7,
    plain=to_gsm7,
    name=lambda place: place.en,
    spoken=lambda place: place.spoken_en,
    seconds=seconds,
    within=within,
    digits=say_digits_en,
    number=str,
    parted=_parted,
    within_building=lambda rest: rest.lstrip("，, "),
    sentence=lambda text: text.capitalize().replace("/", " and "),
    aside_spoken=lambda said: said.capitalize(),
    run_on=lambda said: said,
    words_end=" ",
    latin_names=True,
    glue=" ",
)
