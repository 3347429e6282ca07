"""What a person reads and hears: SMS of one part, call script, app message. Never sends, never reads a clock.

Law: a text asks only for what its channel can take; building, unit, floor, room, hazard, time, act and reference are
never given up for room. What goes first: 119 advice, waiting time, sensor, then the large end of the place's name.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from string import Formatter
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from alerting.core.maps import link, point_of, service_for
from alerting.core.model import PlaceText, Purpose
from alerting.core.parts import (
    Alphabet,
    gsm7_single_units_max,
    gsm7_units,
    keep_end,
    keep_start,
    speech_seconds,
    to_gsm7,
    ucs2_single_units_max,
    ucs2_units,
)
from alerting.core.places import (
    UNPLACED_EN,
    UNPLACED_ZH,
    clean,
    is_unplaced,
    say_digits_en,
    say_digits_zh,
    say_zh,
    spoken_within,
)
from alerting.core.words import CATALOGUE, Piece, Words
from devices.model import Channel, Language
from devices.taxonomy import Hazard, SignalClass

T = TypeVar("T")

place_heard_by_s = 6.0
"""A call has said hazard and place when this time has passed."""
loop_s_max = 20.0
"""One round of a call: what is said and what the keys do."""
who_units_max = {Language.ZH_CN: 14, Language.EN: 30}
"""Of the name of the person who goes."""

ACTIONS = ("accept", "decline")
_TOLD = frozenset({Purpose.UPDATE, Purpose.ALL_CLEAR})
"""Nobody is asked to do anything."""
_FIRES = frozenset({"charge.smoke"})
_MAY_BURN = frozenset({"fire", "charge", "electric"})
_MAY_BE_EMPTY = frozenset({"mark"})


@dataclass(frozen=True, slots=True)
class Context:
    """What a message is about. Everything a text says comes from here."""

    hazard: Hazard
    place: PlaceText
    at: datetime
    """Aware; shown as local time in `timezone`."""
    timezone: str = "Asia/Shanghai"
    deployment_language: Language = Language.ZH_CN
    """Decides the map service, not the words."""
    reference: str = ""
    incident_id: str = ""
    severity: int | None = None
    """The incident's, where it differs from the hazard's own."""
    unanswered_minutes: int = 0
    who_goes: str = ""
    two_way: bool = False
    """A reply by SMS reaches us."""
    has_voice: bool = False
    """A call comes at the same time."""
    has_app: bool = False
    spreading: bool = False
    confirmed: bool = False
    late: bool = False
    unplaced: bool = False
    test: bool = False
    """The signal carries a test mark outside test mode: it may be real."""
    drill: bool = False
    not_recorded: bool = False
    """Sent from memory because nothing could be committed."""
    emergency_number: str = "119"


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
    pieces = {Purpose.UPDATE: words.update, Purpose.ALL_CLEAR: words.all_clear}.get(purpose, words.page)
    return _fitted(pieces, _slots(context, language, purpose), language, is_unplaced(context.place))


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
    number = _by(language, say_digits_zh, say_digits_en)(context.emergency_number)
    if told:
        recorded = speech.recorded_told
    elif _exercise(context, purpose):
        recorded = speech.recorded_drill
    elif _may_burn(context.hazard):
        recorded = speech.recorded_fire.format(number=number)
    else:
        recorded = speech.recorded
    keys = speech.keys_told if told else speech.keys
    return CallScript(
        language=language,
        say=_said(context, language, purpose, keys),
        keys=keys,
        recorded=recorded,
        declined=speech.declined_told if told else speech.declined,
        missed=speech.missed_told if told else speech.missed,
        wait=speech.wait,
    )


def app_message(context: Context, language: Language, purpose: Purpose = Purpose.PAGE) -> AppMessage:
    words = CATALOGUE[language]
    slots = _slots(context, language, purpose)
    number = context.emergency_number
    slots["act"] = words.app_ask
    slots["advice"] = words.advice_app.format(number=number) if slots["advice"] else ""
    body = {Purpose.UPDATE: words.app_update, Purpose.ALL_CLEAR: words.app_all_clear}.get(purpose, words.app_page)
    point = point_of(context.place.lat, context.place.lon)
    return AppMessage(
        title="".join(text for text, _ in _filled(words.app_title, slots)),
        body="".join(text for text, _ in _filled(body, slots)),
        hazard=context.hazard.code,
        severity=_severity(context),
        place=slots["place"],
        at=local_time(context.at, context.timezone).isoformat(timespec="seconds"),
        reference=context.reference,
        map_url=link(service_for(context.deployment_language), point, slots["place"]) if point else "",
        incident_id=context.incident_id,
        purpose=purpose,
        actions=() if purpose in _TOLD else ACTIONS,
    )


def local_time(at: datetime, timezone: str) -> datetime:
    """An aware instant on the deployment's clock. `timezone` is an IANA name; `ZoneInfo` keeps each one it has read."""
    assert at.tzinfo is not None, "naive datetime reached a text"
    return at.astimezone(ZoneInfo(timezone))


def _slots(context: Context, language: Language, purpose: Purpose) -> dict[str, str]:
    """Every word a piece may ask for; an empty one leaves its piece out."""
    words = CATALOGUE[language]
    plain = _by(language, clean, to_gsm7)
    alphabet = _by(language, Alphabet.UCS2, Alphabet.GSM7)
    marks = _marks(context, words, purpose)
    fire = _is_fire(context.hazard)
    label = _label(context.hazard, language)
    advised = _may_burn(context.hazard) and not _exercise(context, purpose)
    return {
        "mark": words.mark_end.join([*marks, ""]),
        "head": _head(context, words, language),
        "place": plain(context.place.of(language)),
        "hazard": words.fire_within if fire else label,
        "sensor": label if fire else "",
        "time": f"{local_time(context.at, context.timezone):%H:%M}",
        "minutes": str(context.unanswered_minutes) if context.unanswered_minutes > 0 else "",
        "act": _act(context, words),
        "advice": words.advice.format(number=context.emergency_number) if advised else "",
        "reference": plain(context.reference),
        "unrecorded": words.unrecorded if context.not_recorded else "",
        "who": keep_start(plain(context.who_goes), who_units_max[language], alphabet).strip() or words.somebody,
    }


def _fitted(pieces: Sequence[Piece], slots: dict[str, str], language: Language, unplaced: bool) -> str:
    """Leave out optional pieces, lowest rank first, then shorten the place from its large end, until it is one part."""
    units, limit = _by(language, (ucs2_units, ucs2_single_units_max), (gsm7_units, gsm7_single_units_max))
    filled = _filled(pieces, slots)
    over = sum(units(text) for text, _ in filled) - limit
    for rank in sorted({drop for _, drop in filled if drop}):
        if over <= 0:
            break
        over -= sum(units(text) for text, drop in filled if drop == rank)
        filled = [(text, drop) for text, drop in filled if drop != rank]
    if over > 0:
        place = slots["place"]
        shorter = _shortened(place, units(place) - over, language, unplaced)
        filled = _filled([piece for piece in pieces if not piece.drop], slots | {"place": shorter})
    return "".join(text for text, _ in filled)


def _filled(pieces: Sequence[Piece], slots: dict[str, str]) -> list[tuple[str, int]]:
    return [
        (piece.template.format_map(slots), piece.drop)
        for piece in pieces
        if all(slots[name] for name in _needed(piece.template))
    ]


@cache
def _needed(template: str) -> tuple[str, ...]:
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name and name not in _MAY_BE_EMPTY)


def _shortened(place: str, room: int, language: Language, unplaced: bool) -> str:
    """At most `room` units of a place: its end is kept, for that is where the room is; the compound's front goes.

    Words that say "unregistered" are kept as well, and the device's id loses its middle.
    """
    alphabet = _by(language, Alphabet.UCS2, Alphabet.GSM7)
    ellipsis = CATALOGUE[language].ellipsis
    front = _by(language, UNPLACED_ZH, UNPLACED_EN) if unplaced else ""
    tail = keep_end(place, max(0, room - len(front) - len(ellipsis)), alphabet)
    cut = len(place) - len(tail)
    if alphabet is Alphabet.GSM7 and not unplaced and " " in tail and place[cut - 1 : cut] != " ":
        tail = tail.partition(" ")[2]
    return f"{front}{ellipsis}{tail.lstrip()}"


def _said(context: Context, language: Language, purpose: Purpose, keys: str) -> str:
    words = CATALOGUE[language]
    speech = words.speech
    marks = [speech.mark.format(mark=_sentence(mark, language)) for mark in _marks(context, words, purpose)]
    opening = "".join(marks) + speech.head.format(head=_sentence(_head(context, words, language), language))
    whole = _by(language, context.place.spoken_zh, context.place.spoken_en)
    heard = spoken_within(context.place, language, place_heard_by_s - speech_seconds(opening, language))
    said = opening + speech.place.format(place=heard) + _detail(context, language, purpose)
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
    sensor = speech.sensor.format_map(slots) if slots["sensor"] else ""
    minutes = _minutes_spoken(context.unanswered_minutes, language)
    return sensor + (speech.minutes.format(minutes=minutes) if minutes else "") + unrecorded


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
    if _is_fire(context.hazard):
        head = words.fire
    elif words.loud:
        head = label.upper() if _severity(context) == 1 else label[:1].upper() + label[1:]
    else:
        head = label
    if context.spreading:
        return words.spreading.format(head=head)
    return words.confirmed.format(head=head) if context.confirmed else head


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


def _sentence(text: str, language: Language) -> str:
    """Capitals are for the eye: a voice spells some of them."""
    return text if language is Language.ZH_CN else text.capitalize()


def _label(hazard: Hazard, language: Language) -> str:
    return _by(language, hazard.zh, hazard.en)


def _severity(context: Context) -> int:
    return context.hazard.severity if context.severity is None else context.severity


def _is_fire(hazard: Hazard) -> bool:
    return hazard.family == "fire" or hazard.code in _FIRES


def _may_burn(hazard: Hazard) -> bool:
    return hazard.family in _MAY_BURN and hazard.cls is SignalClass.A


def _exercise(context: Context, purpose: Purpose) -> bool:
    """Certainly not real: no emergency number is named."""
    return context.drill or purpose in (Purpose.DRILL, Purpose.TEST)


def _by(language: Language, zh: T, en: T) -> T:
    return zh if language is Language.ZH_CN else en
