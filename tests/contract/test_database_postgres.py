"""What only PostgreSQL promises: its timeouts, repeats after another winner, lost connections, wake-ups."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from sqlalchemy import Connection, select, text, update
from sqlalchemy.exc import DBAPIError

from alerting.ports import Priority
from gengfu.database import RunningDatabase
from tests.contract.database_support import Opened, note, notes, pause
from tests.support.postgres import PostgresCluster

answer_seconds_max = 10.0


@pytest_asyncio.fixture
async def opened(postgres_url: str) -> AsyncIterator[Opened]:
    opened = await Opened.open(postgres_url)
    yield opened
    await opened.database.close()


def show(conn: Connection) -> list[str]:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_isolation")
    return [str(conn.execute(text(f"SHOW {name}")).scalar_one()) for name in names]


def notify(database: RunningDatabase, channel: str, *, fail: bool = False) -> Callable[[Connection], None]:
    def work(conn: Connection) -> None:
        database.notify(conn, channel)
        if fail:
            raise LookupError

    return work


async def test_timeouts_are_in_force(opened: Opened) -> None:
    assert await opened.database.write(Priority.ALARM, show) == ["2s", "500ms", "5s", "read committed"]
    assert await opened.database.read(show) == ["2s", "500ms", "5s", "repeatable read"]


async def test_a_statement_that_takes_too_long_is_ended(opened: Opened) -> None:
    with pytest.raises(DBAPIError, match="statement timeout"):
        await opened.database.write(Priority.ALARM, lambda conn: pause(conn, 3))
    await opened.database.write(Priority.ALARM, note("next"))


async def test_two_serializable_writers_both_win_in_the_end(opened: Opened) -> None:
    tries: list[int] = []

    def count_up(conn: Connection) -> None:
        tries.append(1)
        conn.execute(text("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"))
        value = int(conn.scalars(select(notes.c.word)).one())
        pause(conn, 0.1)
        conn.execute(update(notes).values(word=str(value + 1)))

    await opened.database.write(Priority.ALARM, note("0"))
    await asyncio.gather(*(opened.database.write(Priority.ALARM, count_up) for _ in range(2)))
    assert await opened.words() == ["2"]
    assert len(tries) == 3


async def test_a_deadlock_ends_with_both_written(opened: Opened) -> None:
    def touch(first: int, second: int, word: str) -> Callable[[Connection], None]:
        def work(conn: Connection) -> None:
            conn.execute(update(notes).where(notes.c.id == first).values(word=word))
            pause(conn, 0.1)
            conn.execute(update(notes).where(notes.c.id == second).values(word=word))

        return work

    for word in ("one", "two"):
        await opened.database.write(Priority.ALARM, note(word))
    await asyncio.gather(
        opened.database.write(Priority.ALARM, touch(1, 2, "here")),
        opened.database.write(Priority.ALARM, touch(2, 1, "there")),
    )
    assert len(set(await opened.words())) == 1


async def test_lost_connections_are_replaced_before_the_work_is_lost(
    opened: Opened, postgres_cluster: PostgresCluster
) -> None:
    await opened.database.write(Priority.ALARM, note("before"))
    assert await opened.words() == ["before"]
    end_every_connection(postgres_cluster)
    assert await opened.words() == ["before"]
    end_every_connection(postgres_cluster)
    await opened.database.write(Priority.ALARM, note("after"))
    assert await opened.words() == ["before", "after"]


async def test_a_committed_notify_wakes_its_listeners_only(opened: Opened) -> None:
    woken = asyncio.Queue[str]()
    for channel in ("outbox", "stream"):
        await opened.database.listen(channel, lambda channel=channel: woken.put_nowait(channel))  # type: ignore[misc]
    with pytest.raises(LookupError):
        await opened.database.write(Priority.ALARM, notify(opened.database, "outbox", fail=True))
    await opened.database.write(Priority.ALARM, notify(opened.database, "stream"))
    await opened.database.write(Priority.ALARM, notify(opened.database, "outbox"))
    async with asyncio.timeout(answer_seconds_max):
        assert [await woken.get(), await woken.get()] == ["stream", "outbox"]
    await asyncio.sleep(0.1)
    assert woken.empty()


async def test_a_listener_that_lost_its_connection_comes_back_and_looks(
    opened: Opened, postgres_cluster: PostgresCluster
) -> None:
    woken = asyncio.Queue[str]()
    await opened.database.listen("outbox", lambda: woken.put_nowait("outbox"))
    end_every_connection(postgres_cluster)
    async with asyncio.timeout(answer_seconds_max):
        await woken.get()
        await opened.database.write(Priority.ALARM, notify(opened.database, "outbox"))
        await woken.get()


async def test_the_password_is_not_in_an_error(postgres_url: str) -> None:
    address = postgres_url.replace("gengfu@", "gengfu:hunter2@").replace("/test_", "/missing_")
    with pytest.raises(Exception, match="does not exist") as failed:
        await Opened.open(address)
    assert "hunter2" not in repr(failed.value) + str(failed.value)


def end_every_connection(cluster: PostgresCluster) -> None:
    cluster.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'gengfu%'")
