"""App message: title and body, local time, the map link of the deployment, buttons only for who is asked."""

import json
from dataclasses import replace

import pytest

from alerting.core.messages import app_message, render
from alerting.core.model import PlaceText, Purpose
from devices.model import Channel, Language
from tests.unit.test_messages_places import FLAT
from tests.unit.test_messages_sms import context

ZH, EN = Language.ZH_CN, Language.EN
AT_POINT = PlaceText("金鼎小区3栋", "Jinding Garden B3", "x", "x", lat=32.1285, lon=114.0412)


def test_a_flat_on_fire_looks_like_this() -> None:
    page = replace(context(), place=AT_POINT, incident_id="i-1")
    assert json.loads(render(Purpose.PAGE, Channel.APP, ZH, page)) == {
        "title": "火警：金鼎小区3栋",
        "body": "烟雾报警，03:12。请确认是否前往。确认起火立即拨打119。先喊人撤离，勿乘电梯。编号A7K2Q",
        "hazard": "fire.smoke",
        "severity": 1,
        "place": "金鼎小区3栋",
        "at": "2026-11-23T03:12:00+08:00",
        "reference": "A7K2Q",
        "map_url": "https://uri.amap.com/marker?position=114.0412,32.1285"
        "&name=%E9%87%91%E9%BC%8E%E5%B0%8F%E5%8C%BA3%E6%A0%8B&coordinate=wgs84&callnative=1&src=gengfu",
        "incident_id": "i-1",
        "purpose": "page",
        "actions": ["accept", "decline"],
        "answer_url": "",
    }


def test_english_words_in_a_chinese_deployment_still_open_amap() -> None:
    message = app_message(replace(context(), place=AT_POINT), EN)
    assert message.title == "FIRE at Jinding Garden B3"
    assert message.body == (
        "Signal: smoke, 03:12. Please confirm whether you are going. Call 119 at once if it is on fire."
        " Get people out, use no lift. Ref A7K2Q"
    )
    assert message.map_url.startswith("https://uri.amap.com/marker?position=114.0412,32.1285&")


def test_elsewhere_the_phone_chooses_its_map() -> None:
    message = app_message(replace(context(), place=AT_POINT, deployment_language=EN), EN)
    assert message.map_url == "geo:32.1285,114.0412?q=32.1285,114.0412(Jinding%20Garden%20B3)"


@pytest.mark.parametrize("lat", [None, 114.0, float("nan")])
def test_no_point_no_link_and_the_message_goes_all_the_same(lat: float | None) -> None:
    message = app_message(replace(context(), place=replace(AT_POINT, lat=lat)), ZH)
    assert message.map_url == ""
    assert message.title == "火警：金鼎小区3栋"


@pytest.mark.parametrize(
    ("purpose", "body"),
    [
        (Purpose.UPDATE, "网格员甲已前往。警情时间03:12，您无需前往。编号A7K2Q"),
        (Purpose.ALL_CLEAR, "警情已解除。警情时间03:12，无需前往。编号A7K2Q"),
    ],
)
def test_who_is_only_told_gets_no_buttons(purpose: Purpose, body: str) -> None:
    message = app_message(replace(context(placement=FLAT), who_goes="网格员甲"), ZH, purpose)
    assert message.body == body
    assert message.actions == ()


def test_raised_severity_and_long_names_are_kept() -> None:
    long = replace(AT_POINT, zh="长" * 300)
    message = app_message(replace(context("water.leak"), place=long, severity=1), ZH)
    assert message.severity == 1
    assert message.title == "漏水：" + "长" * 300
    assert message.body == "03:12。请确认是否前往。先关水阀，防止触电。编号A7K2Q"


def test_a_drill_says_so_first_and_names_no_number() -> None:
    message = app_message(context(), ZH, Purpose.DRILL)
    assert message.title.startswith("演练，火警：")
    assert "119" not in message.body
    assert message.actions == ("accept", "decline")
