"""The other place of a fire that spreads: where it began 首发, or where it is now as well. Only words."""

import re

from alerting.core.context import Context
from alerting.core.fitting import by_language
from alerting.core.model import Extent, PlaceText
from alerting.core.parts import Alphabet, keep_start, to_gsm7
from alerting.core.places import clean
from alerting.core.words import Words
from devices.model import Language

first_units_max = {Language.ZH_CN: 8, Language.EN: 18}
"""Of its first level: 12层, F12."""
rest_units_max = {Language.ZH_CN: 14, Language.EN: 40}

_LEVEL_ZH = re.compile(r"[0-9A-Za-z#-]*[^0-9A-Za-z#-]*")


def aside(context: Context, words: Words, language: Language) -> dict[str, str]:
    """`aside` is its largest level, with the words for it; `aside_rest` what follows; `aside_whole` all of it."""
    place, shape = _which(context, words)
    if place is None:
        return {"aside": "", "aside_rest": "", "aside_whole": ""}
    whole = by_language(language, clean, to_gsm7)(place.of(language))
    first, rest = _parted(whole, language)
    alphabet = by_language(language, Alphabet.UCS2, Alphabet.GSM7)
    short = keep_start(first, first_units_max[language], alphabet)
    if short != first or keep_start(rest, rest_units_max[language], alphabet) != rest:
        rest = ""
    return {
        "aside": shape.format(place=short.strip()),
        "aside_rest": rest,
        "aside_whole": shape.format(place=whole),
    }


def spread_to(extent: Extent) -> PlaceText | None:
    """Where it spread to last, seen from where it began."""
    if not extent.spread:
        return None
    zh, en, spoken_zh, spoken_en = extent.spread
    return PlaceText(zh, en, spoken_zh, spoken_en)


def spoken_aside(context: Context, words: Words, language: Language) -> str:
    """The same as a sentence of a call; empty where there is none."""
    place, shape = _which(context, words)
    if place is None:
        return ""
    spoken = by_language(language, place.spoken_zh.replace("，", ""), place.spoken_en)
    said = shape.format(place=spoken)
    return words.speech.mark.format(mark=by_language(language, said, said.capitalize()).replace("：", ""))


def _which(context: Context, words: Words) -> tuple[PlaceText | None, str]:
    if context.first_out is not None:
        return context.first_out, words.first_out
    return (context.spread_to if context.spreading else None), words.spread_to


def _parted(whole: str, language: Language) -> tuple[str, str]:
    """After the first level of a place: numbers and what they count (12层, F12)."""
    if language is Language.ZH_CN:
        level = _LEVEL_ZH.match(whole)
        cut = level.end() if level else len(whole)
        return whole[:cut], whole[cut:]
    first, space, rest = whole.partition(" ")
    return first, space + rest if rest else ""
