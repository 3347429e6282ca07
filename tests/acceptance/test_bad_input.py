"""Whatever a device sends: nothing crashes, nothing valid beside it is lost, the reason is counted and said."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from gengfu.application import Application
from gengfu.stage import Stage
from simulators.city import City
from tests.acceptance.both import on_both_databases
from tests.acceptance.outside import login, nothing_can_be_committed
from tests.acceptance.script import PATIENT_LADDER, Story, settle_s
from tests.support.mqtt import Probe

LEAK = "jd-hy-pump-leak"
FLAT = "jd-hy-3-2-1201-smoke"
OTHER_FLAT = "jd-dg-5-1-201-smoke"


@dataclass(frozen=True, slots=True)
class Bad:
    """One message of the water sensor; `event_id` where one can be found in it."""

    payload: bytes
    reason: str
    event_id: str | None


BAD = (
    Bad(b'{"event_id": "b-1", "code": "water.leak", "state": ', "not_json", "b-1"),
    Bad(b'{"event_id": "b-2", "code": 7, "state": "raised"}', "wrong_shape", "b-2"),
    Bad(b'{"event_id": "b-3", "code": "water.leak", "state": "wet"}', "wrong_shape", "b-3"),
    Bad(b'{"event_id": "b-4", "code": "water.leak", "state": "raised", "values": [1]}', "wrong_shape", "b-4"),
    Bad(b'{"event_id": 5, "code": "water.leak", "state": "raised"}', "wrong_shape", None),
    Bad(b'{"event_id": "b-6", "x": ' + b"[" * 40 + b"]" * 40 + b"}", "too_deep", "b-6"),
    Bad(
        b'{"event_id": "b-7", ' + b", ".join(b'"k%d": 1' % n for n in range(300)) + b"}",
        "too_many_keys",
        "b-7",
    ),
    Bad(b'{"event_id": "b-8", "code": "water.tsunami", "state": "raised"}', "unknown_code", "b-8"),
    Bad(b'{"event_id": "b-9", "code": "water.leak", "state": "raised", "values": {"x": NaN}}', "not_json", "b-9"),
    Bad(b'{"event_id": "b-10", "note": "\xff\xfe"}', "not_utf8", "b-10"),
    Bad(b"", "not_json", None),
)


@on_both_databases
async def test_bad_neighbours_in_one_batch_cost_a_fire_nothing(story: Story, database_url: str) -> None:
    """While the database is busy everything gathers into one batch: the bad, a replay, a clock of 1970, and a fire."""
    await story.policy(PATIENT_LADDER)
    story.faults.expect("cannot commit")
    smoke, other = await story.device(FLAT), await story.device(OTHER_FLAT)
    async with await Probe.connect(story.stage.broker.port, login(story.stage, LEAK)) as sensor:
        await sensor.subscribe(f"gengfu/v1/{LEAK}/down/receipt")
        async with nothing_can_be_committed(database_url):
            other_event = other.send(
                {"event_id": "o-1", "code": "fire.smoke", "state": "raised", "observed_at": "1970-01-01T00:00:07Z"}
            )
            for bad in BAD:
                await sensor.publish(f"gengfu/v1/{LEAK}/up/event", bad.payload)
            event_id = smoke.raise_alarm()
            await asyncio.sleep(0.3)

        await smoke.settled(event_id)
        await other.settled(other_event)
        heard = [msgspec.json.decode((await sensor.next()).payload) for bad in BAD if bad.event_id]

    assert {each["event_id"]: each["refused"] for each in heard} == {b.event_id: b.reason for b in BAD if b.event_id}
    await story.expect_page("worker-a", "1201")
    await story.expect_page("worker-b", "201")
    incidents = await story.desk.items("/api/v1/incidents")
    assert [overlay for incident in incidents for overlay in incident["overlays"]] == []
    rows = await story.desk.items("/api/v1/quarantine")
    reasons = sorted(bad.reason for bad in BAD)
    assert sorted(row["reason"] for row in rows) == reasons
    for reason in set(reasons):
        assert await story.desk.figure("gengfu_quarantined_total", reason=reason) == reasons.count(reason)


@on_both_databases
async def test_the_same_refused_content_counts_up_on_one_row(story: Story) -> None:
    async with await Probe.connect(story.stage.broker.port, login(story.stage, LEAK)) as sensor:
        await sensor.subscribe(f"gengfu/v1/{LEAK}/down/receipt")
        for _ in range(3):
            await sensor.publish(f"gengfu/v1/{LEAK}/up/event", BAD[0].payload)
            await sensor.next()

    (row,) = await story.desk.items("/api/v1/quarantine")
    assert (row["reason"], row["count"]) == ("not_json", 3)


@pytest.mark.parametrize("payload", [b'{"event_id": "f-1", "code": "fire.smoke", ', b"\xff smoke!"])
@on_both_databases
async def test_what_cannot_be_read_but_claims_fire_pages(story: Story, payload: bytes) -> None:
    await story.policy(PATIENT_LADDER)
    async with await Probe.connect(story.stage.broker.port, login(story.stage, FLAT)) as detector:
        await detector.publish(f"gengfu/v1/{FLAT}/up/event", payload)
        await story.expect_page("worker-a", "火警", "金鼎花园", "1201")
        await detector.publish(f"gengfu/v1/{FLAT}/up/event", payload)
        await story.until(lambda: _counted(story, 2))

    await story.the_incident()


@on_both_databases
async def test_more_than_the_broker_takes_disturbs_nobody(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    smoke = await story.device(FLAT)
    sensor = await Probe.connect(story.stage.broker.port, login(story.stage, LEAK))
    huge = b'{"event_id": "h-1", "code": "water.leak", "state": "raised", "x": "' + b"x" * 70_000 + b'"}'
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sensor.publish(f"gengfu/v1/{LEAK}/up/event", huge), 0.5)
    await sensor.close()

    await smoke.settled(smoke.raise_alarm())

    await story.expect_page("worker-a", "1201")
    await story.the_incident()


@on_both_databases
async def test_a_retained_event_is_history(folder: Path, database_url: str, city: City, starting: asyncio.Lock) -> None:
    """The broker hands an old fire to whoever subscribes: it is counted, and only the living one pages."""
    async with AsyncExitStack() as stack:
        async with starting:
            before = Stage(folder, city, database_url=database_url, start_app=False)
            await stack.enter_async_context(before)
        async with await Probe.connect(before.broker.port, login(before, OTHER_FLAT)) as probe:
            body = msgspec.json.encode({"event_id": "r-1", "code": "fire.smoke", "state": "raised"})
            await probe.publish(f"gengfu/v1/{OTHER_FLAT}/up/event", body, retain=True)
        async with Application(before.config, before.clock) as app:
            smoke = before.device(FLAT)
            await smoke.start()
            await smoke.settled(smoke.raise_alarm())
            await before.emulator.until(lambda book: bool(book.sms and book.calls))
            figure = app.metrics.registry.get_sample_value
            assert figure("gengfu_ignored_total", {"reason": "retained_event"}) == 1
            await asyncio.sleep(settle_s)
            await smoke.stop()
        (text,) = before.emulator.phones.sms
        assert "1201" in text.body


async def _counted(story: Story, times: int) -> bool:
    (row,) = await story.desk.items("/api/v1/quarantine")
    return bool(row["count"] == times)
