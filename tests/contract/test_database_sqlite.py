"""What only SQLite promises: what its connections have in force, its file, its lock, every commit after a SIGKILL."""

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from alerting.ports import Priority
from gengfu.database import DatabaseInUse, hold, open_database
from tests.contract.database_support import Opened, note

kill_rounds = 5
acknowledged_before_kill = 40
answer_seconds_max = 20.0

WRITER = """
import asyncio, sys, time
from alerting.ports import Priority
from gengfu.database import hold
from tests.contract.database_support import Opened, note

async def main(url, first):
    opened = await Opened.open(url)
    number = first
    while True:
        await opened.database.write(Priority.ALARM, note(f"word {number}"))
        print(number, flush=True)
        number += 1

with hold(sys.argv[1], "serve"):
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
"""
HOLDER = """
import sys
from gengfu.database import hold

with hold(sys.argv[1], "serve"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest_asyncio.fixture
async def opened(sqlite_url: str) -> AsyncIterator[Opened]:
    opened = await Opened.open(sqlite_url)
    yield opened
    await opened.database.close()


def path_of(url: str) -> Path:
    return Path(url.removeprefix("sqlite+aiosqlite:///"))


@contextmanager
def child(script: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A Python process of its own, killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate(timeout=answer_seconds_max)


def pragma(conn: Connection, name: str) -> object:
    return conn.exec_driver_sql(f"PRAGMA {name}").scalar_one()


async def test_what_is_in_force_on_the_writer(opened: Opened) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only", "wal_autocheckpoint")
    values = await opened.database.write(Priority.ALARM, lambda conn: [pragma(conn, name) for name in names])
    # No busy timeout on the loop: a BEGIN that finds the file held waits in the thread, see the next test.
    assert values == ["wal", 2, 1, 0, 0, 4000]


async def test_a_file_held_by_another_process_is_waited_for_without_blocking_the_loop(opened: Opened) -> None:
    other = sqlite3.connect(path_of(opened.url), isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    writing = asyncio.create_task(opened.database.write(Priority.ALARM, note("patient")))
    loop = asyncio.get_running_loop()
    late = []
    for _ in range(20):
        due = loop.time() + 0.02
        await asyncio.sleep(0.02)
        late.append(loop.time() - due)
    assert not writing.done()
    assert sorted(late)[len(late) // 2] < 0.1
    other.execute("ROLLBACK")
    other.close()
    await writing
    assert await opened.words() == ["patient"]


async def test_what_is_in_force_on_every_reader(opened: Opened) -> None:
    both = threading.Barrier(2, timeout=answer_seconds_max)

    def look(conn: Connection) -> list[object]:
        both.wait()  # neither reader answers twice
        return [pragma(conn, name) for name in ("journal_mode", "query_only", "busy_timeout", "wal_autocheckpoint")]

    values = await asyncio.gather(opened.database.read(look), opened.database.read(look))
    assert list(values) == [["wal", 1, 2000, 0]] * 2


async def test_a_reader_never_waits_for_the_writer(opened: Opened) -> None:
    held = threading.Event()
    writing = asyncio.create_task(opened.database.write(Priority.TELEMETRY, lambda _: held.wait(answer_seconds_max)))
    await asyncio.sleep(0.05)
    assert await opened.words() == []
    assert not writing.done()
    held.set()
    assert await writing is True


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
async def test_only_the_owner_may_read_the_files(sqlite_url: str, mask: int) -> None:
    before = os.umask(mask)
    try:
        opened = await Opened.open(sqlite_url)
        await opened.database.write(Priority.ALARM, note("secret"))
        with hold(sqlite_url, "serve"):
            modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path_of(sqlite_url).parent.iterdir()}
        await opened.database.close()
    finally:
        os.umask(before)
    names = {"gengfu.db", "gengfu.db-wal", "gengfu.db-shm", "gengfu.db.lock"}
    assert modes == dict.fromkeys(names, 0o600)


async def test_closing_clears_the_log_away(sqlite_url: str) -> None:
    opened = await Opened.open(sqlite_url)
    await opened.database.write(Priority.ALARM, note("kept"))
    await opened.database.close()
    assert [file.name for file in path_of(sqlite_url).parent.iterdir()] == ["gengfu.db"]


async def test_both_spellings_of_the_address_open_the_same_file(opened: Opened) -> None:
    await opened.database.write(Priority.ALARM, note("one"))
    other = open_database(f"sqlite:///{path_of(opened.url)}", monotonic=time.monotonic)
    assert await other.read(lambda conn: conn.exec_driver_sql("SELECT word FROM notes").scalar()) == "one"
    await other.close()


def test_a_file_that_is_no_database_is_refused(sqlite_url: str) -> None:
    path_of(sqlite_url).write_bytes(b"no database " * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        open_database(sqlite_url, monotonic=time.monotonic)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_database(f"sqlite:///{tmp_path / 'missing' / 'gengfu.db'}", monotonic=time.monotonic)


def test_a_second_process_is_told_who_holds_the_database(sqlite_url: str) -> None:
    with child(HOLDER, sqlite_url) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(DatabaseInUse) as refused, hold(sqlite_url, "registry import"):
            pass
        sentence = str(refused.value)
        assert f"process {holder.pid} (serve)" in sentence
        assert "stop it first" in sentence
        assert "\n" not in sentence
        holder.kill()
        holder.wait(answer_seconds_max)
        with hold(sqlite_url, "registry import"):
            assert Path(f"{path_of(sqlite_url)}.lock").read_text() == f"{os.getpid()} registry import\n"


def test_one_process_holds_it_once(sqlite_url: str) -> None:
    with hold(sqlite_url, "serve"), pytest.raises(DatabaseInUse), hold(sqlite_url, "serve"):
        pass
    with hold(sqlite_url, "serve"):
        pass


def test_postgresql_is_shared(postgres_url: str) -> None:
    with hold(postgres_url, "serve"), hold(postgres_url, "serve"):
        pass


def test_every_acknowledged_commit_outlives_a_kill(sqlite_url: str) -> None:
    acknowledged = 0
    for _ in range(kill_rounds):
        with child(WRITER, sqlite_url, str(acknowledged)) as writer:
            assert writer.stdout is not None
            for _ in range(acknowledged_before_kill):
                assert writer.stdout.readline() == f"{acknowledged}\n"
                acknowledged += 1
            writer.kill()
            acknowledged += sum(1 for line in writer.stdout if line.endswith("\n"))
        with closing(sqlite3.connect(path_of(sqlite_url))) as database:
            kept = {word for (word,) in database.execute("SELECT word FROM notes")}
            assert {f"word {number}" for number in range(acknowledged)} - kept == set()
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        acknowledged = len(kept)
    assert acknowledged >= kill_rounds * acknowledged_before_kill
