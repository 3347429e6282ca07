"""Every word that a household hears or reads, in zh-CN and en: its call, and the text that says how it ended. Data and
assembly; never a name, never a worker's words, never another flat.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from alerting.core.context import may_burn
from alerting.core.fitting import by_language, fitted
from alerting.core.messages import CallScript
from alerting.core.model import PlaceText
from alerting.core.parts import one_part, speech_seconds, to_gsm7
from alerting.core.places import clean, say_digits_en, say_digits_zh, spoken_within
from alerting.core.words import Piece
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


@dataclass(frozen=True, slots=True)
class _Call:
    """`advice` and `keys` by kind of danger: fire, gas, anything else."""

    say: str
    advice: tuple[str, str, str]
    keys: tuple[str, str, str]
    recorded: str
    declined: str
    missed: str
    wait: str


_CALLS: Mapping[Language, _Call] = {
    Language.ZH_CN: _Call(
        say="社区消防值班系统来电。您登记的住所{place}，{hazard}。{advice}",
        advice=(
            "如已起火，请立即离开，拨打{number}，否则请小心查看。",
            "请勿开关电器，立即到室外，有险情拨打{number}。",
            "如有危险，请立即离开，拨打{number}，否则请小心查看。",
        ),
        keys=(
            "着火或需要帮助请按一，没有着火请按二，重听请按三。",
            "有异味、不适或需要帮助请按一，没有异常请按二，重听请按三。",
            "情况属实或需要帮助请按一，没有异常请按二，重听请按三。",
        ),
        recorded="已通知值班人员。请立即到安全处，拨打{number}。",
        declined="已记录。工作人员仍会上门查看，请配合。",
        missed="未收到按键，工作人员会上门查看。如有危险请拨打{number}。",
        wait="请稍候。",
    ),
    Language.EN: _Call(
        say="Community fire watch. At the home you registered, {place}: {hazard}. {advice}",
        advice=(
            "If it burns, leave now and call {number}. If not, check carefully.",
            "Touch no switch. Go outside. In danger, call {number}.",
            "In danger, leave now and call {number}. If not, check carefully.",
        ),
        keys=(
            "Press one for fire or help, two for no fire, three to hear it again.",
            "Press one for a smell or help, two if all is well, three to hear it again.",
            "Press one for danger or help, two if all is well, three to hear it again.",
        ),
        recorded="The people on duty are told. Go to safety and call {number}.",
        declined="Noted. Somebody will still come and look.",
        missed="No key was pressed. Somebody will come and look. In danger, call {number}.",
        wait="One moment, please.",
    ),
}
_STANDING: Mapping[Language, str] = {
    Language.ZH_CN: "社区消防值班系统来电，您登记的住所有报警。",
    Language.EN: "Community fire watch. There is an alarm at the home you registered.",
}


def call(hazard: Hazard, place: PlaceText, language: Language, emergency_number: str) -> CallScript:
    """Who calls, what the detector says, what to do, what the keys mean: heard within `call_s_max`."""
    words, kind = _CALLS[language], _kind(hazard)
    number = by_language(language, say_digits_zh, say_digits_en)(emergency_number)
    advice, keys = words.advice[kind].format(number=number), words.keys[kind]
    label = by_language(language, hazard.zh, hazard.en)
    bare = words.say.format(place="", hazard=label, advice=advice)
    room = min(place_s_max, call_s_max - speech_seconds(f"{bare} {keys}", language))
    heard = spoken_within(place, language, room)
    return CallScript(
        language=language,
        say=words.say.format(place=heard, hazard=label, advice=advice),
        keys=keys,
        recorded=words.recorded.format(number=number),
        declined=words.declined,
        missed=words.missed.format(number=number),
        wait=words.wait,
        household=True,
    )


def standing_call(language: Language, emergency_number: str = "119") -> CallScript:
    """Words for a household's call whose own script cannot be had just now (the store is slow)."""
    words = _CALLS[language]
    number = by_language(language, say_digits_zh, say_digits_en)(emergency_number)
    return CallScript(
        language=language,
        say=_STANDING[language],
        keys=words.keys[2],
        recorded=words.recorded.format(number=number),
        declined=words.declined,
        missed=words.missed.format(number=number),
        wait=words.wait,
        household=True,
    )


def call_text(script: CallScript) -> str:
    return msgspec.json.encode(script).decode()


def _kind(hazard: Hazard) -> int:
    if may_burn(hazard):
        return 0
    return 1 if hazard.family == "gas" else 2


@dataclass(frozen=True, slots=True)
class _Result:
    told: tuple[Piece, ...]
    asked_by_reply: tuple[Piece, ...]
    asked_by_link: tuple[Piece, ...]
    """A link leaves little room in Chinese: the place gives way."""
    said: Mapping[str, tuple[str, str]]
    """Result -> what it was: where it can burn, elsewhere."""


_TOLD_ZH = (
    Piece("消防值班：", drop=1),
    Piece("您登记的住所", drop=2),
    Piece("{place}"),
    Piece("，{time}{hazard}：{result}。"),
)
_TOLD_EN = (
    Piece("Fire watch: ", drop=1),
    Piece("your home ", drop=2),
    Piece("{place}"),
    Piece(", {time} {hazard}: {result}."),
)
_RESULTS: Mapping[Language, _Result] = {
    Language.ZH_CN: _Result(
        told=_TOLD_ZH,
        asked_by_reply=(*_TOLD_ZH, Piece("满意回复1，不满意回复2。")),
        asked_by_link=(Piece("{place}，", drop=1), Piece("住所{time}{hazard}：{result}。满意吗？{link}")),
        said={
            "real": ("真实火情，已处置", "情况属实，已处置"),
            "false_alarm": ("误报，已解除", "误报，已解除"),
            "device_fault": ("设备故障，将检修", "设备故障，将检修"),
            "test": ("设备测试", "设备测试"),
        },
    ),
    Language.EN: _Result(
        told=_TOLD_EN,
        asked_by_reply=(*_TOLD_EN, Piece(" Satisfied? Reply 1 for yes, 2 for no.")),
        asked_by_link=(*_TOLD_EN, Piece(" Satisfied? {link}")),
        said={
            "real": ("a real fire, dealt with", "it was real and is dealt with"),
            "false_alarm": ("a false alarm, all clear", "a false alarm, all clear"),
            "device_fault": ("a fault of the device, to be repaired", "a fault of the device, to be repaired"),
            "test": ("a test of the device", "a test of the device"),
        },
    ),
}

TELLABLE = frozenset(_RESULTS[Language.ZH_CN].said)
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
    words = _RESULTS[language]
    slots = {
        "place": by_language(language, clean, to_gsm7)(place.of(language)),
        "time": time,
        "hazard": by_language(language, hazard.zh, hazard.en),
        "result": words.said[result][0 if may_burn(hazard) else 1],
        "link": link,
    }
    text = fitted(words.asked_by_link if link else words.asked_by_reply, slots, language, unplaced=False)
    if (link or reply) and one_part(text):
        return text
    return fitted(words.told, slots, language, unplaced=False)
