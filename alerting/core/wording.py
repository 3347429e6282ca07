"""Values for the variables of registered templates: the same message for carriers that take no free text. Never sends.

Law: as in `messages`: building, unit, floor, room, hazard, time, act and reference are never given up for room; an
exercise says so in its first word, through the same template as a real alarm, so that a drill proves that template.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache

from alerting.core.context import Context, direct, exercise
from alerting.core.fitting import shortened
from alerting.core.languages import PACKS, spoken
from alerting.core.languages.base import Pack
from alerting.core.messages import (
    TOLD,
    asks_nobody,
    guidance_of,
    head_of,
    local_time,
    marks_of,
    nobody_knows_where,
    place_heard_by_s,
    slots_of,
    texts_remembered_max,
    who_of,
)
from alerting.core.model import PlaceText, Purpose
from alerting.core.parts import Alphabet, keep_start, ucs2_part_units_max, ucs2_single_units_max, ucs2_units
from alerting.core.places import device_of_unplaced, ending_of, is_unplaced
from alerting.core.templates import (
    TEMPLATES,
    Wording,
    check_variables,
    code_chars_max,
    filled,
    hazard_chars_max,
    spoken_chars_max,
    title_chars_max,
    variable_chars_max,
)
from devices.model import Channel, Language

signature_units = 12
"""【Ten characters】, which the carrier sets before the text and counts."""
_SMS_UNITS = {
    Alphabet.UCS2: ucs2_single_units_max - signature_units,
    # A Chinese signature makes an English text UCS-2 as well: it takes two parts, and is written for two.
    Alphabet.GSM7: 2 * ucs2_part_units_max - signature_units,
}
carrier_place_units_kept = 24
_two_parts = 2 * ucs2_part_units_max - signature_units
told_heard_by_s = 12.0
"""Of a call that asks nobody to go."""

values_remembered_max = 4096
"""Names of places, and the words beside them."""
_LINKED = re.compile(r"(?<=[0-9A-Za-z])\.(?=[0-9A-Za-z])|://")
_MOBILE = re.compile(r"(?<![0-9])(?:\+?86)?1[3-9][0-9]{5}([0-9]{4})(?![0-9])")
_SIGNS = re.compile(r"[【】{}<>\[\]'\"\\^~|$¥]")
_UNSPOKEN = re.compile(r"[#/:%-]+")


@lru_cache(maxsize=texts_remembered_max)
def wording(purpose: Purpose, channel: Channel, language: Language, context: Context) -> Wording | None:
    """What `messages.render` says there, for a template; None for the app, which takes free text."""
    match channel:
        case Channel.SMS:
            return _sms(purpose, language, context)
        case Channel.VOICE:
            return _voice(purpose, language, context)
        case Channel.APP:
            return None


def notice(title: str, place: str, text: str, at: datetime, timezone: str, language: Language) -> Wording:
    """Anything else in one text: summaries, the daily digest, a result, a check. Nobody is asked to go by it."""
    pack = PACKS[language]
    values = {
        "title": keep(title, title_chars_max, pack),
        "place": place_value(place, variable_chars_max, pack, unplaced=False),
        "text": keep(text, variable_chars_max, pack),
        "time": f"{local_time(at, timezone):%H:%M}",
    }
    return Wording("sms_notice", values)


def told(what: str, hazard: str, place: PlaceText, at: str, reference: str, language: Language) -> Wording:
    """Nobody is asked to do anything."""
    pack = PACKS[language]
    values = {
        "what": keep(what, variable_chars_max, pack),
        "hazard": keep(hazard, hazard_chars_max, pack),
        "place": _place(place, pack),
        "time": at,
        "code": keep(reference, code_chars_max, pack) or "-",
    }
    return _made_to_fit(Wording("sms_told", values), pack, language, unplaced=is_unplaced(place))


def said(
    template: str,
    what: str,
    place: PlaceText,
    language: Language,
    then: Sequence[str] = (),
    heard_by_s: float | None = None,
) -> Wording:
    """A call: what, where, then what must be heard as well."""
    pack = PACKS[language]
    after = "".join(f"{pack.carrier.join_spoken}{each}" for each in then)
    room = max(1, spoken_chars_max - len(after))
    before = pack.templates[template].partition("{place}")[0].format(what=what)
    heard = _heard(place, language, room, (heard_by_s or place_heard_by_s) - pack.script.seconds(before))
    return Wording(template, {"what": speakable(what), "place": speakable(heard + after)})


def keep(text: str, chars: int, pack: Pack) -> str:
    """A value as a carrier takes it: no sign that it refuses, nothing that looks like a link or a mobile number."""
    return keep_start(allowed(text, pack), chars, Alphabet.UCS2).strip()


def allowed(text: str, pack: Pack) -> str:
    return _allowed(text, pack.script.plain, pack.carrier.number_sign)


@lru_cache(maxsize=values_remembered_max)
def _allowed(text: str, plain: Callable[[str], str], number_sign: str) -> str:
    text = _MOBILE.sub(r"\1", _LINKED.sub("-", plain(text)))
    text = _SIGNS.sub("", text).replace("#", number_sign)
    return "".join(char for char in text if unicodedata.category(char) not in ("So", "Co", "Cn")).strip()


def speakable(text: str) -> str:
    """Without the signs that a voice template refuses."""
    return " ".join(_UNSPOKEN.sub(" ", text).split())


def place_value(place: str, chars: int, pack: Pack, *, unplaced: bool) -> str:
    """A place as a value: of a long one the large end goes."""
    value = allowed(place, pack) or pack.words.unplaced_silent
    return value if ucs2_units(value) <= chars else allowed(shortened(value, chars, pack, unplaced), pack)


def _place(place: PlaceText, pack: Pack) -> str:
    if not is_unplaced(place):
        return place_value(pack.script.name(place), variable_chars_max, pack, unplaced=False)
    before, after = pack.carrier.unplaced
    room = variable_chars_max - len(before) - len(after)
    device, ellipsis = allowed(device_of_unplaced(place), pack), pack.words.ellipsis
    if len(device) > room:
        device = ellipsis + device[len(ellipsis) - room :]
    return f"{before}{device}{after}"


def _sms(purpose: Purpose, language: Language, context: Context) -> Wording:
    pack = PACKS[language]
    words, slots = pack.carrier, slots_of(context, language, purpose)
    marks = marks_of(context, pack.words, purpose)
    time, unplaced, practice = slots["time"], is_unplaced(context.place), exercise(context, purpose)
    if purpose in TOLD or purpose is Purpose.COMMAND:
        shape = {Purpose.UPDATE: words.update, Purpose.ALL_CLEAR: words.all_clear}.get(purpose, words.command)
        room = variable_chars_max - len(words.join.join([*marks[: int(practice)], shape.format(who="")]))
        who = keep_start(who_of(context, pack), max(0, room), Alphabet.UCS2).strip()
        what = _marked(marks, [shape.format(who=who)], words.join, variable_chars_max, practice=practice)
        return told(what, slots["hazard"], context.place, time, context.reference, language)
    fit = Wording("sms_page", {})
    heads = _heads(context, language)
    for told_marks, told_heads in ((marks, heads), (marks, heads[1:]), (marks[: int(practice)], heads[1:])):
        values = {
            "what": keep(
                _marked(told_marks, told_heads, words.join, variable_chars_max, practice=practice),
                variable_chars_max,
                pack,
            ),
            "place": _place(context.place, pack),
            "time": time,
            "act": _act(purpose, context, pack),
            "code": keep(context.reference, code_chars_max, pack) or "-",
        }
        fit = _made_to_fit(Wording("sms_page", values), pack, language, unplaced=unplaced)
        if _units(fit, language) <= _two_parts:
            break
    return _with_more(fit, _extras(purpose, context, slots, language), pack, language)


def _heads(context: Context, language: Language) -> list[str]:
    """The headline, then the bare hazard."""
    head = head_of(context, language)
    if not (context.confirmed or context.spreading):
        return [head, head]
    return [head, head_of(replace(context, confirmed=False, spreading=False), language)]


def _marked(marks: Sequence[str], texts: Sequence[str], join: str, chars: int, *, practice: bool) -> str:
    """The fullest that one variable holds: an exercise's mark stays, other marks go before the hazard is cut."""
    counts = range(len(marks), -1 + practice, -1)
    whole = (join.join([*marks[:kept], text]) for text in texts for kept in counts)
    return next((each for each in whole if len(each) <= chars), join.join([*marks[: int(practice)], texts[-1]]))


def _act(purpose: Purpose, context: Context, pack: Pack) -> str:
    """After the template's "please": dial, cut the power, and the one way to answer; never more than one variable."""
    words = pack.carrier
    number, minutes = context.emergency_number, context.unanswered_minutes
    dial = direct(context, purpose)
    answer = _answer(context, pack)
    long = [words.direct.format(number=number, minutes=minutes)] if dial else []
    short = [words.direct_short.format(number=number)] if dial else []
    if context.power_live and not exercise(context, purpose):
        long, short = [*long, words.live], [*short, words.live_short]
    fitting = (words.join.join(each) for each in ([*long, answer], [*short, answer], short))
    return next(each for each in fitting if len(each) <= variable_chars_max)


def _answer(context: Context, pack: Pack) -> str:
    words = pack.carrier
    if context.two_way:
        return words.reply
    if context.has_voice:
        return words.call
    if context.has_app:
        return words.app
    return words.find if nobody_knows_where(context) else words.go[context.hazard.cls]


def _extras(
    purpose: Purpose, context: Context, slots: Mapping[str, str], language: Language
) -> Iterable[tuple[str, str]]:
    """(variable, what could be added to it), the dearest first."""
    pack = PACKS[language]
    yield "what", slots["household"]
    yield "what", slots["charging"]
    yield "what", slots["sensor"]
    yield "act", slots["advice"]
    yield "what", slots["power"]
    yield "what", slots["aside"]
    if not exercise(context, purpose):
        yield "act", guidance_of(context, language)
    yield "what", pack.words.unrecorded if context.not_recorded else ""


def _with_more(base: Wording, extras: Iterable[tuple[str, str]], pack: Pack, language: Language) -> Wording:
    """As many of them as one part has room for."""
    values, limits = dict(base.variables), TEMPLATES[base.template].limits
    room = _SMS_UNITS[pack.script.alphabet] - _units(base, language)
    for name, extra in extras:
        more = pack.carrier.join + allowed(_lowered(extra, pack), pack) if extra else ""
        if more and len(values[name]) + len(more) <= limits[name] and ucs2_units(more) <= room:
            values[name] += more
            room -= ucs2_units(more)
    return Wording(base.template, values)


def _lowered(text: str, pack: Pack) -> str:
    """A statement after a comma begins small, where there are capitals."""
    return text[:1].lower() + text[1:] if pack.words.loud else text


def _made_to_fit(made: Wording, pack: Pack, language: Language, *, unplaced: bool) -> Wording:
    """One part where the place can give up that much of its large end, else two."""
    place = made.variables["place"]
    over = _units(made, language) - _SMS_UNITS[pack.script.alphabet]
    room = max(ucs2_units(place) - over, min(pack.words.place_units_kept, carrier_place_units_kept))
    if over <= 0 or ucs2_units(place) <= room:
        return made
    return Wording(made.template, {**made.variables, "place": place_value(place, room, pack, unplaced=unplaced)})


def _units(made: Wording, language: Language) -> int:
    return ucs2_units(filled(made, language))


def _voice(purpose: Purpose, language: Language, context: Context) -> Wording:
    pack = PACKS[language]
    words, sentence, slots = pack.carrier, pack.script.sentence, slots_of(context, language, purpose)
    join, practice = words.join_spoken, exercise(context, purpose)
    marks = [sentence(each) for each in marks_of(context, pack.words, purpose)]
    heads = [sentence(each) for each in _heads(context, language)]
    if purpose in TOLD:
        shape = words.update if purpose is Purpose.UPDATE else words.all_clear
        ended = sentence(shape.format(who=who_of(context, pack)))
        what = _marked(marks, [join.join([head, ended]) for head in heads], join, spoken_chars_max, practice=practice)
        return said("voice_told", what, context.place, language, heard_by_s=told_heard_by_s)
    what = _marked(marks, heads, join, spoken_chars_max, practice=practice)
    must = []
    if direct(context, purpose):
        must.append(words.direct_spoken.format(number=pack.script.digits(context.emergency_number)))
    if context.power_live or purpose is Purpose.COMMAND:
        must.append(words.live_spoken)
    template = "voice_told" if asks_nobody(context, purpose) else "voice_page"
    more = [_lowered(slots[name], pack) for name in ("sensor", "household") if slots[name]]
    for then in ([*more, *must], must):
        made = said(template, what, context.place, language, then)
        whole = speakable(_spoken(context.place, language))
        if then is must or (made.variables["place"].startswith(whole) and not check_variables(made)):
            return made
    return said(template, what, context.place, language, must)


def _heard(place: PlaceText, language: Language, chars: int, seconds: float) -> str:
    """The spoken place within the first seconds of the call and within the variable."""
    whole, script = _spoken(place, language), PACKS[language].script
    if is_unplaced(place):
        return whole if script.seconds(whole) <= seconds else PACKS[language].carrier.unplaced_silent
    heard = script.within(whole, seconds)
    while len(heard) > chars and seconds > 0:
        seconds -= 0.25
        heard = script.within(whole, seconds)
    return heard[-chars:]


def _spoken(place: PlaceText, language: Language) -> str:
    """After the template's own word for a place."""
    pack = PACKS[language]
    ending = ending_of(device_of_unplaced(place)) if is_unplaced(place) else ""
    return pack.carrier.unplaced_spoken.format(ending=pack.script.digits(ending)) if ending else spoken(place, language)
