"""The languages, one row each. A new one is one file beside these, its row here and its member in `Language`.

Whoever renders asks `pack(language)` and finds every sentence and every habit there: no text asks which language it is.
"""

from alerting.core.languages import en, zh_cn
from alerting.core.languages.base import Pack
from alerting.core.model import PlaceText
from alerting.core.places import (
    UNSPEAKABLE_EN,
    UNSPEAKABLE_ZH,
    device_of_unplaced,
    ending_of,
    is_unplaced,
)
from devices.model import Language
from devices.taxonomy import Hazard, SignalClass

PACKS: dict[Language, Pack] = {
    Language.ZH_CN: zh_cn.PACK,
    Language.EN: en.PACK,
}


def pack(language: Language) -> Pack:
    return PACKS[language]


def known_as(tag: str | None) -> Language:
    """The language of a stored tag; English for one that nobody knows."""
    return next((each for each in PACKS if each == tag), Language.EN)


def named(place: PlaceText, language: Language) -> str:
    """The place as an SMS prints it."""
    own = PACKS[language]
    if is_unplaced(place):
        before, after = own.words.unplaced
        return f"{before}{own.script.plain(device_of_unplaced(place))}{after}"
    return own.script.plain(own.script.name(place))


def spoken(place: PlaceText, language: Language) -> str:
    """The place as a voice says it, in full."""
    own = PACKS[language]
    if is_unplaced(place):
        ending = ending_of(device_of_unplaced(place))
        said = own.words.unplaced_spoken.format(ending=own.script.digits(ending))
        return said if ending else own.words.unplaced_silent
    said = own.script.spoken(place)
    return own.words.unspeakable if said in (UNSPEAKABLE_ZH, UNSPEAKABLE_EN) else said


def spoken_within(place: PlaceText, language: Language, seconds: float) -> str:
    """The spoken place, made to end within `seconds`: the large end goes, the deepest place stays."""
    script, whole = PACKS[language].script, spoken(place, language)
    if is_unplaced(place):
        return whole if script.seconds(whole) <= seconds else PACKS[language].words.unplaced_silent
    return script.within(whole, seconds)


def speech_seconds(text: str, language: Language) -> float:
    """A model of how long a telephone voice takes."""
    return PACKS[language].script.seconds(text)


def label(hazard: Hazard, language: Language) -> str:
    return PACKS[language].labels[hazard.code]


def guidance(hazard: Hazard, language: Language) -> str:
    """What to do on the spot, in one short line; empty where there is nothing to say that everybody would not do."""
    lines = PACKS[language].guidance
    of_family = lines.get(hazard.family, "") if hazard.cls is SignalClass.A else ""
    return lines.get(hazard.code, of_family)
