"""A smoke detector in a flat: everybody who must know knows where, one key stops the rest."""

from datetime import datetime
from zoneinfo import ZoneInfo

from tests.acceptance.both import on_both_databases
from tests.acceptance.script import LADDER, Story

FLAT = "jd-hy-3-2-1201-smoke"
PLACE = ("金鼎花园", "3栋", "2单元", "12层", "1201", "客厅")
SPOKEN = ("金鼎花园", "三栋", "二单元", "十二层", "幺二零幺", "客厅")
past_every_step_s = 2.3
past_the_third_step_s = 1.5
"""From when the second step has paged somebody."""
chars_spoken_per_s = 4.5


@on_both_databases
async def test_sms_call_and_app_name_the_place_and_key_1_ends_it(story: Story) -> None:
    await story.policy(LADDER)
    story.presses("worker-a", "1")
    (await story.device(FLAT)).raise_alarm()

    sms = await story.expect_sms("worker-a", *PLACE, "火警", "烟雾")
    app = await story.expect_app("worker-a", *PLACE, "火警", "烟雾")
    call = await story.expect_call("worker-a", *SPOKEN, "火警", "烟雾", "已记录")

    incident = await story.the_incident()
    clock_time = _local_time(incident["opened_at"])
    assert incident["reference"] in sms.body
    assert incident["reference"] in app.body
    assert clock_time in sms.body
    assert clock_time in app.body
    assert len(sms.body.encode("utf-16-le")) // 2 <= 70
    assert "coordinate=wgs84" in app.map_url
    assert call.words().index(SPOKEN[-1]) / chars_spoken_per_s <= 6.0
    assert call.pressed == "1"
    assert (incident["work"], incident["taken_by"]["id"]) == ("taken", "worker-a")

    await story.expect_nothing_more(past_every_step_s)
    (taken,) = await story.timeline(incident["id"], "work")
    assert (taken["reason"], taken["actor"]) == ("taken", "worker-a")


@on_both_databases
async def test_whoever_was_paged_before_hears_once_that_somebody_goes(story: Story) -> None:
    await story.policy(LADDER)
    story.presses("worker-b", "1")
    (await story.device(FLAT)).raise_alarm()

    await story.expect_page("worker-a", *PLACE)
    await story.expect_page("worker-b", *PLACE)

    await story.expect_app("worker-a", "网格员乙已前往", *PLACE)
    await story.expect_nothing_more(past_the_third_step_s)
    assert (await story.the_incident())["taken_by"]["id"] == "worker-b"


@on_both_databases
async def test_without_an_app_the_update_comes_by_sms(story: Story) -> None:
    await story.policy(LADDER)
    await story.sign_out("worker-a")
    story.presses("worker-b", "1")
    (await story.device(FLAT)).raise_alarm()

    await story.expect_sms("worker-a", *PLACE)
    await story.expect_call("worker-a")
    await story.expect_page("worker-b", *PLACE)

    await story.expect_sms("worker-a", "网格员乙已前往", *PLACE)
    await story.expect_nothing_more(past_the_third_step_s)


@on_both_databases
async def test_a_worker_who_reads_english_gets_english(story: Story) -> None:
    story.presses("worker-c", "1")
    (await story.device("zjs-ch-1-1-501-smoke")).raise_alarm()

    place = ("Cuihu Court", "B1", "U1", "F5", "501", "living room")
    sms = await story.expect_sms("worker-c", *place, "FIRE")
    assert sms.body.isascii()
    assert len(sms.body) <= 160
    await story.expect_app("worker-c", *place, "FIRE")
    await story.expect_call("worker-c", "Cuihu Court", "building B1", "unit 1", "floor 5", "living room", "Recorded")


def _local_time(instant: str) -> str:
    return datetime.fromisoformat(instant).astimezone(ZoneInfo("Asia/Shanghai")).strftime("%H:%M")
