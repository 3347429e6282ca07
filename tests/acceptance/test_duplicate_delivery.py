"""The same event again and again: one incident, one message on each channel, and a receipt every time."""

import msgspec

from simulators.device import VirtualDevice
from simulators.ledger import EventRecord
from tests.acceptance.both import on_both_databases
from tests.acceptance.outside import login
from tests.acceptance.script import PATIENT_LADDER, Story
from tests.support.mqtt import Probe

FLAT = "jd-hy-3-2-1201-smoke"
EVENT = {"event_id": "boot-7-seq-1", "code": "fire.smoke", "state": "raised", "values": {"smoke_db_per_m": 0.4}}
copies = 5


@on_both_databases
async def test_the_same_event_twice_is_one_incident_and_two_receipts(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    device = await story.device(FLAT)

    first = await _send(device)
    await story.expect_page("worker-a", "1201")
    second = await _send(device)

    assert first.receipt_at is not None
    assert first.refused is None
    assert second.receipt_at is not None
    assert second.refused is None
    assert second.receipt_at > first.receipt_at
    incident = await story.the_incident()
    assert len(await story.timeline(incident["id"], "opened")) == 1
    assert not await story.timeline(incident["id"], "signal")


@on_both_databases
async def test_copies_over_two_connections_are_one_incident(story: Story) -> None:
    await story.policy(PATIENT_LADDER)
    device = await story.device(FLAT)
    account = login(story.stage, FLAT)
    topic, payload = f"gengfu/v1/{FLAT}/up/event", msgspec.json.encode(EVENT)
    async with await Probe.connect(story.stage.broker.port, account, client_id="second-line") as probe:
        await probe.subscribe(f"gengfu/v1/{FLAT}/down/receipt")
        event_id = device.send(EVENT)
        for _ in range(copies):
            await probe.publish(topic, payload)

        await device.settled(event_id)
        receipts = [msgspec.json.decode((await probe.next()).payload) for _ in range(copies + 1)]

    assert {receipt["event_id"] for receipt in receipts} == {EVENT["event_id"]}
    assert all("accepted_at" in receipt for receipt in receipts)
    await story.expect_page("worker-a", "1201")
    await story.the_incident()


@on_both_databases
async def test_an_event_id_used_for_something_else_is_a_new_event(story: Story) -> None:
    """A device whose counter began again after a battery change must not be silenced by its own past."""
    await story.policy(PATIENT_LADDER)
    device = await story.device(FLAT)
    await _send(device)
    await story.expect_page("worker-a", "1201")

    await device.settled(device.send({**EVENT, "state": "restored"}))

    incident = await story.the_incident()
    assert incident["condition"] == "restored"
    assert [note["reason"] for note in await story.timeline(incident["id"], "note")] == ["id_reused"]


async def _send(device: VirtualDevice) -> EventRecord:
    return await device.settled(device.send(EVENT))
