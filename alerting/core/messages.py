"""What a person reads and hears: SMS of one part, call script, app message. Never sends, never reads a clock.

Law: a text asks only for what its channel can take; building, unit, floor, room, hazard, time, act and reference are
never given up for room. What goes first: 119 advice, waiting time, sensor, then the large end of the place's name.
"""

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from alerting.core.asides import aside, spoken_aside
from alerting.core.context import Context, direct, exercise, is_fire, may_burn, severity
from alerting.core.fitting import by_language, filled, fitted
from alerting.core.maps import link, point_of, service_for
from alerting.core.model import Purpose
from alerting.core.parts import (
    Alphabet,
    keep_start,
    speech_seconds,
    to_gsm7,
)
from alerting.core.places import (
    clean,
    is_unplaced,
    say_digits_en,
    say_digits_zh,
    say_zh,
    spoken_within,
)
from alerting.core.words import CATALOGUE, Words
from devices.model import Channel, Language
from devices.taxonomy import Hazard, SignalClass

T = TypeVar("T")

place_heard_by_s = 6.0
"""A call has said hazard and place when this time has passed."""
loop_s_max = 20.0
"""One round of a call: what is said and what the keys do."""
who_units_max = {Language.ZH_CN: 14, Language.EN: 30}
"""Of the name of the person who goes."""

texts_remembered_max = 4096
"""The same text goes to everybody on one channel; rendering it is most of what a decision costs."""

ACTIONS = ("accept", "decline")
_TOLD = frozenset({Purpose.UPDATE, Purpose.ALL_CLEAR})
"""Nobody is asked to do anything."""


@dataclass(frozen=True, slots=True)
class CallScript:
    """One call, sentence by sentence. Keys mean for ever: 1 goes, 2 cannot, 3 again."""

    language: Language
    say: str
    keys: str
    recorded: str
    """After 1, once it is stored."""
    declined: str
    """After 2."""
    missed: str
    """No key, or a wrong one, twice."""
    wait: str
    """While the store is slow."""
    household: bool = field(default=False, kw_only=True)
    """A household's call: 1 is fire or help, 2 no fire, 3 again."""


@dataclass(frozen=True, slots=True)
class AppMessage:
    """What the app shows. `at` is local time, RFC 3339; `actions` is empty where nobody is asked to go."""

    title: str
    body: str
    hazard: str
    severity: int
    place: str
    at: str
    reference: str
    map_url: str
    incident_id: str
    purpose: Purpose
    actions: tuple[str, ...]


@lru_cache(maxsize=texts_remembered_max)
def render(purpose: Purpose, channel: Channel, language: Language, context: Context) -> str:
    """The text of one notification: SMS as it is sent, voice and app as JSON of `CallScript` and `AppMessage`."""
    match channel:
        case Channel.SMS:
            return sms(context, language, purpose)
        case Channel.VOICE:
            return msgspec.json.encode(call_script(context, language, purpose)).decode()
        case Channel.APP:
            return msgspec.json.encode(app_message(context, language, purpose)).decode()


def sms(context: Context, language: Language, purpose: Purpose = Purpose.PAGE) -> str:
    """One part always: at most 70 UTF-16 units in Chinese, 160 GSM-7 units in English."""
    words = CATALOGUE[language]
    others = {Purpose.UPDATE: words.update, Purpose.ALL_CLEAR: words.all_clear, Purpose.COMMAND: words.command}
    pieces = others.get(purpose, words.page)
    return fitted(pieces, _slots(context, language, purpose), language, is_unplaced(context.place))


def sms_page(context: Context, language: Language) -> str:
    return sms(context, language, Purpose.PAGE)


def sms_update(context: Context, language: Language) -> str:
    return sms(context, language, Purpose.UPDATE)


def sms_all_clear(context: Context, language: Language) -> str:
    return sms(context, language, Purpose.ALL_CLEAR)


def call_script(context: Context, language: Language, purpose: Purpose = Purpose.PAGE) -> CallScript:
    """Hazard and place first, within `place_heard_by_s`; a place cut for that is said in full later, time allowing."""
    speech = CATALOGUE[language].speech
    told = purpose in _TOLD
    number = by_language(language, say_digits_zh, say_digits_en)(context.emergency_number)
    if told:
        recorded = speech.recorded_told
    elif exercise(context, purpose):
        recorded = speech.recorded_drill
    elif may_burn(context.hazard):
        recorded = speech.recorded_fire.format(number=number)
    else:
        recorded = speech.recorded
    keys = speech.keys_told if asks_nobody(context, purpose) else speech.keys
    return CallScript(
        language=language,
        say=_said(context, language, purpose, keys),
        keys=keys,
        recorded=recorded,
        declined=speech.declined_told if told else speech.declined,
        missed=speech.missed_told if told or purpose is Purpose.COMMAND else speech.missed,
        wait=speech.wait,
    )


def app_message(context: Context, language: Language, purpose: Purpose = Purpose.PAGE) -> AppMessage:
    words = CATALOGUE[language]
    slots = _slots(context, language, purpose)
    number = context.emergency_number
    slots["act"] = words.app_ask
    slots["advice"] = words.advice_app.format(number=number) if slots["advice"] else ""
    told = {Purpose.UPDATE: words.app_update, Purpose.ALL_CLEAR: words.app_all_clear}
    body = (told | {Purpose.COMMAND: words.app_command}).get(purpose, words.app_page)
    point = point_of(context.place.lat, context.place.lon)
    # A phone may show the body alone: of an exercise it says so as well.
    lead = words.drill + words.mark_end if context.drill or purpose is Purpose.DRILL else ""
    return AppMessage(
        title="".join(text for text, _ in filled(words.app_title, slots)),
        body=lead + "".join(text for text, _ in filled(body, slots)),
        hazard=context.hazard.code,
        severity=severity(context),
        place=slots["place"],
        at=local_time(context.at, context.timezone).isoformat(timespec="seconds"),
        reference=context.reference,
        map_url=link(service_for(context.deployment_language), point, slots["place"]) if point else "",
        incident_id=context.incident_id,
        purpose=purpose,
        actions=() if asks_nobody(context, purpose) else ACTIONS,
    )


def asks_nobody(context: Context, purpose: Purpose) -> bool:
    """Nobody is asked to go: it is told only."""
    return purpose in _TOLD or (purpose is Purpose.COMMAND and context.answered)


def local_time(at: datetime, timezone: str) -> datetime:
    """An aware instant on the deployment's clock. `timezone` is an IANA name; `ZoneInfo` keeps each one it has read."""
    assert at.tzinfo is not None, "naive datetime reached a text"
    return at.astimezone(ZoneInfo(timezone))


def _slots(context: Context, language: Language, purpose: Purpose) -> dict[str, str]:
    """Every word a piece may ask for; an empty one leaves its piece out."""
    words = CATALOGUE[language]
    plain = by_language(language, clean, to_gsm7)
    alphabet = by_language(language, Alphabet.UCS2, Alphabet.GSM7)
    marks = _marks(context, words, purpose)
    fire = is_fire(context.hazard)
    label = _label(context.hazard, language)
    dial = direct(context, purpose)
    advised = may_burn(context.hazard) and not exercise(context, purpose) and not dial
    minutes = str(context.unanswered_minutes) if context.unanswered_minutes > 0 else ""
    return {
        "mark": words.mark_end.join([*marks, ""]),
        "head": _head(context, words, language),
        "place": plain(context.place.of(language)),
        "hazard": words.fire_within if fire else label,
        "sensor": label if fire else "",
        "time": f"{local_time(context.at, context.timezone):%H:%M}",
        "minutes": "" if dial else minutes,
        "waited": minutes if dial else "",
        "direct": words.direct.format(number=context.emergency_number) if dial else "",
        "charging": words.still_charging if context.still_charging and not context.power_cut else "",
        **aside(context, words, language),
        "act": _act(context, words),
        "household": _household(context, words),
        "power": words.power_cut if context.power_cut and not context.power_live else "",
        "live": words.power_live if context.power_live else "",
        "advice": words.advice.format(number=context.emergency_number) if advised else "",
        "reference": plain(context.reference),
        "unrecorded": words.unrecorded if context.not_recorded else "",
        "who": keep_start(plain(context.who_goes), who_units_max[language], alphabet).strip() or words.somebody,
    }


def _said(context: Context, language: Language, purpose: Purpose, keys: str) -> str:
    words = CATALOGUE[language]
    speech = words.speech
    marks = [speech.mark.format(mark=_sentence(mark, language)) for mark in _marks(context, words, purpose)]
    opening = "".join(marks) + speech.head.format(head=_sentence(_head(context, words, language), language))
    whole = by_language(language, context.place.spoken_zh, context.place.spoken_en)
    heard = spoken_within(context.place, language, place_heard_by_s - speech_seconds(opening, language))
    said = opening + speech.place.format(place=heard) + _detail(context, language, purpose)
    beside = spoken_aside(context, words, language)
    if beside and purpose not in _TOLD and speech_seconds(f"{said}{beside} {keys}", language) <= loop_s_max:
        said += beside
    again = said + speech.place_in_full.format(place=whole)
    if heard != whole and speech_seconds(again + " " + keys, language) <= loop_s_max:
        said = again
    return said.strip()


def _detail(context: Context, language: Language, purpose: Purpose) -> str:
    """What follows the place."""
    speech = CATALOGUE[language].speech
    slots = _slots(context, language, purpose)
    unrecorded = speech.unrecorded if context.not_recorded else ""
    if purpose is Purpose.UPDATE:
        return speech.update.format_map(slots) + unrecorded
    if purpose is Purpose.ALL_CLEAR:
        return speech.all_clear + unrecorded
    if purpose is Purpose.COMMAND:
        return speech.command + unrecorded
    sensor = speech.sensor.format_map(slots) if slots["sensor"] else ""
    minutes = _minutes_spoken(context.unanswered_minutes, language)
    waited = speech.minutes.format(minutes=minutes) if minutes else ""
    if direct(context, purpose):
        number = by_language(language, say_digits_zh, say_digits_en)(context.emergency_number)
        waited += speech.direct.format(number=number)
    household = speech.household.format_map(slots) if slots["household"] else ""
    power = "".join(getattr(speech, name).format_map(slots) for name in ("live", "power") if slots[name])
    charging = speech.mark.format(mark=slots["charging"]) if slots["charging"] else ""
    return sensor + charging + power + household + waited + unrecorded


def _minutes_spoken(minutes: int, language: Language) -> str:
    if minutes <= 0:
        return ""
    if language is Language.EN:
        return str(minutes)
    return "两" if minutes == 2 else say_zh(str(minutes))


def _marks(context: Context, words: Words, purpose: Purpose) -> list[str]:
    marks = []
    if context.drill or purpose is Purpose.DRILL:
        marks.append(words.drill)
    if purpose is Purpose.TEST:
        marks.append(words.test)
    elif context.test:
        marks.append(words.maybe_test)
    if context.late:
        marks.append(words.late)
    return marks


def _head(context: Context, words: Words, language: Language) -> str:
    """The headline: fire is one word for every sensor; severity 1 is loud where the script has capitals."""
    label = _label(context.hazard, language)
    if is_fire(context.hazard):
        head = words.fire
    elif words.loud:
        head = label.upper() if severity(context) == 1 else label[:1].upper() + label[1:]
    else:
        head = label
    both = context.spreading and context.confirmed
    shape = words.confirmed_spreading if both else words.spreading if context.spreading else words.confirmed
    return shape.format(head=head) if context.spreading or context.confirmed else head


def _act(context: Context, words: Words) -> str:
    if context.two_way:
        return words.acts.reply
    if context.has_voice:
        return words.acts.call
    if context.has_app:
        return words.acts.app
    asks_to_go = context.hazard.cls in (SignalClass.A, SignalClass.S)
    if asks_to_go and (context.unplaced or is_unplaced(context.place)):
        return words.acts.find
    return words.acts.go[context.hazard.cls]


def _household(context: Context, words: Words) -> str:
    """What the household said, for those who are asked to go."""
    burns = may_burn(context.hazard)
    if context.household_confirms:
        return words.household_confirms[0 if burns else 1]
    return words.household_denies[0 if burns else 1] if context.household_denies else ""


def _sentence(text: str, language: Language) -> str:
    """Capitals are for the eye: a voice spells some of them."""
    return text if language is Language.ZH_CN else text.capitalize()


def _label(hazard: Hazard, language: Language) -> str:
    return by_language(language, hazard.zh, hazard.en)
