"""SMS: one part whatever the hazard, the place and the channel's abilities; what is asked for; what goes first."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerting.core.context import Context
from alerting.core.messages import render, sms, sms_all_clear, sms_page, sms_update
from alerting.core.model import PlaceText, Purpose
from alerting.core.parts import Alphabet, count
from alerting.core.places import place_text
from devices.model import Channel, Language, Placement
from devices.taxonomy import TAXONOMY
from tests.unit.test_messages_places import (
    BIKE_SHED,
    FLAT,
    LIFT,
    LONG_NAMES,
    SELF_BUILT,
    SHOP,
    TWENTY,
    placed,
)

ZH, EN = Language.ZH_CN, Language.EN
NASTY: tuple[Placement | None, ...] = (None, FLAT, SELF_BUILT, SHOP, BIKE_SHED, LIFT, LONG_NAMES)
AT = datetime(2026, 11, 22, 19, 12, tzinfo=UTC)


def context(code: str = "fire.smoke", placement: Placement | None = FLAT, device: str = "smoke-0123") -> Context:
    return Context(TAXONOMY[code], place_text(placement, device), AT, reference="A7K2Q")


def assert_one_part(text: str, language: Language) -> None:
    measured = count(text)
    assert measured.parts == 1, (measured, text)
    assert measured.alphabet is (Alphabet.UCS2 if language is ZH else Alphabet.GSM7), text


@pytest.mark.parametrize(
    ("code", "placement", "zh", "en"),
    [
        (
            "fire.smoke",
            FLAT,
            "火警：金鼎小区3栋2单元12层1201客厅烟雾报警，03:12。接听来电按1。确认起火拨119。先喊人撤离，勿乘电梯。编号A7K2Q",
            "FIRE at Jinding Garden B3 U2 F12 1201 living: smoke, 03:12."
            " Answer the call, press 1. Call 119 if on fire. Get people out, use no lift. Ref A7K2Q",
        ),
        (
            "charge.overheat",
            BIKE_SHED,
            "充电过温：金鼎小区2号充电棚，03:12。接听来电按1。确认起火拨119。先断电，勿用水扑救。编号A7K2Q",
            "CHARGING OVERHEAT at Jinding Garden shed 2, 03:12."
            " Answer the call, press 1. Call 119 if on fire. Cut the power first, use no water. Ref A7K2Q",
        ),
        (
            "ebike.in_elevator",
            LIFT,
            "电动车进电梯：金鼎小区5号楼东侧电梯，03:12。接听来电按1。劝其推出，勿同乘。编号A7K2Q",
            "E-bike in lift at Jinding Garden B5 east lift, 03:12."
            " Answer the call, press 1. Have it taken out, do not ride along. Ref A7K2Q",
        ),
        (
            "fire.smoke",
            None,
            "火警：未登记位置(设备 smoke-0123)烟雾报警，03:12。"
            "接听来电按1。确认起火拨119。先喊人撤离，勿乘电梯。编号A7K2Q",
            "FIRE at unregistered place, device smoke-0123: smoke, 03:12."
            " Answer the call, press 1. Call 119 if on fire. Get people out, use no lift. Ref A7K2Q",
        ),
    ],
)
def test_pages_read_like_this(code: str, placement: Placement | None, zh: str, en: str) -> None:
    called = replace(context(code, placement), has_voice=True)
    assert sms_page(called, ZH) == zh
    assert sms_page(called, EN) == en


def test_update_and_all_clear_ask_for_nothing() -> None:
    told = replace(context(), who_goes="网格员甲", has_voice=True, two_way=True)
    assert sms_update(told, ZH) == "网格员甲已前往：火警，金鼎小区3栋2单元12层1201客厅，03:12。您无需前往。编号A7K2Q"
    assert sms_all_clear(told, ZH) == "警情解除：火警，金鼎小区3栋2单元12层1201客厅，03:12。无需前往。编号A7K2Q"
    named = replace(told, who_goes="Grid worker A")
    assert sms_update(named, EN) == (
        "Grid worker A is going: fire at Jinding Garden B3 U2 F12 1201 living, 03:12. You need not go. Ref A7K2Q"
    )
    assert sms_all_clear(told, EN) == (
        "ALL CLEAR: fire at Jinding Garden B3 U2 F12 1201 living, 03:12. No need to go. Ref A7K2Q"
    )


def test_a_name_without_latin_letters_and_no_name_at_all() -> None:
    assert sms_update(replace(context(), who_goes="网格员甲"), EN).startswith("A colleague is going:")
    assert sms_update(context(), ZH).startswith("有人员已前往：")


@pytest.mark.parametrize(
    ("two_way", "voice", "app", "zh", "en"),
    [
        (True, True, True, "出发回复1", "Reply 1 if going"),
        (False, True, True, "接听来电按1", "Answer the call, press 1"),
        (False, False, True, "请在更夫应用中确认", "Confirm in the app"),
        (False, False, False, "请立即到场", "Go now"),
    ],
)
def test_only_what_the_channel_can_take_is_asked_for(two_way: bool, voice: bool, app: bool, zh: str, en: str) -> None:
    able = replace(context(), two_way=two_way, has_voice=voice, has_app=app)
    everything = {"出发回复1", "接听来电按1", "请在更夫应用中确认", "请立即到场"}
    assert {ask for ask in everything if ask in sms_page(able, ZH)} == {zh}
    everything_en = {"Reply 1", "press 1", "Confirm in the app", "Go now"}
    assert [ask for ask in everything_en if ask in sms_page(able, EN)] == [ask for ask in everything_en if ask in en]


def test_nobody_is_sent_to_an_unknown_place_or_to_a_flat_battery() -> None:
    assert "请立即核实位置" in sms_page(context(placement=None), ZH)
    assert "Find the place now" in sms_page(context(placement=None), EN)
    assert "请安排检修" in sms_page(context("device.low_battery"), ZH)
    assert "Go now" not in sms_page(context("device.low_battery"), EN)


def test_marks_come_first_and_an_exercise_names_no_emergency_number() -> None:
    drill = replace(context(), drill=True)
    assert sms_page(drill, ZH).startswith("演练，火警：")
    assert sms_page(drill, EN).startswith("DRILL: FIRE at")
    assert sms(context(), ZH, Purpose.DRILL) == sms_page(drill, ZH)
    assert sms(context(), ZH, Purpose.TEST).startswith("测试，火警：")
    for purpose, language in product((Purpose.DRILL, Purpose.TEST), Language):
        assert "119" not in sms(context(), language, purpose)


def test_a_test_bit_outside_test_mode_may_be_real() -> None:
    doubtful = replace(context(), test=True)
    assert sms_page(doubtful, ZH).startswith("疑似测试，火警：")
    assert "确认起火拨119" in sms_page(doubtful, ZH)


def test_spreading_confirmed_late_unrecorded_and_waiting() -> None:
    assert sms_page(replace(context(), spreading=True), ZH).startswith("火警扩大：")
    assert sms_page(replace(context(), confirmed=True), EN).startswith("FIRE CONFIRMED at")
    assert sms_page(replace(context(), late=True), ZH).startswith("延迟上报，火警：")
    assert sms_page(replace(context(), not_recorded=True), ZH).endswith("编号A7K2Q（未记录）")
    assert sms_page(replace(context(), not_recorded=True), EN).endswith("Ref A7K2Q (not recorded)")
    assert "已2分钟无人应答，" in sms_page(replace(context(), unanswered_minutes=2), ZH)
    assert "No answer for 2 min: dial 119." in sms_page(replace(context(), unanswered_minutes=2), EN)


@pytest.mark.parametrize(
    ("timezone", "time"), [("Asia/Shanghai", "03:12"), ("UTC", "19:12"), ("Asia/Kolkata", "00:42")]
)
def test_time_is_local(timezone: str, time: str) -> None:
    assert f"，{time}。" in sms_page(replace(context(), timezone=timezone), ZH)


def test_a_naive_time_is_a_mistake_in_the_program() -> None:
    with pytest.raises(AssertionError):
        sms_page(replace(context(), at=datetime(2026, 11, 22, 19, 12)), ZH)  # noqa: DTZ001 - the point of the test


def test_another_country_has_another_number() -> None:
    assert "Call 112 if on fire" in sms_page(replace(context(), emergency_number="112"), EN)


@pytest.mark.parametrize(
    ("minutes", "order"),
    [
        (0, [(True, False, True, True), (False, False, True, True), (False, False, False, True), (False,) * 4]),
        (2, [(True, True, True, True), (True, True, False, True), (True, True, False, False)]),
    ],
)
def test_what_goes_first_when_room_is_short(minutes: int, order: list[tuple[bool, ...]]) -> None:
    """119 as advice, the sensor, then the front of the place; never its end, the act, the reference, nor, once nobody
    has answered, for how long and that 119 is to be dialled directly."""
    seen = []
    for length in range(0, 60):
        compound = "甲" * length + "小区"
        place = PlaceText(f"{compound}3栋2单元12层1201客厅", "x", "x", "x")
        text = sms_page(replace(context(), place=place, unanswered_minutes=minutes, has_voice=True), ZH)
        assert_one_part(text, ZH)
        assert "3栋2单元12层1201客厅" in text
        assert text.startswith("火警：")
        assert "，03:12。" in text
        assert "接听来电按1" in text
        assert text.endswith("编号A7K2Q")
        seen.append(("119" in text, "分钟" in text, "烟雾" in text, compound in text))
    assert list(dict.fromkeys(seen)) == order


def test_in_vain_for_steps_on_end_the_reader_dials_himself() -> None:
    waiting = replace(context(), unanswered_minutes=3, has_voice=True)
    assert "已3分钟无人应答，请直接拨打119" in sms_page(waiting, ZH)
    assert "No answer for 3 min: dial 119." in sms_page(waiting, EN)
    calm = replace(waiting, hazard=TAXONOMY["water.leak"])
    assert "119" not in sms_page(calm, ZH)
    assert "119" not in sms_page(replace(waiting, drill=True), ZH)


def test_a_name_of_twenty_characters_with_all_levels_stays_whole() -> None:
    for code, has_voice in product(TAXONOMY, (True, False)):
        text = sms_page(replace(context(code, LONG_NAMES), has_voice=has_voice, has_app=True), ZH)
        assert f"{TWENTY}13号楼2单元12层1201客厅" in text


def test_an_unregistered_device_keeps_its_sentence_and_the_ends_of_its_id() -> None:
    text = sms_page(replace(context(placement=None, device="d" * 60 + "0123"), has_voice=True), ZH)
    assert text.startswith("火警：未登记位置(设备 …d")
    assert "0123)，03:12。" in text
    assert_one_part(text, ZH)


def test_an_english_name_is_cut_between_words() -> None:
    long = PlaceText("x", "Upper Jinding Emerald Garden " * 5 + "B3 U2 F12 1201 living", "x", "x")
    text = sms_page(replace(context(), place=long, has_voice=True), EN)
    assert_one_part(text, EN)
    head, _, kept = text.removeprefix("FIRE at ").partition("...")
    assert head == ""
    assert kept.split(" ")[0] in {"Upper", "Jinding", "Emerald", "Garden"}
    assert "B3 U2 F12 1201 living" in kept


def test_every_hazard_ability_mark_and_place_fits_one_part() -> None:
    flags = product((False, True), repeat=5)
    table = product(TAXONOMY, NASTY, flags)
    for code, placement, (two_way, has_voice, has_app, mark, worst) in table:
        full = replace(
            context(code, placement),
            two_way=two_way,
            has_voice=has_voice,
            has_app=has_app,
            drill=mark,
            late=mark,
            spreading=worst,
            not_recorded=worst,
            unanswered_minutes=12 if worst else 0,
        )
        for language in Language:
            text = sms_page(full, language)
            assert_one_part(text, language)
            assert "03:12" in text
            assert "A7K2Q" in text
            assert placement is not FLAT or ("1201客厅" if language is ZH else "1201 living") in text


NAME = st.text(max_size=64)


@given(
    names=st.tuples(NAME, NAME, NAME, NAME, NAME, NAME),
    latin=st.tuples(*[st.text(max_size=32)] * 6),
    who=NAME,
    code=st.sampled_from(sorted(TAXONOMY)),
    purpose=st.sampled_from(Purpose),
    flags=st.tuples(*[st.booleans()] * 8),
    language=st.sampled_from(Language),
)
@example(
    names=("𠮷" * 64,) * 6,
    latin=("€" * 32,) * 6,
    who="𠮷" * 64,
    code="charge.short",
    purpose=Purpose.UPDATE,
    flags=(True,) * 8,
    language=EN,
)
def test_any_names_fit_one_part(
    names: tuple[str, ...],
    latin: tuple[str, ...],
    who: str,
    code: str,
    purpose: Purpose,
    flags: tuple[bool, ...],
    language: Language,
) -> None:
    kinds = ("compound", "building", "unit", "floor", "room", "part")
    placement = placed(*zip(kinds, names, latin, strict=True))
    two_way, has_voice, has_app, spreading, late, test, drill, not_recorded = flags
    full = replace(
        context(code, placement),
        who_goes=who,
        unanswered_minutes=99,
        two_way=two_way,
        has_voice=has_voice,
        has_app=has_app,
        spreading=spreading,
        late=late,
        test=test,
        drill=drill,
        not_recorded=not_recorded,
    )
    text = render(purpose, Channel.SMS, language, full)
    assert_one_part(text, language)
    assert "03:12" in text
    assert "A7K2Q" in text
    assert text == text.strip()
