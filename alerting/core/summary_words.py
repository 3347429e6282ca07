"""Texts of summaries and of the daily digest: an SMS of one part, a call of at most 20 s, an app message. Never sends.

Law: how many, where and the reference are never given up for room; the newest places go first, then the kinds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from alerting.core.context import is_fire, may_burn
from alerting.core.fitting import filled, fitted
from alerting.core.languages import PACKS, label, named, speech_seconds, spoken, spoken_within
from alerting.core.maps import link, point_of, service_for
from alerting.core.messages import ACTIONS, AppMessage, CallScript, local_time, loop_s_max
from alerting.core.model import PlaceText, Purpose
from alerting.core.places import clean
from alerting.core.templates import Wording, variable_chars_max
from alerting.core.wording import notice, said
from devices.model import Channel, Language
from devices.taxonomy import TAXONOMY, SignalClass

newest_shown = 2
newest_in_app = 5
kinds_shown = 3
digest_lines = 20
building_heard_by_s = 6.0
_DETECTED = frozenset({"fire", "gas"})


@dataclass(frozen=True, slots=True)
class Summary:
    """What a summary says. `fresh`: places since the last message; `total`: devices that speak there now."""

    code: str
    """Of the worst of them."""
    severity: int
    building: PlaceText
    fresh: int
    total: int
    kinds: tuple[tuple[str, int], ...]
    """(code, how many places), the most frequent first."""
    newest: tuple[PlaceText, ...]
    """Newest first."""
    reference: str
    incident_id: str
    at: datetime
    timezone: str = "Asia/Shanghai"
    deployment_language: Language = Language.ZH_CN
    two_way: bool = False
    drill: bool = False
    test: bool = False


@dataclass(frozen=True, slots=True)
class DigestLine:
    """One incident that waits for work."""

    code: str
    place: PlaceText
    opened_at: datetime
    reference: str


@dataclass(frozen=True, slots=True)
class Digest:
    """What waits in one grid, or (without a name) everywhere."""

    grid: str
    grid_en: str
    total: int
    kinds: tuple[tuple[str, int], ...]
    """(code, how many): of each kind, the most frequent first."""
    lines: tuple[DigestLine, ...]
    """The worst and oldest first."""
    oldest: datetime
    now: datetime
    incident_id: str
    timezone: str = "Asia/Shanghai"


def render_summary(summary: Summary, channel: Channel, language: Language) -> str:
    """As `messages.render` does: SMS as it is sent, voice and app as JSON."""
    match channel:
        case Channel.SMS:
            return _sms(summary, language)
        case Channel.VOICE:
            return msgspec.json.encode(_call(summary, language)).decode()
        case Channel.APP:
            return msgspec.json.encode(_in_app(summary, language)).decode()


def word_summary(summary: Summary, channel: Channel, language: Language) -> Wording | None:
    """The same for carriers that take registered templates only."""
    pack = PACKS[language]
    words, join = pack.carrier, pack.carrier.join_spoken
    title = words.summary.format(head=head_of(summary, language))
    if channel is Channel.VOICE:
        fresh = _new(summary.fresh, language, pack.script.number(summary.fresh))
        counted = words.summary_spoken.format(total=total_spoken(summary, language), fresh=fresh)
        what = join.join(pack.script.sentence(each) for each in [*_marks(summary, language), title])
        return said("voice_page", what, summary.building, language, [counted])
    if channel is Channel.APP:
        return None
    slots = _slots(summary, language) | {"fresh": str(summary.fresh)}
    shape = words.summary_text if summary.total else words.summary_fresh
    text = shape.format_map(slots)
    if len(text) > variable_chars_max:
        text = words.summary_fresh.format_map(slots)
    title = words.join.join([*_marks(summary, language), title])
    return notice(title, slots["place"], text, summary.at, summary.timezone, language)


def word_digest(digest: Digest, channel: Channel, language: Language) -> Wording | None:
    words = PACKS[language].carrier
    if channel is not Channel.SMS:
        return None
    text = words.digest_text.format(total=digest.total)
    return notice(words.digest, grid_of(digest, language), text, digest.now, digest.timezone, language)


def render_digest(digest: Digest, channel: Channel, language: Language) -> str:
    """SMS and app; nobody is called for a digest."""
    words = PACKS[language].summing
    slots = {
        "place": grid_of(digest, language),
        "total": str(digest.total),
        "kinds": _kinds(digest.kinds, language, kinds_shown),
        "age": _age(digest.now - digest.oldest, language),
    }
    if channel is Channel.SMS:
        return fitted(words.digest, slots, language, False)
    listed = [_line(line, digest, language) for line in digest.lines[:digest_lines]]
    rest = digest.total - len(listed)
    if rest > 0:
        listed.append(words.digest_rest.format(rest=rest))
    worst = TAXONOMY[digest.lines[0].code] if digest.lines else TAXONOMY["device.fault"]
    message = AppMessage(
        title=words.digest_title.format_map(slots),
        body="\n".join([_kinds(digest.kinds, language, len(digest.kinds)), *listed]),
        hazard=worst.code,
        severity=worst.severity,
        place=slots["place"],
        at=local_time(digest.now, digest.timezone).isoformat(timespec="seconds"),
        reference="",
        map_url="",
        incident_id=digest.incident_id,
        purpose=Purpose.DIGEST,
        actions=(),
    )
    return msgspec.json.encode(message).decode()


def _sms(summary: Summary, language: Language) -> str:
    """With as many of the newest places as there is room for."""
    slots = _slots(summary, language)
    for shown in range(newest_shown, 0, -1):
        slots["newest"] = _newest(summary, language, shown)
        text = fitted(PACKS[language].summing.sms, slots, language, False)
        if slots["newest"] in text:
            break
    return text


def _call(summary: Summary, language: Language) -> CallScript:
    pack = PACKS[language]
    speech = pack.words.speech
    number = pack.script.digits("119")
    burns = may_burn(TAXONOMY[summary.code])
    recorded = (speech.recorded_fire if burns else speech.recorded).format(guidance="", number=number)
    return CallScript(
        language=language,
        say=_said(summary, language, speech.keys),
        keys=speech.keys,
        recorded=speech.recorded_drill if summary.drill else recorded,
        declined=speech.declined,
        missed=speech.missed,
        wait=speech.wait,
    )


def _said(summary: Summary, language: Language, keys: str) -> str:
    pack = PACKS[language]
    speech, sentence, script = pack.words.speech, pack.script.sentence, pack.script
    whole = pack.summing.said.format(
        mark="".join(speech.mark.format(mark=sentence(mark)) for mark in _marks(summary, language)),
        head=sentence(head_of(summary, language)),
        place=spoken_within(summary.building, language, building_heard_by_s),
        fresh=_new(summary.fresh, language, script.number(summary.fresh)),
        total=total_spoken(summary, language),
    )
    for place in summary.newest[:1]:
        building, there = spoken(summary.building, language), spoken(place, language)
        newest = script.within_building(there.removeprefix(building)) or there
        more = pack.summing.said_latest.format(newest=newest)
        if speech_seconds(f"{whole}{more} {keys}", language) <= loop_s_max:
            whole += more
    return whole.strip()


def total_spoken(summary: Summary, language: Language) -> str:
    """How many devices speak there now; empty where it is not known."""
    pack = PACKS[language]
    count = pack.script.number(summary.total)
    said = pack.summing.said_total.format(count=count, devices=devices_of(summary, language))
    return said if summary.total else ""


def _in_app(summary: Summary, language: Language) -> AppMessage:
    slots = _slots(summary, language)
    slots["newest"] = _newest(summary, language, newest_in_app)
    slots["kinds"] = _kinds(summary.kinds, language, len(summary.kinds))
    point = point_of(summary.building.lat, summary.building.lon)
    return AppMessage(
        title="".join(text for text, _ in filled(PACKS[language].summing.title, slots)),
        body="".join(text for text, _ in filled(PACKS[language].summing.body, slots)),
        hazard=summary.code,
        severity=summary.severity,
        place=slots["place"],
        at=local_time(summary.at, summary.timezone).isoformat(timespec="seconds"),
        reference=summary.reference,
        map_url=link(service_for(summary.deployment_language), point, slots["place"]) if point else "",
        incident_id=summary.incident_id,
        purpose=Purpose.SUMMARY,
        actions=ACTIONS,
    )


def _slots(summary: Summary, language: Language) -> dict[str, str]:
    pack = PACKS[language]
    words = pack.words
    return {
        "mark": words.mark_end.join([*_marks(summary, language), ""]),
        "head": head_of(summary, language),
        "place": named(summary.building, language),
        "fresh": _new(summary.fresh, language, str(summary.fresh)),
        "devices": devices_of(summary, language),
        "total": str(summary.total) if summary.total else "",
        "kinds": _kinds(summary.kinds, language, kinds_shown),
        "newest": _newest(summary, language, newest_shown),
        "act": words.acts.reply if summary.two_way else "",
        "reference": pack.script.plain(summary.reference),
    }


def head_of(summary: Summary, language: Language) -> str:
    """Which kind of matter, in one word."""
    pack, hazard = PACKS[language], TAXONOMY[summary.code]
    told = label(hazard, language)
    if is_fire(hazard):
        return pack.words.fire
    if hazard.cls is SignalClass.A and pack.words.loud:
        return told.upper() if summary.severity == 1 else told.capitalize()
    if hazard.cls is SignalClass.A:
        return told
    return pack.summing.head_check if hazard.cls is SignalClass.S else pack.summing.head_trouble


def _marks(summary: Summary, language: Language) -> list[str]:
    words = PACKS[language].words
    return [*([words.drill] if summary.drill else []), *([words.maybe_test] if summary.test else [])]


def _kind(summary: Summary) -> int:
    """Which words count them: detectors, devices in alarm, matters, devices in trouble."""
    hazard = TAXONOMY[summary.code]
    if hazard.cls is SignalClass.A:
        return 0 if hazard.family in _DETECTED else 1
    return 2 if hazard.cls is SignalClass.S else 3


def devices_of(summary: Summary, language: Language) -> str:
    words = PACKS[language].summing
    return (words.device if summary.total == 1 else words.devices)[_kind(summary)]


def _kinds(kinds: Sequence[tuple[str, int]], language: Language, most: int) -> str:
    """`烟雾报警32、温度火警2等`: how many of each kind."""
    words = PACKS[language].summing
    counted = [words.kind.format(label=_label(code, language), count=count) for code, count in kinds[:most]]
    return words.separator.join(counted) + (words.more if len(kinds) > most else "")


def _newest(summary: Summary, language: Language, most: int) -> str:
    """The newest places within the building, without its own name."""
    building, inside = named(summary.building, language), []
    for place in summary.newest[:most]:
        whole = named(place, language)
        rest = whole[len(building) :].lstrip(" ,-，") if whole.startswith(building) else whole
        inside.append(rest or whole)
    return PACKS[language].summing.separator.join(dict.fromkeys(inside))


def _new(number: int, language: Language, count: str) -> str:
    words = PACKS[language].summing
    return (words.fresh_one if number == 1 else words.fresh).format(count=count)


def _age(age: timedelta, language: Language) -> str:
    words, hours = PACKS[language].summing, int(age.total_seconds()) // 3600
    if hours >= 48:
        return words.days_ago.format(count=hours // 24)
    return words.hours_ago.format(count=max(1, hours))


def _line(line: DigestLine, digest: Digest, language: Language) -> str:
    return PACKS[language].summing.digest_line.format(
        label=_label(line.code, language),
        place=PACKS[language].script.name(line.place),
        age=_age(digest.now - line.opened_at, language),
        reference=line.reference,
    )


def grid_of(digest: Digest, language: Language) -> str:
    """The grid's name as this script can print it."""
    pack = PACKS[language]
    if not digest.grid:
        return pack.summing.everywhere
    names = (digest.grid_en, digest.grid) if pack.script.latin_names else (digest.grid,)
    return next(filter(None, (pack.script.plain(clean(name)) for name in names)), pack.summing.grid)


def _label(code: str, language: Language) -> str:
    return label(TAXONOMY[code], language)
