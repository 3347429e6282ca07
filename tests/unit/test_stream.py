"""The hub: who sees what, in which order, and what becomes of the slow."""

import asyncio
from collections.abc import Callable
from itertools import count

import pytest

from alerting.stream import Ended, Hub, StreamEntry, encode, frames_waiting_max, idle_comment


def session_ids() -> Callable[[], str]:
    numbers = count(1)
    return lambda: f"S{next(numbers)}"


def entry(seq: int | None, grid: str | None = None, *persons: str) -> StreamEntry:
    return StreamEntry(seq, "timeline", b'{"n":%d}' % (seq or 0), grid, frozenset(persons))


@pytest.fixture
def hub() -> Hub:
    return Hub(session_ids())


def frame(seq: int) -> bytes:
    return b'id: %d\nevent: timeline\ndata: {"n":%d}\n\n' % (seq, seq)


hello = b'event: session\ndata: {"session_id":"S1"}\n\n'


def test_a_frame_of_several_lines_stays_one_frame() -> None:
    assert encode(StreamEntry(None, "note", b"a\nb")) == b"event: note\ndata: a\ndata: b\n\n"


async def test_everything_that_waits_comes_as_one_chunk_in_order(hub: Hub) -> None:
    console = hub.subscribe(None, None)
    hub.publish([entry(2), entry(1)])
    hub.publish([entry(3)])
    assert await console.next() == hello + frame(1) + frame(2) + frame(3)
    assert hub.last_seq == 3


async def test_each_sees_what_he_may(hub: Hub) -> None:
    everywhere = hub.subscribe("operator", None)
    north = hub.subscribe(None, frozenset({"north"}))
    worker = hub.subscribe("worker", frozenset())
    for each in (everywhere, north, worker):
        await each.next()
    hub.publish([entry(1, "north"), entry(2, "south", "worker"), entry(3), entry(4, "north", "worker", "operator")])
    assert await everywhere.next() == frame(1) + frame(2) + frame(3) + frame(4)
    assert await north.next() == frame(1) + frame(4)
    assert await worker.next() == frame(2) + frame(4)
    assert hub.counters.frames == 4  # each encoded once, however many read it


async def test_who_left_gets_nothing_and_is_forgotten(hub: Hub) -> None:
    worker = hub.subscribe("worker", frozenset({"north"}))
    assert hub.sessions_of("worker") == ("S1",)
    worker.close()
    worker.close()
    assert hub.push("worker", "notification", b"{}") == 0
    assert hub.sessions_of("worker") == ()
    assert len(hub) == 0
    assert worker.ended is Ended.LEFT
    assert [chunk async for chunk in worker] == []
    assert not hub._by_grid
    assert not hub._by_person


async def test_a_slow_client_is_closed_and_nobody_else_suffers(hub: Hub) -> None:
    slow, quick = hub.subscribe(None, None), hub.subscribe(None, None)
    for seq in range(1, frames_waiting_max + 1):
        hub.publish([entry(seq)])
        if seq % 1000 == 0:
            await quick.next()
    assert slow.ended is Ended.SLOW
    assert quick.ended is None
    assert hub.counters.closed_slow == 1
    assert await slow.next() is None
    assert (await quick.next() or b"").endswith(frame(frames_waiting_max))


async def test_what_was_replayed_is_left_out(hub: Hub) -> None:
    console = hub.subscribe(None, None)
    await console.next()
    hub.publish([entry(4), entry(5), entry(6)])
    console.replayed(5)
    assert await console.next() == frame(6)


async def test_a_chunk_that_holds_only_replayed_entries_is_not_an_answer(hub: Hub) -> None:
    console = hub.subscribe(None, None)
    await console.next()
    console.replayed(5)
    hub.publish([entry(5)])
    waiting = asyncio.create_task(console.next())
    await asyncio.sleep(0)
    hub.publish([entry(6)])
    assert await waiting == frame(6)


async def test_an_entry_that_was_committed_late_elsewhere_moves_no_clients_position_back(hub: Hub) -> None:
    console = hub.subscribe(None, None)
    await console.next()
    hub.publish([entry(2)])
    hub.publish([entry(1)])
    assert await console.next() == frame(2) + b'event: timeline\ndata: {"n":1}\n\n'
    assert hub.last_seq == 2
    assert hub.counters.out_of_order == 1


async def test_quiet_streams_get_a_comment(hub: Hub) -> None:
    console = hub.subscribe(None, None)
    await console.next()
    assert await console.next(0.01) == idle_comment


async def test_shutdown_ends_streams_that_wait(hub: Hub) -> None:
    console = hub.subscribe(None, None)
    await console.next()
    waiting = asyncio.create_task(console.next())
    await asyncio.sleep(0)
    hub.close()
    assert await waiting is None
    assert console.ended is Ended.SHUTDOWN


async def test_a_word_in_the_very_moment_of_the_deadline_is_not_lost(hub: Hub) -> None:
    """The answer of `received` and that of the waiting submit always agree."""
    for delay_s in (0.0, 0.01, 0.0101, 0.02):
        waiting = asyncio.create_task(hub.until_received("N1", 0.01))
        await asyncio.sleep(delay_s)
        somebody_waits = hub.received("N1", "S9")
        assert (await waiting == "S9") is somebody_waits
    assert not hub._awaited


async def test_two_attempts_of_one_notification_both_hear_the_word(hub: Hub) -> None:
    both = [asyncio.create_task(hub.until_received("N1", 1.0)) for _ in range(2)]
    await asyncio.sleep(0)
    assert hub.received("N1", "S1") is True
    assert await asyncio.gather(*both) == ["S1", "S1"]
    assert hub.received("N1", "S1") is False
    assert hub.receipt_of("N1") == "S1"
