"""Texts of summaries and digests: read as a person reads them, one part each, a call within 20 seconds."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.core.languages import speech_seconds
from alerting.core.messages import CallScript
from alerting.core.model import PlaceText
from alerting.core.parts import one_part
from alerting.core.summary_words import Digest, DigestLine, Summary, render_digest, render_summary
from devices.model import Channel, Language
from devices.taxonomy import TAXONOMY

NOW = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
B3 = PlaceText("金鼎花园3栋", "Jinding Garden B3", "金鼎花园，三栋", "Jinding Garden, building 3", 32.1, 114.0)
ZH, EN = Language.ZH_CN, Language.EN


def a_room(room: int) -> PlaceText:
    said = "".join("零幺二三四五六七八九"[int(digit)] for digit in str(room))
    return PlaceText(
        f"金鼎花园3栋2单元12层{room}客厅",
        f"Jinding Garden B3 U2 F12 {room} living room",
        f"金鼎花园，三栋，二单元，十二层，{said}，客厅",
        f"Jinding Garden, building 3, unit 2, floor 12, {' '.join(str(room))}, living room",
        32.1,
        114.0,
    )


STORM = Summary(
    code="fire.smoke",
    severity=1,
    building=B3,
    fresh=34,
    total=37,
    kinds=(("fire.smoke", 32), ("fire.heat", 2)),
    newest=(a_room(1204), a_room(1203), a_room(1202)),
    reference="K7F3P",
    incident_id="i-1",
    at=NOW,
)
DIGEST = Digest(
    grid="金鼎一网格",
    grid_en="Jinding grid 1",
    total=42,
    kinds=(("device.low_battery", 20), ("device.offline", 15), ("lane.blocked", 5), ("device.fault", 2)),
    lines=tuple(DigestLine("lane.blocked", a_room(1201), NOW - timedelta(days=3), "K7F3P") for _ in range(22)),
    oldest=NOW - timedelta(days=3),
    now=NOW,
    incident_id="i-1",
)


@pytest.mark.parametrize(
    ("code", "zh", "en"),
    [
        (
            "fire.smoke",
            "火警汇总：金鼎花园3栋现有37个探测器报警，新增34处：烟雾报警32、温度火警2。最新2单元12层1204客厅。编号K7F3P",
            "FIRE SUMMARY: Jinding Garden B3: 37 detectors in alarm, 34 new places: smoke 32, heat 2. "
            "Latest: U2 F12 1204 living room, U2 F12 1203 living room. Ref K7F3P",
        ),
        (
            "ebike.indoor",
            "电动车进楼汇总：金鼎花园3栋现有37个设备报警，新增34处：烟雾报警32、温度火警2。最新2单元12层1204客厅。编号K7F3P",
            "E-bike indoors SUMMARY: Jinding Garden B3: 37 devices in alarm, 34 new places: smoke 32, heat 2. "
            "Latest: U2 F12 1204 living room. Ref K7F3P",
        ),
        (
            "device.fault",
            "故障汇总：金鼎花园3栋现有37台设备故障，新增34处：烟雾报警32、温度火警2。最新2单元12层1204客厅。编号K7F3P",
            "Trouble SUMMARY: Jinding Garden B3: 37 devices in trouble, 34 new places: smoke 32, heat 2. "
            "Latest: U2 F12 1204 living room, U2 F12 1203 living room. Ref K7F3P",
        ),
    ],
)
def test_an_sms_says_how_many_where_which_kinds_and_the_newest(code: str, zh: str, en: str) -> None:
    summary = replace(STORM, code=code, severity=TAXONOMY[code].severity)
    assert render_summary(summary, Channel.SMS, ZH) == zh
    assert render_summary(summary, Channel.SMS, EN) == en


def test_a_call_says_it_in_words_and_takes_the_keys_of_a_page() -> None:
    script = msgspec.json.decode(render_summary(STORM, Channel.VOICE, ZH), type=CallScript)
    assert script.say == (
        "火警汇总。金鼎花园，三栋。现有三十七个探测器报警，新增三十四处。最新位置，二单元，十二层，幺二零四，客厅。"
    )
    assert script.keys == "确认出发请按一，无法前往请按二，重听请按三。"
    assert "幺幺九" in script.recorded
    english = msgspec.json.decode(render_summary(STORM, Channel.VOICE, EN), type=CallScript)
    assert english.say.startswith("Fire summary. Jinding Garden, building 3. 37 detectors in alarm, 34 new places.")


def test_two_and_more_than_a_hundred_are_said_as_people_say_them() -> None:
    two = replace(STORM, total=2, fresh=2)
    assert "现有两个探测器报警，新增两处" in render_summary(two, Channel.VOICE, ZH)
    many = replace(STORM, total=137, fresh=120)
    assert "现有137个探测器报警，新增120处" in render_summary(many, Channel.VOICE, ZH)


def test_where_all_are_quiet_again_no_number_is_made_up() -> None:
    quiet = replace(STORM, total=0, fresh=1)
    assert render_summary(quiet, Channel.SMS, ZH).startswith("火警汇总：金鼎花园3栋新增1处：")
    assert "B3: 1 new place:" in render_summary(quiet, Channel.SMS, EN)


def test_the_app_shows_more_places_and_can_be_answered() -> None:
    message = msgspec.json.decode(render_summary(STORM, Channel.APP, ZH))
    assert message["title"] == "火警汇总：金鼎花园3栋"
    assert message["body"] == (
        "现有37个探测器报警，新增34处：烟雾报警32、温度火警2。"
        "最新：2单元12层1204客厅、2单元12层1203客厅、2单元12层1202客厅。编号K7F3P"
    )
    assert (message["purpose"], message["actions"]) == ("summary", ["accept", "decline"])
    assert message["incident_id"] == "i-1"


@pytest.mark.parametrize("channel", list(Channel))
def test_a_drill_says_so_first(channel: Channel) -> None:
    for language, mark in ((ZH, "演练"), (EN, "DRILL")):
        text = render_summary(replace(STORM, drill=True), channel, language)
        said = text if channel is Channel.SMS else str(next(iter(_spoken(text, channel))))
        assert said.upper().startswith(mark)


def _spoken(text: str, channel: Channel) -> list[str]:
    return [msgspec.json.decode(text)["say" if channel is Channel.VOICE else "title"]]


_NAMES = st.text(alphabet="信阳金鼎花园三期东区ABC0123456789 -", min_size=1, max_size=40)


@given(
    name=_NAMES,
    room=_NAMES,
    fresh=st.integers(1, 5000),
    total=st.integers(0, 5000),
    code=st.sampled_from(sorted(TAXONOMY)),
    kinds=st.lists(st.tuples(st.sampled_from(sorted(TAXONOMY)), st.integers(1, 999)), min_size=1, max_size=8),
    marks=st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_whatever_the_names_it_is_one_part_and_a_short_call(
    name: str,
    room: str,
    fresh: int,
    total: int,
    code: str,
    kinds: list[tuple[str, int]],
    marks: tuple[bool, bool, bool],
) -> None:
    latin = "".join(char for char in name if char.isascii()) or "x"
    place = PlaceText(name + room, latin + " " + room.encode("ascii", "ignore").decode(), name + "，" + room, latin)
    drill, test, two_way = marks
    summary = replace(
        STORM, code=code, severity=TAXONOMY[code].severity, building=PlaceText(name, latin, name, latin),
        newest=(place, place), fresh=fresh, total=total, kinds=tuple(kinds), drill=drill, test=test, two_way=two_way,
    )  # fmt: skip
    for language in Language:
        text = render_summary(summary, Channel.SMS, language)
        assert one_part(text), text
        assert "K7F3P" in text
        assert str(fresh) in text
        script = msgspec.json.decode(render_summary(summary, Channel.VOICE, language), type=CallScript)
        assert speech_seconds(f"{script.say} {script.keys}", language) <= 20.0, script.say


def test_the_digest_is_one_sms_and_a_list_in_the_app() -> None:
    assert render_digest(DIGEST, Channel.SMS, ZH) == (
        "更夫日报：金鼎一网格待办42项：电量低20、设备离线15、消防通道占用5等，最早3天前。请在更夫应用查看"
    )
    assert render_digest(DIGEST, Channel.SMS, EN) == (
        "Gengfu daily: Jinding grid 1: 42 to do: low battery 20, device offline 15, fire lane blocked 5 ..., "
        "oldest 3 days ago. See the app."
    )
    message = msgspec.json.decode(render_digest(DIGEST, Channel.APP, ZH))
    assert message["title"] == "更夫日报：金鼎一网格待办42项"
    lines = message["body"].split("\n")
    assert lines[0] == "电量低20、设备离线15、消防通道占用5、设备故障2"
    assert lines[1] == "消防通道占用：金鼎花园3栋2单元12层1201客厅，3天前，编号K7F3P"
    assert (len(lines), lines[-1]) == (22, "另有22项，见工单列表")
    assert message["actions"] == []


@given(grid=_NAMES, total=st.integers(1, 100_000), codes=st.lists(st.sampled_from(sorted(TAXONOMY)), min_size=1))
def test_every_digest_is_one_part(grid: str, total: int, codes: list[str]) -> None:
    kinds = tuple((code, 99_999) for code in dict.fromkeys(codes))
    digest = replace(DIGEST, grid=grid, grid_en=grid, total=total, kinds=kinds)
    for language in Language:
        assert one_part(render_digest(digest, Channel.SMS, language))


def test_every_class_has_words_of_its_own() -> None:
    heads = {
        render_summary(replace(STORM, code=code, severity=3), Channel.SMS, ZH)[:4]
        for code in ("water.leak", "lane.blocked", "device.fault")
    }
    assert len(heads) == 3
