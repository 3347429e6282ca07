"""A provider that is silent, busy, broken or refuses: the fire goes on, and nobody is told twice for nothing."""

from collections import Counter

from devices.model import Channel
from simulators.emulating.faults import FaultKind
from simulators.emulating.ledger import Outcome
from simulators.phone import Answers, Behaviour, SmsFate
from tests.acceptance.both import on_both_databases
from tests.acceptance.script import LADDER, PATIENT_LADDER, Story

FLAT = "jd-hy-3-2-1201-smoke"
TEXT_ONLY = {**PATIENT_LADDER, "steps": [{"after_s": 0, "to": ["grid_worker"], "channels": ["sms"]}]}
unsettled_s = 6.0
"""Looked up 2 s after the trouble, twice with the list's lag between; the sweep is a second."""
request_given_up_s = 5.0
refused_number = 21610


@on_both_databases
async def test_a_silent_provider_does_not_stop_the_ladder(story: Story) -> None:
    """Everything that Twilio is asked hangs; the apps and the next steps carry the fire. Nothing is repeated later."""
    await story.policy(LADDER)
    story.stage.emulator.faults.set(FaultKind.SILENCE)
    (await story.device(FLAT)).raise_alarm()
    await story.expect_app("worker-a", "1201")
    await story.expect_app("worker-b", "1201")
    await story.until(lambda: len(story.stage.emulator.ledger.rows) == 4)

    story.stage.emulator.faults.clear()
    story.presses("community-duty", "1")
    await story.expect_page("community-duty", "1201")

    await story.expect_app("worker-a", "社区值班员已前往")
    await story.expect_app("worker-b", "社区值班员已前往")
    await story.expect_nothing_more(request_given_up_s + 3.0)


@on_both_databases
async def test_busy_is_sent_again_when_the_provider_asks(story: Story) -> None:
    await story.policy(TEXT_ONLY)
    story.stage.emulator.faults.set(FaultKind.STATUS_429, channel=Channel.SMS.value, count=1, seconds=1.0)
    (await story.device(FLAT)).raise_alarm()

    await story.expect_sms("worker-a", "1201", within_s=3.0)

    first, second = story.stage.emulator.ledger.rows
    assert 1.0 <= second.monotonic - first.monotonic <= 2.0
    assert first.attempt != second.attempt


@on_both_databases
async def test_nobody_can_say_whether_it_was_sent(story: Story) -> None:
    """Three fires, three broken answers: looked up at the provider, and sent again only where it has nothing.

    The first was taken and its receipts came long before the request was given up: nobody needs to ask. The second was
    taken, and nothing was ever heard of it. The third was not taken.
    """
    await story.policy(TEXT_ONLY)
    first, second, third = (story.number(person) for person in ("worker-a", "worker-b", "worker-c"))
    faults = story.stage.emulator.faults
    faults.set(FaultKind.ACCEPT_THEN_TIME_OUT, number=first)
    faults.set(FaultKind.STATUS_500, number=second, count=1, accepts=True)
    faults.set(FaultKind.LOST_CALLBACK, number=second)
    faults.set(FaultKind.STATUS_500, number=third, count=1)
    for device_id in (FLAT, "jd-dg-5-1-201-smoke", "zjs-ch-1-1-501-smoke"):
        (await story.device(device_id)).raise_alarm()

    await story.expect_sms("worker-a", "1201")
    await story.expect_sms("worker-b", "201")
    await story.expect_sms("worker-c", "501", within_s=unsettled_s)
    await story.expect_nothing_more(request_given_up_s)

    posts = Counter((row.to, row.outcome) for row in story.stage.emulator.ledger.rows)
    assert posts == {
        (first, Outcome.PROVIDER_ACCEPTED): 1,
        (second, Outcome.PROVIDER_ACCEPTED): 1,
        (third, Outcome.FAULTED): 1,
        (third, Outcome.PROVIDER_ACCEPTED): 1,
    }
    incidents = {each["place_id"]: each for each in await story.desk.items("/api/v1/incidents")}
    (found,) = await story.timeline(incidents["jd-dg-5-1-201-l"]["id"], "provider_accepted")
    assert found["reason"] == "found"


@on_both_databases
async def test_refused_on_every_channel_asks_the_next_at_once(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    await story.sign_out("worker-a")
    story.behaves("worker-a", Behaviour(refused_with=refused_number))
    (await story.device(FLAT)).raise_alarm()

    await story.expect_page("worker-b", "1201")

    incident = await story.the_incident()
    planned = await story.timeline(incident["id"], "planned")
    assert [entry["reason"] for entry in planned] == ["first_signal"] * 3 + ["undelivered"] * 3


@on_both_databases
async def test_no_carrier_brings_it_to_the_phone_asks_the_next_at_once(story: Story) -> None:
    """Taken by the provider, and undelivered: the receipts say so, and nobody waits for the step's time."""
    await story.policy(PATIENT_LADDER)
    await story.sign_out("worker-a")
    story.behaves("worker-a", Behaviour(answers=Answers.UNREACHABLE, sms=SmsFate.FAILED))
    (await story.device(FLAT)).raise_alarm()

    await story.expect_page("worker-b", "1201")


@on_both_databases
async def test_an_app_that_is_not_there_has_accepted_nothing(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    await story.sign_out("worker-a")
    (await story.device(FLAT)).raise_alarm()
    await story.expect_sms("worker-a", "1201")
    await story.expect_call("worker-a")

    incident = await story.the_incident()
    (rejected,) = await story.timeline(incident["id"], "rejected")
    assert (rejected["data"]["channel"], rejected["reason"]) == ("app", "no_session")
    notifications = await story.desk.items(f"/api/v1/notifications?incident_id={incident['id']}")
    assert {n["channel"]: n["state"] for n in notifications}["app"] == "rejected"
    desk = story.desk
    count = "gengfu_event_to_accepted_seconds_count"
    assert await desk.figure("gengfu_notifications_total", channel="app", provider="stream", outcome="rejected") == 1
    assert await desk.figure(count, channel="app", severity="1") == 0
    assert await desk.figure(count, channel="sms", severity="1") == 1
