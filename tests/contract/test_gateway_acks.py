"""When and in which order the gateway acknowledges, seen on the wire; traps (a) and (e), failures and the way out."""

import asyncio
from pathlib import Path

import pytest

from alerting.verdicts import Urgency
from gateway import Filter, Lane
from tests.contract.gateway_support import (
    RecordingEntry,
    RecordingMetrics,
    body,
    event_topic,
    eventually,
    gateway_settings,
    make_subscriber,
    mosquitto_running,
    publish,
    publish_numbers,
    running,
)
from tests.contract.scripted_broker import scripted_broker

FIRE, ALARM, OTHER, _ = Urgency
RECEIPT_FILTERS = (Filter("gengfu/v1/+/down/receipt", 1),)
quiet_seconds = 0.15
"""Long enough for a packet that must not come."""


async def permit_one_call(entry: RecordingEntry) -> None:
    """Let the call of `handle` that is stuck return, and wait for the next one."""
    calls = len(entry.calls)
    entry.permit()
    await eventually(lambda: len(entry.calls) > calls)


async def test_pubacks_leave_in_arrival_order_although_fire_is_handled_first() -> None:
    entry = RecordingEntry()
    entry.stall()
    urgencies = [OTHER, ALARM, OTHER, ALARM, FIRE, OTHER, FIRE] * 12
    async with scripted_broker() as broker, running(make_subscriber(entry, gateway_settings(broker.port))):
        line = await broker.line("alarm")
        line.deliver([(1, event_topic(), body(1))])
        await eventually(lambda: entry.calls)
        mids = range(2, len(urgencies) + 2)
        line.deliver([(mid, event_topic(), body(mid, urgency)) for mid, urgency in zip(mids, urgencies, strict=True)])
        await eventually(lambda: len(entry.prepared) == len(urgencies) + 1)
        entry.resume()
        await eventually(lambda: len(line.pubacks) == len(urgencies) + 1)
    assert line.pubacks == list(range(1, len(urgencies) + 2))
    handled = [each.urgency for each in entry.handled[1:]]
    assert handled == sorted(urgencies)


async def test_nothing_is_acknowledged_or_receipted_before_handle_returns() -> None:
    entry = RecordingEntry()
    entry.receipts = True
    entry.stall()
    async with scripted_broker() as broker, running(make_subscriber(entry, gateway_settings(broker.port))):
        line = await broker.line("alarm")
        line.deliver([(mid, event_topic(), body(mid)) for mid in (1, 2)])
        await eventually(lambda: entry.calls)
        await asyncio.sleep(quiet_seconds)
        assert (line.pubacks, line.publications) == ([], [])
        entry.resume()
        await eventually(lambda: line.pubacks == [1, 2])
        await eventually(lambda: len(line.publications) == 2)
    assert line.publications == [
        (
            "gengfu/v1/smoke-0001/down/receipt",
            b'{"event_id":"event-1","refused":"unknown_code","at":"2026-11-23T04:05:06Z"}',
        ),
        ("gengfu/v1/smoke-0001/down/receipt", b'{"event_id":"event-2","accepted_at":"2026-11-23T04:05:06Z"}'),
    ]


async def test_the_checkpoint_stands_between_handle_and_every_acknowledgement() -> None:
    """A crash right there leaves the broker without PUBACK and the device without receipt."""
    entry = RecordingEntry()
    entry.receipts = True
    reached: list[tuple[str, int]] = []

    def crash(name: str) -> None:
        reached.append((name, len(entry.handled)))
        raise SystemError("stopped here")

    async with scripted_broker() as broker:
        subscriber = make_subscriber(entry, gateway_settings(broker.port), checkpoint=crash)
        async with running(subscriber) as run:
            line = await broker.line("alarm")
            line.deliver([(1, event_topic(), body(1))])
            with pytest.raises(ExceptionGroup):
                await run
            await line.closed.wait()
        assert reached == [("before_puback", 1)]
        assert (line.pubacks, line.publications) == ([], [])


async def test_a_failing_handler_gets_every_message_again_and_only_then_they_are_acknowledged() -> None:
    entry = RecordingEntry()
    entry.failures_left = 2
    entry.stall()
    async with scripted_broker() as broker, running(make_subscriber(entry, gateway_settings(broker.port))):
        line = await broker.line("alarm")
        line.deliver([(1, event_topic(), body(1)), (2, event_topic(), body(2))])
        await eventually(lambda: len(entry.calls) == 1)
        line.deliver([(3, event_topic(), body(3, FIRE))])
        await eventually(lambda: len(entry.prepared) == 3)
        entry.permit()
        await eventually(lambda: len(entry.calls) == 2)
        entry.permit()
        await eventually(lambda: len(entry.calls) == 3)
        assert line.pubacks == []
        entry.resume()
        await eventually(lambda: line.pubacks == [1, 2, 3])
    assert entry.numbers == [3, 1, 2]


async def test_a_fire_overtakes_a_batch_that_is_stuck() -> None:
    entry = RecordingEntry()
    entry.receipts = True
    entry.stall()
    async with scripted_broker() as broker:
        settings = gateway_settings(broker.port, overtake_seconds=0.05)
        async with running(make_subscriber(entry, settings)):
            line = await broker.line("alarm")
            line.deliver([(1, event_topic(), body(1))])
            await eventually(lambda: len(entry.calls) == 1)
            line.deliver([(2, event_topic(), body(2, OTHER)), (3, event_topic(), body(3, FIRE))])
            await eventually(lambda: len(entry.calls) == 2)
            assert [each.urgency for each in entry.calls[1]] == [FIRE]
            entry.resume()
            await eventually(lambda: line.pubacks == [1, 2, 3])


async def test_a_late_acknowledgement_does_not_reach_the_next_session() -> None:
    """Trap (a): the restarted broker numbers other messages with the same ids."""
    entry = RecordingEntry()
    entry.stall()
    async with scripted_broker() as broker, running(make_subscriber(entry, gateway_settings(broker.port))):
        before = await broker.line("alarm", 1)
        before.deliver([(mid, event_topic(), body(mid)) for mid in (1, 2, 3)])
        await eventually(lambda: len(entry.calls) == 1 and len(entry.prepared) == 3)
        before.cut()
        after = await broker.line("alarm", 2)
        after.deliver([(mid, event_topic(), body(100 + mid)) for mid in (1, 2, 3)])
        await eventually(lambda: len(entry.prepared) == 6)
        while len(entry.handled) < 3:
            await permit_one_call(entry)
        await asyncio.sleep(quiet_seconds)
        assert min(entry.numbers[3:], default=101) > 100
        assert after.pubacks == []
        entry.resume()
        await eventually(lambda: after.pubacks == [1, 2, 3])
    assert before.pubacks == []
    assert sorted(entry.numbers) == [1, 2, 3, 101, 102, 103]


async def test_a_redelivery_of_what_is_still_in_work_is_handled_once_and_acknowledged_under_its_new_id() -> None:
    entry = RecordingEntry()
    entry.stall()
    async with scripted_broker() as broker, running(make_subscriber(entry, gateway_settings(broker.port))):
        before = await broker.line("alarm", 1)
        before.deliver([(1, event_topic(), body(1))])
        await eventually(lambda: entry.calls)
        before.cut()
        after = await broker.line("alarm", 2)
        after.deliver([(41, event_topic(), body(1)), (42, event_topic(), body(2))])
        await eventually(lambda: len(entry.prepared) == 3)
        entry.resume()
        await eventually(lambda: after.pubacks == [41, 42])
    assert entry.numbers == [1, 2]


async def test_a_late_acknowledgement_loses_nothing_when_mosquitto_forgot_its_sessions(tmp_path: Path) -> None:
    """Trap (a) on the real broker: killed, it numbers from 1 again. If the late PUBACKs of the old messages reached
    it, it would forget the new ones, and the process that dies before handling them would have lost them."""
    entry = RecordingEntry()
    entry.stall()
    async with mosquitto_running(tmp_path) as broker:
        async with running(subscriber := make_subscriber(entry, gateway_settings(broker.port))):
            await publish_numbers(broker.port, range(1, 6))
            await eventually(lambda: len(entry.prepared) == 5)
            await broker.stop(kill=True)
            await eventually(lambda: not subscriber.connected)
            await broker.start()
            await eventually(subscriber.ready)
            await publish_numbers(broker.port, range(101, 106))
            await eventually(lambda: len(entry.prepared) == 10)
            while len(entry.handled) < 5:
                await permit_one_call(entry)
            await asyncio.sleep(quiet_seconds)
        second = RecordingEntry()
        async with running(make_subscriber(second, gateway_settings(broker.port))):
            await eventually(lambda: set(entry.numbers) | set(second.numbers) == {*range(1, 6), *range(101, 106)})
        assert set(second.numbers) >= {101, 102, 103, 104, 105} - set(entry.numbers)


async def test_stopping_finishes_the_batch_in_work_and_leaves_the_rest_to_the_broker(tmp_path: Path) -> None:
    first, second = RecordingEntry(), RecordingEntry()
    first.stall()
    async with mosquitto_running(tmp_path) as broker:
        subscriber = make_subscriber(first, gateway_settings(broker.port))
        async with running(subscriber) as run:
            await publish_numbers(broker.port, [1])
            await eventually(lambda: first.calls)
            await publish_numbers(broker.port, range(2, 30))
            stopping = asyncio.create_task(subscriber.stop())
            await asyncio.sleep(0.05)
            assert not run.done()
            first.resume()
            await asyncio.wait_for(stopping, 5)
            await asyncio.wait_for(run, 1)
        in_work = first.numbers
        assert in_work[:1] == [1]
        async with running(make_subscriber(second, gateway_settings(broker.port))):
            await eventually(lambda: sorted(in_work + second.numbers) == list(range(1, 30)))


async def test_stopping_says_goodbye_after_the_last_acknowledgement() -> None:
    entry, metrics = RecordingEntry(), RecordingMetrics()
    entry.receipts = True
    entry.stall()
    async with scripted_broker() as broker:
        subscriber = make_subscriber(entry, gateway_settings(broker.port), metrics=metrics)
        async with running(subscriber):
            line = await broker.line("alarm")
            line.deliver([(mid, event_topic(), body(mid)) for mid in range(1, 301)])
            await eventually(lambda: len(entry.prepared) == 300)
            while len(entry.handled) < 100:
                await permit_one_call(entry)
            stopping = asyncio.create_task(subscriber.stop())
            await asyncio.sleep(0.05)
            entry.resume()
            await asyncio.wait_for(stopping, 5)
            await line.closed.wait()
        assert line.disconnected_politely
        assert line.pubacks == list(range(1, len(entry.handled) + 1))
        assert len(line.publications) == len(entry.handled)
        assert metrics.handled_count == len(entry.handled)
        assert metrics.up[-1][1] is False
        assert (Lane.ALARM, True) in metrics.up


async def test_stopping_with_a_stuck_database_ends_in_time_without_acknowledging() -> None:
    entry = RecordingEntry()
    entry.stall()
    async with scripted_broker() as broker:
        subscriber = make_subscriber(entry, gateway_settings(broker.port, drain_seconds_max=0.2))
        async with running(subscriber):
            line = await broker.line("alarm")
            line.deliver([(1, event_topic(), body(1))])
            await eventually(lambda: entry.calls)
            await asyncio.wait_for(subscriber.stop(), 2)
            await line.closed.wait()
        assert line.pubacks == []


async def test_a_device_hears_its_receipt_through_the_real_broker(tmp_path: Path) -> None:
    entry = RecordingEntry()
    entry.receipts = True
    async with mosquitto_running(tmp_path) as broker, running(make_subscriber(entry, gateway_settings(broker.port))):
        listener = RecordingEntry()
        settings = gateway_settings(broker.port, client_id="listener", alarm_filters=RECEIPT_FILTERS)
        async with running(make_subscriber(listener, settings)):
            await publish(broker.port, [(event_topic("smoke-0777"), body(2))])
            await eventually(lambda: listener.prepared)
    received = listener.prepared[0].raw
    assert received.topic == "gengfu/v1/smoke-0777/down/receipt"
    assert received.payload == b'{"event_id":"event-2","accepted_at":"2026-11-23T04:05:06Z"}'
    assert not received.retained
