"""Texts of summaries and of the daily digest: an SMS of one part, a call of at most 20 s, an app message. Never sends.

Law: how many, where and the reference are never given up for room; the newest places go first, then the kinds.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from alerting.core.fitting import by_language, filled, fitted
from alerting.core.maps import link, point_of, service_for
from alerting.core.messages import ACTIONS, AppMessage, CallScript, local_time, loop_s_max
from alerting.core.model import PlaceText, Purpose
from alerting.core.parts import speech_seconds, to_gsm7
from alerting.core.places import clean, say_digits_en, say_digits_zh, say_zh, spoken_within
from alerting.core.words import CATALOGUE, Piece
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


_SUMMARY = {
    Language.ZH_CN: (
        Piece("{mark}{head}汇总："),
        Piece("{place}"),
        Piece("现有{total}{devices}，"),
        Piece("新增{fresh}处"),
        Piece("：{kinds}", drop=2),
        Piece("。最新{newest}", drop=1),
        Piece("。{act}", drop=3),
        Piece("。编号{reference}"),
    ),
    Language.EN: (
        Piece("{mark}{head} SUMMARY: "),
        Piece("{place}: "),
        Piece("{total} {devices}, "),
        Piece("{fresh}"),
        Piece(": {kinds}", drop=2),
        Piece(". Latest: {newest}", drop=1),
        Piece(". {act}", drop=3),
        Piece(". Ref {reference}"),
    ),
}
_SUMMARY_TITLE = {
    Language.ZH_CN: (Piece("{mark}{head}汇总："), Piece("{place}")),
    Language.EN: (Piece("{mark}{head} summary: "), Piece("{place}")),
}
_SUMMARY_BODY = {
    Language.ZH_CN: (
        Piece("现有{total}{devices}，"),
        Piece("新增{fresh}处"),
        Piece("：{kinds}"),
        Piece("。最新：{newest}"),
        Piece("。编号{reference}"),
    ),
    Language.EN: (
        Piece("{total} {devices}, "),
        Piece("{fresh}"),
        Piece(": {kinds}"),
        Piece(". Latest: {newest}"),
        Piece(". Ref {reference}"),
    ),
}
_SAID = {
    Language.ZH_CN: ("{mark}{head}汇总。{place}。{total}新增{fresh}处。", "最新位置，{newest}。"),
    Language.EN: ("{mark}{head} summary. {place}. {total}{fresh}. ", "Latest: {newest}. "),
}
_DEVICES = {
    Language.ZH_CN: ("个探测器报警", "个设备报警", "处异常", "台设备故障"),
    Language.EN: ("detectors in alarm", "devices in alarm", "matters to check", "devices in trouble"),
}
_ONE = {
    Language.ZH_CN: _DEVICES[Language.ZH_CN],
    Language.EN: ("detector in alarm", "device in alarm", "matter to check", "device in trouble"),
}
_DIGEST = {
    Language.ZH_CN: (
        Piece("更夫日报："),
        Piece("{place}"),
        Piece("待办{total}项"),
        Piece("：{kinds}", drop=1),
        Piece("，最早{age}", drop=2),
        Piece("。请在更夫应用查看"),
    ),
    Language.EN: (
        Piece("Gengfu daily: "),
        Piece("{place}: "),
        Piece("{total} to do"),
        Piece(": {kinds}", drop=1),
        Piece(", oldest {age}", drop=2),
        Piece(". See the app."),
    ),
}
_EVERYWHERE = ("全部网格", "all grids")
_SEPARATOR = {Language.ZH_CN: "、", Language.EN: ", "}


def render_summary(summary: Summary, channel: Channel, language: Language) -> str:
    """As `messages.render` does: SMS as it is sent, voice and app as JSON."""
    match channel:
        case Channel.SMS:
            return _sms(summary, language)
        case Channel.VOICE:
            return msgspec.json.encode(_call(summary, language)).decode()
        case Channel.APP:
            return msgspec.json.encode(_in_app(summary, language)).decode()


def render_digest(digest: Digest, channel: Channel, language: Language) -> str:
    """SMS and app; nobody is called for a digest."""
    slots = {
        "place": _grid(digest, language),
        "total": str(digest.total),
        "kinds": _kinds(digest.kinds, language, kinds_shown),
        "age": _age(digest.now - digest.oldest, language),
    }
    if channel is Channel.SMS:
        return fitted(_DIGEST[language], slots, language, False)
    listed = [_line(line, digest, language) for line in digest.lines[:digest_lines]]
    rest = digest.total - len(listed)
    if rest > 0:
        listed.append(by_language(language, f"另有{rest}项，见工单列表", f"and {rest} more in the list of work orders"))
    worst = TAXONOMY[digest.lines[0].code] if digest.lines else TAXONOMY["device.fault"]
    message = AppMessage(
        title=by_language(language, f"更夫日报：{slots['place']}待办", f"Gengfu daily: {slots['place']}, to do")
        + by_language(language, f"{digest.total}项", f" {digest.total}"),
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
        text = fitted(_SUMMARY[language], slots, language, False)
        if slots["newest"] in text:
            break
    return text


def _call(summary: Summary, language: Language) -> CallScript:
    speech = CATALOGUE[language].speech
    hazard = TAXONOMY[summary.code]
    burns = hazard.cls is SignalClass.A and hazard.family in ("fire", "charge", "electric")
    number = by_language(language, say_digits_zh, say_digits_en)("119")
    recorded = speech.recorded_fire.format(number=number) if burns else speech.recorded
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
    speech = CATALOGUE[language].speech
    first, latest = _SAID[language]
    total = ""
    if summary.total:
        said = _count(summary.total, language)
        devices = _devices(summary, language)
        total = by_language(language, f"现有{said}{devices}，", f"{said} {devices}, ")
    said = first.format(
        mark="".join(speech.mark.format(mark=mark.capitalize()) for mark in _marks(summary, language)),
        head=by_language(language, _head(summary, language), _head(summary, language).capitalize()),
        place=spoken_within(summary.building, language, building_heard_by_s),
        fresh=_new(summary.fresh, language) if language is Language.EN else _count(summary.fresh, language),
        total=total,
    )
    for place in summary.newest[:1]:
        building = by_language(language, summary.building.spoken_zh, summary.building.spoken_en)
        spoken = by_language(language, place.spoken_zh, place.spoken_en)
        more = latest.format(newest=spoken.removeprefix(building).lstrip("，, ") or spoken)
        if speech_seconds(f"{said}{more} {keys}", language) <= loop_s_max:
            said += more
    return said.strip()


def _in_app(summary: Summary, language: Language) -> AppMessage:
    slots = _slots(summary, language)
    slots["newest"] = _newest(summary, language, newest_in_app)
    slots["kinds"] = _kinds(summary.kinds, language, len(summary.kinds))
    point = point_of(summary.building.lat, summary.building.lon)
    return AppMessage(
        title="".join(text for text, _ in filled(_SUMMARY_TITLE[language], slots)),
        body="".join(text for text, _ in filled(_SUMMARY_BODY[language], slots)),
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
    words = CATALOGUE[language]
    plain = by_language(language, clean, to_gsm7)
    return {
        "mark": words.mark_end.join([*_marks(summary, language), ""]),
        "head": _head(summary, language),
        "place": plain(summary.building.of(language)),
        "fresh": _new(summary.fresh, language),
        "devices": _devices(summary, language),
        "total": str(summary.total) if summary.total else "",
        "kinds": _kinds(summary.kinds, language, kinds_shown),
        "newest": _newest(summary, language, newest_shown),
        "act": words.acts.reply if summary.two_way else "",
        "reference": plain(summary.reference),
    }


def _head(summary: Summary, language: Language) -> str:
    words, hazard = CATALOGUE[language], TAXONOMY[summary.code]
    if hazard.family == "fire" or hazard.code == "charge.smoke":
        return words.fire
    if hazard.cls is SignalClass.A:
        return by_language(language, hazard.zh, hazard.en.upper() if summary.severity == 1 else hazard.en.capitalize())
    if hazard.cls is SignalClass.S:
        return by_language(language, "监管", "Check")
    return by_language(language, "故障", "Trouble")


def _marks(summary: Summary, language: Language) -> list[str]:
    words = CATALOGUE[language]
    return [*([words.drill] if summary.drill else []), *([words.maybe_test] if summary.test else [])]


def _kind(summary: Summary) -> int:
    """Which words count them: detectors, devices in alarm, matters, devices in trouble."""
    hazard = TAXONOMY[summary.code]
    if hazard.cls is SignalClass.A:
        return 0 if hazard.family in _DETECTED else 1
    return 2 if hazard.cls is SignalClass.S else 3


def _devices(summary: Summary, language: Language) -> str:
    return (_ONE if summary.total == 1 else _DEVICES)[language][_kind(summary)]


def _kinds(kinds: Sequence[tuple[str, int]], language: Language, most: int) -> str:
    """`烟雾报警32、温度火警2等`: how many of each kind."""
    named = [f"{_label(code, language)}{by_language(language, '', ' ')}{count}" for code, count in kinds[:most]]
    more = by_language(language, "等", " ...") if len(kinds) > most else ""
    return _SEPARATOR[language].join(named) + more


def _newest(summary: Summary, language: Language, most: int) -> str:
    """The newest places within the building, without its own name."""
    building = summary.building.of(language)
    plain = by_language(language, clean, to_gsm7)
    inside = []
    for place in summary.newest[:most]:
        whole = place.of(language)
        rest = whole[len(building) :].lstrip(" ,-，") if whole.startswith(building) else whole
        inside.append(plain(rest or whole))
    return _SEPARATOR[language].join(dict.fromkeys(inside))


def _count(number: int, language: Language) -> str:
    """Spoken: 两个, 三十四个; beyond two digits as a number, which a voice reads right before 个."""
    if language is Language.EN:
        return str(number)
    if number == 2:
        return "两"
    return say_zh(str(number)) if number < 100 else str(number)


def _new(number: int, language: Language) -> str:
    return by_language(language, str(number), f"{number} new place{'' if number == 1 else 's'}")


def _age(age: timedelta, language: Language) -> str:
    hours = int(age.total_seconds()) // 3600
    if hours >= 48:
        return by_language(language, f"{hours // 24}天前", f"{hours // 24} days ago")
    return by_language(language, f"{max(1, hours)}小时前", f"{max(1, hours)} h ago")


def _line(line: DigestLine, digest: Digest, language: Language) -> str:
    place = by_language(language, line.place.zh, line.place.en)
    age = _age(digest.now - line.opened_at, language)
    return by_language(
        language,
        f"{_label(line.code, language)}：{place}，{age}，编号{line.reference}",
        f"{_label(line.code, language)}: {place}, {age}, ref {line.reference}",
    )


def _grid(digest: Digest, language: Language) -> str:
    if not digest.grid:
        return by_language(language, *_EVERYWHERE)
    return by_language(language, clean(digest.grid), to_gsm7(clean(digest.grid_en)) or to_gsm7(digest.grid) or "grid")


def _label(code: str, language: Language) -> str:
    hazard = TAXONOMY[code]
    return by_language(language, hazard.zh, hazard.en)
