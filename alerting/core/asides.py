"""The other place of a fire that spreads: where it began 首发, or where it is now as well. Only words."""

from alerting.core.context import Context
from alerting.core.languages import PACKS, named, spoken
from alerting.core.languages.base import Words
from alerting.core.model import Extent, PlaceText
from alerting.core.parts import keep_start
from devices.model import Language


def aside(context: Context, language: Language) -> dict[str, str]:
    """`aside` is its largest level, with the words for it; `aside_rest` what follows; `aside_whole` all of it."""
    pack = PACKS[language]
    place, shape = _which(context, pack.words)
    if place is None:
        return {"aside": "", "aside_rest": "", "aside_whole": ""}
    whole, alphabet = named(place, language), pack.script.alphabet
    first, rest = pack.script.parted(whole)
    short = keep_start(first, pack.words.first_units_max, alphabet)
    if short != first or keep_start(rest, pack.words.rest_units_max, alphabet) != rest:
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


def spoken_aside(context: Context, language: Language) -> str:
    """The same as a sentence of a call; empty where there is none."""
    pack = PACKS[language]
    place, shape = _which(context, pack.words)
    if place is None:
        return ""
    said = shape.format(place=pack.script.run_on(spoken(place, language)))
    return pack.words.speech.mark.format(mark=pack.script.aside_spoken(said))


def _which(context: Context, words: Words) -> tuple[PlaceText | None, str]:
    if context.first_out is not None:
        return context.first_out, words.first_out
    return (context.spread_to if context.spreading else None), words.spread_to
