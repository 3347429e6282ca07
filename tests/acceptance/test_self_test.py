"""The daily message that must be tapped, and a number that cannot be reached: told, shown, in no alarm's way."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, update

from alerting.core.model import Settings
from alerting.ports import Priority
from alerting.self_tests import SelfTests
from alerting.store.tables_readiness import self_tests
from api.permissions import Role as KeyRole
from devices.model import Channel
from devices.store import marks
from simulators.emulating.faults import FaultKind
from tests.acceptance.both import on_both_databases
from tests.acceptance.script import Story
from tests.acceptance.test_verification import _event, _stream

pytestmark = pytest.mark.alone

WORKER = "worker-a"
FLAT = "jd-hy-3-2-1201-smoke"


async def readiness(story: Story, person: str) -> dict[str, Any]:
    status, shown = await story.desk.get(f"/api/v1/readiness/workers/{person}")
    assert status == 200, shown
    found: dict[str, Any] = shown
    return found


def item(shown: dict[str, Any], what: str, channel: str | None = None) -> dict[str, Any] | None:
    found = (each for each in shown["items"] if each["what"] == what and channel in (None, each["channel"]))
    return next(found, None)


async def plan(story: Story) -> int:
    """What the service does when the hour comes: this hour is made the one."""
    app = story.stage.app
    tests = SelfTests(app.database, app.clock, app.ids, Settings(timezone="UTC"), app.clock.now().hour)
    planned = await tests.run_due()
    app.service.wake()
    return planned


@on_both_databases
async def test_it_is_sent_tapped_and_once_untapped_it_shows(story: Story) -> None:
    before = await readiness(story, WORKER)
    untested = item(before, "self_test")
    assert untested is None or untested["word"] == "unknown"
    key = await story.stage.key(KeyRole.GRID_WORKER, WORKER)
    async with _stream(story, key) as events:
        planned = await plan(story)
        assert planned >= 1
        message = await _event(events, "self_test")
        assert "自检" in message["title"]
        assert "点按" in message["body"]
        assert message["actions"] == [], "nobody is asked to go"
        assert await plan(story) == 0, "once a day"
        body = {"test_id": message["test_id"]}
        async with await story.desk_of("worker-b") as other:
            assert (await other.post(message["confirm"], body))[0] == 422, "nobody taps for him"
        async with await story.desk_of(WORKER) as own:
            assert (await own.post(message["confirm"], body))[0] == 200
    shown = await self_test_of(story)
    assert (shown["word"], shown["remedy"]) == ("fine", None)
    await story.stage.app.database.write(Priority.ADMINISTRATION, lambda conn: _untap(conn, story))
    shown = await self_test_of(story)
    assert shown["word"] == "fault"
    assert "点按" in shown["remedy"]
    assert not (await readiness(story, WORKER))["ready"]
    assert len(story.stage.emulator.phones.sms) == 0, "it costs no text and no call"
    assert len(story.stage.emulator.phones.calls) == 0


async def self_test_of(story: Story) -> dict[str, Any]:
    found = item(await readiness(story, WORKER), "self_test")
    assert found is not None
    return found


def _untap(conn: Connection, story: Story) -> None:
    """As if he had not tapped it for a day and an hour."""
    since = story.stage.app.clock.now() - timedelta(hours=25)
    conn.execute(update(self_tests).where(self_tests.c.person_id == WORKER).values(untapped_since=since))


@on_both_databases
async def test_a_number_that_cannot_be_reached_is_marked_shown_still_tried_and_cleared(story: Story) -> None:
    """21610: he once answered STOP. The call and the app reach him, and everybody sees why he is not ready."""
    number = story.number(WORKER)
    app = story.stage.app
    app.service.marking.refused(Channel.SMS, number, "twilio", marks.OPTED_OUT)
    await app.service.marking.settled()
    stopped = item(await readiness(story, WORKER), "opted_out", "sms")
    assert stopped is not None
    assert (stopped["word"], stopped["about"]) == ("fault", "twilio")
    story.presses(WORKER, "1")
    (await story.device(FLAT)).raise_alarm()
    await story.expect_page(WORKER)  # the text too: the carrier, not we, may refuse it

    async def cleared() -> bool:
        return item(await readiness(story, WORKER), "opted_out", "sms") is None

    await story.until(cleared)


@on_both_databases
async def test_a_carrier_that_says_stop_marks_the_number_while_the_call_and_the_app_reach_him(story: Story) -> None:
    """Refused at the first page, by the provider's own code; nobody waits for the mark."""
    number = story.number(WORKER)
    story.stage.emulator.faults.set(FaultKind.ERROR, channel=Channel.SMS, number=number, code=21610)
    story.presses(WORKER, "1")
    (await story.device(FLAT)).raise_alarm()
    await story.expect_call(WORKER)
    await story.expect_app(WORKER)

    async def shown() -> bool:
        return item(await readiness(story, WORKER), "opted_out", "sms") is not None

    await story.until(shown)
    _, contacts = await story.desk.get(f"/api/v1/workers/{WORKER}/contacts")
    (sms,) = (row for row in contacts["items"] if row["channel"] == "sms")
    assert (sms["unreachable"]["reason"], sms["unreachable"]["provider"]) == ("opted_out", "twilio")
    (row,) = [e for e in await story.desk.items("/api/v1/audit") if e["act"] == "mark_unreachable"]
    assert (row["actor"], row["detail"]["channel"]) == ("twilio", "sms")
    assert number not in str(row)
