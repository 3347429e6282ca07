"""The gateway's data structures: order of work, order of acknowledgements, bounds, batch size, backoff, receipts."""

from datetime import UTC, datetime, timedelta, timezone

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from alerting.verdicts import DeviceReceipt, Prepared, Urgency
from devices.signals import RawMessage, Uplink
from gateway.backoff import Backoff
from gateway.intake import AlarmIntake, AlarmItem, BatchSize, TelemetryIntake
from gateway.ledger import AckLedger
from gateway.receipts import encode_receipt

NOW = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)
FIRE, ALARM, OTHER, BACKGROUND = Urgency


def make_item(
    mid: int, urgency: Urgency = ALARM, generation: int = 1, payload: bytes | None = None, retained: bool = False
) -> AlarmItem:
    content = payload if payload is not None else f"{generation}/{mid}".encode()
    raw = RawMessage("gengfu/v1/smoke-0001/up/event", content, NOW, retained)
    return AlarmItem(Prepared(raw, Uplink("smoke-0001", "plain", "gengfu_plain", ()), urgency), generation, mid)


# -- order of work


def test_most_urgent_first_and_in_order_of_arrival_within() -> None:
    intake = AlarmIntake(10)
    for mid, urgency in enumerate([OTHER, ALARM, BACKGROUND, FIRE, ALARM, FIRE], start=1):
        intake.add(make_item(mid, urgency))
    assert [item.mid for item in intake.take(4)] == [4, 6, 2, 5]
    assert [item.mid for item in intake.take(4)] == [1, 3]
    assert intake.take(4) == []
    assert len(intake) == 0


def test_only_fires_can_be_taken() -> None:
    intake = AlarmIntake(10)
    for mid, urgency in enumerate([ALARM, FIRE, OTHER, FIRE], start=1):
        intake.add(make_item(mid, urgency))
    assert [item.mid for item in intake.take(10, up_to=FIRE)] == [2, 4]
    assert len(intake) == 2


def test_a_failed_batch_goes_back_in_front_and_newer_fire_still_precedes_it() -> None:
    intake = AlarmIntake(10)
    for mid, urgency in enumerate([ALARM, FIRE, ALARM], start=1):
        intake.add(make_item(mid, urgency))
    batch = intake.take(2)
    intake.add(make_item(4, FIRE))
    intake.put_back(batch)
    assert [item.mid for item in intake.take(10)] == [2, 4, 1, 3]


def test_loose_messages_are_bounded_and_the_held_are_never_dropped() -> None:
    intake = AlarmIntake(2)
    for mid in range(1, 101):
        intake.add(make_item(mid))
    first, second, fire = make_item(0), make_item(0), make_item(0, FIRE)
    for item in (first, second, fire):
        intake.add(item)
    assert intake.dropped == 1
    taken = intake.take(1000)
    assert taken[0] is fire
    assert first not in taken
    assert second in taken
    assert len(taken) == 102


@given(st.lists(st.tuples(st.sampled_from(Urgency), st.booleans())), st.integers(1, 7))
def test_nothing_is_lost_or_repeated(arrivals: list[tuple[Urgency, bool]], size: int) -> None:
    intake = AlarmIntake(len(arrivals) + 1)
    items = [make_item(mid if held else 0, urgency) for mid, (urgency, held) in enumerate(arrivals, start=1)]
    for item in items:
        intake.add(item)
    intake.put_back(intake.take(size))
    taken = []
    while batch := intake.take(size):
        assert len(batch) <= size
        taken += batch
    assert sorted(map(id, taken)) == sorted(map(id, items))
    assert [item.prepared.urgency for item in taken] == sorted(item.prepared.urgency for item in items)


def test_telemetry_drops_the_oldest_and_counts() -> None:
    intake = TelemetryIntake(3)
    for n in range(5):
        intake.add(RawMessage("t", str(n).encode(), NOW))
    assert intake.dropped == 2
    assert [raw.payload for raw in intake.take(2)] == [b"2", b"3"]
    assert len(intake) == 1


# -- order of acknowledgements (traps a and e)


def released_ids(ledger: AckLedger, acks_max: int) -> list[int]:
    return [item.mid for item in ledger.release(acks_max)]


def owing(ledger: AckLedger, *items: AlarmItem) -> None:
    for item in items:
        assert ledger.owe(item)


def test_acknowledgements_leave_in_arrival_order() -> None:
    ledger = AckLedger(100, 10_000)
    ledger.begin(1)
    one, two, three = (make_item(mid) for mid in (1, 2, 3))
    owing(ledger, one, two, three)
    ledger.done(three)
    assert released_ids(ledger, 10) == []
    ledger.done(one)
    assert released_ids(ledger, 10) == [1]
    ledger.done(two)
    assert released_ids(ledger, 1) == [2]
    assert released_ids(ledger, 10) == [3]
    assert released_ids(ledger, 10) == []


def test_an_acknowledgement_of_an_earlier_session_is_never_given_out() -> None:
    ledger = AckLedger(100, 10_000)
    ledger.begin(1)
    late, in_time = make_item(1), make_item(2)
    owing(ledger, late, in_time)
    ledger.begin(2)
    other = make_item(1, generation=2)
    owing(ledger, other)
    ledger.done(late)
    ledger.done(in_time)
    assert released_ids(ledger, 10) == []
    ledger.done(other)
    assert released_ids(ledger, 10) == [1]
    assert len(ledger) == 0


def test_an_item_in_work_takes_over_the_redelivery_of_its_message() -> None:
    ledger = AckLedger(100, 10_000)
    ledger.begin(1)
    waiting = make_item(5, payload=b"smoke")
    owing(ledger, waiting)
    ledger.begin(2)
    assert not ledger.owe(make_item(9, generation=2, payload=b"smoke"))
    assert ledger.owe(make_item(10, generation=2, payload=b"smoke")), "one waiting item answers one redelivery"
    assert released_ids(ledger, 10) == []
    ledger.done(waiting)
    assert released_ids(ledger, 10) == [9]


def test_a_retained_copy_is_another_message() -> None:
    ledger = AckLedger(100, 10_000)
    ledger.begin(1)
    owing(ledger, make_item(1, payload=b"offline"))
    ledger.begin(2)
    assert ledger.owe(make_item(1, generation=2, payload=b"offline", retained=True))


def test_a_redelivery_after_the_work_was_done_is_queued_again() -> None:
    ledger = AckLedger(100, 10_000)
    ledger.begin(1)
    waiting = make_item(1, payload=b"smoke")
    owing(ledger, waiting)
    ledger.begin(2)
    ledger.done(waiting)
    again = make_item(1, generation=2, payload=b"smoke")
    assert ledger.owe(again)
    assert released_ids(ledger, 10) == []


def test_reading_stops_at_the_bound_and_goes_on_below_three_quarters() -> None:
    ledger = AckLedger(8, 10_000)
    ledger.begin(1)
    items = [make_item(mid) for mid in range(1, 9)]
    owing(ledger, *items[:7])
    assert not ledger.is_full()
    owing(ledger, items[7])
    assert ledger.is_full()
    ledger.done(items[1])
    assert released_ids(ledger, 10) == []
    assert ledger.is_full(), "done, and not yet acknowledged: the broker still counts it, and so do we"
    ledger.done(items[0])
    assert released_ids(ledger, 10) == [1, 2]
    assert not ledger.is_full()
    assert not ledger.has_room(), "6 of 8"
    ledger.done(items[2])
    assert released_ids(ledger, 10) == [3]
    assert ledger.has_room()


def test_bytes_bound_as_messages_do() -> None:
    ledger = AckLedger(100, 1_000)
    ledger.begin(1)
    big = make_item(1, payload=b"x" * 900)
    owing(ledger, big)
    assert not ledger.is_full()
    assert not ledger.has_room()
    owing(ledger, make_item(2, payload=b"y" * 100))
    assert ledger.is_full()
    ledger.done(big)
    assert released_ids(ledger, 10) == [1]
    assert ledger.has_room()


def test_what_earlier_sessions_left_in_work_counts_too() -> None:
    ledger = AckLedger(2, 10_000)
    left = [make_item(mid, payload=b"left %d" % mid) for mid in (1, 2)]
    ledger.begin(1)
    owing(ledger, *left)
    ledger.begin(2)
    assert ledger.has_room(), "the redelivery of both must be read, or they would be handled twice"
    assert not ledger.owe(make_item(1, generation=2, payload=b"left 1"))
    assert not ledger.is_full()
    assert not ledger.owe(make_item(2, generation=2, payload=b"left 2"))
    assert ledger.is_full()
    for generation in (3, 4):
        ledger.begin(generation)
        owing(ledger, *[make_item(mid, generation=generation) for mid in (1, 2)][: 2 if generation == 3 else 0])
    assert ledger.is_full(), "four in work of sessions that never delivered them again: twice the bound"
    for item in left:
        ledger.done(item)
    assert ledger.has_room()


@given(st.data())
def test_over_many_sessions_only_owed_ids_leave_in_order(data: st.DataObject) -> None:
    ledger = AckLedger(100, 10_000)
    open_items: list[AlarmItem] = []
    flip: st.SearchStrategy[bool] = st.booleans()
    for generation in range(1, 4):
        ledger.begin(generation)
        arrived: list[int] = []
        released: list[int] = []
        for mid in range(1, data.draw(st.integers(1, 6))):
            item = make_item(mid, generation=generation, payload=data.draw(st.sampled_from([b"a", b"b", b"c"])))
            arrived.append(mid)
            if ledger.owe(item):
                open_items.append(item)
            finishes = data.draw(flip)
            if open_items and finishes:
                ledger.done(open_items.pop(data.draw(st.integers(0, len(open_items) - 1))))
            released += released_ids(ledger, 3)
        assert released == arrived[: len(released)]
    for item in open_items:
        ledger.done(item)
    assert released + released_ids(ledger, 100) == arrived


# -- batch size, backoff


def test_batches_grow_while_quick_and_full_and_shrink_when_slow() -> None:
    size = BatchSize()
    start = size.current
    size.learn(start - 1, 0.001)
    assert size.current == start
    for _ in range(10):
        size.learn(size.current, 0.001)
    assert size.current == 512
    size.learn(512, 0.010)
    assert size.current == 512
    for _ in range(10):
        size.learn(1, 0.041)
    assert size.current == 32


def test_backoff_doubles_to_its_ceiling_with_full_jitter() -> None:
    steady = Backoff(0.1, 10.0, lambda: 1.0)
    assert [round(steady.next_delay(), 3) for _ in range(9)] == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    steady.reset()
    assert steady.next_delay() == 0.1
    shares = iter([0.0, 0.5])
    jittered = Backoff(0.1, 10.0, lambda: next(shares))
    assert [jittered.next_delay(), jittered.next_delay()] == [0.0, 0.1]


# -- receipts


def test_receipts_are_encoded_as_the_contract_says() -> None:
    at = datetime(2026, 11, 23, 12, 5, 6, tzinfo=timezone(timedelta(hours=8)))
    assert encode_receipt(DeviceReceipt("smoke-0001", "e-1", NOW)) == (
        b'{"event_id":"e-1","accepted_at":"2026-11-23T04:05:06Z"}'
    )
    refused = msgspec.json.decode(encode_receipt(DeviceReceipt("smoke-0001", "e-2", at, "unknown_code")))
    assert refused == {"event_id": "e-2", "refused": "unknown_code", "at": "2026-11-23T04:05:06Z"}
