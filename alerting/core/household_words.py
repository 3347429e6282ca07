"""What a household hears and reads: its call, and the text that says how it ended. Never a name, never a worker's
words, never another flat.
"""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from alerting.core.context import may_burn
from alerting.core.fitting import fitted
from alerting.core.languages import PACKS, label, named, speech_seconds, spoken_within
from alerting.core.messages import CallScript
from alerting.core.model import PlaceText
from alerting.core.parts import one_part
from alerting.core.templates import Wording, variable_chars_max
from alerting.core.wording import notice, place_value, said
from devices.model import Language, Relation
from devices.taxonomy import Hazard

call_s_max = 20.0
"""One round of the call, keys included."""
place_s_max = 5.0

HOUSEHOLD = "住户"
"""Where not even that is known."""
RELATIONS: Mapping[Relation, str] = {
    Relation.OWNER: "住户（业主）",
    Relation.TENANT: "住户（租户）",
    Relation.EMERGENCY_CONTACT: "住户（紧急联系人）",
}
"""What stands in a timeline where a worker's name would."""


def call(hazard: Hazard, place: PlaceText, language: Language, emergency_number: str) -> CallScript:
    """Who calls, what the detector says, what to do, what the keys mean: heard within `call_s_max`."""
    pack = PACKS[language]
    words, kind = pack.household, kind_of(hazard)
    number = pack.script.digits(emergency_number)
    advice, keys = words.advice[kind].format(number=number), words.keys[kind]
    told = label(hazard, language)
    bare = words.say.format(place="", hazard=told, advice=advice)
    room = min(place_s_max, call_s_max - speech_seconds(f"{bare} {keys}", language))
    heard = spoken_within(place, language, room)
    return _script(language, words.say.format(place=heard, hazard=told, advice=advice), keys, number)


def standing_call(language: Language, emergency_number: str = "119") -> CallScript:
    """Words for a household's call whose own script cannot be had just now (the store is slow)."""
    pack = PACKS[language]
    words = pack.household
    return _script(language, words.standing, words.keys[2], pack.script.digits(emergency_number))


def _script(language: Language, say: str, keys: str, number: str) -> CallScript:
    words = PACKS[language].household
    return CallScript(
        language=language,
        say=say,
        keys=keys,
        recorded=words.recorded.format(number=number),
        declined=words.declined,
        missed=words.missed.format(number=number),
        wait=words.wait,
        household=True,
    )


def call_wording(hazard: Hazard, place: PlaceText, language: Language) -> Wording:
    """The call for carriers that take registered templates only."""
    words = PACKS[language].carrier.household[kind_of(hazard)]
    what = words.format(hazard=label(hazard, language))
    return said("voice_household", what, place, language, heard_by_s=call_s_max)


def result_wording(
    result: str, hazard: Hazard, place: PlaceText, at: datetime, timezone: str, language: Language, *, reply: bool
) -> Wording:
    """How it ended, for carriers that take registered templates only."""
    pack = PACKS[language]
    words = pack.carrier
    ended = words.result_said[result][0 if may_burn(hazard) else 1]
    told = words.result_text.format(hazard=label(hazard, language), result=ended)
    asked = [f"{each}{words.join}{words.result_reply}" for each in (told, ended)] if reply else []
    text = next(each for each in (*asked, told, ended) if len(each) <= variable_chars_max)
    home = words.home.format(place=_home(place, language))
    return notice(words.result, home, text, at, timezone, language)


def _home(place: PlaceText, language: Language) -> str:
    """The place, so that it has room beside the words around it."""
    pack = PACKS[language]
    room = variable_chars_max - len(pack.carrier.home.format(place=""))
    return place_value(named(place, language), room, pack, unplaced=False)


def call_text(script: CallScript) -> str:
    return msgspec.json.encode(script).decode()


def kind_of(hazard: Hazard) -> int:
    """Fire, gas, anything else: 0, 1, 2."""
    if may_burn(hazard):
        return 0
    return 1 if hazard.family == "gas" else 2


TELLABLE = frozenset({"real", "false_alarm", "device_fault", "test"})
"""The verified results that a household is told."""


def result_sms(
    result: str,
    hazard: Hazard,
    place: PlaceText,
    time: str,
    language: Language,
    *,
    link: str = "",
    reply: bool = False,
) -> str:
    """One part always. Asks by `link`, else for a `reply`, else nothing; what does not fit with a link asks nothing."""
    words = PACKS[language].household
    slots = {
        "place": named(place, language),
        "time": time,
        "hazard": label(hazard, language),
        "result": words.said[result][0 if may_burn(hazard) else 1],
        "link": link,
    }
    text = fitted(words.asked_by_link if link else words.asked_by_reply, slots, language, unplaced=False)
    if (link or reply) and one_part(text):
        return text
    return fitted(words.told, slots, language, unplaced=False)
