"""Restraint on both databases: a storm of one building, summaries that outlive a restart, the morning, the digest."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest
import pytest_asyncio

from alerting.core.acts import Verb
from alerting.core.model import Settings
from alerting.core.parts import one_part
from alerting.store import maintenance, restraint
from alerting.store.maintenance import WindowRow
from devices.model import Channel
from tests.contract.registry_support import Registry
from tests.contract.restraint_support import MORNING, NIGHT, NOON, House, fill, floor_of

pytest_plugins = ["tests.contract.registry_fixtures"]

STORM = floor_of("smoke", 12, range(1, 38))


@pytest_asyncio.fixture
async def house(registry: Registry) -> House:
    await registry.write(fill)
    return House(registry)


async def test_37_detectors_in_one_batch_are_three_pages_and_one_summary(house: House) -> None:
    await house.hear(*STORM)
    for channel in Channel:
        assert len(await house.sent(channel=channel)) == 3
    await house.later(9)
    assert await house.sent(purpose="summary") == []
    await house.later(1)
    (text,) = await house.sent(purpose="summary")
    assert one_part(text)
    assert "金鼎花园3栋现有37个探测器报警，新增34处：烟雾报警34" in text
    (shown,) = await house.sent(channel=Channel.APP, purpose="summary")
    message = msgspec.json.decode(shown)
    assert message["actions"] == ["accept", "decline"]
    assert "1237" in message["body"]
    assert await house.sent(channel=Channel.VOICE, purpose="summary") == []
    await house.later(55)
    (said,) = await house.sent(channel=Channel.VOICE, purpose="summary")
    assert "三十七个探测器报警" in msgspec.json.decode(said)["say"]
    folded = [each for each in await house.entries("folded") if each["recipient"] == "worker"]
    assert len(folded) == 34 * len(Channel)
    assert {each["reason"] for each in folded} == {"folded"}


async def test_a_summary_a_minute_while_rooms_join_and_none_when_nothing_does(house: House) -> None:
    await house.hear(*STORM[:20])
    await house.later(10)
    await house.delivered("summary")
    await house.hear(*STORM[20:30])
    await house.later(30)
    assert len(await house.sent(purpose="summary")) == 1
    house.again()  # a restart: the due time is a row
    await house.later(30)
    texts = await house.sent(purpose="summary")
    assert len(texts) == 2
    assert "现有30个探测器报警，新增10处" in texts[-1]
    for _ in range(5):
        await house.later(60)
    assert len(await house.sent(purpose="summary")) == 2


async def test_a_new_floor_goes_through_a_storm(house: House) -> None:
    await house.hear(*STORM)
    await house.hear("smoke-1301")
    texts = await house.sent()
    assert len(texts) == 4
    assert "13层1301" in texts[-1]
    await house.hear("heat-1205", code="fire.heat")
    assert len(await house.sent()) == 5


async def test_who_goes_ends_the_summaries_until_it_spreads_further(house: House) -> None:
    await house.hear(*STORM[:20])
    await house.act(Verb.ACCEPT, "desk")
    await house.later(70)
    assert await house.sent(purpose="summary") == []
    await house.hear(*STORM[20:22])
    await house.later(70)
    (text,) = await house.sent(purpose="summary")
    assert "新增2处" in text


async def test_who_goes_hears_what_he_goes_into(house: House) -> None:
    await house.hear(*STORM[:20])
    await house.act(Verb.ACCEPT)
    house.clock.at += timedelta(seconds=5)
    await house.hear(*STORM[20:25])
    await house.later(70)
    (text,) = await house.sent(purpose="summary")
    assert "现有25个探测器报警，新增5处" in text


async def test_nobody_hears_a_summary_of_what_he_has_declined(house: House) -> None:
    await house.hear(*STORM[:20])
    await house.act(Verb.DECLINE)
    await house.later(70)
    assert await house.sent(purpose="summary") == []


async def test_while_the_provider_is_silent_summaries_become_one(house: House) -> None:
    await house.hear(*STORM[:20])
    await house.later(10)
    for n in range(20, 30):
        await house.hear(STORM[n])
        await house.later(61)
    waiting = await house.registry.read(lambda conn: _planned_summaries(conn))
    assert waiting == 1
    assert "新增27处" in (await house.sent(purpose="summary"))[-1]


def _planned_summaries(conn: object) -> int:
    from sqlalchemy import Connection, func, select

    from alerting.store.tables import attempts, notifications

    assert isinstance(conn, Connection)
    query = (
        select(func.count())
        .select_from(attempts)
        .join(notifications, notifications.c.id == attempts.c.notification_id)
        .where(
            notifications.c.purpose == "summary",
            notifications.c.recipient_id == "worker",
            notifications.c.channel == "sms",
            attempts.c.state == "planned",
        )
    )
    return int(conn.scalar(query) or 0)


async def test_a_summary_is_sent_once_by_two_processes(house: House) -> None:
    await house.hear(*STORM[:20])
    house.clock.at += timedelta(seconds=10)
    await house.registry.write(house.summing.look)
    await house.registry.write(house.summing.look)
    assert len(await house.sent(purpose="summary")) == 1


async def test_many_incidents_of_one_building_fold_too(house: House) -> None:
    await house.hear(*floor_of("fault", 12, range(1, 38)), code="env.overheat")
    assert len(await house.sent()) == 3
    await house.hear("fault-1238", code="env.overheat")
    assert len(await house.sent()) == 3
    await house.later(10)
    (text,) = await house.sent(purpose="summary")
    assert "环境高温汇总：金鼎花园3栋现有38个设备报警，新增35处" in text


async def test_trouble_reaches_no_phone_but_the_screen_and_the_digest(house: House) -> None:
    house.clock.at = NIGHT
    await house.hear(*floor_of("fault", 12, range(1, 38)), code="device.low_battery")
    assert await house.sent("worker") == []
    assert len(await house.sent("desk", Channel.APP)) == 3
    assert await house.sent("desk") == []
    await house.digests.run_due()
    house.clock.at = MORNING + timedelta(hours=1)
    await house.digests.run_due()
    (text,) = await house.sent("relief", purpose="digest")
    assert text == "更夫日报：金鼎一网格待办37项：电量低37，最早9小时前。请在更夫应用查看"
    (shown,) = await house.sent("relief", Channel.APP, "digest")
    assert msgspec.json.decode(shown)["body"].count("电量低：") == 20
    assert "全部网格" in (await house.sent("desk", purpose="digest"))[0]
    assert await house.sent("worker", purpose="digest") == [], "he is off duty"


async def test_the_digest_is_sent_once_a_day_whatever_restarts(house: House) -> None:
    await house.hear("fault-1201", code="device.low_battery")
    house.clock.at = MORNING + timedelta(hours=1)
    for _ in range(3):
        house.again()
        await house.digests.run_due()
        house.clock.at += timedelta(minutes=30)
    assert len(await house.sent("relief", purpose="digest")) == 1
    house.clock.at = MORNING + timedelta(hours=25)
    await house.digests.run_due()
    assert len(await house.sent("relief", purpose="digest")) == 2


async def test_an_hour_missed_by_more_than_four_hours_is_not_made_up_at_night(house: House) -> None:
    await house.hear("fault-1201", code="device.low_battery")
    house.clock.at = MORNING + timedelta(hours=6)
    await house.digests.run_due()
    assert await house.sent("relief", purpose="digest") == []


async def test_without_anything_to_do_no_digest_is_sent(house: House) -> None:
    house.clock.at = MORNING + timedelta(hours=1)
    await house.digests.run_due()
    assert await house.sent("desk", purpose="digest") == []


async def test_a_supervisory_signal_of_the_night_is_sent_at_seven_to_who_is_there_then(house: House) -> None:
    house.clock.at = NIGHT
    await house.hear("fault-1201", code="water.pressure_low")
    assert len(await house.sent("worker", Channel.APP)) == 1
    assert await house.sent("worker") == []
    house.clock.at = MORNING - timedelta(seconds=1)
    await house.look()
    assert await house.sent("relief") == []
    house.again()
    await house.later(1)
    (text,) = await house.sent("relief")
    assert "消防水压低" in text
    assert await house.sent("worker") == []
    await house.later(60)
    assert len(await house.sent("relief")) == 1


async def test_what_was_taken_at_night_is_not_sent_in_the_morning(house: House) -> None:
    house.clock.at = NIGHT
    await house.hear("fault-1201", code="water.pressure_low")
    await house.act(Verb.ACCEPT)
    await house.act(Verb.ARRIVE)
    house.clock.at = MORNING
    await house.registry.write(house.summing.look)
    assert await house.sent("relief") == []


@pytest.mark.parametrize("code", ["fire.smoke", "env.overheat"])
async def test_an_alarm_keeps_no_quiet_hours(house: House, code: str) -> None:
    house.clock.at = NIGHT
    await house.hear("smoke-1201", code=code)
    assert len(await house.sent("worker")) == 1


def a_window(hours: float = 4, **changes: str | None) -> WindowRow:
    until = NOON + timedelta(hours=hours)
    row = WindowRow("w-1", "f12", None, NOON, until, None, "检修", "login-1", "班长", NOON)
    return replace(row, **changes)  # type: ignore[arg-type]


async def test_a_window_silences_and_what_is_active_at_its_end_is_announced(house: House) -> None:
    await house.registry.write(lambda conn: maintenance.add(conn, a_window()))
    await house.hear("fault-1201", "fault-1202", "fault-1301", code="env.overheat")
    await house.hear("smoke-1203")
    texts = await house.sent()
    assert len(texts) == 2, "another floor, and a fire"
    assert await house.registry.read(lambda conn: maintenance.silent(conn, [a_window()])) == 2
    await house.hear("fault-1202", code="env.overheat", state="restored")
    house.clock.at = NOON + timedelta(hours=4, seconds=-1)
    await house.look()
    assert not [text for text in await house.sent() if "1201" in text or "1202" in text]
    house.again()
    await house.later(1)
    announced = [text for text in await house.sent() if "1201" in text or "1202" in text]
    assert len(announced) == 1
    assert "1201" in announced[0]
    await house.hear("fault-1202", code="env.overheat")
    assert [text for text in await house.sent() if "1202" in text]


async def test_a_window_ended_early_announces_at_once(house: House) -> None:
    window = a_window(place_id=None, device_id="fault-1201")
    await house.registry.write(lambda conn: maintenance.add(conn, window))
    await house.hear("fault-1201", code="env.overheat")
    house.clock.at += timedelta(minutes=5)
    now = house.clock.now()
    assert await house.registry.write(lambda conn: maintenance.end(conn, window, now))
    assert not await house.registry.write(lambda conn: maintenance.end(conn, window, now))
    await house.look()
    assert len(await house.sent()) == 1


async def test_old_rows_go(house: House) -> None:
    await house.hear(*STORM)
    await house.hear("fault-1201", code="env.overheat")
    await house.later(10)
    gone = 0
    while n := await house.registry.write(lambda conn: restraint.forget_before(conn, NOON + timedelta(days=31), 50)):
        gone += n
    assert gone > 34


async def test_a_first_fire_costs_no_further_statement(house: House) -> None:
    fire = await statements(house, lambda: house.hear("smoke-1201"))
    assert not [each for each in fire if "building_pages" in each or "maintenance_windows" in each]
    assert not [each for each in fire if "folded_pages" in each or "summaries" in each or "withheld" in each]
    trouble = await statements(house, lambda: house.hear("fault-1202", code="device.fault"))
    assert len([each for each in trouble if "building_pages" in each]) == 2
    assert len([each for each in trouble if "maintenance_windows" in each]) == 1


async def statements(house: House, work: Callable[[], Awaitable[None]]) -> list[str]:
    """What the work asks of the database."""
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    seen: list[str] = []

    def note(conn: object, cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        await work()
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    return seen


def test_the_settings_of_an_unconfigured_deployment() -> None:
    assert (Settings().night, Settings().digest_hour) == ((22, 7), 8)
