"""One transaction, one function: the same promises on both databases."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest
import pytest_asyncio
from sqlalchemy import Connection, insert
from sqlalchemy.exc import DBAPIError, IntegrityError

from alerting.ports import Conflict, Database, Priority
from gengfu.database import DatabaseClosed, open_database
from tests.contract.database_support import Opened, add, note, notes, pause, words

busy_seconds = 0.3


@pytest_asyncio.fixture
async def opened(database_url: str) -> AsyncIterator[Opened]:
    opened = await Opened.open(database_url)
    yield opened
    await opened.database.close()


async def all_writers_but_one_busy(opened: Opened, seconds: float) -> list[asyncio.Task[None]]:
    """Tasks that hold every writer; one of them lets go after `busy_seconds`, the others after `seconds`."""
    holds = [busy_seconds] + [seconds] * (opened.writers - 1)
    tasks = [
        asyncio.create_task(opened.database.write(Priority.TELEMETRY, partial(pause, seconds=hold))) for hold in holds
    ]
    await asyncio.sleep(0.1)
    return tasks


async def test_a_write_commits_and_returns_what_the_work_returned(opened: Opened) -> None:
    database: Database = opened.database

    def work(conn: Connection) -> int:
        add(conn, "smoke")
        return 7

    assert await database.write(Priority.ALARM, work) == 7
    assert await opened.words() == ["smoke"]
    assert database.dialect in opened.url


async def test_an_error_takes_everything_back(opened: Opened) -> None:
    def fail(conn: Connection) -> None:
        add(conn, "half")
        raise LookupError("nobody")

    with pytest.raises(LookupError, match="nobody"):
        await opened.database.write(Priority.ALARM, fail)
    assert await opened.words() == []
    await opened.database.write(Priority.ALARM, note("whole"))
    assert await opened.words() == ["whole"]


async def test_a_read_cannot_write(opened: Opened) -> None:
    with pytest.raises(DBAPIError):
        await opened.database.read(note("never"))
    assert await opened.words() == []


async def test_a_reader_of_two_statements_sees_one_moment(opened: Opened) -> None:
    loop = asyncio.get_running_loop()

    def twice(conn: Connection) -> tuple[list[str], list[str]]:
        before = words(conn)
        loop.call_soon_threadsafe(lambda: written.append(loop.create_task(write())))
        pause(conn, busy_seconds)
        return before, words(conn)

    async def write() -> None:
        await opened.database.write(Priority.ALARM, note("between"))

    written: list[asyncio.Task[None]] = []
    assert await opened.database.read(twice) == ([], [])
    await written[0]
    assert await opened.words() == ["between"]


async def test_a_conflict_is_decided_again_from_the_start(opened: Opened) -> None:
    tries: list[list[str]] = []

    def work(conn: Connection) -> str:
        tries.append(words(conn))
        add(conn, f"try {len(tries)}")
        if len(tries) < 3:
            raise Conflict
        return "won"

    assert await opened.database.write(Priority.ALARM, work) == "won"
    assert tries == [[], [], []]
    assert await opened.words() == ["try 3"]


async def test_the_third_conflict_surfaces(opened: Opened) -> None:
    tries: list[int] = []

    def work(conn: Connection) -> None:
        add(conn, "lost")
        tries.append(1)
        raise Conflict("taken")

    with pytest.raises(Conflict, match="taken"):
        await opened.database.write(Priority.ALARM, work)
    assert len(tries) == 3
    assert await opened.words() == []


async def test_a_broken_key_surfaces_at_once(opened: Opened) -> None:
    tries: list[int] = []

    def work(conn: Connection) -> None:
        tries.append(1)
        conn.execute(insert(notes), [{"id": 1, "word": "a"}, {"id": 1, "word": "b"}])

    with pytest.raises(IntegrityError):
        await opened.database.write(Priority.ALARM, work)
    assert len(tries) == 1


async def test_who_waits_is_let_in_by_priority_then_by_arrival(opened: Opened) -> None:
    order: list[str] = []

    def note_turn(name: str, conn: Connection) -> None:
        order.append(name)
        add(conn, name)

    busy = await all_writers_but_one_busy(opened, 4 * busy_seconds)
    wanted = [
        (Priority.ADMINISTRATION, "administration"),
        (Priority.TELEMETRY, "telemetry"),
        (Priority.ALARM, "alarm 1"),
        (Priority.CALLBACK, "callback"),
        (Priority.ATTEMPT, "attempt"),
        (Priority.ALARM, "alarm 2"),
        (Priority.ACCEPTANCE, "acceptance"),
    ]
    waiting = []
    for priority, name in wanted:
        waiting.append(asyncio.create_task(opened.database.write(priority, partial(note_turn, name))))
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    assert order == ["alarm 1", "alarm 2", "acceptance", "attempt", "callback", "telemetry", "administration"]
    await asyncio.gather(*busy)


async def test_cancelled_while_waiting_it_never_begins(opened: Opened) -> None:
    busy = await all_writers_but_one_busy(opened, busy_seconds)
    cancelled = asyncio.create_task(opened.database.write(Priority.ALARM, note("cancelled")))
    await asyncio.sleep(0.05)
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    await asyncio.gather(*busy)
    await asyncio.gather(*(opened.database.write(Priority.ALARM, note("next")) for _ in range(2 * opened.writers)))
    assert await opened.words() == ["next"] * 2 * opened.writers


async def test_cancelled_while_running_it_ends(opened: Opened) -> None:
    def work(conn: Connection) -> None:
        add(conn, "first")
        pause(conn, busy_seconds)
        add(conn, "second")

    # Not an alarm's: on SQLite that runs on the loop from BEGIN to COMMIT, and no moment is left to cancel it in.
    running = asyncio.create_task(opened.database.write(Priority.TELEMETRY, work))
    await asyncio.sleep(busy_seconds / 2)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await opened.words() == []
    await asyncio.sleep(busy_seconds)
    assert await opened.words() == ["first", "second"]


async def test_how_long_the_writer_was_held_is_told(opened: Opened) -> None:
    await opened.database.write(Priority.CALLBACK, lambda conn: pause(conn, 0.05))
    with pytest.raises(ZeroDivisionError):
        await opened.database.write(Priority.ATTEMPT, lambda conn: 1 / 0)
    await opened.words()
    assert [priority for _, priority in opened.holds] == [Priority.CALLBACK, Priority.ATTEMPT]
    assert 0.05 <= opened.holds[0][0] < 1
    assert 0 <= opened.holds[1][0] < 1


async def test_notify_is_part_of_the_transaction_on_both(opened: Opened) -> None:
    database = opened.database
    await database.listen("outbox", lambda: None)

    def work(conn: Connection) -> None:
        add(conn, "told")
        database.notify(conn, "outbox")

    await database.write(Priority.ALARM, work)
    assert await opened.words() == ["told"]


async def test_closing_ends_what_has_begun_and_refuses_more(database_url: str) -> None:
    opened = await Opened.open(database_url)

    def work(conn: Connection) -> None:
        pause(conn, 0.1)
        add(conn, "begun")

    running = [asyncio.create_task(opened.database.write(Priority.ALARM, work)) for _ in range(opened.writers)]
    await asyncio.sleep(0.05)
    await opened.database.close()
    await asyncio.gather(*running)
    with pytest.raises(DatabaseClosed):
        await opened.database.write(Priority.ALARM, note("late"))
    with pytest.raises(DatabaseClosed):
        await opened.words()
    again = await Opened.open(database_url)
    assert await again.words() == ["begun"] * opened.writers
    await again.database.close()


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite+aiosqlite:///:memory:", "sqlite:///file:x?mode=ro&uri=true", "mysql://a/b"]
)
def test_another_kind_of_database_is_refused_in_one_sentence(url: str) -> None:
    with pytest.raises(ValueError, match="database URL: "):
        open_database(url, monotonic=lambda: 0.0)
