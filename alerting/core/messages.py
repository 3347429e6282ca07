"""What a person reads and hears: SMS of one part, call script, app message. Never sends, never reads a clock.

Law: a text asks only for what its channel can take; building, unit, floor, room, hazard, time, act and reference are
never given up for room. What goes first: the line for the spot, 119 advice, waiting time, sensor, then the large end of
the place's name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from alerting.core.asides import aside, spoken_aside
from alerting.core.context import Context, direct, exercise, is_fire, may_burn, severity
from alerting.core.fitting import filled, fitted
from alerting.core.languages import PACKS, guidance, label, named, speech_seconds, spoken, spoken_within
from alerting.core.languages.base import Pack, Words
from alerting.core.maps import link, point_of, service_for
from alerting.core.model import Purpose
from alerting.core.parts import keep_start, one_part
from alerting.core.places import is_unplaced
from devices.model import Channel, Language
from devices.taxonomy import SignalClass

place_heard_by_s = 6.0
"""A call has said hazard and place when this time has passed."""
loop_s_max = 20.0
"""One round of a call: what is said and what the keys do."""

_SPARED = ("power", "charging", "minutes", "sensor", "household", "live")
"""What a call leaves out for time, the first of them first. Never to dial, nor that nothing is recorded."""

slots_remembered_max = 64
"""The channels of one message ask for the same words one after the other."""
texts_remembered_max = 4096
"""The same text goes to everybody on one channel; rendering it is most of what a decision costs."""

ACTIONS = ("accept", "decline")
_ELECTRIC = frozenset({"charge", "electric"})
"""Their lines begin with the power."""
TOLD = frozenset({Purpose.UPDATE, Purpose.ALL_CLEAR})
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
    answer_url: str = ""
    """The page to answer on without the app; empty where nobody is asked to go."""


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
    pack = PACKS[language]
    words, unplaced = pack.words, is_unplaced(context.place)
    others = {Purpose.UPDATE: words.update, Purpose.ALL_CLEAR: words.all_clear, Purpose.COMMAND: words.command}
    text = ""
    for slots in _ever_shorter(context, language, purpose):
        text = fitted(others.get(purpose, words.page), slots, language, unplaced)
        enough = words.unplaced_silent if unplaced else slots["place"][-words.place_units_kept :]
        if enough in text and one_part(text):
            break
    return text


def _ever_shorter(context: Context, language: Language, purpose: Purpose) -> Iterator[Mapping[str, str]]:
    """Slots, each time with a little less beside the place: no link as the only answer, fewer marks, a bare head."""
    words, slots = PACKS[language].words, dict(slots_of(context, language, purpose))
    yield slots
    if slots["act"] == _by_link(context, words):
        slots = slots | {"act": _go(context, words)}
        yield slots
    first = marks_of(context, words, purpose)[:1]
    slots = slots | {"mark": words.mark_end.join([*first, ""])}
    yield slots
    slots = slots | {"head": head_of(replace(context, confirmed=False, spreading=False), language)}
    yield slots
    if slots["waited"]:
        dial = words.direct_act.format(number=context.emergency_number, act=slots["act"])
        yield slots | {"waited": "", "act": dial}


def sms_page(context: Context, language: Language) -> str:
    return sms(context, language, Purpose.PAGE)


def sms_update(context: Context, language: Language) -> str:
    return sms(context, language, Purpose.UPDATE)


def sms_all_clear(context: Context, language: Language) -> str:
    return sms(context, language, Purpose.ALL_CLEAR)


def call_script(context: Context, language: Language, purpose: Purpose = Purpose.PAGE) -> CallScript:
    """Hazard and place first, within `place_heard_by_s`; a place cut for that is said in full later, time allowing."""
    speech = PACKS[language].words.speech
    told = purpose in TOLD
    keys = speech.keys_told if asks_nobody(context, purpose) else speech.keys
    return CallScript(
        language=language,
        say=_said(context, language, purpose, keys),
        keys=keys,
        recorded=speech.recorded_told if told else _recorded(context, language, purpose),
        declined=speech.declined_told if told else speech.declined,
        missed=speech.missed_told if told or purpose is Purpose.COMMAND else speech.missed,
        wait=speech.wait,
    )


def _recorded(context: Context, language: Language, purpose: Purpose) -> str:
    """After key 1: what to do on the spot, and the emergency number where it can burn."""
    pack = PACKS[language]
    speech = pack.words.speech
    if exercise(context, purpose):
        return speech.recorded_drill
    line = guidance_of(context, language)
    said = speech.guidance.format(guidance=line) if line else ""
    if may_burn(context.hazard):
        return speech.recorded_fire.format(guidance=said, number=pack.script.digits(context.emergency_number))
    return speech.recorded.format(guidance=said)


def app_message(context: Context, language: Language, purpose: Purpose = Purpose.PAGE) -> AppMessage:
    words = PACKS[language].words
    slots = dict(slots_of(context, language, purpose))
    number = context.emergency_number
    slots["act"] = words.app_ask
    slots["advice"] = words.advice_app.format(number=number) if slots["advice"] else ""
    told = {Purpose.UPDATE: words.app_update, Purpose.ALL_CLEAR: words.app_all_clear}
    body = (told | {Purpose.COMMAND: words.app_command}).get(purpose, words.app_page)
    point = point_of(context.place.lat, context.place.lon)
    # A phone may show the body alone: of an exercise it says so as well.
    lead = words.drill + words.mark_end if context.drill or purpose is Purpose.DRILL else ""
    nobody = asks_nobody(context, purpose)
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
        actions=() if nobody else ACTIONS,
        answer_url="" if nobody else context.answer_url,
    )


def asks_nobody(context: Context, purpose: Purpose) -> bool:
    """Nobody is asked to go: it is told only."""
    return purpose in TOLD or (purpose is Purpose.COMMAND and context.answered)


def local_time(at: datetime, timezone: str) -> datetime:
    """An aware instant on the deployment's clock. `timezone` is an IANA name; `ZoneInfo` keeps each one it has read."""
    assert at.tzinfo is not None, "naive datetime reached a text"
    return at.astimezone(ZoneInfo(timezone))


@lru_cache(maxsize=slots_remembered_max)
def slots_of(context: Context, language: Language, purpose: Purpose) -> Mapping[str, str]:
    """Every word a piece may ask for; an empty one leaves its piece out."""
    pack = PACKS[language]
    words, plain = pack.words, pack.script.plain
    fire = is_fire(context.hazard)
    told = label(context.hazard, language)
    dial = direct(context, purpose)
    minutes = str(context.unanswered_minutes) if context.unanswered_minutes > 0 else ""
    act = act_of(context, words)
    return {
        "mark": words.mark_end.join([*marks_of(context, words, purpose), ""]),
        "head": head_of(context, language),
        "place": named(context.place, language),
        "hazard": words.fire_within if fire else told,
        "sensor": told if fire else "",
        "time": f"{local_time(context.at, context.timezone):%H:%M}",
        "minutes": "" if dial else minutes,
        "waited": minutes if dial else "",
        "direct": words.direct.format(number=context.emergency_number) if dial else "",
        "charging": words.still_charging if context.still_charging and not context.power_cut else "",
        **aside(context, language),
        "act": act,
        "household": _household(context, words),
        "power": words.power_cut if context.power_cut and not context.power_live else "",
        "live": words.power_live if context.power_live else "",
        "advice": words.advice.format(number=context.emergency_number) if _advised(context, purpose) else "",
        "guidance": "" if exercise(context, purpose) else guidance_of(context, language),
        "link": "" if not context.link or act == _by_link(context, words) else context.link,
        "reference": plain(context.reference),
        "unrecorded": words.unrecorded if context.not_recorded else "",
        "who": who_of(context, pack),
    }


def who_of(context: Context, pack: Pack) -> str:
    """Who goes, as far as there is room for a name."""
    name = keep_start(pack.script.plain(context.who_goes), pack.words.who_units_max, pack.script.alphabet)
    return name.strip() or pack.words.somebody


def guidance_of(context: Context, language: Language) -> str:
    """What to do on the spot; no word of the power where it is cut already."""
    return "" if context.power_cut and context.hazard.family in _ELECTRIC else guidance(context.hazard, language)


def _advised(context: Context, purpose: Purpose) -> bool:
    return may_burn(context.hazard) and not exercise(context, purpose) and not direct(context, purpose)


def _said(context: Context, language: Language, purpose: Purpose, keys: str) -> str:
    pack = PACKS[language]
    words, speech, sentence = pack.words, pack.words.speech, pack.script.sentence
    marks = [speech.mark.format(mark=sentence(mark)) for mark in marks_of(context, words, purpose)]
    opening = "".join(marks) + speech.head.format(head=sentence(head_of(context, language)))
    whole = spoken(context.place, language)
    heard = spoken_within(context.place, language, place_heard_by_s - speech_seconds(opening, language))
    start, said = opening + speech.place.format(place=heard), ""
    for least in range(len(_SPARED) + 1):
        said = start + _detail(context, language, purpose, _SPARED[:least])
        if speech_seconds(f"{said} {keys}", language) <= loop_s_max:
            break
    beside = spoken_aside(context, language)
    if beside and purpose not in TOLD and speech_seconds(f"{said}{beside} {keys}", language) <= loop_s_max:
        said += beside
    again = said + speech.place_in_full.format(place=whole)
    if heard != whole and speech_seconds(again + " " + keys, language) <= loop_s_max:
        said = again
    return said.strip()


def _detail(context: Context, language: Language, purpose: Purpose, spared: Sequence[str]) -> str:
    """What follows the place, without what is `spared` for time."""
    pack = PACKS[language]
    speech = pack.words.speech
    slots = slots_of(context, language, purpose)
    unrecorded = speech.unrecorded if context.not_recorded else ""
    if purpose is Purpose.UPDATE:
        return speech.update.format_map(slots) + unrecorded
    if purpose is Purpose.ALL_CLEAR:
        return speech.all_clear + unrecorded
    if purpose is Purpose.COMMAND:
        return speech.command + unrecorded
    minutes = context.unanswered_minutes
    dial = direct(context, purpose)
    sentences = {
        "sensor": speech.sensor.format_map(slots) if slots["sensor"] else "",
        "charging": speech.mark.format(mark=slots["charging"]) if slots["charging"] else "",
        "live": speech.live.format_map(slots) if slots["live"] else "",
        "power": speech.power.format_map(slots) if slots["power"] else "",
        "household": speech.household.format_map(slots) if slots["household"] else "",
        "minutes": speech.minutes.format(minutes=pack.script.number(minutes)) if minutes > 0 else "",
        "direct": speech.direct.format(number=pack.script.digits(context.emergency_number)) if dial else "",
        "unrecorded": unrecorded,
    }
    return "".join(text for name, text in sentences.items() if name not in spared)


def marks_of(context: Context, words: Words, purpose: Purpose) -> list[str]:
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


def head_of(context: Context, language: Language) -> str:
    """The headline: fire is one word for every sensor; severity 1 is loud where the script has capitals."""
    words, told = PACKS[language].words, label(context.hazard, language)
    if is_fire(context.hazard):
        head = words.fire
    elif words.loud:
        head = told.upper() if severity(context) == 1 else told[:1].upper() + told[1:]
    else:
        head = told
    both = context.spreading and context.confirmed
    shape = words.confirmed_spreading if both else words.spreading if context.spreading else words.confirmed
    return shape.format(head=head) if context.spreading or context.confirmed else head


def act_of(context: Context, words: Words) -> str:
    """The one thing that this person can do to answer; without any, what is to be done."""
    if context.two_way:
        return words.acts.reply
    if context.has_voice:
        return words.acts.call
    if context.has_app:
        return words.acts.app
    return _by_link(context, words) or _go(context, words)


def _by_link(context: Context, words: Words) -> str:
    return words.acts.link.format(link=context.link) if context.link else ""


def _go(context: Context, words: Words) -> str:
    return words.acts.find if nobody_knows_where(context) else words.acts.go[context.hazard.cls]


def nobody_knows_where(context: Context) -> bool:
    """Somebody should go, and first has to find out where."""
    asks_to_go = context.hazard.cls in (SignalClass.A, SignalClass.S)
    return asks_to_go and (context.unplaced or is_unplaced(context.place))


def _household(context: Context, words: Words) -> str:
    """What the household said, for those who are asked to go."""
    burns = may_burn(context.hazard)
    if context.household_confirms:
        return words.household_confirms[0 if burns else 1]
    return words.household_denies[0 if burns else 1] if context.household_denies else ""
