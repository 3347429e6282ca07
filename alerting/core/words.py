"""Every word that leaves for a phone, in zh-CN and en, as data. Never assembles or measures: `messages` does.

A `Piece` is printed when all its slots have something to say. Pieces with a `drop` rank are left out, lowest first,
when an SMS is too long. English words are GSM-7 only. Order: what, where, sensed by, time, act, reference.
"""

from dataclasses import dataclass

from devices.model import Language
from devices.taxonomy import SignalClass


@dataclass(frozen=True, slots=True)
class Piece:
    template: str
    """`str.format` slots: head, place, sensor, time, minutes or waited, direct, act, advice, reference, unrecorded,
    who, hazard, household, power, live, mark."""
    drop: int = 0
    """0 stays; 1 is the first to go."""


@dataclass(frozen=True, slots=True)
class Acts:
    """What a text may ask for, by what its channel can take."""

    reply: str
    call: str
    app: str
    go: dict[SignalClass, str]
    """No way to answer at all."""
    find: str
    """The same, where nobody knows the place."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Spoken sentences. Digits are words here: a voice reads `119` as a number."""

    mark: str
    head: str
    place: str
    place_in_full: str
    """After a place that had to be cut to be heard in time."""
    sensor: str
    minutes: str
    direct: str
    household: str
    power: str
    live: str
    command: str
    update: str
    all_clear: str
    unrecorded: str
    keys: str
    keys_told: str
    """Where nobody is asked to go."""
    recorded: str
    recorded_fire: str
    recorded_drill: str
    recorded_told: str
    declined: str
    declined_told: str
    missed: str
    missed_told: str
    wait: str


@dataclass(frozen=True, slots=True)
class Words:
    fire: str
    """Headline of every fire; other hazards carry their own label."""
    fire_within: str
    """The same inside a sentence."""
    loud: bool
    """Headlines of severity 1 in capitals."""
    confirmed: str
    spreading: str
    confirmed_spreading: str
    first_out: str
    """Where it began; `spread_to`: where it is now as well."""
    spread_to: str
    still_charging: str
    drill: str
    test: str
    maybe_test: str
    """The device set its test bit outside test mode: it may be real, so nobody may read this as "ignore it"."""
    late: str
    mark_end: str
    unrecorded: str
    somebody: str
    advice: str
    advice_app: str
    direct: str
    """In vain for steps on end: whoever reads this dials himself. Never given up for room."""
    household_confirms: tuple[str, str]
    """What the household said, where it can burn and elsewhere."""
    household_denies: tuple[str, str]
    power_cut: str
    """A device has cut the power. Said where there is room."""
    power_live: str
    """It was to, and did not: somebody cuts it by hand."""
    app_ask: str
    """What the two buttons of the app answer."""
    acts: Acts
    page: tuple[Piece, ...]
    update: tuple[Piece, ...]
    all_clear: tuple[Piece, ...]
    command: tuple[Piece, ...]
    """The power was not cut."""
    app_title: tuple[Piece, ...]
    app_page: tuple[Piece, ...]
    app_update: tuple[Piece, ...]
    app_all_clear: tuple[Piece, ...]
    app_command: tuple[Piece, ...]
    ellipsis: str
    speech: Speech


_ZH = Words(
    fire="火警",
    fire_within="火警",
    loud=False,
    confirmed="{head}已确认",
    spreading="{head}扩大",
    confirmed_spreading="{head}已确认并扩大",
    first_out="首发{place}",
    spread_to="扩大：{place}",
    still_charging="仍在充电",
    drill="演练",
    test="测试",
    maybe_test="疑似测试",
    late="延迟上报",
    mark_end="，",
    unrecorded="未记录",
    somebody="有人员",
    advice="确认起火拨{number}",
    advice_app="确认起火立即拨打{number}。",
    direct="请直接拨打{number}",
    household_confirms=("住户确认起火或求助", "住户确认险情或求助"),
    household_denies=("住户称未着火", "住户称无异常"),
    power_cut="已远程断电",
    power_live="断电未成功，请手动断电",
    app_ask="请确认是否前往",
    acts=Acts(
        reply="出发回复1",
        call="接听来电按1",
        app="请在更夫应用中确认",
        go={
            SignalClass.A: "请立即到场",
            SignalClass.S: "请到场查看",
            SignalClass.T: "请安排检修",
            SignalClass.I: "请知悉",
        },
        find="请立即核实位置",
    ),
    page=(
        Piece("{mark}{head}："),
        Piece("{place}"),
        Piece("{sensor}", drop=4),
        Piece("，{aside}", drop=8),
        Piece("{aside_rest}", drop=4),
        Piece("，{time}。"),
        Piece("{charging}，", drop=7),
        Piece("{live}，", drop=6),
        Piece("{power}，", drop=1),
        Piece("{household}，", drop=5),
        Piece("已{waited}分钟无人应答，{direct}，"),
        Piece("已{minutes}分钟无人应答，", drop=3),
        Piece("{act}"),
        Piece("。{advice}", drop=2),
        Piece("。编号{reference}"),
        Piece("（{unrecorded}）"),
    ),
    update=(
        Piece("{mark}{who}已前往：{hazard}，"),
        Piece("{place}"),
        Piece("，{time}"),
        Piece("。{live}", drop=3),
        Piece("。{power}", drop=1),
        Piece("。您无需前往", drop=2),
        Piece("。编号{reference}"),
        Piece("（{unrecorded}）"),
    ),
    all_clear=(
        Piece("{mark}警情解除：{hazard}，"),
        Piece("{place}"),
        Piece("，{time}"),
        Piece("。无需前往", drop=2),
        Piece("。编号{reference}"),
        Piece("（{unrecorded}）"),
    ),
    command=(
        Piece("{mark}断电未成功，请到场手动断电："),
        Piece("{place}"),
        Piece("，{time}"),
        Piece("。编号{reference}"),
        Piece("（{unrecorded}）"),
    ),
    app_title=(Piece("{mark}{head}："), Piece("{place}")),
    app_page=(
        Piece("{sensor}，"),
        Piece("{aside_whole}，"),
        Piece("{time}。"),
        Piece("{charging}。"),
        Piece("{live}。"),
        Piece("{power}。"),
        Piece("{household}。"),
        Piece("已{waited}分钟无人应答，{direct}。"),
        Piece("已{minutes}分钟无人应答。"),
        Piece("{act}。"),
        Piece("{advice}"),
        Piece("编号{reference}"),
        Piece("（{unrecorded}）"),
    ),
    app_update=(
        Piece("{who}已前往。"),
        Piece("{live}。"),
        Piece("{power}。"),
        Piece("警情时间{time}，您无需前往。"),
        Piece("编号{reference}"),
    ),
    app_all_clear=(Piece("警情已解除。"), Piece("警情时间{time}，无需前往。"), Piece("编号{reference}")),
    app_command=(Piece("断电未成功，请到场手动断电。"), Piece("警情时间{time}。"), Piece("编号{reference}")),
    ellipsis="…",
    speech=Speech(
        mark="{mark}。",
        head="{head}。",
        place="{place}。",
        place_in_full="完整位置，{place}。",
        sensor="{sensor}。",
        minutes="已{minutes}分钟无人应答。",
        direct="请直接拨打{number}。",
        household="{household}。",
        power="{power}。",
        live="{live}。",
        command="断电未成功，请到场手动断电。",
        update="{who}已前往，您无需前往。",
        all_clear="警情已解除，无需前往。",
        unrecorded="本警情尚未记录。",
        keys="确认出发请按一，无法前往请按二，重听请按三。",
        keys_told="重听请按三。",
        recorded="已记录，请注意安全。",
        recorded_fire="已记录，请注意安全，确认起火立即拨打{number}。",
        recorded_drill="已记录，这是演练。",
        recorded_told="无需前往，谢谢。",
        declined="已转派，谢谢。",
        declined_told="无需前往，谢谢。",
        missed="未确认，稍后再次呼叫。",
        missed_told="通知完毕，再见。",
        wait="请稍候。",
    ),
)

_EN = Words(
    fire="FIRE",
    fire_within="fire",
    loud=True,
    confirmed="{head} CONFIRMED",
    spreading="{head} SPREADING",
    confirmed_spreading="{head} CONFIRMED/SPREADING",
    first_out="first: {place}",
    spread_to="spreading: {place}",
    still_charging="Still charging",
    drill="DRILL",
    test="TEST",
    maybe_test="MAYBE A TEST",
    late="LATE SIGNAL",
    mark_end=": ",
    unrecorded="not recorded",
    somebody="A colleague",
    advice="Call {number} if on fire",
    advice_app="Call {number} at once if it is on fire.",
    direct="dial {number}",
    household_confirms=("Household confirms fire or asks for help", "Household confirms or asks for help"),
    household_denies=("Household says no fire", "Household says all is well"),
    power_cut="Power cut remotely",
    power_live="Power NOT cut: cut it by hand",
    app_ask="Please confirm whether you are going",
    acts=Acts(
        reply="Reply 1 if going",
        call="Answer the call, press 1",
        app="Confirm in the app",
        go={
            SignalClass.A: "Go now",
            SignalClass.S: "Please go and check",
            SignalClass.T: "Please arrange a repair",
            SignalClass.I: "For your information",
        },
        find="Find the place now",
    ),
    page=(
        Piece("{mark}{head} at "),
        Piece("{place}"),
        Piece(": {sensor}", drop=4),
        Piece(", {aside}", drop=8),
        Piece("{aside_rest}", drop=4),
        Piece(", {time}."),
        Piece(" {charging}.", drop=7),
        Piece(" {live}.", drop=6),
        Piece(" {power}.", drop=1),
        Piece(" {household}.", drop=5),
        Piece(" No answer for {waited} min: {direct}."),
        Piece(" No answer for {minutes} min.", drop=3),
        Piece(" {act}."),
        Piece(" {advice}.", drop=2),
        Piece(" Ref {reference}"),
        Piece(" ({unrecorded})"),
    ),
    update=(
        Piece("{mark}{who} is going: {hazard} at "),
        Piece("{place}"),
        Piece(", {time}."),
        Piece(" {live}.", drop=3),
        Piece(" {power}.", drop=1),
        Piece(" You need not go.", drop=2),
        Piece(" Ref {reference}"),
        Piece(" ({unrecorded})"),
    ),
    all_clear=(
        Piece("{mark}ALL CLEAR: {hazard} at "),
        Piece("{place}"),
        Piece(", {time}."),
        Piece(" No need to go.", drop=2),
        Piece(" Ref {reference}"),
        Piece(" ({unrecorded})"),
    ),
    command=(
        Piece("{mark}Power NOT cut: cut it by hand at "),
        Piece("{place}"),
        Piece(", {time}."),
        Piece(" Ref {reference}"),
        Piece(" ({unrecorded})"),
    ),
    app_title=(Piece("{mark}{head} at "), Piece("{place}")),
    app_page=(
        Piece("Signal: {sensor}, "),
        Piece("{aside_whole}, "),
        Piece("{time}."),
        Piece(" {charging}."),
        Piece(" {live}."),
        Piece(" {power}."),
        Piece(" {household}."),
        Piece(" No answer for {waited} min: {direct}."),
        Piece(" No answer for {minutes} min."),
        Piece(" {act}."),
        Piece(" {advice}"),
        Piece(" Ref {reference}"),
        Piece(" ({unrecorded})"),
    ),
    app_update=(
        Piece("{who} is going."),
        Piece(" {live}."),
        Piece(" {power}."),
        Piece(" Alarm of {time}; you need not go."),
        Piece(" Ref {reference}"),
    ),
    app_all_clear=(Piece("All clear."), Piece(" Alarm of {time}; no need to go."), Piece(" Ref {reference}")),
    app_command=(
        Piece("Power NOT cut: cut it by hand."),
        Piece(" Alarm of {time}."),
        Piece(" Ref {reference}"),
    ),
    ellipsis="...",
    speech=Speech(
        mark="{mark}. ",
        head="{head}. ",
        place="{place}. ",
        place_in_full="In full: {place}. ",
        sensor="Signal: {sensor}. ",
        minutes="No answer for {minutes} minutes. ",
        direct="Dial {number} yourself. ",
        household="{household}. ",
        power="{power}. ",
        live="{live}. ",
        command="The power was not cut. Cut it by hand. ",
        update="{who} is going. You need not go. ",
        all_clear="All clear. No need to go. ",
        unrecorded="This alarm is not recorded yet. ",
        keys="Press one if you are going, two if you cannot, three to hear it again.",
        keys_told="Press three to hear it again.",
        recorded="Recorded. Take care.",
        recorded_fire="Recorded. Take care. If it is on fire, call {number} at once.",
        recorded_drill="Recorded. This is a drill.",
        recorded_told="No need to go. Thank you.",
        declined="Passed on to the next person. Thank you.",
        declined_told="No need to go. Thank you.",
        missed="Not confirmed. We will call again.",
        missed_told="End of message. Goodbye.",
        wait="One moment, please.",
    ),
)

CATALOGUE: dict[Language, Words] = {Language.ZH_CN: _ZH, Language.EN: _EN}
