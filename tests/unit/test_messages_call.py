"""Call script: the place within six seconds, keys as words, nothing asked of people who are only told."""

import json
from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.core.languages import speech_seconds, spoken_within
from alerting.core.messages import call_script, loop_s_max, place_heard_by_s, render
from alerting.core.model import Purpose
from devices.model import Channel, Language
from devices.taxonomy import TAXONOMY
from tests.unit.test_messages_places import BIKE_SHED, FLAT, LONG_NAMES, SELF_BUILT, placed
from tests.unit.test_messages_sms import NASTY, context

ZH, EN = Language.ZH_CN, Language.EN
STOP = {ZH: "。", EN: ". "}


def place_sentence_end(said: str, language: Language, marks: int = 0) -> str:
    """Everything up to the end of the place: the marks, the hazard, the place."""
    return STOP[language].join(said.split(STOP[language])[: marks + 2])


def test_a_flat_on_fire_sounds_like_this() -> None:
    assert json.loads(render(Purpose.PAGE, Channel.VOICE, ZH, context())) == {
        "language": "zh-CN",
        "say": "火警。金鼎小区，三栋，二单元，十二层，幺二零幺，客厅。烟雾报警。",
        "keys": "确认出发请按一，无法前往请按二，重听请按三。",
        "recorded": "已记录，先喊人撤离，勿乘电梯，请注意安全，确认起火立即拨打幺幺九。",
        "declined": "已转派，谢谢。",
        "missed": "未确认，稍后再次呼叫。",
        "wait": "请稍候。",
        "household": False,
    }
    english = call_script(context(), EN)
    assert english.say == ("Fire. Jinding Garden, building B3, unit 2, floor 12, room 1 2 0 1, living. Signal: smoke.")
    assert english.keys == "Press one if you are going, two if you cannot, three to hear it again."
    assert english.recorded == (
        "Recorded. Get people out, use no lift. Take care. If it is on fire, call 1 1 9 at once."
    )


def test_keys_of_the_json_are_the_contract() -> None:
    for purpose, language in product(Purpose, Language):
        script = json.loads(render(purpose, Channel.VOICE, language, context()))
        assert list(script) == ["language", "say", "keys", "recorded", "declined", "missed", "wait", "household"]
        assert script.pop("household") is False
        assert all(isinstance(value, str) and value for value in script.values())


def test_hazard_and_place_are_heard_within_six_seconds() -> None:
    for code, placement, language, drill in product(TAXONOMY, NASTY, Language, (False, True)):
        script = call_script(replace(context(code, placement), drill=drill, spreading=drill), language)
        early = place_sentence_end(script.say, language, marks=int(drill))
        assert speech_seconds(early, language) <= place_heard_by_s + 1e-9, early
        assert speech_seconds(f"{script.say} {script.keys}", language) <= loop_s_max, script.say


def test_the_place_itself_is_what_is_heard_early() -> None:
    early = place_sentence_end(call_script(context(), ZH).say, ZH)
    assert early == "火警。金鼎小区，三栋，二单元，十二层，幺二零幺，客厅"
    early_en = place_sentence_end(call_script(context(), EN).say, EN)
    assert early_en == "Fire. Jinding Garden, building B3, unit 2, floor 12, room 1 2 0 1, living"


def test_a_long_compound_name_is_cut_first_and_said_in_full_later() -> None:
    said = call_script(context(placement=LONG_NAMES), ZH).say
    assert said.startswith("火警。")
    assert "水榭花都，十三号楼，二单元，十二层，幺二零幺，客厅。烟雾报警。完整位置，浉河碧桂园" in said
    english = call_script(context(placement=LONG_NAMES), EN).say
    assert english.startswith("Fire. Country Garden Emerald, building B13, unit 2, floor 12, 1 2 0 1, living room.")
    assert english.endswith("In full: Country Garden Emerald Bay East, building B13, unit 2, floor 12,"
                            " room 1 2 0 1, living room.")  # fmt: skip


@given(
    names=st.lists(st.text(max_size=64), min_size=1, max_size=6),
    latin=st.lists(st.text(max_size=32), min_size=6, max_size=6),
    seconds=st.floats(2.0, 6.0),
    language=st.sampled_from(Language),
)
def test_any_place_is_said_in_time(names: list[str], latin: list[str], seconds: float, language: Language) -> None:
    kinds = ("compound", "building", "unit", "floor", "room", "part")
    place = context(placement=placed(*zip(kinds, names, latin, strict=False))).place
    heard = spoken_within(place, language, seconds)
    assert heard.strip()
    assert speech_seconds(heard, language) <= seconds


def test_drill_starts_with_its_name_and_names_no_emergency_number() -> None:
    drill = call_script(context(), ZH, Purpose.DRILL)
    assert drill.say.startswith("演练。火警。金鼎小区")
    assert drill.recorded == "已记录，这是演练。"
    english = call_script(replace(context(), drill=True), EN)
    assert english.say.startswith("Drill. Fire. Jinding Garden, building B3")
    assert english.recorded == "Recorded. This is a drill."


@pytest.mark.parametrize(
    ("purpose", "zh"), [(Purpose.UPDATE, "网格员甲已前往，您无需前往。"), (Purpose.ALL_CLEAR, "警情已解除，无需前往。")]
)
def test_who_is_only_told_is_offered_no_key_but_hear_again(purpose: Purpose, zh: str) -> None:
    script = call_script(replace(context(), who_goes="网格员甲"), ZH, purpose)
    assert script.say == f"火警。金鼎小区，三栋，二单元，十二层，幺二零幺，客厅。{zh}"
    assert script.keys == "重听请按三。"
    assert "再次呼叫" not in script.missed
    assert "已记录" not in script.recorded


def test_only_what_may_burn_names_the_fire_brigade() -> None:
    assert "幺幺九" in call_script(context("charge.overheat", BIKE_SHED), ZH).recorded
    assert call_script(context("elevator.trapped"), ZH).recorded == "已记录，安抚被困者，勿扒门，请注意安全。"


def test_no_digit_is_left_for_the_voice_to_guess_in_chinese() -> None:
    for code, placement in product(TAXONOMY, (FLAT, SELF_BUILT, None)):
        script = call_script(replace(context(code, placement), unanswered_minutes=2, not_recorded=True), ZH)
        spoken = script.say + script.keys + script.recorded
        assert not any(char in "0123456789" for char in spoken), spoken
        assert "已两分钟无人应答。" in script.say
        assert "本警情尚未记录。" in script.say
