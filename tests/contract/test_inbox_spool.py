"""Callbacks while the database stands still: answered in time, on the disk before that, stored in order afterwards."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy.exc import SQLAlchemyError

from alerting.spool import NotKept, Spool
from alerting.store.callbacks import CallbackRow
from gengfu.clock import SystemClock
from tests.contract.inbox_support import VENDOR, Desk, desk_on

ATTEMPT = "abcdefghijklm"
answer_seconds_max = 0.2
slack_s = 0.3
"""A test machine with two processors is late by itself; without the spool the answer takes as long as the stall."""


@contextmanager
def standing_still(url: str) -> Iterator[None]:
    """Somebody else holds the only writer."""
    holder = sqlite3.connect(url.removeprefix("sqlite+aiosqlite:///"), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


async def emptied(desk: Desk) -> None:
    """Until nothing is spooled any more."""
    running = asyncio.create_task(desk.inbox.absorber.run())
    try:
        async with asyncio.timeout(20):
            while spooled(desk):  # noqa: ASYNC110 - files send no events
                await asyncio.sleep(0.02)
    finally:
        running.cancel()


def spooled(desk: Desk) -> list[Path]:
    assert desk.spool._folder is not None
    return files_in(desk.spool._folder)


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.spool"))


async def test_a_stalled_database_delays_no_answer_and_loses_no_key(migrated_sqlite_url: str, tmp_path: Path) -> None:
    async with desk_on(migrated_sqlite_url, tmp_path) as desk:
        await desk.attempt(ATTEMPT)
        loop = asyncio.get_running_loop()
        with standing_still(migrated_sqlite_url):
            for number in range(20):
                started = loop.time()
                await desk.inbox.append(VENDOR, "voice", ATTEMPT, f"n{number:02d}", {"digits": "1"})
                assert loop.time() - started < answer_seconds_max + slack_s
            assert spooled(desk)
        await emptied(desk)
        assert await desk.stored() == [f"n{number:02d}" for number in range(20)]
        await desk.fold()
        assert [key.digits for key in desk.keys] == ["1"] * 20


async def test_a_callback_told_twice_over_both_ways_is_stored_once(migrated_sqlite_url: str, tmp_path: Path) -> None:
    async with desk_on(migrated_sqlite_url, tmp_path) as desk:
        await desk.inbox.append(VENDOR, "sms", ATTEMPT, "same", {"word": "sent"})
        with standing_still(migrated_sqlite_url):
            for _ in range(3):
                await desk.inbox.append(VENDOR, "sms", ATTEMPT, "same", {"word": "sent"})
        await emptied(desk)
        assert await desk.stored() == ["same"]


async def test_many_at_once_are_synced_together(migrated_sqlite_url: str, tmp_path: Path) -> None:
    async with desk_on(migrated_sqlite_url, tmp_path) as desk:
        with standing_still(migrated_sqlite_url):
            await asyncio.gather(
                *(desk.inbox.append(VENDOR, "sms", ATTEMPT, f"n{n}", {"word": "sent"}) for n in range(1000))
            )
        await emptied(desk)
        assert set(await desk.stored()) == {f"n{n}" for n in range(1000)}


async def test_numbers_in_the_spool_are_for_us_alone(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    await spool.keep([row("a")])
    (path,) = files_in(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    await spool.close()


def row(dedupe: str) -> CallbackRow:
    return CallbackRow(VENDOR, "sms", ATTEMPT, dedupe, {"word": "sent"}, SystemClock().now())


async def test_what_a_crash_cut_short_is_skipped_and_all_before_it_kept(
    migrated_sqlite_url: str, tmp_path: Path
) -> None:
    spool = Spool(tmp_path)
    await spool.keep([row("first"), row("second")])
    await spool.close()
    (path,) = files_in(tmp_path)
    path.write_bytes(path.read_bytes() + b"not json at all\n" + path.read_bytes()[:40])
    async with desk_on(migrated_sqlite_url, tmp_path) as desk:
        await emptied(desk)
        assert await desk.stored() == ["first", "second"]


async def test_without_a_folder_nothing_is_promised(migrated_sqlite_url: str) -> None:
    spool = Spool(None)
    with pytest.raises(NotKept):
        await spool.keep([row("a")])
    async with desk_on(migrated_sqlite_url, None) as desk:
        with standing_still(migrated_sqlite_url), pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await desk.inbox.append(VENDOR, "sms", ATTEMPT, "n1", {"word": "sent"})


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "gone")
    with pytest.raises(NotKept):
        await spool.keep([row("a")])


KILLED = """
import asyncio, sys
from pathlib import Path
from alerting.spool import Spool
from alerting.store.callbacks import CallbackRow
from gengfu.clock import SystemClock

async def main():
    spool = Spool(Path(sys.argv[1]))
    for number in range(1_000_000):
        await spool.keep([CallbackRow("vendor", "sms", None, f"n{number:06d}", {"word": "sent"}, SystemClock().now())])
        print(f"n{number:06d}", flush=True)

asyncio.run(main())
"""


def answered_before_a_kill(folder: Path) -> list[str]:
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(folder)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    answered = [child.stdout.readline().strip() for _ in range(50)]
    child.kill()
    answered += child.stdout.read().split()
    child.wait()
    child.stdout.close()
    return answered


async def test_every_callback_that_was_answered_survives_a_kill(migrated_sqlite_url: str, tmp_path: Path) -> None:
    answered = answered_before_a_kill(tmp_path)
    async with desk_on(migrated_sqlite_url, tmp_path) as desk:
        await emptied(desk)
        stored = await desk.stored()
    assert len(answered) >= 50
    assert stored[: len(answered)] == answered


async def test_a_file_that_another_process_still_writes_is_left_alone(migrated_sqlite_url: str, tmp_path: Path) -> None:
    other = Spool(tmp_path)
    await other.keep([row("theirs")])
    async with desk_on(migrated_sqlite_url, tmp_path) as desk:
        assert await desk.spool.drain(desk.inbox.absorber._write) == 0
        await other.close()
        assert await desk.spool.drain(desk.inbox.absorber._write) == 1
        assert await desk.stored() == ["theirs"]


async def test_a_failing_act_is_tried_again_and_no_key_is_lost(migrated_url: str) -> None:
    async with desk_on(migrated_url) as desk:
        await desk.attempt(ATTEMPT)
        desk.fail_acts += [SQLAlchemyError("gone for a moment"), ConnectionError("still gone")]
        await desk.inbox.append(VENDOR, "voice", ATTEMPT, "key", {"digits": "1"})
        await desk.fold()
        assert (desk.keys, await desk.unfolded()) == ([], 1)
        await again(desk)
        await again(desk)
        assert [key.digits for key in desk.keys] == ["1"]
        assert await desk.unfolded() == 0


async def again(desk: Desk) -> None:
    """As a second later."""
    desk.inbox._looked_mono = None
    await desk.fold()


async def test_a_callback_ahead_of_its_attempt_waits_for_it(migrated_url: str) -> None:
    async with desk_on(migrated_url) as desk:
        await desk.inbox.append(VENDOR, "voice", ATTEMPT, "early", {"word": "ringing"})
        await desk.inbox.append(VENDOR, "voice", None, "key", {"digits": "1", "provider_ref": f"ref-{ATTEMPT}"})
        await desk.fold()
        assert (await desk.unfolded(), desk.keys) == (2, [])
        await desk.attempt(ATTEMPT)
        await again(desk)
        assert await desk.state(ATTEMPT) == "sent"
        assert [(key.attempt_id, key.digits) for key in desk.keys] == [(ATTEMPT, "1")]
        assert await desk.unfolded() == 0


async def test_a_callback_about_nothing_is_forgotten_after_a_minute(migrated_url: str) -> None:
    clock = Turned()
    async with desk_on(migrated_url, clock=clock) as desk:
        await desk.inbox.append(VENDOR, "voice", ATTEMPT, "nobody", {"word": "ringing"})
        await desk.fold()
        assert await desk.unfolded() == 1
        clock.ahead = timedelta(seconds=61)
        await again(desk)
        assert await desk.unfolded() == 0


class Turned(SystemClock):
    """A clock that stands `ahead`."""

    ahead = timedelta()

    def now(self):  # type: ignore[no-untyped-def]
        return super().now() + self.ahead


async def test_a_callback_that_breaks_its_reader_holds_nothing_up(migrated_url: str) -> None:
    async with desk_on(migrated_url) as desk:
        await desk.attempt(ATTEMPT)
        await desk.inbox.append(VENDOR, "voice", ATTEMPT, "broken", {"broken": "x"})
        await desk.inbox.append(VENDOR, "voice", ATTEMPT, "fine", {"word": "answered"})
        await desk.fold()
        assert (await desk.state(ATTEMPT), await desk.unfolded()) == ("answered", 0)


async def test_characters_that_a_database_refuses_are_no_reason_to_lose_a_reply(migrated_url: str) -> None:
    async with desk_on(migrated_url) as desk:
        form = {"from": "+8613800138000", "text": "1 \x00\ud800 去", "more": {"deep": ["\x00"]}}
        await desk.inbox.append(VENDOR, "up", "x" * 40, "reply", form)
        await desk.fold()
        assert [reply.text for reply in desk.replies] == ["1 ? 去"]
