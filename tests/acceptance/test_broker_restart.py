"""The broker dies in the middle: the device keeps its event and tries again, and nothing is told twice."""

import asyncio

from gengfu.broker.child import MosquittoChild
from tests.acceptance.both import on_both_databases
from tests.acceptance.outside import nothing_can_be_committed
from tests.acceptance.script import PATIENT_LADDER, Story

FLAT = "jd-hy-3-2-1201-smoke"
back_s = 10.0
"""Device and service find the broker again: both wait between tries."""


@on_both_databases
async def test_a_fire_while_the_broker_is_dead_arrives_when_it_is_back(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    device, broker = await story.device(FLAT), _broker(story)
    await broker.kill()
    event_id = device.raise_alarm()
    await asyncio.sleep(0.3)
    assert device.pending == (event_id,)

    await broker.start()

    await device.settled(event_id, back_s)
    await story.expect_page("worker-a", "1201")
    await story.the_incident()


@on_both_databases
async def test_killed_right_after_it_took_the_event(story: Story) -> None:
    """Whether or not the service had it already: one incident, one message on each channel, and a receipt."""
    await story.policy(PATIENT_LADDER)
    device, broker = await story.device(FLAT), _broker(story)
    event_id = device.raise_alarm()
    await story.until(lambda: device.events[event_id].puback_at is not None or device.events[event_id].receipt_at)
    await broker.kill()
    await broker.start()

    await device.settled(event_id, back_s)
    await story.expect_page("worker-a", "1201")
    await story.the_incident()


@on_both_databases
async def test_delivered_again_by_the_broker_while_it_is_still_in_work(story: Story, database_url: str) -> None:
    """The service holds the message, not yet acknowledged; a new connection brings it a second time."""
    await story.policy(PATIENT_LADDER)
    device, broker = await story.device(FLAT), _broker(story)
    story.faults.expect("cannot commit")
    async with nothing_can_be_committed(database_url):
        event_id = device.raise_alarm()
        await story.until(lambda: device.events[event_id].puback_at is not None)
        await asyncio.sleep(0.1)
        await broker.restart()
        await asyncio.sleep(0.8)

    await device.settled(event_id, back_s)
    await story.expect_page("worker-a", "1201")
    await story.expect_nothing_more(1.0)
    await story.the_incident()


def _broker(story: Story) -> MosquittoChild:
    assert isinstance(story.stage.broker, MosquittoChild)
    return story.stage.broker
