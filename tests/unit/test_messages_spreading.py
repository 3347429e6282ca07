"""Texts about a fire that grows: where it spread to, where it began, confirmed, still charging; one part, always."""

from dataclasses import replace
from itertools import product

import pytest

from alerting.core.context import Context
from alerting.core.keys import FOLDED_BY_BUILDING
from alerting.core.languages import speech_seconds
from alerting.core.messages import app_message, call_script, loop_s_max, render, sms_page
from alerting.core.model import PlaceText, Purpose
from alerting.core.places import apart, place_text
from devices.model import Channel, Language, Placement
from devices.taxonomy import TAXONOMY
from tests.unit.test_messages_places import BIKE_SHED, FLAT, LONG_NAMES, SHOP, placed
from tests.unit.test_messages_sms import NASTY, assert_one_part, context

ZH, EN = Language.ZH_CN, Language.EN
UPSTAIRS = placed(
    ("compound", "金鼎小区", "Jinding Garden"),
    ("building", "3栋", "B3"),
    ("unit", "2单元", "U2"),
    ("floor", "13层", "F13"),
    ("room", "1301", "1301"),
)


def grown(place: Placement | None = UPSTAIRS, first: Placement | None = FLAT, **changes: object) -> Context:
    """The page about `place`, which spread from `first`."""
    began, _ = apart(place_text(first, "x"), place) if place else (None, None)
    base = replace(context(placement=place), spreading=True, first_out=began, has_voice=True)
    return replace(base, **changes)  # type: ignore[arg-type]


def test_pages_read_like_this() -> None:
    assert sms_page(grown(), ZH) == (
        "火警扩大：金鼎小区3栋2单元13层1301烟雾报警，首发12层1201客厅，03:12。接听来电按1。确认起火拨119。编号A7K2Q"
    )
    assert sms_page(grown(), EN) == (
        "FIRE SPREADING at Jinding Garden B3 U2 F13 1301: smoke, first: F12 1201 living, 03:12."
        " Answer the call, press 1. Call 119 if on fire. Ref A7K2Q"
    )
    later = replace(context(), spreading=True, spread_to=PlaceText("13层1301", "F13 1301", "十三层，幺三零幺", "x"))
    assert sms_page(later, ZH).startswith("火警扩大：金鼎小区3栋2单元12层1201客厅烟雾报警，扩大：13层1301，03:12。")
    assert "B3 U2 F12 1201 living: smoke, spreading: F13 1301, 03:12." in sms_page(later, EN)


def test_confirmed_and_spreading_are_both_said() -> None:
    assert sms_page(grown(confirmed=True), ZH).startswith("火警已确认并扩大：")
    assert sms_page(grown(confirmed=True), EN).startswith("FIRE CONFIRMED/SPREADING at ")
    assert sms_page(grown(spreading=False, first_out=None, confirmed=True), ZH).startswith("火警已确认：")


def test_app_and_call_name_it_too() -> None:
    shown = app_message(grown(), ZH)
    assert shown.title == "火警扩大：金鼎小区3栋2单元13层1301"
    assert "首发12层1201客厅，" in shown.body
    assert "first: F12 1201 living, " in app_message(grown(), EN).body
    assert "首发十二层幺二零幺客厅。" in call_script(grown(), ZH).say
    assert "First: floor 12, room 1 2 0 1, living." in call_script(grown(), EN).say


def test_still_charging_is_said_on_every_channel() -> None:
    hot = replace(context("charge.overheat", BIKE_SHED), still_charging=True, has_voice=True)
    assert "03:12。仍在充电，接听来电按1" in sms_page(hot, ZH)
    assert "03:12. Still charging. Answer the call" in sms_page(hot, EN)
    assert "仍在充电。" in app_message(hot, ZH).body
    assert "仍在充电。" in call_script(hot, ZH).say
    assert "Still charging." in call_script(hot, EN).say
    assert "仍在充电" not in sms_page(replace(hot, power_cut=True), ZH)


@pytest.mark.parametrize(
    ("first", "place", "zh", "en"),
    [
        (FLAT, UPSTAIRS, ("12层1201客厅", "13层1301"), ("F12 1201 living", "F13 1301")),
        (UPSTAIRS, FLAT, ("13层1301", "12层1201客厅"), ("F13 1301", "F12 1201 living")),
        (FLAT, FLAT, (None, None), (None, None)),
        (placed(("compound", "金鼎小区", "Jinding Garden")), FLAT, ("金鼎小区", "金鼎小区3栋2单元12层1201客厅"), None),
    ],
)
def test_two_places_as_each_sees_the_other(
    first: Placement, place: Placement, zh: tuple[str | None, str | None], en: tuple[str | None, str | None] | None
) -> None:
    began, now = apart(place_text(first, "x"), place)
    assert (began and began.zh, now and now.zh) == zh
    assert en is None or (began and began.en, now and now.en) == en


def test_every_hazard_and_place_fits_one_part_and_one_round_of_a_call() -> None:
    flags = product((False, True), repeat=4)
    firsts = (FLAT, SHOP, BIKE_SHED, LONG_NAMES)
    for code, place, first, (app, mark, worst, confirmed) in product(TAXONOMY, NASTY, firsts, flags):
        full = replace(
            grown(place, first),
            hazard=TAXONOMY[code],
            confirmed=confirmed and TAXONOMY[code].family in FOLDED_BY_BUILDING,  # no other kind spreads
            still_charging=confirmed,
            has_voice=not app,
            has_app=app,
            late=mark,
            drill=mark,
            not_recorded=worst,
            unanswered_minutes=12 if worst else 0,
        )
        for language in Language:
            text = sms_page(full, language)
            assert_one_part(text, language)
            assert "03:12" in text
            assert "A7K2Q" in text


def test_a_name_of_twenty_characters_leaves_room_for_the_floor_where_it_began() -> None:
    text = sms_page(grown(LONG_NAMES, first=FLAT, first_out=PlaceText("12层1201", "F12 1201", "x", "x")), ZH)
    assert "，首发12层，" in text
    assert_one_part(text, ZH)


def test_the_aside_never_makes_a_call_too_long() -> None:
    for language in Language:
        for first in (FLAT, LONG_NAMES, SHOP):
            script = call_script(grown(UPSTAIRS, first, confirmed=True), language)
            assert speech_seconds(f"{script.say} {script.keys}", language) <= loop_s_max


@pytest.mark.parametrize("purpose", [Purpose.UPDATE, Purpose.ALL_CLEAR])
@pytest.mark.parametrize("channel", list(Channel))
def test_who_need_not_go_is_not_told_where_it_began(purpose: Purpose, channel: Channel) -> None:
    assert "首发" not in render(purpose, channel, ZH, grown())
